//! `POST /alerts/{source}` over a real socket: what is taken in is handed to the door before the 2xx; what is our own fault
//! is 503 and never 4xx; a stranger changes nothing.

use crate::world::door::{MemoryDoor, Noon};
use axum::body::Body;
use axum::http::{HeaderMap, Request, StatusCode};
use flate2::write::GzEncoder;
use serde_json::{Value, json};
use smokejumper::config::secret::Secret;
use smokejumper::config::source::{Auth, Source};
use smokejumper::edges::alerts::{self, Limits, MAX_BODY, MAX_SAMPLE, Scrub, Setting};
use smokejumper::edges::runner::redact::Redactor;
use smokejumper::flow::signal::AlertStatus;
use smokejumper::ports::{Clock, StoreError};
use std::io::Write as _;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tower::ServiceExt as _;

const FIRING: &str = include_str!("../fixtures/alertmanager/firing.json");
const RESOLVED_ONE: &str = include_str!("../fixtures/alertmanager/resolved_one.json");

fn source(name: &str, auth: Auth) -> Source {
    Source { name: name.to_owned(), kind: "alertmanager".to_owned(), auth, mapping: None }
}

fn sources() -> Vec<Source> {
    let basic = Auth::Basic { user: "am".to_owned(), passwords: vec![Secret::new("pw-canary")] };
    let bearer = Auth::Bearer(vec![Secret::new("new-canary"), Secret::new("old-canary")]);
    vec![source("open", Auth::Open), source("bearer", bearer), source("basic", basic)]
}

fn router(door: &Arc<MemoryDoor>, limits: Limits) -> axum::Router {
    let redactor = Redactor::new(["known-canary".to_owned()]);
    let scrub: Scrub = Arc::new(move |text| redactor.redact(text));
    alerts::router(&sources(), door.clone(), Arc::new(Noon), scrub, limits).unwrap()
}

fn post(source: &str, headers: &[(&str, &str)], body: impl Into<Body>) -> Request<Body> {
    let mut request = Request::post(format!("/alerts/{source}"));
    if !headers.iter().any(|(name, _)| *name == "content-type") {
        request = request.header("content-type", "application/json");
    }
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(body.into()).unwrap()
}

struct Answered {
    status: StatusCode,
    retry_after: Option<String>,
    challenge: Option<String>,
    body: Value,
}

impl Answered {
    fn error(&self) -> &str {
        self.body["error"].as_str().unwrap_or_default()
    }
}

async fn send_to(router: axum::Router, request: Request<Body>) -> Answered {
    let response = router.oneshot(request).await.unwrap();
    let header = |name: &str| response.headers().get(name).map(|v| v.to_str().unwrap().to_owned());
    let (retry_after, challenge) = (header("retry-after"), header("www-authenticate"));
    let status = response.status();
    let bytes = axum::body::to_bytes(response.into_body(), 1 << 20).await.unwrap();
    Answered { status, retry_after, challenge, body: serde_json::from_slice(&bytes).unwrap_or_default() }
}

async fn send(door: &Arc<MemoryDoor>, request: Request<Body>) -> Answered {
    send_to(router(door, Limits::default()), request).await
}

#[tokio::test]
async fn a_recorded_delivery_is_taken_in_once_however_often_it_comes() {
    let door = Arc::new(MemoryDoor::default());
    for _ in 0..5 {
        let answer = send(&door, post("open", &[], FIRING)).await;
        assert_eq!((answer.status, answer.body), (StatusCode::OK, json!({ "accepted": 2, "shortened": 0 })));
    }
    assert_eq!(door.deliveries(), 1);
    let answer = send(&door, post("open", &[], RESOLVED_ONE)).await;
    assert_eq!(answer.status, StatusCode::OK);
    let signals = door.signals();
    assert_eq!(signals.len(), 4, "another state is another delivery");
    let resolved = signals.iter().find(|s| s.status == AlertStatus::Resolved).unwrap();
    assert_eq!(resolved.key.fingerprint, "b27ebb78fdf033be");
    assert!(resolved.ends_at.unwrap() > resolved.starts_at);
    assert_eq!(signals.iter().filter(|s| s.key == resolved.key && s.starts_at == resolved.starts_at).count(), 2);
    assert!(door.letters().is_empty());
}

/// Recorded from Alertmanager 0.25: when it leaves the fingerprint out, ours is the same.
#[tokio::test]
async fn a_missing_fingerprint_is_computed_as_alertmanager_does() {
    let door = Arc::new(MemoryDoor::default());
    let mut bare: Value = serde_json::from_str(FIRING).unwrap();
    for alert in bare["alerts"].as_array_mut().unwrap() {
        alert.as_object_mut().unwrap().remove("fingerprint");
    }
    send(&door, post("open", &[], FIRING)).await;
    send(&door, post("open", &[], bare.to_string())).await;
    assert_eq!(door.deliveries(), 1, "{:#?}", door.signals());
}

#[tokio::test]
async fn storage_trouble_is_ours_and_never_a_4xx() {
    for error in [
        StoreError::Unavailable("database is locked".to_owned()),
        StoreError::Conflict("moved".to_owned()),
        StoreError::Unusable("disk image is malformed".to_owned()),
    ] {
        let door = Arc::new(MemoryDoor { broken: Mutex::new(Some(error)), ..MemoryDoor::default() });
        // Malformed too: it could not be kept for a person to see.
        for body in [FIRING, "{"] {
            let answer = send(&door, post("open", &[], body)).await;
            assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
            assert_eq!(answer.retry_after.as_deref(), Some("5"));
            assert!(!answer.error().contains("database"), "no internals: {}", answer.error());
        }
        *door.broken.lock().unwrap() = None;
        assert_eq!(send(&door, post("open", &[], FIRING)).await.status, StatusCode::OK);
    }
}

#[tokio::test]
async fn what_nobody_can_read_is_refused_counted_and_sampled() {
    let door = Arc::new(MemoryDoor::default());
    let secretive = "{\"version\": \"5\", \"alerts\": [], \"note\": \"Authorization: Bearer body-canary\"}";
    let long = format!("{{\"version\": \"4\", \"alerts\": {}", "[".repeat(50_000));
    for (n, body) in ["", "{", "[]", secretive, &long].into_iter().enumerate() {
        let answer = send(&door, post("open", &[], body.to_owned())).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{body:.40}");
        assert!(!answer.error().is_empty() && answer.retry_after.is_none());
        assert_eq!(door.letters().len(), n + 1);
    }
    for letter in door.letters() {
        assert_eq!((letter.source.as_str(), letter.at), ("alerts/open", Noon.now()));
        assert!(!letter.why.is_empty() && letter.sample.chars().count() <= MAX_SAMPLE);
        assert!(!letter.sample.contains("body-canary"));
    }
    assert!(door.signals().is_empty());
}

#[tokio::test]
async fn secrets_do_not_get_in() {
    let door = Arc::new(MemoryDoor::default());
    let mut loud: Value = serde_json::from_str(FIRING).unwrap();
    loud["alerts"][0]["annotations"]["description"] = json!("Authorization: Bearer abcdef123456 and known-canary");
    loud["alerts"][0]["startsAt"] = json!("2026-11-20T07:17:58Z");
    assert_eq!(send(&door, post("open", &[], loud.to_string())).await.status, StatusCode::OK);
    loud["version"] = json!("9");
    assert_eq!(send(&door, post("open", &[], loud.to_string())).await.status, StatusCode::BAD_REQUEST);
    let kept = format!("{:?}{:?}", door.signals(), door.letters());
    assert!(!kept.contains("known-canary") && !kept.contains("abcdef123456"), "{kept}");
    assert_eq!(kept.matches("[redacted]").count(), 4, "{kept}");
}

#[tokio::test]
async fn every_truncation_is_a_400_and_nothing_is_stored() {
    let door = Arc::new(MemoryDoor::default());
    let body = FIRING.trim();
    for end in 0..body.len() {
        if !body.is_char_boundary(end) {
            continue;
        }
        assert_eq!(send(&door, post("open", &[], &body[..end])).await.status, StatusCode::BAD_REQUEST, "{end}");
    }
    assert!(door.signals().is_empty());
}

#[tokio::test]
async fn a_few_bad_alerts_are_left_out_and_told() {
    let door = Arc::new(MemoryDoor::default());
    let mut mixed: Value = serde_json::from_str(FIRING).unwrap();
    mixed["alerts"][0]["startsAt"] = json!("yesterday");
    let answer = send(&door, post("open", &[], mixed.to_string())).await;
    assert_eq!(
        (answer.status, &answer.body["accepted"], &answer.body["refused"]),
        (StatusCode::OK, &json!(1), &json!(1))
    );
    assert!(door.letters()[0].why.contains("startsAt"));
    assert_eq!(door.signals().len(), 1);
}

#[tokio::test]
async fn an_empty_delivery_is_fine_and_leaves_nothing() {
    let door = Arc::new(MemoryDoor::default());
    let answer = send(&door, post("open", &[], "{\"version\":\"4\",\"alerts\":[]}")).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert!(door.deliveries() == 0 && door.letters().is_empty());
}

/// Source, headers, the status they get.
type Try<'t> = (&'t str, &'t [(&'t str, &'t str)], u16);

#[tokio::test]
async fn strangers_change_nothing() {
    let door = Arc::new(MemoryDoor::default());
    let tries: [Try<'_>; 9] = [
        ("bearer", &[], 401),
        ("bearer", &[("authorization", "Bearer wrong")], 401),
        ("bearer", &[("authorization", "Basic bmV3LWNhbmFyeQ==")], 401),
        ("basic", &[("authorization", "Basic YW06d3Jvbmc=")], 401),
        ("nobody", &[], 404),
        ("..%2fopen", &[], 404),
        ("open", &[("origin", "https://evil.example")], 403),
        ("open", &[("sec-fetch-site", "cross-site")], 403),
        ("bearer", &[("authorization", "Bearer wrong"), ("content-type", "text/plain")], 401),
    ];
    for (source, headers, status) in tries {
        for body in [FIRING, "{"] {
            let answer = send(&door, post(source, headers, body)).await;
            assert_eq!(answer.status.as_u16(), status, "{source} {headers:?}");
            assert_eq!(answer.challenge.is_some(), status == 401);
            assert!(!answer.body.to_string().contains("canary"));
        }
    }
    assert!(door.deliveries() == 0 && door.letters().is_empty());
    assert_eq!(send(&door, post("bearer", &[("authorization", "Bearer old-canary")], FIRING)).await.status, 200);
    assert_eq!(send(&door, post("basic", &[("authorization", "Basic YW06cHctY2FuYXJ5")], FIRING)).await.status, 200);
}

#[tokio::test]
async fn compressed_or_foreign_content_is_refused_without_being_unpacked() {
    let door = Arc::new(MemoryDoor::default());
    let mut bomb = GzEncoder::new(Vec::new(), flate2::Compression::best());
    bomb.write_all(&vec![b' '; 8 << 20]).unwrap();
    let answer = send(&door, post("open", &[("content-encoding", "gzip")], bomb.finish().unwrap())).await;
    assert_eq!(answer.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    let answer = send(&door, post("open", &[("content-type", "text/plain")], FIRING)).await;
    assert_eq!(answer.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    let identity = [("content-encoding", "identity"), ("content-type", "application/json; charset=utf-8")];
    assert_eq!(send(&door, post("open", &identity, FIRING)).await.status, StatusCode::OK);
    assert_eq!(door.letters().len(), 2);
}

#[tokio::test]
async fn what_is_too_large_is_a_413_by_promise_and_in_pieces() {
    let door = Arc::new(MemoryDoor::default());
    let promised = post("open", &[("content-length", &(MAX_BODY + 1).to_string())], "");
    assert_eq!(send(&door, promised).await.status, StatusCode::PAYLOAD_TOO_LARGE);
    let piece = axum::body::Bytes::from(vec![b' '; 1 << 20]);
    let endless = futures::stream::repeat_with(move || Ok::<_, std::io::Error>(piece.clone()));
    let answer = send(&door, post("open", &[], Body::from_stream(endless))).await;
    assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE);
    assert!(answer.error().contains("max_alerts"));
    assert_eq!(door.letters().len(), 2);
    let padded = format!("{FIRING}{}", " ".repeat(MAX_BODY - FIRING.len()));
    assert_eq!(send(&door, post("open", &[], padded)).await.status, StatusCode::OK, "exactly at the bound");
}

#[tokio::test]
async fn ten_thousand_alerts_arrive_in_parts() {
    let door = Arc::new(MemoryDoor::default());
    let mut many: Value = serde_json::from_str(FIRING).unwrap();
    let template = many["alerts"][0].clone();
    let alerts = (0..10_000).map(|n| {
        let mut alert = template.clone();
        alert["fingerprint"] = json!(format!("{n:016x}"));
        alert
    });
    many["alerts"] = alerts.collect();
    let answer = send(&door, post("open", &[], many.to_string())).await;
    assert_eq!((answer.status, &answer.body["accepted"]), (StatusCode::OK, &json!(10_000)));
    assert_eq!((door.deliveries(), door.signals().len()), (20, 10_000));
}

#[tokio::test]
async fn a_body_that_comes_too_slowly_is_a_503_for_408_would_be_dropped() {
    let door = Arc::new(MemoryDoor::default());
    let limits = Limits { body_deadline: Duration::from_millis(50), ..Limits::default() };
    let stuck = Body::from_stream(futures::stream::pending::<Result<axum::body::Bytes, std::io::Error>>());
    let answer = send_to(router(&door, limits), post("open", &[], stuck)).await;
    assert_eq!((answer.status, answer.retry_after.as_deref()), (StatusCode::SERVICE_UNAVAILABLE, Some("5")));
}

#[tokio::test]
async fn storage_that_hangs_is_a_503_and_the_next_try_finds_room() {
    let door = Arc::new(MemoryDoor { gate: Some(Semaphore::new(0)), ..MemoryDoor::default() });
    let limits = Limits { take_deadline: Duration::from_millis(50), ..Limits::default() };
    let router = router(&door, limits);
    let answer = send_to(router.clone(), post("open", &[], FIRING)).await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    door.gate.as_ref().unwrap().add_permits(1);
    assert_eq!(send_to(router, post("open", &[], FIRING)).await.status, StatusCode::OK);
}

#[tokio::test]
async fn more_at_once_than_there_is_room_for_is_a_503_not_a_429() {
    let door = Arc::new(MemoryDoor { gate: Some(Semaphore::new(0)), ..MemoryDoor::default() });
    let router = router(&door, Limits { deliveries: 1, ..Limits::default() });
    let first = send_to(router.clone(), post("open", &[], FIRING));
    let second = async {
        // The first one is inside once it has been polled; then there is no room.
        let answer = send_to(router.clone(), post("open", &[], RESOLVED_ONE)).await;
        door.gate.as_ref().unwrap().add_permits(1);
        answer
    };
    let (first, second) = tokio::join!(biased; first, second);
    assert_eq!((first.status, second.status), (StatusCode::OK, StatusCode::SERVICE_UNAVAILABLE));
    assert_eq!(door.signals().len(), 2);
}

/// The order of I1 as the sender sees it: no byte of the answer before the door has returned.
#[tokio::test]
async fn no_answer_before_it_is_stored() {
    let door = Arc::new(MemoryDoor { gate: Some(Semaphore::new(0)), ..MemoryDoor::default() });
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = tokio::spawn(axum::serve(listener, router(&door, Limits::default())).into_future());
    let mut stream = TcpStream::connect(address).await.unwrap();
    let head = "POST /alerts/open HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-type: application/json\r\n";
    stream.write_all(format!("{head}content-length: {}\r\n\r\n{FIRING}", FIRING.len()).as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    let early = tokio::time::timeout(Duration::from_millis(100), stream.read_buf(&mut answer)).await;
    assert!(early.is_err(), "answered before it was stored: {}", String::from_utf8_lossy(&answer));
    assert!(door.signals().is_empty());
    door.gate.as_ref().unwrap().add_permits(1);
    stream.read_to_end(&mut answer).await.unwrap();
    assert!(answer.starts_with(b"HTTP/1.1 200 OK"), "{}", String::from_utf8_lossy(&answer));
    assert_eq!(door.signals().len(), 2);
    server.abort();
}

/// F33 in small: many who open a request and say no more do not keep the others out.
#[tokio::test]
async fn those_who_never_finish_do_not_keep_others_out() {
    let door = Arc::new(MemoryDoor::default());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let limits = Limits { body_deadline: Duration::from_millis(300), ..Limits::default() };
    let server = tokio::spawn(axum::serve(listener, router(&door, limits)).into_future());
    let mut idle = Vec::new();
    for _ in 0..200 {
        let mut stream = TcpStream::connect(address).await.unwrap();
        let head = "POST /alerts/open HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 900000\r\n\r\n{";
        stream.write_all(head.as_bytes()).await.unwrap();
        idle.push(stream);
    }
    let mut tries = 0;
    loop {
        tries += 1;
        let mut stream = TcpStream::connect(address).await.unwrap();
        let head = "POST /alerts/open HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-type: application/json\r\n";
        stream.write_all(format!("{head}content-length: {}\r\n\r\n{FIRING}", FIRING.len()).as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        if answer.starts_with("HTTP/1.1 200") {
            break;
        }
        assert!(answer.starts_with("HTTP/1.1 503") && answer.contains("retry-after"), "{answer}");
        assert!(tries < 10_000, "never let in");
    }
    for mut stream in idle {
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 503"), "{answer}");
    }
    server.abort();
}

/// Optional conformance with payloads from elsewhere.
#[test]
fn foreign_samples_are_understood_where_they_are_at_hand() {
    let Some(folder) = std::env::var_os("SMOKEJUMPER_ALERT_SAMPLES") else {
        println!("SKIPPED: name a folder with alertmanager_firing.json in SMOKEJUMPER_ALERT_SAMPLES to read it, too");
        return;
    };
    for name in ["alertmanager_firing.json", "alertmanager_resolved.json"] {
        let bytes = std::fs::read(std::path::Path::new(&folder).join(name)).unwrap();
        let reading = alerts::alertmanager::read(
            &Setting { source: "x", now: Noon.now(), headers: &HeaderMap::new(), scrub: &str::to_owned },
            &bytes,
        )
        .unwrap();
        assert!(reading.signals > 0 && reading.refused == 0, "{name}");
    }
}
