//! The methods of Slack's Web API that are called, each with what it may be called with and how often: the manifest's scopes, the
//! pace and the wire all read this one table.
//!
//! Sources: the method pages of docs.slack.dev (arguments, scopes, tier; which of them ignore JSON bodies).

/// How often a method may be called, per workspace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tier {
    /// 20 a minute.
    Two,
    /// 50 a minute.
    Three,
    /// 100 a minute.
    Four,
    /// Hundreds a minute; posting apart, which Slack counts per channel.
    Special,
}

impl Tier {
    /// Calls in a minute.
    #[must_use]
    pub const fn per_minute(self) -> usize {
        match self {
            Self::Two => 20,
            Self::Three => 50,
            Self::Four => 100,
            Self::Special => 300,
        }
    }
}

/// What a call does when its answer is lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// It changes nothing; asked as a query, because such methods ignore JSON bodies.
    Read,
    /// It makes something new each time: looked for before it is repeated.
    Makes,
    /// Doing it twice is the same as once.
    Sets,
}

/// One method.
#[derive(Debug)]
pub struct Method {
    /// As in its address: `chat.postMessage`.
    pub name: &'static str,
    pub tier: Tier,
    pub kind: Kind,
    /// Scopes of the bot's token; each is needed for the part that `why` names. Empty: any token may.
    pub scopes: &'static [&'static str],
    /// What a person loses without it.
    pub why: &'static str,
}

const fn method(
    name: &'static str,
    tier: Tier,
    kind: Kind,
    scopes: &'static [&'static str],
    why: &'static str,
) -> Method {
    Method { name, tier, kind, scopes, why }
}

/// Only with the app-level token.
pub const CONNECTIONS_OPEN: Method =
    method("apps.connections.open", Tier::Three, Kind::Sets, &[], "connect to Slack without an inbound port");
pub const AUTH_TEST: Method = method("auth.test", Tier::Special, Kind::Read, &[], "know who we are there");
pub const BOOKMARKS_ADD: Method =
    method("bookmarks.add", Tier::Two, Kind::Makes, &["bookmarks:write"], "put links at the top of the channel");
pub const BOOKMARKS_EDIT: Method =
    method("bookmarks.edit", Tier::Two, Kind::Sets, &["bookmarks:write"], "keep links at the top of the channel right");
pub const BOOKMARKS_LIST: Method =
    method("bookmarks.list", Tier::Three, Kind::Read, &["bookmarks:read"], "put no link there twice");
pub const POST_EPHEMERAL: Method =
    method("chat.postEphemeral", Tier::Four, Kind::Makes, &["chat:write"], "answer one person in a channel");
pub const POST_MESSAGE: Method =
    method("chat.postMessage", Tier::Special, Kind::Makes, &["chat:write"], "post the card and messages");
pub const UPDATE: Method = method("chat.update", Tier::Three, Kind::Sets, &["chat:write"], "keep the card up to date");
pub const ARCHIVE: Method =
    method("conversations.archive", Tier::Two, Kind::Sets, MANAGE, "archive the channel of an incident that has ended");
pub const CREATE: Method =
    method("conversations.create", Tier::Two, Kind::Makes, MANAGE, "open a channel for an incident");
pub const HISTORY: Method =
    method("conversations.history", Tier::Three, Kind::Read, HISTORIES, "keep a message, and post nothing twice");
pub const INFO: Method =
    method("conversations.info", Tier::Three, Kind::Read, READ, "see what a channel is called and what it is about");
pub const INVITE: Method =
    method("conversations.invite", Tier::Three, Kind::Sets, MANAGE, "invite the people who are needed");
pub const JOIN: Method =
    method("conversations.join", Tier::Three, Kind::Sets, &["channels:join"], "post in the channel for announcements");
pub const CONVERSATIONS_LIST: Method =
    method("conversations.list", Tier::Two, Kind::Read, READ, "find the channel for announcements by its name");
pub const MEMBERS: Method =
    method("conversations.members", Tier::Four, Kind::Read, READ, "invite nobody who is there already");
pub const OPEN: Method =
    method("conversations.open", Tier::Three, Kind::Sets, &["im:write"], "write to somebody alone");
pub const RENAME: Method =
    method("conversations.rename", Tier::Two, Kind::Sets, MANAGE, "rename the channel with the incident");
pub const REPLIES: Method =
    method("conversations.replies", Tier::Three, Kind::Read, HISTORIES, "keep a message of a thread");
pub const SET_PURPOSE: Method =
    method("conversations.setPurpose", Tier::Two, Kind::Sets, MANAGE, "say what the channel is for");
pub const SET_TOPIC: Method = method(
    "conversations.setTopic",
    Tier::Two,
    Kind::Sets,
    MANAGE,
    "show state and severity at the top of the channel",
);
pub const UNARCHIVE: Method =
    method("conversations.unarchive", Tier::Two, Kind::Sets, MANAGE, "open the channel of a reopened incident again");
pub const PINS_ADD: Method = method("pins.add", Tier::Two, Kind::Sets, &["pins:write"], "pin the card");
pub const GROUP_MEMBERS: Method = method(
    "usergroups.users.list",
    Tier::Two,
    Kind::Read,
    &["usergroups:read"],
    "give rights to members of user groups",
);
pub const USERS_CONVERSATIONS: Method =
    method("users.conversations", Tier::Three, Kind::Read, READ, "open no channel twice");
pub const USERS_INFO: Method =
    method("users.info", Tier::Four, Kind::Read, &["users:read"], "know names, and who has left or is a guest");
pub const VIEWS_OPEN: Method = method("views.open", Tier::Four, Kind::Makes, &[], "open a form");
pub const VIEWS_PUBLISH: Method = method("views.publish", Tier::Four, Kind::Sets, &[], "show the App Home");
pub const VIEWS_UPDATE: Method = method("views.update", Tier::Four, Kind::Sets, &[], "show in a form what came of it");

const MANAGE: &[&str] = &["channels:manage", "groups:write"];
const READ: &[&str] = &["channels:read", "groups:read"];
const HISTORIES: &[&str] = &["channels:history", "groups:history", "im:history"];

/// Every method that is called.
pub const METHODS: &[&Method] = &[
    &CONNECTIONS_OPEN,
    &AUTH_TEST,
    &BOOKMARKS_ADD,
    &BOOKMARKS_EDIT,
    &BOOKMARKS_LIST,
    &POST_EPHEMERAL,
    &POST_MESSAGE,
    &UPDATE,
    &ARCHIVE,
    &CREATE,
    &HISTORY,
    &INFO,
    &INVITE,
    &JOIN,
    &CONVERSATIONS_LIST,
    &MEMBERS,
    &OPEN,
    &RENAME,
    &REPLIES,
    &SET_PURPOSE,
    &SET_TOPIC,
    &UNARCHIVE,
    &PINS_ADD,
    &GROUP_MEMBERS,
    &USERS_CONVERSATIONS,
    &USERS_INFO,
    &VIEWS_OPEN,
    &VIEWS_PUBLISH,
    &VIEWS_UPDATE,
];
