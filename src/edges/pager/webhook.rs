//! A pager of your own: one signed `POST` of JSON, described in docs/paging.md. Any 2xx is an acceptance.
//!
//! The same page keeps its `id` however often it is sent. Knows nothing of what stands behind the address.

use super::{cut, refusal};
use crate::config::secret::Secret;
use crate::egress::{Client, Request};
use crate::flow::moment::SECOND;
use crate::ports::{Call, Clock, Undelivered};
use ring::hmac;
use serde::Serialize;
use std::sync::Arc;

/// `v1=` and the hexadecimal HMAC-SHA256 of `<time>:<body>`.
pub const SIGNATURE: &str = "x-smokejumper-signature";
/// When it was signed, in Unix seconds.
pub const TIMESTAMP: &str = "x-smokejumper-timestamp";
pub const PREFIX: &str = "v1=";
/// Characters of each text.
const MAX_TEXT: usize = 1_000;

pub struct Webhook {
    client: Client,
    key: hmac::Key,
    clock: Arc<dyn Clock>,
}

impl std::fmt::Debug for Webhook {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Webhook").field("client", &self.client).finish_non_exhaustive()
    }
}

#[derive(Serialize)]
struct Body<'b> {
    version: u8,
    action: &'b str,
    id: &'b str,
    incident: String,
    page: u32,
    person: &'b str,
    severity: &'static str,
    title: String,
    service: Option<&'b str>,
    why: String,
    link: Option<&'b str>,
}

impl Webhook {
    #[must_use]
    pub fn new(client: Client, secret: &Secret, clock: Arc<dyn Clock>) -> Self {
        let key = hmac::Key::new(hmac::HMAC_SHA256, secret.expose().as_bytes());
        Self { client, key, clock }
    }

    /// # Errors
    /// Refused, or not for now.
    pub async fn send(&self, id: &str, action: &str, call: &Call) -> Result<(), Undelivered> {
        let body = Body {
            version: 1,
            action,
            id,
            incident: call.incident.to_string(),
            page: call.page,
            person: &call.who.0,
            severity: call.severity.label(),
            title: cut(&call.title, MAX_TEXT),
            service: call.shown_service(),
            why: cut(&call.because, MAX_TEXT),
            link: call.link.as_deref(),
        };
        let request = Request::post_json("", &body)?;
        let time = (self.clock.now().0 / SECOND).to_string();
        let mut signed = hmac::Context::with_key(&self.key);
        signed.update(time.as_bytes());
        signed.update(b":");
        signed.update(request.body.as_deref().unwrap_or_default());
        let signature = format!("{PREFIX}{}", hex::encode(signed.sign().as_ref()));
        let request = request.header(SIGNATURE, signature).header(TIMESTAMP, time);
        let answer = self.client.send(request).await?;
        if answer.is_success() { Ok(()) } else { Err(refusal(&answer, "")) }
    }
}
