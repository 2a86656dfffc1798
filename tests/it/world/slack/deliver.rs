//! What Slack tells the app: events, commands and interactions, over a socket or posted to it, with the patience and the
//! repeats of the real one.

use super::call::form;
use super::faults::{Mishap, Outage};
use super::socket::{ACK, Order};
use super::truth::{APP, BOT, Kind, TEAM, Truth};
use super::{FakeSlack, SIGNING_SECRET, VERIFICATION, spec};
use crate::world::wait;
use serde_json::{Value, json};
use std::time::Duration;

/// Repeats of an event: at once, after a minute, after five; here a hundred times as fast.
const REPEATS: [Duration; 3] = [Duration::ZERO, Duration::from_millis(600), Duration::from_secs(3)];

/// How the app is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Way {
    Socket,
    /// Posted below this address: `/slack/commands`, `/slack/interactions`, `/slack/events`.
    Http(String),
}

/// What is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    Event,
    Command,
    Interaction,
}

impl What {
    fn socket_type(self) -> &'static str {
        match self {
            Self::Event => "events_api",
            Self::Command => "slash_commands",
            Self::Interaction => "interactive",
        }
    }

    fn path(self) -> &'static str {
        match self {
            Self::Event => "/slack/events",
            Self::Command => "/slack/commands",
            Self::Interaction => "/slack/interactions",
        }
    }
}

/// The name under which an app asks for an event, and the scope it needs.
fn subscription(truth: &Truth, event: &Value) -> (String, Option<&'static str>) {
    let kind = event["type"].as_str().unwrap_or_default();
    let place = event["channel"].as_str().or_else(|| event["item"]["channel"].as_str());
    let private = place.and_then(|id| truth.channels.get(id)).is_some_and(|c| c.kind == Kind::Private);
    let read = if private { "groups:read" } else { "channels:read" };
    match kind {
        "message" => match event["channel_type"].as_str() {
            Some("group") => ("message.groups".to_owned(), Some("groups:history")),
            Some("im") => ("message.im".to_owned(), Some("im:history")),
            _ => ("message.channels".to_owned(), Some("channels:history")),
        },
        "app_mention" => (kind.to_owned(), Some("app_mentions:read")),
        "reaction_added" | "reaction_removed" => (kind.to_owned(), Some("reactions:read")),
        "member_joined_channel" | "member_left_channel" => (kind.to_owned(), Some(read)),
        "user_change" => (kind.to_owned(), Some("users:read")),
        _ if kind.starts_with("channel_") => (kind.to_owned(), Some("channels:read")),
        _ if kind.starts_with("group_") => (kind.to_owned(), Some("groups:read")),
        _ => (kind.to_owned(), None),
    }
}

impl FakeSlack {
    /// Tells the app of an event, if it asked to hear of it; repeats it as Slack does.
    pub fn tell(&self, event: Value) {
        let now = self.now();
        let envelope = self.with(|truth| {
            let (name, scope) = subscription(truth, &event);
            let member = match event["channel"].as_str().or_else(|| event["item"]["channel"].as_str()) {
                // What is told of a channel itself is told of every public one.
                Some(id) if !event["type"].as_str().is_some_and(|t| t.starts_with("channel_") || t.starts_with("group_")) => {
                    truth.channels.get(id).is_none_or(|c| c.members.contains(BOT))
                }
                _ => true,
            };
            let allowed = scope.is_none_or(|scope| truth.scopes.contains(scope));
            if !truth.events.contains(&name) || !allowed || !member || truth.token_error.is_some_and(|_| name != "tokens_revoked") {
                return None;
            }
            let mut event = event;
            if event.get("event_ts").is_none() {
                event["event_ts"] = event.get("ts").cloned().unwrap_or_else(|| json!(truth.ts(now)));
            }
            let id = truth.id("Ev");
            Some(json!({
                "token": VERIFICATION, "team_id": TEAM, "api_app_id": APP, "event": event, "type": "event_callback",
                "event_id": id, "event_time": now.0 / 1_000, "is_ext_shared_channel": false, "event_context": "4-context",
                "authorizations": [{
                    "enterprise_id": null, "team_id": TEAM, "user_id": BOT, "is_bot": true, "is_enterprise_install": false,
                }],
            }))
        });
        let Some(envelope) = envelope else { return };
        let wrong = spec::event(&envelope);
        self.with(|truth| wrong.into_iter().for_each(|w| truth.violation(w)));
        let fake = self.clone();
        tokio::spawn(async move { fake.repeat(envelope).await });
    }

    async fn repeat(&self, envelope: Value) {
        for attempt in 0..=REPEATS.len() {
            if attempt > 0 {
                wait::moment(REPEATS[attempt - 1]).await;
            }
            let number = u32::try_from(attempt).unwrap_or(0);
            if self.once(What::Event, &envelope, number).await.is_ok() {
                return;
            }
        }
        self.with(|truth| truth.missed.push(envelope["event"]["type"].as_str().unwrap_or_default().to_owned()));
    }

    /// Tells the app what somebody does, and gives its acknowledgement. Slack never repeats that by itself.
    pub async fn ask(&self, what: What, payload: &Value) -> Result<Option<Value>, String> {
        let wrong = spec::interaction(payload);
        self.with(|truth| wrong.into_iter().for_each(|w| truth.violation(w)));
        self.once(what, payload, 0).await
    }

    async fn once(&self, what: What, payload: &Value, attempt: u32) -> Result<Option<Value>, String> {
        // Of what people do, not of what Slack repeats.
        let mishap = self.with(|truth| if attempt == 0 { truth.faults.mishaps.pop_front() } else { None });
        if mishap == Some(Mishap::Late) {
            self.released().await;
        }
        if mishap == Some(Mishap::Twice) {
            let first = self.carry(what, payload, attempt, None).await;
            let again = self.carry(what, payload, attempt, None).await;
            return first.or(again);
        }
        self.carry(what, payload, attempt, mishap).await
    }

    async fn carry(
        &self,
        what: What,
        payload: &Value,
        attempt: u32,
        mishap: Option<Mishap>,
    ) -> Result<Option<Value>, String> {
        if self.outage().is_some_and(|o| o == Outage::Refused || o == Outage::Blackhole) {
            return Err("Slack is down".to_owned());
        }
        match self.way() {
            Way::Socket => self.over_socket(what, payload, attempt, mishap).await,
            Way::Http(base) => self.by_post(&base, what, payload, attempt).await,
        }
    }

    async fn over_socket(
        &self,
        what: What,
        payload: &Value,
        attempt: u32,
        mishap: Option<Mishap>,
    ) -> Result<Option<Value>, String> {
        let now = self.now();
        let Some(sent) = self.board().send(what.socket_type(), payload, Some(attempt), now) else {
            return Err("nobody listens".to_owned());
        };
        if mishap == Some(Mishap::CutAfter) {
            self.board().order(sent.line, Order::Cut);
        }
        let outcome = tokio::time::timeout(ACK, sent.ear).await;
        self.board().forget(&sent.id);
        match outcome {
            Ok(Ok(payload)) => Ok(payload),
            // The socket is gone.
            Ok(Err(_)) => Err("the socket was lost".to_owned()),
            Err(_) => {
                if !self.is_broken(sent.line) {
                    let kind = payload["event"]["type"].as_str().or(payload["type"].as_str()).unwrap_or("command");
                    self.with(|truth| truth.violation(format!("{what:?} {kind} was not acknowledged within {ACK:?}")));
                }
                Err("no acknowledgement".to_owned())
            }
        }
    }

    async fn by_post(&self, base: &str, what: What, payload: &Value, attempt: u32) -> Result<Option<Value>, String> {
        let (kind, body) = match what {
            What::Event => ("application/json", payload.to_string()),
            What::Command => {
                ("application/x-www-form-urlencoded", form(payload.as_object().ok_or("a command has fields")?))
            }
            What::Interaction => {
                let field = [("payload".to_owned(), json!(payload.to_string()))].into_iter().collect();
                ("application/x-www-form-urlencoded", form(&field))
            }
        };
        let at = self.now().0 / 1_000;
        let request = self.client().post(format!("{base}{}", what.path())).timeout(ACK);
        let mut request = request
            .header("content-type", kind)
            .header("user-agent", "Slackbot 1.0 (+https://api.slack.com/robots)")
            .header("x-slack-request-timestamp", at.to_string())
            .header("x-slack-signature", sign(SIGNING_SECRET, at, &body));
        if attempt > 0 {
            request = request.header("x-slack-retry-num", attempt.to_string());
            request = request.header("x-slack-retry-reason", "http_timeout");
        }
        let began = self.now();
        let sent = request.body(body).send().await;
        let answer = match sent {
            Ok(answer) => answer,
            Err(e) => {
                if e.is_timeout() {
                    self.with(|truth| truth.violation(format!("{what:?} was not answered within {ACK:?}")));
                }
                return Err(e.to_string());
            }
        };
        let status = answer.status().as_u16();
        let text = answer.text().await.unwrap_or_default();
        let took = self.now().since(began);
        self.with(|truth| truth.connections.acks.push(took));
        if !(200..300).contains(&status) {
            return Err(format!("{status}: {text}"));
        }
        if text.is_empty() || text == "ok" {
            return Ok(None);
        }
        match serde_json::from_str::<Value>(&text) {
            Ok(value) => Ok(Some(value).filter(|v| !v.is_null())),
            Err(_) if what == What::Command => Ok(Some(json!({ "text": text }))),
            Err(_) => {
                self.with(|truth| truth.violation(format!("{what:?} was answered with {text:?}")));
                Ok(None)
            }
        }
    }
}

/// `v0=…`
pub fn sign(secret: &str, at: i64, body: &str) -> String {
    let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, secret.as_bytes());
    let tag = ring::hmac::sign(&key, format!("v0:{at}:{body}").as_bytes());
    tag.as_ref().iter().fold("v0=".to_owned(), |text, byte| format!("{text}{byte:02x}"))
}
