//! The manifest of the app in Slack: made from the verbs and from what is used of Slack, with the least scopes, each with its reason.
//!
//! [`SCOPES`] and [`EVENTS`] are the tables; tests hold them against [`super::method::METHODS`] and against what is read of events.

use crate::config::slack::Slack;
use serde_json::{Value, json};
use smokejumper_intents::inert;
use smokejumper_intents::verb::{Scope as Place, VERBS};
use std::collections::BTreeSet;
use std::fmt::Write as _;

/// The one command.
pub const COMMAND: &str = "/incident";
/// Shortcuts on a message: what they are called, the verb that is their `callback_id`, and what they do.
pub const SHORTCUTS: &[(&str, &str, &str)] = &[
    ("Declare from this", "declare", "Open an incident with this message"),
    ("Add to timeline", "note", "Keep this message on the incident's timeline, at its own time"),
    ("Make follow-up", "follow-up", "Make a follow-up of the incident from this message"),
];
/// Where Slack posts to in HTTP mode, below the server's address.
pub const EVENTS_PATH: &str = "/slack/events";
pub const COMMANDS_PATH: &str = "/slack/commands";
pub const INTERACTIONS_PATH: &str = "/slack/interactions";
/// The one scope of the app-level token.
pub const APP_SCOPE: &str = "connections:write";

/// Slack's limits for a command's description and its hint, in characters.
const DESCRIPTION_MAX: usize = 2_000;
const HINT_MAX: usize = 1_000;

/// What may be left out, and what the rest cannot do without.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Feature {
    /// Channels, cards, buttons, forms, commands.
    Core,
    /// `@smokejumper …` in a channel.
    Mentions,
    /// Channels of private incidents.
    Private,
    /// Severe incidents are announced.
    Announce,
    /// A message marked with an emoji is kept.
    Capture,
    /// Who joins is told what happened.
    CatchUp,
    /// Members of user groups have rights.
    Groups,
    /// Links at the top of the channel.
    Bookmarks,
    /// The card is pinned.
    Pins,
    /// The App Home.
    Home,
}

impl Feature {
    pub const ALL: [Self; 10] = [
        Self::Core,
        Self::Mentions,
        Self::Private,
        Self::Announce,
        Self::Capture,
        Self::CatchUp,
        Self::Groups,
        Self::Bookmarks,
        Self::Pins,
        Self::Home,
    ];

    /// As it is written in `--with` and `--without`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Core => "core",
            Self::Mentions => "mentions",
            Self::Private => "private",
            Self::Announce => "announce",
            Self::Capture => "capture",
            Self::CatchUp => "catch-up",
            Self::Groups => "groups",
            Self::Bookmarks => "bookmarks",
            Self::Pins => "pins",
            Self::Home => "home",
        }
    }

    /// The feature of this name; `core` cannot be named.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|feature| *feature != Self::Core && feature.name() == name)
    }

    /// What a configuration uses. Without one: everything but what has to be configured.
    #[must_use]
    pub fn of(configured: Option<&Slack>) -> BTreeSet<Self> {
        let used = |feature: &Self| match (feature, configured) {
            (Self::Announce, configured) => configured.is_some_and(|slack| slack.announce.is_some()),
            (Self::Groups, configured) => configured.is_some_and(|slack| !slack.groups.is_empty()),
            (Self::Capture, Some(slack)) => slack.capture,
            (Self::CatchUp, Some(slack)) => slack.catch_up,
            _ => true,
        };
        Self::ALL.into_iter().filter(used).collect()
    }
}

/// A scope of the bot's token.
#[derive(Debug)]
pub struct Scope {
    pub name: &'static str,
    pub feature: Feature,
    /// What it is wanted for.
    pub why: &'static str,
    /// What is lost without it.
    pub without: &'static str,
}

const fn scope(name: &'static str, feature: Feature, why: &'static str, without: &'static str) -> Scope {
    Scope { name, feature, why, without }
}

/// In the order of their names, as Slack lists them.
pub const SCOPES: &[Scope] = &[
    scope("app_mentions:read", Feature::Mentions, "hear @smokejumper in channels", "only /incident is heard"),
    scope("bookmarks:read", Feature::Bookmarks, "see which links a channel has", "a link may be there twice"),
    scope(
        "bookmarks:write",
        Feature::Bookmarks,
        "put the console, the postmortem and issues at the top of the channel",
        "the links are on the card only",
    ),
    scope(
        "channels:history",
        Feature::Core,
        "read a message that is kept, and find what was posted when an answer got lost",
        "after a lost answer a message may stay unknown; nothing can be kept",
    ),
    scope("channels:join", Feature::Announce, "join the channel for announcements", "invite the bot there by hand"),
    scope(
        "channels:manage",
        Feature::Core,
        "open, name and archive channels of incidents, set their topic, invite people",
        "no channel opens; incidents live in the console",
    ),
    scope(
        "channels:read",
        Feature::Core,
        "find channels, and notice one that was renamed, archived or deleted by hand",
        "changes by hand go unseen; channels cannot be found by name",
    ),
    scope("chat:write", Feature::Core, "post the card, keep it up to date, answer", "nothing can be said"),
    scope("commands", Feature::Core, "/incident, and shortcuts on messages", "there is no command"),
    scope(
        "groups:history",
        Feature::Private,
        "the same as channels:history, in channels of private incidents",
        "nothing can be kept in private channels",
    ),
    scope(
        "groups:read",
        Feature::Private,
        "the same as channels:read, for private channels",
        "changes by hand go unseen",
    ),
    scope(
        "groups:write",
        Feature::Private,
        "open and manage channels of private incidents",
        "private incidents live in the console",
    ),
    scope(
        "im:history",
        Feature::Core,
        "find a direct message whose answer got lost, so that nobody is asked twice",
        "after a lost answer a direct message may stay unknown",
    ),
    scope(
        "im:write",
        Feature::Core,
        "ask whoever is on call by direct message, with a button",
        "people are reached in channels and by pager only",
    ),
    scope("pins:write", Feature::Pins, "pin the card", "the card scrolls away"),
    scope("reactions:read", Feature::Capture, "see the pushpin or star on a message", "emoji keep nothing"),
    scope("usergroups:read", Feature::Groups, "know who is in a user group", "groups give nobody a right"),
    scope(
        "users:read",
        Feature::Core,
        "know names and time zones, and who has left or is a guest",
        "people are shown by their ids; who has left is noticed late",
    ),
];

/// An event that is listened to.
#[derive(Debug)]
pub struct Event {
    pub name: &'static str,
    pub feature: Feature,
    /// The scope without which Slack does not send it.
    pub scope: Option<&'static str>,
}

const fn event(name: &'static str, feature: Feature, scope: Option<&'static str>) -> Event {
    Event { name, feature, scope }
}

pub const EVENTS: &[Event] = &[
    event("app_home_opened", Feature::Home, None),
    event("app_mention", Feature::Mentions, Some("app_mentions:read")),
    event("app_uninstalled", Feature::Core, None),
    event("channel_archive", Feature::Core, Some("channels:read")),
    event("channel_deleted", Feature::Core, Some("channels:read")),
    event("channel_left", Feature::Core, Some("channels:read")),
    event("channel_rename", Feature::Core, Some("channels:read")),
    event("channel_unarchive", Feature::Core, Some("channels:read")),
    event("group_archive", Feature::Private, Some("groups:read")),
    event("group_deleted", Feature::Private, Some("groups:read")),
    event("group_left", Feature::Private, Some("groups:read")),
    event("group_rename", Feature::Private, Some("groups:read")),
    event("group_unarchive", Feature::Private, Some("groups:read")),
    event("member_joined_channel", Feature::CatchUp, Some("channels:read")),
    event("member_left_channel", Feature::Core, Some("channels:read")),
    event("reaction_added", Feature::Capture, Some("reactions:read")),
    event("tokens_revoked", Feature::Core, None),
];

/// How Slack reaches us.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mode {
    /// We connect to Slack.
    Socket,
    /// Slack posts to this address: `https://incidents.example.com`.
    Http { base: String },
}

/// The scopes of these features.
pub fn scopes(features: &BTreeSet<Feature>) -> impl Iterator<Item = &'static Scope> {
    SCOPES.iter().filter(|scope| features.contains(&scope.feature))
}

/// The events of these features.
pub fn events(features: &BTreeSet<Feature>) -> impl Iterator<Item = &'static Event> {
    EVENTS.iter().filter(|event| features.contains(&event.feature))
}

/// The manifest, as Slack takes it under "Create New App, From a manifest".
#[must_use]
pub fn manifest(mode: &Mode, features: &BTreeSet<Feature>) -> Value {
    let url = |path: &str| match mode {
        Mode::Socket => None,
        Mode::Http { base } => Some(format!("{}{path}", base.trim_end_matches('/'))),
    };
    let mut command = json!({
        "command": COMMAND,
        "description": description(),
        "usage_hint": usage_hint(),
        // Mentions and channels come as ids, which cannot be forged.
        "should_escape": true,
    });
    let mut events = json!({ "bot_events": events(features).map(|event| event.name).collect::<Vec<_>>() });
    let mut interactivity = json!({ "is_enabled": true });
    for (part, key, path) in [
        (&mut command, "url", COMMANDS_PATH),
        (&mut events, "request_url", EVENTS_PATH),
        (&mut interactivity, "request_url", INTERACTIONS_PATH),
    ] {
        if let Some(url) = url(path) {
            part[key] = json!(url);
        }
    }
    let shortcuts: Vec<Value> = SHORTCUTS
        .iter()
        .map(|(name, verb, what)| json!({ "name": name, "type": "message", "callback_id": verb, "description": what }))
        .collect();
    json!({
        "display_information": {
            "name": "Smokejumper",
            "description": "Incidents: what is going on, why, whom to call, and what worked before",
            "background_color": "#7a1f1f",
        },
        "features": {
            "app_home": {
                "home_tab_enabled": features.contains(&Feature::Home),
                // Pages come there; answers are buttons.
                "messages_tab_enabled": true,
                "messages_tab_read_only_enabled": true,
            },
            "bot_user": { "display_name": "smokejumper", "always_online": true },
            "shortcuts": shortcuts,
            "slash_commands": [command],
        },
        "oauth_config": { "scopes": { "bot": scopes(features).map(|scope| scope.name).collect::<Vec<_>>() } },
        "settings": {
            "event_subscriptions": events,
            "interactivity": interactivity,
            "org_deploy_enabled": false,
            "socket_mode_enabled": *mode == Mode::Socket,
            "token_rotation_enabled": false,
        },
    })
}

/// Why each scope is asked for, which feature wants it, and what is lost without it.
#[must_use]
pub fn explained(mode: &Mode, features: &BTreeSet<Feature>) -> String {
    let mut page = String::new();
    for scope in scopes(features) {
        let _ = writeln!(
            page,
            "{} ({})\n  why:     {}\n  without: {}",
            scope.name,
            scope.feature.name(),
            scope.why,
            scope.without
        );
    }
    if *mode == Mode::Socket {
        let _ = writeln!(page, "{APP_SCOPE} (core, of the app-level token)");
        page.push_str("  why:     connect to Slack, so that no port of yours is open to it\n");
        page.push_str("  without: nothing is heard from Slack\n");
    }
    let left = Feature::ALL.into_iter().filter(|feature| !features.contains(feature)).map(Feature::name);
    let left: Vec<&str> = left.collect();
    if !left.is_empty() {
        let _ = writeln!(page, "left out: {}", left.join(", "));
    }
    page
}

fn description() -> String {
    inert::shorten("Open an incident, or ask and act in one; in plain words, too", DESCRIPTION_MAX)
}

/// Every verb that can be said anywhere, and where the others are told.
fn usage_hint() -> String {
    let anywhere = VERBS.iter().filter(|verb| verb.scope != Place::Incident).map(|verb| verb.name);
    let names: Vec<&str> = anywhere.filter(|name| *name != "declare").collect();
    inert::shorten(&format!("[what is wrong] or: {}", names.join(", ")), HINT_MAX)
}

#[cfg(test)]
mod tests;
