//! Live pages: a stream that says "something changed", and nothing else. The page then asks for itself again, with its
//! viewer's rights, so the stream can leak nothing and lose nothing.

use super::WebState;
use super::page::Number;
use super::routes::Signed;
use super::trouble::Trouble;
use crate::flow::incident::IncidentId;
use axum::Extension;
use axum::extract::State;
use axum::http::HeaderName;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse as _, Response};
use futures::stream;
use std::collections::BTreeSet;
use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::sync::broadcast::error::{RecvError, TryRecvError};
use tokio::sync::{OwnedSemaphorePermit, broadcast, watch};

/// Live connections at once, of everybody: each costs a socket and a few KiB.
pub const CONNECTIONS: usize = 200;
/// Of one session: more tabs than a person watches. Beyond it a page is simply not live.
pub const CONNECTIONS_OF_ONE: usize = 8;
/// A page is told at most this often, so that a storm of alerts is not a storm of pages.
const PACE: Duration = Duration::from_millis(300);
/// A connection looks this often whether its session still holds.
const LOOK_AGAIN: Duration = Duration::from_secs(30);
/// A comment this often keeps proxies from closing a quiet connection; most allow 60 s.
const KEEP_ALIVE: Duration = Duration::from_secs(15);
/// How long a browser waits before it connects again.
const RECONNECT: Duration = Duration::from_secs(3);

/// A place among the live connections; given back when it is dropped.
struct Seat {
    _of_all: OwnedSemaphorePermit,
    of_session: Arc<AtomicUsize>,
}

impl Seat {
    fn take(web: &WebState, signed: &Signed) -> Option<Self> {
        let of_all = Arc::clone(&web.seats).try_acquire_owned().ok()?;
        let of_session = Arc::clone(&signed.guest.live);
        let taken = of_session.fetch_add(1, Ordering::AcqRel);
        let seat = Self { _of_all: of_all, of_session };
        (taken < CONNECTIONS_OF_ONE).then_some(seat)
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.of_session.fetch_sub(1, Ordering::AcqRel);
    }
}

pub async fn lobby(State(web): State<WebState>, Extension(signed): Extension<Signed>) -> Result<Response, Trouble> {
    let unseen = web.views.desk().await?.private;
    Ok(stream_to(&web, signed, None, unseen))
}

pub async fn incident(
    State(web): State<WebState>,
    Extension(signed): Extension<Signed>,
    Number(id): Number,
) -> Result<Response, Trouble> {
    web.views.incident(signed.identity(), id).await?.ok_or(Trouble::NoSuchIncident)?;
    Ok(stream_to(&web, signed, Some(id), BTreeSet::new()))
}

struct Listener {
    web: WebState,
    signed: Signed,
    watched: Option<IncidentId>,
    changes: broadcast::Receiver<IncidentId>,
    closing: watch::Receiver<bool>,
    told: bool,
    /// Private incidents this viewer is not to hear of.
    unseen: BTreeSet<IncidentId>,
    _seat: Seat,
}

fn stream_to(web: &WebState, signed: Signed, watched: Option<IncidentId>, unseen: BTreeSet<IncidentId>) -> Response {
    let Some(seat) = Seat::take(web, &signed) else { return Trouble::TooManyPages.into_response() };
    let listener = Listener {
        changes: web.changes.subscribe(),
        closing: web.closing.subscribe(),
        web: web.clone(),
        signed,
        watched,
        told: false,
        unseen,
        _seat: seat,
    };
    let hello = Event::default().event("hello").data("live").retry(RECONNECT);
    let changes = stream::unfold(listener, |mut listener| async move {
        listener.change().await.then(|| (Event::default().event("changed").data("changed"), listener))
    });
    let events =
        futures::StreamExt::map(futures::StreamExt::chain(stream::iter([hello]), changes), Ok::<Event, Infallible>);
    // A proxy in front must pass events on as they come (nginx reads this header).
    let unbuffered = [(HeaderName::from_static("x-accel-buffering"), "no")];
    (unbuffered, Sse::new(events).keep_alive(KeepAlive::new().interval(KEEP_ALIVE))).into_response()
}

impl Listener {
    /// Waits for the next change worth a look; false: it is over.
    async fn change(&mut self) -> bool {
        if self.told {
            tokio::time::sleep(PACE).await;
        }
        loop {
            if *self.closing.borrow() || !self.web.logins.holds(&self.signed.guest.session) {
                return false;
            }
            let heard = tokio::select! {
                heard = self.changes.recv() => heard,
                _ = self.closing.changed() => continue,
                () = tokio::time::sleep(LOOK_AGAIN) => continue,
            };
            match heard {
                Ok(id) if self.watched.is_some_and(|watched| watched != id) => {}
                Ok(id) if self.watched.is_none() && !self.concerns(id).await => {}
                // Too slow to hear all of it: whatever was missed, a look shows it.
                Ok(_) | Err(RecvError::Lagged(_)) => break,
                Err(RecvError::Closed) => return false,
            }
        }
        // What piled up meanwhile is shown by the same look.
        while !matches!(self.changes.try_recv(), Err(TryRecvError::Empty | TryRecvError::Closed)) {}
        self.told = true;
        self.still_visible().await
    }

    /// Whether the list changed for this viewer: what is hidden from them moves nothing, but that it vanished.
    async fn concerns(&mut self, id: IncidentId) -> bool {
        if id == IncidentId::HOUSE {
            return true;
        }
        match self.web.views.incident(self.signed.identity(), id).await {
            Ok(None) => self.unseen.insert(id),
            Ok(Some(_)) => {
                self.unseen.remove(&id);
                true
            }
            Err(_) => true,
        }
    }

    /// An incident made private ends the streams of those it is hidden from.
    async fn still_visible(&self) -> bool {
        match self.watched {
            None => true,
            Some(id) => !matches!(self.web.views.incident(self.signed.identity(), id).await, Ok(None)),
        }
    }
}
