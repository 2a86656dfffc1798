use super::*;
use crate::flow::signal::{MAX_ANNOTATION_CHARS, MAX_LABEL_CHARS, MAX_LABELS};
use axum::http::HeaderMap;
use proptest::prelude::*;
use serde_json::{Value, json};

/// 2026-11-20T10:00:00Z
const NOW: At = At(1_795_168_800_000);

fn alert(name: &str, status: &str, starts: &str) -> Value {
    json!({
        "status": status,
        "labels": { "alertname": name, "severity": "critical", "service": "checkout" },
        "annotations": { "summary": format!("{name} is high") },
        "startsAt": starts,
        "endsAt": "0001-01-01T00:00:00Z",
        "generatorURL": "http://prometheus:9090/graph",
        "fingerprint": format!("{:016x}", name.len()),
    })
}

fn delivery(alerts: &[Value]) -> Value {
    json!({ "version": "4", "groupKey": "{}:{}", "status": "firing", "alerts": alerts, "externalURL": "http://am:9093" })
}

fn read_at(bytes: &[u8], now: At) -> Result<Reading, Unreadable> {
    read(
        &Setting { source: "am", now, headers: &HeaderMap::new(), scrub: &|text| text.replace("canary", "[redacted]") },
        bytes,
    )
}

fn read_value(value: &Value) -> Result<Reading, Unreadable> {
    read_at(value.to_string().as_bytes(), NOW)
}

fn signals(reading: &Reading) -> Vec<&Signal> {
    let events = reading.arrivals.iter().map(|a| &a.event);
    events.flat_map(|e| if let Event::Signals(d) = e { d.signals.iter().collect() } else { vec![] }).collect()
}

fn one(alert: Value) -> Signal {
    signals(&read_value(&delivery(&[alert])).unwrap()).first().copied().unwrap().clone()
}

fn with(mut alert: Value, key: &str, value: Value) -> Value {
    alert.as_object_mut().unwrap().insert(key.to_owned(), value);
    alert
}

fn without(mut alert: Value, key: &str) -> Value {
    alert.as_object_mut().unwrap().remove(key);
    alert
}

fn refusal(result: Result<Reading, Unreadable>) -> String {
    match result.unwrap_err() {
        Unreadable::Malformed(why) | Unreadable::TooLarge(why) => why,
    }
}

const AT: &str = "2026-11-20T09:58:00.123456789Z";

#[test]
fn an_alert_is_read_whole() {
    let signal = one(alert("HighErrorRate", "firing", AT));
    assert_eq!(signal.key, AlertKey { source: "am".to_owned(), fingerprint: "000000000000000d".to_owned() });
    assert_eq!((signal.status, signal.starts_at, signal.ends_at), (AlertStatus::Firing, At(1_795_168_680_123), None));
    assert_eq!(signal.name(), "HighErrorRate");
    assert_eq!(signal.summary(), Some("HighErrorRate is high"));
    assert_eq!(signal.link.as_deref(), Some("http://prometheus:9090/graph"));
}

#[test]
fn a_missing_fingerprint_is_the_one_alertmanager_gives() {
    let labels = vec![("alertname", "Fake"), ("severity", "critical")];
    let mut shuffled = labels.clone();
    shuffled.reverse();
    assert_eq!(label_fingerprint(labels.clone()), label_fingerprint(shuffled));
    // FNV-1a by hand for the empty set and one pair: offset basis, and "a\xffb\xff".
    assert_eq!(label_fingerprint(vec![]), "cbf29ce484222325");
    assert_eq!(label_fingerprint(vec![("a", "b")]), {
        let fnv = [b'a', 255, b'b', 255]
            .iter()
            .fold(0xcbf2_9ce4_8422_2325_u64, |h, b| (h ^ u64::from(*b)).wrapping_mul(1_099_511_628_211));
        format!("{fnv:016x}")
    });
    let bare = without(alert("x", "firing", AT), "fingerprint");
    assert_eq!(one(bare.clone()).key.fingerprint.len(), 16);
    assert_eq!(one(bare.clone()).key, one(with(bare, "fingerprint", json!(""))).key);
}

#[test]
fn a_strange_fingerprint_is_replaced_by_its_digest() {
    for strange in ["a b".to_owned(), "\u{202e}".to_owned(), "x".repeat(65)] {
        let got = one(with(alert("x", "firing", AT), "fingerprint", json!(strange))).key.fingerprint;
        assert!(got.len() == 64 && got.bytes().all(|b| b.is_ascii_hexdigit()), "{got}");
    }
}

#[test]
fn times_that_cannot_be_true_are_unknown() {
    for odd in ["0001-01-01T00:00:00Z", "2099-01-01T00:00:00Z", "1969-12-31T23:59:59Z", "9999-12-31T23:59:59Z", ""] {
        assert_eq!(one(alert("x", "firing", odd)).starts_at, START_UNKNOWN, "{odd}");
    }
    assert_eq!(one(without(alert("x", "firing", AT), "startsAt")).starts_at, START_UNKNOWN);
    for near in ["2026-11-21T09:00:00Z", "2026-11-20T10:00:00+02:00", "2016-12-31T23:59:60Z"] {
        assert_ne!(one(alert("x", "firing", near)).starts_at, START_UNKNOWN, "{near}");
    }
    let ended = |ends: &str| one(with(alert("x", "resolved", AT), "endsAt", json!(ends))).ends_at;
    assert_eq!(ended("2026-11-20T09:59:00Z"), Some(At(1_795_168_740_000)));
    assert_eq!(ended("2026-11-20T01:00:00Z"), Some(At(1_795_168_680_123)), "an end before the start is the start");
    assert_eq!(ended("0001-01-01T00:00:00Z"), None);
    assert_eq!(ended("2099-01-01T00:00:00Z"), None);
    assert_eq!(one(with(alert("x", "firing", AT), "endsAt", json!("2026-11-20T09:59:00Z"))).ends_at, None);
}

#[test]
fn text_is_cleaned_and_cut() {
    let mut labels = serde_json::Map::new();
    for n in 0..200 {
        labels.insert(format!("a{n:03}"), json!("v"));
    }
    labels.insert("severity".to_owned(), json!("crit\u{202e}ical"));
    labels.insert("zz_service".to_owned(), json!("x"));
    labels.insert("service".to_owned(), json!("é".repeat(300)));
    let loud = with(alert("x", "firing", AT), "labels", Value::Object(labels));
    let loud = with(loud, "annotations", json!({ "description": format!("one\ntwo\u{1b}[31m{}", "y".repeat(5_000)) }));
    let reading = read_value(&delivery(&[loud])).unwrap();
    assert_eq!(reading.trimmed, 1);
    let signal = signals(&reading).first().copied().unwrap().clone();
    assert_eq!(signal.labels.len(), MAX_LABELS);
    assert_eq!(signal.labels.get("severity").map(String::as_str), Some("critical"));
    let service = signal.labels.get("service").unwrap();
    assert!(service.chars().count() == MAX_LABEL_CHARS && service.ends_with('…'));
    let told = signal.annotations.get("description").unwrap();
    assert!(told.starts_with("one\ntwo[31m") && told.chars().count() == MAX_ANNOTATION_CHARS);
}

#[test]
fn secrets_are_gone_before_anything_is_cut() {
    let told = format!("{}canary", "x".repeat(MAX_ANNOTATION_CHARS - 3));
    let loud =
        with(alert("x", "firing", AT), "annotations", json!({ "description": told, "summary": "can\u{200b}ary" }));
    let loud = with(loud, "labels", json!({ "job": "canary", "canary": "v" }));
    let loud = with(loud, "generatorURL", json!("https://u:canary@h/"));
    let reading = read_value(&with(delivery(&[loud]), "groupKey", json!("{a=\"canary\"}"))).unwrap();
    let kept = format!("{:?}", reading.arrivals);
    assert!(!kept.contains("can") && kept.matches("[red").count() == 5 && kept.contains("xxx[r…"), "{kept:.300}");
}

#[test]
fn labels_that_look_alike_are_one_and_different_alerts_stay_two() {
    let a = with(alert("x", "firing", AT), "labels", json!({ "job": "a", "j\u{200d}ob": "b" }));
    assert_eq!(one(a).labels.len(), 1);
    let bare = |v: Value| without(v, "fingerprint");
    let lower = bare(with(alert("x", "firing", AT), "labels", json!({ "job": "a" })));
    let upper = bare(with(alert("x", "firing", AT), "labels", json!({ "job": "A" })));
    assert_ne!(one(lower).key, one(upper).key);
}

#[test]
fn links_are_web_addresses_or_none() {
    let link = |url: &str| one(with(alert("x", "firing", AT), "generatorURL", json!(url))).link;
    assert_eq!(link("https://p/graph?g0.expr=up").as_deref(), Some("https://p/graph?g0.expr=up"));
    let am = Some("http://am:9093");
    for bad in ["javascript:alert(1)", "", "file:///etc/passwd", "http://a b", "https://x\u{202e}y"] {
        assert_eq!(link(bad).as_deref(), am, "{bad}");
    }
    assert_eq!(link(&format!("https://{}", "x".repeat(3_000))).as_deref(), am);
}

#[test]
fn a_large_delivery_is_cut_into_parts_with_keys_of_their_own() {
    let many: Vec<Value> =
        (0..1_201).map(|n| with(alert("x", "firing", AT), "fingerprint", json!(format!("{n:016x}")))).collect();
    let reading = read_value(&delivery(&many)).unwrap();
    let sizes: Vec<usize> =
        reading.arrivals.iter().map(|a| if let Event::Signals(d) = &a.event { d.signals.len() } else { 0 }).collect();
    assert_eq!((sizes, reading.signals), (vec![500, 500, 201], 1_201));
    let keys: std::collections::BTreeSet<&str> = reading.arrivals.iter().map(|a| a.key.as_str()).collect();
    assert_eq!(keys.len(), 3);
    assert!(reading.arrivals.iter().all(|a| a.source == "alerts/am"));
}

#[test]
fn too_many_alerts_or_labels_are_told_so() {
    let bare = vec![json!({}); MAX_ALERTS + 1];
    let why = read_value(&delivery(&bare)).unwrap_err();
    assert!(matches!(&why, Unreadable::TooLarge(w) if w.contains("max_alerts")), "{why:?}");
    let labels: serde_json::Map<String, Value> = (0..64).map(|n| (format!("l{n}"), json!(""))).collect();
    let wide: Vec<Value> = (0..MAX_PAIRS / 64 + 10)
        .map(|n| json!({ "status": "firing", "labels": labels, "fingerprint": format!("{n}"), "startsAt": AT }))
        .collect();
    assert!(matches!(read_value(&delivery(&wide)), Err(Unreadable::TooLarge(_))));
    let quotes = "\"".repeat(MAX_QUOTES + 1);
    assert!(matches!(read_at(quotes.as_bytes(), NOW), Err(Unreadable::TooLarge(_))), "before it is parsed");
}

#[test]
fn ten_thousand_labels_are_cut_not_refused() {
    let labels: serde_json::Map<String, Value> = (0..10_000).map(|n| (format!("l{n}"), json!("v"))).collect();
    let reading = read_value(&delivery(&[with(alert("x", "firing", AT), "labels", Value::Object(labels))])).unwrap();
    assert_eq!((reading.signals, reading.trimmed), (1, 1));
}

#[test]
fn one_bad_alert_does_not_take_the_others_with_it() {
    let good = alert("x", "firing", AT);
    let bad =
        [alert("y", "suppressed", AT), alert("y", "firing", "yesterday"), without(alert("y", "firing", AT), "status")];
    for bad in bad {
        let reading = read_value(&delivery(&[bad.clone(), good.clone()])).unwrap();
        assert_eq!((reading.signals, reading.refused), (1, 1));
        assert!(reading.first_refusal.unwrap().starts_with("alert 1: "));
        assert!(refusal(read_value(&delivery(&[bad]))).starts_with("none of its 1 alerts can be read"));
    }
}

#[test]
fn what_is_not_this_format_is_refused_in_words() {
    let good = delivery(&[alert("x", "firing", AT)]);
    assert!(refusal(read_value(&with(good.clone(), "version", json!("5")))).contains("version \"5\""));
    assert!(refusal(read_value(&without(good.clone(), "version"))).contains("no \"version\""));
    assert!(refusal(read_value(&without(good.clone(), "alerts"))).contains("no \"alerts\""));
    assert!(refusal(read_value(&with(good.clone(), "version", json!(4)))).contains("invalid type"));
    assert!(refusal(read_value(&with(good.clone(), "alerts", json!({})))).contains("an array of alerts"));
    assert!(refusal(read_value(&with(good.clone(), "alerts", json!([[]])))).contains("invalid"));
    assert!(refusal(read_value(&json!([]))).contains("invalid"));
    assert!(refusal(read_at(b"", NOW)).contains("too early"));
    assert!(refusal(read_at(b"{\"version\":\"4\",\"version\":\"4\",\"alerts\":[]}", NOW)).contains("duplicate field"));
    let labels = |v: Value| with(alert("x", "firing", AT), "labels", v);
    assert!(refusal(read_value(&delivery(&[labels(json!({ "a": 1 }))]))).contains("invalid type"));
    assert!(refusal(read_value(&delivery(&[labels(json!(["a"]))]))).contains("an object of strings"));
    assert_eq!(read_value(&delivery(&[labels(Value::Null)])).unwrap().signals, 1);
    assert_eq!(read_value(&delivery(&[])).unwrap().arrivals, vec![], "nothing said, nothing to store");
}

#[test]
fn nothing_in_the_bad_json_corpus_panics() {
    let good = delivery(&[alert("Ünïcode", "firing", AT), alert("yy", "resolved", AT)]).to_string();
    for end in 0..good.len() {
        assert!(read_at(good.as_bytes().get(..end).unwrap(), NOW).is_err(), "cut at {end}");
    }
    let deep = |open: &str, close: &str| format!("{}{}", open.repeat(10_000), close.repeat(10_000));
    let in_field = |field: &str, raw: &str| format!("{{\"version\":\"4\",\"alerts\":[],\"{field}\":{raw}}}");
    let refused = [
        deep("[", "]"),
        deep("{\"a\":", "}"),
        in_field("groupKey", &deep("[", "]")),
        in_field("groupKey", "\"\\ud800\""),
        in_field("groupKey", "\"\\udc00\\ud800\""),
        in_field("truncatedAlerts", "1e999"),
        in_field("truncatedAlerts", "-0.5"),
        in_field("truncatedAlerts", "NaN"),
        format!("\u{feff}{good}"),
        format!("{good}x"),
        format!("{good}{good}"),
        "{'version':'4'}".to_owned(),
        "{version:\"4\"}".to_owned(),
        "null".to_owned(),
        "\"\"".to_owned(),
        "\0".to_owned(),
    ];
    for body in &refused {
        assert!(read_at(body.as_bytes(), NOW).is_err(), "{}", body.chars().take(60).collect::<String>());
    }
    let utf16: Vec<u8> = good.encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert!(read_at(&utf16, NOW).is_err());
    assert!(read_at(b"{\"version\":\"4\",\"alerts\":[],\"groupKey\":\"\xff\"}", NOW).is_err());
    // What we do not look at may be as odd as it likes, and as deep.
    for raw in [deep("[", "]"), "9007199254740993".to_owned(), "-0".to_owned()] {
        assert!(read_at(in_field("extra", &raw).as_bytes(), NOW).is_ok(), "{}", raw.len());
    }
    let key = "k".repeat(1024 * 1024);
    assert!(read_at(in_field(&key, "1").as_bytes(), NOW).is_ok());
    let long_group = json!("g".repeat(64 * 1024));
    let reading = read_value(&with(delivery(&[alert("x", "firing", AT)]), "groupKey", long_group)).unwrap();
    let Some(Event::Signals(delivery)) = reading.arrivals.first().map(|a| a.event.clone()) else {
        panic!("no signals")
    };
    assert_eq!(delivery.group.unwrap().len(), 64);
}

fn any_alert() -> impl Strategy<Value = Value> {
    (0..6_u8, prop::bool::ANY, 0..3_u8, 0..2_u8).prop_map(|(name, firing, start, end)| {
        let status = if firing { "firing" } else { "resolved" };
        let alert = alert(&"n".repeat(usize::from(name) + 1), status, &format!("2026-11-20T09:5{start}:00Z"));
        with(alert, "endsAt", json!(if end == 0 { "0001-01-01T00:00:00Z" } else { "2026-11-20T09:59:00Z" }))
    })
}

proptest! {
    /// I3, I4: order and repetition within a delivery, and later repetition of it, make no difference at all.
    #[test]
    fn order_and_multiplicity_do_not_matter(
        (alerts, shuffled, extra) in prop::collection::vec(any_alert(), 1..12)
            .prop_flat_map(|v| (Just(v.clone()), Just(v.clone()).prop_shuffle(), prop::sample::subsequence(v.clone(), 0..v.len()))),
        later in 0..3_600_000_i64,
    ) {
        let first = read_value(&delivery(&alerts)).unwrap();
        let again: Vec<Value> = shuffled.into_iter().chain(extra).collect();
        let second = read_at(delivery(&again).to_string().as_bytes(), NOW.plus(later)).unwrap();
        let essence = |r: &Reading| r.arrivals.iter().map(|a| (a.key.clone(), a.event.clone())).collect::<Vec<_>>();
        prop_assert_eq!(essence(&first), essence(&second));
    }

    /// Another state of any alert is another delivery.
    #[test]
    fn what_differs_has_another_key(alerts in prop::collection::vec(any_alert(), 1..6), which in any::<prop::sample::Index>()) {
        let first = read_value(&delivery(&alerts)).unwrap();
        let mut changed = alerts.clone();
        let at = which.index(changed.len());
        let other = with(changed.remove(at), "startsAt", json!("2026-11-20T08:00:00Z"));
        changed.insert(at, other);
        let second = read_value(&delivery(&changed)).unwrap();
        prop_assert_ne!(&first.arrivals.first().unwrap().key, &second.arrivals.first().unwrap().key);
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let _ = read_at(&bytes, NOW);
    }

    #[test]
    fn no_damage_makes_it_panic(alerts in prop::collection::vec(any_alert(), 1..3), at in any::<prop::sample::Index>(), byte: u8) {
        let mut bytes = delivery(&alerts).to_string().into_bytes();
        let at = at.index(bytes.len());
        bytes.splice(at..=at, [byte]);
        let _ = read_at(&bytes, NOW);
    }
}
