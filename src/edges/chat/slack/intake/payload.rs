//! What Slack sends, as far as it is used: everything else in it is skipped unread, so that a new kind of block in a message or
//! a new field keeps nothing from being understood. Outside text throughout; the shapes only.

use super::wording::Wording;
use serde::Deserialize;

/// A frame of Socket Mode, or the envelope of a delivery.
#[derive(Debug, Deserialize)]
pub struct Frame {
    #[serde(rename = "type")]
    pub kind: String,
    pub envelope_id: Option<String>,
    /// Of `disconnect`: `warning`, `refresh_requested`, `link_disabled`, `too_many_websockets`.
    pub reason: Option<String>,
    pub payload: Option<Box<serde_json::value::RawValue>>,
}

/// A slash command: JSON in Socket Mode, a form over HTTP.
#[derive(Debug, Deserialize)]
pub struct Command {
    pub team_id: String,
    pub channel_id: String,
    pub user_id: String,
    #[serde(default)]
    pub text: String,
    pub response_url: Option<String>,
    pub trigger_id: String,
}

/// A click, a form, a shortcut.
#[derive(Debug, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Interaction {
    BlockActions(Actions),
    ViewSubmission(Submission),
    ViewClosed(Submission),
    Shortcut(Shortcut),
    MessageAction(MessageAction),
    /// A kind nobody knew when this was written.
    #[serde(other)]
    Other,
}

#[derive(Debug, Deserialize)]
pub struct Team {
    pub id: String,
}

#[derive(Debug, Deserialize)]
pub struct User {
    pub id: String,
    /// Their own workspace, which is another than the place's in channels shared with other organisations.
    pub team_id: Option<String>,
}

#[derive(Debug, Deserialize)]
pub struct Channel {
    pub id: String,
}

#[derive(Debug, Deserialize)]
pub struct Actions {
    pub team: Option<Team>,
    pub user: User,
    pub trigger_id: String,
    pub channel: Option<Channel>,
    pub container: Option<Container>,
    pub view: Option<Viewed>,
    pub response_url: Option<String>,
    #[serde(default)]
    pub actions: Vec<Action>,
}

#[derive(Debug, Default, Deserialize)]
pub struct Container {
    pub channel_id: Option<String>,
    pub message_ts: Option<String>,
    pub thread_ts: Option<String>,
    #[serde(default)]
    pub is_ephemeral: bool,
}

/// What something was pressed in: `modal` or `home`.
#[derive(Debug, Deserialize)]
pub struct Viewed {
    pub id: String,
    #[serde(rename = "type")]
    pub kind: String,
}

#[derive(Debug, Deserialize)]
pub struct Action {
    #[serde(default)]
    pub action_id: String,
    pub value: Option<String>,
    pub selected_option: Option<Choice>,
    pub action_ts: Option<String>,
}

#[derive(Debug, Deserialize)]
pub struct Choice {
    pub value: String,
}

#[derive(Debug, Deserialize)]
pub struct Submission {
    pub team: Option<Team>,
    pub user: User,
    /// Read by whoever drew it.
    pub view: serde_json::Value,
}

#[derive(Debug, Deserialize)]
pub struct Shortcut {
    pub team: Option<Team>,
    pub user: User,
    pub callback_id: String,
    pub trigger_id: String,
}

#[derive(Debug, Deserialize)]
pub struct MessageAction {
    pub team: Option<Team>,
    pub user: User,
    pub callback_id: String,
    pub trigger_id: String,
    pub channel: Channel,
    pub response_url: Option<String>,
    pub message_ts: Option<String>,
    pub message: Message,
}

/// A message as somebody else wrote it.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Message {
    #[serde(default)]
    pub ts: String,
    #[serde(default)]
    pub text: String,
    pub user: Option<String>,
    pub team: Option<String>,
    #[serde(default)]
    pub attachments: Vec<Attachment>,
}

/// Where alerts of other tools have their text.
#[derive(Clone, Debug, Deserialize)]
pub struct Attachment {
    pub title: Option<String>,
    pub fallback: Option<String>,
    pub text: Option<String>,
}

/// What the Events API wraps around an event.
#[derive(Debug, Deserialize)]
pub struct Callback {
    /// `event_callback`, `url_verification`, `app_rate_limited`.
    #[serde(rename = "type")]
    pub kind: String,
    pub challenge: Option<String>,
    pub team_id: Option<String>,
    pub event_id: Option<String>,
    #[serde(default)]
    pub is_ext_shared_channel: bool,
    #[serde(default)]
    pub authorizations: Vec<Authorization>,
    pub event: Option<Happened>,
}

/// On whose behalf it is delivered: us.
#[derive(Debug, Deserialize)]
pub struct Authorization {
    pub user_id: Option<String>,
    #[serde(default)]
    pub is_bot: bool,
}

/// An event; which fields are there depends on its kind.
#[derive(Debug, Default, Deserialize)]
pub struct Happened {
    #[serde(rename = "type")]
    pub kind: String,
    pub user: Option<String>,
    /// The user's own workspace, where it is said.
    pub team: Option<String>,
    pub user_team: Option<String>,
    pub bot_id: Option<String>,
    pub subtype: Option<String>,
    #[serde(default)]
    pub text: String,
    pub channel: Option<Place>,
    pub ts: Option<String>,
    pub thread_ts: Option<String>,
    pub reaction: Option<String>,
    pub item: Option<Item>,
    pub tab: Option<String>,
}

/// A channel by its id, or as an object where it was renamed.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub enum Place {
    Id(String),
    Channel { id: String, name: Option<String> },
}

/// What a reaction is on.
#[derive(Debug, Deserialize)]
pub struct Item {
    #[serde(rename = "type")]
    pub kind: String,
    pub channel: Option<String>,
    pub ts: Option<String>,
}

impl Message {
    /// What it says; what other tools say is beside the text.
    #[must_use]
    pub fn said(&self) -> Wording {
        if !self.text.trim().is_empty() {
            return Wording::new(&self.text);
        }
        let parts = |a: &Attachment| [a.title.clone(), a.text.clone().or_else(|| a.fallback.clone())];
        let said: Vec<String> = self.attachments.iter().flat_map(parts).flatten().collect();
        Wording::new(&said.join("\n"))
    }

    /// When it was written, in epoch milliseconds: its `ts` is that in seconds, with six digits after the point.
    #[must_use]
    pub fn at_ms(&self) -> Option<i64> {
        let (seconds, rest) = self.ts.split_once('.')?;
        let seconds: i64 = seconds.parse().ok().filter(|seconds| (0..10_000_000_000).contains(seconds))?;
        let thousandths: i64 = rest.get(..3)?.parse().ok()?;
        Some(seconds * 1_000 + thousandths)
    }
}
