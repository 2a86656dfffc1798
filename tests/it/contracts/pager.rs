//! Pagers at the edge: what is sent stays within the vendor's bounds, every answer is understood, and nobody unproven answers for
//! anybody.

use crate::world::door::{MemoryDoor, Noon};
use crate::world::pagerduty::{ANSWERS, FakePagerDuty, Trouble, signed};
use axum::body::Body;
use axum::http::{Request, StatusCode};
use axum::response::IntoResponse as _;
use axum::routing::post;
use serde_json::json;
use smokejumper::config::pager::Pagers;
use smokejumper::config::{Environment, Given, check};
use smokejumper::edges::pager::{Phones, answers};
use smokejumper::flow::event::Event;
use smokejumper::flow::identity::PersonId;
use smokejumper::flow::incident::IncidentId;
use smokejumper::ports::{Call, Clock, Pager, Undelivered};
use smokejumper_intents::word::Severity;
use std::sync::Arc;
use tower::ServiceExt as _;

const KEY: &str = "0123456789abcdef0123456789abcdef";
const PAGE: &str = "smokejumper/INC-7/2/1795168800000";

fn pagers(settings: &str) -> Pagers {
    let variable = |name: &str| match name {
        "KEY" => Some(KEY.to_owned()),
        "ANSWERS" => Some(ANSWERS.to_owned()),
        _ => None,
    };
    let text = format!(
        "[secrets]\nkey = {{ env = \"KEY\" }}\nanswers = {{ env = \"ANSWERS\" }}\n[[pager]]\nname = \"pagerduty\"\n\
         kind = \"pagerduty\"\nrouting_key = \"key\"\nanswers = \"answers\"\n{settings}"
    );
    let given = Given::default();
    let checked = check(given, &Environment { variable: &variable, uid: 1000 }, None, &text);
    checked.usable().unwrap_or_else(|problems| panic!("{problems:#?}")).0.pagers
}

fn phones(url: &str) -> Phones {
    let clock: Arc<dyn Clock> = Arc::new(Noon);
    Phones::new(&pagers(&format!("api_url = \"{url}\"\n")), "https://incidents.example.org", &clock).unwrap().unwrap()
}

fn call(title: &str) -> Call {
    Call {
        incident: IncidentId(7),
        page: 2,
        who: PersonId("bo".to_owned()),
        title: title.to_owned(),
        severity: Severity::Sev1,
        service: Some("checkout".to_owned()),
        hidden: false,
        because: title.to_owned(),
        link: None,
    }
}

#[tokio::test]
async fn whatever_the_title_the_event_keeps_to_the_bounds() {
    let fake = FakePagerDuty::open().await;
    let phones = phones(&fake.url());
    for (n, title) in ["x".repeat(100_000), "🔥".repeat(5_000), "\u{202e}\u{0}\"\\\n{}".to_owned()].iter().enumerate()
    {
        assert_eq!(phones.page(&format!("smokejumper/INC-7/{n}/1"), &call(title)).await, Ok("pagerduty".to_owned()));
    }
    assert_eq!(fake.rings(KEY), 3);
    assert!(fake.alarms().values().any(|a| a.summary.chars().count() == 1_024));
}

#[tokio::test]
async fn a_page_rings_once_however_often_it_is_sent_and_whatever_became_of_the_answer() {
    let fake = FakePagerDuty::open().await;
    let phones = phones(&fake.url());
    fake.trouble(&[Trouble::LostAnswer, Trouble::Busy]);
    assert!(matches!(phones.page(PAGE, &call("x")).await, Err(Undelivered::NotYet { .. })));
    let busy = phones.page(PAGE, &call("x")).await;
    assert!(matches!(busy, Err(Undelivered::NotYet { after_ms: Some(20_000), .. })), "{busy:?}");
    assert_eq!(phones.page(PAGE, &call("x")).await, Ok("pagerduty".to_owned()));
    assert_eq!(fake.rings(KEY), 1);
    assert_eq!((phones.end(PAGE, &call("x")).await, phones.end(PAGE, &call("x")).await), (Ok(()), Ok(())));
}

#[tokio::test]
async fn every_answer_is_one_of_taken_later_and_never() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    // The deduplication key says which answer is wanted; what is wrong is repeated with the routing key in it.
    let answer = |body: axum::Json<serde_json::Value>| async move {
        let status: u16 = body["dedup_key"].as_str().unwrap().parse().unwrap();
        let words = json!({ "message": format!("no such key: {}", body["routing_key"].as_str().unwrap()) });
        (StatusCode::from_u16(status).unwrap(), [("location", "/elsewhere")], axum::Json(words)).into_response()
    };
    let router = axum::Router::new().route("/v2/enqueue", post(answer));
    tokio::spawn(async move { axum::serve(listener, router).await });
    let phones = phones(&url);
    for (status, taken, later) in [
        (202, true, false),
        (200, false, false),
        (301, false, false),
        (400, false, false),
        (403, false, false),
        (404, false, false),
        (413, false, false),
        (408, false, true),
        (429, false, true),
        (500, false, true),
        (503, false, true),
    ] {
        let got = phones.page(&status.to_string(), &call("x")).await;
        assert_eq!(got.is_ok(), taken, "{status}: {got:?}");
        assert_eq!(matches!(got, Err(Undelivered::NotYet { .. })), later, "{status}: {got:?}");
        assert!(!format!("{got:?}").contains(KEY), "a routing key is a secret: {got:?}");
    }
}

#[tokio::test]
async fn a_pager_that_is_not_there_is_for_later_and_one_that_may_not_be_is_refused() {
    let gone = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let got = phones(&format!("http://{gone}")).page(PAGE, &call("x")).await;
    assert!(matches!(got, Err(Undelivered::NotYet { .. })), "{got:?}");
    let clock: Arc<dyn Clock> = Arc::new(Noon);
    for settings in
        ["api_url = \"http://pager.example.org\"", "api_url = \"http://169.254.169.254\"\nallow_plaintext = true"]
    {
        let refused = match Phones::new(&pagers(settings), "https://incidents.example.org", &clock) {
            Err(_) => true,
            Ok(phones) => matches!(phones.unwrap().page(PAGE, &call("x")).await, Err(Undelivered::Never { .. })),
        };
        assert!(refused, "{settings}");
    }
}

async fn post_to(door: &Arc<MemoryDoor>, request: Request<Body>) -> StatusCode {
    let clock: Arc<dyn Clock> = Arc::new(Noon);
    let router = answers::router(&pagers(""), door.clone(), clock, Arc::new(str::to_owned)).unwrap();
    router.oneshot(request).await.unwrap().status()
}

fn v3(event: &str, agent: &str, key: &str) -> String {
    let agent =
        json!({ "id": "PBO", "type": agent, "summary": "Bo B.", "html_url": "https://acme.pagerduty.com/users/PBO" });
    json!({ "event": { "id": format!("{event}{key}"), "event_type": event, "agent": agent, "data": { "incident_key": key } } })
        .to_string()
}

#[tokio::test]
async fn only_what_somebody_said_of_a_page_of_ours_is_an_answer() {
    let door = Arc::new(MemoryDoor::default());
    for (body, secret, status, taken) in [
        (v3("incident.acknowledged", "user_reference", PAGE), "not the secret", 401, 0),
        (v3("incident.triggered", "user_reference", PAGE), ANSWERS, 200, 0),
        (v3("incident.resolved", "service_reference", PAGE), ANSWERS, 200, 0),
        (v3("incident.acknowledged", "user_reference", "somebody's own key"), ANSWERS, 200, 0),
        (v3("incident.acknowledged", "user_reference", "smokejumper/INC-99999999999/1/1"), ANSWERS, 200, 0),
        ("{\"event\":7}".to_owned(), ANSWERS, 400, 0),
        ("[".repeat(100_000), ANSWERS, 400, 0),
        (v3("incident.acknowledged", "user_reference", PAGE), ANSWERS, 200, 1),
        (v3("incident.acknowledged", "user_reference", PAGE), ANSWERS, 200, 1),
        (v3("incident.resolved", "user_reference", PAGE), ANSWERS, 200, 2),
    ] {
        let got = post_to(&door, signed(&body, secret)).await;
        assert_eq!(got.as_u16(), status, "{}", &body[..body.len().min(200)]);
        assert_eq!(door.stored.lock().unwrap().len(), taken, "{}", &body[..body.len().min(200)]);
    }
    let stored = door.stored.lock().unwrap();
    let Event::Paged { incident, page, key, account, .. } = &stored.values().next().unwrap().event else { panic!() };
    assert_eq!((incident.0, *page, key.as_deref()), (7, 2, Some(PAGE)));
    assert_eq!(account.as_ref().map(|a| (a.workspace.as_str(), a.id.as_str())), Some(("acme", "PBO")));
}
