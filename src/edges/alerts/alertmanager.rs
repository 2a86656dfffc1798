//! Prometheus Alertmanager, webhook version 4: bytes -> arrivals. Pure.
//!
//! Alertmanager delivers at least once, its highly available pairs twice, in any order, without an id: so the same alerts
//! in the same state make the same key, in whatever order they stand. Knows neither HTTP nor storage.

mod body;

use self::body::{Body, RawAlert};
use super::bounds::{self, digest, link, moment, plausible};
use super::{Reading, Setting, Unreadable};
use crate::flow::event::Event;
use crate::flow::moment::At;
use crate::flow::signal::{AlertKey, AlertStatus, Delivery, MAX_SIGNALS, START_UNKNOWN, Signal};
use crate::ports::Arrival;
use std::collections::BTreeMap;

/// Who speaks the format, and how they differ.
#[derive(Debug)]
pub struct Dialect {
    pub name: &'static str,
    pub version: &'static str,
    /// What to set when a delivery is too large.
    pub limit: &'static str,
}

/// The only version of the format there is (Alertmanager since 0.7).
const DIALECT: Dialect = Dialect { name: "Alertmanager", version: "4", limit: "max_alerts in Alertmanager" };
/// Alerts in one delivery: more than fit in [`super::MAX_BODY`] when each is described in the usual 500 bytes.
pub const MAX_ALERTS: usize = 40_000;
/// Labels and annotations of a whole delivery, after each alert was cut to size: what bounds memory.
pub const MAX_PAIRS: usize = 400_000;
/// Quotes in a body. A pair has four, the fields around it and quotes inside texts as many again: more than this is no real
/// delivery, and is refused before memory is spent on reading it.
const MAX_QUOTES: usize = 2 * 4 * MAX_PAIRS;
/// Characters of a group key as it came; a longer one is replaced by a digest.
const MAX_GROUP: usize = 512;
/// # Errors
/// [`Unreadable`]: nothing of it can be used. A delivery with a few bad alerts is read without them.
pub fn read(setting: &Setting<'_>, bytes: &[u8]) -> Result<Reading, Unreadable> {
    read_dialect(&DIALECT, setting, bytes)
}

/// # Errors
/// As [`read`].
pub fn read_dialect(dialect: &Dialect, setting: &Setting<'_>, bytes: &[u8]) -> Result<Reading, Unreadable> {
    let too_many = || Unreadable::TooLarge(format!("more than {MAX_PAIRS} labels and annotations in one delivery"));
    if bytes.split(|byte| *byte == b'"').count() > MAX_QUOTES {
        return Err(too_many());
    }
    let body: Body<'_> = serde_json::from_slice(bytes).map_err(|e| explain(dialect, setting, &e))?;
    let Dialect { name, version, .. } = dialect;
    match body.version.as_deref() {
        Some(given) if given == *version => {}
        Some(other) => {
            let other = setting.line(other, 20);
            return Err(Unreadable::Malformed(format!(
                "version {other:?} of the {name} webhook is not known; expected {version:?}"
            )));
        }
        None => {
            let what = format!(
                "no \"version\": this does not look like a webhook of {name} (expected \"version\": {version:?})"
            );
            return Err(Unreadable::Malformed(what));
        }
    }
    let Some(alerts) = body.alerts else {
        return Err(Unreadable::Malformed("no \"alerts\" in the delivery".to_owned()));
    };
    let mut reading = Reading { cut_by_sender: body.truncated.unwrap_or(0), ..Reading::default() };
    let mut told = Vec::with_capacity(alerts.len());
    let mut pairs = 0;
    for (n, raw) in alerts.iter().enumerate() {
        match signal(setting, raw, body.external.as_deref()) {
            Ok((identity, signal, trimmed)) => {
                pairs += signal.labels.len() + signal.annotations.len();
                reading.trimmed += usize::from(trimmed);
                told.push((identity, signal));
            }
            Err(why) => reading.refuse(format!("alert {}: {why}", n + 1)),
        }
        if pairs > MAX_PAIRS {
            return Err(too_many());
        }
    }
    if told.is_empty() && reading.refused > 0 {
        let why = reading.first_refusal.unwrap_or_default();
        return Err(Unreadable::Malformed(format!("none of its {} alerts can be read; {why}", reading.refused)));
    }
    told.sort_unstable_by(|a, b| a.0.cmp(&b.0).then_with(|| tie(&a.1).cmp(&tie(&b.1))));
    told.dedup_by(|a, b| a.0 == b.0);
    let group = body.group.as_deref().filter(|g| !g.is_empty()).map(|g| bounded_group(setting, g));
    let key =
        delivery_key(group.as_deref(), body.status.as_deref(), told.iter().map(|(identity, _)| identity.as_str()));
    reading.signals = told.len();
    let mut signals = told.into_iter().map(|(_, signal)| signal).peekable();
    while signals.peek().is_some() {
        let part = Delivery {
            source: setting.source.to_owned(),
            group: group.clone(),
            signals: signals.by_ref().take(MAX_SIGNALS).collect(),
        };
        let n = reading.arrivals.len();
        let arrival = Arrival {
            source: super::inbox_source(setting.source),
            key: format!("{key}:{n}"),
            at: setting.now,
            event: Event::Signals(part),
        };
        reading.arrivals.push(arrival);
    }
    Ok(reading)
}

/// Where two alerts of one delivery say the same of the same alert, the same one is kept in every order.
fn tie(signal: &Signal) -> (&BTreeMap<String, String>, &BTreeMap<String, String>, &Option<String>) {
    (&signal.labels, &signal.annotations, &signal.link)
}

/// What makes it the same statement as another (`fingerprint, status, startsAt, endsAt`), the signal, whether it was cut.
fn signal(setting: &Setting<'_>, raw: &RawAlert<'_>, external: Option<&str>) -> Result<(String, Signal, bool), String> {
    let status = match raw.status.as_deref() {
        Some("firing") => AlertStatus::Firing,
        Some("resolved") => AlertStatus::Resolved,
        Some(other) => return Err(format!("status {:?} is neither firing nor resolved", setting.line(other, 20))),
        None => return Err("it has no status".to_owned()),
    };
    let starts = moment(raw.starts.as_deref(), "startsAt")?;
    let ends = moment(raw.ends.as_deref(), "endsAt")?;
    let starts_at = starts.filter(|at| plausible(*at, setting.now)).unwrap_or(START_UNKNOWN);
    // The zero time means that it has not ended; an end before the start is the start.
    let ended = ends.filter(|at| status == AlertStatus::Resolved && plausible(*at, setting.now));
    let ends_at = ended.map(|at| at.max(starts_at));
    let fingerprint = fingerprint(setting, raw);
    let (labels, labels_cut) = bounds::labels(setting, raw.labels());
    let (annotations, annotations_cut) = bounds::annotations(setting, raw.annotations());
    let trimmed = labels_cut || annotations_cut || raw.pairs_skipped();
    let identity = format!("{fingerprint}\0{status:?}\0{}\0{}", millis(starts), millis(ends));
    // What is nearest to the trouble first. Only Grafana has panels and dashboards.
    let addresses = [raw.panel.as_deref(), raw.dashboard.as_deref(), raw.generator.as_deref(), external];
    let link = addresses.into_iter().flatten().find_map(link).map(|url| (setting.scrub)(&url));
    let key = AlertKey { source: setting.source.to_owned(), fingerprint };
    Ok((identity, Signal { key, status, starts_at, ends_at, labels, annotations, link }, trimmed))
}

fn millis(at: Option<At>) -> i64 {
    at.map_or(i64::MIN, |at| at.0)
}

/// As it came when it looks like one; otherwise a digest of it; when there is none, the one Alertmanager would give.
fn fingerprint(setting: &Setting<'_>, raw: &RawAlert<'_>) -> String {
    match raw.fingerprint.as_deref() {
        None | Some("") => label_fingerprint(raw.labels()),
        Some(f) => bounds::fingerprint(setting, f),
    }
}

/// Prometheus' fingerprint of a label set: FNV-1a, 64 bits, over the sorted names and values, each followed by 255
/// (prometheus/common `model/signature.go`, `labelSetToFingerprint`).
fn label_fingerprint(mut labels: Vec<(&str, &str)>) -> String {
    const OFFSET: u64 = 0xcbf2_9ce4_8422_2325;
    const PRIME: u64 = 0x0100_0000_01b3;
    labels.sort_unstable();
    let step = |sum: u64, byte: u8| (sum ^ u64::from(byte)).wrapping_mul(PRIME);
    let sum = labels
        .iter()
        .flat_map(|(name, value)| [name, value])
        .fold(OFFSET, |sum, text| step(text.bytes().fold(sum, step), 255));
    format!("{sum:016x}")
}

fn bounded_group(setting: &Setting<'_>, group: &str) -> String {
    if group.len() > MAX_GROUP { digest(&[group.as_bytes()]) } else { setting.line(group, MAX_GROUP) }
}

fn delivery_key<'a>(
    group: Option<&'a str>,
    status: Option<&'a str>,
    statements: impl Iterator<Item = &'a str>,
) -> String {
    let head = [group.unwrap_or_default(), status.unwrap_or_default()];
    let parts: Vec<&[u8]> = head.into_iter().chain(statements).map(str::as_bytes).collect();
    digest(&parts)
}

/// serde_json's own words, without secrets that it repeats from what the sender sent.
fn explain(dialect: &Dialect, setting: &Setting<'_>, error: &serde_json::Error) -> Unreadable {
    let (row, column) = (error.line(), error.column());
    let text = setting.line(&error.to_string(), 200);
    if text.contains(body::TOO_MANY) {
        let limit = dialect.limit;
        return Unreadable::TooLarge(format!("more than {MAX_ALERTS} alerts in one delivery; set {limit}"));
    }
    Unreadable::Malformed(if error.is_eof() {
        format!("the JSON ends too early, at line {row} column {column}")
    } else {
        format!("not a webhook of {}: {text}", dialect.name)
    })
}

#[cfg(test)]
mod tests;
