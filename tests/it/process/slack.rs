//! Setting Slack up with the real binary: the manifest it prints is what a strict Slack needs, and `doctor` says what is missing.

use super::{err, out, smokejumper};
use crate::world::slack::FakeSlack;
use serde_json::Value;
use smokejumper::edges::clock::WallClock;
use std::path::{Path, PathBuf};
use std::sync::Arc;

const PEOPLE: &str = "\n[[person]]\nid = \"ana\"\nright = \"admin\"\nslack = \"T00000001/UANA00001\"\n";

/// The binary's own process must not keep the fake waiting.
async fn told(folder: &Path, args: &'static [&'static str]) -> std::process::Output {
    let folder: PathBuf = folder.to_owned();
    tokio::task::spawn_blocking(move || smokejumper(&folder, args)).await.unwrap()
}

/// What `doctor` says of Slack: weight, what, and what to do.
async fn findings(folder: &Path) -> Vec<(String, String, String)> {
    let output = told(folder, &["doctor", "--json", "--config", "c.toml", "--data-dir", "data"]).await;
    let all: Value = serde_json::from_str(&out(&output)).unwrap_or_else(|_| panic!("{}{}", out(&output), err(&output)));
    let checks = all["checks"].as_array().unwrap();
    let slack = checks.iter().find(|check| check["check"] == "slack").unwrap();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let found = slack["findings"].as_array().unwrap();
    found.iter().map(|f| (text(&f["weight"]), text(&f["what"]), text(&f["todo"]))).collect()
}

fn configure(folder: &Path, slack: &FakeSlack, more: &str) {
    let text = format!("{}{more}{PEOPLE}", slack.config());
    std::fs::write(folder.join("c.toml"), text).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_printed_manifest_is_all_that_doctor_wants() {
    let slack = FakeSlack::start(Arc::new(WallClock)).await;
    let folder = tempfile::tempdir().unwrap();
    configure(folder.path(), &slack, "announce = \"incidents\"\ngroups = { S0ONCALL = \"responder\" }\n");
    slack.group("S0ONCALL", "oncall", &["ana", "bo"]);
    let printed = told(folder.path(), &["manifest", "slack", "--config", "c.toml"]).await;
    let manifest: Value = serde_json::from_str(&out(&printed)).unwrap();
    slack.install(&manifest);
    let found = findings(folder.path()).await;
    assert!(found.iter().all(|(weight, ..)| weight == "ok"), "{found:#?}");
    for words in [
        "scopes that are used are there",
        "Socket Mode",
        "clock agrees",
        "#incidents",
        "S0ONCALL: 2 members",
        "1 of 1 people",
    ] {
        assert!(found.iter().any(|(_, what, _)| what.contains(words)), "{words}: {found:#?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_missing_is_said_with_its_reason_and_where_to_click() {
    let slack = FakeSlack::start(Arc::new(WallClock)).await;
    let folder = tempfile::tempdir().unwrap();
    configure(folder.path(), &slack, "announce = \"nowhere\"\ngroups = { S0GONE = \"responder\" }\n");
    let printed = told(folder.path(), &["manifest", "slack", "--config", "c.toml", "--without", "private"]).await;
    slack.install(&serde_json::from_str(&out(&printed)).unwrap());
    slack.with(|truth| {
        truth.scopes.remove("chat:write");
        truth.scopes.remove("pins:write");
        truth.scopes.insert("files:write".to_owned());
        truth.app_scopes.clear();
    });
    let found = findings(folder.path()).await;
    let about = |words: &str| {
        found.iter().find(|(_, what, _)| what.contains(words)).unwrap_or_else(|| panic!("{words}: {found:#?}")).clone()
    };
    let (weight, what, todo) = about("the scope chat:write is missing");
    assert!(weight == "broken" && what.contains("post the card"), "{what}");
    assert!(
        todo.contains("https://api.slack.com/apps/A00000001/oauth") && todo.contains("Reinstall to Workspace"),
        "{todo}"
    );
    assert_eq!(about("the scope pins:write is missing: pin the card").0, "look");
    assert!(about("more than is used").1.contains("files:write"));
    let (weight, _, todo) = about("Socket Mode");
    assert!(weight == "broken" && todo.contains("connections:write") && todo.contains("/A00000001/general"), "{todo}");
    assert_eq!(about("S0GONE").0, "broken");
    assert_eq!(about("announcements").0, "broken");
    // A scope that the app lacks is what this is about.
    let _ = slack.forgive();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_is_not_accepted_is_the_only_thing_said() {
    let slack = FakeSlack::start(Arc::new(WallClock)).await;
    let folder = tempfile::tempdir().unwrap();
    let other = slack.config().replace("xoxb-", "xoxb-another-");
    std::fs::write(folder.path().join("c.toml"), other).unwrap();
    let found = findings(folder.path()).await;
    let [(weight, what, todo)] = found.as_slice() else { panic!("{found:#?}") };
    assert!(weight == "broken" && what.contains("invalid_auth") && todo.contains("A00000001/oauth"), "{found:#?}");
    assert!(!format!("{found:?}").contains("xoxb-another-"));
    let _ = slack.forgive();
}

#[test]
fn the_manifest_needs_no_token_and_refuses_what_it_cannot_mean() {
    let folder = tempfile::tempdir().unwrap();
    let fine =
        smokejumper(folder.path(), &["manifest", "slack", "--mode", "http", "--url", "https://incidents.example.com"]);
    assert!(out(&fine).contains("https://incidents.example.com/slack/commands"), "{}", err(&fine));
    let explained = smokejumper(folder.path(), &["manifest", "slack", "--explain", "--without", "capture,pins"]);
    assert!(
        out(&explained).contains("without: ") && !out(&explained).contains("reactions:read"),
        "{}",
        out(&explained)
    );
    for (args, words) in [
        (vec!["--mode", "http"], "needs --url"),
        (vec!["--url", "https://x.example"], "--url is for --mode http"),
        (vec!["--mode", "http", "--url", "http://x.example"], "https address"),
        (vec!["--without", "core"], "there is no feature `core`"),
    ] {
        let refused = smokejumper(folder.path(), &[vec!["manifest", "slack"], args].concat());
        assert!(!refused.status.success() && err(&refused).contains(words), "{}", err(&refused));
    }
}
