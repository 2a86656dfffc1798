//! `docs/sources.md` is true: each snippet is a valid configuration, each payload and script there is what its kind reads.

use super::alerts_vendors::{VENDORS, read, signals};
use serde_json::{Value, json};
use smokejumper::config::{Environment, Given, check};
use smokejumper::edges::alerts::{self, KINDS};
use smokejumper::flow::signal::AlertStatus;
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;

const GUIDE: &str = include_str!("../../../docs/sources.md");

/// The fenced blocks of one language.
fn blocks(text: &str, language: &str) -> Vec<String> {
    let opening = format!("```{language}\n");
    text.split(&opening).skip(1).filter_map(|rest| rest.split("```").next()).map(str::to_owned).collect()
}

/// What stands under a heading.
fn section(heading: &str) -> &'static str {
    let start = format!("\n## {heading}\n");
    GUIDE.split(start.as_str()).nth(1).unwrap().split("\n## ").next().unwrap()
}

fn firing(kind: &str) -> Value {
    serde_json::from_str(VENDORS.iter().find(|v| v.kind == kind).unwrap().firing).unwrap()
}

#[test]
fn every_kind_has_a_snippet_that_is_a_valid_configuration() {
    // Whatever a snippet asks for is there; the server's own settings are not.
    let secrets = |name: &str| {
        let theirs = name.ends_with("_TOKEN") || name.ends_with("_SECRET");
        theirs.then(|| format!("a-long-enough-value-of-{name}"))
    };
    let environment = Environment { variable: &secrets, uid: 1000 };
    let kinds = alerts::kinds();
    let given = Given { source_kinds: &kinds, ..Given::default() };
    let mut shown = BTreeSet::new();
    for block in blocks(GUIDE, "toml") {
        let checked = check(given, &environment, Some(Path::new("docs/sources.toml")), &block);
        assert!(checked.problems.is_empty(), "{block}\n{:#?}", checked.problems);
        for source in &checked.config.sources {
            assert!(!source.auth.is_open(), "{block}");
            shown.insert(source.kind.clone());
        }
    }
    let missing: Vec<&str> = KINDS.iter().map(|k| k.name).filter(|name| !shown.contains(*name)).collect();
    assert!(missing.is_empty(), "docs/sources.md shows no source of kind {missing:?}");
}

#[test]
fn the_header_names_it_tells_people_are_those_that_are_read() {
    for kind in KINDS {
        for name in kind.signing.iter().flat_map(|s| [Some(s.header), s.timestamp]).flatten() {
            let told = GUIDE.to_lowercase().contains(&format!("`{name}`"));
            assert!(told || kind.name == "sentry", "{name} of {} (Sentry's cannot be chosen)", kind.name);
        }
    }
}

#[test]
fn the_payload_for_datadog_is_read() {
    let [payload] = blocks(section("Datadog"), "json").try_into().unwrap();
    let template: Value = serde_json::from_str(&payload).unwrap();
    let fixture = firing("datadog");
    let mut filled = template.clone();
    for (field, variable) in template.as_object().unwrap() {
        assert!(variable.as_str().unwrap().starts_with('$'), "{field}");
        filled[field] = fixture[field].clone();
        assert!(filled[field].is_string(), "the fixture has {field}");
    }
    let told = signals(&read("datadog", &filled.to_string()).unwrap());
    assert_eq!(told, signals(&read("datadog", &fixture.to_string()).unwrap()));
}

#[test]
fn the_payload_for_new_relic_is_read() {
    let [template] = blocks(section("New Relic"), "handlebars").try_into().unwrap();
    let fixture = firing("newrelic");
    let mut filled = String::new();
    for line in template.lines() {
        let Some((field, rest)) = line.trim().split_once("\": ") else {
            filled.push_str(line);
            continue;
        };
        let field = field.trim_start_matches('"');
        assert!(rest.starts_with("{{ json "), "{line}: without `json` a quote in a value breaks the whole");
        let comma = if rest.ends_with(',') { "," } else { "" };
        write!(filled, "\"{field}\": {}{comma}", fixture[field]).unwrap();
        assert!(fixture.get(field).is_some(), "the fixture has {field}");
    }
    let told = signals(&read("newrelic", &filled).unwrap());
    assert_eq!(told, signals(&read("newrelic", &fixture.to_string()).unwrap()));
}

/// The script cannot run here: what it sends has the fields of the fixtures, and takes them from parameters that are listed.
#[test]
fn the_script_for_zabbix_sends_what_is_read() {
    let text = section("Zabbix");
    let [script] = blocks(text, "javascript").try_into().unwrap();
    let fixture = firing("zabbix");
    for field in fixture.as_object().unwrap().keys().filter(|f| *f != "event_update") {
        assert!(script.contains(&format!("\n    {field}: ")), "{field}");
    }
    let used = script
        .split("given.")
        .skip(1)
        .map(|rest| rest.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap());
    for parameter in used {
        assert!(text.contains(&format!("\n| {parameter} | ")), "{parameter}");
    }
}

#[test]
fn the_alert_for_cloud_events_is_read_in_every_field() {
    let [data] = blocks(section("CloudEvents"), "json").try_into().unwrap();
    let data: Value = serde_json::from_str(&data).unwrap();
    let event = json!({ "specversion": "1.0", "id": "1", "source": "/s", "type": "t", "data": data });
    let told = signals(&read("cloudevents", &event.to_string()).unwrap());
    let [signal] = told.as_slice() else { panic!("{told:?}") };
    assert_eq!((signal.status, signal.key.fingerprint.as_str()), (AlertStatus::Firing, "checkout-errors"));
    assert_eq!((signal.name(), signal.summary()), ("Checkout errors", Some("5xx above 5 %")));
    let kept = format!("{:?}{:?}{:?}", signal.labels, signal.annotations, signal.link);
    for text in ["critical", "checkout", "Seven in a hundred", "/alerts/77", "eu", "wiki.example.org"] {
        assert!(kept.contains(text), "{text}: {kept}");
    }
}
