//! One request to a reviewed address, and what became of it. Where it may go is the egress room's to judge.

use super::output::Capture;
use super::redact::Redactor;
use crate::egress;
use crate::egress::{Client, Failed, Outside, Terms};
use crate::flow::fact::Output;
use crate::flow::plan::Request;
use reqwest::{Method, Url};
use std::time::Duration;

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

/// A client that goes only where runbooks say: whoever reviewed them named the hosts.
pub fn client() -> Result<Client, String> {
    Client::new(Outside::Vendor { allow_plaintext: true }, &Terms::default()).map_err(|e| e.to_string())
}

/// Sends it once. `headers` are those of `request` with their secrets filled in.
pub async fn send(client: &Client, request: &Request, headers: &[(String, String)], redactor: &Redactor) -> Answer {
    match Url::parse(&request.url) {
        // What a parser makes of it must be what was approved.
        Ok(url) if url.as_str() == request.url || url.as_str().strip_suffix('/') == Some(&request.url) => {}
        Ok(url) => return Answer::NotSent(format!("{} would be sent as {url}", request.url)),
        Err(e) => return Answer::NotSent(format!("{} is not an address: {e}", request.url)),
    }
    let Ok(method) = Method::from_bytes(request.method.as_bytes()) else {
        return Answer::NotSent(format!("{} is not a method", request.method));
    };
    let mut out = egress::Request::new(method, &request.url);
    out.headers = headers.to_vec();
    if let Some(body) = &request.body {
        out = out.header("content-type", "application/json");
        out.body = Some(body.clone().into_bytes());
    }
    out.within = Some(Duration::from_millis(u64::try_from(request.timeout_ms).unwrap_or(0)));
    match client.send(out).await {
        Ok(answer) => {
            let mut capture = Capture::default();
            capture.push(&answer.body);
            Answer::Status { status: answer.status, body: capture.finish(redactor), raw: answer.body }
        }
        Err(Failed::Refused(refused)) => Answer::NotSent(redactor.redact(&refused.to_string())),
        Err(Failed::NotSent(why)) => Answer::NotSent(redactor.redact(&why)),
        Err(Failed::Lost(why)) => Answer::Lost(redactor.redact(&why)),
        Err(Failed::TimedOut) => Answer::TimedOut,
    }
}
