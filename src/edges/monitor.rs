//! For machines that watch this one: `/livez`, `/readyz`, `/metrics`. Knows who may read; knows nothing of what is measured.
//!
//! `/livez` depends on nothing, so that no vendor and no disk has an orchestrator restart us. `/readyz` says why not, as JSON: to
//! anybody by a word, and in full to who is on this machine or has the token, for the sentence names hosts, processes and paths.
//! `/metrics` is for those alone: numbers tell when a team is busy.

use crate::config::secret::Secret;
use axum::extract::{ConnectInfo, State};
use axum::http::header::{AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, HOST, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde::Serialize;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

/// Why it is not ready: a word for machines, and a sentence for the people who run it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason {
    pub what: &'static str,
    pub why: String,
}

/// What is watched.
#[derive(Clone)]
pub struct Watched {
    /// Empty: ready. Must answer at once.
    pub reasons: Arc<dyn Fn() -> Vec<Reason> + Send + Sync>,
    /// The page of metrics and its content type.
    /// What a person should know although it is ready.
    pub notes: Arc<dyn Fn() -> Vec<Reason> + Send + Sync>,
    pub metrics: Arc<dyn Fn() -> (&'static str, String) + Send + Sync>,
    /// Who has one of these may read the metrics from anywhere; empty: this machine only.
    pub tokens: Vec<Secret>,
}

impl std::fmt::Debug for Watched {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Watched").field("tokens", &self.tokens.len()).finish_non_exhaustive()
    }
}

#[derive(Serialize)]
struct Readiness {
    ready: bool,
    reasons: Vec<Said>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    notes: Vec<Said>,
}

/// A reason, as far as whoever asks may know it.
#[derive(Serialize)]
struct Said {
    what: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<String>,
}

/// The routes. The server must say who calls ([`ConnectInfo`]); without it nobody is on this machine.
pub fn router(watched: Watched) -> Router {
    Router::new()
        .route("/livez", get(|| async { "alive\n" }))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics))
        .with_state(watched)
}

/// Who calls, as the server says; without it nobody is on this machine.
type Peer = Option<axum::Extension<ConnectInfo<SocketAddr>>>;

async fn ready(State(watched): State<Watched>, peer: Peer, headers: HeaderMap) -> Response {
    let trusted = is_local(peer, &headers) || bears(&watched.tokens, &headers);
    let said = |reasons: Vec<Reason>| -> Vec<Said> {
        reasons.into_iter().map(|Reason { what, why }| Said { what, why: trusted.then_some(why) }).collect()
    };
    let reasons = (watched.reasons)();
    let status = if reasons.is_empty() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let body = Json(Readiness { ready: reasons.is_empty(), reasons: said(reasons), notes: said((watched.notes)()) });
    (status, [(CACHE_CONTROL, "no-store")], body).into_response()
}

async fn metrics(State(watched): State<Watched>, peer: Peer, headers: HeaderMap) -> Response {
    if watched.tokens.is_empty() {
        if !is_local(peer, &headers) {
            let why = "metrics are for this machine; set [metrics] token to read them from elsewhere\n";
            return (StatusCode::FORBIDDEN, why).into_response();
        }
    } else if !bears(&watched.tokens, &headers) {
        let asks = [(WWW_AUTHENTICATE, "Bearer")];
        return (StatusCode::UNAUTHORIZED, asks, "metrics need the token of [metrics]\n").into_response();
    }
    let (kind, page) = (watched.metrics)();
    ([(CONTENT_TYPE, kind), (CACHE_CONTROL, "no-store")], page).into_response()
}

/// From this machine, and not for somebody else: a proxy beside us says whom it speaks for, or names another host; so does
/// a web page whose name was pointed at us.
fn is_local(peer: Peer, headers: &HeaderMap) -> bool {
    let peer = peer.map(|axum::Extension(ConnectInfo(peer))| peer.ip());
    let forwarded = ["forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip", "via"];
    let host = headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let name = host.parse::<SocketAddr>().map(|at| at.ip()).ok().or_else(|| host.parse().ok());
    let named = name.map_or(host.split(':').next() == Some("localhost"), |ip: IpAddr| ip.is_loopback());
    peer.is_some_and(|ip| ip.to_canonical().is_loopback())
        && named
        && forwarded.iter().all(|name| !headers.contains_key(*name))
}

fn bears(tokens: &[Secret], headers: &HeaderMap) -> bool {
    let given = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let Some((scheme, given)) = given.split_once(' ') else { return false };
    // All are compared, so that the time says nothing of which is right.
    let fits = tokens.iter().fold(false, |fits, token| fits | token.matches(given.trim()));
    scheme.eq_ignore_ascii_case("bearer") && fits
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::Body;
    use axum::http::Request;
    use tower::ServiceExt as _;

    async fn asked(tokens: &[&str], peer: &str, headers: &[(&str, &str)]) -> u16 {
        ask("/metrics", tokens, peer, headers).await.status().as_u16()
    }

    async fn ask(path: &str, tokens: &[&str], peer: &str, headers: &[(&str, &str)]) -> Response {
        let reason = || vec![Reason { what: "stuck", why: "pid 7 on db-1 holds /var/lib".to_owned() }];
        let watched = Watched {
            notes: Arc::new(reason),
            reasons: Arc::new(reason),
            metrics: Arc::new(|| ("text/plain", "# EOF\n".to_owned())),
            tokens: tokens.iter().map(|t| Secret::new(*t)).collect(),
        };
        let mut request = Request::get(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let mut request = request.body(Body::empty()).expect("a request");
        request.extensions_mut().insert(ConnectInfo::<SocketAddr>(peer.parse().expect("an address")));
        router(watched).oneshot(request).await.expect("an answer")
    }

    #[tokio::test]
    async fn why_it_is_not_ready_strangers_learn_by_a_word() {
        let own = ("host", "127.0.0.1:7911");
        let bearing = |token: &'static str| ("authorization", token);
        for (tokens, peer, headers, whole) in [
            (vec![], "127.0.0.1:5000", vec![own], true),
            (vec!["canary-one"], "127.0.0.1:5000", vec![own], true),
            (vec!["canary-one"], "10.0.0.9:5000", vec![bearing("Bearer canary-one")], true),
            (vec!["canary-one"], "10.0.0.9:5000", vec![bearing("Bearer canary-two")], false),
            (vec![], "10.0.0.9:5000", vec![own, bearing("Bearer ")], false),
            (vec![], "127.0.0.1:5000", vec![own, ("x-forwarded-for", "203.0.113.9")], false),
            (vec![], "127.0.0.1:5000", vec![("host", "incidents.example.org")], false),
        ] {
            let answer = ask("/readyz", &tokens, peer, &headers).await;
            assert_eq!(answer.status(), 503);
            let body = axum::body::to_bytes(answer.into_body(), 4_096).await.expect("a body");
            let said = String::from_utf8_lossy(&body);
            assert_eq!(said.matches("\"what\":\"stuck\"").count(), 2, "{said}");
            assert_eq!(said.contains("db-1"), whole, "{peer} {headers:?}: {said}");
        }
    }

    #[tokio::test]
    async fn without_a_token_it_is_for_this_machine_alone() {
        let own = ("host", "127.0.0.1:7911");
        for (peer, headers, status) in [
            ("127.0.0.1:5000", vec![own], 200),
            ("[::1]:5000", vec![("host", "[::1]:7911")], 200),
            ("127.0.0.1:5000", vec![("host", "localhost:7911")], 200),
            ("[::ffff:127.0.0.1]:5000", vec![own], 200),
            ("10.0.0.9:5000", vec![own], 403),
            ("127.0.0.1:5000", vec![("host", "evil.example:7911")], 403),
            ("127.0.0.1:5000", vec![("host", "incidents.example.org")], 403),
            ("127.0.0.1:5000", vec![], 403),
            ("127.0.0.1:5000", vec![own, ("x-forwarded-for", "203.0.113.9")], 403),
            ("127.0.0.1:5000", vec![own, ("forwarded", "for=203.0.113.9")], 403),
        ] {
            assert_eq!(asked(&[], peer, &headers).await, status, "{peer} {headers:?}");
        }
    }

    #[tokio::test]
    async fn with_tokens_it_is_for_who_bears_one_from_anywhere() {
        let two = ["canary-one", "canary-two"];
        for (given, status) in [
            ("Bearer canary-one", 200),
            ("bearer canary-two", 200),
            ("Bearer canary-three", 401),
            ("Bearer ", 401),
            ("Basic canary-one", 401),
            ("canary-one", 401),
        ] {
            assert_eq!(asked(&two, "10.0.0.9:5000", &[("authorization", given)]).await, status, "{given}");
        }
        assert_eq!(asked(&two, "127.0.0.1:5000", &[("host", "127.0.0.1:7911")]).await, 401);
    }
}
