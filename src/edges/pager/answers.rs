//! Who answered a page: `POST /pager/{name}`. PagerDuty webhooks v3, and the answer of a pager of your own. Signed, always.
//!
//! An incident there that is not one of our pages, or of another Smokejumper's, says nothing to us: the flow compares the key. The
//! counter (guard, bounds, answers) is that of `edges/alerts`. Pure but for the route; knows neither incidents nor storage.

use super::webhook::{PREFIX, SIGNATURE, TIMESTAMP};
use crate::config::pager::{Kind as Speaks, Pagers};
use crate::config::source::{Auth, Source};
use crate::edges::alerts;
use crate::edges::alerts::signature::Signing;
use crate::edges::alerts::{Counter, Kind, Limits, MAX_ONE, Media, Reading, Scrub, Setting, Unfit, Unreadable, bounds};
use crate::flow::escalation::read_key;
use crate::flow::event::Event;
use crate::flow::fact::Answered;
use crate::flow::identity::{Identity, Platform};
use crate::ports::{Arrival, Clock, Door};
use axum::Router;
use serde::Deserialize;
use std::sync::Arc;

const PAGERDUTY: Kind = Kind {
    name: "pagerduty",
    about: "PagerDuty, webhook version 3",
    read: pagerduty,
    media: Media::Json,
    signing: Some(Signing { header: "x-pagerduty-signature", prefix: "v1=", timestamp: None }),
    max_body: MAX_ONE,
};
const WEBHOOK: Kind = Kind {
    name: "webhook",
    about: "answers of a pager of your own (docs/paging.md)",
    read: own,
    media: Media::Json,
    signing: Some(Signing { header: SIGNATURE, prefix: PREFIX, timestamp: Some(TIMESTAMP) }),
    max_body: MAX_ONE,
};
/// Where answers come in.
pub const COUNTER: Counter = Counter { name: "pager", kinds: &[PAGERDUTY, WEBHOOK] };

/// Characters of a name in the pager's words.
const MAX_NAME: usize = 100;

/// The route, to be merged into the server's. Pagers without a secret for it have none.
///
/// # Errors
/// [`Unfit`]; a checked configuration is never unfit by its kinds.
pub fn router(pagers: &Pagers, door: Arc<dyn Door>, clock: Arc<dyn Clock>, scrub: Scrub) -> Result<Router, Unfit> {
    let sources: Vec<Source> = pagers
        .list
        .iter()
        .filter(|pager| !pager.answers.is_empty())
        .map(|pager| Source {
            name: pager.name.clone(),
            kind: match pager.kind {
                Speaks::PagerDuty(_) => PAGERDUTY.name.to_owned(),
                Speaks::Webhook(_) => WEBHOOK.name.to_owned(),
            },
            auth: Auth::Signed(pager.answers.clone()),
            mapping: None,
        })
        .collect();
    alerts::router_at(COUNTER, &sources, door, clock, scrub, Limits::default())
}

/// What we read of a webhook v3; everything else may be there, too.
#[derive(Deserialize)]
struct V3 {
    event: V3Event,
}

#[derive(Deserialize)]
struct V3Event {
    id: String,
    event_type: String,
    agent: Option<V3Agent>,
    #[serde(default)]
    data: V3Data,
}

#[derive(Deserialize)]
struct V3Agent {
    #[serde(default)]
    id: String,
    #[serde(default)]
    summary: Option<String>,
    #[serde(default)]
    html_url: Option<String>,
    #[serde(default, rename = "type")]
    kind: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct V3Data {
    /// What PagerDuty calls our `dedup_key`.
    incident_key: Option<String>,
}

fn pagerduty(setting: &Setting<'_>, bytes: &[u8]) -> Result<Reading, Unreadable> {
    let V3 { event } =
        serde_json::from_slice(bytes).map_err(|e| unreadable(&e, "a webhook of PagerDuty, version 3"))?;
    let person = event.agent.as_ref().filter(|a| a.kind.starts_with("user"));
    let told = match event.event_type.as_str() {
        "incident.acknowledged" => true,
        // Resolved by a person there: they are on it, or know that it is over. By a machine, ours among them: says nothing.
        "incident.resolved" => person.is_some(),
        _ => false,
    };
    let Some(key) = event.data.incident_key.as_deref().filter(|_| told) else {
        return Ok(Reading::nothing(format!("{} is not for us", setting.line(&event.event_type, MAX_NAME))));
    };
    let by = event.agent.as_ref().and_then(|a| a.summary.as_deref()).unwrap_or("somebody at PagerDuty");
    let account = person.and_then(|agent| {
        let host = agent.html_url.as_deref()?.strip_prefix("https://")?.split('/').next()?;
        let workspace = host.strip_suffix(".pagerduty.com").unwrap_or(host);
        Some(Identity {
            platform: Platform::Pagerduty,
            workspace: setting.line(workspace, MAX_NAME),
            id: setting.line(&agent.id, MAX_NAME),
        })
    });
    Ok(answered(setting, bounds::fingerprint(setting, &event.id), key, by, account))
}

/// The answer of a pager of your own.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Own {
    id: String,
    answer: OwnAnswer,
    by: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum OwnAnswer {
    Acknowledged,
}

fn own(setting: &Setting<'_>, bytes: &[u8]) -> Result<Reading, Unreadable> {
    let Own { id, answer: OwnAnswer::Acknowledged, by } =
        serde_json::from_slice(bytes).map_err(|e| unreadable(&e, "an answer to a page (see docs/paging.md)"))?;
    Ok(answered(setting, bounds::digest(&[bytes]), &id, &by, None))
}

fn answered(setting: &Setting<'_>, delivery: String, key: &str, by: &str, account: Option<Identity>) -> Reading {
    let Some((incident, page)) = read_key(key) else {
        return Reading::nothing("it is about something that is no page of ours");
    };
    let by = setting.line(by, MAX_NAME);
    let by = if by.is_empty() { "somebody".to_owned() } else { by };
    let answered = Answered::Acknowledged { by };
    let arrival = Arrival {
        source: COUNTER.inbox_source(setting.source),
        key: delivery,
        at: setting.now,
        event: Event::Paged { incident, page, answered, key: Some(key.to_owned()), account },
    };
    Reading { signals: 1, arrivals: vec![arrival], ..Reading::default() }
}

/// serde_json's own words, without what the sender sent.
fn unreadable(error: &serde_json::Error, expected: &str) -> Unreadable {
    Unreadable::Malformed(format!("not {expected}: {}", alerts::text::line(&error.to_string(), MAX_NAME * 2)))
}
