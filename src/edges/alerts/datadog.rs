//! Datadog, webhooks integration, with the payload of docs/sources.md: one event of a monitor -> one signal. Pure.
//!
//! Facts: docs.datadoghq.com, "Webhooks": the sender fills in `$VARIABLES`; there is no start of an alert among them, only when each
//! event happened. So what happened last is what is true of a monitor and its scope.

use super::fields::{Word, Words, given, json};
use super::told::Told;
use super::{Reading, Setting, Unreadable, bounds};
use crate::flow::signal::AlertStatus;
use serde::Deserialize;

#[derive(Deserialize)]
struct Payload<'a> {
    #[serde(borrow)]
    id: Option<Word<'a>>,
    #[serde(borrow)]
    date: Option<Word<'a>>,
    #[serde(borrow)]
    last_updated: Option<Word<'a>>,
    #[serde(borrow)]
    title: Option<Word<'a>>,
    #[serde(borrow)]
    body: Option<Word<'a>>,
    #[serde(borrow)]
    alert_title: Option<Word<'a>>,
    #[serde(borrow)]
    alert_transition: Option<Word<'a>>,
    #[serde(borrow)]
    alert_id: Option<Word<'a>>,
    #[serde(borrow)]
    alert_scope: Option<Word<'a>>,
    #[serde(borrow)]
    alert_priority: Option<Word<'a>>,
    #[serde(borrow)]
    alert_type: Option<Word<'a>>,
    #[serde(borrow)]
    alert_metric: Option<Word<'a>>,
    #[serde(borrow)]
    aggreg_key: Option<Word<'a>>,
    #[serde(borrow)]
    hostname: Option<Word<'a>>,
    #[serde(borrow)]
    link: Option<Word<'a>>,
    #[serde(borrow)]
    tags: Option<Words<'a>>,
}

/// # Errors
/// [`Unreadable`]
pub fn read(setting: &Setting<'_>, bytes: &[u8]) -> Result<Reading, Unreadable> {
    let malformed = |why: &str| Unreadable::Malformed(why.to_owned());
    let body: Payload<'_> = json(setting, bytes, "the payload of docs/sources.md")?;
    let Some(transition) = given(body.alert_transition.as_ref()) else {
        // An event that is no monitor's fills in `Null` or nothing.
        return if body.alert_transition.is_some() {
            Ok(Reading::nothing("an event that no monitor sent"))
        } else {
            Err(malformed("no \"alert_transition\": set the webhook's payload to the one in docs/sources.md"))
        };
    };
    let (status, by_transition) = match transition {
        "Triggered" | "Re-Triggered" | "Renotify" | "No Data" | "Re-No Data" => (AlertStatus::Firing, None),
        "Warn" | "Re-Warn" => (AlertStatus::Firing, Some("warning")),
        "Recovered" => (AlertStatus::Resolved, None),
        other => {
            let other = setting.line(other, 60);
            return Ok(Reading::nothing(format!("the transition {other} is no alert's")));
        }
    };
    let scope = given(body.alert_scope.as_ref());
    let Some(monitor) = given(body.alert_id.as_ref()).or(given(body.aggreg_key.as_ref())) else {
        return Err(malformed("no \"alert_id\": set the webhook's payload to the one in docs/sources.md"));
    };
    let date = given(body.date.as_ref()).or(given(body.last_updated.as_ref()));
    let Some(at) = date.and_then(bounds::epoch) else {
        return Err(malformed("no \"date\" in milliseconds: set the webhook's payload to the one in docs/sources.md"));
    };
    let fingerprint = scope.map_or_else(|| monitor.to_owned(), |scope| format!("{monitor}:{scope}"));
    let kind = given(body.alert_type.as_ref()).map(|kind| if kind == "error" { "critical" } else { kind });
    let severity = by_transition.or(given(body.alert_priority.as_ref())).or(kind).map(bounds::severity);
    let title = given(body.alert_title.as_ref()).or(given(body.title.as_ref())).map(untagged);
    let tags = body.tags.unwrap_or_default();
    let pairs = |list: &'_ str| list.split(',').filter_map(|t| t.trim().split_once(':')).map(owned).collect::<Vec<_>>();
    let scoped: Vec<_> = scope.map(pairs).unwrap_or_default();
    let tagged: Vec<_> = tags.iter().flat_map(pairs).collect();
    let mut labels = vec![
        ("alertname", title.or(Some("Datadog monitor"))),
        ("severity", severity.as_deref()),
        ("monitor", Some(monitor)),
        ("metric", given(body.alert_metric.as_ref())),
        ("instance", given(body.hostname.as_ref())),
    ];
    let named = scoped.iter().chain(&tagged).filter(|(name, _)| !matches!(name.as_str(), "monitor" | "metric"));
    labels.extend(named.map(|(name, value)| (name.as_str(), Some(value.as_str()))));
    let told = Told {
        fingerprint: &fingerprint,
        status,
        starts: Some(at),
        ends: Some(at),
        labels,
        annotations: vec![("description", given(body.body.as_ref()))],
        link: given(body.link.as_ref()),
    };
    let id = given(body.id.as_ref()).unwrap_or_default();
    Ok(told.reading(setting, &[id, &fingerprint, transition, date.unwrap_or_default()]))
}

fn owned((name, value): (&str, &str)) -> (String, String) {
    (name.trim().to_owned(), value.trim().to_owned())
}

/// `[Triggered] CPU is high` without its state, which is told apart from the name: the same alert keeps one name.
fn untagged(title: &str) -> &str {
    let rest = title.strip_prefix('[').and_then(|t| t.split_once(']')).map(|(_, rest)| rest.trim());
    rest.filter(|rest| !rest.is_empty()).unwrap_or(title)
}
