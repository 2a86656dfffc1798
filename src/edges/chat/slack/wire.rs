//! How calls reach Slack: slack-morphism's client over the house's own way out. Nothing is sent twice, and no redirect is
//! followed; what is certain of a call that failed is kept.

use super::method::{Kind, Method};
use super::trouble::{Cause, LEAST_WAIT, Trouble};
use crate::config::secret::Secret;
use crate::egress::{Answer, Client, Limits, Refused, Request, Terms};
use futures::future::BoxFuture;
use reqwest::Url;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use slack_morphism::errors::{SlackClientError, SlackClientSystemError};
use slack_morphism::multipart_form::FileMultipartData;
use slack_morphism::{
    ClientResult, SlackApiToken, SlackClient, SlackClientApiCallContext, SlackClientHttpConnector, SlackClientId,
    SlackClientSecret,
};
use std::sync::Arc;
use std::time::Duration;

/// Bytes of an answer: a page of 200 messages with their blocks.
const MAX_ANSWER: usize = 8 * 1024 * 1024;
/// Slack answers within three seconds, or has trouble.
const WITHIN: Duration = Duration::from_secs(15);
const CONNECT_WITHIN: Duration = Duration::from_secs(5);
/// What longer waits are cut to (ms): Slack's windows are minutes.
const MOST_WAIT: i64 = 60 * 60 * 1_000;

/// Slack's Web API. Clones share their connections.
#[derive(Clone)]
pub struct Wire {
    client: Arc<SlackClient<WayOut>>,
}

impl std::fmt::Debug for Wire {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Wire").finish_non_exhaustive()
    }
}

impl Wire {
    /// `api_url`: what method names are appended to. Must be called within a tokio runtime.
    ///
    /// # Errors
    /// The address is no place to go.
    pub fn new(api_url: &str, allow_plaintext: bool) -> Result<Self, Refused> {
        let limits = Limits { connect: CONNECT_WITHIN, whole: WITHIN, body: MAX_ANSWER, hops: 0 };
        let http = Client::for_vendor_on(api_url, allow_plaintext, &Terms { limits, ..Terms::default() })?;
        let way = WayOut { http, base: api_url.trim_end_matches('/').to_owned() };
        Ok(Self { client: Arc::new(SlackClient::new(way)) })
    }

    /// Calls once. Reads go as a query, everything else as JSON: each method takes one of the two (see `method`).
    ///
    /// # Errors
    /// See [`Trouble`].
    pub async fn call<T: DeserializeOwned + Send>(
        &self,
        bearer: &Secret,
        method: &Method,
        arguments: &Value,
    ) -> Result<T, Trouble> {
        let token = SlackApiToken::new(bearer.expose().into());
        let session = self.client.open_session(&token);
        let outcome = if method.kind == Kind::Read {
            let query = query(arguments);
            let query: Vec<(&str, Option<&String>)> = query.iter().map(|(name, value)| (*name, Some(value))).collect();
            session.http_session_api.http_get(method.name, &query, None).await
        } else {
            session.http_session_api.http_post(method.name, arguments, None).await
        };
        outcome.map_err(|error| Trouble::new(method, cause(error)))
    }
}

/// Arguments of a read, each as text.
fn query(arguments: &Value) -> Vec<(&str, String)> {
    let text = |value: &Value| match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    };
    let object = arguments.as_object().into_iter().flatten();
    object.filter_map(|(name, value)| Some((name.as_str(), text(value)?))).collect()
}

/// What the way out put into the library's error, or the library's own words.
fn cause(error: SlackClientError) -> Cause {
    match error {
        SlackClientError::SystemError(SlackClientSystemError { cause: Some(inner), message }) => {
            match inner.downcast::<Cause>() {
                Ok(cause) => *cause,
                Err(inner) => Cause::Lost(message.unwrap_or_else(|| inner.to_string())),
            }
        }
        // Only its own reading of addresses is left, before anything is sent.
        other => Cause::Refused(other.to_string()),
    }
}

/// slack-morphism's way out: the house's.
#[derive(Clone, Debug)]
struct WayOut {
    http: Client,
    base: String,
}

impl WayOut {
    async fn go<T: DeserializeOwned>(&self, request: Request, token: Option<&SlackApiToken>) -> ClientResult<T> {
        let request = match token {
            Some(token) => request.header("authorization", format!("Bearer {}", token.token_value.0)),
            None => request,
        };
        let outcome = self.http.send(request).await.map_err(Cause::from);
        outcome.and_then(|answer| read(&answer)).map_err(boxed)
    }
}

fn boxed(cause: Cause) -> SlackClientError {
    SlackClientError::from(Box::new(cause) as Box<dyn std::error::Error + Send + Sync>)
}

/// Never called: we send no files, and exchange no codes for tokens.
fn not_ours<'a, T: Send + 'a>() -> BoxFuture<'a, ClientResult<T>> {
    Box::pin(async { Err(boxed(Cause::Refused("this kind of call is not made here".to_owned()))) })
}

#[derive(serde::Deserialize)]
struct Envelope {
    ok: bool,
    error: Option<String>,
    needed: Option<String>,
    response_metadata: Option<Value>,
    errors: Option<Value>,
}

/// What an answer says: by status, `Retry-After`, and whether it is Slack's JSON at all.
fn read<T: DeserializeOwned>(answer: &Answer) -> Result<T, Cause> {
    let wait = || answer.retry_after_ms().unwrap_or(LEAST_WAIT).clamp(0, MOST_WAIT);
    if answer.status == 429 {
        return Err(Cause::Limited { after_ms: wait() });
    }
    let envelope: Envelope = match answer.json() {
        Ok(envelope) => envelope,
        // A gateway's page, a captive portal, half an answer.
        Err(_) if (400..500).contains(&answer.status) => {
            let code = format!("HTTP {}", answer.status);
            return Err(Cause::Said { code, needed: None, details: "the answer is not Slack's".to_owned() });
        }
        Err(why) => return Err(Cause::Lost(format!("an answer ({}) that is not Slack's: {why}", answer.status))),
    };
    if !envelope.ok {
        let code = envelope.error.unwrap_or_else(|| format!("HTTP {}", answer.status));
        if matches!(code.as_str(), "ratelimited" | "rate_limited") {
            return Err(Cause::Limited { after_ms: wait() });
        }
        let details = [envelope.errors, envelope.response_metadata.and_then(|m| m.get("messages").cloned())];
        let details: Vec<String> = details.into_iter().flatten().map(|value| value.to_string()).collect();
        return Err(Cause::Said { code, needed: envelope.needed, details: details.join(" ") });
    }
    if answer.status >= 300 {
        return Err(Cause::Lost(format!("status {} with ok", answer.status)));
    }
    answer.json().map_err(|why| Cause::Lost(format!("an answer that cannot be read: {why}")))
}

impl SlackClientHttpConnector for WayOut {
    fn http_get_uri<'a, RS>(
        &'a self,
        uri: Url,
        context: SlackClientApiCallContext<'a>,
    ) -> BoxFuture<'a, ClientResult<RS>>
    where
        RS: for<'de> serde::de::Deserialize<'de> + Send + 'a + 'a + Send,
    {
        Box::pin(self.go(Request::get(uri.as_str()), context.token))
    }

    fn http_post_uri<'a, RQ, RS>(
        &'a self,
        uri: Url,
        body: &'a RQ,
        context: SlackClientApiCallContext<'a>,
    ) -> BoxFuture<'a, ClientResult<RS>>
    where
        RQ: Serialize + Send + Sync,
        RS: for<'de> serde::de::Deserialize<'de> + Send + 'a + Send + 'a,
    {
        let request = Request::post_json(uri.as_str(), body);
        Box::pin(async move {
            let mut request = request.map_err(|failed| boxed(failed.into()))?;
            // Slack warns about JSON without it.
            for (name, value) in &mut request.headers {
                if name == "content-type" {
                    value.push_str("; charset=utf-8");
                }
            }
            self.go(request, context.token).await
        })
    }

    fn create_method_uri_path(&self, method: &str) -> ClientResult<Url> {
        Ok(format!("{}/{method}", self.base).parse()?)
    }

    fn http_get_with_client_secret<'a, RS>(
        &'a self,
        _: Url,
        _: &'a SlackClientId,
        _: &'a SlackClientSecret,
    ) -> BoxFuture<'a, ClientResult<RS>>
    where
        RS: for<'de> serde::de::Deserialize<'de> + Send + 'a + 'a + Send,
    {
        not_ours()
    }

    fn http_post_uri_multipart_form<'a, 'p, RS, PT, TS>(
        &'a self,
        _: Url,
        _: Option<FileMultipartData<'p>>,
        _: &'p PT,
        _: SlackClientApiCallContext<'a>,
    ) -> BoxFuture<'a, ClientResult<RS>>
    where
        RS: for<'de> serde::de::Deserialize<'de> + Send + 'a + Send + 'a,
        PT: IntoIterator<Item = (&'p str, Option<TS>)> + Clone,
        TS: AsRef<str> + 'p + Send,
    {
        not_ours()
    }

    fn http_post_uri_binary<'a, 'p, RS>(
        &'a self,
        _: Url,
        _: String,
        _: &'a [u8],
        _: SlackClientApiCallContext<'a>,
    ) -> BoxFuture<'a, ClientResult<RS>>
    where
        RS: for<'de> serde::de::Deserialize<'de> + Send + 'a + Send + 'a,
    {
        not_ours()
    }
}
