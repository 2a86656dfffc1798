//! A source of kind `json`: a mapping file says where things stand in somebody's JSON, and what stands there is taken like any
//! other alert: bounded, plain, once.

use axum::http::HeaderMap;
use serde_json::json;
use smokejumper::config::mapping::{Mapping, check};
use smokejumper::edges::alerts::{Reading, Setting, Unreadable, json as mapped};
use smokejumper::flow::event::Event;
use smokejumper::flow::moment::At;
use smokejumper::flow::signal::{AlertStatus, Signal};
use std::path::Path;

const NOW: At = At(1_795_176_000_000);
const MAPPING: &str = include_str!("../../../deploy/json-mapping.example.toml");
const BODY: &str = include_str!("../fixtures/json/checks.json");

fn mapping(source: &str) -> Mapping {
    check(Path::new("mapping.toml"), source).unwrap()
}

fn read_at(mapping: &Mapping, body: &str, now: At) -> Result<Reading, Unreadable> {
    let headers = HeaderMap::new();
    let scrub = |text: &str| text.replace("hunter2", "[redacted]");
    mapped::read(mapping, &Setting { source: "probe", now, headers: &headers, scrub: &scrub }, body.as_bytes())
}

fn read(mapping: &Mapping, body: &str) -> Result<Reading, Unreadable> {
    read_at(mapping, body, NOW)
}

fn signals(reading: &Reading) -> Vec<Signal> {
    let of = |event: &Event| if let Event::Signals(d) = event { d.signals.clone() } else { Vec::new() };
    reading.arrivals.iter().flat_map(|a| of(&a.event)).collect()
}

#[test]
fn the_example_reads_what_it_says() {
    let reading = read(&mapping(MAPPING), BODY).unwrap();
    assert_eq!((reading.signals, reading.refused, reading.ignored), (2, 1, 1));
    assert_eq!(
        reading.first_refusal.as_deref(),
        Some("alert 4: the mapping does not say what the status \"flapping\" means")
    );
    let found = signals(&reading);
    let down = found.iter().find(|s| s.status == AlertStatus::Firing).unwrap();
    assert_eq!(down.starts_at, At(1_795_175_280_000));
    assert_eq!(down.summary(), Some("checkout answers 500 with [redacted]"));
    assert_eq!(down.link.as_deref(), Some("https://probe.example.org/checks/17"));
    let labels: Vec<String> = down.labels.iter().map(|(name, value)| format!("{name}={value}")).collect();
    assert_eq!(
        labels,
        ["alertname=http 500", "region=eu", "service=checkout", "severity=critical", "team=payments", "tier=1"]
    );
    let over = found.iter().find(|s| s.status == AlertStatus::Resolved).unwrap();
    assert_eq!((over.starts_at, over.ends_at), (At(1_795_174_200_000), Some(At(1_795_175_000_000))));
}

#[test]
fn a_delivery_without_times_of_its_own_is_never_taken_for_an_earlier_one() {
    let small =
        mapping("fingerprint = [\"$.host\", \"check\"]\nstatus = \"up\"\nfiring = \"false\"\nresolved = \"true\"\n");
    let body = json!({ "host": "a", "check": 7, "up": false }).to_string();
    let keys = [NOW, NOW.plus(1)].map(|now| read_at(&small, &body, now).unwrap().arrivals[0].key.clone());
    assert_ne!(keys[0], keys[1]);
    let timed =
        mapping("fingerprint = \"host\"\nstatus = \"up\"\nfiring = \"false\"\nresolved = \"true\"\nstart = \"at\"\n");
    let body = json!({ "host": "a", "up": false, "at": 1_795_175_000 }).to_string();
    let keys = [NOW, NOW.plus(1)].map(|now| read_at(&timed, &body, now).unwrap().arrivals[0].key.clone());
    assert_eq!(keys[0], keys[1]);
    assert_eq!(signals(&read(&timed, &body).unwrap())[0].starts_at, At(1_795_175_000_000));
}

#[test]
fn what_the_mapping_does_not_find_is_said() {
    let list = mapping(
        "alerts = \"data.items[*]\"\nfingerprint = \"id\"\nstatus = \"s\"\nfiring = \"on\"\nresolved = \"off\"\n",
    );
    let malformed = |body: &str| match read(&list, body) {
        Err(Unreadable::Malformed(why)) => why,
        other => panic!("{body:.80}: {other:?}"),
    };
    assert!(malformed("{").starts_with("not JSON"));
    assert_eq!(malformed("{}"), "there is no `data` where the mapping looks for alerts");
    assert_eq!(malformed(r#"{"data":{"items":{}}}"#), "there is no list where the mapping says `[*]`");
    assert!(malformed(r#"{"data":{"items":[{"id":"1"}]}}"#).contains("looks for its status"));
    assert!(malformed(r#"{"data":{"items":[{"s":"on","id":{}}]}}"#).contains("looks for its fingerprint"));
    assert!(malformed(&"[".repeat(100_000)).starts_with("not JSON"));
    assert_eq!(read(&list, r#"{"data":{"items":[]}}"#).unwrap().ignored, 1);
    let many = json!({ "data": { "items": vec![json!({ "id": "1", "s": "on" }); 5_001] } }).to_string();
    assert!(matches!(read(&list, &many), Err(Unreadable::TooLarge(_))));
    assert!(matches!(read(&list, &" ".repeat(2 * 1024 * 1024 + 1)), Err(Unreadable::TooLarge(_))));
    let wide: serde_json::Map<String, serde_json::Value> = (0..10_000).map(|n| (format!("l{n}"), n.into())).collect();
    let labelled =
        mapping("fingerprint = \"id\"\nstatus = \"s\"\nfiring = \"on\"\nresolved = \"off\"\nlabels = \"tags\"\n");
    let body = json!({ "id": "x".repeat(9_999), "s": "ON", "tags": wide }).to_string();
    let read = signals(&read(&labelled, &body).unwrap()).remove(0);
    assert!(read.labels.len() <= 64 && read.key.fingerprint.len() == 64);
}
