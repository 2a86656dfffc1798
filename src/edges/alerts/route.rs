//! `POST /alerts/{source}`, and other counters like it: who is it, is it whole, what does it say, is it on disk; then the answer. In this order.
//!
//! Knows HTTP and the door; what the bytes mean is for the kinds.

use super::answer::{self, Answer, Told};
use super::auth::{self, Admitted, Guard, Stranger};
use super::intake::{self, Intake, Reader, Slot, Whole};
use super::sns::{Refusal, Verifier};
use super::{AHEAD, Counter, Kind, Limits, MAX_BODY, MAX_SAMPLE, Media, Reading, Scrub, Setting, Unreadable, text};
use crate::config::source::{Auth, Source};
use crate::ports::{Clock, DeadLetter, Door};
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

/// Refused strangers are logged at most once in this many milliseconds, with their number.
const STRANGER_LOG_EVERY: i64 = 10_000;

/// What the route needs. `door` takes what was read; `clock` stamps it.
pub struct Alerts {
    counter: Counter,
    door: Arc<dyn Door>,
    clock: Arc<dyn Clock>,
    scrub: Scrub,
    sources: BTreeMap<String, Place>,
    intake: Intake,
    /// Parts of deliveries that said nothing of an alert, since the start.
    ignored: AtomicU64,
    strangers: AtomicU64,
    strangers_logged: AtomicI64,
}

/// Where one source stands at the counter.
struct Place {
    guard: Guard,
    reader: Reader,
    /// For what comes through Amazon SNS.
    sns: Option<Verifier>,
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
    #[error("source {source_name:?}: {why}")]
    Sns { source_name: String, why: String },
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
    router_at(super::COUNTER, sources, door, clock, scrub, limits)
}

/// Likewise for another counter than that of the alerts.
///
/// # Errors
/// [`Unfit`]
pub fn router_at(
    counter: Counter,
    sources: &[Source],
    door: Arc<dyn Door>,
    clock: Arc<dyn Clock>,
    scrub: Scrub,
    limits: Limits,
) -> Result<Router, Unfit> {
    let mut table = BTreeMap::new();
    for source in sources {
        let kind = counter
            .kind(&source.kind)
            .ok_or_else(|| Unfit::Kind { source_name: source.name.clone(), kind: source.kind.clone() })?;
        let guard = Guard::new(&source.auth, kind.signing).map_err(|_| Unfit::Random)?;
        let sns = match &source.auth {
            Auth::Sns(trust) => {
                Some(Verifier::new(trust).map_err(|why| Unfit::Sns { source_name: source.name.clone(), why })?)
            }
            _ => None,
        };
        let reader = Reader { kind, mapping: source.mapping.clone() };
        table.insert(source.name.clone(), Place { guard, reader, sns });
    }
    let alerts = Alerts {
        counter,
        door,
        clock,
        scrub,
        sources: table,
        intake: Intake::new(limits),
        ignored: AtomicU64::new(0),
        strangers: AtomicU64::new(0),
        strangers_logged: AtomicI64::new(i64::MIN),
    };
    Ok(Router::new().route(&format!("/{}/{{source}}", counter.name), post(deliver)).with_state(Arc::new(alerts)))
}

async fn deliver(
    State(alerts): State<Arc<Alerts>>,
    Path(name): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let answer = alerts.deliver(&name, &headers, body).await;
    let mut response = answer::respond(&answer);
    let source = Some(name).filter(|name| alerts.sources.contains_key(name));
    response.extensions_mut().insert(Told::of(source, &answer));
    response
}

impl Alerts {
    async fn deliver(&self, name: &str, headers: &HeaderMap, body: Body) -> Answer {
        // Whoever is not known leaves no trace but a count (I22).
        let Some(Place { guard, reader, sns }) = self.sources.get(name) else {
            self.note_stranger(name, "no such source");
            return Answer::NoSuchSource;
        };
        let admitted = match guard.admit(headers, self.clock.now()) {
            Ok(admitted) => admitted,
            Err(stranger) => return self.turn_away(name, stranger),
        };
        // Only who is known gets a dead letter: what a stranger sends is not kept.
        let misfit = misfit(reader.kind, headers);
        if let (Admitted::Known, Some(why)) = (admitted, &misfit) {
            return self.bury(name, &[], Answer::Unsupported(why.clone())).await;
        }
        let Some(slot) = self.intake.enter(admitted) else {
            return Answer::Later("too many deliveries at once".to_owned());
        };
        let bytes = match self.whole(name, (admitted, reader.kind), &slot, headers, body).await {
            Ok(bytes) => bytes,
            Err(answer) => return answer,
        };
        if admitted == Admitted::IfSigned {
            if let Err(stranger) = guard.verify(headers, &bytes) {
                return self.turn_away(name, stranger);
            }
            if let Some(sns) = sns
                && let Err(refusal) = sns.admit(&bytes, self.clock.now()).await
            {
                return match refusal {
                    Refusal::Stranger(why) => {
                        self.note_stranger(name, why);
                        Answer::Unproven("Signature")
                    }
                    Refusal::Later(why) => Answer::Later(why),
                };
            }
            if let Some(why) = misfit {
                return self.bury(name, &bytes, Answer::Unsupported(why)).await;
            }
        }
        let reading =
            match slot.parse(reader.clone(), name, headers, &bytes, self.clock.now(), self.scrub.clone()).await {
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

    async fn whole<'i>(
        &self,
        name: &str,
        (admitted, kind): (Admitted, &Kind),
        slot: &Slot<'i>,
        headers: &HeaderMap,
        body: Body,
    ) -> Result<Whole<'i>, Answer> {
        match slot.read(headers, body, kind.max_body).await {
            Ok(bytes) => Ok(bytes),
            Err(intake::Broken::TooLarge(start)) => {
                let mib = kind.max_body / 1024 / 1024;
                let hint = if kind.max_body < MAX_BODY { "" } else { "; set max_alerts in Alertmanager" };
                let why = format!("more than {mib} MiB in one delivery{hint}");
                Err(match admitted {
                    Admitted::Known => self.bury(name, &start, Answer::TooLarge(why)).await,
                    Admitted::IfSigned => Answer::TooLarge(why),
                })
            }
            Err(intake::Broken::Slow) => Err(Answer::Later("the body came too slowly".to_owned())),
            Err(intake::Broken::Full) => Err(Answer::Later("too much is coming in at once".to_owned())),
            Err(intake::Broken::Cut) => Err(Answer::Later("the body was cut off".to_owned())),
        }
    }

    async fn take(&self, name: &str, bytes: &[u8], mut reading: Reading) -> Answer {
        let arrivals = std::mem::take(&mut reading.arrivals);
        reading.ahead_ms = super::ahead(&arrivals, self.clock.now());
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
        if let Some(what) = &reading.first_ignored {
            let ignored = self.ignored.fetch_add(reading.ignored as u64, Ordering::Relaxed) + reading.ignored as u64;
            tracing::info!(source = name, what, ignored, "a delivery says nothing of an alert");
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
            source: self.counter.inbox_source(name),
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
        let headers = HeaderMap::new();
        let setting = Setting { source, now: self.clock.now(), headers: &headers, scrub: &*self.scrub };
        setting.block(&String::from_utf8_lossy(start), MAX_SAMPLE)
    }

    fn turn_away(&self, name: &str, stranger: Stranger) -> Answer {
        self.note_stranger(name, stranger.why());
        match stranger {
            Stranger::Unproven(challenge) | Stranger::OutOfTime(challenge) => Answer::Unproven(challenge),
            Stranger::WebPage => Answer::WebPage,
        }
    }

    fn note_stranger(&self, name: &str, why: &str) {
        let count = self.strangers.fetch_add(1, Ordering::Relaxed) + 1;
        let now = self.clock.now().0;
        let last = self.strangers_logged.load(Ordering::Relaxed);
        let due = last == i64::MIN || now.saturating_sub(last).abs() >= STRANGER_LOG_EVERY;
        if due && self.strangers_logged.compare_exchange(last, now, Ordering::Relaxed, Ordering::Relaxed).is_ok() {
            let source = text::line(name, 64);
            tracing::warn!(counter = self.counter.name, source, why, count, "a request was turned away");
        }
    }
}

/// Why a body is not even looked at.
fn misfit(kind: &Kind, headers: &HeaderMap) -> Option<String> {
    if let Some(encoding) = headers.get(CONTENT_ENCODING).filter(|e| !e.as_bytes().eq_ignore_ascii_case(b"identity")) {
        let encoding = text::line(&String::from_utf8_lossy(encoding.as_bytes()), 40);
        return Some(format!("content encoding {encoding:?} is not read; send plain JSON"));
    }
    (kind.media == Media::Json && !auth::is_json(headers))
        .then(|| "the body must be sent as content-type application/json".to_owned())
}
