//! How requests reach GitHub: octocrab's requests over the house's own way out. Nothing is sent twice and no redirect is
//! followed with a token, except by a GET within the vendor's address.

use crate::egress::{Answer, Client, Failed, Limits, Refused, Request as Going, Terms};
use crate::ports::Undelivered;
use axum::body::{Body, to_bytes};
use axum::http::header::{ACCEPT, AUTHORIZATION, IF_NONE_MATCH};
use axum::http::request::Builder;
use axum::http::{Method, Request, Response};
use octocrab::{AuthState, OctoBody, Octocrab, OctocrabBuilder};
use serde_json::Value;
use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

/// Bytes of a request: a body of 65,536 characters, each written as an escape.
const MAX_REQUEST: usize = 1024 * 1024;
/// Bytes of an answer: a page of 50 issues, each with a body of 65,536 characters of several bytes.
const MAX_ANSWER: usize = 16 * 1024 * 1024;
/// GitHub gives up after ten seconds by itself; a page of issues takes a few.
const WITHIN: Duration = Duration::from_secs(20);
const CONNECT_WITHIN: Duration = Duration::from_secs(5);
/// A GET of an issue that was moved leads to where it is now.
const HOPS: u8 = 1;

/// GitHub, asked by octocrab.
#[derive(Clone)]
pub struct Wire {
    octocrab: Octocrab,
}

impl std::fmt::Debug for Wire {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Wire").finish_non_exhaustive()
    }
}

/// What is asked.
#[derive(Clone, Copy, Debug)]
pub struct Ask<'a> {
    pub method: &'a Method,
    /// With its query: `/repos/acme/ops/issues?state=all`.
    pub path: &'a str,
    pub body: Option<&'a Value>,
    /// Answer 304 when it is still this one.
    pub etag: Option<&'a str>,
}

impl<'a> Ask<'a> {
    pub const fn get(path: &'a str) -> Self {
        Self { method: &Method::GET, path, body: None, etag: None }
    }
}

impl Wire {
    /// Must be called within a tokio runtime.
    ///
    /// # Errors
    /// The address is no place to go.
    pub fn new(api_url: &str, allow_plaintext: bool) -> Result<Self, Refused> {
        let limits = Limits { connect: CONNECT_WITHIN, whole: WITHIN, body: MAX_ANSWER, hops: HOPS };
        let client = Client::for_vendor_on(api_url, allow_plaintext, &Terms { limits, ..Terms::default() })?;
        // Between octocrab and the way out stands nothing, no retries either: whatever repeats a POST makes a second issue.
        let built = OctocrabBuilder::new_empty().with_service(WayOut(client)).with_auth(AuthState::None).build();
        let octocrab = match built {
            Ok(octocrab) => octocrab,
            Err(never) => match never {},
        };
        Ok(Self { octocrab })
    }

    /// Asks once. Any status is an answer.
    ///
    /// # Errors
    /// There is none; whether it was sent is in the kind of [`Failed`].
    pub async fn ask(&self, bearer: &str, ask: Ask<'_>) -> Result<Answer, Failed> {
        let mut builder = Builder::new()
            .method(ask.method)
            .uri(ask.path)
            .header(ACCEPT, "application/vnd.github+json")
            .header(AUTHORIZATION, format!("Bearer {bearer}"));
        if let Some(etag) = ask.etag {
            builder = builder.header(IF_NONE_MATCH, etag);
        }
        let unsent = |e: &dyn std::fmt::Display| Failed::NotSent(format!("the request cannot be written: {e}"));
        let request = self.octocrab.build_request(builder, ask.body).map_err(|e| unsent(&e))?;
        let (slot, request) = Slot::on(request);
        // What comes back besides the slot is octocrab's copy of it, or that its worker has ended.
        let sent = self.octocrab.send(request).await;
        match slot.take() {
            Some(outcome) => outcome,
            None => Err(match sent {
                Ok(_) => Failed::Lost("the answer went astray".to_owned()),
                Err(e) => unsent(&e),
            }),
        }
    }
}

/// Where the way out leaves the answer as it came: octocrab keeps neither headers of errors nor whether anything was sent.
#[derive(Clone, Debug, Default)]
struct Slot(std::sync::Arc<std::sync::Mutex<Option<Result<Answer, Failed>>>>);

impl Slot {
    fn on(mut request: Request<OctoBody>) -> (Self, Request<OctoBody>) {
        let slot = Self::default();
        request.extensions_mut().insert(slot.clone());
        (slot, request)
    }

    fn take(&self) -> Option<Result<Answer, Failed>> {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take()
    }

    fn put(&self, outcome: Result<Answer, Failed>) {
        *self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Some(outcome);
    }
}

/// octocrab's way out: the house's.
#[derive(Clone)]
struct WayOut(Client);

impl tower::Service<Request<OctoBody>> for WayOut {
    type Response = Response<OctoBody>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<OctoBody>) -> Self::Future {
        let client = self.0.clone();
        Box::pin(async move {
            let slot = request.extensions().get::<Slot>().cloned().unwrap_or_default();
            let outcome = go(&client, request).await;
            let status = outcome.as_ref().map_or(0, |answer| answer.status);
            slot.put(outcome);
            let mut response = Response::new(OctoBody::empty());
            if let Ok(status) = axum::http::StatusCode::from_u16(status) {
                *response.status_mut() = status;
            }
            Ok(response)
        })
    }
}

async fn go(client: &Client, request: Request<OctoBody>) -> Result<Answer, Failed> {
    let (parts, body) = request.into_parts();
    let body = to_bytes(Body::new(body), MAX_REQUEST)
        .await
        .map_err(|e| Failed::NotSent(format!("the request cannot be read: {e}")))?;
    let path = parts.uri.path_and_query().map_or("", |p| p.as_str()).trim_start_matches('/');
    let mut going = Going::new(parts.method, path);
    for (name, value) in &parts.headers {
        // Its length is said by whoever sends it.
        if name != axum::http::header::CONTENT_LENGTH
            && let Ok(value) = value.to_str()
        {
            going = going.header(name.as_str(), value);
        }
    }
    if !body.is_empty() {
        going.body = Some(body.to_vec());
    }
    client.send(going).await
}

/// A request that changes nothing failed: it is simply asked again.
pub fn not_read(failed: Failed) -> Undelivered {
    match failed {
        Failed::Refused(refused) => Undelivered::Never { why: refused.to_string() },
        other => Undelivered::NotYet { why: format!("GitHub was not reached: {other}"), after_ms: None },
    }
}
