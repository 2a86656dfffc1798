//! Answers: where somebody asked, for them alone. By the address that came with the question, else as an ephemeral message, else
//! as a direct message: nobody is left without a word because one way is closed.

use crate::edges::chat::slack::trouble::{Cause, Trouble};
use crate::edges::chat::slack::{Slack, method};
use crate::edges::chat::slack::{blocks, modal};
use crate::egress::{Client, Failed, Limits, Terms};
use crate::flow::identity::Identity;
use reqwest::Url;
use serde_json::{Value, json};
use smokejumper_intents::reply::Reply;
use std::time::Duration;

/// Where Slack takes answers, besides the host of its interface.
const HOOKS: &str = "https://hooks.slack.com";
/// Whose answers are taken there.
const SLACK: &str = "slack.com";
/// Of a form that shows an answer.
const TITLE: &str = "Smokejumper";
const WITHIN: Duration = Duration::from_secs(10);
/// Bytes of the answer to an answer: `ok`.
const MAX_ANSWER: usize = 16 * 1024;

/// Whom an answer is for, and by which ways it reaches them.
#[derive(Clone, Debug)]
pub struct Back {
    pub to: Identity,
    pub channel: Option<String>,
    pub thread: Option<String>,
    /// The open form that was pressed in.
    pub view: Option<String>,
    /// Good for five answers and half an hour.
    pub response_url: Option<String>,
    /// The message that was pressed gives way to the answer.
    pub replaces: bool,
}

impl Back {
    #[must_use]
    pub const fn to(to: Identity) -> Self {
        Self { to, channel: None, thread: None, view: None, response_url: None, replaces: false }
    }
}

/// Sends them.
#[derive(Clone, Debug)]
pub struct Replies {
    slack: Slack,
    /// At the host of the interface.
    own: Client,
    /// Slack's place for answers, for Slack itself.
    hooks: Option<Client>,
}

/// A message that only whoever asked sees, as the answer to a command or by its address.
#[must_use]
pub fn ephemeral(reply: &Reply) -> Value {
    let mut message = blocks::message(reply);
    message["response_type"] = json!("ephemeral");
    message
}

impl Replies {
    /// # Errors
    /// The address, for whoever wrote it.
    pub fn new(slack: Slack) -> Result<Self, String> {
        let configured = slack.configured();
        let limits = Limits { whole: WITHIN, body: MAX_ANSWER, ..Limits::default() };
        let terms = Terms { limits, ..Terms::default() };
        let own = Client::for_vendor_on(&configured.api_url, configured.allow_plaintext, &terms)
            .map_err(|refused| format!("[slack] api_url: {refused}"))?;
        let is_slack = Url::parse(&configured.api_url).is_ok_and(|url| url.host_str() == Some(SLACK));
        let hooks = is_slack.then(|| Client::for_vendor_on(HOOKS, false, &terms)).transpose();
        Ok(Self { hooks: hooks.map_err(|refused| refused.to_string())?, own, slack })
    }

    /// By the first way that is open. What may have arrived is not sent again.
    pub async fn send(&self, back: &Back, reply: &Reply) {
        if let Some(view) = &back.view {
            match self.slack.views_update(view, None, &modal::told(TITLE, reply)).await {
                Ok(_) => return,
                Err(trouble) => tracing::info!(%trouble, "an answer takes another way"),
            }
        }
        if let Some(url) = &back.response_url {
            match self.respond(url, back.replaces, reply).await {
                Ok(()) => return,
                Err(Failed::Lost(why)) => return tracing::warn!(%why, "an answer may not have arrived"),
                Err(Failed::TimedOut) => return tracing::warn!("an answer may not have arrived in time"),
                Err(failed) => tracing::info!(%failed, "an answer takes another way"),
            }
        }
        let mut message = blocks::message(reply);
        let mut told = Err(None);
        if let Some(channel) = &back.channel {
            for (name, value) in [
                ("channel", json!(channel)),
                ("user", json!(back.to.id)),
                ("parse", json!("none")),
                ("link_names", json!(false)),
            ] {
                message[name] = value;
            }
            if let Some(thread) = &back.thread {
                message["thread_ts"] = json!(thread);
            }
            told = self.slack.call::<Value>(&method::POST_EPHEMERAL, &message).await.map_err(Some);
        }
        // Not in the channel, or it is gone: certainly not seen.
        if let Err(None | Some(Trouble { cause: Cause::Said { .. }, .. })) = &told {
            told = self.slack.call::<Value>(&method::POST_MESSAGE, &direct(back, reply)).await.map_err(Some);
        }
        if let Err(Some(trouble)) = told {
            tracing::warn!(%trouble, "an answer did not arrive");
        }
    }

    async fn respond(&self, url: &str, replaces: bool, reply: &Reply) -> Result<(), Failed> {
        let mut message = ephemeral(reply);
        message["replace_original"] = json!(replaces);
        let to_hooks = self.hooks.as_ref().filter(|_| url.starts_with(&format!("{HOOKS}/")));
        let answer = to_hooks.unwrap_or(&self.own).post_json(url, &message).await?;
        // Used up, or too late: certainly not shown.
        if answer.is_success() { Ok(()) } else { Err(Failed::NotSent(format!("Slack answered {}", answer.status))) }
    }
}

/// To them alone; nothing in it is looked up or shown larger.
fn direct(back: &Back, reply: &Reply) -> Value {
    let mut message = blocks::message(reply);
    for (name, value) in [
        ("channel", json!(back.to.id)),
        ("unfurl_links", json!(false)),
        ("unfurl_media", json!(false)),
        ("parse", json!("none")),
        ("link_names", json!(false)),
    ] {
        message[name] = value;
    }
    message
}
