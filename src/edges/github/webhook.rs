//! What GitHub tells of our issues: `POST /github/webhook`. Signed over the raw body; stored before it is answered.
//!
//! `X-GitHub-Event` and `X-GitHub-Delivery` are not covered by the signature: what it is about is told from the body, and the
//! body's digest is what makes a delivery the same one, however often and under whatever name it comes. The counter (guard,
//! bounds, answers) is that of `edges/alerts`. Pure but for the route.

use super::marker::Marker;
use super::{Account, Shown, is_repository};
use crate::config::secret::Secret;
use crate::config::source::{Auth, Source};
use crate::edges::alerts;
use crate::edges::alerts::signature::Signing;
use crate::edges::alerts::{Counter, Kind, Limits, MAX_ONE, Media, Reading, Scrub, Setting, Unfit, Unreadable, bounds};
use crate::flow::event::{Event, IssueMove};
use crate::flow::fact::Issue;
use crate::ports::{Arrival, Clock, Door};
use axum::Router;
use serde::Deserialize;
use smokejumper_intents::inert::{line, shorten};
use std::sync::Arc;
use std::time::Duration;

const ISSUES: Kind = Kind {
    name: "issues",
    about: "GitHub webhooks: issues",
    read,
    media: Media::Json,
    signing: Some(Signing { header: "x-hub-signature-256", prefix: "sha256=", timestamp: None }),
    // An issue's text has 65,536 characters, and may be in it twice.
    max_body: MAX_ONE,
};
/// Where GitHub posts: [`PATH`], for there is one GitHub.
const COUNTER: Counter = Counter { name: "github", kinds: &[ISSUES] };
const NAME: &str = "webhook";
/// Where GitHub posts.
pub const PATH: &str = "/github/webhook";
/// GitHub waits ten seconds for the answer, and does not come again by itself: the look for gaps finds what it gave up.
const LIMITS: Limits = Limits {
    deliveries: 16,
    unproven: 16,
    body_deadline: Duration::from_secs(4),
    take_deadline: Duration::from_secs(5),
};
/// Characters of a login.
const MAX_LOGIN: usize = 100;
/// Characters of serde_json's words.
const MAX_WORDS: usize = 200;

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

/// The route, to be merged into the server's. Whoever knows none of `secrets` changes nothing; with none there is no way in.
///
/// # Errors
/// [`Unfit`]: a machine without randomness.
pub fn router(secrets: &[Secret], door: Arc<dyn Door>, clock: Arc<dyn Clock>, scrub: Scrub) -> Result<Router, Unfit> {
    let (name, kind) = (NAME.to_owned(), ISSUES.name.to_owned());
    let source = Source { name, kind, auth: Auth::Signed(secrets.to_vec()), mapping: None };
    alerts::router_at(COUNTER, &[source], door, clock, scrub, LIMITS)
}

fn read(setting: &Setting<'_>, bytes: &[u8]) -> Result<Reading, Unreadable> {
    let delivery: Delivery = serde_json::from_slice(bytes).map_err(|e| {
        let words = alerts::text::line(&e.to_string(), MAX_WORDS);
        Unreadable::Malformed(format!("not a webhook of GitHub about an issue: {words}"))
    })?;
    if delivery.zen.is_some() {
        return Ok(Reading::nothing("a ping: the webhook is set up"));
    }
    let Some(event) = moved(delivery) else { return Ok(Reading::nothing("it moves no issue of ours")) };
    let source = COUNTER.inbox_source(setting.source);
    let arrival = Arrival { source, key: bounds::digest(&[bytes]), at: setting.now, event };
    Ok(Reading { signals: 1, arrivals: vec![arrival], ..Reading::default() })
}

/// What it means for a follow-up; `None`: nothing.
fn moved(delivery: Delivery) -> Option<Event> {
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
    let changed = issue.changed();
    let issue = Issue { repository, number: issue.number, url: issue.html_url };
    let by = delivery.sender.map_or_else(|| "somebody".to_owned(), |sender| login(&sender.login));
    Some(Event::IssueMoved { incident: marker.incident, follow_up: marker.follow_up, issue, to, by, changed })
}

pub(super) fn login(text: &str) -> String {
    shorten(&line(text), MAX_LOGIN)
}
