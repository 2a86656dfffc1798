//! What GitHub tells of our issues: `POST /github/webhook`. Signed over the raw body, which is looked at before it is
//! understood (I22); stored before it is answered.
//!
//! `X-GitHub-Event` and `X-GitHub-Delivery` are not covered by the signature: what it is about is told from the body, and the
//! body's digest is what makes a delivery the same one, however often and under whatever name it comes.

use super::marker::Marker;
use super::{Account, Shown, is_repository};
use crate::config::secret::Secret;
use crate::flow::event::{Event, IssueMove};
use crate::flow::fact::Issue;
use crate::ports::{Arrival, Clock, Door};
use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use ring::{digest, hmac};
use serde::Deserialize;
use smokejumper_intents::inert::{line, shorten};
use std::sync::Arc;
use std::time::Duration;

/// Where GitHub posts.
pub const PATH: &str = "/github/webhook";
/// Bytes of a delivery about an issue: its text has 65,536 characters, and may be in it twice.
const MAX_BODY: usize = 1024 * 1024;
/// GitHub waits ten seconds; storing takes milliseconds, or storage is not there.
const WITHIN: Duration = Duration::from_secs(8);
/// Characters of a login.
const MAX_LOGIN: usize = 100;
/// The prefix of the signature's only version.
const SHA256: &str = "sha256=";

#[derive(Clone)]
struct Desk {
    secrets: Arc<Vec<hmac::Key>>,
    door: Arc<dyn Door>,
    clock: Arc<dyn Clock>,
}

/// What is used of a delivery; everything else it says is skipped unread.
#[derive(Deserialize)]
struct Delivery {
    zen: Option<String>,
    action: Option<String>,
    issue: Option<Shown>,
    repository: Option<Repository>,
    sender: Option<Account>,
    changes: Option<Changes>,
}

#[derive(Deserialize)]
struct Repository {
    full_name: String,
}

#[derive(Deserialize)]
struct Changes {
    new_issue: Option<Shown>,
    new_repository: Option<Repository>,
}

/// The route. Whoever knows none of `secrets` changes nothing; with none there is no way in.
pub fn router(secrets: &[Secret], door: Arc<dyn Door>, clock: Arc<dyn Clock>) -> Router {
    let keys = secrets.iter().map(|s| hmac::Key::new(hmac::HMAC_SHA256, s.expose().as_bytes())).collect();
    let desk = Desk { secrets: Arc::new(keys), door, clock };
    Router::new().route(PATH, post(take)).layer(DefaultBodyLimit::max(MAX_BODY)).with_state(desk)
}

async fn take(State(desk): State<Desk>, headers: HeaderMap, body: Bytes) -> Response {
    if !signed(&desk.secrets, &headers, &body) {
        tracing::warn!("a GitHub webhook without a good signature");
        return (StatusCode::UNAUTHORIZED, "no good X-Hub-Signature-256: compare the webhook's secret\n")
            .into_response();
    }
    let delivery: Delivery = match serde_json::from_slice(&body) {
        Ok(delivery) => delivery,
        // Signed, so it is GitHub's, and of a kind that is not for us.
        Err(problem) => {
            tracing::info!(%problem, "a GitHub webhook that is not read");
            return (StatusCode::OK, "not used\n").into_response();
        }
    };
    if delivery.zen.is_some() {
        return (StatusCode::OK, "pong\n").into_response();
    }
    let Some(event) = read(delivery) else { return (StatusCode::OK, "not used\n").into_response() };
    let key = hex(digest::digest(&digest::SHA256, &body).as_ref());
    let arrival = Arrival { source: "github".to_owned(), key, at: desk.clock.now(), event };
    match tokio::time::timeout(WITHIN, desk.door.take(vec![arrival])).await {
        Ok(Ok(())) => (StatusCode::ACCEPTED, "taken\n").into_response(),
        Ok(Err(problem)) => busy(&problem.to_string()),
        Err(_) => busy("storage did not answer in time"),
    }
}

/// GitHub does not come again by itself: the look for gaps finds it later.
fn busy(problem: &str) -> Response {
    tracing::warn!(problem, "a GitHub webhook could not be stored");
    (StatusCode::SERVICE_UNAVAILABLE, [(header::RETRY_AFTER, "10")], "not stored; try again\n").into_response()
}

/// Whether one of the keys signed this; each is tried in constant time.
fn signed(keys: &[hmac::Key], headers: &HeaderMap, body: &[u8]) -> bool {
    let mut given = headers.get_all("x-hub-signature-256").iter();
    let (Some(value), None) = (given.next(), given.next()) else { return false };
    let tag = value.to_str().ok().and_then(|v| v.strip_prefix(SHA256)).and_then(unhex);
    let Some(tag) = tag else { return false };
    keys.iter().fold(false, |good, key| hmac::verify(key, body, &tag).is_ok() | good)
}

/// 32 bytes in lower-case hexadecimal, and nothing else.
fn unhex(text: &str) -> Option<Vec<u8>> {
    if text.len() != 2 * digest::SHA256_OUTPUT_LEN || !text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')) {
        return None;
    }
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(text.get(at..at + 2)?, 16).ok()).collect()
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// What it means for a follow-up; `None`: nothing.
fn read(delivery: Delivery) -> Option<Event> {
    let issue = delivery.issue.filter(|issue| issue.pull_request.is_none())?;
    let marker = Marker::read(issue.body.as_deref()?)?;
    let repository = delivery.repository.map(|r| r.full_name).filter(|name| is_repository(name))?;
    let to = match delivery.action.as_deref()? {
        "closed" => IssueMove::Closed,
        "reopened" => IssueMove::Reopened,
        "assigned" | "unassigned" => IssueMove::Assigned(issue.assignees.first().map(|a| login(&a.login))),
        "deleted" => IssueMove::Deleted,
        "transferred" => {
            let changes = delivery.changes?;
            let (there, name) = (changes.new_issue?, changes.new_repository?.full_name);
            let repository = Some(name).filter(|name| is_repository(name))?;
            IssueMove::Transferred(Issue { repository, number: there.number, url: there.html_url })
        }
        _ => return None,
    };
    let issue = Issue { repository, number: issue.number, url: issue.html_url };
    let by = delivery.sender.map_or_else(|| "somebody".to_owned(), |sender| login(&sender.login));
    Some(Event::IssueMoved { incident: marker.incident, follow_up: marker.follow_up, issue, to, by })
}

pub(super) fn login(text: &str) -> String {
    shorten(&line(text), MAX_LOGIN)
}
