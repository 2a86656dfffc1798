//! `source test FILE`: the real binary says what it understands of a body, without a server.

use super::{err, out, smokejumper};
use std::process::Output;

fn run(arguments: &[&str]) -> Output {
    let nowhere = tempfile::tempdir().unwrap();
    let arguments: Vec<String> = arguments.iter().map(|a| a.replace("ROOT", env!("CARGO_MANIFEST_DIR"))).collect();
    smokejumper(nowhere.path(), &arguments.iter().map(String::as_str).collect::<Vec<_>>())
}

/// A body of long ago: what is ahead of this machine's clock would be read as now.
fn mapped(more: &[&str]) -> Output {
    let folder = tempfile::tempdir().unwrap();
    let body = include_str!("../fixtures/json/checks.json");
    let body = body.replace("2026-", "2024-").replace("1795174", "1732101").replace("1795175", "1732103");
    std::fs::write(folder.path().join("body.json"), body).unwrap();
    let mapping = concat!(env!("CARGO_MANIFEST_DIR"), "/deploy/json-mapping.example.toml");
    let arguments = [&["source", "test", "body.json", "--kind", "json", "--mapping", mapping], more].concat();
    smokejumper(folder.path(), &arguments)
}

#[test]
fn each_alert_is_shown_with_its_fields_and_what_was_refused_with_why() {
    let output = mapped(&[]);
    let said = out(&output);
    assert_eq!(output.status.code(), Some(1), "one alert is refused: {said}{}", err(&output));
    insta::assert_snapshot!(said, @r#"
    json (json): 2 alerts understood, 1 refused, 1 ignored

    1. firing http 500
       fingerprint 17
       started     2024-11-20T11:48:00Z
       summary     checkout answers 500 with hunter2
       link        https://probe.example.org/checks/17
       labels      alertname=http 500
                   region=eu
                   service=checkout
                   severity=critical
                   team=payments
                   tier=1

    2. resolved latency
       fingerprint 18
       started     2024-11-20T11:13:20Z
       ended       2024-11-20T11:43:20Z
       summary     search is slow
       labels      alertname=latency
                   service=search
                   severity=critical
                   team=payments

    refused: alert 4: the mapping does not say what the status "flapping" means

    ignored: its status is one of `ignored` in the mapping
    "#);
    assert!(said.lines().all(|line| line.chars().count() <= 80));
}

#[test]
fn scripts_get_one_object() {
    let output = mapped(&["--json"]);
    let told: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&told["understood"], &told["refused"], &told["ignored"]), (&2.into(), &1.into(), &1.into()));
    assert_eq!(told["alerts"].as_array().unwrap().len(), 2);
    let sns =
        run(&["source", "test", "ROOT/tests/it/fixtures/sns/notification.json", "--kind", "cloudwatch", "--json"]);
    let told: serde_json::Value = serde_json::from_slice(&sns.stdout).unwrap();
    assert_eq!(told["alerts"][0]["labels"]["alertname"], "checkout 5xx", "{told}");
    let header = "--header=X-GitHub-Event: deployment_status";
    let file = "ROOT/tests/it/fixtures/github/deployment_status_success.json";
    let change = run(&["source", "test", file, "--kind", "github", header, "--json"]);
    let told: serde_json::Value = serde_json::from_slice(&change.stdout).unwrap();
    assert_eq!(told["changes"][0]["service"], "example/checkout", "{told}");
}

#[test]
fn what_cannot_be_tested_says_what_to_do() {
    for (arguments, words) in [
        (&["source", "test", "none.json", "--kind", "json"][..], "none.json cannot be read"),
        (&["source", "test", "x", "--kind", "jsn"], "there are alertmanager"),
        (&["source", "test", "x", "--source", "prod"], "has no source `prod`"),
        (
            &["source", "test", "x", "--kind", "json", "--mapping", "none.toml"],
            "none.toml: error: the mapping cannot be read",
        ),
        (&["source", "test", "ROOT/Cargo.toml", "--kind", "github", "--header", "nonsense"], "is not a header"),
        (&["source", "test", "ROOT/Cargo.toml", "--kind", "alertmanager"], "not a webhook of Alertmanager"),
    ] {
        let output = run(arguments);
        assert_eq!(output.status.code(), Some(1), "{arguments:?}");
        assert!(err(&output).contains(words), "{arguments:?}: {}", err(&output));
    }
}
