//! A PagerDuty over real HTTP: takes Events API v2 as strictly as the documentation reads, rings once per deduplication key, has bad
//! days on demand, and tells who answered in a webhook v3 with its signature. A plain webhook pager lives at the same address.

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, Request, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use ring::hmac;
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use tokio::net::TcpListener;

/// What its webhooks are signed with.
pub const ANSWERS: &str = "what-pagerduty-signs-with";
/// What our requests to the plain webhook are signed with.
pub const HOOK: &str = "what-we-sign-webhooks-with";

/// What goes wrong with the next request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// 429 with Retry-After: not ingested.
    Busy,
    /// 500: not ingested.
    Broken,
    /// It took effect, and the answer was lost.
    LostAnswer,
    /// 400: never.
    Refused,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    Triggered,
    Acknowledged,
    Resolved,
}

/// One incident there.
#[derive(Clone, Debug)]
pub struct Alarm {
    pub rings: u32,
    pub status: Status,
    pub summary: String,
    pub severity: Severity,
    pub component: Option<String>,
}

#[derive(Default)]
struct Books {
    /// By (routing key, deduplication key).
    alarms: BTreeMap<(String, String), Alarm>,
    trouble: VecDeque<Trouble>,
    /// Every request fails like this.
    down: Option<Trouble>,
    /// What was not as documented.
    wrong: Vec<String>,
    /// Bodies the plain webhook took, in order.
    hooks: Vec<Value>,
    requests: u32,
}

#[derive(Clone)]
pub struct FakePagerDuty {
    books: Arc<Mutex<Books>>,
    pub address: SocketAddr,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Event {
    routing_key: String,
    #[serde(rename = "event_action")]
    action: Action,
    dedup_key: String,
    payload: Option<Payload>,
    #[serde(default)]
    links: Vec<Link>,
    client: Option<String>,
    client_url: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Action {
    Trigger,
    Resolve,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Payload {
    summary: String,
    source: String,
    severity: Severity,
    component: Option<String>,
    group: Option<String>,
    custom_details: Option<serde_json::Map<String, Value>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    Critical,
    Error,
    Warning,
    Info,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Link {
    href: String,
    text: Option<String>,
}

impl FakePagerDuty {
    pub async fn open() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let books: Arc<Mutex<Books>> = Arc::default();
        let router =
            Router::new().route("/v2/enqueue", post(enqueue)).route("/hook", post(hook)).with_state(Arc::clone(&books));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { books, address }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The next requests go wrong like this, one after the other.
    pub fn trouble(&self, trouble: &[Trouble]) {
        self.books.lock().unwrap().trouble.extend(trouble);
    }

    /// All of them do, until told otherwise.
    pub fn down(&self, trouble: Option<Trouble>) {
        self.books.lock().unwrap().down = trouble;
    }

    pub fn alarms(&self) -> BTreeMap<(String, String), Alarm> {
        let books = self.books.lock().unwrap();
        assert_eq!(books.wrong, Vec::<String>::new(), "what was sent is not as documented");
        books.alarms.clone()
    }

    /// How often the phone behind a routing key has rung.
    pub fn rings(&self, routing_key: &str) -> u32 {
        self.alarms().iter().filter(|((key, _), _)| key == routing_key).map(|(_, alarm)| alarm.rings).sum()
    }

    /// The deduplication key of what rang last behind a routing key.
    pub fn key(&self, routing_key: &str) -> String {
        let alarms = self.alarms();
        alarms.keys().filter(|(key, _)| key == routing_key).map(|(_, dedup)| dedup.clone()).next_back().unwrap()
    }

    pub fn hooks(&self) -> Vec<Value> {
        self.alarms();
        self.books.lock().unwrap().hooks.clone()
    }

    pub fn requests(&self) -> u32 {
        self.books.lock().unwrap().requests
    }

    /// Somebody presses a button on the phone: what PagerDuty then posts to `/pager/{name}`, signed.
    pub fn pressed(&self, event: &str, dedup_key: &str, delivery: &str, user: (&str, &str)) -> Request<Body> {
        if event == "incident.acknowledged" {
            let mut books = self.books.lock().unwrap();
            for ((_, key), alarm) in &mut books.alarms {
                if key == dedup_key && alarm.status == Status::Triggered {
                    alarm.status = Status::Acknowledged;
                }
            }
        }
        let (id, name) = user;
        let body = json!({ "event": {
            "id": delivery, "event_type": event, "resource_type": "incident", "occurred_at": "2026-11-20T10:03:11.321Z",
            "agent": {
                "html_url": format!("https://acme.pagerduty.com/users/{id}"), "id": id,
                "self": format!("https://api.pagerduty.com/users/{id}"), "summary": name, "type": "user_reference",
            },
            "client": null,
            "data": {
                "id": "PGR0VU2", "type": "incident", "self": "https://api.pagerduty.com/incidents/PGR0VU2",
                "html_url": "https://acme.pagerduty.com/incidents/PGR0VU2", "number": 2, "status": "acknowledged",
                "incident_key": dedup_key, "created_at": "2026-11-20T10:00:01Z", "title": "INC-1 SEV2",
                "urgency": "high", "escalation_policy": { "id": "PUS0KTE", "type": "escalation_policy_reference" },
            },
        }});
        signed(&body.to_string(), ANSWERS)
    }
}

/// A request as PagerDuty would send it, signed with this.
pub fn signed(body: &str, secret: &str) -> Request<Body> {
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes()), body.as_bytes());
    Request::post("/pager/pagerduty")
        .header("content-type", "application/json")
        .header("x-pagerduty-signature", format!("v1={}", hex::encode(tag.as_ref())))
        .body(Body::from(body.to_owned()))
        .unwrap()
}

impl Books {
    fn trouble(&mut self) -> Option<Trouble> {
        self.requests += 1;
        self.down.or_else(|| self.trouble.pop_front())
    }
}

async fn enqueue(State(books): State<Arc<Mutex<Books>>>, headers: HeaderMap, body: Bytes) -> Response {
    let mut books = books.lock().unwrap();
    let trouble = books.trouble();
    match trouble {
        Some(Trouble::Busy) => {
            return (StatusCode::TOO_MANY_REQUESTS, [("retry-after", "20")], "{\"status\":\"throttle exceeded\"}")
                .into_response();
        }
        Some(Trouble::Broken) => return StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        _ => {}
    }
    let problem = match serde_json::from_slice::<Event>(&body) {
        _ if trouble == Some(Trouble::Refused) => Some("'routing_key' is invalid".to_owned()),
        _ if headers.get("content-type").is_none_or(|t| t != "application/json") => Some("content-type".to_owned()),
        _ if body.len() > 512 * 1024 => Some("larger than 512 KB".to_owned()),
        Err(e) => Some(e.to_string()),
        Ok(event) => problem_of(&event),
    };
    if let Some(problem) = problem {
        if trouble != Some(Trouble::Refused) {
            books.wrong.push(problem.clone());
        }
        let answer = json!({ "status": "invalid event", "message": "Event object is invalid", "errors": [problem] });
        return (StatusCode::BAD_REQUEST, axum::Json(answer)).into_response();
    }
    let event: Event = serde_json::from_slice(&body).unwrap();
    let place = (event.routing_key.clone(), event.dedup_key.clone());
    match event.action {
        Action::Trigger => {
            let Payload { summary, severity, component, .. } = event.payload.unwrap();
            let new = Alarm { rings: 0, status: Status::Resolved, summary, severity, component };
            let alarm = books.alarms.entry(place).or_insert(new);
            if alarm.status == Status::Resolved {
                alarm.rings += 1;
                alarm.status = Status::Triggered;
            }
        }
        // Of what it never heard of it says the same.
        Action::Resolve => {
            if let Some(alarm) = books.alarms.get_mut(&place) {
                alarm.status = Status::Resolved;
            }
        }
    }
    if trouble == Some(Trouble::LostAnswer) {
        return lost();
    }
    let answer = json!({ "status": "success", "message": "Event processed", "dedup_key": event.dedup_key });
    (StatusCode::ACCEPTED, axum::Json(answer)).into_response()
}

/// The answer breaks off.
fn lost() -> Response {
    let broken = futures::stream::once(async { Err::<Bytes, _>(std::io::Error::other("cut")) });
    (StatusCode::ACCEPTED, Body::from_stream(broken)).into_response()
}

fn problem_of(event: &Event) -> Option<String> {
    let link = |l: &Link| l.href.starts_with("http") && l.text.is_some();
    let fields = [
        ("routing_key", event.routing_key.len() == 32),
        ("dedup_key", !event.dedup_key.is_empty() && event.dedup_key.chars().count() <= 255),
        ("links", event.links.iter().all(link)),
        ("client", event.client.is_some() || event.client_url.is_none()),
    ];
    if let Some((field, _)) = fields.iter().find(|(_, good)| !good) {
        return Some(format!("'{field}' is invalid"));
    }
    match (&event.action, &event.payload) {
        (Action::Trigger, None) => Some("'payload' is missing or blank".to_owned()),
        (Action::Trigger, Some(p)) => {
            let Payload { summary, source, severity: _, component, group, custom_details } = p;
            let good = !summary.is_empty() && summary.chars().count() <= 1024 && !source.is_empty();
            let texts = [component, group].into_iter().flatten().all(|t| !t.is_empty());
            (!good || !texts || custom_details.as_ref().is_none_or(serde_json::Map::is_empty))
                .then(|| "'payload' is invalid".to_owned())
        }
        (Action::Resolve, _) => None,
    }
}

/// A pager of somebody's own, as docs/paging.md describes it.
async fn hook(State(books): State<Arc<Mutex<Books>>>, headers: HeaderMap, body: Bytes) -> Response {
    let mut books = books.lock().unwrap();
    let header = |name: &str| headers.get(name).and_then(|v| v.to_str().ok()).unwrap_or_default().to_owned();
    let signed = [header("x-smokejumper-timestamp").as_bytes(), b":", &body].concat();
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, HOOK.as_bytes()), &signed);
    if header("x-smokejumper-signature") != format!("v1={}", hex::encode(tag.as_ref())) {
        books.wrong.push("the webhook's signature is wrong".to_owned());
        return StatusCode::UNAUTHORIZED.into_response();
    }
    books.hooks.push(serde_json::from_slice(&body).unwrap());
    StatusCode::NO_CONTENT.into_response()
}
