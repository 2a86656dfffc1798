//! F31 at the scale of the suite: signed deliveries that were changed, delayed, sent again or sent to somebody else change nothing.

use super::alerts_vendors::{VENDORS, Vendor};
use crate::sim::dice::Dice;
use crate::world::door::{MemoryDoor, Noon};
use axum::body::Body;
use axum::http::{HeaderName, Request};
use ring::hmac;
use smokejumper::config::secret::Secret;
use smokejumper::config::source::{Auth, Source};
use smokejumper::edges::alerts::signature::Signing;
use smokejumper::edges::alerts::{self, Limits};
use smokejumper::ports::Clock;
use std::sync::Arc;
use tower::ServiceExt as _;

/// Changed requests, over all vendors that sign.
const MUTATIONS: usize = 2_000;
const NEW: &str = "new-canary-0123456789abcdef";
const OLD: &str = "old-canary-0123456789abcdef";
const OTHERS: &str = "other-canary-0123456789abcdef";

/// A request as it goes over the wire.
#[derive(Clone, Debug)]
struct Sent {
    source: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

fn now() -> i64 {
    Noon.now().0 / 1_000
}

fn tag(secret: &str, bytes: &[u8]) -> String {
    hex::encode(hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes()), bytes).as_ref())
}

/// As the vendor signs it.
fn signed(vendor: &Vendor, signing: &Signing, secret: &str, body: &[u8], at: i64) -> Sent {
    let mut headers = vec![("content-type".to_owned(), "application/json".to_owned())];
    let bytes = match signing.timestamp {
        Some(name) => {
            headers.push((name.to_owned(), at.to_string()));
            [format!("{at}:").as_bytes(), body].concat()
        }
        None => body.to_vec(),
    };
    headers.push((signing.header.to_owned(), format!("{}{}", signing.prefix, tag(secret, &bytes))));
    Sent { source: vendor.kind.to_owned(), headers, body: body.to_vec() }
}

fn signers() -> Vec<(&'static Vendor, Signing)> {
    VENDORS.iter().filter_map(|v| Some((v, alerts::kind(v.kind)?.signing?))).collect()
}

/// Each signing kind under its own name with our secrets, and once more for somebody else.
fn router(door: &Arc<MemoryDoor>) -> axum::Router {
    let mut sources = Vec::new();
    for (vendor, _) in signers() {
        for (suffix, secrets) in [("", vec![NEW, OLD]), ("-theirs", vec![OTHERS])] {
            let auth = Auth::Signed(secrets.into_iter().map(Secret::new).collect());
            let name = format!("{}{suffix}", vendor.kind);
            sources.push(Source { name, kind: vendor.kind.to_owned(), auth, mapping: None });
        }
    }
    alerts::router(&sources, door.clone(), Arc::new(Noon), Arc::new(str::to_owned), Limits::default()).unwrap()
}

async fn send(router: &axum::Router, sent: &Sent) -> u16 {
    let mut request = Request::post(format!("/alerts/{}", sent.source));
    for (name, value) in &sent.headers {
        request = request.header(HeaderName::from_bytes(name.as_bytes()).unwrap(), value);
    }
    let answer = router.clone().oneshot(request.body(Body::from(sent.body.clone())).unwrap()).await.unwrap();
    assert_eq!(answer.headers().contains_key("www-authenticate"), answer.status() == 401);
    answer.status().as_u16()
}

#[tokio::test]
async fn who_signs_is_let_in_with_either_secret_and_at_either_end_of_the_window() {
    for (vendor, signing) in signers() {
        let door = Arc::new(MemoryDoor::default());
        let router = router(&door);
        for (secret, text) in [(NEW, vendor.firing), (OLD, vendor.resolved)] {
            for at in [now(), now() - 300, now() + 300] {
                assert_eq!(send(&router, &signed(vendor, &signing, secret, text.as_bytes(), at)).await, 200);
            }
        }
        assert_eq!(door.deliveries(), 2, "{}: signed at another time, it is the same delivery", vendor.kind);
        assert!(door.letters().is_empty());
    }
}

/// PagerDuty sends one signature for each secret while one replaces the other.
#[tokio::test]
async fn one_of_several_signatures_is_enough() {
    let door = Arc::new(MemoryDoor::default());
    let vendor = VENDORS.iter().find(|v| v.kind == "pagerduty").unwrap();
    let body = vendor.firing.as_bytes();
    let both = format!("v1={},v1={}", tag(OTHERS, body), tag(OLD, body));
    let headers = vec![("content-type", "application/json"), ("X-PagerDuty-Signature", &both)];
    let headers = headers.into_iter().map(|(k, v)| (k.to_owned(), v.to_owned())).collect();
    let sent = Sent { source: "pagerduty".to_owned(), headers, body: body.to_vec() };
    assert_eq!(send(&router(&door), &sent).await, 200);
    assert_eq!(door.deliveries(), 1);
}

#[tokio::test]
async fn what_was_changed_delayed_or_sent_again_changes_nothing() {
    let door = Arc::new(MemoryDoor::default());
    let router = router(&door);
    let mut dice = Dice::new(31);
    let signers = signers();
    assert_eq!(signers.len(), 3, "grafana, pagerduty, sentry");
    for (vendor, signing) in &signers {
        assert_eq!(send(&router, &signed(vendor, signing, NEW, vendor.firing.as_bytes(), now())).await, 200);
    }
    let before = (door.signals(), door.deliveries());
    assert_eq!(before.1, signers.len());
    let (mut refused, mut replayed) = (0, 0);
    for round in 0..MUTATIONS {
        let (vendor, signing) = &signers[round % signers.len()];
        let honest = signed(vendor, signing, NEW, vendor.firing.as_bytes(), now());
        let (sent, replay) = mutated(&mut dice, vendor, signing, honest);
        let status = send(&router, &sent).await;
        assert_eq!(status, if replay { 200 } else { 401 }, "{sent:?}");
        replayed += usize::from(replay);
        refused += usize::from(!replay);
    }
    assert_eq!((door.signals(), door.deliveries()), before);
    assert!(door.letters().is_empty(), "a stranger's words are not kept");
    println!("F31: {MUTATIONS} changed requests, {refused} refused with 401, {replayed} replays without effect");
    assert!(refused > MUTATIONS / 2 && replayed > MUTATIONS / 50);
}

/// One change; whether what is left is an honest delivery sent again.
fn mutated(dice: &mut Dice, vendor: &Vendor, signing: &Signing, mut sent: Sent) -> (Sent, bool) {
    let text = sent.headers.last().unwrap().1.clone();
    let at = dice.below(text.len());
    let signature = sent.headers.len() - 1;
    match dice.below(20) {
        0 => {
            let n = dice.below(sent.body.len());
            sent.body[n] ^= 1 << dice.below(8);
        }
        1 => {
            let n = dice.below(sent.body.len());
            sent.body.truncate(n);
        }
        2 => sent.body.push(dice.pick(b" \n0}\0")),
        3 => {
            let n = dice.below(sent.body.len());
            sent.body.insert(n, dice.pick(b" \n0}\"\\"));
        }
        // Resolved under the signature of firing.
        4 => sent.body = vendor.resolved.as_bytes().to_vec(),
        5 => sent.body.clear(),
        6 => sent.body.splice(0..0, *b"\xef\xbb\xbf").for_each(drop),
        7 => {
            let other = dice.pick(b"0123456789abcdef");
            let mut bytes = text.clone().into_bytes();
            bytes[at] = if bytes[at] == other { b'z' } else { other };
            sent.headers[signature].1 = String::from_utf8(bytes).unwrap();
        }
        8 => sent.headers[signature].1 = text.to_uppercase(),
        9 => sent.headers[signature].1.truncate(at),
        10 => sent.headers[signature].1 = format!("{text}{}", dice.pick(&["0", "00", "g", "="])),
        11 => sent.headers[signature].1 = format!("{}{text}", dice.pick(&["v2=", "sha256=", "v1", "0"])),
        12 => drop(sent.headers.remove(signature)),
        13 => sent.headers.push(sent.headers[signature].clone()),
        14 => sent = signed(vendor, signing, dice.pick(&[OTHERS, "", "new-canary", vendor.kind]), &sent.body, now()),
        // Signed for somebody else's source, and ours sent to theirs.
        15 => sent.source.push_str("-theirs"),
        16 => match signing.timestamp {
            Some(_) => {
                let off = dice.pick(&[-301, 301, -86_400, 86_400, -i64::from(i32::MAX), 97_000_000_000]);
                sent = signed(vendor, signing, NEW, &sent.body, now() + off);
            }
            None => sent.headers[signature].1.truncate(signing.prefix.len()),
        },
        17 => match signing.timestamp {
            Some(name) => {
                let odd = ["", "0", "1e9", "-1", "١٢٣", "1795176000.0", "1795176001", "1795175999", "0x6afff8c0"];
                sent.headers.retain(|(n, _)| n != name);
                sent.headers.insert(0, (name.to_owned(), dice.pick(&odd).to_owned()));
            }
            None => sent.headers[signature].1 = "0".repeat(64),
        },
        18 => return (sent, true),
        // No signature covers headers: they may say what they like.
        _ => {
            for name in ["x-webhook-id", "request-id", "sentry-hook-resource", "sentry-hook-timestamp", "user-agent"] {
                sent.headers.push((name.to_owned(), format!("{}", dice.next())));
            }
            return (sent, true);
        }
    }
    (sent, false)
}

/// F33 at the same door: what is too large, compressed or of another type is a stranger's until its signature is proven, and
/// leaves no dead letter before.
#[tokio::test]
async fn a_body_is_not_kept_before_its_signature_is_proven() {
    let door = Arc::new(MemoryDoor::default());
    let router = router(&door);
    for (vendor, signing) in signers() {
        let honest = signed(vendor, &signing, NEW, vendor.firing.as_bytes(), now());
        let mut endless = honest.clone();
        endless.body = vec![b' '; alerts::MAX_BODY + 1];
        assert_eq!(send(&router, &endless).await, 413);
        let mut forged = honest.clone();
        forged.body.push(b' ');
        for (name, value) in [("content-encoding", "gzip"), ("content-type", "text/plain")] {
            let with = |sent: &Sent| {
                let mut sent = sent.clone();
                sent.headers.retain(|(n, _)| n != name);
                sent.headers.push((name.to_owned(), value.to_owned()));
                sent
            };
            let before = door.letters().len();
            assert_eq!(send(&router, &with(&forged)).await, 401);
            assert_eq!(door.letters().len(), before);
            assert_eq!(send(&router, &with(&honest)).await, 415, "who is known is told");
            assert_eq!(door.letters().len(), before + 1);
        }
    }
    assert_eq!(door.deliveries(), 0);
}

#[tokio::test]
async fn a_token_in_a_header_opens_its_source_and_what_is_no_alert_is_told() {
    let door = Arc::new(MemoryDoor::default());
    let values = vec![Secret::new(NEW), Secret::new(OLD)];
    let auth = Auth::Header { name: "X-Alert-Token".to_owned(), values };
    let source = Source { name: "opsgenie".to_owned(), kind: "opsgenie".to_owned(), auth, mapping: None };
    let scrub = Arc::new(str::to_owned);
    let router = alerts::router(&[source], door.clone(), Arc::new(Noon), scrub, Limits::default()).unwrap();
    let vendor = VENDORS.iter().find(|v| v.kind == "opsgenie").unwrap();
    let sent = |headers: &[(&str, &str)], body: &str| Sent {
        source: "opsgenie".to_owned(),
        headers: [&[("content-type", "application/json")], headers]
            .concat()
            .into_iter()
            .map(|(k, v)| (k.to_owned(), v.to_owned()))
            .collect(),
        body: body.as_bytes().to_vec(),
    };
    let strangers: [&[(&str, &str)]; 5] = [
        &[],
        &[("x-alert-token", "")],
        &[("x-alert-token", OTHERS)],
        &[("x-alert-token", NEW), ("x-alert-token", NEW)],
        &[("authorization", NEW)],
    ];
    for headers in strangers {
        assert_eq!(send(&router, &sent(headers, vendor.firing)).await, 401, "{headers:?}");
    }
    assert!(door.deliveries() == 0 && door.letters().is_empty());
    for token in [NEW, OLD] {
        assert_eq!(send(&router, &sent(&[("X-Alert-Token", token)], vendor.firing)).await, 200);
    }
    let note = include_str!("../fixtures/opsgenie/other.json");
    assert_eq!(send(&router, &sent(&[("X-Alert-Token", NEW)], note)).await, 200);
    assert_eq!(door.deliveries(), 1);
    assert_eq!(send(&router, &sent(&[("X-Alert-Token", NEW)], "{")).await, 400);
    assert_eq!(door.letters().len(), 1);
}

/// Strangers who make up signatures fill only the places of those who have to prove themselves by what they send.
#[tokio::test]
async fn strangers_take_no_place_of_those_who_are_known() {
    let door = Arc::new(MemoryDoor::default());
    let source =
        |name: &str, kind: &str, auth| Source { name: name.to_owned(), kind: kind.to_owned(), auth, mapping: None };
    let secrets = || vec![Secret::new(NEW)];
    let sources =
        [source("signed", "pagerduty", Auth::Signed(secrets())), source("known", "opsgenie", Auth::Bearer(secrets()))];
    let limits = Limits { body_deadline: std::time::Duration::from_millis(300), ..Limits::default() };
    let router = alerts::router(&sources, door.clone(), Arc::new(Noon), Arc::new(str::to_owned), limits).unwrap();
    let signature = format!("v1={}", tag(OTHERS, b"x"));
    let made_up = |body: Body| {
        let request = Request::post("/alerts/signed").header("content-type", "application/json");
        router.clone().oneshot(request.header("x-pagerduty-signature", &signature).body(body).unwrap())
    };
    let endless = || Body::from_stream(futures::stream::pending::<Result<axum::body::Bytes, std::io::Error>>());
    let crowd = futures::future::join_all((0..limits.deliveries + 100).map(|_| made_up(endless())));
    let vendor = VENDORS.iter().find(|v| v.kind == "opsgenie").unwrap();
    let headers = [("content-type", "application/json".to_owned()), ("authorization", format!("Bearer {NEW}"))];
    let headers = headers.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    let known = Sent { source: "known".to_owned(), headers, body: vendor.firing.as_bytes().to_vec() };
    let (crowd, known) = tokio::join!(biased; crowd, send(&router, &known));
    assert_eq!((known, door.deliveries()), (200, 1), "let in while all of them are waited for");
    assert!(crowd.into_iter().all(|answer| answer.unwrap().status() == 503));
    // What is about one thing is never so large, and is not read to its end to find out who sent it.
    let huge = made_up(Body::from(vec![b' '; alerts::MAX_ONE + 1])).await.unwrap();
    assert_eq!((huge.status().as_u16(), door.letters().len()), (413, 0));
}
