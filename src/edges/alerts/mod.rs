//! Alerts come in here: `POST /alerts/{source}`. A 2xx means that every alert of the delivery is on disk.
//!
//! Each source speaks one of [`KINDS`]: a file here and a row there. Knows the door; knows neither incidents nor storage.
//!
//! Senders retry on 5xx only (Alertmanager drops what gets 408, 429 or any other 4xx), so whatever is our own fault or
//! passes by itself is 503 with `Retry-After`: overload, storage, and a body that came too slowly.

pub mod alertmanager;
mod answer;
pub mod auth;
mod intake;
pub mod text;

pub use self::intake::Limits;

use self::answer::Answer;
use self::auth::{Guard, Stranger};
use self::intake::Intake;
use crate::config::source::Source;
use crate::flow::moment::At;
use crate::ports::{Arrival, Clock, DeadLetter, Door};
use axum::Router;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::http::header::CONTENT_ENCODING;
use axum::response::Response;
use axum::routing::post;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

/// Bytes of one delivery. Alertmanager's `max_alerts` is unlimited by default; an alert takes 0.5 to 1 KiB.
pub const MAX_BODY: usize = 16 * 1024 * 1024;
/// Characters of an unreadable body kept for a person to look at.
pub const MAX_SAMPLE: usize = 2_000;
/// Secrets are looked for in a text this many times longer than what is kept: one that the cut would halve is still seen whole.
const AHEAD: usize = 4;
/// Refused strangers are logged at most once in this many milliseconds, with their number.
const STRANGER_LOG_EVERY: i64 = 10_000;

/// Something that sends alerts, and how to read it.
#[derive(Debug)]
pub struct Kind {
    /// As it is written in the configuration.
    pub name: &'static str,
    pub about: &'static str,
    /// Pure.
    pub read: fn(&Setting<'_>, &[u8]) -> Result<Reading, Unreadable>,
}

/// What is known of a delivery besides its bytes.
pub struct Setting<'s> {
    /// The source's name.
    pub source: &'s str,
    pub now: At,
    /// Takes secrets out of a text before it is kept.
    pub scrub: &'s (dyn Fn(&str) -> String + Send + Sync),
}

/// Takes secrets out of a text.
pub type Scrub = Arc<dyn Fn(&str) -> String + Send + Sync>;

impl std::fmt::Debug for Setting<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Setting").field("source", &self.source).field("now", &self.now).finish_non_exhaustive()
    }
}

impl Setting<'_> {
    /// For names and values; see [`text::line`].
    fn line(&self, outside: &str, max_chars: usize) -> String {
        text::line(&(self.scrub)(&text::line(outside, max_chars * AHEAD)), max_chars)
    }

    /// For descriptions; see [`text::block`].
    fn block(&self, outside: &str, max_chars: usize) -> String {
        text::block(&(self.scrub)(&text::block(outside, max_chars * AHEAD)), max_chars)
    }
}

/// Everything that can be a `kind` of source.
pub const KINDS: &[Kind] =
    &[Kind { name: "alertmanager", about: "Prometheus Alertmanager, webhook version 4", read: alertmanager::read }];

/// What a delivery said.
#[derive(Debug, Default)]
pub struct Reading {
    /// Empty when the delivery was: nothing to store.
    pub arrivals: Vec<Arrival>,
    /// Signals in all arrivals.
    pub signals: usize,
    /// Alerts of it that could not be read, and why the first of them.
    pub refused: usize,
    pub first_refusal: Option<String>,
    /// Alerts that lost labels, annotations or the end of a text to the bounds.
    pub trimmed: usize,
    /// Alerts the sender itself left out (`truncatedAlerts`).
    pub cut_by_sender: u64,
}

impl Reading {
    fn refuse(&mut self, why: String) {
        self.refused += 1;
        self.first_refusal.get_or_insert(why);
    }
}

/// Why nothing of a delivery can be used. In words for whoever set up the sender.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unreadable {
    /// 400
    Malformed(String),
    /// 413
    TooLarge(String),
}

/// Delivery keys are unique within this.
#[must_use]
pub fn inbox_source(source: &str) -> String {
    format!("alerts/{source}")
}

/// What the route needs. `door` takes what was read; `clock` stamps it.
pub struct Alerts {
    door: Arc<dyn Door>,
    clock: Arc<dyn Clock>,
    scrub: Scrub,
    sources: BTreeMap<String, (Guard, &'static Kind)>,
    intake: Intake,
    strangers: AtomicU64,
    strangers_logged: AtomicI64,
}

impl std::fmt::Debug for Alerts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Alerts").field("sources", &self.sources.keys()).finish_non_exhaustive()
    }
}

/// Why the route cannot be set up.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    #[error("source {source_name:?}: there is no kind {kind:?}")]
    Kind { source_name: String, kind: String },
    #[error("the operating system gives no random numbers")]
    Random,
}

/// What can stand as `kind` in the configuration.
#[must_use]
pub fn kind_names() -> Vec<&'static str> {
    KINDS.iter().map(|kind| kind.name).collect()
}

/// The route, to be merged into the server's: beside the console's, not inside its bounds. The server must set a timeout for
/// reading headers; here begins what comes after them.
///
/// # Errors
/// [`Unfit`]; a checked configuration is never unfit by its kinds.
pub fn router(
    sources: &[Source],
    door: Arc<dyn Door>,
    clock: Arc<dyn Clock>,
    scrub: Scrub,
    limits: Limits,
) -> Result<Router, Unfit> {
    let mut table = BTreeMap::new();
    for source in sources {
        let kind = KINDS
            .iter()
            .find(|k| k.name == source.kind)
            .ok_or_else(|| Unfit::Kind { source_name: source.name.clone(), kind: source.kind.clone() })?;
        let guard = Guard::new(&source.auth).map_err(|_| Unfit::Random)?;
        table.insert(source.name.clone(), (guard, kind));
    }
    let alerts = Alerts {
        door,
        clock,
        scrub,
        sources: table,
        intake: Intake::new(limits),
        strangers: AtomicU64::new(0),
        strangers_logged: AtomicI64::new(i64::MIN),
    };
    Ok(Router::new().route("/alerts/{source}", post(deliver)).with_state(Arc::new(alerts)))
}

async fn deliver(
    State(alerts): State<Arc<Alerts>>,
    Path(name): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    answer::respond(&alerts.deliver(&name, &headers, body).await)
}

impl Alerts {
    async fn deliver(&self, name: &str, headers: &HeaderMap, body: Body) -> Answer {
        // Whoever is not known leaves no trace but a count (I22).
        let Some((guard, kind)) = self.sources.get(name) else {
            self.note_stranger(name, "no such source");
            return Answer::NoSuchSource;
        };
        if let Err(stranger) = guard.admit(headers) {
            self.note_stranger(name, "not authenticated");
            return match stranger {
                Stranger::Unproven(challenge) => Answer::Unproven(challenge),
                Stranger::WebPage => Answer::WebPage,
            };
        }
        if let Some(encoding) =
            headers.get(CONTENT_ENCODING).filter(|e| !e.as_bytes().eq_ignore_ascii_case(b"identity"))
        {
            let why = format!(
                "content encoding {:?} is not read; send plain JSON",
                text::line(&String::from_utf8_lossy(encoding.as_bytes()), 40)
            );
            return self.bury(name, &[], Answer::Unsupported(why)).await;
        }
        if !auth::is_json(headers) {
            let why = "the body must be sent as content-type application/json".to_owned();
            return self.bury(name, &[], Answer::Unsupported(why)).await;
        }
        let Some(slot) = self.intake.enter() else {
            return Answer::Later("too many deliveries at once".to_owned());
        };
        let bytes = match slot.read(headers, body).await {
            Ok(bytes) => bytes,
            Err(intake::Broken::TooLarge(start)) => {
                let why =
                    format!("more than {} MiB in one delivery; set max_alerts in Alertmanager", MAX_BODY / 1024 / 1024);
                return self.bury(name, &start, Answer::TooLarge(why)).await;
            }
            Err(intake::Broken::Slow) => return Answer::Later("the body came too slowly".to_owned()),
            Err(intake::Broken::Full) => return Answer::Later("too much is coming in at once".to_owned()),
            Err(intake::Broken::Cut) => return Answer::Later("the body was cut off".to_owned()),
        };
        let reading = match slot.parse(kind, name, &bytes, self.clock.now(), self.scrub.clone()).await {
            Ok(Ok(reading)) => reading,
            Ok(Err(Unreadable::Malformed(why))) => return self.bury(name, &bytes, Answer::Malformed(why)).await,
            Ok(Err(Unreadable::TooLarge(why))) => return self.bury(name, &bytes, Answer::TooLarge(why)).await,
            Err(cause) => {
                tracing::error!(source = name, %cause, "a delivery could not be read: our own fault");
                return Answer::Later("it could not be read for now".to_owned());
            }
        };
        self.take(name, &bytes, reading).await
    }

    async fn take(&self, name: &str, bytes: &[u8], mut reading: Reading) -> Answer {
        let arrivals = std::mem::take(&mut reading.arrivals);
        if !arrivals.is_empty() {
            match tokio::time::timeout(self.intake.limits.take_deadline, self.door.take(arrivals)).await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => {
                    tracing::error!(source = name, %error, "alerts could not be stored; the sender was told to come again");
                    return Answer::Later("they could not be stored for now".to_owned());
                }
                // Perhaps they are stored in a moment; then the sender's next attempt finds them there.
                Err(_) => return Answer::Later("storing them takes too long".to_owned()),
            }
        }
        if reading.trimmed > 0 || reading.cut_by_sender > 0 {
            let (trimmed, cut_by_sender) = (reading.trimmed, reading.cut_by_sender);
            tracing::warn!(source = name, trimmed, cut_by_sender, "alerts were taken in shortened");
        }
        if let Some(why) = reading.first_refusal.clone() {
            let why = format!("{} of its alerts could not be read; {why}", reading.refused);
            return self.bury(name, bytes, Answer::Partly { reading, why }).await;
        }
        Answer::Taken(reading)
    }

    /// Counts what nobody could read and keeps a sample, then answers. That it could not be kept changes the answer to one
    /// the sender comes back for: nothing vanishes (I2).
    async fn bury(&self, name: &str, body: &[u8], answer: Answer) -> Answer {
        let why = answer.why();
        tracing::warn!(source = name, why, "a delivery was refused");
        let letter = DeadLetter {
            source: inbox_source(name),
            at: self.clock.now(),
            why: why.to_owned(),
            sample: self.sample(name, body),
        };
        match tokio::time::timeout(self.intake.limits.take_deadline, self.door.bury(letter)).await {
            Ok(Ok(())) => answer,
            Ok(Err(error)) => {
                tracing::error!(source = name, %error, "an unreadable delivery could not be kept");
                Answer::Later("storage is unavailable for now".to_owned())
            }
            Err(_) => Answer::Later("storage takes too long".to_owned()),
        }
    }

    /// The start of a body for a person to look at: bounded, inert, without secrets. Headers are never in it.
    fn sample(&self, source: &str, body: &[u8]) -> String {
        // A character takes at most four bytes.
        let start = body.get(..body.len().min(MAX_SAMPLE * AHEAD * 4)).unwrap_or_default();
        let setting = Setting { source, now: self.clock.now(), scrub: &*self.scrub };
        setting.block(&String::from_utf8_lossy(start), MAX_SAMPLE)
    }

    fn note_stranger(&self, name: &str, why: &str) {
        let count = self.strangers.fetch_add(1, Ordering::Relaxed) + 1;
        let now = self.clock.now().0;
        let last = self.strangers_logged.load(Ordering::Relaxed);
        let due = last == i64::MIN || now.saturating_sub(last).abs() >= STRANGER_LOG_EVERY;
        if due && self.strangers_logged.compare_exchange(last, now, Ordering::Relaxed, Ordering::Relaxed).is_ok() {
            let source = text::line(name, 64);
            tracing::warn!(source, why, count, "a request to /alerts was turned away");
        }
    }
}
