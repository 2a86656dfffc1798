//! PagerDuty, webhooks version 3: one event about one incident -> one signal. Pure.
//!
//! Facts: developer.pagerduty.com, "Webhooks Overview", "Behavior" and "Verifying Signatures". Delivered at least once, in order
//! per incident but for retries; `event.id` is in the signed body, so it names the delivery rather than `X-Webhook-Id`.

use super::fields::{Several, Word, given, json};
use super::signature::Signing;
use super::told::Told;
use super::{Reading, Setting, Unreadable, bounds};
use crate::flow::escalation::read_key;
use crate::flow::signal::AlertStatus;
use serde::Deserialize;

/// Of the body alone; several while a subscription's secret is replaced.
pub const SIGNING: Signing = Signing { header: "x-pagerduty-signature", prefix: "v1=", timestamp: None };
/// Events that say in which state an incident is. `incident.annotated`, responders, status updates, workflows, services and
/// whatever comes next say nothing of that.
const TELLING: [&str; 9] = [
    "incident.triggered",
    "incident.acknowledged",
    "incident.unacknowledged",
    "incident.escalated",
    "incident.delegated",
    "incident.reassigned",
    "incident.priority_updated",
    "incident.reopened",
    "incident.resolved",
];

#[derive(Deserialize)]
struct Head<'a> {
    #[serde(borrow)]
    event: Option<EventHead<'a>>,
}

#[derive(Deserialize)]
struct EventHead<'a> {
    #[serde(borrow)]
    id: Option<Word<'a>>,
    #[serde(borrow)]
    event_type: Option<Word<'a>>,
    #[serde(borrow)]
    occurred_at: Option<Word<'a>>,
}

#[derive(Deserialize)]
struct Body<'a> {
    #[serde(borrow)]
    event: Event<'a>,
}

#[derive(Deserialize)]
struct Event<'a> {
    #[serde(borrow)]
    data: Option<Incident<'a>>,
}

#[derive(Deserialize)]
struct Incident<'a> {
    #[serde(borrow)]
    id: Option<Word<'a>>,
    #[serde(borrow)]
    title: Option<Word<'a>>,
    #[serde(borrow)]
    created_at: Option<Word<'a>>,
    #[serde(borrow)]
    html_url: Option<Word<'a>>,
    #[serde(borrow)]
    urgency: Option<Word<'a>>,
    #[serde(borrow, rename = "incident_key")]
    key: Option<Word<'a>>,
    #[serde(borrow)]
    service: Option<Reference<'a>>,
    #[serde(borrow)]
    priority: Option<Reference<'a>>,
    #[serde(borrow)]
    teams: Option<Several<Reference<'a>>>,
}

#[derive(Deserialize)]
struct Reference<'a> {
    #[serde(borrow)]
    summary: Option<Word<'a>>,
}

/// # Errors
/// [`Unreadable`]
pub fn read(setting: &Setting<'_>, bytes: &[u8]) -> Result<Reading, Unreadable> {
    let malformed = |why: String| Unreadable::Malformed(why);
    let head: Head<'_> = json(setting, bytes, "a PagerDuty webhook")?;
    let Some(head) = head.event else {
        let what = "no \"event\": this does not look like a PagerDuty webhook of version 3";
        return Err(malformed(what.to_owned()));
    };
    let Some(kind) = given(head.event_type.as_ref()) else {
        return Err(malformed("the event has no event_type".to_owned()));
    };
    if !TELLING.contains(&kind) {
        let what = if kind == "pagey.ping" {
            "a test from PagerDuty: it arrives".to_owned()
        } else {
            format!("{} says nothing of an incident's state", setting.line(kind, 60))
        };
        return Ok(Reading::nothing(what));
    }
    let body: Body<'_> = json(setting, bytes, "a PagerDuty webhook")?;
    let Some(incident) = body.event.data else { return Err(malformed("the event has no data".to_owned())) };
    if given(incident.key.as_ref()).is_some_and(|key| read_key(key).is_some()) {
        return Ok(Reading::nothing("a page of ours"));
    }
    let Some(id) = given(incident.id.as_ref()) else { return Err(malformed("the incident has no id".to_owned())) };
    let occurred = bounds::moment(head.occurred_at.as_deref(), "occurred_at").map_err(malformed)?;
    let created = bounds::moment(incident.created_at.as_deref(), "created_at").map_err(malformed)?;
    // An incident that is reopened keeps its created_at: what changes its state is ordered by when it happened.
    let (status, starts) = match kind {
        "incident.resolved" => (AlertStatus::Resolved, occurred.or(created)),
        "incident.reopened" => (AlertStatus::Firing, occurred.or(created)),
        _ => (AlertStatus::Firing, created.or(occurred)),
    };
    let summary = |reference: Option<&'_ Reference<'_>>| given(reference?.summary.as_ref()).map(str::to_owned);
    let (service, priority) = (summary(incident.service.as_ref()), summary(incident.priority.as_ref()));
    let team = incident.teams.as_ref().and_then(|teams| teams.0.iter().find_map(|team| summary(Some(team))));
    let severity = priority.as_deref().or(given(incident.urgency.as_ref())).map(bounds::severity);
    let told = Told {
        fingerprint: id,
        status,
        starts,
        ends: starts,
        labels: vec![
            ("alertname", given(incident.title.as_ref()).or(Some("PagerDuty incident"))),
            ("severity", severity.as_deref()),
            ("service", service.as_deref()),
            ("team", team.as_deref()),
            ("incident_key", given(incident.key.as_ref())),
        ],
        annotations: Vec::new(),
        link: incident.html_url.as_deref(),
    };
    let event = given(head.id.as_ref()).unwrap_or_default();
    let at = head.occurred_at.as_deref().unwrap_or_default();
    Ok(told.reading(setting, &[event, id, kind, at]))
}
