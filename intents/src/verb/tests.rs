//! The table is consistent: names, examples, rights.

use super::*;
use crate::verbs::test::asked;
use std::collections::HashSet;

#[test]
fn every_name_and_alias_is_unique() {
    let mut seen = HashSet::new();
    for verb in VERBS {
        for word in std::iter::once(&verb.name).chain(verb.aliases) {
            assert!(seen.insert(*word), "{word} twice");
            assert_eq!(*word, word.to_lowercase());
        }
    }
}

#[test]
fn every_example_does_what_the_table_says() {
    for verb in VERBS {
        let ask = asked(verb.example);
        let words = verb.example.split_whitespace().next().unwrap();
        assert_eq!(words, verb.name, "the example starts with the verb");
        assert_eq!(ask.intent.is_act(), verb.kind == Kind::Act, "{}", verb.name);
        assert_eq!(ask.intent.needs(), verb.needs, "{}", verb.name);
        assert_eq!(ask.incident.is_some(), verb.scope != Scope::Lobby, "{}", verb.name);
    }
}

#[test]
fn descriptions_fit_discord_and_slack() {
    for verb in VERBS {
        assert!((1..=100).contains(&verb.synopsis.chars().count()), "{}", verb.name);
        assert!(!verb.synopsis.ends_with('.'), "{}", verb.name);
        assert!(
            verb.name.len() <= 32 && verb.name.bytes().all(|b| b.is_ascii_lowercase() || b == b'-'),
            "{}",
            verb.name
        );
    }
}

#[test]
fn near_misses_are_found_once() {
    let names = |word: &str| nearest(word).into_iter().map(|verb| verb.name).collect::<Vec<_>>();
    assert_eq!(names("reslove"), ["resolve"]);
    assert_eq!(names("aprove"), ["approve"]);
    assert_eq!(names("folow-up"), ["follow-up"]);
    assert_eq!(names("sev5"), ["sev"]);
    assert_eq!(names("post"), ["postmortem"]);
    assert!(names("banana").is_empty());
}
