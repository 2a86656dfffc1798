//! Anybody's JSON, read by a mapping file (docs/json-source.md): bytes -> arrivals. Pure.
//!
//! Knows where things stand only from the mapping; what stands there is outside text like any other.

use super::{Reading, Setting, Unreadable, bounds, inbox_source, text};
use crate::config::mapping::{Mapping, Meaning, Path, Step};
use crate::flow::event::Event;
use crate::flow::moment::At;
use crate::flow::signal::{AlertKey, AlertStatus, Delivery, MAX_SIGNALS, Signal};
use crate::ports::Arrival;
use serde_json::Value;
use std::collections::BTreeMap;

/// Bytes of one delivery. A body of any shape takes ten times its size while it is read; this one is kept small instead.
pub const MAX_JSON: usize = 2 * 1024 * 1024;
/// Alerts in one delivery.
pub const MAX_ALERTS: usize = 5_000;
/// Labels of an object looked at; the first in their order are kept.
const MAX_MEMBERS: usize = 256;
/// Numbers above this are milliseconds since 1970, others seconds: the year 5138, or 1973.
const SECONDS_END: f64 = 1e11;

/// # Errors
/// Always: only a source with a mapping file can be read, by [`read`].
pub fn unmapped(_: &Setting<'_>, _: &[u8]) -> Result<Reading, Unreadable> {
    Err(Unreadable::Malformed("a source of kind json needs a mapping file: mapping = \"FILE\"".to_owned()))
}

/// # Errors
/// [`Unreadable`]: nothing of it can be used.
pub fn read(mapping: &Mapping, setting: &Setting<'_>, bytes: &[u8]) -> Result<Reading, Unreadable> {
    if bytes.len() > MAX_JSON {
        return Err(Unreadable::TooLarge(format!("more than {} MiB in one delivery", MAX_JSON / 1024 / 1024)));
    }
    let body: Value = serde_json::from_slice(bytes)
        .map_err(|e| Unreadable::Malformed(format!("not JSON: {}", text::line(&e.to_string(), 200))))?;
    let mut found = Vec::new();
    gather(&body, &mapping.alerts.steps, &mut found)?;
    let mut reading = Reading::default();
    let mut told: BTreeMap<AlertKey, Signal> = BTreeMap::new();
    let mut timeless = false;
    for (n, value) in found.iter().enumerate() {
        match alert(mapping, setting, &body, value) {
            Ok(Some(Told { signal, trimmed, no_time })) => {
                reading.trimmed += usize::from(trimmed);
                timeless |= no_time;
                // Said twice in one delivery: what counts more, as in any order of deliveries.
                let newest = told.get(&signal.key).is_none_or(|known| known.rank() < signal.rank());
                if newest {
                    told.insert(signal.key.clone(), signal);
                }
            }
            Ok(None) => {
                reading.ignored += 1;
                reading.first_ignored.get_or_insert_with(|| "its status is one of `ignored` in the mapping".to_owned());
            }
            Err(why) => reading.refuse(format!("alert {}: {why}", n + 1)),
        }
    }
    if told.is_empty() && reading.refused > 0 {
        let why = reading.first_refusal.unwrap_or_default();
        return Err(Unreadable::Malformed(format!("none of its {} alerts can be read; {why}", reading.refused)));
    }
    if found.is_empty() {
        return Ok(Reading::nothing("the list of alerts is empty"));
    }
    reading.signals = told.len();
    // Without a time of its own an alert that comes back looks like the first one: such a delivery is never a known one.
    let moment = if timeless { setting.now.0 } else { 0 };
    let key = bounds::digest(&[bytes, &moment.to_be_bytes()]);
    let mut signals = told.into_values().peekable();
    while signals.peek().is_some() {
        let part = signals.by_ref().take(MAX_SIGNALS).collect();
        let delivery = Delivery { source: setting.source.to_owned(), group: None, signals: part };
        reading.arrivals.push(Arrival {
            source: inbox_source(setting.source),
            key: format!("{key}:{}", reading.arrivals.len()),
            at: setting.now,
            event: Event::Signals(delivery),
        });
    }
    Ok(reading)
}

/// Everything a path with lists leads to.
fn gather<'v>(value: &'v Value, steps: &[Step], found: &mut Vec<&'v Value>) -> Result<(), Unreadable> {
    match steps.split_first() {
        None if found.len() == MAX_ALERTS => {
            return Err(Unreadable::TooLarge(format!("more than {MAX_ALERTS} alerts in one delivery")));
        }
        None => found.push(value),
        Some((Step::Name(name), rest)) => match member(value, name) {
            Some(inner) => gather(inner, rest, found)?,
            None => {
                return Err(Unreadable::Malformed(format!("there is no `{name}` where the mapping looks for alerts")));
            }
        },
        Some((Step::All, rest)) => {
            let Value::Array(items) = value else {
                return Err(Unreadable::Malformed("there is no list where the mapping says `[*]`".to_owned()));
            };
            for item in items {
                gather(item, rest, found)?;
            }
        }
    }
    Ok(())
}

fn member<'v>(value: &'v Value, name: &str) -> Option<&'v Value> {
    match value {
        Value::Array(items) => items.get(name.parse::<usize>().ok()?),
        _ => value.get(name),
    }
}

struct Told {
    signal: Signal,
    trimmed: bool,
    no_time: bool,
}

/// `None`: of no interest, says the mapping.
fn alert(mapping: &Mapping, setting: &Setting<'_>, body: &Value, alert: &Value) -> Result<Option<Told>, String> {
    let at = |path: &Path| {
        let start = if path.from_body { body } else { alert };
        path.steps.iter().try_fold(start, |value, step| match step {
            Step::Name(name) => member(value, name),
            Step::All => None,
        })
    };
    let text_at = |path: &Path| at(path).and_then(plain);
    let optional = |path: &Option<Path>| path.as_ref().and_then(text_at);
    let word = text_at(&mapping.status).ok_or("there is no text where the mapping looks for its status")?;
    let status = match mapping.words.get(&word.to_lowercase()) {
        Some(Meaning::Firing) => AlertStatus::Firing,
        Some(Meaning::Resolved) => AlertStatus::Resolved,
        Some(Meaning::Ignored) => return Ok(None),
        None => return Err(format!("the mapping does not say what the status {:?} means", text::line(&word, 40))),
    };
    let parts: Option<Vec<String>> = mapping.fingerprint.iter().map(text_at).collect();
    let parts = parts.filter(|parts| parts.iter().any(|part| !part.is_empty()));
    let parts = parts.ok_or("there is no text where the mapping looks for its fingerprint")?;
    let fingerprint = match parts.as_slice() {
        [one] => bounds::fingerprint(setting, one),
        several => bounds::digest(&several.iter().map(String::as_bytes).collect::<Vec<_>>()),
    };
    let start = moment(optional(&mapping.start).as_deref(), "start", setting.now)?;
    let end =
        moment(optional(&mapping.end).as_deref(), "end", setting.now)?.filter(|_| status == AlertStatus::Resolved);
    // A resolution that does not say when it had begun counts as newer than everything before its end.
    let starts_at = start.or(end).unwrap_or(setting.now);
    let mut labels: Vec<(String, String)> = mapping.fixed.clone().into_iter().collect();
    let one = |(name, path): (&String, &Path)| text_at(path).map(|value| (name.clone(), value));
    labels.extend(mapping.label.iter().filter_map(one));
    if let Some(Value::Object(members)) = mapping.labels.as_ref().and_then(at) {
        let known: Vec<String> = labels.iter().map(|(name, _)| name.clone()).collect();
        let others = members.iter().filter(|(name, _)| !known.contains(name)).take(MAX_MEMBERS);
        labels.extend(others.filter_map(|(name, value)| plain(value).map(|value| (name.clone(), value))));
    }
    let (labels, cut) = bounds::labels(setting, labels.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect());
    let spoken = [("summary", optional(&mapping.summary)), ("description", optional(&mapping.description))];
    let spoken: Vec<(&str, String)> = spoken.into_iter().filter_map(|(name, said)| Some((name, said?))).collect();
    let (annotations, shortened) =
        bounds::annotations(setting, spoken.iter().map(|(name, said)| (*name, said.as_str())).collect());
    let link = optional(&mapping.link).and_then(|url| bounds::link(&url)).map(|url| (setting.scrub)(&url));
    let key = AlertKey { source: setting.source.to_owned(), fingerprint };
    let ends_at = (status == AlertStatus::Resolved).then(|| end.unwrap_or(setting.now).max(starts_at));
    let signal = Signal { key, status, starts_at, ends_at, labels, annotations, link };
    let no_time = start.is_none() && end.is_none();
    Ok(Some(Told { signal, trimmed: cut || shortened, no_time }))
}

/// A text, a number or a truth; nothing else can be shown.
fn plain(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(truth) => Some(truth.to_string()),
        _ => None,
    }
}

/// RFC 3339, or a number of seconds or milliseconds since 1970. What can't be true is not given.
fn moment(written: Option<&str>, what: &str, now: At) -> Result<Option<At>, String> {
    let Some(written) = written.map(str::trim).filter(|text| !text.is_empty()) else { return Ok(None) };
    let given = match written.parse::<f64>() {
        Ok(number) if number.is_finite() => {
            let millis = if number.abs() < SECONDS_END { number * 1_000.0 } else { number };
            #[allow(clippy::cast_possible_truncation)] // saturates, and is judged below
            Some(At(millis as i64))
        }
        _ => bounds::moment(Some(written), what)?,
    };
    Ok(given.filter(|at| bounds::plausible(*at, now)))
}
