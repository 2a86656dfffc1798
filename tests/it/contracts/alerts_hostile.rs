//! Bad input for every kind of source: nothing panics, nothing takes long, and what is kept is bounded and inert (I5, I6, I24).

use super::alerts_vendors::{VENDORS, read, read_with, signals};
use crate::world::door::Noon;
use axum::http::HeaderMap;
use proptest::prelude::*;
use serde_json::{Value, json};
use smokejumper::edges::alerts::bounds::plausible;
use smokejumper::edges::alerts::text::is_plain;
use smokejumper::edges::alerts::{KINDS, Reading, Unreadable};
use smokejumper::flow::signal::{MAX_ANNOTATION_CHARS, MAX_LABEL_CHARS, MAX_LABELS, START_UNKNOWN};
use smokejumper::ports::Clock;

/// Bytes of a name that the store and the screen have to carry.
const MAX_FINGERPRINT: usize = 64;

/// What must hold of whatever was read, from whatever was sent.
fn check(kind: &str, result: &Result<Reading, Unreadable>) {
    let reading = match result {
        Ok(reading) => reading,
        Err(why) => {
            let why = why.to_string();
            assert!(!why.is_empty() && why.chars().count() < 500 && why.chars().all(is_plain), "{kind}: {why}");
            return;
        }
    };
    let told = signals(reading);
    assert_eq!(reading.signals, told.len(), "{kind}");
    assert!(reading.first_ignored.iter().chain(&reading.first_refusal).all(|w| w.chars().all(is_plain)), "{kind}");
    for arrival in &reading.arrivals {
        assert!(!arrival.key.is_empty() && arrival.key.len() < 100 && arrival.source == "alerts/here", "{kind}");
    }
    for signal in told {
        let f = &signal.key.fingerprint;
        assert!(!f.is_empty() && f.len() <= MAX_FINGERPRINT && f.bytes().all(|b| b.is_ascii_graphic()), "{kind}: {f}");
        assert!(signal.starts_at == START_UNKNOWN || plausible(signal.starts_at, Noon.now()), "{kind}");
        assert!(signal.ends_at.is_none_or(|end| end >= signal.starts_at), "{kind}");
        assert!(signal.labels.len() <= MAX_LABELS && signal.annotations.len() <= MAX_LABELS, "{kind}");
        for (name, value) in &signal.labels {
            assert!(name.chars().count().max(value.chars().count()) <= MAX_LABEL_CHARS, "{kind}");
            assert!(name.chars().chain(value.chars()).all(is_plain), "{kind}: {name}={value}");
        }
        for value in signal.annotations.values() {
            assert!(value.chars().count() <= MAX_ANNOTATION_CHARS, "{kind}");
            assert!(value.chars().all(|c| is_plain(c) || c == '\n'), "{kind}: {value}");
        }
        assert!(signal.link.is_none_or(|link| link.starts_with("http") && link.chars().all(is_plain)), "{kind}");
    }
}

#[test]
fn every_truncation_of_every_fixture_is_refused_in_words() {
    for vendor in &VENDORS {
        for text in [vendor.firing, vendor.resolved] {
            let text = text.trim_end();
            for end in 0..text.len() {
                let result = read_with(vendor.kind, &HeaderMap::new(), &text.as_bytes()[..end], Noon.now());
                assert!(matches!(result, Err(Unreadable::Malformed(_))), "{} at {end}", vendor.kind);
                check(vendor.kind, &result);
            }
        }
    }
}

/// Every place of a document.
fn places(value: &Value, at: &str, found: &mut Vec<String>) {
    found.push(at.to_owned());
    match value {
        Value::Object(map) => map.iter().for_each(|(key, inner)| places(inner, &format!("{at}/{key}"), found)),
        Value::Array(list) => list.iter().enumerate().for_each(|(n, inner)| places(inner, &format!("{at}/{n}"), found)),
        _ => {}
    }
}

#[test]
fn no_wrong_type_value_or_time_anywhere_breaks_it() {
    let odd = [
        json!(null),
        json!(true),
        json!(-1),
        json!(1e300),
        json!(u64::MAX),
        json!(i64::MIN),
        json!(""),
        json!(" "),
        json!([]),
        json!({}),
        json!([[[{}]]]),
        json!({ "": { "": [] } }),
        json!("0001-01-01T00:00:00Z"),
        json!("9999-12-31T23:59:59.999999999Z"),
        json!("-9999-01-01T00:00:00Z"),
        json!("2016-12-31T23:59:60Z"),
        json!("99999999999999999999999999"),
        json!("\u{0}\u{1b}[31m\u{202e}\u{200b}<!channel> <script>alert(1)</script> @everyone"),
        json!("x".repeat(100_000)),
        json!("é".repeat(3_000)),
    ];
    for vendor in &VENDORS {
        for text in [vendor.firing, vendor.acknowledged, vendor.resolved] {
            let whole: Value = serde_json::from_str(text).unwrap();
            let mut all = Vec::new();
            places(&whole, "", &mut all);
            for place in all {
                for value in &odd {
                    let mut changed = whole.clone();
                    *changed.pointer_mut(&place).unwrap() = value.clone();
                    check(vendor.kind, &read(vendor.kind, &changed.to_string()));
                }
                if let Some((parent, field)) = place.rsplit_once('/') {
                    let mut changed = whole.clone();
                    if let Some(Value::Object(map)) = changed.pointer_mut(parent) {
                        map.remove(field);
                    }
                    check(vendor.kind, &read(vendor.kind, &changed.to_string()));
                }
            }
        }
    }
}

#[test]
fn deep_huge_and_broken_json_is_no_trouble() {
    let deep = |open: &str, close: &str| format!("{}{}", open.repeat(10_000), close.repeat(10_000));
    let huge_key = format!("{{\"{}\": 1}}", "k".repeat(1 << 20));
    let wide = format!("[{}{{}}]", "{},".repeat(300_000));
    let texts = [
        deep("[", "]"),
        deep("{\"event\":", "}"),
        deep("{\"data\":", "}"),
        deep("{\"alerts\":[", "]}"),
        "[".repeat(1 << 20),
        huge_key,
        wide,
        "{\"a\":\"\\ud800\"}".to_owned(),
        "{\"action\":\"\\udc00\"}".to_owned(),
        "{\"a\":\"\0\"}".to_owned(),
        "{\"a\":NaN}".to_owned(),
        "{'a':1}".to_owned(),
        "{\"a\":1}{\"a\":1}".to_owned(),
        "\u{feff}{}".to_owned(),
        "9".repeat(1 << 20),
    ];
    for kind in KINDS {
        for text in &texts {
            check(kind.name, &read(kind.name, text));
        }
        for bytes in [&b"\xff\xfe{\0}\0"[..], b"{\"a\":\"\xc3\x28\"}", b"\x1f\x8b\x08\x00"] {
            check(kind.name, &read_with(kind.name, &HeaderMap::new(), bytes, Noon.now()));
        }
    }
    // Skipped depth inside what nobody asks for.
    for vendor in &VENDORS {
        let mut value: Value = serde_json::from_str(vendor.firing).unwrap();
        value["padding"] = json!("@");
        let text = value.to_string().replace("\"@\"", &deep("[", "]"));
        let reading = read(vendor.kind, &text).unwrap_or_else(|why| panic!("{}: {why}", vendor.kind));
        assert_eq!(reading.signals, 1, "{}", vendor.kind);
    }
}

/// Ten thousand of whatever a vendor lists: bounded, not refused.
#[test]
fn lists_without_end_are_cut() {
    let many: serde_json::Map<String, Value> = (0..10_000).map(|n| (format!("label{n}"), json!("v"))).collect();
    let row: Vec<Value> = (0..10_000).map(|n| json!(format!("name{n}:v"))).collect();
    let pairs: Vec<Value> = (0..10_000).map(|n| json!([format!("name{n}"), "v"])).collect();
    for (kind, place, value) in [
        ("opsgenie", "/alert/details", json!(many)),
        ("opsgenie", "/alert/tags", json!(row)),
        ("datadog", "/tags", json!(row)),
        ("sentry", "/data/event/tags", json!(pairs)),
        ("zabbix", "/tags", json!(many)),
        ("cloudevents", "/data/labels", json!(many)),
        ("grafana", "/alerts/0/labels", json!(many)),
    ] {
        let vendor = VENDORS.iter().find(|v| v.kind == kind).unwrap();
        let mut whole: Value = serde_json::from_str(vendor.firing).unwrap();
        *whole.pointer_mut(place).unwrap() = value;
        let result = read(kind, &whole.to_string());
        check(kind, &result);
        let reading = result.unwrap();
        assert_eq!((reading.signals, reading.trimmed), (1, 1), "{kind}");
    }
}

/// A secret in any text of any vendor is gone before it is kept, and also from what the sender is told.
#[test]
fn secrets_do_not_get_in() {
    for vendor in &VENDORS {
        let whole: Value = serde_json::from_str(vendor.firing).unwrap();
        let mut all = Vec::new();
        places(&whole, "", &mut all);
        for place in all {
            let mut changed = whole.clone();
            *changed.pointer_mut(&place).unwrap() = json!("https://u:canary@h/");
            let kept = format!("{:?}", read(vendor.kind, &changed.to_string()));
            assert!(!kept.contains("canary"), "{} at {place}: {kept}", vendor.kind);
        }
    }
}

fn json_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
        "(firing|resolved|Create|Close|Triggered|Recovered|triggered|ACTIVATED|1|0|1\\.0)".prop_map(Value::from),
    ];
    let names = "(event|event_type|data|id|action|alert|alias|status|version|alerts|labels|tags|details|issue|metric_alert\
                 |event_id|event_value|state|alert_id|alert_transition|date|specversion|source|type|title|service|teams)";
    leaf.prop_recursive(4, 48, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::hash_map(names, inner, 0..6).prop_map(|map| map.into_iter().collect::<Value>()),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_json_breaks_any_kind(value in json_value()) {
        let text = value.to_string();
        for kind in KINDS {
            check(kind.name, &read(kind.name, &text));
        }
    }

    #[test]
    fn no_bytes_break_any_kind(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        for kind in KINDS {
            check(kind.name, &read_with(kind.name, &HeaderMap::new(), &bytes, Noon.now()));
        }
    }

    #[test]
    fn no_flipped_byte_breaks_its_kind(n in 0..VENDORS.len(), places in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8)) {
        let vendor = &VENDORS[n];
        let mut bytes = vendor.firing.as_bytes().to_vec();
        for (place, byte) in places {
            let at = place.index(bytes.len());
            bytes[at] = byte;
        }
        check(vendor.kind, &read_with(vendor.kind, &HeaderMap::new(), &bytes, Noon.now()));
    }
}
