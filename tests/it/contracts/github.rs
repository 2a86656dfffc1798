//! The edge of GitHub alone: who it is there, and what it lets in.

use crate::world::door::MemoryDoor;
use crate::world::github::{APP, FakeGitHub, HOOK_SECRET, INSTALLATION, PKCS1, PKCS8, TOKEN, sign, spec};
use crate::world::town::START;
use crate::world::watch::Watch;
use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use smokejumper::config::github::{Access, GitHub as Configured};
use smokejumper::config::secret::Secret;
use smokejumper::edges::github::{GitHub, PATH, router};
use smokejumper::flow::event::{Event, IssueMove};
use smokejumper::flow::incident::IncidentId;
use smokejumper::flow::moment::{HOUR, MINUTE};
use smokejumper::ports::{Clock, IssueDraft, StoreError, Tracker as _, Undelivered};
use std::sync::Arc;
use tower::ServiceExt as _;

fn draft(title: &str) -> IssueDraft {
    IssueDraft {
        incident: IncidentId(12),
        follow_up: 1,
        repository: "acme/ops".to_owned(),
        title: title.to_owned(),
        body: "what happened".to_owned(),
        labels: vec!["incident".to_owned()],
        assignees: vec!["ana-gh".to_owned()],
    }
}

fn configured(url: &str, access: Access) -> Configured {
    Configured { api_url: url.to_owned(), access, webhook: Vec::new(), allow_plaintext: false }
}

async fn world() -> (FakeGitHub, Arc<Watch>) {
    let watch = Arc::new(Watch::at(START));
    (FakeGitHub::start(watch.clone()).await, watch)
}

#[tokio::test]
async fn an_app_proves_itself_and_renews_its_token() {
    for pem in [PKCS1, PKCS8] {
        let (github, watch) = world().await;
        let access = Access::App { id: APP, installation: INSTALLATION, key: Secret::new(pem) };
        let edge = GitHub::new(&configured(&github.url, access), watch.clone()).unwrap();
        for n in 0..3 {
            let (issue, unknown) = edge.file(&format!("op-{n}"), &draft("mend it")).await.unwrap();
            assert_eq!((issue.number, unknown), (n + 1, Vec::new()));
            watch.set(watch.now().plus(25 * MINUTE));
        }
        assert_eq!(github.asked("POST /app/installations"), 2, "at once, and after 50 minutes");
        let (found, _) = edge.find("op-1", &draft("mend it"), START).await.unwrap().unwrap();
        assert_eq!(found.number, 2);
        assert_eq!(edge.find("op-9", &draft("mend it"), START).await.unwrap(), None);
        // Revoked before its time.
        github.with(|truth| truth.tokens.clear());
        let again = edge.file("op-3", &draft("mend it")).await.unwrap_err();
        assert!(matches!(again, Undelivered::NotYet { .. }), "{again}");
        edge.file("op-3", &draft("mend it")).await.unwrap_err();
        watch.set(watch.now().plus(MINUTE));
        edge.file("op-3", &draft("mend it")).await.unwrap();
        assert_eq!(github.violations(), Vec::<String>::new());
    }
}

#[tokio::test]
async fn a_key_or_a_token_that_is_none_is_told() {
    let (github, watch) = world().await;
    let access = Access::App { id: APP, installation: INSTALLATION, key: Secret::new("canary") };
    let said = GitHub::new(&configured(&github.url, access), watch.clone()).unwrap_err();
    assert!(said.contains("app.key") && !said.contains("canary"), "{said}");
    let access = Access::App { id: APP + 1, installation: INSTALLATION, key: Secret::new(PKCS8) };
    let edge = GitHub::new(&configured(&github.url, access), watch.clone()).unwrap();
    let said = edge.file("op", &draft("x")).await.unwrap_err();
    assert!(matches!(&said, Undelivered::Never { why } if why.contains("app.id")), "{said}");
    let edge = GitHub::new(&configured(&github.url, Access::Token(Secret::new("canary"))), watch.clone()).unwrap();
    let said = edge.file("op", &draft("x")).await.unwrap_err();
    assert!(matches!(&said, Undelivered::Never { why } if why.contains("does not accept the token")), "{said}");
    assert!(!said.to_string().contains("canary"));
    for url in ["http://git.example", "ftp://git.example", "nonsense"] {
        let access = Access::Token(Secret::new(TOKEN));
        assert!(GitHub::new(&configured(url, access), watch.clone()).is_err(), "{url}");
    }
}

#[tokio::test]
async fn nobody_there_is_not_yet() {
    let (github, watch) = world().await;
    // A port that was free a moment ago.
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let access = || Access::Token(Secret::new(TOKEN));
    let edge = GitHub::new(&configured(&format!("http://{free}"), access()), watch.clone()).unwrap();
    let said = edge.file("op", &draft("x")).await.unwrap_err();
    assert!(matches!(said, Undelivered::NotYet { .. }), "{said}");
    // Hostile names never become part of an address.
    let edge = GitHub::new(&configured(&github.url, access()), watch).unwrap();
    for repository in ["../../user", "acme", "acme/ops/issues", "acme/ops?x=1", "acme/..", "a b/c", ""] {
        let hostile = IssueDraft { repository: repository.to_owned(), ..draft("x") };
        assert!(matches!(edge.file("op", &hostile).await, Err(Undelivered::Never { .. })), "{repository}");
    }
    assert_eq!(github.asked(""), 0);
}

#[tokio::test]
async fn what_is_listed_late_is_found_on_any_page() {
    let (github, watch) = world().await;
    let edge = GitHub::new(&configured(&github.url, Access::Token(Secret::new(TOKEN))), watch.clone()).unwrap();
    let (_, _) = edge.file("op-0", &draft("first")).await.unwrap();
    let first = github.issues("acme/ops").remove(0);
    github.with(|truth| {
        let issues = &mut truth.repositories.get_mut("acme/ops").unwrap().issues;
        for number in 2..=130 {
            let mut other = first.clone();
            other.number = number;
            other.body = other.body.replace("op-0", &format!("op-{number}"));
            issues.push(other);
        }
    });
    let found = edge.find("op-130", &draft("x"), START.plus(HOUR)).await.unwrap().unwrap();
    assert_eq!(found.0.number, 130);
    assert_eq!(edge.find("op-131", &draft("x"), START).await.unwrap(), None);
    assert_eq!(github.violations(), Vec::<String>::new());
}

// ---- webhooks --------------------------------------------------------------------------------------------------

fn desk(door: &Arc<MemoryDoor>) -> Router {
    let clock: Arc<dyn Clock> = Arc::new(crate::world::door::Noon);
    let secrets = [Secret::new("the-one-before"), Secret::new(HOOK_SECRET)];
    router(&secrets, door.clone(), clock, Arc::new(str::to_owned)).unwrap()
}

async fn post(app: &Router, signature: Option<&str>, body: &str) -> StatusCode {
    let mut request = Request::post(PATH).header("x-github-event", "issues").header("x-github-delivery", "d-1");
    request = request.header("content-type", "application/json");
    if let Some(signature) = signature {
        request = request.header("x-hub-signature-256", signature);
    }
    app.clone().oneshot(request.body(Body::from(body.to_owned())).unwrap()).await.unwrap().status()
}

fn moves(door: &MemoryDoor) -> Vec<IssueMove> {
    let stored = door.stored.lock().unwrap();
    let event = |event: &Event| match event {
        Event::IssueMoved { to, incident, .. } => {
            assert_eq!(*incident, IncidentId(12));
            to.clone()
        }
        other => panic!("{other:?}"),
    };
    stored.values().map(|arrival| event(&arrival.event)).collect()
}

async fn filed() -> FakeGitHub {
    let (github, watch) = world().await;
    let edge = GitHub::new(&configured(&github.url, Access::Token(Secret::new(TOKEN))), watch).unwrap();
    edge.file("op-0", &draft("mend it")).await.unwrap();
    github
}

#[tokio::test]
async fn a_delivery_is_taken_once_however_often_it_comes() {
    let (github, door) = (filed().await, Arc::new(MemoryDoor::default()));
    let app = desk(&door);
    let at = github.now();
    github.change("acme/ops", 1, "ben-gh", |issue| issue.closed_at = Some(at));
    let (body, signature) = github.delivery("acme/ops", 1, "closed", "ben-gh");
    for _ in 0..3 {
        assert_eq!(post(&app, Some(&signature), &body).await, StatusCode::OK);
    }
    assert_eq!(moves(&door), [IssueMove::Closed]);
    // While one secret replaces the other both are good.
    let (body, _) = github.delivery("acme/ops", 1, "assigned", "ben-gh");
    assert_eq!(post(&app, Some(&sign("the-one-before", body.as_bytes())), &body).await, StatusCode::OK);
    assert!(moves(&door).contains(&IssueMove::Assigned(Some("ana-gh".to_owned()))));
}

#[tokio::test]
async fn nothing_unsigned_changes_anything() {
    let (github, door) = (filed().await, Arc::new(MemoryDoor::default()));
    let app = desk(&door);
    let (body, good) = github.delivery("acme/ops", 1, "closed", "ben-gh");
    let wrong = sign("somebody-else", body.as_bytes());
    let upper = good.to_uppercase();
    let cut = &good[..good.len() - 1];
    let sha1 = good.replace("sha256=", "sha1=");
    for signature in
        [None, Some(""), Some("sha256="), Some(wrong.as_str()), Some(upper.as_str()), Some(cut), Some(sha1.as_str())]
    {
        assert_eq!(post(&app, signature, &body).await, StatusCode::UNAUTHORIZED, "{signature:?}");
    }
    let mut flipped = body.clone().into_bytes();
    for at in (0..flipped.len()).step_by(97) {
        flipped[at] ^= 1;
        let request =
            Request::post(PATH).header("x-hub-signature-256", &good).body(Body::from(flipped.clone())).unwrap();
        assert_eq!(app.clone().oneshot(request).await.unwrap().status(), StatusCode::UNAUTHORIZED);
        flipped[at] ^= 1;
    }
    assert_eq!(door.deliveries(), 0);
    // A signature that comes twice is none.
    let twice = Request::post(PATH).header("x-hub-signature-256", &good).header("x-hub-signature-256", &good);
    let status = app.clone().oneshot(twice.body(Body::from(body)).unwrap()).await.unwrap().status();
    assert_eq!(status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn what_is_not_ours_is_answered_and_forgotten() {
    let (github, door) = (filed().await, Arc::new(MemoryDoor::default()));
    let app = desk(&door);
    let (closed, _) = github.delivery("acme/ops", 1, "closed", "ben-gh");
    let bodies = [
        r#"{"zen":"Keep it logically awesome.","hook_id":1}"#.to_owned(),
        "{}".to_owned(),
        closed.replace("\"closed\"", "\"labeled\""),
        closed.replace("smokejumper:op", "somebody:op"),
        closed.replace("incident=INC-12", "incident=INC-99999999999"),
        closed.replace("\"full_name\":\"acme/ops\"", "\"full_name\":\"../../x\""),
    ];
    for body in &bodies {
        let status = post(&app, Some(&sign(HOOK_SECRET, body.as_bytes())), body).await;
        assert_eq!(status, StatusCode::OK, "{body}");
    }
    assert_eq!((door.deliveries(), door.letters().len()), (0, 0));
    // Signed, and not understood: kept for a person to look at.
    for body in ["not json".to_owned(), "[]".to_owned(), closed.replace("\"number\":1", "\"number\":-1")] {
        let status = post(&app, Some(&sign(HOOK_SECRET, body.as_bytes())), &body).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{body}");
    }
    assert_eq!((door.deliveries(), door.letters().len()), (0, 3));
    let huge = " ".repeat(2 * 1024 * 1024);
    assert_eq!(post(&app, Some(&sign(HOOK_SECRET, huge.as_bytes())), &huge).await, StatusCode::PAYLOAD_TOO_LARGE);
    *door.broken.lock().unwrap() = Some(StoreError::Unavailable("full".to_owned()));
    let status = post(&app, Some(&sign(HOOK_SECRET, closed.as_bytes())), &closed).await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
}

/// Anybody can post here: what never ends is put off, and takes nobody else's place; without a signature no body is waited for.
#[tokio::test]
async fn bodies_that_never_end_keep_nobody_else_out() {
    const MADE_UP: &str = "sha256=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
    let door = Arc::new(MemoryDoor::default());
    let app = desk(&door);
    let endless = |signature: Option<&'static str>| {
        let body = Body::from_stream(futures::stream::pending::<Result<axum::body::Bytes, std::io::Error>>());
        let mut request = Request::post(PATH).header("content-type", "application/json");
        if let Some(signature) = signature {
            request = request.header("x-hub-signature-256", signature);
        }
        app.clone().oneshot(request.body(body).unwrap())
    };
    assert_eq!(endless(None).await.unwrap().status(), StatusCode::UNAUTHORIZED, "its headers are enough");
    let crowd = futures::future::join_all((0..200).map(|_| endless(Some(MADE_UP))));
    let statuses: Vec<StatusCode> = crowd.await.into_iter().map(|r| r.unwrap().status()).collect();
    assert!(statuses.iter().all(|s| *s == StatusCode::SERVICE_UNAVAILABLE), "{statuses:?}");
    let body = r#"{"zen":"Speak like a human.","hook_id":1}"#;
    assert_eq!(post(&app, Some(&sign(HOOK_SECRET, body.as_bytes())), body).await, StatusCode::OK);
    assert!(door.letters().is_empty(), "what strangers send is not kept");
}

/// GitHub's own examples, when they lie beside the project: each is read, and none is taken for ours.
#[tokio::test]
async fn the_vendors_own_examples_are_read() {
    let Some(folder) = spec::folder() else {
        println!("skipped: GitHub's examples are not here");
        return;
    };
    let text = std::fs::read_to_string(folder.join("webhooks-examples.json")).unwrap();
    let all: Vec<serde_json::Value> = serde_json::from_str(&text).unwrap();
    let door = Arc::new(MemoryDoor::default());
    let app = desk(&door);
    let marker = "<!-- smokejumper:op=i1.0 incident=INC-12 follow-up=F-1 -->";
    let (mut read, mut ours) = (0, 0);
    for event in &all {
        for example in event["examples"].as_array().unwrap() {
            let mut example = example.clone();
            let body = example.to_string();
            assert!(post(&app, Some(&sign(HOOK_SECRET, body.as_bytes())), &body).await.is_success());
            read += 1;
            let action = example["action"].as_str().unwrap_or_default().to_owned();
            if event["name"] == "issues"
                && ["assigned", "unassigned", "reopened", "deleted", "transferred"].contains(&action.as_str())
            {
                example["issue"]["body"] = marker.into();
                let body = example.to_string();
                let status = post(&app, Some(&sign(HOOK_SECRET, body.as_bytes())), &body).await;
                assert_eq!(status, StatusCode::OK, "{action}");
                ours += 1;
            }
        }
    }
    println!("{read} examples read, {ours} of issues that would be ours");
    assert!(read > 100 && ours >= 5 && door.deliveries() > 0, "{read} {ours}");
}

#[tokio::test]
async fn what_doctor_asks_changes_nothing() {
    let (github, watch) = world().await;
    github.with(|truth| {
        let off = crate::world::github::Repository { issues_off: true, ..Default::default() };
        truth.repositories.insert("acme/off".to_owned(), off);
    });
    let token = GitHub::new(&configured(&github.url, Access::Token(Secret::new(TOKEN))), watch.clone()).unwrap();
    assert_eq!(token.identity().await.unwrap(), "smokejumper-bot (a token)");
    assert_eq!(token.inspect("acme/ops").await.unwrap(), None);
    let access = Access::App { id: APP, installation: INSTALLATION, key: Secret::new(PKCS8) };
    let app = GitHub::new(&configured(&github.url, access), watch).unwrap();
    assert_eq!(app.identity().await.unwrap(), "smokejumper[bot] (an App's installation)");
    assert_eq!(app.inspect("acme/ops").await.unwrap(), Some(true));
    for (repository, says) in [("acme/off", "switched off"), ("acme/none", "no such repository"), ("x", "owner/name")] {
        let said = app.inspect(repository).await.unwrap_err().to_string();
        assert!(said.contains(says), "{said}");
    }
    assert_eq!(github.asked("POST /repos") + github.asked("PATCH"), 0);
    assert_eq!(github.violations(), Vec::<String>::new());
}
