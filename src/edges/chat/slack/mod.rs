//! Slack: rooms, cards, messages, forms and the App Home there, and what it says to us (`intake`).
//!
//! Knows the port `Chat`, its own configuration and slack-morphism; knows neither storage nor what an incident is for.

pub mod blocks;
mod chat;
mod furnish;
pub mod groups;
pub mod home;
pub mod inspect;
pub mod intake;
pub mod manifest;
pub mod method;
pub mod modal;
pub mod pace;
mod post;
mod room;
pub mod text;
pub mod trouble;
mod wire;

use self::method::Method;
use self::pace::{Lane, Pace, Turn};
use self::trouble::{Cause, Trouble};
use self::wire::Wire;
use crate::config::secret::Secret;
use crate::config::slack::{Intake, Slack as Configured};
use crate::ports::Clock;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use smokejumper_intents::reply::Reply;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant};

/// Waited in place; what must wait longer comes back.
const PATIENCE: Duration = Duration::from_secs(2);
/// Things remembered to save calls; when there are more all are asked for anew.
const MAX_NOTES: usize = 10_000;

/// One workspace, as one app. Clones share what they know of it.
#[derive(Clone)]
pub struct Slack {
    wire: Wire,
    configured: Arc<Configured>,
    clock: Arc<dyn Clock>,
    me: Arc<RwLock<Option<Me>>>,
    /// What only a person can mend, by method: shown until a call of it works again.
    standing: Arc<Mutex<BTreeMap<&'static str, String>>>,
    pace: Arc<Pace>,
    /// What need not be asked or done again while this process lives; everything in it can be forgotten.
    notes: Arc<Mutex<BTreeMap<String, String>>>,
    calls: Arc<AtomicU64>,
}

impl std::fmt::Debug for Slack {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Slack").field("api_url", &self.configured.api_url).finish_non_exhaustive()
    }
}

/// Who we are there.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Me {
    #[serde(rename = "team_id")]
    pub workspace: String,
    #[serde(rename = "user_id")]
    pub user: String,
    #[serde(rename = "bot_id")]
    pub bot: Option<String>,
    /// Of the workspace: `https://acme.slack.com/`.
    pub url: String,
}

impl Me {
    /// Where a channel can be seen.
    #[must_use]
    pub fn channel_link(&self, channel: &str) -> String {
        format!("{}/archives/{channel}", self.url.trim_end_matches('/'))
    }

    /// Where a message can be seen.
    #[must_use]
    pub fn message_link(&self, channel: &str, ts: &str) -> String {
        format!("{}/p{}", self.channel_link(channel), ts.replace('.', ""))
    }
}

/// A form or an App Home that is shown.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Shown {
    pub id: String,
    pub hash: Option<String>,
}

/// What is used of a message.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
pub struct Message {
    #[serde(default)]
    pub ts: String,
    #[serde(default)]
    pub text: String,
    pub user: Option<String>,
    pub bot_id: Option<String>,
    pub subtype: Option<String>,
    pub thread_ts: Option<String>,
    pub metadata: Option<Value>,
}

/// What is used of an account.
#[allow(clippy::struct_excessive_bools)] // as Slack has them
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct User {
    #[serde(default)]
    pub id: String,
    /// The workspace it belongs to.
    pub team_id: Option<String>,
    #[serde(default)]
    pub name: String,
    pub real_name: Option<String>,
    /// Deactivated.
    #[serde(default)]
    pub deleted: bool,
    #[serde(default)]
    pub is_bot: bool,
    /// A guest.
    #[serde(default)]
    pub is_restricted: bool,
    #[serde(default)]
    pub is_ultra_restricted: bool,
    /// Of another organisation, by Slack Connect.
    #[serde(default)]
    pub is_stranger: bool,
    /// IANA name of their zone.
    pub tz: Option<String>,
}

impl Slack {
    /// Must be called within a tokio runtime.
    ///
    /// # Errors
    /// The address, for whoever wrote it.
    pub fn new(configured: &Configured, clock: Arc<dyn Clock>) -> Result<Self, String> {
        Self::paced(configured, clock, Pace::default())
    }

    /// Likewise, for a workspace with a pace of its own.
    ///
    /// # Errors
    /// The address, for whoever wrote it.
    pub fn paced(configured: &Configured, clock: Arc<dyn Clock>, pace: Pace) -> Result<Self, String> {
        let wire = Wire::new(&configured.api_url, configured.allow_plaintext)
            .map_err(|refused| format!("[slack] api_url: {refused}"))?;
        let configured = Arc::new(configured.clone());
        let (me, standing, notes, calls) = (Arc::default(), Arc::default(), Arc::default(), Arc::default());
        Ok(Self { wire, configured, clock, me, standing, pace: Arc::new(pace), notes, calls })
    }

    #[must_use]
    pub fn configured(&self) -> &Configured {
        &self.configured
    }

    #[must_use]
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.clock
    }

    /// What only a person can mend now, in words that say where; empty: nothing that is known.
    #[must_use]
    pub fn standing(&self) -> Vec<String> {
        let standing = self.standing.lock().unwrap_or_else(PoisonError::into_inner);
        let mut told: Vec<String> = standing.values().cloned().collect();
        told.dedup();
        told
    }

    /// Calls any method with the bot's token, for somebody who waits for it.
    ///
    /// # Errors
    /// See [`Trouble`].
    pub async fn call<T: DeserializeOwned + Send>(
        &self,
        method: &'static Method,
        arguments: &Value,
    ) -> Result<T, Trouble> {
        self.call_as(&self.configured.bot_token, self.turn(method, None, Lane::Urgent, ""), arguments).await
    }

    /// Whose turn it is; without a `key` nobody comes back for it.
    #[allow(clippy::unused_self)] // reads as a sentence where it is called
    const fn turn<'a>(&self, method: &'static Method, channel: Option<&'a str>, lane: Lane, key: &'a str) -> Turn<'a> {
        Turn { method, channel, lane, key }
    }

    async fn call_in<T: DeserializeOwned + Send>(&self, turn: Turn<'_>, arguments: &Value) -> Result<T, Trouble> {
        self.call_as(&self.configured.bot_token, turn, arguments).await
    }

    async fn call_as<T: DeserializeOwned + Send>(
        &self,
        bearer: &Secret,
        turn: Turn<'_>,
        arguments: &Value,
    ) -> Result<T, Trouble> {
        self.wait_for(turn).await?;
        let method = turn.method;
        let outcome = self.wire.call(bearer, method, arguments).await;
        if let Err(Trouble { cause: Cause::Limited { after_ms }, .. }) = &outcome {
            let wait = Duration::from_millis(u64::try_from(*after_ms).unwrap_or_default());
            self.pace.limited(Instant::now(), method, wait);
        }
        let mut standing = self.standing.lock().unwrap_or_else(PoisonError::into_inner);
        match &outcome {
            Err(trouble) if trouble.needs_a_person() => {
                standing.insert(method.name, trouble.to_string());
            }
            Ok(_) => {
                standing.remove(method.name);
            }
            Err(_) => {}
        }
        drop(standing);
        outcome
    }

    /// Until it may be called: in place for a moment, else it comes back for the moment that is kept for it.
    async fn wait_for(&self, turn: Turn<'_>) -> Result<(), Trouble> {
        let once = format!("once-{}", self.calls.fetch_add(1, Ordering::Relaxed));
        let own = if turn.key.is_empty() { Turn { key: &once, ..turn } } else { turn };
        loop {
            match self.pace.turn(Instant::now(), own) {
                Ok(()) => return Ok(()),
                Err(wait) if wait <= PATIENCE => tokio::time::sleep(wait).await,
                Err(wait) => {
                    if turn.key.is_empty() {
                        self.pace.give_up(own);
                    }
                    let after_ms = i64::try_from(wait.as_millis()).unwrap_or(i64::MAX);
                    return Err(Trouble::new(turn.method, Cause::Limited { after_ms }));
                }
            }
        }
    }

    fn noted(&self, key: &str) -> Option<String> {
        self.notes.lock().unwrap_or_else(PoisonError::into_inner).get(key).cloned()
    }

    fn note(&self, key: String, value: String) {
        let mut notes = self.notes.lock().unwrap_or_else(PoisonError::into_inner);
        if notes.len() >= MAX_NOTES {
            notes.clear();
        }
        notes.insert(key, value);
    }

    fn forget(&self, key: &str) {
        self.notes.lock().unwrap_or_else(PoisonError::into_inner).remove(key);
    }

    fn did(&self, key: &str) -> bool {
        self.noted(key).is_some()
    }

    fn now_did(&self, key: String) {
        self.note(key, String::new());
    }

    /// Who we are; asked once.
    ///
    /// # Errors
    /// See [`Trouble`].
    pub async fn me(&self) -> Result<Me, Trouble> {
        if let Some(me) = self.me.read().unwrap_or_else(PoisonError::into_inner).clone() {
            return Ok(me);
        }
        self.auth_test().await
    }

    /// Asks anew who we are: whether the token is good.
    ///
    /// # Errors
    /// See [`Trouble`].
    pub async fn auth_test(&self) -> Result<Me, Trouble> {
        let me: Me = self.call(&method::AUTH_TEST, &json!({})).await?;
        *self.me.write().unwrap_or_else(PoisonError::into_inner) = Some(me.clone());
        Ok(me)
    }

    /// The address of a socket, good for one connection.
    ///
    /// # Errors
    /// See [`Trouble`]; refused, when Slack posts to us instead.
    pub async fn connections_open(&self) -> Result<String, Trouble> {
        #[derive(Deserialize)]
        struct Opened {
            url: String,
        }
        let Intake::Socket { app_token } = &self.configured.intake else {
            let why = "there is no app_token: [slack] mode is http".to_owned();
            return Err(Trouble::new(&method::CONNECTIONS_OPEN, Cause::Refused(why)));
        };
        let opened: Opened =
            self.call_as(app_token, self.turn(&method::CONNECTIONS_OPEN, None, Lane::Urgent, ""), &json!({})).await?;
        Ok(opened.url)
    }

    /// Opens a form, within three seconds of the click that gave the `trigger`.
    ///
    /// # Errors
    /// See [`Trouble`].
    pub async fn views_open(&self, trigger: &str, view: &Value) -> Result<Shown, Trouble> {
        self.view(&method::VIEWS_OPEN, json!({ "trigger_id": trigger, "view": view })).await
    }

    /// Shows something else in a form that is open; `hash`: only if it is still as it was.
    ///
    /// # Errors
    /// See [`Trouble`].
    pub async fn views_update(&self, id: &str, hash: Option<&str>, view: &Value) -> Result<Shown, Trouble> {
        let mut arguments = json!({ "view_id": id, "view": view });
        if let Some(hash) = hash {
            arguments["hash"] = json!(hash);
        }
        self.view(&method::VIEWS_UPDATE, arguments).await
    }

    /// Shows somebody their App Home.
    ///
    /// # Errors
    /// See [`Trouble`].
    pub async fn views_publish(&self, user: &str, view: &Value) -> Result<Shown, Trouble> {
        self.view(&method::VIEWS_PUBLISH, json!({ "user_id": user, "view": view })).await
    }

    async fn view(&self, method: &'static Method, arguments: Value) -> Result<Shown, Trouble> {
        #[derive(Deserialize)]
        struct Answer {
            view: Shown,
        }
        let answer: Answer = self.call(method, &arguments).await?;
        Ok(answer.view)
    }

    /// Says something that only one person of a channel sees; they must be in it, and so must we.
    ///
    /// # Errors
    /// See [`Trouble`].
    pub async fn post_ephemeral(
        &self,
        channel: &str,
        user: &str,
        thread: Option<&str>,
        reply: &Reply,
    ) -> Result<(), Trouble> {
        let mut arguments = blocks::message(reply);
        arguments["channel"] = json!(channel);
        arguments["user"] = json!(user);
        arguments["parse"] = json!("none");
        arguments["link_names"] = json!(false);
        if let Some(thread) = thread {
            arguments["thread_ts"] = json!(thread);
        }
        self.call::<Value>(&method::POST_EPHEMERAL, &arguments).await.map(drop)
    }

    /// The message of a channel that bears this time; `thread`: it is a reply there. `None`: there is none.
    ///
    /// # Errors
    /// See [`Trouble`].
    pub async fn message(&self, channel: &str, ts: &str, thread: Option<&str>) -> Result<Option<Message>, Trouble> {
        #[derive(Deserialize)]
        struct Page {
            #[serde(default)]
            messages: Vec<Message>,
        }
        let window = json!({ "channel": channel, "oldest": ts, "latest": ts, "inclusive": true, "limit": 1 });
        let page: Page = match thread.filter(|thread| *thread != ts) {
            Some(thread) => {
                let mut window = window;
                window["ts"] = json!(thread);
                // The first of a thread comes with every page of it.
                window["limit"] = json!(2);
                self.call(&method::REPLIES, &window).await?
            }
            None => self.call(&method::HISTORY, &window).await?,
        };
        Ok(page.messages.into_iter().find(|message| message.ts == ts))
    }

    /// `None`: there is no such account.
    ///
    /// # Errors
    /// See [`Trouble`].
    pub async fn user(&self, id: &str) -> Result<Option<User>, Trouble> {
        #[derive(Deserialize)]
        struct Answer {
            user: User,
        }
        let asked: Result<Answer, Trouble> = self.call(&method::USERS_INFO, &json!({ "user": id })).await;
        match asked {
            Ok(answer) => Ok(Some(answer.user)),
            Err(trouble) if trouble.is(&["user_not_found", "user_not_visible"]) => Ok(None),
            Err(trouble) => Err(trouble),
        }
    }
}
