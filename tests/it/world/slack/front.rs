//! The door of the fake: one address for the Web API, response URLs and sockets, and what befalls them there.

use super::FakeSlack;
use super::call::{Call, Sloppy};
use super::faults::{Fault, Outage};
use super::methods::{Desk, Scope, method};
use super::truth::Request as Noted;
use super::{APP_TOKEN, TOKEN, chat, socket, spec};
use crate::world::wait;
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::HeaderMap;
use axum::response::Response;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use hyper_util::service::TowerToHyperService;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;

const MAX_BODY: usize = 4 * 1024 * 1024;
/// How sockets begin.
const LINK: &[u8] = b"GET /link/";
/// An answer that never comes takes longer than anybody waits.
const NEVER: Duration = Duration::from_hours(1);
const SECOND: Duration = Duration::from_secs(1);

/// What a request is answered with.
enum Said {
    Json(u16, Vec<(&'static str, String)>, Value),
    Text(u16, &'static str, &'static str),
    /// The connection ends.
    Lost,
    /// The answer breaks off.
    Cut(Value),
    Trickle(Value),
}

/// Takes connections until it is told to stop; whoever is connected stays until then.
pub async fn serve(fake: FakeSlack, listener: TcpListener) {
    loop {
        let Ok((stream, _)) = listener.accept().await else { return };
        let fake = fake.clone();
        let mut over = fake.over();
        tokio::spawn(async move {
            tokio::select! {
                () = one(fake, stream) => {}
                // All of Slack is gone: so is this connection.
                () = async { while over.changed().await.is_ok() && !*over.borrow() {} } => {}
            }
        });
    }
}

async fn one(fake: FakeSlack, stream: TcpStream) {
    let _ = stream.set_nodelay(true);
    if fake.outage() == Some(Outage::Blackhole) {
        // It is held, and nothing more.
        wait::moment(NEVER).await;
    }
    let mut begins = [0u8; LINK.len()];
    loop {
        match stream.peek(&mut begins).await {
            Err(_) | Ok(0) => return,
            Ok(n) if begins[..n] != LINK[..n] => break,
            Ok(n) if n == LINK.len() => return socket::serve(fake, stream).await,
            Ok(_) => tokio::task::yield_now().await,
        }
    }
    let cut = Arc::new(Notify::new());
    let app = Router::new().fallback(take).with_state((fake, Arc::clone(&cut)));
    let builder = Builder::new(TokioExecutor::new());
    let io = TokioIo::new(stream);
    let service = TowerToHyperService::new(app);
    tokio::select! {
        _ = builder.serve_connection(io, service) => {}
        () = cut.notified() => {}
    }
}

async fn take(State((fake, cut)): State<(FakeSlack, Arc<Notify>)>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let Ok(body) = axum::body::to_bytes(body, MAX_BODY).await else { return never().await };
    let path = parts.uri.path().to_owned();
    let said = match fake.outage() {
        Some(outage) => down(&fake, outage, &path).await,
        None => answer(&fake, &path, parts.uri.query().unwrap_or_default(), &parts.headers, &body).await,
    };
    let json = |status: u16, headers: Vec<(&'static str, String)>| {
        let mut response = Response::builder().status(status).header("content-type", "application/json; charset=utf-8");
        for (name, value) in headers {
            response = response.header(name, value);
        }
        response
    };
    match said {
        Said::Json(status, headers, value) => json(status, headers).body(Body::from(value.to_string())).unwrap(),
        Said::Text(status, kind, text) => {
            Response::builder().status(status).header("content-type", kind).body(Body::from(text)).unwrap()
        }
        Said::Lost => {
            cut.notify_one();
            never().await
        }
        Said::Cut(value) => {
            let half = value.to_string();
            let half = Bytes::copy_from_slice(&half.as_bytes()[..half.len() / 2]);
            let broken = futures::stream::iter([Ok(half), Err(std::io::Error::other("cut"))]);
            json(200, Vec::new()).body(Body::from_stream(broken)).unwrap()
        }
        Said::Trickle(value) => {
            let bytes = value.to_string().into_bytes();
            let drops = futures::stream::unfold(bytes.into_iter(), |mut left| async move {
                let byte = left.next()?;
                wait::moment(SECOND).await;
                Some((Ok::<_, std::io::Error>(Bytes::copy_from_slice(&[byte])), left))
            });
            json(200, Vec::new()).body(Body::from_stream(drops)).unwrap()
        }
    }
}

async fn never() -> Response {
    wait::moment(NEVER).await;
    Response::new(Body::empty())
}

/// What all of Slack being unwell looks like.
async fn down(fake: &FakeSlack, outage: Outage, path: &str) -> Said {
    let name = path.trim_start_matches("/api/").to_owned();
    let now = fake.now();
    fake.with(|truth| {
        if truth.limits.impatient(&name, None, now) {
            truth.violation(format!("{name} before Retry-After was over"));
        }
        let outcome = format!("{outage:?}");
        truth.requests.push(Noted { at: now, method: name.clone(), args: std::collections::BTreeMap::new(), outcome });
        if let Outage::TooMany(seconds) = outage {
            truth.limits.close(&name, seconds, now);
        }
    });
    match outage {
        Outage::Refused => Said::Lost,
        Outage::Blackhole => {
            wait::moment(NEVER).await;
            Said::Lost
        }
        Outage::Status(status) => Said::Text(status, "text/html", PAGE),
        Outage::Html => Said::Text(200, "text/html", PAGE),
        Outage::NotOk => Said::Json(200, Vec::new(), json!({ "ok": false, "error": "service_unavailable" })),
        Outage::TooMany(seconds) => limited(seconds),
        Outage::Trickle => Said::Trickle(json!({ "ok": false, "error": "fatal_error" })),
    }
}

const PAGE: &str = "<!DOCTYPE html><html><body><h1>Be right back</h1></body></html>";

fn limited(seconds: i64) -> Said {
    let headers = vec![("retry-after", seconds.to_string())];
    Said::Json(429, headers, json!({ "ok": false, "error": "ratelimited" }))
}

async fn answer(fake: &FakeSlack, path: &str, query: &str, headers: &HeaderMap, body: &[u8]) -> Said {
    if let Some(id) = path.strip_prefix("/hooks/").and_then(|rest| rest.split('/').nth(1)) {
        return hook(fake, id, headers, body).await;
    }
    let Some(name) = path.strip_prefix("/api/").filter(|name| !name.is_empty()) else {
        return Said::Text(404, "text/html", PAGE);
    };
    let fault = fake.with(|truth| truth.faults.next(name));
    let planned = fault.clone().map(|fault| format!("{fault:?}"));
    if let Some(Fault::Slow(by)) = fault {
        wait::moment(by).await;
    }
    let before = |said: Said| {
        let now = fake.now();
        let outcome = planned.clone().unwrap_or_default();
        fake.with(|truth| {
            let args = std::collections::BTreeMap::new();
            truth.requests.push(Noted { at: now, method: name.to_owned(), args, outcome });
        });
        said
    };
    match fault {
        Some(Fault::TooMany(seconds)) => {
            let now = fake.now();
            fake.with(|truth| truth.limits.close(name, seconds, now));
            return before(limited(seconds));
        }
        Some(Fault::Status(status)) => return before(Said::Text(status, "text/html", PAGE)),
        Some(Fault::Garbage) => return before(Said::Text(200, "application/json", "{\"ok\": tru")),
        Some(Fault::Html) => return before(Said::Text(200, "text/html", PAGE)),
        Some(Fault::Refused(code)) => {
            return before(Said::Json(200, Vec::new(), json!({ "ok": false, "error": code })));
        }
        Some(Fault::Lost) => return before(Said::Lost),
        _ => {}
    }
    let said = call(fake, name, query, headers, body);
    match (fault, said) {
        (Some(Fault::EffectThenLost), _) => Said::Lost,
        (Some(Fault::EffectThenStatus(status)), _) => Said::Text(status, "text/html", PAGE),
        (Some(Fault::EffectThenGarbage), _) => Said::Text(200, "application/json", "{\"ok\": tru"),
        (Some(Fault::EffectThenCut), Said::Json(_, _, value)) => Said::Cut(value),
        (Some(Fault::Trickle), Said::Json(_, _, value)) => Said::Trickle(value),
        (_, said) => said,
    }
}

/// A response_url.
async fn hook(fake: &FakeSlack, id: &str, headers: &HeaderMap, body: &[u8]) -> Said {
    let fault = fake.with(|truth| truth.faults.next("response_url"));
    match fault {
        Some(Fault::Slow(by)) => wait::moment(by).await,
        Some(Fault::Status(status)) => return Said::Text(status, "text/html", PAGE),
        Some(Fault::Lost) => return Said::Lost,
        _ => {}
    }
    let now = fake.now();
    let kind = headers.get("content-type").and_then(|v| v.to_str().ok()).unwrap_or_default().to_owned();
    let authorized = headers.contains_key("authorization");
    let (status, value) = fake.with(|truth| {
        if !kind.starts_with("application/json") {
            truth.violation(format!("a response_url takes JSON, not {kind:?}"));
        }
        if authorized {
            truth.violation("a token at a response_url, which needs none");
        }
        let body = serde_json::from_slice(body).unwrap_or(Value::Null);
        let (status, value) = chat::respond(truth, id, &body, now);
        let args = body.as_object().cloned().unwrap_or_default().into_iter().collect();
        let outcome = value["error"].as_str().unwrap_or("ok").to_owned();
        truth.requests.push(Noted { at: now, method: "response_url".to_owned(), args, outcome });
        (status, value)
    });
    if matches!(fault, Some(Fault::EffectThenLost)) {
        return Said::Lost;
    }
    if status == 200 { Said::Text(200, "text/html", "ok") } else { Said::Json(status, Vec::new(), value) }
}

/// A method of the Web API.
fn call(fake: &FakeSlack, name: &str, query: &str, headers: &HeaderMap, body: &[u8]) -> Said {
    let now = fake.now();
    let Some(method) = method(name) else {
        fake.with(|truth| truth.violation(format!("there is no method {name} here")));
        return Said::Json(200, Vec::new(), json!({ "ok": false, "error": "unknown_method", "req_method": name }));
    };
    let mut sloppy = Sloppy::default();
    let mut call = Call::read(name, query, headers, body, method.json, &mut sloppy);
    let raw = call.args.clone();
    sloppy.0.extend(spec::request(name, &raw, call.is_json));
    let checked = call.check(name, method.args, &mut sloppy);
    let (said, events) = fake.with(|truth| {
        for what in sloppy.0 {
            truth.violation(what);
        }
        if headers.get("user-agent").is_none() {
            truth.violation(format!("{name} without a User-Agent"));
        }
        let channel = method.channel(&call).map(str::to_owned);
        if truth.limits.impatient(name, channel.as_deref(), now) {
            truth.violation(format!("{name} before Retry-After was over"));
        }
        if let Some(seconds) = truth.limits.take(name, method.tier, channel.as_deref(), now) {
            let args = raw.clone();
            truth.requests.push(Noted { at: now, method: name.to_owned(), args, outcome: "ratelimited".to_owned() });
            return (limited(seconds), Vec::new());
        }
        let mut desk = Desk { truth, now, url: &fake.url, events: Vec::new() };
        let answer = allowed(&mut desk, method, &call).and_then(|()| match checked {
            Ok(()) => (method.run)(&mut desk, &call),
            Err(messages) => Err(("invalid_arguments", json!({ "response_metadata": { "messages": messages } }))),
        });
        let events = desk.events;
        let (mut value, outcome) = match answer {
            Ok(value) => (value, "ok"),
            Err((code, mut value)) => {
                value["error"] = json!(code);
                (value, code)
            }
        };
        value["ok"] = json!(outcome == "ok");
        truth.requests.push(Noted { at: now, method: name.to_owned(), args: raw, outcome: outcome.to_owned() });
        (Said::Json(200, scopes(truth), value), events)
    });
    if let Said::Json(200, _, value) = &said {
        let wrong = spec::answer(name, value);
        fake.with(|truth| wrong.into_iter().for_each(|w| truth.violation(w)));
    }
    for event in events {
        fake.tell(event);
    }
    said
}

/// What every answer says of the token.
fn scopes(truth: &super::truth::Truth) -> Vec<(&'static str, String)> {
    let all: Vec<&str> = truth.scopes.iter().map(String::as_str).collect();
    vec![("x-oauth-scopes", all.join(",")), ("x-slack-req-id", "c0ffee".to_owned())]
}

/// Whether the token may do this at all.
fn allowed(
    desk: &mut Desk<'_>,
    method: &'static super::methods::Method,
    call: &Call,
) -> Result<(), (&'static str, Value)> {
    let refuse = |code: &'static str| Err((code, json!({})));
    let truth = &mut *desk.truth;
    if call.token.is_empty() {
        truth.violation(format!("{} without a token", method.name));
        return refuse("not_authed");
    }
    if let Scope::App(scope) = method.scope {
        if call.token == TOKEN {
            truth.violation(format!("{} with the bot's token", method.name));
            return refuse("not_allowed_token_type");
        }
        if call.token != APP_TOKEN {
            return refuse("invalid_auth");
        }
        if let Some(code) = truth.app_token_error {
            return refuse(code);
        }
        if !truth.app_scopes.contains(scope) {
            return missing(scope, &truth.app_scopes);
        }
        return Ok(());
    }
    if call.token == APP_TOKEN && method.name != "auth.test" {
        truth.violation(format!("{} with the app's token", method.name));
        return refuse("not_allowed_token_type");
    }
    if call.token == APP_TOKEN {
        return truth.app_token_error.map_or(Ok(()), refuse);
    }
    if call.token != TOKEN {
        return refuse("invalid_auth");
    }
    if let Some(code) = truth.token_error {
        return refuse(code);
    }
    for scope in method.scope(truth, call) {
        if !truth.scopes.contains(scope) {
            let scopes = truth.scopes.clone();
            return missing(scope, &scopes);
        }
    }
    Ok(())
}

fn missing(needed: &str, provided: &std::collections::BTreeSet<String>) -> Result<(), (&'static str, Value)> {
    let provided: Vec<&str> = provided.iter().map(String::as_str).collect();
    Err(("missing_scope", json!({ "needed": needed, "provided": provided.join(",") })))
}
