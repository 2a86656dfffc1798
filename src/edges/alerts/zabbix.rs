//! Zabbix, webhook media type with the script of docs/sources.md: one problem or its recovery -> one signal. Pure.
//!
//! Facts: zabbix.com/documentation, "Webhook" and "Supported macros". `{EVENT.ID}` names the problem in its recovery as well, so
//! what is told of it needs no time to be put in order; times are shown, and are the Zabbix server's.

use super::fields::{Pairs, Word, given, json};
use super::told::Told;
use super::{Reading, Setting, Unreadable, bounds};
use crate::flow::signal::AlertStatus;
use serde::Deserialize;

#[derive(Deserialize)]
struct Body<'a> {
    #[serde(borrow)]
    event_id: Option<Word<'a>>,
    /// 1: a problem, 0: it is over.
    #[serde(borrow)]
    event_value: Option<Word<'a>>,
    #[serde(borrow)]
    event_name: Option<Word<'a>>,
    #[serde(borrow)]
    event_severity: Option<Word<'a>>,
    #[serde(borrow)]
    event_opdata: Option<Word<'a>>,
    /// Seconds since 1970.
    #[serde(borrow)]
    event_time: Option<Word<'a>>,
    #[serde(borrow)]
    recovery_time: Option<Word<'a>>,
    /// From triggers, discovery or autoregistration; only triggers have problems.
    #[serde(borrow)]
    event_source: Option<Word<'a>>,
    #[serde(borrow)]
    trigger_id: Option<Word<'a>>,
    #[serde(borrow)]
    trigger_description: Option<Word<'a>>,
    #[serde(borrow)]
    host: Option<Word<'a>>,
    #[serde(borrow)]
    link: Option<Word<'a>>,
    #[serde(borrow)]
    tags: Option<Pairs<'a>>,
}

/// # Errors
/// [`Unreadable`]
pub fn read(setting: &Setting<'_>, bytes: &[u8]) -> Result<Reading, Unreadable> {
    let malformed = |why: &str| Unreadable::Malformed(why.to_owned());
    let body: Body<'_> = json(setting, bytes, "what the script of docs/sources.md sends")?;
    if given(body.event_source.as_ref()).is_some_and(|source| source != "0") {
        return Ok(Reading::nothing("an event that no trigger caused"));
    }
    let Some(id) = given(body.event_id.as_ref()) else {
        return Err(malformed("no \"event_id\": use the script and the parameters of docs/sources.md"));
    };
    let status = match given(body.event_value.as_ref()) {
        Some("1") => AlertStatus::Firing,
        Some("0") => AlertStatus::Resolved,
        Some(other) => {
            let other = setting.line(other, 20);
            return Err(Unreadable::Malformed(format!("event_value {other:?} is neither 1 (a problem) nor 0")));
        }
        None => return Err(malformed("no \"event_value\": use the script and the parameters of docs/sources.md")),
    };
    let severity = given(body.event_severity.as_ref()).map(bounds::severity);
    let tags = body.tags.unwrap_or_default();
    let host = given(body.host.as_ref());
    let mut labels = vec![
        ("alertname", given(body.event_name.as_ref()).or(Some("Zabbix problem"))),
        ("severity", severity.as_deref()),
        ("instance", host),
        ("trigger", given(body.trigger_id.as_ref())),
    ];
    labels.extend(tags.iter().map(|(name, value)| (name, Some(value))));
    let told = Told {
        fingerprint: id,
        status,
        starts: given(body.event_time.as_ref()).and_then(bounds::epoch),
        ends: given(body.recovery_time.as_ref()).and_then(bounds::epoch),
        labels,
        annotations: vec![
            ("summary", given(body.event_opdata.as_ref())),
            ("description", given(body.trigger_description.as_ref())),
        ],
        link: given(body.link.as_ref()),
    };
    let value = body.event_value.as_deref().unwrap_or_default();
    let times = [&body.event_time, &body.recovery_time].map(|word| word.as_deref().unwrap_or_default());
    Ok(told.reading(setting, &[id, value, times[0], times[1]]))
}
