//! Reading: what a delivery of Slack's says, in words of ours. Pure and total; knows neither incidents nor how anything is
//! answered. Who spoke is taken from the signed delivery alone, never from a text.

use super::payload::{
    Action, Actions, Callback, Command, Happened, Interaction, Message, MessageAction, Place, Submission, Team, User,
};
use super::wording::Wording;
use crate::flow::fact::RoomChange;
use crate::flow::identity::{Identity, Platform};
use serde::de::DeserializeOwned;
use serde_json::Value;
use smokejumper_intents::inert;
use smokejumper_intents::quoted::Keep;

/// Bytes of an id of Slack's (a trigger's has 60).
const ID_MAX: usize = 200;
/// Characters of serde_json's words.
const MAX_WORDS: usize = 200;
/// Stands for the workspace of somebody in a shared channel whose own one is not said: nobody is linked to it.
const ELSEWHERE: &str = "elsewhere";
/// Slack's own account.
const SLACKBOT: &str = "USLACKBOT";

/// A delivery that cannot be used, and why: kept as a sample.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreadable(pub String);

/// What a delivery says.
#[derive(Debug)]
pub enum Heard {
    Said(Said),
    Pressed(Pressed),
    Submitted(Submitted),
    /// A shortcut that belongs to no message.
    Shortcut {
        by: Identity,
        name: String,
        trigger: String,
        key: String,
    },
    OnMessage(OnMessage),
    /// Somebody marked a message with an emoji.
    Marked {
        by: Identity,
        what: Keep,
        channel: String,
        ts: String,
        key: String,
    },
    Joined {
        by: Identity,
        channel: String,
        key: String,
    },
    Home {
        by: Identity,
    },
    Room {
        channel: String,
        change: RoomChange,
        key: String,
    },
    /// We were thrown out of the workspace.
    Removed(&'static str),
    /// Nothing of ours; why.
    Nothing(&'static str),
}

/// Words for us.
#[derive(Debug, PartialEq, Eq)]
pub struct Said {
    pub by: Identity,
    pub channel: String,
    /// The message it was said with: the answer belongs under it. Of a mention only.
    pub thread: Option<String>,
    pub text: Wording,
    pub trigger: Option<String>,
    pub response_url: Option<String>,
    pub key: String,
}

/// A button, or a choice from a list.
#[derive(Debug, PartialEq, Eq)]
pub struct Pressed {
    pub by: Identity,
    pub channel: Option<String>,
    pub thread: Option<String>,
    /// In a message that only they see: it gives way to what came of it.
    pub alone: bool,
    pub view: Within,
    pub action: String,
    /// Anybody can send any value: it is read like a stranger's.
    pub value: Option<String>,
    pub trigger: String,
    pub response_url: Option<String>,
    pub key: String,
}

/// Where something was pressed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Within {
    Message,
    Home,
    /// By its id.
    Modal(String),
}

/// A form that was sent.
#[derive(Debug)]
pub struct Submitted {
    pub by: Identity,
    pub id: String,
    /// As it came: read by whoever drew it.
    pub view: Value,
    pub key: String,
}

/// A shortcut on a message.
#[derive(Debug)]
pub struct OnMessage {
    pub by: Identity,
    pub name: String,
    pub channel: String,
    /// The workspace the message stands in.
    pub team: String,
    pub message: Message,
    pub trigger: String,
    pub response_url: Option<String>,
    pub key: String,
}

impl Heard {
    /// Unique for what was done. `None`: doing it again harms nobody.
    #[must_use]
    pub fn key(&self) -> Option<&str> {
        match self {
            Self::Said(Said { key, .. })
            | Self::Pressed(Pressed { key, .. })
            | Self::Submitted(Submitted { key, .. })
            | Self::Shortcut { key, .. }
            | Self::OnMessage(OnMessage { key, .. })
            | Self::Marked { key, .. }
            | Self::Joined { key, .. }
            | Self::Room { key, .. } => Some(key),
            Self::Home { .. } | Self::Removed(_) | Self::Nothing(_) => None,
        }
    }
}

/// What a delivery is, as its door knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Command,
    Interaction,
    Event,
}

/// Of JSON.
///
/// # Errors
/// [`Unreadable`]: it is not what Slack sends.
pub fn read(kind: Kind, json: &str) -> Result<Heard, Unreadable> {
    match kind {
        Kind::Command => command(shaped(json)?),
        Kind::Interaction => interaction(shaped(json)?),
        Kind::Event => event(shaped(json)?),
    }
}

pub fn shaped<T: DeserializeOwned>(json: &str) -> Result<T, Unreadable> {
    serde_json::from_str(json).map_err(|e| unreadable(&e.to_string()))
}

#[must_use]
pub fn unreadable(why: &str) -> Unreadable {
    Unreadable(inert::shorten(&inert::line(why), MAX_WORDS))
}

/// # Errors
/// [`Unreadable`]
pub fn command(said: Command) -> Result<Heard, Unreadable> {
    let by = somebody(&said.team_id, &said.user_id)?;
    let trigger = id(said.trigger_id)?;
    let key = key(&by.workspace, &["command", &trigger]);
    Ok(Heard::Said(Said {
        by,
        channel: id(said.channel_id)?,
        thread: None,
        text: Wording::new(&said.text),
        trigger: Some(trigger),
        response_url: said.response_url,
        key,
    }))
}

/// # Errors
/// [`Unreadable`]
pub fn interaction(interaction: Interaction) -> Result<Heard, Unreadable> {
    match interaction {
        Interaction::BlockActions(actions) => pressed(actions),
        Interaction::ViewSubmission(sent) => submitted(sent),
        Interaction::ViewClosed(_) => Ok(Heard::Nothing("a form was closed")),
        Interaction::Shortcut(shortcut) => {
            let by = whose(shortcut.team.as_ref(), &shortcut.user)?;
            let trigger = id(shortcut.trigger_id)?;
            let key = key(&by.workspace, &["shortcut", &trigger]);
            Ok(Heard::Shortcut { by, name: shortcut.callback_id, trigger, key })
        }
        Interaction::MessageAction(action) => on_message(action),
        Interaction::Other => Ok(Heard::Nothing("an interaction of a kind that is not used")),
    }
}

fn pressed(actions: Actions) -> Result<Heard, Unreadable> {
    let by = whose(actions.team.as_ref(), &actions.user)?;
    // Slack sends one at a time.
    let Some(action) = actions.actions.into_iter().next() else {
        return Ok(Heard::Nothing("a click on nothing"));
    };
    let container = actions.container.unwrap_or_default();
    let channel = actions.channel.map(|channel| channel.id).or(container.channel_id).map(id).transpose()?;
    let trigger = id(actions.trigger_id)?;
    // A click has its own moment; pressed again in another one it is another click, which the flow knows to judge.
    let at = id(action.action_ts.clone().unwrap_or_else(|| trigger.clone()))?;
    let place = id_or_none(container.message_ts.as_deref().unwrap_or_default())?;
    let (action, value) = value(action);
    let key = key(&by.workspace, &["click", &by.id, &place, &id(action.clone())?, &at]);
    Ok(Heard::Pressed(Pressed {
        by,
        channel,
        thread: container.thread_ts.map(id).transpose()?,
        alone: container.is_ephemeral,
        view: match actions.view {
            Some(view) if view.kind == "modal" => Within::Modal(id(view.id)?),
            Some(_) => Within::Home,
            None => Within::Message,
        },
        action,
        value,
        trigger,
        response_url: actions.response_url,
        key,
    }))
}

fn submitted(sent: Submission) -> Result<Heard, Unreadable> {
    let by = whose(sent.team.as_ref(), &sent.user)?;
    let said = |name: &str| sent.view.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let (view, hash) = (id(said("id"))?, id_or_none(&said("hash"))?);
    // Corrected and sent again it is another one; sent twice as it was it is not.
    let digest = digest(&sent.view.pointer("/state/values").map(Value::to_string).unwrap_or_default());
    let key = key(&by.workspace, &["form", &by.id, &view, &hash, &digest]);
    Ok(Heard::Submitted(Submitted { by, id: view, view: sent.view, key }))
}

fn on_message(action: MessageAction) -> Result<Heard, Unreadable> {
    let by = whose(action.team.as_ref(), &action.user)?;
    let trigger = id(action.trigger_id)?;
    let mut message = action.message;
    if message.ts.is_empty() {
        message.ts = action.message_ts.unwrap_or_default();
    }
    message.ts = id(message.ts)?;
    let team = action.team.map_or_else(|| by.workspace.clone(), |team| team.id);
    let key = key(&by.workspace, &["on-message", &trigger]);
    let (name, channel) = (action.callback_id, id(action.channel.id)?);
    let response_url = action.response_url;
    Ok(Heard::OnMessage(OnMessage { by, name, channel, team: id(team)?, message, trigger, response_url, key }))
}

/// # Errors
/// [`Unreadable`]
pub fn event(callback: Callback) -> Result<Heard, Unreadable> {
    if callback.kind != "event_callback" {
        return Ok(Heard::Nothing("no event"));
    }
    let ours: Vec<String> =
        callback.authorizations.iter().filter(|a| a.is_bot).filter_map(|a| a.user_id.clone()).collect();
    let Some(event) = callback.event else { return Err(unreadable("an event callback without an event")) };
    let team = id(callback.team_id.ok_or_else(|| unreadable("an event without a workspace"))?)?;
    let event_id = id(callback.event_id.ok_or_else(|| unreadable("an event without an id"))?)?;
    let delivered = Delivered { team, shared: callback.is_ext_shared_channel, event_id, ours };
    match event.kind.as_str() {
        "app_mention" => delivered.mention(event),
        "reaction_added" => delivered.reaction(event),
        "member_joined_channel" => delivered.joined(&event),
        "member_left_channel" => delivered.left(&event),
        "app_home_opened" if event.tab.as_deref() == Some("home") => Ok(Heard::Home { by: delivered.who(&event)?.0 }),
        "channel_rename" | "group_rename" => delivered.room(&event, |name| name.map(RoomChange::Renamed)),
        "channel_archive" | "group_archive" => delivered.room(&event, |_| Some(RoomChange::Archived)),
        "channel_unarchive" | "group_unarchive" => delivered.room(&event, |_| Some(RoomChange::Unarchived)),
        "channel_deleted" | "group_deleted" => delivered.room(&event, |_| gone("it was deleted")),
        "channel_left" | "group_left" => delivered.room(&event, |_| gone("Smokejumper was taken out of it")),
        "app_uninstalled" => Ok(Heard::Removed("the app was uninstalled")),
        "tokens_revoked" => Ok(Heard::Removed("its tokens were revoked")),
        _ => Ok(Heard::Nothing("an event that is not used")),
    }
}

#[allow(clippy::unnecessary_wraps)] // as `Delivered::room` takes it
fn gone(why: &str) -> Option<RoomChange> {
    Some(RoomChange::Gone { why: why.to_owned() })
}

/// What is around an event.
struct Delivered {
    team: String,
    /// The channel is shared with another organisation.
    shared: bool,
    event_id: String,
    /// Our own accounts.
    ours: Vec<String>,
}

impl Delivered {
    /// Who did it, and whether that was a program: us, another one, or a workflow.
    fn who(&self, event: &Happened) -> Result<(Identity, bool), Unreadable> {
        let user = event.user.as_deref().ok_or_else(|| unreadable("an event without a user"))?;
        let said = event.user_team.as_deref().or(event.team.as_deref());
        let team = said.unwrap_or(if self.shared { ELSEWHERE } else { &self.team });
        let machine = event.bot_id.is_some()
            || event.subtype.as_deref() == Some("bot_message")
            || user == SLACKBOT
            || self.ours.iter().any(|own| own == user);
        Ok((somebody(team, user)?, machine))
    }

    fn key(&self) -> String {
        key(&self.team, &["event", &self.event_id])
    }

    fn mention(&self, event: Happened) -> Result<Heard, Unreadable> {
        if event.user.is_none() {
            return Ok(Heard::Nothing("said by a program"));
        }
        let (by, machine) = self.who(&event)?;
        if machine {
            return Ok(Heard::Nothing("said by a program"));
        }
        let channel = place(&event)?;
        let ts = id(event.ts.ok_or_else(|| unreadable("a mention without a time"))?)?;
        let thread = event.thread_ts.map(id).transpose()?.or(Some(ts));
        let text = Wording::new(&event.text).without_mention_of(&self.ours);
        Ok(Heard::Said(Said { by, channel, thread, text, trigger: None, response_url: None, key: self.key() }))
    }

    fn reaction(&self, event: Happened) -> Result<Heard, Unreadable> {
        let (by, machine) = self.who(&event)?;
        // `pushpin::skin-tone-2` is a pushpin.
        let emoji = event.reaction.as_deref().unwrap_or_default().split("::").next().unwrap_or_default();
        let what = match emoji {
            "pushpin" | "round_pushpin" => Keep::Timeline,
            "star" => Keep::Task,
            _ => return Ok(Heard::Nothing("an emoji that means nothing here")),
        };
        if machine {
            return Ok(Heard::Nothing("marked by a program"));
        }
        let Some(item) = event.item.filter(|item| item.kind == "message") else {
            return Ok(Heard::Nothing("a reaction to something else than a message"));
        };
        let (channel, ts) = (item.channel.unwrap_or_default(), item.ts.unwrap_or_default());
        let (channel, ts) = (id(channel)?, id(ts)?);
        // Marked by many, and again and again: one message, kept once.
        let key = key(&self.team, &["marked", &channel, &ts, emoji]);
        Ok(Heard::Marked { by, what, channel, ts, key })
    }

    fn joined(&self, event: &Happened) -> Result<Heard, Unreadable> {
        let (by, machine) = self.who(event)?;
        if machine {
            return Ok(Heard::Nothing("a program joined"));
        }
        Ok(Heard::Joined { by, channel: place(event)?, key: self.key() })
    }

    fn left(&self, event: &Happened) -> Result<Heard, Unreadable> {
        let user = event.user.as_deref().unwrap_or_default();
        if !self.ours.iter().any(|own| own == user) {
            return Ok(Heard::Nothing("somebody left"));
        }
        self.room(event, |_| gone("Smokejumper was taken out of it"))
    }

    fn room(
        &self,
        event: &Happened,
        change: impl Fn(Option<String>) -> Option<RoomChange>,
    ) -> Result<Heard, Unreadable> {
        let name = match &event.channel {
            Some(Place::Channel { name, .. }) => name.as_deref().map(|name| inert::shorten(&inert::line(name), ID_MAX)),
            _ => None,
        };
        let channel = place(event)?;
        let change = change(name).ok_or_else(|| unreadable("a channel was renamed, but to what?"))?;
        Ok(Heard::Room { channel, change, key: self.key() })
    }
}

fn place(event: &Happened) -> Result<String, Unreadable> {
    match &event.channel {
        Some(Place::Id(channel) | Place::Channel { id: channel, .. }) => id(channel.clone()),
        None => Err(unreadable("an event without a channel")),
    }
}

/// What was chosen, or what the button carries.
fn value(action: Action) -> (String, Option<String>) {
    (action.action_id, action.selected_option.map(|choice| choice.value).or(action.value))
}

/// Of somebody in a shared channel the workspace is their own, not the channel's.
fn whose(team: Option<&Team>, user: &User) -> Result<Identity, Unreadable> {
    let team = user.team_id.as_deref().filter(|team| !team.is_empty()).or(team.map(|team| team.id.as_str()));
    somebody(team.ok_or_else(|| unreadable("somebody without a workspace"))?, &user.id)
}

fn somebody(team: &str, user: &str) -> Result<Identity, Unreadable> {
    let plain = |text: &str| (1..=32).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric());
    if !plain(team) || !plain(user) {
        return Err(unreadable("somebody whose id is none of Slack's"));
    }
    Ok(Identity { platform: Platform::Slack, workspace: team.to_owned(), id: user.to_owned() })
}

/// An id becomes part of a key, and of requests.
fn id(text: String) -> Result<String, Unreadable> {
    if (1..=ID_MAX).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic()) {
        Ok(text)
    } else {
        Err(unreadable("an id that is none of Slack's"))
    }
}

fn id_or_none(text: &str) -> Result<String, Unreadable> {
    if text.is_empty() { Ok(String::new()) } else { id(text.to_owned()) }
}

/// Unique for what was done, however often it is delivered.
fn key(team: &str, parts: &[&str]) -> String {
    format!("slack:{team}:{}", parts.join(":"))
}

/// Of everything that was filled in.
fn digest(text: &str) -> String {
    let digest = ring::digest::digest(&ring::digest::SHA256, text.as_bytes());
    hex::encode(digest.as_ref().get(..16).unwrap_or_default())
}
