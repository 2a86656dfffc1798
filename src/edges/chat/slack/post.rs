//! Messages: posted once under their operation, edited, and found again by it.

use super::blocks;
use super::method;
use super::pace::Lane;
use super::trouble::Trouble;
use super::{Message, Slack};
use crate::flow::incident::Incident;
use crate::flow::moment::{At, MINUTE};
use crate::ports::Undelivered;
use serde::Deserialize;
use serde_json::{Value, json};
use smokejumper_intents::intent::Intent;
use smokejumper_intents::reply::Reply;

/// What our messages bear besides their words.
const EVENT: &str = "smokejumper";
/// Messages on a page, and pages: what is said in the busiest channel between an attempt and the look for it.
const PER_PAGE: usize = 200;
const MAX_PAGES: usize = 25;
/// How far Slack's clock and ours may be apart (ms).
const SKEW: i64 = 10 * MINUTE;
/// A message that cannot be edited any more: it is gone, or too old for the workspace's rules.
const NOT_EDITABLE: &[&str] =
    &["message_not_found", "cant_update_message", "edit_window_closed", "is_inactive", "cant_edit_message"];

/// Where something is said, and under which operation.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place<'a> {
    pub channel: &'a str,
    pub op: &'a str,
    pub incident: &'a Incident,
    pub lane: Lane,
}

/// Somebody was asked for, or asked to decide.
pub(super) fn lane(reply: &Reply) -> Lane {
    let mut buttons = reply.sections.iter().flat_map(|section| &section.buttons).chain(&reply.buttons);
    let asks = |intent: &Intent| matches!(intent, Intent::Approve { .. } | Intent::Acknowledge | Intent::Page { .. });
    if buttons.any(|button| asks(&button.ask.intent)) { Lane::Urgent } else { Lane::Chatter }
}

fn arguments(place: Place<'_>, reply: &Reply) -> Value {
    let mut arguments = blocks::message(reply);
    arguments["channel"] = json!(place.channel);
    arguments["metadata"] = json!({
        "event_type": EVENT,
        "event_payload": { "op": place.op, "incident": place.incident.id.to_string() },
    });
    // Nothing in the words becomes a link or a mention.
    arguments["parse"] = json!("none");
    arguments["link_names"] = json!(false);
    arguments
}

/// Whether it bears this operation.
fn bears(message: &Message, op: &str) -> bool {
    message
        .metadata
        .as_ref()
        .is_some_and(|metadata| metadata["event_type"] == EVENT && metadata["event_payload"]["op"].as_str() == Some(op))
}

impl Slack {
    /// Posts it; gives its time, which is its name there.
    pub(super) async fn post(&self, place: Place<'_>, reply: &Reply) -> Result<String, Trouble> {
        #[derive(Deserialize)]
        struct Posted {
            ts: String,
        }
        let mut arguments = arguments(place, reply);
        arguments["mrkdwn"] = json!(false);
        arguments["unfurl_links"] = json!(false);
        arguments["unfurl_media"] = json!(false);
        let turn = self.turn(&method::POST_MESSAGE, Some(place.channel), place.lane, place.op);
        let posted: Posted = self.call_in(turn, &arguments).await?;
        Ok(posted.ts)
    }

    /// Edits it. `false`: there is nothing that could be edited.
    pub(super) async fn edit(&self, place: Place<'_>, ts: &str, reply: &Reply) -> Result<bool, Trouble> {
        let mut arguments = arguments(place, reply);
        arguments["ts"] = json!(ts);
        let turn = self.turn(&method::UPDATE, Some(place.channel), place.lane, place.op);
        match self.call_in::<Value>(turn, &arguments).await {
            Ok(_) => Ok(true),
            Err(trouble) if trouble.is(NOT_EDITABLE) => Ok(false),
            Err(trouble) => Err(trouble),
        }
    }

    /// Pins it, if it is not pinned: a convenience, which fails nothing.
    pub(super) async fn pin(&self, place: Place<'_>, ts: &str) {
        let pinned = format!("{} pin {ts}", place.channel);
        if self.did(&pinned) {
            return;
        }
        let arguments = json!({ "channel": place.channel, "timestamp": ts });
        let turn = self.turn(&method::PINS_ADD, None, Lane::Chatter, ts);
        match self.call_in::<Value>(turn, &arguments).await {
            Ok(_) => self.now_did(pinned),
            Err(trouble) if trouble.is(&["already_pinned"]) => self.now_did(pinned),
            Err(trouble) => tracing::debug!(%trouble, "the card is not pinned"),
        }
    }

    /// The message of ours that bears `op`, posted or edited there since then; gives its time. `Ok(None)` is certain.
    pub(super) async fn posted(&self, channel: &str, op: &str, since: At) -> Result<Option<String>, Undelivered> {
        #[derive(Deserialize)]
        struct Page {
            #[serde(default)]
            messages: Vec<Message>,
            #[serde(default)]
            has_more: bool,
            response_metadata: Option<Value>,
        }
        let me = self.me().await?;
        let from = since.plus(-SKEW).0.max(0) / 1_000;
        let mut arguments = json!({
            "channel": channel,
            "oldest": format!("{from}.000000"),
            "limit": PER_PAGE,
            "include_all_metadata": true,
        });
        for _ in 0..MAX_PAGES {
            let turn = self.turn(&method::HISTORY, None, Lane::Chatter, op);
            let page: Page = self.call_in(turn, &arguments).await.map_err(Trouble::in_room)?;
            // Metadata can be copied by other apps; what we posted bears our name.
            let ours = |message: &&Message| {
                let by_bot = me.bot.is_some() && message.bot_id == me.bot;
                (by_bot || message.user.as_deref() == Some(&me.user)) && bears(message, op)
            };
            if let Some(found) = page.messages.iter().find(ours) {
                return Ok(Some(found.ts.clone()));
            }
            let next = page.response_metadata.as_ref().and_then(|m| m["next_cursor"].as_str()).unwrap_or_default();
            if next.is_empty() {
                if page.has_more {
                    let why = "Slack shows no more of the channel than a part".to_owned();
                    return Err(Undelivered::NotYet { why, after_ms: None });
                }
                return Ok(None);
            }
            arguments["cursor"] = json!(next);
        }
        let why = "more was said in the channel than can be looked through".to_owned();
        Err(Undelivered::NotYet { why, after_ms: None })
    }
}
