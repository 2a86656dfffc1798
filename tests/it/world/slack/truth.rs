//! What is so in the workspace: channels, messages, people, forms, and what somebody did wrong.

use super::faults::Faults;
use super::limits::Limits;
use serde_json::{Value, json};
use smokejumper::flow::moment::At;
use std::collections::{BTreeMap, BTreeSet};

pub const TEAM: &str = "T00000001";
pub const APP: &str = "A00000001";
pub const BOT: &str = "UBOT00001";
pub const BOT_ID: &str = "B00000001";

#[derive(Clone, Debug)]
pub struct User {
    pub id: String,
    pub name: String,
    pub real_name: String,
    pub email: String,
    pub deactivated: bool,
    pub account: Account,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Account {
    Member,
    Guest,
    /// Of another organisation, here by Slack Connect.
    Stranger,
    Bot,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Public,
    Private,
    /// A conversation of the bot with one person.
    Direct,
}

#[derive(Clone, Debug)]
pub struct Channel {
    pub id: String,
    pub name: String,
    pub kind: Kind,
    pub creator: String,
    pub created: At,
    pub archived: bool,
    pub deleted: bool,
    pub topic: String,
    pub purpose: String,
    pub members: BTreeSet<String>,
    pub former_names: Vec<String>,
    pub messages: Vec<Message>,
    /// Timestamps, the newest last.
    pub pins: Vec<String>,
    pub bookmarks: Vec<Bookmark>,
}

#[derive(Clone, Debug)]
pub struct Message {
    pub ts: String,
    pub thread_ts: Option<String>,
    /// The id of who said it; the bot's is [`BOT`].
    pub user: String,
    pub text: String,
    pub blocks: Value,
    pub attachments: Value,
    pub metadata: Option<Value>,
    pub subtype: Option<&'static str>,
    pub edited: bool,
    /// Seen by this person alone.
    pub only_for: Option<String>,
    pub deleted: bool,
    /// Emoji and who set it.
    pub reactions: Vec<(String, String)>,
}

#[derive(Clone, Debug)]
pub struct Bookmark {
    pub id: String,
    pub title: String,
    pub link: String,
    pub emoji: String,
    pub created: At,
}

#[derive(Clone, Debug)]
pub struct Group {
    pub id: String,
    pub handle: String,
    pub members: BTreeSet<String>,
}

/// A modal or a home tab as the app sent it.
#[derive(Clone, Debug)]
pub struct View {
    pub id: String,
    pub user: String,
    pub hash: String,
    pub root: String,
    pub previous: Option<String>,
    pub content: Value,
}

#[derive(Clone, Debug)]
pub struct Trigger {
    pub user: String,
    pub at: At,
    pub used: bool,
    /// The modal it was made from.
    pub view: Option<String>,
}

/// A response_url.
#[derive(Clone, Debug)]
pub struct Hook {
    pub user: String,
    pub channel: String,
    pub at: At,
    pub uses: u32,
    /// The message that was clicked.
    pub message: Option<String>,
}

/// A request to the Web API.
#[derive(Clone, Debug)]
pub struct Request {
    pub at: At,
    pub method: String,
    pub args: BTreeMap<String, Value>,
    /// `ok`, the error's code, or what befell it.
    pub outcome: String,
}

#[derive(Default)]
pub struct Truth {
    pub users: BTreeMap<String, User>,
    pub groups: BTreeMap<String, Group>,
    pub channels: BTreeMap<String, Channel>,
    /// What was filled into forms so far: by view, by block.
    pub drafts: BTreeMap<String, BTreeMap<String, Value>>,
    /// Types of events that were repeated in vain.
    pub missed: Vec<String>,
    /// Open modals.
    pub views: BTreeMap<String, View>,
    /// Each person's modals, the one on top last.
    pub stacks: BTreeMap<String, Vec<String>>,
    pub homes: BTreeMap<String, View>,
    pub triggers: BTreeMap<String, Trigger>,
    pub hooks: BTreeMap<String, Hook>,
    /// Of the bot's token.
    pub scopes: BTreeSet<String>,
    /// Of the app's token.
    pub app_scopes: BTreeSet<String>,
    /// What every call with the bot's token is answered with: `token_revoked`, `account_inactive`, `invalid_auth`.
    pub token_error: Option<&'static str>,
    /// The same for the app's token.
    pub app_token_error: Option<&'static str>,
    /// Event types the app asked to hear of.
    pub events: BTreeSet<String>,
    /// `/incident`
    pub commands: BTreeSet<String>,
    /// Of message shortcuts: what the menu says -> callback_id.
    pub shortcuts: BTreeMap<String, String>,
    /// What Slack makes of a wanted channel name, once: it may.
    pub renamed_to: Option<String>,
    pub faults: Faults,
    pub limits: Limits,
    pub violations: Vec<String>,
    pub requests: Vec<Request>,
    /// Strings from outside, which must never be in markup or be a link.
    pub hostile: Vec<String>,
    /// What people's clients showed them and took away again: "that didn't work".
    pub notices: BTreeMap<String, Vec<String>>,
    pub connections: Connections,
    last_ts: i64,
    last_id: u64,
}

/// What is remembered of sockets.
#[derive(Clone, Debug, Default)]
pub struct Connections {
    pub opened: usize,
    pub live: usize,
    pub most: usize,
    /// Since when nobody listens, and how long (ms) nobody did, each time.
    pub alone_since: Option<At>,
    pub gaps: Vec<i64>,
    pub pings: usize,
    /// Time (ms) from sending an envelope to its acknowledgement.
    pub acks: Vec<i64>,
    /// Tickets of URLs not used yet.
    pub tickets: BTreeSet<String>,
}

impl Truth {
    pub fn violation(&mut self, what: impl Into<String>) {
        let what = what.into();
        println!("violation: {what}");
        self.violations.push(what);
    }

    /// A timestamp nobody else has.
    pub fn ts(&mut self, now: At) -> String {
        self.last_ts = (now.0 * 1_000).max(self.last_ts + 1);
        format!("{}.{:06}", self.last_ts / 1_000_000, self.last_ts % 1_000_000)
    }

    /// `C00000001`, and so on.
    pub fn id(&mut self, prefix: &str) -> String {
        self.last_id += 1;
        format!("{prefix}{:08}", self.last_id)
    }

    /// A new person, with their id.
    pub fn person(&mut self, name: &str, real_name: &str) -> String {
        let mut id = format!("U{}", name.to_uppercase().replace(|c: char| !c.is_ascii_alphanumeric(), ""));
        while id.len() < 8 {
            id.push('0');
        }
        id.push('1');
        let user = User {
            id: id.clone(),
            name: name.to_owned(),
            real_name: real_name.to_owned(),
            email: format!("{name}@acme.example"),
            deactivated: false,
            account: Account::Member,
        };
        self.users.insert(id.clone(), user);
        id
    }

    pub fn channel_named(&self, name: &str) -> Option<&Channel> {
        let name = name.trim_start_matches('#');
        let mut found = self.channels.values().filter(|c| (c.name == name || c.id == name) && !c.deleted);
        let first = found.next();
        found.next().map_or(first, |second| Some(second).filter(|c| !c.archived).or(first))
    }

    pub fn user_named(&self, name: &str) -> Option<&User> {
        self.users.values().find(|u| u.name == name || u.id == name)
    }

    /// The conversation of the bot with somebody, made when there is none.
    pub fn direct(&mut self, user: &str, now: At) -> String {
        let found = self.channels.values().find(|c| c.kind == Kind::Direct && c.members.contains(user));
        if let Some(channel) = found {
            return channel.id.clone();
        }
        let id = self.id("D");
        let members = [user.to_owned(), BOT.to_owned()].into();
        self.channels.insert(id.clone(), Channel::new(&id, "", Kind::Direct, BOT, now, members));
        id
    }

    pub fn trigger(&mut self, user: &str, view: Option<&str>, now: At) -> String {
        let id = format!("{}.{}.{}", self.id("1"), self.id("2"), "c0ffee");
        let trigger = Trigger { user: user.to_owned(), at: now, used: false, view: view.map(str::to_owned) };
        self.triggers.insert(id.clone(), trigger);
        id
    }

    pub fn hook(&mut self, url: &str, user: &str, channel: &str, message: Option<&str>, now: At) -> String {
        let id = self.id("H");
        let hook = Hook {
            user: user.to_owned(),
            channel: channel.to_owned(),
            at: now,
            uses: 0,
            message: message.map(str::to_owned),
        };
        self.hooks.insert(id.clone(), hook);
        format!("{url}/hooks/{TEAM}/{id}")
    }

    pub fn message(&mut self, channel: &str, ts: &str) -> Option<&mut Message> {
        self.channels.get_mut(channel)?.messages.iter_mut().find(|m| m.ts == ts && !m.deleted)
    }

    /// A line of Slack's own in a channel.
    pub fn note(&mut self, channel: &str, user: &str, subtype: &'static str, text: String, now: At) {
        let ts = self.ts(now);
        let mut message = Message::new(ts, user, text);
        message.subtype = Some(subtype);
        if let Some(channel) = self.channels.get_mut(channel) {
            channel.messages.push(message);
        }
    }
}

impl Channel {
    pub fn new(id: &str, name: &str, kind: Kind, creator: &str, created: At, members: BTreeSet<String>) -> Self {
        Self {
            id: id.to_owned(),
            name: name.to_owned(),
            kind,
            creator: creator.to_owned(),
            created,
            archived: false,
            deleted: false,
            topic: String::new(),
            purpose: String::new(),
            members,
            former_names: Vec::new(),
            messages: Vec::new(),
            pins: Vec::new(),
            bookmarks: Vec::new(),
        }
    }

    /// As Slack describes it to the bot.
    pub fn shown(&self) -> Value {
        let created = self.created.0 / 1_000;
        if self.kind == Kind::Direct {
            let user = self.members.iter().find(|m| *m != BOT).cloned().unwrap_or_default();
            return json!({
                "id": self.id, "created": created, "is_archived": false, "is_im": true, "is_org_shared": false,
                "user": user, "is_user_deleted": false, "priority": 0,
            });
        }
        json!({
            "id": self.id, "name": self.name, "is_channel": self.kind == Kind::Public, "is_group": self.kind == Kind::Private,
            "is_im": false, "is_mpim": false, "is_private": self.kind == Kind::Private, "created": created,
            "is_archived": self.archived, "is_general": false, "unlinked": 0, "name_normalized": self.name,
            "is_shared": false, "is_org_shared": false, "is_ext_shared": false, "is_pending_ext_shared": false,
            "pending_shared": [], "creator": self.creator,
            "is_member": !self.archived && self.members.contains(BOT),
            "topic": { "value": escaped(&self.topic), "creator": if self.topic.is_empty() { "" } else { BOT }, "last_set": 0 },
            "purpose": { "value": escaped(&self.purpose), "creator": if self.purpose.is_empty() { "" } else { BOT }, "last_set": 0 },
            "previous_names": self.former_names,
        })
    }
}

/// What people write is escaped by Slack before a program sees it.
pub fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

impl Message {
    pub fn new(ts: String, user: &str, text: String) -> Self {
        Self {
            ts,
            thread_ts: None,
            user: user.to_owned(),
            text,
            blocks: Value::Null,
            attachments: Value::Null,
            metadata: None,
            subtype: None,
            edited: false,
            only_for: None,
            deleted: false,
            reactions: Vec::new(),
        }
    }

    /// As Slack gives it to the bot.
    pub fn shown(&self, with_metadata: bool) -> Value {
        let mut shown = json!({ "type": "message", "user": self.user, "ts": self.ts, "text": self.text, "team": TEAM });
        if self.user == BOT {
            shown["bot_id"] = json!(BOT_ID);
            shown["app_id"] = json!(APP);
        }
        if let Some(subtype) = self.subtype {
            shown["subtype"] = json!(subtype);
        }
        if let Some(thread) = &self.thread_ts {
            shown["thread_ts"] = json!(thread);
        }
        if self.blocks.is_array() {
            shown["blocks"] = self.blocks.clone();
        }
        if self.attachments.is_array() {
            shown["attachments"] = self.attachments.clone();
        }
        if self.edited {
            shown["edited"] = json!({ "user": self.user, "ts": self.ts });
        }
        if let Some(metadata) = self.metadata.as_ref().filter(|_| with_metadata) {
            shown["metadata"] = metadata.clone();
        }
        if !self.reactions.is_empty() {
            let mut by_name: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
            for (name, user) in &self.reactions {
                by_name.entry(name).or_default().push(user);
            }
            let listed =
                by_name.iter().map(|(name, users)| json!({ "name": name, "users": users, "count": users.len() }));
            shown["reactions"] = listed.collect();
        }
        shown
    }
}

impl View {
    /// As Slack sends it back, with the state of its fields.
    pub fn shown(&self, state: Option<Value>) -> Value {
        let mut shown = self.content.clone();
        for (key, value) in [
            ("id", json!(self.id)),
            ("team_id", json!(TEAM)),
            ("hash", json!(self.hash)),
            ("root_view_id", json!(self.root)),
            ("previous_view_id", json!(self.previous)),
            ("app_id", json!(APP)),
            ("bot_id", json!(BOT_ID)),
            ("app_installed_team_id", json!(TEAM)),
            ("state", json!({ "values": state.unwrap_or(json!({})) })),
        ] {
            shown[key] = value;
        }
        for (key, usual) in [
            ("private_metadata", json!("")),
            ("callback_id", json!("")),
            ("external_id", json!("")),
            ("clear_on_close", json!(false)),
            ("notify_on_close", json!(false)),
        ] {
            if shown.get(key).is_none_or(Value::is_null) {
                shown[key] = usual;
            }
        }
        shown
    }
}
