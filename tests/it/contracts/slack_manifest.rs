//! The table of methods against Slack's own reference, when it lies beside the project (`SMOKEJUMPER_SHARED`).

use serde_json::Value;
use smokejumper::edges::chat::slack::manifest::SCOPES;
use smokejumper::edges::chat::slack::method::METHODS;
use std::collections::BTreeSet;
use std::path::PathBuf;

fn reference() -> Option<PathBuf> {
    let given = std::env::var_os("SMOKEJUMPER_SHARED").map(PathBuf::from);
    let beside = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared");
    let folders = given.into_iter().chain([beside]).map(|folder| folder.join("specs/slack/slack-api-ref"));
    folders.into_iter().find(|folder| folder.is_dir())
}

#[test]
fn every_scope_is_one_that_slack_wants_for_a_method() {
    let Some(folder) = reference() else {
        println!("skipped: Slack's reference is not here, so the scopes of methods are not held against it");
        return;
    };
    let (mut held, mut wanted) = (0, BTreeSet::new());
    for method in METHODS {
        let Ok(text) = std::fs::read_to_string(folder.join(format!("{}.json", method.name))) else { continue };
        let reference: Value = serde_json::from_str(&text).unwrap();
        let bot: BTreeSet<&str> =
            reference["scope"]["bot"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        for scope in method.scopes {
            assert!(bot.contains(scope), "{} is not called with {scope}, says its reference: {bot:?}", method.name);
            wanted.insert(*scope);
        }
        assert!(bot.is_empty() || !method.scopes.is_empty(), "{} needs one of {bot:?}", method.name);
        held += 1;
    }
    assert!(held >= METHODS.len() / 2, "only {held} of {} methods have a reference", METHODS.len());
    let unproven: Vec<&str> = SCOPES.iter().map(|scope| scope.name).filter(|scope| !wanted.contains(scope)).collect();
    println!(
        "{held} of {} methods held against their reference; by events, or without one: {unproven:?}",
        METHODS.len()
    );
}
