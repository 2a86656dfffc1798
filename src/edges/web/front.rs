//! Around every page: which hosts we answer to, how much a request may weigh and take, and what browsers are told.

use super::WebState;
use super::trouble::Trouble;
use axum::Router;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse as _, Response};
use std::time::Duration;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::timeout::TimeoutLayer;

/// Bytes of a request's body: the longest utterance (4,000 characters) percent-encoded at its worst, 12 bytes each.
pub const BODY: usize = 64 * 1024;
/// Headers of a request: browsers send about 20, proxies add a few.
pub const HEADERS: usize = 64;
/// Bytes of path and query: a search of 300 characters percent-encoded, with room.
pub const ADDRESS: usize = 4 * 1024;
/// From the request's head to the answer's head, reading the body included.
pub const ANSWER_WITHIN: Duration = Duration::from_secs(15);

/// Who pages are served to and accepted from. A name not listed here is refused: a foreign name that resolves to this
/// machine must not turn somebody's browser into our user (DNS rebinding).
#[derive(Clone, Debug)]
pub struct Origins {
    /// `host:port` as browsers send it; without the port where it is the scheme's own.
    hosts: Vec<String>,
    secure: bool,
}

impl Origins {
    /// Plain HTTP on this machine only.
    #[must_use]
    pub fn loopback(port: u16) -> Self {
        let hosts = ["127.0.0.1", "localhost", "[::1]"];
        Self { hosts: hosts.map(|host| authority(host, port, 80)).into(), secure: false }
    }

    /// Behind TLS, under these `host` or `host:port`.
    #[must_use]
    pub fn https(hosts: impl IntoIterator<Item = String>) -> Self {
        let hosts = hosts.into_iter().map(|host| host.to_ascii_lowercase());
        Self { hosts: hosts.map(|host| host.trim_end_matches(":443").to_owned()).collect(), secure: true }
    }

    #[must_use]
    pub const fn is_secure(&self) -> bool {
        self.secure
    }

    fn knows(&self, host: &str) -> bool {
        self.hosts.iter().any(|known| known.eq_ignore_ascii_case(host))
    }

    fn origin_of(&self, host: &str) -> String {
        format!("{}://{}", if self.secure { "https" } else { "http" }, host.to_ascii_lowercase())
    }
}

fn authority(host: &str, port: u16, usual: u16) -> String {
    if port == usual { host.to_owned() } else { format!("{host}:{port}") }
}

/// Whether a form was sent by one of our own pages: `Origin` is ours, and the same host as the request's.
/// Every browser sends `Origin` with a POST; without one there is nothing to go by, so no.
pub fn from_our_page(origins: &Origins, headers: &HeaderMap) -> bool {
    let (Some(host), Some(origin)) = (only(headers, &header::HOST), only(headers, &header::ORIGIN)) else {
        return false;
    };
    origins.knows(host) && origin == origins.origin_of(host)
}

/// A header's value when it is there exactly once.
fn only<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Option<&'h str> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (Some(value), None) => value.to_str().ok(),
        _ => None,
    }
}

/// Puts the front around the pages.
pub fn around(pages: Router, web: &WebState) -> Router {
    pages
        .fallback(|| async { Trouble::NoSuchPage })
        .method_not_allowed_fallback(|| async { Trouble::WrongMethod })
        .layer(DefaultBodyLimit::max(BODY))
        .layer(TimeoutLayer::with_status_code(StatusCode::SERVICE_UNAVAILABLE, ANSWER_WITHIN))
        .layer(CatchPanicLayer::custom(|_| Trouble::Ours.into_response()))
        .layer(middleware::from_fn_with_state(web.clone(), check))
        .layer(middleware::map_response(dress))
}

async fn check(State(web): State<WebState>, request: Request, next: Next) -> Response {
    if request.headers().len() > HEADERS {
        return StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE.into_response();
    }
    if request.uri().path_and_query().is_some_and(|address| address.as_str().len() > ADDRESS) {
        return StatusCode::URI_TOO_LONG.into_response();
    }
    match only(request.headers(), &header::HOST) {
        Some(host) if web.origins.knows(host) => next.run(request).await,
        _ => Trouble::StrangeHost.into_response(),
    }
}

/// What every answer says to the browser. No inline script or style, no frames, no foreign anything.
/// `same-origin` and not `no-referrer`: with the latter browsers send `Origin: null` with our own forms.
const DRESS: [(HeaderName, &str); 8] = [
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
         form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    ),
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "same-origin"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    (HeaderName::from_static("permissions-policy"), "camera=(), microphone=(), geolocation=()"),
    (header::X_DNS_PREFETCH_CONTROL, "off"),
];

async fn dress(mut response: Response) -> Response {
    let headers = response.headers_mut();
    for (name, value) in DRESS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    // Pages hold what not everybody may read, and forms that are meant to be sent once.
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}
