//! HTTP mode: Slack posts to us. Signed over the raw body, looked at once, read like what comes by a socket.
//!
//! Whoever cannot prove that it is Slack gets 401 and changes nothing (I22). Our own trouble is a 503: Slack comes again.

use super::payload::{Callback, Command, Interaction};
use super::read::{self, Heard, Unreadable, shaped, unreadable};
use super::signature::{Proof, Verifier};
use super::{Intake, Taken};
use crate::config::secret::Secret;
use axum::body::{Body, to_bytes};
use axum::extract::FromRequest as _;
use axum::extract::{Request, State};
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use axum::{Form, Json, Router};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::time::timeout;

/// Bytes of a request, as those of a frame.
const MAX_BODY: usize = 2 * 1024 * 1024;
/// Slack gives up after three seconds; whoever is slower is somebody else.
const BODY_WITHIN: Duration = Duration::from_secs(2);
/// Requests that have not proven yet who sent them.
const MAX_UNPROVEN: usize = 16;
/// Seconds.
const COME_AGAIN: &str = "5";

struct Door {
    intake: Arc<Intake>,
    verifier: Verifier,
    unproven: Semaphore,
}

/// The route of everything that comes from Slack, to be merged into the server's.
pub fn router(intake: Arc<Intake>, signing: &[Secret]) -> Router {
    let door = Door { intake, verifier: Verifier::new(signing), unproven: Semaphore::new(MAX_UNPROVEN) };
    Router::new()
        .route("/slack/events", post(events))
        .route("/slack/commands", post(commands))
        .route("/slack/interactions", post(interactions))
        .with_state(Arc::new(door))
}

async fn events(State(door): State<Arc<Door>>, request: Request) -> Response {
    let signed = match door.signed(request).await {
        Ok(signed) => signed,
        Err(response) => return response,
    };
    match signed.json::<Callback>() {
        // Asked when the address is entered; signed like everything else.
        Ok(Callback { kind, challenge: Some(challenge), .. }) if kind == "url_verification" => {
            let plain = challenge.len() <= 500 && challenge.bytes().all(|b| b.is_ascii_graphic());
            if plain { ([(CONTENT_TYPE, "text/plain")], challenge).into_response() } else { refused() }
        }
        callback => door.take(&signed, callback.and_then(read::event)).await,
    }
}

async fn commands(State(door): State<Arc<Door>>, request: Request) -> Response {
    let signed = match door.signed(request).await {
        Ok(signed) => signed,
        Err(response) => return response,
    };
    // Slack looks now and then whether somebody is there.
    if signed.body.starts_with(b"ssl_check=1") {
        return StatusCode::OK.into_response();
    }
    let command = signed.form::<Command>().await;
    door.take(&signed, command.and_then(read::command)).await
}

async fn interactions(State(door): State<Arc<Door>>, request: Request) -> Response {
    #[derive(Deserialize)]
    struct Wrapped {
        payload: String,
    }
    let signed = match door.signed(request).await {
        Ok(signed) => signed,
        Err(response) => return response,
    };
    let interaction = signed.form::<Wrapped>().await.and_then(|wrapped| shaped::<Interaction>(&wrapped.payload));
    door.take(&signed, interaction.and_then(read::interaction)).await
}

/// A request that Slack sent.
struct Signed {
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Signed {
    fn json<T: DeserializeOwned>(&self) -> Result<T, Unreadable> {
        shaped(std::str::from_utf8(&self.body).map_err(|e| unreadable(&e.to_string()))?)
    }

    async fn form<T: DeserializeOwned>(&self) -> Result<T, Unreadable> {
        let mut request = axum::http::Request::post("/").body(Body::from(self.body.clone()));
        if let Ok(request) = &mut request {
            let form = axum::http::HeaderValue::from_static("application/x-www-form-urlencoded");
            request.headers_mut().insert(CONTENT_TYPE, form);
        }
        let request = request.map_err(|e| unreadable(&e.to_string()))?;
        let Form(form) = Form::from_request(request, &()).await.map_err(|e| unreadable(&e.body_text()))?;
        Ok(form)
    }
}

impl Door {
    async fn signed(&self, request: Request) -> Result<Signed, Response> {
        let Ok(_place) = self.unproven.try_acquire() else { return Err(later()) };
        let (parts, body) = request.into_parts();
        let headers = parts.headers;
        let body = match timeout(BODY_WITHIN, to_bytes(body, MAX_BODY)).await {
            Ok(Ok(body)) => body.to_vec(),
            Ok(Err(_)) => return Err(StatusCode::PAYLOAD_TOO_LARGE.into_response()),
            Err(_) => return Err(StatusCode::REQUEST_TIMEOUT.into_response()),
        };
        match self.verifier.check(&headers, &body, self.intake.now()) {
            Proof::Good => {
                self.intake.standing.in_time();
                Ok(Signed { headers, body })
            }
            // It was taken in when it came first.
            Proof::Repeated => Err(StatusCode::OK.into_response()),
            Proof::Skewed(ahead_ms) => {
                tracing::warn!(
                    ahead_ms,
                    "a request signed by Slack at another time: a replay, or one of our clocks is wrong"
                );
                self.intake.standing.skewed(ahead_ms);
                Err(refused())
            }
            Proof::None => Err(refused()),
        }
    }

    async fn take(&self, signed: &Signed, heard: Result<Heard, Unreadable>) -> Response {
        let taken = match (heard, self.intake.seat()) {
            (Ok(heard), Some(seat)) => self.intake.hear(seat, heard).await,
            (Ok(_), None) => Taken::Not(None),
            (Err(unreadable), _) => self.intake.bury(unreadable, &String::from_utf8_lossy(&signed.body)).await,
        };
        match taken {
            Taken::Done(None) => StatusCode::OK.into_response(),
            Taken::Done(Some(shown)) => Json(shown).into_response(),
            Taken::Not(shown) => {
                self.verifier.forget(&signed.headers);
                shown.map_or_else(later, |shown| Json(shown).into_response())
            }
        }
    }
}

fn refused() -> Response {
    StatusCode::UNAUTHORIZED.into_response()
}

fn later() -> Response {
    (StatusCode::SERVICE_UNAVAILABLE, [(RETRY_AFTER, COME_AGAIN)]).into_response()
}
