//! New Relic, webhook of a workflow with its default payload or the one of docs/sources.md: one issue -> one signal. Pure.
//!
//! Facts: docs.newrelic.com, "Workflows", "Message templates" and "Workflow variables": an issue has one id from the first to the
//! last notification, times are in milliseconds, and a closed issue is never opened again.

use super::fields::{Word, Words, given, json};
use super::told::Told;
use super::{Reading, Setting, Unreadable, bounds};
use crate::flow::signal::AlertStatus;
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Body<'a> {
    #[serde(borrow)]
    id: Option<Word<'a>>,
    #[serde(borrow)]
    issue_url: Option<Word<'a>>,
    #[serde(borrow)]
    title: Option<Word<'a>>,
    #[serde(borrow)]
    priority: Option<Word<'a>>,
    #[serde(borrow)]
    impacted_entities: Option<Words<'a>>,
    #[serde(borrow)]
    state: Option<Word<'a>>,
    #[serde(borrow)]
    trigger: Option<Word<'a>>,
    #[serde(borrow)]
    created_at: Option<Word<'a>>,
    #[serde(borrow)]
    updated_at: Option<Word<'a>>,
    #[serde(borrow)]
    closed_at: Option<Word<'a>>,
    #[serde(borrow)]
    alert_policy_names: Option<Words<'a>>,
    #[serde(borrow)]
    alert_condition_names: Option<Words<'a>>,
    #[serde(borrow)]
    workflow_name: Option<Word<'a>>,
    #[serde(borrow)]
    description: Option<Word<'a>>,
    #[serde(borrow)]
    service: Option<Words<'a>>,
    #[serde(borrow)]
    team: Option<Words<'a>>,
}

/// # Errors
/// [`Unreadable`]
pub fn read(setting: &Setting<'_>, bytes: &[u8]) -> Result<Reading, Unreadable> {
    let malformed = |why: &str| Unreadable::Malformed(why.to_owned());
    let body: Body<'_> = json(setting, bytes, "the payload of docs/sources.md")?;
    let Some(id) = given(body.id.as_ref()) else {
        return Err(malformed("no \"id\": set the workflow's payload to the one in docs/sources.md"));
    };
    let status = match given(body.state.as_ref()) {
        Some("CREATED" | "ACTIVATED" | "ACKNOWLEDGED") => AlertStatus::Firing,
        Some("CLOSED" | "DEACTIVATED") => AlertStatus::Resolved,
        Some(other) => {
            let other = setting.line(other, 60);
            return Ok(Reading::nothing(format!("the state {other} says nothing of an issue")));
        }
        None => return Err(malformed("no \"state\": set the workflow's payload to the one in docs/sources.md")),
    };
    let time = |word: &Option<Word<'_>>| given(word.as_ref()).and_then(bounds::epoch);
    let severity = given(body.priority.as_ref()).map(bounds::severity);
    let first = |words: &'_ Option<Words<'_>>| words.as_ref().and_then(Words::first).map(str::to_owned);
    let (condition, policy) = (first(&body.alert_condition_names), first(&body.alert_policy_names));
    let (entity, service, team) = (first(&body.impacted_entities), first(&body.service), first(&body.team));
    let title = given(body.title.as_ref());
    let told = Told {
        fingerprint: id,
        status,
        starts: time(&body.created_at),
        ends: time(&body.closed_at).or(time(&body.updated_at)),
        labels: vec![
            ("alertname", condition.as_deref().or(title).or(Some("New Relic issue"))),
            ("severity", severity.as_deref()),
            ("service", service.as_deref().or(entity.as_deref())),
            ("entity", entity.as_deref()),
            ("team", team.as_deref()),
            ("policy", policy.as_deref()),
            ("workflow", given(body.workflow_name.as_ref())),
        ],
        annotations: vec![("summary", title), ("description", given(body.description.as_ref()))],
        link: given(body.issue_url.as_ref()),
    };
    let text = |word: &'_ Option<Word<'_>>| word.as_deref().unwrap_or_default().to_owned();
    let (state, trigger, updated) = (text(&body.state), text(&body.trigger), text(&body.updated_at));
    Ok(told.reading(setting, &[id, &state, &trigger, &updated]))
}
