//! One request to a reviewed address: no redirects, no proxy, everything bounded in time and size.

use super::output::Capture;
use super::redact::Redactor;
use crate::flow::fact::Output;
use crate::flow::plan::Request;
use reqwest::{Client, Method, Url};
use std::time::Duration;

/// Read of a response, in bytes; the rest is left where it is.
const MAX_BODY: u64 = 1024 * 1024;
/// For a connection, within the request's own time.
const CONNECT: Duration = Duration::from_secs(5);

#[derive(Clone, Debug)]
pub enum Answer {
    /// `body` is redacted and cut; `raw` is for looking into, never for showing.
    Status {
        status: u16,
        body: Output,
        raw: Vec<u8>,
    },
    /// Certainly never sent.
    NotSent(String),
    /// Sent, but no (whole) answer: it may have had its effect.
    Lost(String),
    TimedOut,
}

/// A client that goes only where it is told.
pub fn client() -> Result<Client, reqwest::Error> {
    // Somebody else may have installed it already, which is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
    Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .connect_timeout(CONNECT)
        .user_agent(concat!("smokejumper/", env!("CARGO_PKG_VERSION")))
        .build()
}

/// Sends it once. `headers` are those of `request` with their secrets filled in.
pub async fn send(client: &Client, request: &Request, headers: &[(String, String)], redactor: &Redactor) -> Answer {
    let time = Duration::from_millis(u64::try_from(request.timeout_ms).unwrap_or(0));
    tokio::time::timeout(time, exchange(client, request, headers, redactor)).await.unwrap_or(Answer::TimedOut)
}

async fn exchange(client: &Client, request: &Request, headers: &[(String, String)], redactor: &Redactor) -> Answer {
    let url = match Url::parse(&request.url) {
        // What a parser makes of it must be what was approved.
        Ok(url) if url.as_str() == request.url || url.as_str().strip_suffix('/') == Some(&request.url) => url,
        Ok(url) => return Answer::NotSent(format!("{} would be sent as {url}", request.url)),
        Err(e) => return Answer::NotSent(format!("{} is not an address: {e}", request.url)),
    };
    let Ok(method) = Method::from_bytes(request.method.as_bytes()) else {
        return Answer::NotSent(format!("{} is not a method", request.method));
    };
    let mut builder = client.request(method, url);
    for (name, value) in headers {
        let (Ok(name), Ok(mut value)) =
            (reqwest::header::HeaderName::from_bytes(name.as_bytes()), reqwest::header::HeaderValue::from_str(value))
        else {
            return Answer::NotSent(format!("the header `{name}` cannot be sent"));
        };
        value.set_sensitive(true);
        builder = builder.header(name, value);
    }
    if let Some(body) = &request.body {
        builder = builder.header(reqwest::header::CONTENT_TYPE, "application/json").body(body.clone());
    }
    let mut response = match builder.send().await {
        Ok(response) => response,
        Err(e) if e.is_connect() || e.is_builder() => return Answer::NotSent(why(&e, redactor)),
        Err(e) => return Answer::Lost(why(&e, redactor)),
    };
    let status = response.status().as_u16();
    let mut capture = Capture::default();
    let mut raw = Vec::new();
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) if (raw.len() + chunk.len()) as u64 <= MAX_BODY => {
                capture.push(&chunk);
                raw.extend_from_slice(&chunk);
            }
            Ok(_) => return Answer::Status { status, body: capture.finish(redactor), raw },
            Err(e) => return Answer::Lost(why(&e, redactor)),
        }
    }
}

/// The innermost cause: `Connection refused`, not `error sending request`.
fn why(error: &reqwest::Error, redactor: &Redactor) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    redactor.redact(&cause.to_string())
}
