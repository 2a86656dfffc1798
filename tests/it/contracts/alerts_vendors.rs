//! Every kind of source, by the same promises: what its vendor documents is understood; one alert keeps one name; any order and
//! number of deliveries ends in the same state; what says nothing of an alert is no error.

use crate::flow::story::Story;
use crate::world::door::Noon;
use axum::http::{HeaderMap, HeaderName};
use serde_json::{Value, json};
use smokejumper::edges::alerts::{self, KINDS, Reading, Setting, Unreadable};
use smokejumper::flow::desk::AlertState;
use smokejumper::flow::event::Event;
use smokejumper::flow::moment::At;
use smokejumper::flow::routing::severity;
use smokejumper::flow::signal::{AlertStatus, Signal};
use smokejumper::ports::Clock;
use smokejumper_intents::word::Severity;
use std::collections::BTreeSet;

/// What a vendor sends about one alert from its start to its next.
pub struct Vendor {
    pub kind: &'static str,
    pub firing: &'static str,
    /// Still firing: acknowledged, or told again.
    pub acknowledged: &'static str,
    pub resolved: &'static str,
    pub again: &'static str,
    /// Whether firing again has the name of the first time; otherwise each trouble has an id of its own.
    pub same_name: bool,
    pub severity: Severity,
    pub service: &'static str,
    pub link: Option<&'static str>,
}

macro_rules! sent {
    ($vendor:literal, $what:literal) => {
        include_str!(concat!("../fixtures/", $vendor, "/", $what, ".json"))
    };
}

macro_rules! vendor {
    ($kind:literal, $same_name:literal, $severity:ident, $link:expr) => {
        Vendor {
            kind: $kind,
            firing: sent!($kind, "firing"),
            acknowledged: sent!($kind, "acknowledged"),
            resolved: sent!($kind, "resolved"),
            again: sent!($kind, "again"),
            same_name: $same_name,
            severity: Severity::$severity,
            service: "checkout",
            link: $link,
        }
    };
}

pub const VENDORS: [Vendor; 8] = [
    Vendor {
        kind: "grafana",
        firing: sent!("grafana", "firing"),
        // Grafana repeats what fires, word for word.
        acknowledged: sent!("grafana", "firing"),
        resolved: sent!("grafana", "resolved"),
        again: sent!("grafana", "again"),
        same_name: true,
        severity: Severity::Sev2,
        service: "checkout",
        link: Some("https://grafana.example.org/d/shop?orgId=1&viewPanel=2"),
    },
    vendor!("pagerduty", true, Sev2, Some("https://example.pagerduty.com/incidents/Q1NC1DENT7")),
    vendor!("opsgenie", true, Sev1, None),
    vendor!("datadog", true, Sev2, Some("https://app.datadoghq.eu/event/event?id=7001")),
    vendor!(
        "sentry",
        true,
        Sev3,
        Some("https://sentry.io/organizations/shop/issues/1170820242/events/e4874d664c3540c1a32eab185f12c5ab/")
    ),
    vendor!(
        "newrelic",
        false,
        Sev2,
        Some("https://radar-api.service.eu.newrelic.com/accounts/1/issues/d1b1f3fd-995a-4066-88ab-8ce4f6960654")
    ),
    vendor!("zabbix", false, Sev1, Some("https://zabbix.example.org/tr_events.php?triggerid=18001&eventid=4711")),
    vendor!("cloudevents", true, Sev2, Some("https://monitoring.example.org/alerts/77")),
];

pub fn read_with(kind: &str, headers: &HeaderMap, bytes: &[u8], now: At) -> Result<Reading, Unreadable> {
    let scrub = |text: &str| text.replace("canary", "[redacted]");
    alerts::read(kind, &Setting { source: "here", now, headers, scrub: &scrub }, bytes)
}

pub fn read(kind: &str, text: &str) -> Result<Reading, Unreadable> {
    read_with(kind, &HeaderMap::new(), text.as_bytes(), Noon.now())
}

pub fn signals(reading: &Reading) -> Vec<Signal> {
    let events = reading.arrivals.iter().map(|a| &a.event);
    events.flat_map(|e| if let Event::Signals(d) = e { d.signals.clone() } else { vec![] }).collect()
}

#[track_caller]
fn one(kind: &str, text: &str) -> Signal {
    let reading = read(kind, text).unwrap_or_else(|why| panic!("{kind}: {why:?}"));
    assert_eq!((reading.signals, reading.refused, reading.trimmed, reading.ignored), (1, 0, 0, 0), "{kind}");
    signals(&reading).remove(0)
}

fn why(result: Result<Reading, Unreadable>) -> String {
    result.map_or_else(|unreadable| unreadable.to_string(), |reading| panic!("{reading:?}"))
}

#[test]
fn each_kind_has_a_vendor_here_and_says_what_it_is() {
    let here: BTreeSet<&str> = VENDORS.iter().map(|v| v.kind).collect();
    for kind in KINDS {
        assert!(!kind.about.is_empty());
        let elsewhere = ["alertmanager", "cloudwatch", "json"];
        assert!(here.contains(kind.name) || elsewhere.contains(&kind.name), "{} has no fixtures here", kind.name);
    }
    assert!(VENDORS.iter().all(|vendor| alerts::kind(vendor.kind).is_some()));
    assert!(why(read("smoke-signals", "{}")).contains("there is no kind of source"));
}

#[test]
fn what_fires_is_understood_whole() {
    for vendor in &VENDORS {
        let signal = one(vendor.kind, vendor.firing);
        let kind = vendor.kind;
        assert_eq!(signal.status, AlertStatus::Firing, "{kind}");
        assert_eq!(signal.key.source, "here");
        assert!(!signal.key.fingerprint.is_empty());
        assert_eq!(signal.starts_at.rfc3339().get(..16), Some("2026-11-20T08:02"), "{kind}");
        assert_eq!(signal.ends_at, None, "{kind}");
        assert_eq!(severity(&signal.labels), Some(vendor.severity), "{kind}: {:?}", signal.labels);
        assert_eq!(signal.labels.get("service").map(String::as_str), Some(vendor.service), "{kind}");
        assert_eq!(signal.link.as_deref(), vendor.link, "{kind}");
        let name = signal.name();
        assert!(["Checkout", "TypeError"].iter().any(|start| name.starts_with(start)), "{kind}: {name}");
    }
}

#[test]
fn what_is_resolved_has_the_name_of_what_fired_and_an_end() {
    for vendor in &VENDORS {
        let (fired, over) = (one(vendor.kind, vendor.firing), one(vendor.kind, vendor.resolved));
        assert_eq!((over.status, &over.key), (AlertStatus::Resolved, &fired.key), "{}", vendor.kind);
        let end = over.ends_at.unwrap_or_else(|| panic!("{} has no end", vendor.kind));
        assert!(end > fired.starts_at && over.rank() > fired.rank(), "{}", vendor.kind);
        let again = one(vendor.kind, vendor.again);
        assert_eq!(again.key == fired.key, vendor.same_name, "{}", vendor.kind);
    }
}

/// Everything but the memory of how often and when it was heard.
fn states(story: &Story) -> Vec<(String, AlertStatus, At, Option<At>)> {
    let alerts = story.state.desk.alerts.values();
    alerts.map(|a: &AlertState| (a.key.fingerprint.clone(), a.status, a.starts_at, a.ends_at)).collect()
}

/// I3 and I4: all orders of firing, acknowledged, resolved and firing again, each delivery once or twice.
#[test]
fn every_order_and_number_of_deliveries_ends_in_the_same_state() {
    for vendor in &VENDORS {
        let sent = [vendor.firing, vendor.acknowledged, vendor.resolved, vendor.again];
        let readings: Vec<Reading> = sent.iter().map(|text| read(vendor.kind, text).unwrap()).collect();
        let mut ends = BTreeSet::new();
        for order in orders(sent.len()) {
            for twice in 0..sent.len() {
                let mut story = Story::new();
                for n in order.iter().chain([&twice]) {
                    for arrival in &readings[*n].arrivals {
                        story.tell(arrival.event.clone()).unwrap();
                    }
                }
                ends.insert(format!("{:?}", states(&story)));
            }
        }
        assert_eq!(ends.len(), 1, "{}: {ends:#?}", vendor.kind);
        let end = ends.first().unwrap();
        assert!(end.contains("Firing"), "{} fires again: {end}", vendor.kind);
        assert_eq!(end.contains("Resolved"), !vendor.same_name, "{}: {end}", vendor.kind);
    }
}

fn orders(n: usize) -> Vec<Vec<usize>> {
    if n == 0 {
        return vec![vec![]];
    }
    let shorter = orders(n - 1);
    shorter.iter().flat_map(|o| (0..n).map(move |at| [&o[..at], &[n - 1], &o[at..]].concat())).collect()
}

#[test]
fn a_delivery_has_one_key_whenever_it_comes_and_others_have_others() {
    for vendor in &VENDORS {
        let keys = |text: &str, now: At| -> Vec<String> {
            let reading = read_with(vendor.kind, &HeaderMap::new(), text.as_bytes(), now).unwrap();
            reading.arrivals.into_iter().map(|a| a.key).collect()
        };
        let mut seen = BTreeSet::new();
        for text in [vendor.firing, vendor.resolved, vendor.again] {
            let early = keys(text, Noon.now());
            assert_eq!(early, keys(text, Noon.now().plus(86_400_000)), "{}", vendor.kind);
            // White space and the order of keys are no news.
            let reprinted = serde_json::from_str::<Value>(text).unwrap().to_string();
            assert_eq!(early, keys(&reprinted, Noon.now()), "{}", vendor.kind);
            assert!(seen.insert(early), "{}", vendor.kind);
        }
    }
}

#[test]
fn what_says_nothing_of_an_alert_is_taken_and_told() {
    let others = [
        ("pagerduty", sent!("pagerduty", "ping"), "a test from PagerDuty"),
        ("pagerduty", sent!("pagerduty", "other"), "incident.annotated"),
        ("opsgenie", sent!("opsgenie", "other"), "AddNote"),
        ("datadog", sent!("datadog", "other"), "Null"),
        ("sentry", sent!("sentry", "other"), "assigned"),
        ("sentry", sent!("sentry", "comment"), "created says nothing"),
        ("zabbix", sent!("zabbix", "other"), "no trigger"),
        ("newrelic", sent!("newrelic", "other"), "MUTED"),
        ("cloudevents", sent!("cloudevents", "other"), "org.example.order.placed"),
    ];
    for (kind, text, words) in others {
        let reading = read(kind, text).unwrap();
        assert_eq!((reading.arrivals.len(), reading.signals, reading.ignored), (0, 0, 1), "{kind}");
        let told = reading.first_ignored.unwrap();
        assert!(told.contains(words), "{kind}: {told}");
    }
    // What a vendor adds next year.
    for (kind, path, new) in [
        ("pagerduty", "/event/event_type", "incident.moved_to_mars"),
        ("opsgenie", "/action", "Ponder"),
        ("datadog", "/alert_transition", "Dreaming"),
        ("newrelic", "/state", "PONDERED"),
    ] {
        let vendor = VENDORS.iter().find(|v| v.kind == kind).unwrap();
        let mut value: Value = serde_json::from_str(vendor.firing).unwrap();
        *value.pointer_mut(path).unwrap() = json!(new);
        assert_eq!(read(kind, &value.to_string()).unwrap().ignored, 1, "{kind}");
    }
}

#[test]
fn what_is_missing_is_named() {
    for (kind, path, words) in [
        ("grafana", "/version", "expected \"version\": \"1\""),
        ("grafana", "/alerts", "no \"alerts\""),
        ("pagerduty", "/event", "no \"event\""),
        ("pagerduty", "/event/event_type", "event_type"),
        ("pagerduty", "/event/data", "no data"),
        ("pagerduty", "/event/data/id", "no id"),
        ("opsgenie", "/action", "no \"action\""),
        ("opsgenie", "/alert", "no \"alert\""),
        ("datadog", "/alert_transition", "docs/sources.md"),
        ("datadog", "/date", "no \"date\""),
        ("sentry", "/action", "no \"action\""),
        ("sentry", "/data", "no \"data\""),
        ("sentry", "/data/event/issue_id", "issue_id"),
        ("zabbix", "/event_id", "docs/sources.md"),
        ("zabbix", "/event_value", "docs/sources.md"),
        ("newrelic", "/id", "docs/sources.md"),
        ("newrelic", "/state", "docs/sources.md"),
        ("cloudevents", "/specversion", "no specversion"),
        ("cloudevents", "/id", "no id"),
        ("cloudevents", "/source", "no source"),
        ("cloudevents", "/type", "no type"),
    ] {
        let vendor = VENDORS.iter().find(|v| v.kind == kind).unwrap();
        let mut value: Value = serde_json::from_str(vendor.firing).unwrap();
        let (parent, field) = path.rsplit_once('/').unwrap();
        value.pointer_mut(parent).unwrap().as_object_mut().unwrap().remove(field);
        // Datadog's date has a second field to come from.
        if path == "/date" {
            value.as_object_mut().unwrap().remove("last_updated");
        }
        let told = why(read(kind, &value.to_string()));
        assert!(told.contains(words), "{kind} without {path}: {told}");
    }
}

#[test]
fn a_metric_alert_of_sentry_fires_and_ends() {
    let fired = one("sentry", sent!("sentry", "metric_firing"));
    let over = one("sentry", sent!("sentry", "metric_resolved"));
    assert_eq!((fired.name(), severity(&fired.labels)), ("Too many errors", Some(Severity::Sev2)));
    assert_eq!(fired.labels.get("service").map(String::as_str), Some("checkout"));
    assert_eq!((over.status, &over.key), (AlertStatus::Resolved, &fired.key));
    assert!(over.rank() > fired.rank());
}

/// A DSN is public: whoever has it chooses an event's tags and level, and by them neither the service nor who is woken.
#[test]
fn what_browsers_send_to_sentry_chooses_nothing() {
    let mut value: Value = serde_json::from_str(sent!("sentry", "firing")).unwrap();
    let names =
        ["service", "ser\u{200b}vice", "severity", "alertname", "rule", "team", "job", "deployment", "namespace"];
    let tags: Vec<Value> = names.iter().map(|name| json!([name, "payments"])).collect();
    value["data"]["event"]["tags"] = json!(tags);
    let chosen = |value: &Value| {
        let labels = one("sentry", &value.to_string()).labels;
        let label = |name: &str| labels.get(name).map_or("", String::as_str).to_owned();
        let deciding = ["service", "severity", "rule", "alertname"].map(label);
        assert!(["team", "job", "deployment", "namespace"].iter().all(|name| label(name).is_empty()), "{labels:?}");
        assert_eq!((label("tag_team").as_str(), label("tag_service").as_str()), ("payments", "payments"));
        deciding
    };
    assert_eq!(chosen(&value), ["checkout", "warning", "Payments break", "TypeError: total is undefined"]);
    // Nothing of ours there: nothing of theirs in its place.
    value["data"]["event"]["url"] = Value::Null;
    value["data"]["triggered_rule"] = Value::Null;
    assert_eq!(chosen(&value), ["", "warning", "", "TypeError: total is undefined"]);
    for level in ["fatal", "critical", "page", "sev1", "error", " FATAL "] {
        value["data"]["event"]["level"] = json!(level);
        let severity = severity(&one("sentry", &value.to_string()).labels);
        assert!(severity.is_none_or(|s| s >= Severity::Sev3), "{level}: {severity:?}");
    }
}

/// Pages we sent come back as incidents of the same account: they are no alerts.
#[test]
fn a_page_of_ours_is_no_alert_of_pagerduty() {
    let mut value: Value = serde_json::from_str(sent!("pagerduty", "firing")).unwrap();
    value["event"]["data"]["incident_key"] = json!("smokejumper/INC-7/2/1795168800000");
    let reading = read("pagerduty", &value.to_string()).unwrap();
    assert_eq!((reading.signals, reading.arrivals.len()), (0, 0));
    assert_eq!(reading.first_ignored.as_deref(), Some("a page of ours"));
    value["event"]["data"]["incident_key"] = json!("smokejumper/INC-7");
    assert_eq!(read("pagerduty", &value.to_string()).unwrap().signals, 1);
}

#[test]
fn tags_and_details_become_labels() {
    let label = |kind: &str, name: &str| {
        let vendor = VENDORS.iter().find(|v| v.kind == kind).unwrap();
        one(kind, vendor.firing).labels.get(name).cloned().unwrap_or_default()
    };
    assert_eq!((label("opsgenie", "env"), label("opsgenie", "retries")), ("prod".to_owned(), "3".to_owned()));
    assert_eq!(label("opsgenie", "region"), "eu");
    assert_eq!((label("datadog", "env"), label("datadog", "host")), ("prod".to_owned(), "web-1".to_owned()));
    assert_eq!(
        (label("datadog", "monitor"), label("datadog", "alertname")),
        ("2837".to_owned(), "Checkout errors".to_owned())
    );
    assert_eq!(
        (label("sentry", "tag_environment"), label("sentry", "rule")),
        ("prod".to_owned(), "Payments break".to_owned())
    );
    assert_eq!((label("zabbix", "env"), label("zabbix", "instance")), ("prod".to_owned(), "web-1".to_owned()));
    assert_eq!((label("pagerduty", "team"), label("newrelic", "team")), ("payments".to_owned(), "payments".to_owned()));
    assert_eq!((label("cloudevents", "region"), label("cloudevents", "replicas")), ("eu".to_owned(), "3".to_owned()));
}

/// A template's variable that its vendor did not fill in is no value.
#[test]
fn variables_nobody_filled_in_say_nothing() {
    let mut value: Value = serde_json::from_str(sent!("datadog", "firing")).unwrap();
    for (name, left) in
        [("alert_priority", "$ALERT_PRIORITY"), ("hostname", ""), ("link", "$LINK"), ("alert_metric", "null")]
    {
        value[name] = json!(left);
    }
    let signal = one("datadog", &value.to_string());
    assert_eq!((severity(&signal.labels), signal.link.as_deref()), (Some(Severity::Sev2), None), "by its type");
    assert!(!signal.labels.contains_key("instance") && !signal.labels.contains_key("metric"));
    let mut value: Value = serde_json::from_str(sent!("zabbix", "firing")).unwrap();
    value["recovery_time"] = json!("{EVENT.RECOVERY.TIME}");
    value["event_opdata"] = json!("*UNKNOWN*");
    assert_eq!(one("zabbix", &value.to_string()).summary(), Some("Look at the last release first."));
}

fn headers(pairs: &[(&str, &str)]) -> HeaderMap {
    pairs.iter().map(|(k, v)| (HeaderName::from_bytes(k.as_bytes()).unwrap(), v.parse().unwrap())).collect()
}

#[test]
fn a_cloud_event_is_the_same_in_every_mode() {
    let structured = read("cloudevents", sent!("cloudevents", "firing")).unwrap();
    let value: Value = serde_json::from_str(sent!("cloudevents", "firing")).unwrap();
    let binary = headers(&[
        ("content-type", "application/json"),
        ("ce-specversion", "1.0"),
        ("ce-id", "A-1"),
        ("ce-source", "/monitoring/shop"),
        ("ce-type", "org.example.alert.firing"),
        ("ce-subject", "checkout%2Ferrors"),
        ("ce-time", "2026-11-20T08:02:00Z"),
    ]);
    let binary = read_with("cloudevents", &binary, value["data"].to_string().as_bytes(), Noon.now()).unwrap();
    assert_eq!(binary.arrivals, structured.arrivals);
    let mut encoded = value.clone();
    let data = encoded.as_object_mut().unwrap().remove("data").unwrap().to_string();
    encoded["data_base64"] = json!(base64::Engine::encode(&base64::engine::general_purpose::STANDARD, data));
    assert_eq!(read("cloudevents", &encoded.to_string()).unwrap().arrivals, structured.arrivals);
    encoded["data_base64"] = json!("!");
    assert!(why(read("cloudevents", &encoded.to_string())).contains("not base64"));
    let batched = headers(&[("content-type", "application/cloudevents-batch+json; charset=UTF-8")]);
    let batch = read_with("cloudevents", &batched, sent!("cloudevents", "batch").as_bytes(), Noon.now()).unwrap();
    assert_eq!((batch.signals, batch.ignored, batch.refused), (2, 1, 0));
    assert!(batch.arrivals.contains(&structured.arrivals[0]), "a batch has no key of its own: its events do");
    assert_eq!(read_with("cloudevents", &batched, b"[]", Noon.now()).unwrap().signals, 0);
    let many = vec![value; alerts::cloudevents::MAX_EVENTS + 1];
    let many = read_with("cloudevents", &batched, json!(many).to_string().as_bytes(), Noon.now());
    assert!(matches!(many, Err(Unreadable::TooLarge(_))));
}

/// Optional conformance with payloads from elsewhere: beside this repository, or in the folder `SMOKEJUMPER_SHARED` names.
#[test]
fn foreign_samples_are_understood_where_they_are_at_hand() {
    let shared = std::env::var_os("SMOKEJUMPER_SHARED")
        .map_or_else(|| std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared"), std::path::PathBuf::from);
    let folder = shared.join("specs/alerts");
    if !folder.is_dir() {
        println!("SKIPPED: no foreign samples in {}; SMOKEJUMPER_SHARED names another folder", folder.display());
        return;
    }
    let mut seen = 0;
    for kind in ["alertmanager", "grafana", "pagerduty", "opsgenie", "datadog", "sentry"] {
        for (state, status) in [("firing", AlertStatus::Firing), ("resolved", AlertStatus::Resolved)] {
            let Ok(text) = std::fs::read_to_string(folder.join(format!("{kind}_{state}.json"))) else { continue };
            let reading = read(kind, &text).unwrap_or_else(|why| panic!("{kind} {state}: {why:?}"));
            assert!(reading.signals > 0 && reading.refused == 0 && reading.ignored == 0, "{kind} {state}");
            // Sentry's second sample is a second first sight.
            let told = signals(&reading);
            assert!(kind == "sentry" || told.iter().all(|s| s.status == status), "{kind} {state}: {told:?}");
            seen += 1;
        }
    }
    assert!(seen > 0, "{} has no sample of a known name", folder.display());
}
