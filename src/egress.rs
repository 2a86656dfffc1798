//! The only way out by HTTP and WebSocket: makes clients that go where they may and nowhere else, and that tell what became of a request.
//!
//! Judged is the address that is connected to, not the one a name had a moment ago. No proxy of the environment, no redirect
//! unless asked for, and then each hop is judged anew; everything bounded in time and size. Knows reqwest and addresses; of the
//! rest of the house only [`Undelivered`].

pub mod address;
mod names;
mod rule;
mod socket;

pub use self::names::{Names, SystemNames};
pub use self::rule::{Allowed, HostPattern, MAX_URL, Outside};
pub use self::socket::{Heard, Socket};

use self::names::Judged;
use crate::ports::Undelivered;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, LOCATION, RETRY_AFTER};
use reqwest::{Method, Url};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// Characters of an address or a cause repeated in an error.
const MAX_SHOWN: usize = 200;
/// A vendor that says to come again later than this has a problem a person should see; more is cut.
const MAX_RETRY_AFTER_S: i64 = 24 * 60 * 60;

/// What one exchange may take.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// For looking the name up, connecting and TLS.
    pub connect: Duration,
    /// For all of it, the answer's body included.
    pub whole: Duration,
    /// Bytes of an answer; the rest is left where it is.
    pub body: usize,
    /// Redirects followed of a GET; other methods follow none.
    pub hops: u8,
}

impl Default for Limits {
    fn default() -> Self {
        Self { connect: Duration::from_secs(5), whole: Duration::from_secs(10), body: 1024 * 1024, hops: 0 }
    }
}

/// How a client is made, besides where it may go.
#[derive(Clone)]
pub struct Terms {
    pub limits: Limits,
    /// A certificate authority of the operator's own besides those of the machine, as PEM.
    pub ca_pem: Option<Vec<u8>>,
    pub names: Arc<dyn Names>,
}

impl Default for Terms {
    fn default() -> Self {
        Self { limits: Limits::default(), ca_pem: None, names: Arc::new(SystemNames) }
    }
}

impl fmt::Debug for Terms {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Terms").field("limits", &self.limits).finish_non_exhaustive()
    }
}

/// An address that is not gone to, and why: for whoever wrote it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{address}: {why}")]
pub struct Refused {
    pub address: String,
    pub why: String,
}

impl Refused {
    fn new(address: &str, why: &str) -> Self {
        Self { address: shown(address), why: why.to_owned() }
    }
}

/// Why there is no answer. What is in it may be shown.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failed {
    /// Certainly never sent, and never will be.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// Certainly never sent: no name, no connection, no TLS.
    #[error("{0}")]
    NotSent(String),
    /// Sent, but no whole answer: it may have had its effect.
    #[error("the answer was lost: {0}")]
    Lost(String),
    /// No whole answer in time: it may have had its effect.
    #[error("no answer came in time")]
    TimedOut,
}

impl From<Failed> for Undelivered {
    fn from(failed: Failed) -> Self {
        let why = failed.to_string();
        match failed {
            Failed::Refused(_) => Self::Never { why },
            Failed::NotSent(_) => Self::NotYet { why, after_ms: None },
            Failed::Lost(_) | Failed::TimedOut => Self::Unknown { why },
        }
    }
}

/// One request.
#[derive(Clone, Debug)]
pub struct Request {
    pub method: Method,
    /// Whole, or for a client with a base a path below it (`incidents/1`, without a leading `/`).
    pub url: String,
    /// Values are treated as secrets.
    pub headers: Vec<(String, String)>,
    pub body: Option<Vec<u8>>,
    /// Shorter or longer than the client's own time for all of it.
    pub within: Option<Duration>,
}

impl Request {
    #[must_use]
    pub fn new(method: Method, url: impl Into<String>) -> Self {
        Self { method, url: url.into(), headers: Vec::new(), body: None, within: None }
    }

    #[must_use]
    pub fn get(url: impl Into<String>) -> Self {
        Self::new(Method::GET, url)
    }

    /// # Errors
    /// The body cannot be written as JSON.
    pub fn post_json(url: impl Into<String>, body: &impl Serialize) -> Result<Self, Failed> {
        let body = serde_json::to_vec(body).map_err(|e| Failed::NotSent(format!("the body cannot be written: {e}")))?;
        Ok(Self { body: Some(body), ..Self::new(Method::POST, url) }.header("content-type", "application/json"))
    }

    #[must_use]
    pub fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }
}

/// What came back.
#[derive(Clone, Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    /// At most [`Limits::body`] bytes.
    pub body: Vec<u8>,
    /// There was more of it.
    pub cut: bool,
}

impl Answer {
    #[must_use]
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// # Errors
    /// serde's words about a body that is cut or of another shape.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, String> {
        if self.cut {
            return Err("the answer is too long".to_owned());
        }
        serde_json::from_slice(&self.body).map_err(|e| e.to_string())
    }

    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// `Retry-After` in milliseconds, when it is in seconds as all our vendors send it; at most a day.
    #[must_use]
    pub fn retry_after_ms(&self) -> Option<i64> {
        let seconds: i64 = self.header(RETRY_AFTER.as_str())?.trim().parse().ok()?;
        (seconds >= 0).then(|| seconds.min(MAX_RETRY_AFTER_S) * 1_000)
    }
}

/// Goes where [`Outside`] lets it. Cheap to clone.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    outside: Arc<Outside>,
    /// A vendor's address: nothing but what is below it is asked, and no redirect leads away from it.
    base: Option<Url>,
    limits: Limits,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let base = self.base.as_ref().map(Url::as_str);
        f.debug_struct("Client").field("outside", &self.outside).field("base", &base).finish_non_exhaustive()
    }
}

impl Client {
    /// For one address the operator wrote in the configuration: https, or plain http on this machine.
    ///
    /// # Errors
    /// The address, for whoever wrote it.
    pub fn for_vendor(base: &str, limits: Limits) -> Result<Self, Refused> {
        Self::for_vendor_on(base, false, &Terms { limits, ..Terms::default() })
    }

    /// Likewise, with everything that can be set.
    ///
    /// # Errors
    /// The address, or the certificate authority.
    pub fn for_vendor_on(base: &str, allow_plaintext: bool, terms: &Terms) -> Result<Self, Refused> {
        let outside = Outside::Vendor { allow_plaintext };
        let url = outside.judge(base)?;
        if url.query().is_some() {
            return Err(Refused::new(base, "the address of an interface has no query (?…)"));
        }
        Ok(Self { base: Some(url), ..Self::new(outside, terms)? })
    }

    /// For addresses that are given with each request.
    ///
    /// # Errors
    /// The certificate authority is not one, or the machine has none.
    pub fn new(outside: Outside, terms: &Terms) -> Result<Self, Refused> {
        // Somebody else may have installed it already, which is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let outside = Arc::new(outside);
        let judged = Judged { names: Arc::clone(&terms.names), outside: Arc::clone(&outside) };
        let mut builder = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .connect_timeout(terms.limits.connect)
            .dns_resolver(judged)
            .user_agent(concat!("smokejumper/", env!("CARGO_PKG_VERSION")));
        if let Some(pem) = &terms.ca_pem {
            let wrong = |e: reqwest::Error| Refused::new("certificate authority", &cause(&e));
            builder = builder.tls_certs_merge(reqwest::Certificate::from_pem_bundle(pem).map_err(wrong)?);
        }
        let http = builder.build().map_err(|e| Refused::new("no HTTP client", &cause(&e)))?;
        Ok(Self { http, outside, base: None, limits: terms.limits })
    }

    /// # Errors
    /// See [`Failed`].
    pub async fn get(&self, url: &str) -> Result<Answer, Failed> {
        self.send(Request::get(url)).await
    }

    /// # Errors
    /// See [`Failed`].
    pub async fn post_json(&self, url: &str, body: &impl Serialize) -> Result<Answer, Failed> {
        self.send(Request::post_json(url, body)?).await
    }

    /// Sends it once. Any status is an answer.
    ///
    /// # Errors
    /// See [`Failed`].
    pub async fn send(&self, request: Request) -> Result<Answer, Failed> {
        let url = self.address(&request.url)?;
        let headers = headers(&request)?;
        let within = request.within.unwrap_or(self.limits.whole);
        match tokio::time::timeout(within, self.follow(&request, url, headers)).await {
            Ok(outcome) => outcome,
            Err(_) => Err(Failed::TimedOut),
        }
    }

    /// Where a request goes: below the base, or for a client without one as it is written.
    fn address(&self, written: &str) -> Result<Url, Refused> {
        match &self.base {
            Some(base) if !written.contains("://") => {
                let base = base.as_str();
                let joint =
                    if written.is_empty() || written.starts_with('?') || base.ends_with('/') { "" } else { "/" };
                self.judge(&format!("{base}{joint}{written}"))
            }
            _ => self.judge(written),
        }
    }

    fn judge(&self, whole: &str) -> Result<Url, Refused> {
        let url = self.outside.judge(whole)?;
        match &self.base {
            Some(base) if url.origin() != base.origin() => Err(Refused::new(whole, "it leads away from the vendor")),
            _ => Ok(url),
        }
    }

    async fn follow(&self, request: &Request, mut url: Url, headers: HeaderMap) -> Result<Answer, Failed> {
        let hops = if request.method == Method::GET { self.limits.hops } else { 0 };
        for _ in 0..hops {
            let answer = self.exchange(request, url.clone(), headers.clone()).await?;
            let target = match answer.status {
                301 | 302 | 303 | 307 | 308 => answer.header(LOCATION.as_str()).map(str::to_owned),
                _ => None,
            };
            let Some(target) = target else { return Ok(answer) };
            let next = url.join(&target).map_err(|e| Refused::new(&target, &e.to_string()))?;
            let next = self.judge(next.as_str())?;
            // What proves who we are is for the first host only.
            if next.origin() != url.origin() && !headers.is_empty() {
                return Err(
                    Refused::new(next.as_str(), "a redirect to another host is not followed with headers").into()
                );
            }
            url = next;
        }
        self.exchange(request, url, headers).await
    }

    async fn exchange(&self, request: &Request, url: Url, headers: HeaderMap) -> Result<Answer, Failed> {
        let mut builder = self.http.request(request.method.clone(), url).headers(headers);
        if let Some(body) = &request.body {
            builder = builder.body(body.clone());
        }
        let mut response = builder.send().await.map_err(|e| failed(&e))?;
        let mut answer = Answer {
            status: response.status().as_u16(),
            headers: std::mem::take(response.headers_mut()),
            body: Vec::new(),
            cut: false,
        };
        while let Some(chunk) = response.chunk().await.map_err(|e| failed(&e))? {
            let room = self.limits.body.saturating_sub(answer.body.len());
            answer.body.extend_from_slice(chunk.get(..room.min(chunk.len())).unwrap_or_default());
            if chunk.len() > room {
                answer.cut = true;
                break;
            }
        }
        Ok(answer)
    }
}

fn headers(request: &Request) -> Result<HeaderMap, Failed> {
    let mut headers = HeaderMap::new();
    for (name, value) in &request.headers {
        let (Ok(name), Ok(mut value)) = (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_str(value)) else {
            return Err(Failed::NotSent(format!("the header `{}` cannot be sent", shown(name))));
        };
        value.set_sensitive(name != CONTENT_TYPE);
        headers.append(name, value);
    }
    Ok(headers)
}

fn failed(error: &reqwest::Error) -> Failed {
    let mut inner: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(one) = inner {
        if let Some(refused) = one.downcast_ref::<Refused>() {
            return Failed::Refused(refused.clone());
        }
        inner = one.source();
    }
    // A body's fault comes after the request went out.
    if error.is_connect() || error.is_builder() { Failed::NotSent(cause(error)) } else { Failed::Lost(cause(error)) }
}

/// The innermost cause: `Connection refused`, not `error sending request`.
fn cause(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    shown(&cause.to_string())
}

/// Outside text for an error: one short line, and no query, where people put tokens.
fn shown(text: &str) -> String {
    let line = text.split_once('?').filter(|(head, _)| head.contains("://")).map_or(text, |(head, _)| head);
    line.chars().map(|c| if c.is_control() { ' ' } else { c }).take(MAX_SHOWN).collect()
}
