//! PagerDuty, Events API v2: `POST /v2/enqueue` with trigger and resolve under one `dedup_key`.
//!
//! 202 means that it is in; 429 and 5xx are not ingested and may come again; 400 never will be. Knows which key is whose, and no
//! more of people.

use super::{cut, refusal};
use crate::config::pager::Keys;
use crate::config::secret::Secret;
use crate::egress::Client;
use crate::ports::{Call, Undelivered};
use serde::{Deserialize, Serialize};
use smokejumper_intents::word::Severity;

/// Characters PagerDuty keeps of a summary (Events API v2).
pub const MAX_SUMMARY: usize = 1_024;
/// Characters of a deduplication key.
pub const MAX_DEDUP_KEY: usize = 255;
/// Characters of any other text of ours in an event, far below the 512 KB an event may have.
const MAX_TEXT: usize = 1_000;
const ENQUEUE: &str = "v2/enqueue";

pub struct PagerDuty {
    client: Client,
    keys: Keys,
    /// What an alarm there says it comes from.
    origin: String,
}

impl std::fmt::Debug for PagerDuty {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PagerDuty").field("client", &self.client).finish_non_exhaustive()
    }
}

#[derive(Serialize)]
struct Event<'e> {
    routing_key: &'e str,
    #[serde(rename = "event_action")]
    action: &'static str,
    dedup_key: &'e str,
    #[serde(skip_serializing_if = "Option::is_none")]
    payload: Option<Payload<'e>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    links: Vec<Link<'e>>,
    client: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_url: Option<&'e str>,
}

#[derive(Serialize)]
struct Payload<'e> {
    summary: String,
    source: &'e str,
    severity: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    component: Option<String>,
    group: String,
    custom_details: Details<'e>,
}

#[derive(Serialize)]
struct Details<'e> {
    incident: String,
    severity: &'static str,
    why: String,
    who: &'e str,
}

#[derive(Serialize)]
struct Link<'e> {
    href: &'e str,
    text: &'static str,
}

/// What stands in a refusal.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Words {
    message: String,
    errors: Vec<String>,
}

impl PagerDuty {
    #[must_use]
    pub fn new(client: Client, keys: Keys, base: &str) -> Self {
        let origin = base.split_once("://").map_or(base, |(_, host)| host).trim_end_matches('/');
        Self { client, keys, origin: cut(origin, MAX_TEXT) }
    }

    /// # Errors
    /// Refused, or not for now.
    pub async fn page(&self, key: &str, call: &Call) -> Result<(), Undelivered> {
        let label = call.severity.label();
        let payload = Payload {
            summary: cut(&format!("{} {label}: {}", call.incident, call.title), MAX_SUMMARY),
            source: &self.origin,
            severity: match call.severity {
                Severity::Sev1 => "critical",
                Severity::Sev2 => "error",
                Severity::Sev3 => "warning",
                Severity::Sev4 => "info",
            },
            component: call.shown_service().map(|s| cut(s, MAX_TEXT)),
            group: call.incident.to_string(),
            custom_details: Details {
                incident: call.incident.to_string(),
                severity: label,
                why: cut(&call.because, MAX_TEXT),
                who: &call.who.0,
            },
        };
        let link = call.link.as_deref();
        let links = link.map(|href| Link { href, text: "Look and acknowledge" }).into_iter().collect();
        self.send(key, call, "trigger", Some(payload), links, link).await
    }

    /// # Errors
    /// Refused, or not for now.
    pub async fn end(&self, key: &str, call: &Call) -> Result<(), Undelivered> {
        self.send(key, call, "resolve", None, Vec::new(), None).await
    }

    async fn send(
        &self,
        key: &str,
        call: &Call,
        action: &'static str,
        payload: Option<Payload<'_>>,
        links: Vec<Link<'_>>,
        client_url: Option<&str>,
    ) -> Result<(), Undelivered> {
        let Some(routing_key) = self.keys.of(call.service.as_deref(), &call.who).map(Secret::expose) else {
            return Err(Undelivered::Never { why: "it has no routing key for them".to_owned() });
        };
        let dedup_key = key.get(..key.len().min(MAX_DEDUP_KEY)).unwrap_or(key);
        let event = Event { routing_key, action, dedup_key, payload, links, client: "Smokejumper", client_url };
        let answer = self.client.post_json(ENQUEUE, &event).await?;
        if answer.status == 202 {
            return Ok(());
        }
        let words: Words = answer.json().unwrap_or_default();
        let said = std::iter::once(words.message).chain(words.errors).filter(|w| !w.is_empty());
        // A routing key is a secret, and some servers repeat what was wrong.
        let said = said.collect::<Vec<_>>().join(", ").replace(routing_key, "(routing key)");
        Err(refusal(&answer, &said))
    }
}
