//! The manifest against what is called, what is heard, and Slack's limits.

use super::*;
use crate::edges::chat::slack::method::METHODS;

fn all() -> BTreeSet<Feature> {
    Feature::ALL.into_iter().collect()
}

fn names(scopes: impl Iterator<Item = &'static Scope>) -> BTreeSet<&'static str> {
    scopes.map(|scope| scope.name).collect()
}

#[test]
fn every_method_that_is_called_has_its_scopes() {
    let there = names(scopes(&all()));
    for method in METHODS {
        for scope in method.scopes {
            assert!(there.contains(scope), "{} needs {scope}, which the manifest does not ask for", method.name);
        }
    }
}

#[test]
fn every_scope_is_needed_by_something() {
    for scope in SCOPES {
        let called = METHODS.iter().any(|method| method.scopes.contains(&scope.name));
        let heard = EVENTS.iter().any(|event| event.scope == Some(scope.name));
        assert!(called || heard || scope.name == "commands", "nothing needs {}", scope.name);
        assert!(!scope.why.is_empty() && !scope.without.is_empty());
    }
}

#[test]
fn every_event_has_its_scope_whatever_is_left_out() {
    for left in Feature::ALL.into_iter().skip(1) {
        let mut features = all();
        features.remove(&left);
        let scopes = names(scopes(&features));
        for event in events(&features) {
            assert!(event.scope.is_none_or(|scope| scopes.contains(scope)), "without {}: {}", left.name(), event.name);
        }
    }
}

/// The names in `intake/read.rs` are those that are listened to.
#[test]
fn what_is_subscribed_to_is_what_is_read() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/edges/chat/slack/intake/read.rs");
    let Ok(source) = std::fs::read_to_string(path) else {
        println!("skipped: what reads events is not here");
        return;
    };
    for event in EVENTS {
        assert!(source.contains(&format!("\"{}\"", event.name)), "nobody reads {}", event.name);
    }
    let arms = source.lines().map(str::trim).filter(|line| line.starts_with('"') && line.contains("=>"));
    let kinds = arms.flat_map(|line| {
        line.split("=>").next().unwrap_or_default().split('"').skip(1).step_by(2).map(str::to_owned).collect::<Vec<_>>()
    });
    let is_event = |kind: &String| {
        ["app_", "channel_", "group_", "member_", "reaction_", "tokens_"].iter().any(|start| kind.starts_with(start))
    };
    for kind in kinds.filter(is_event) {
        assert!(EVENTS.iter().any(|event| event.name == kind), "{kind} is read, but not subscribed to");
    }
}

#[test]
fn what_is_not_configured_is_not_asked_for() {
    let usual = names(scopes(&Feature::of(None)));
    assert!(!usual.contains("usergroups:read") && !usual.contains("channels:join"));
    let mut least = Feature::of(None);
    least.retain(|feature| *feature == Feature::Core);
    let least = names(scopes(&least));
    assert_eq!(
        least.into_iter().collect::<Vec<_>>(),
        [
            "channels:history",
            "channels:manage",
            "channels:read",
            "chat:write",
            "commands",
            "im:history",
            "im:write",
            "users:read"
        ]
    );
    assert!(manifest(&Mode::Socket, &all())["oauth_config"]["scopes"]["user"].is_null(), "no user token is wanted");
}

#[test]
fn slack_takes_its_lengths() {
    let app = manifest(&Mode::Socket, &all());
    let length = |value: &Value| value.as_str().unwrap().chars().count();
    assert!(length(&app["display_information"]["name"]) <= 35);
    assert!(length(&app["display_information"]["description"]) <= 140);
    for shortcut in app["features"]["shortcuts"].as_array().unwrap() {
        assert!(length(&shortcut["name"]) <= 24 && length(&shortcut["description"]) <= 150, "{shortcut}");
        let verb = shortcut["callback_id"].as_str().unwrap();
        assert!(smokejumper_intents::verb::find(verb).is_some(), "{verb}");
    }
    let hint = app["features"]["slash_commands"][0]["usage_hint"].as_str().unwrap();
    assert!(hint.contains("list") && hint.contains("on-call") && !hint.contains("…"), "{hint}");
}

#[test]
fn addresses_are_there_in_http_mode_only() {
    let socket = manifest(&Mode::Socket, &all());
    assert!(!socket.to_string().contains("url") && socket["settings"]["socket_mode_enabled"] == true);
    let http = manifest(&Mode::Http { base: "https://incidents.example.com/".to_owned() }, &all());
    assert_eq!(http["settings"]["socket_mode_enabled"], false);
    assert_eq!(http["settings"]["event_subscriptions"]["request_url"], "https://incidents.example.com/slack/events");
    assert_eq!(http["settings"]["interactivity"]["request_url"], "https://incidents.example.com/slack/interactions");
    assert_eq!(http["features"]["slash_commands"][0]["url"], "https://incidents.example.com/slack/commands");
}

#[test]
fn each_scope_is_explained() {
    let page = explained(&Mode::Socket, &Feature::of(None));
    for scope in scopes(&Feature::of(None)) {
        assert!(page.contains(scope.name) && page.contains(scope.why) && page.contains(scope.without));
    }
    assert!(page.contains("connections:write") && page.ends_with("left out: announce, groups\n"), "{page}");
}

#[test]
fn the_guide_has_the_same_table() {
    let guide = include_str!("../../../../../docs/slack.md");
    for scope in SCOPES {
        let row = format!("| `{}` | {} | {} |", scope.name, scope.why, scope.feature.name());
        assert!(guide.contains(&row), "docs/slack.md lacks: {row}");
    }
}
