//! `POST /changes/{name}` over the same counter as alerts: what was changed is handed to the door once, bounded and plain; a
//! stranger changes nothing.

use crate::world::door::{MemoryDoor, Noon};
use axum::body::Body;
use axum::http::{Request, StatusCode};
use ring::hmac;
use serde_json::{Value, json};
use smokejumper::config::secret::Secret;
use smokejumper::config::source::{Auth, Source};
use smokejumper::edges::alerts::{Limits, Scrub};
use smokejumper::edges::changes;
use smokejumper::flow::event::Event;
use smokejumper::flow::moment::At;
use smokejumper::flow::signal::{Change, ChangeStatus};
use smokejumper::ports::Clock as _;
use std::sync::Arc;
use tower::ServiceExt as _;

const SUCCESS: &str = include_str!("../fixtures/github/deployment_status_success.json");
const SECRET: &str = "a-secret-of-the-webhook";

fn sources() -> Vec<Source> {
    let source =
        |name: &str, kind: &str, auth| Source { name: name.to_owned(), kind: kind.to_owned(), auth, mapping: None };
    vec![
        source("ci", "generic", Auth::Bearer(vec![Secret::new("ci-canary")])),
        source("github", "github", Auth::Signed(vec![Secret::new(SECRET)])),
    ]
}

async fn send(door: &Arc<MemoryDoor>, request: Request<Body>) -> (StatusCode, Value) {
    let scrub: Scrub = Arc::new(|text| text.replace("hunter2", "[redacted]"));
    let router = changes::router(&sources(), door.clone(), Arc::new(Noon), scrub, Limits::default()).unwrap();
    let response = router.oneshot(request).await.unwrap();
    let status = response.status();
    let bytes = axum::body::to_bytes(response.into_body(), 1 << 20).await.unwrap();
    (status, serde_json::from_slice(&bytes).unwrap_or_default())
}

fn ours(body: impl Into<Body>) -> Request<Body> {
    let request = Request::post("/changes/ci").header("content-type", "application/json");
    request.header("authorization", "Bearer ci-canary").body(body.into()).unwrap()
}

fn githubs(event: &str, body: &str, secret: &str) -> Request<Body> {
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes()), body.as_bytes());
    let hex = hex::encode(tag.as_ref());
    Request::post("/changes/github")
        .header("content-type", "application/json")
        .header("x-github-event", event)
        .header("x-github-delivery", "72d3162e-cc78-11e3-81ab-4c9367dc0958")
        .header("x-hub-signature-256", format!("sha256={hex}"))
        .body(Body::from(body.to_owned()))
        .unwrap()
}

fn told(door: &MemoryDoor) -> Vec<Change> {
    let stored = door.stored.lock().unwrap();
    let change = |event: &Event| if let Event::Changed(change) = event { Some(change.clone()) } else { None };
    stored.values().filter_map(|arrival| change(&arrival.event)).collect()
}

#[tokio::test]
async fn a_pipelines_change_is_taken_in_once() {
    let door = Arc::new(MemoryDoor::default());
    let body = json!({
        "id": "deploy-41", "at": "2026-11-20T11:48:00Z", "service": "checkout", "environment": "production",
        "summary": "Deploy v41 with hunter2\u{202e}", "by": "ana", "link": "https://ci.example.org/41", "status": "in_progress"
    });
    for _ in 0..3 {
        assert_eq!(send(&door, ours(body.to_string())).await.0, StatusCode::OK);
    }
    let expected = Change {
        source: "ci".to_owned(),
        id: "deploy-41".to_owned(),
        at: Noon.now().plus(-12 * 60_000),
        service: Some("checkout".to_owned()),
        environment: Some("production".to_owned()),
        summary: "Deploy v41 with [redacted]".to_owned(),
        by: Some("ana".to_owned()),
        link: Some("https://ci.example.org/41".to_owned()),
        status: ChangeStatus::InProgress,
    };
    assert_eq!(told(&door), [expected]);
    let small = json!([{ "id": "1", "summary": "Flag on" }, { "id": "2", "summary": "x".repeat(9_999), "link": "javascript:1" }]);
    assert_eq!(send(&door, ours(small.to_string())).await, (StatusCode::OK, json!({ "accepted": 2, "shortened": 0 })));
    let small = &told(&door)[..];
    assert_eq!(small.len(), 3);
    let flag = small.iter().find(|c| c.id == "1").unwrap();
    assert_eq!((flag.at, flag.status, flag.service.as_deref()), (Noon.now(), ChangeStatus::Succeeded, None));
    let long = small.iter().find(|c| c.id == "2").unwrap();
    assert!(long.summary.chars().count() <= 200 && long.link.is_none());
}

#[tokio::test]
async fn what_is_no_change_is_refused_with_what_to_write() {
    let door = Arc::new(MemoryDoor::default());
    let many = Value::Array(vec![json!({ "id": "1", "summary": "a" }); 101]).to_string();
    for (body, words, status) in [
        (r#"{"summary":"a"}"#, "missing field `id`", StatusCode::BAD_REQUEST),
        (r#"{"id":"","summary":"a"}"#, "empty \"id\"", StatusCode::BAD_REQUEST),
        (r#"{"id":"1","summary":"a","sevrice":"b"}"#, "unknown field `sevrice`", StatusCode::BAD_REQUEST),
        (r#"{"id":"1","summary":"a","at":"yesterday"}"#, "not a time like", StatusCode::BAD_REQUEST),
        (r#"{"id":"1","summary":"a","status":"done"}"#, "unknown variant `done`", StatusCode::BAD_REQUEST),
        ("[[[[", "docs/changes.md", StatusCode::BAD_REQUEST),
        (many.as_str(), "more than 100", StatusCode::PAYLOAD_TOO_LARGE),
    ] {
        let (given, answer) = send(&door, ours(body.to_owned())).await;
        assert_eq!(given, status, "{body:.60}");
        assert!(answer["error"].as_str().unwrap().contains(words), "{body:.60}: {answer}");
    }
    assert!(told(&door).is_empty());
    assert_eq!(door.letters().len(), 7);
    assert_eq!(door.letters()[0].source, "changes/ci");
    let stranger =
        Request::post("/changes/ci").header("content-type", "application/json").body(Body::from("{}")).unwrap();
    assert_eq!(send(&door, stranger).await.0, StatusCode::UNAUTHORIZED);
    let nowhere = Request::post("/changes/none").body(Body::empty()).unwrap();
    assert_eq!(send(&door, nowhere).await.0, StatusCode::NOT_FOUND);
    assert_eq!(door.letters().len(), 7, "a stranger leaves nothing");
}

#[tokio::test]
async fn deployments_of_github_are_changes() {
    let door = Arc::new(MemoryDoor::default());
    for _ in 0..3 {
        let (status, _) = send(&door, githubs("deployment_status", SUCCESS, SECRET)).await;
        assert_eq!(status, StatusCode::OK);
    }
    let expected = Change {
        source: "github".to_owned(),
        id: "deployment-145988746".to_owned(),
        at: At(1_795_175_280_000),
        service: Some("example/checkout".to_owned()),
        environment: Some("production".to_owned()),
        summary: "Deploy a10867b to production".to_owned(),
        by: Some("ana".to_owned()),
        link: Some("https://github.com/example/checkout/actions/runs/9/job/1".to_owned()),
        status: ChangeStatus::Succeeded,
    };
    assert_eq!(told(&door), std::slice::from_ref(&expected));
    let with = |change: fn(&mut Value)| {
        let mut body: Value = serde_json::from_str(SUCCESS).unwrap();
        change(&mut body);
        body.to_string()
    };
    // The event's name is not signed: whatever it says, the body is what it is.
    let failed = with(|body| {
        body["deployment_status"]["state"] = "failure".into();
        body["deployment"]["payload"] = json!({ "service": "checkout" });
    });
    assert_eq!(send(&door, githubs("release", &failed, SECRET)).await.0, StatusCode::OK);
    assert!(told(&door).contains(&Change {
        status: ChangeStatus::Failed,
        service: Some("checkout".to_owned()),
        ..expected
    }));
    let release = json!({
        "action": "published",
        "release": { "id": 7, "tag_name": "v41", "html_url": "https://github.com/example/checkout/releases/tag/v41",
            "published_at": "2026-11-20T11:00:00Z", "author": { "login": "bo" } },
        "repository": { "full_name": "example/checkout" }
    });
    send(&door, githubs("release", &release.to_string(), SECRET)).await;
    assert!(told(&door).iter().any(|c| c.summary == "Release v41" && c.by.as_deref() == Some("bo")));
    let before = door.deliveries();
    for quiet in [
        with(|body| body["deployment_status"]["state"] = "inactive".into()),
        with(|body| body["deployment_status"]["state"] = "queued".into()),
        json!({ "action": "created", "release": { "id": 7 } }).to_string(),
        json!({ "zen": "Keep it logically awesome.", "hook_id": 1 }).to_string(),
        json!({ "action": "opened", "issue": {} }).to_string(),
    ] {
        let (status, answer) = send(&door, githubs("any", &quiet, SECRET)).await;
        assert_eq!((status, &answer["ignored"]), (StatusCode::OK, &json!(1)), "{quiet:.80}");
    }
    for forged in [githubs("deployment_status", SUCCESS, "another-secret-here"), ours(SUCCESS)] {
        let forged = Request::post("/changes/github").body(forged.into_body()).unwrap();
        assert_eq!(send(&door, forged).await.0, StatusCode::UNAUTHORIZED);
    }
    assert_eq!(
        send(&door, githubs("deployment_status", SUCCESS, "another-secret-here")).await.0,
        StatusCode::UNAUTHORIZED
    );
    assert_eq!(door.deliveries(), before);
    assert!(door.letters().is_empty());
}
