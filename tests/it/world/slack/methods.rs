//! The table of methods: how often, with which scope, with which arguments, in which encoding.

use super::call::Kind::{Bool, Json, List, Number, Text, Ts};
use super::call::{Arg, Call, Kind};
use super::limits::Tier;
use super::truth::{self, Truth};
use super::{chat, marks, people, rooms, views};
use serde_json::{Value, json};
use smokejumper::flow::moment::At;

/// Which scope a call needs.
#[derive(Clone, Copy)]
pub enum Scope {
    None,
    Bot(&'static str),
    /// Of the app's own token.
    App(&'static str),
    /// For a public channel, a private one, a direct conversation; the channel is the argument of this name.
    Channel(&'static str, [&'static str; 3]),
    /// `conversations.create`
    Create,
    /// `conversations.list`, `users.conversations`
    List,
}

pub struct Method {
    pub name: &'static str,
    pub tier: Tier,
    /// JSON bodies are read.
    pub json: bool,
    pub scope: Scope,
    pub args: &'static [Arg],
    pub run: fn(&mut Desk<'_>, &Call) -> Answer,
}

/// An answer: the fields beside `ok: true`, or the code of an error and the fields beside it.
pub type Answer = Result<Value, (&'static str, Value)>;

/// Where a method works.
pub struct Desk<'t> {
    pub truth: &'t mut Truth,
    pub now: At,
    /// Of the fake.
    pub url: &'t str,
    /// Events of the Events API that this call causes, without their envelope.
    pub events: Vec<Value>,
}

pub fn fail(code: &'static str) -> Answer {
    Err((code, json!({})))
}

const fn need(name: &'static str, kind: Kind) -> Arg {
    Arg { name, kind, needed: true }
}

const fn may(name: &'static str, kind: Kind) -> Arg {
    Arg { name, kind, needed: false }
}

const MANAGE: [&str; 3] = ["channels:manage", "groups:write", "im:write"];
const READ: [&str; 3] = ["channels:read", "groups:read", "im:read"];
const HISTORY: [&str; 3] = ["channels:history", "groups:history", "im:history"];

pub const METHODS: &[Method] = &[
    Method {
        name: "auth.test",
        tier: Tier::Special,
        json: true,
        scope: Scope::None,
        args: &[],
        run: people::auth_test,
    },
    Method {
        name: "apps.connections.open",
        tier: Tier::One,
        json: true,
        scope: Scope::App("connections:write"),
        args: &[],
        run: people::connect,
    },
    // Rooms.
    Method {
        name: "conversations.create",
        tier: Tier::Two,
        json: true,
        scope: Scope::Create,
        args: &[need("name", Text), may("is_private", Bool), may("team_id", Text)],
        run: rooms::create,
    },
    Method {
        name: "conversations.info",
        tier: Tier::Three,
        json: false,
        scope: Scope::Channel("channel", READ),
        args: &[need("channel", Text), may("include_locale", Bool), may("include_num_members", Bool)],
        run: rooms::info,
    },
    Method {
        name: "conversations.list",
        tier: Tier::Two,
        json: false,
        scope: Scope::List,
        args: &[
            may("cursor", Text),
            may("exclude_archived", Bool),
            may("limit", Number),
            may("team_id", Text),
            may("types", List),
        ],
        run: rooms::list,
    },
    Method {
        name: "conversations.history",
        tier: Tier::Three,
        json: true,
        scope: Scope::Channel("channel", HISTORY),
        args: &[
            need("channel", Text),
            may("cursor", Text),
            may("include_all_metadata", Bool),
            may("inclusive", Bool),
            may("latest", Ts),
            may("limit", Number),
            may("oldest", Ts),
        ],
        run: rooms::history,
    },
    Method {
        name: "conversations.replies",
        tier: Tier::Three,
        json: false,
        scope: Scope::Channel("channel", HISTORY),
        args: &[
            need("channel", Text),
            need("ts", Ts),
            may("cursor", Text),
            may("include_all_metadata", Bool),
            may("inclusive", Bool),
            may("latest", Ts),
            may("limit", Number),
            may("oldest", Ts),
        ],
        run: rooms::replies,
    },
    Method {
        name: "conversations.members",
        tier: Tier::Four,
        json: false,
        scope: Scope::Channel("channel", READ),
        args: &[need("channel", Text), may("cursor", Text), may("limit", Number)],
        run: rooms::members,
    },
    Method {
        name: "conversations.invite",
        tier: Tier::Three,
        json: true,
        scope: Scope::Channel("channel", MANAGE),
        args: &[need("channel", Text), need("users", List), may("force", Bool)],
        run: rooms::invite,
    },
    Method {
        name: "conversations.join",
        tier: Tier::Three,
        json: true,
        scope: Scope::Bot("channels:join"),
        args: &[need("channel", Text)],
        run: rooms::join,
    },
    Method {
        name: "conversations.open",
        tier: Tier::Three,
        json: true,
        scope: Scope::Bot("im:write"),
        args: &[may("channel", Text), may("users", List), may("prevent_creation", Bool), may("return_im", Bool)],
        run: rooms::open,
    },
    Method {
        name: "conversations.rename",
        tier: Tier::Two,
        json: true,
        scope: Scope::Channel("channel", MANAGE),
        args: &[need("channel", Text), need("name", Text)],
        run: rooms::rename,
    },
    Method {
        name: "conversations.setTopic",
        tier: Tier::Two,
        json: true,
        scope: Scope::Channel("channel", MANAGE),
        args: &[need("channel", Text), need("topic", Text)],
        run: rooms::set_topic,
    },
    Method {
        name: "conversations.setPurpose",
        tier: Tier::Two,
        json: true,
        scope: Scope::Channel("channel", MANAGE),
        args: &[need("channel", Text), need("purpose", Text)],
        run: rooms::set_purpose,
    },
    Method {
        name: "conversations.archive",
        tier: Tier::Two,
        json: true,
        scope: Scope::Channel("channel", MANAGE),
        args: &[need("channel", Text)],
        run: rooms::archive,
    },
    Method {
        name: "conversations.unarchive",
        tier: Tier::Two,
        json: true,
        scope: Scope::Channel("channel", MANAGE),
        args: &[need("channel", Text)],
        run: rooms::unarchive,
    },
    Method {
        name: "conversations.kick",
        tier: Tier::Three,
        json: true,
        scope: Scope::Channel("channel", MANAGE),
        args: &[need("channel", Text), need("user", Text)],
        run: rooms::kick,
    },
    Method {
        name: "conversations.leave",
        tier: Tier::Three,
        json: true,
        scope: Scope::Channel("channel", MANAGE),
        args: &[need("channel", Text)],
        run: rooms::leave,
    },
    // What is said.
    Method {
        name: "chat.postMessage",
        tier: Tier::Posting,
        json: true,
        scope: Scope::Bot("chat:write"),
        args: &[
            need("channel", Text),
            may("text", Text),
            may("blocks", Json),
            may("attachments", Json),
            may("metadata", Json),
            may("thread_ts", Ts),
            may("reply_broadcast", Bool),
            may("unfurl_links", Bool),
            may("unfurl_media", Bool),
            may("parse", Text),
            may("link_names", Bool),
            may("mrkdwn", Bool),
            may("username", Text),
            may("icon_emoji", Text),
            may("icon_url", Text),
            may("markdown_text", Text),
        ],
        run: chat::post,
    },
    Method {
        name: "chat.update",
        tier: Tier::Three,
        json: true,
        scope: Scope::Bot("chat:write"),
        args: &[
            need("channel", Text),
            need("ts", Ts),
            may("text", Text),
            may("blocks", Json),
            may("attachments", Json),
            may("metadata", Json),
            may("parse", Text),
            may("link_names", Bool),
            may("reply_broadcast", Bool),
            may("markdown_text", Text),
        ],
        run: chat::update,
    },
    Method {
        name: "chat.postEphemeral",
        tier: Tier::Four,
        json: true,
        scope: Scope::Bot("chat:write"),
        args: &[
            need("channel", Text),
            need("user", Text),
            may("text", Text),
            may("blocks", Json),
            may("attachments", Json),
            may("thread_ts", Ts),
            may("parse", Text),
            may("link_names", Bool),
            may("username", Text),
            may("icon_emoji", Text),
            may("icon_url", Text),
            may("markdown_text", Text),
        ],
        run: chat::post_ephemeral,
    },
    Method {
        name: "chat.delete",
        tier: Tier::Three,
        json: true,
        scope: Scope::Bot("chat:write"),
        args: &[need("channel", Text), need("ts", Ts)],
        run: chat::delete,
    },
    Method {
        name: "chat.getPermalink",
        tier: Tier::Special,
        json: false,
        scope: Scope::None,
        args: &[need("channel", Text), need("message_ts", Ts)],
        run: chat::permalink,
    },
    // What is stuck on.
    Method {
        name: "pins.add",
        tier: Tier::Two,
        json: true,
        scope: Scope::Bot("pins:write"),
        args: &[need("channel", Text), need("timestamp", Ts)],
        run: marks::pin,
    },
    Method {
        name: "pins.list",
        tier: Tier::Two,
        json: false,
        scope: Scope::Bot("pins:read"),
        args: &[need("channel", Text)],
        run: marks::pins,
    },
    Method {
        name: "pins.remove",
        tier: Tier::Two,
        json: true,
        scope: Scope::Bot("pins:write"),
        args: &[need("channel", Text), need("timestamp", Ts)],
        run: marks::unpin,
    },
    Method {
        name: "bookmarks.add",
        tier: Tier::Two,
        json: true,
        scope: Scope::Bot("bookmarks:write"),
        args: &[
            need("channel_id", Text),
            need("title", Text),
            need("type", Text),
            may("link", Text),
            may("emoji", Text),
            may("entity_id", Text),
            may("access_level", Text),
            may("parent_id", Text),
        ],
        run: marks::bookmark,
    },
    Method {
        name: "bookmarks.edit",
        tier: Tier::Two,
        json: true,
        scope: Scope::Bot("bookmarks:write"),
        args: &[
            need("channel_id", Text),
            need("bookmark_id", Text),
            may("title", Text),
            may("link", Text),
            may("emoji", Text),
        ],
        run: marks::edit_bookmark,
    },
    Method {
        name: "bookmarks.list",
        tier: Tier::Three,
        json: true,
        scope: Scope::Bot("bookmarks:read"),
        args: &[need("channel_id", Text)],
        run: marks::bookmarks,
    },
    Method {
        name: "bookmarks.remove",
        tier: Tier::Two,
        json: true,
        scope: Scope::Bot("bookmarks:write"),
        args: &[need("channel_id", Text), need("bookmark_id", Text)],
        run: marks::remove_bookmark,
    },
    Method {
        name: "reactions.add",
        tier: Tier::Three,
        json: true,
        scope: Scope::Bot("reactions:write"),
        args: &[need("channel", Text), need("name", Text), need("timestamp", Ts)],
        run: marks::react,
    },
    Method {
        name: "reactions.remove",
        tier: Tier::Two,
        json: true,
        scope: Scope::Bot("reactions:write"),
        args: &[need("channel", Text), need("name", Text), need("timestamp", Ts)],
        run: marks::unreact,
    },
    Method {
        name: "reactions.get",
        tier: Tier::Three,
        json: false,
        scope: Scope::Bot("reactions:read"),
        args: &[need("channel", Text), need("timestamp", Ts), may("full", Bool)],
        run: marks::reactions,
    },
    // Forms.
    Method {
        name: "views.open",
        tier: Tier::Four,
        json: true,
        scope: Scope::None,
        args: &[need("trigger_id", Text), need("view", Json)],
        run: views::open,
    },
    Method {
        name: "views.push",
        tier: Tier::Four,
        json: true,
        scope: Scope::None,
        args: &[need("trigger_id", Text), need("view", Json)],
        run: views::push,
    },
    Method {
        name: "views.update",
        tier: Tier::Four,
        json: true,
        scope: Scope::None,
        args: &[need("view", Json), may("view_id", Text), may("external_id", Text), may("hash", Text)],
        run: views::update,
    },
    Method {
        name: "views.publish",
        tier: Tier::Four,
        json: true,
        scope: Scope::None,
        args: &[need("user_id", Text), need("view", Json), may("hash", Text)],
        run: views::publish,
    },
    // People.
    Method {
        name: "users.info",
        tier: Tier::Four,
        json: false,
        scope: Scope::Bot("users:read"),
        args: &[need("user", Text), may("include_locale", Bool)],
        run: people::info,
    },
    Method {
        name: "users.conversations",
        tier: Tier::Three,
        json: false,
        scope: Scope::List,
        args: &[
            may("cursor", Text),
            may("exclude_archived", Bool),
            may("limit", Number),
            may("team_id", Text),
            may("types", List),
            may("user", Text),
        ],
        run: rooms::of_user,
    },
    Method {
        name: "users.list",
        tier: Tier::Two,
        json: false,
        scope: Scope::Bot("users:read"),
        args: &[may("cursor", Text), may("include_locale", Bool), may("limit", Number), may("team_id", Text)],
        run: people::list,
    },
    Method {
        name: "users.lookupByEmail",
        tier: Tier::Three,
        json: false,
        scope: Scope::Bot("users:read.email"),
        args: &[need("email", Text)],
        run: people::by_email,
    },
    Method {
        name: "usergroups.list",
        tier: Tier::Two,
        json: false,
        scope: Scope::Bot("usergroups:read"),
        args: &[
            may("include_count", Bool),
            may("include_disabled", Bool),
            may("include_users", Bool),
            may("team_id", Text),
        ],
        run: people::groups,
    },
    Method {
        name: "usergroups.users.list",
        tier: Tier::Two,
        json: false,
        scope: Scope::Bot("usergroups:read"),
        args: &[need("usergroup", Text), may("include_disabled", Bool), may("team_id", Text)],
        run: people::group_members,
    },
];

pub fn method(name: &str) -> Option<&'static Method> {
    METHODS.iter().find(|method| method.name == name)
}

impl Method {
    /// The scope this call needs, if it needs one.
    pub fn scope(&self, truth: &Truth, call: &Call) -> Vec<&'static str> {
        let of = |kind: truth::Kind, scopes: [&'static str; 3]| match kind {
            truth::Kind::Public => scopes[0],
            truth::Kind::Private => scopes[1],
            truth::Kind::Direct => scopes[2],
        };
        match self.scope {
            Scope::None | Scope::App(_) => Vec::new(),
            Scope::Bot(scope) => vec![scope],
            Scope::Channel(arg, scopes) => {
                truth.channels.get(call.text(arg)).map(|channel| of(channel.kind, scopes)).into_iter().collect()
            }
            Scope::Create => vec![if call.is("is_private") { "groups:write" } else { "channels:manage" }],
            Scope::List => {
                let types = call.list("types");
                let public = types.is_empty() || types.iter().any(|t| t == "public_channel");
                let named = [("private_channel", "groups:read"), ("im", "im:read"), ("mpim", "mpim:read")];
                let others = named.iter().filter(|(kind, _)| types.iter().any(|t| t == kind)).map(|(_, scope)| *scope);
                public.then_some("channels:read").into_iter().chain(others).collect()
            }
        }
    }

    /// The channel a call is about, for what is limited by channel.
    pub fn channel<'c>(&self, call: &'c Call) -> Option<&'c str> {
        (self.tier == Tier::Posting).then(|| call.text("channel"))
    }
}
