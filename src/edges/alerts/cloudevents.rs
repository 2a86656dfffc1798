//! CloudEvents 1.0 over HTTP, in structured, binary and batched mode; `data` is an alert by the convention of docs/sources.md. Pure.
//!
//! Facts: the CloudEvents specification, its HTTP binding and JSON format. `source` and `id` name an event for ever: they are its
//! key. In binary mode they are headers, which is why a source of this kind proves itself by a token and not by a signature.

mod envelope;

use self::envelope::{Envelope, Mode};
use super::fields::{Pairs, Word, given, json};
use super::told::Told;
use super::{Reading, Setting, Unreadable, bounds};
use crate::flow::moment::At;
use crate::flow::signal::AlertStatus;
use crate::ports::Arrival;
use serde::Deserialize;

/// Events in one batch. Each is stored as a delivery of its own.
pub const MAX_EVENTS: usize = 1_000;

/// Everything may be left out but the status, and that, too, when the event's type ends in one.
#[derive(Deserialize)]
struct Alert<'a> {
    #[serde(borrow)]
    status: Option<Word<'a>>,
    #[serde(borrow)]
    name: Option<Word<'a>>,
    #[serde(borrow)]
    severity: Option<Word<'a>>,
    #[serde(borrow)]
    service: Option<Word<'a>>,
    #[serde(borrow)]
    summary: Option<Word<'a>>,
    #[serde(borrow)]
    description: Option<Word<'a>>,
    #[serde(borrow)]
    link: Option<Word<'a>>,
    #[serde(borrow)]
    fingerprint: Option<Word<'a>>,
    #[serde(borrow)]
    starts_at: Option<Word<'a>>,
    #[serde(borrow)]
    ends_at: Option<Word<'a>>,
    #[serde(borrow)]
    labels: Option<Pairs<'a>>,
    #[serde(borrow)]
    annotations: Option<Pairs<'a>>,
}

/// What one event was.
enum Heard {
    Told(Box<Arrival>, bool),
    Nothing(String),
}

/// # Errors
/// [`Unreadable`]
pub fn read(setting: &Setting<'_>, bytes: &[u8]) -> Result<Reading, Unreadable> {
    let mut reading = Reading::default();
    let envelopes = match envelope::mode(setting.headers) {
        Mode::Batch => envelope::batch(setting, bytes)?,
        Mode::Structured => vec![envelope::structured(setting, bytes)?],
        Mode::Binary => vec![envelope::binary(setting.headers, bytes)?],
    };
    for (n, envelope) in envelopes.iter().enumerate() {
        match heard(setting, envelope) {
            Ok(Heard::Told(arrival, trimmed)) => {
                reading.arrivals.push(*arrival);
                reading.signals += 1;
                reading.trimmed += usize::from(trimmed);
            }
            Ok(Heard::Nothing(why)) => {
                reading.ignored += 1;
                reading.first_ignored.get_or_insert(why);
            }
            Err(why) => reading.refuse(format!("event {}: {why}", n + 1)),
        }
    }
    if reading.arrivals.is_empty() && reading.ignored == 0 && reading.refused > 0 {
        let why = reading.first_refusal.unwrap_or_default();
        return Err(Unreadable::Malformed(format!("no event of it can be read; {why}")));
    }
    Ok(reading)
}

fn heard(setting: &Setting<'_>, envelope: &Envelope<'_>) -> Result<Heard, String> {
    let attribute = |value: &Option<Word<'_>>, name: &str| {
        given(value.as_ref()).map(str::to_owned).ok_or_else(|| format!("it has no {name}"))
    };
    match given(envelope.specversion.as_ref()) {
        Some("1.0") => {}
        Some(other) => return Err(format!("specversion {:?} is not known; expected \"1.0\"", setting.line(other, 20))),
        None => return Err("no specversion: this does not look like a CloudEvent".to_owned()),
    }
    let (id, source, kind) =
        (attribute(&envelope.id, "id")?, attribute(&envelope.source, "source")?, attribute(&envelope.kind, "type")?);
    let data = envelope.data()?;
    if data.trim_ascii_start().first() != Some(&b'{') {
        return Ok(Heard::Nothing(format!(
            "an event of type {} without an alert in its data",
            setting.line(&kind, 80)
        )));
    }
    let alert: Alert<'_> = match json(setting, &data, "an alert in the event's data") {
        Ok(alert) => alert,
        Err(Unreadable::Malformed(why) | Unreadable::TooLarge(why)) => return Err(why),
    };
    let said = given(alert.status.as_ref()).or_else(|| kind.rsplit('.').next());
    let status = match said.map(str::to_lowercase).as_deref() {
        Some("firing" | "triggered" | "problem" | "open" | "opened" | "alarm") => AlertStatus::Firing,
        Some("resolved" | "recovered" | "closed" | "ok") => AlertStatus::Resolved,
        _ if alert.status.is_some() => return Err("its status is neither firing nor resolved".to_owned()),
        _ => {
            let kind = setting.line(&kind, 80);
            return Ok(Heard::Nothing(format!("an event of type {kind} without a status is no alert")));
        }
    };
    let time = bounds::moment(given(envelope.time.as_ref()), "time")?;
    let moment = |word: &Option<Word<'_>>, name: &str| -> Result<Option<At>, String> {
        bounds::moment(given(word.as_ref()), name)
    };
    let (starts, ends) = (moment(&alert.starts_at, "starts_at")?, moment(&alert.ends_at, "ends_at")?);
    let subject = given(envelope.subject.as_ref());
    let name = given(alert.name.as_ref()).or(subject);
    let fingerprint = match given(alert.fingerprint.as_ref()) {
        Some(fingerprint) => fingerprint.to_owned(),
        None => bounds::digest(&[&source, subject.unwrap_or_default(), name.unwrap_or_default()].map(str::as_bytes)),
    };
    let severity = given(alert.severity.as_ref()).map(bounds::severity);
    let (more, notes) = (alert.labels.unwrap_or_default(), alert.annotations.unwrap_or_default());
    let mut labels = vec![
        ("alertname", name),
        ("severity", severity.as_deref()),
        ("service", given(alert.service.as_ref())),
        ("subject", subject),
    ];
    labels.extend(more.iter().map(|(name, value)| (name, Some(value))));
    labels.push(("alertname", Some(&kind)));
    let mut annotations =
        vec![("summary", given(alert.summary.as_ref())), ("description", given(alert.description.as_ref()))];
    annotations.extend(notes.iter().map(|(name, value)| (name, Some(value))));
    let told = Told {
        fingerprint: &fingerprint,
        status,
        // An event without any time is as old as its first arrival: its key keeps the later ones out.
        starts: starts.or(time).or(Some(setting.now)),
        ends: ends.or(time),
        labels,
        annotations,
        link: given(alert.link.as_ref()),
    };
    let (arrival, trimmed) = told.arrival(setting, &[&source, &id]);
    Ok(Heard::Told(Box::new(arrival), trimmed))
}
