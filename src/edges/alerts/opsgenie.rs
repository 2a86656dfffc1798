//! Opsgenie (and Jira Service Management), webhook integration: one action on one alert -> one signal. Pure.
//!
//! Facts: docs.opsgenie.com, "Webhook Integration" and "Alert Action Data": `createdAt` in milliseconds, `updatedAt` in nanoseconds
//! or milliseconds; there is one open alert for each alias, and a closed one is never opened again.

use super::fields::{Pairs, Word, Words, given, json};
use super::told::Told;
use super::{Reading, Setting, Unreadable, bounds};
use crate::flow::signal::AlertStatus;
use serde::Deserialize;

#[derive(Deserialize)]
struct Body<'a> {
    #[serde(borrow)]
    action: Option<Word<'a>>,
    #[serde(borrow)]
    alert: Option<Alert<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Alert<'a> {
    #[serde(borrow, rename = "alertId")]
    id: Option<Word<'a>>,
    #[serde(borrow)]
    alias: Option<Word<'a>>,
    #[serde(borrow)]
    message: Option<Word<'a>>,
    #[serde(borrow)]
    description: Option<Word<'a>>,
    #[serde(borrow)]
    entity: Option<Word<'a>>,
    #[serde(borrow)]
    priority: Option<Word<'a>>,
    #[serde(borrow)]
    team: Option<Word<'a>>,
    #[serde(borrow)]
    created_at: Option<Word<'a>>,
    #[serde(borrow)]
    updated_at: Option<Word<'a>>,
    #[serde(borrow)]
    tags: Option<Words<'a>>,
    #[serde(borrow)]
    details: Option<Pairs<'a>>,
}

/// # Errors
/// [`Unreadable`]
pub fn read(setting: &Setting<'_>, bytes: &[u8]) -> Result<Reading, Unreadable> {
    let malformed = |why: &str| Unreadable::Malformed(why.to_owned());
    let body: Body<'_> = json(setting, bytes, "an Opsgenie webhook")?;
    let Some(action) = given(body.action.as_ref()) else {
        return Err(malformed("no \"action\": this does not look like an Opsgenie webhook"));
    };
    let status = match action {
        "Create" | "Acknowledge" | "UnAcknowledge" => AlertStatus::Firing,
        "Close" | "Delete" => AlertStatus::Resolved,
        // Notes, tags, owners, custom actions: they come for closed alerts, too.
        other => {
            let other = setting.line(other, 60);
            return Ok(Reading::nothing(format!("the action {other} says nothing of an alert's state")));
        }
    };
    let Some(alert) = body.alert else { return Err(malformed("the action has no \"alert\"")) };
    let Some(id) = given(alert.alias.as_ref()).or(given(alert.id.as_ref())) else {
        return Err(malformed("the alert has neither alias nor alertId"));
    };
    let created = alert.created_at.as_deref().and_then(bounds::epoch);
    let updated = alert.updated_at.as_deref().and_then(bounds::epoch);
    let severity = given(alert.priority.as_ref()).map(bounds::severity);
    let details = alert.details.unwrap_or_default();
    let tags = alert.tags.unwrap_or_default();
    let entity = given(alert.entity.as_ref());
    let mut labels = vec![
        ("alertname", given(alert.message.as_ref()).or(Some("Opsgenie alert"))),
        ("severity", severity.as_deref()),
        ("entity", entity),
        ("team", given(alert.team.as_ref())),
    ];
    labels.extend(details.iter().map(|(name, value)| (name, Some(value))));
    // `service:checkout` is a label as well; a tag without a colon says only itself.
    labels.extend(tags.iter().filter_map(|tag| tag.split_once(':')).map(|(name, value)| (name, Some(value))));
    // Last: the entity is the service when nothing else says which it is.
    labels.push(("service", entity));
    let told = Told {
        fingerprint: id,
        status,
        starts: created.or(updated),
        ends: updated.or(created),
        labels,
        annotations: vec![("description", given(alert.description.as_ref()))],
        link: None,
    };
    let stamps = [alert.created_at.as_deref().unwrap_or_default(), alert.updated_at.as_deref().unwrap_or_default()];
    Ok(told.reading(setting, &[action, id, alert.id.as_deref().unwrap_or_default(), stamps[0], stamps[1]]))
}
