//! GitHub: follow-ups as issues. Files them once, finds them again after a lost answer, moves them, and hears when they move.
//!
//! Knows the tracker's port, its own configuration and octocrab; knows neither storage nor what a follow-up is for.

mod access;
mod answer;
mod gaps;
mod inspect;
mod jwt;
mod marker;
mod pace;
mod tracker;
mod webhook;
mod wire;

pub use gaps::Gaps;
pub use webhook::{PATH, router};

use self::access::Access;
use self::answer::{Judged, judge};
use self::pace::Pace;
use self::wire::{Ask, Wire, not_read};
use crate::config::github::GitHub as Configured;
use crate::egress::{Answer, Failed};
use crate::flow::fact::Issue;
use crate::flow::moment::At;
use crate::ports::{Clock, Undelivered};
use serde::Deserialize;
use std::sync::Arc;

/// Characters of an owner and of a repository's name.
const MAX_NAME: usize = 100;

/// One GitHub, with one identity. Clones share its pace.
#[derive(Clone)]
pub struct GitHub {
    wire: Wire,
    access: Arc<Access>,
    pace: Arc<Pace>,
    /// One request at a time, as GitHub asks for.
    alone: Arc<tokio::sync::Mutex<()>>,
    clock: Arc<dyn Clock>,
}

impl std::fmt::Debug for GitHub {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("GitHub").field("access", &self.access).finish_non_exhaustive()
    }
}

/// What is used of an issue.
#[derive(Clone, Debug, Deserialize)]
struct Shown {
    number: u64,
    html_url: String,
    body: Option<String>,
    #[serde(default)]
    state: String,
    user: Option<Account>,
    #[serde(default)]
    labels: Vec<Label>,
    #[serde(default)]
    assignees: Vec<Account>,
    closed_by: Option<Account>,
    closed_at: Option<String>,
    #[serde(default)]
    updated_at: String,
    repository_url: Option<String>,
    pull_request: Option<serde_json::Value>,
}

#[derive(Clone, Debug, Deserialize)]
struct Account {
    login: String,
}

/// GitHub shows labels as objects, and in old places as text.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
enum Label {
    Object { name: Option<String> },
    Text(String),
}

impl Label {
    fn name(&self) -> &str {
        match self {
            Self::Object { name } => name.as_deref().unwrap_or_default(),
            Self::Text(name) => name,
        }
    }
}

impl Shown {
    /// When it was last changed, in GitHub's time.
    fn changed(&self) -> Option<At> {
        self.updated_at.parse::<jiff::Timestamp>().ok().map(|at| At(at.as_millisecond()))
    }

    /// With the repository it lives in now.
    fn issue(&self, repository: &str) -> Issue {
        let there = self.repository_url.as_deref().and_then(|url| url.split_once("/repos/")).map(|(_, name)| name);
        let repository = there.filter(|name| is_repository(name)).unwrap_or(repository);
        Issue { repository: repository.to_owned(), number: self.number, url: self.html_url.clone() }
    }
}

impl GitHub {
    /// Must be called within a tokio runtime.
    ///
    /// # Errors
    /// The address or the App's key, for whoever wrote them.
    pub fn new(configured: &Configured, clock: Arc<dyn Clock>) -> Result<Self, String> {
        let wire = Wire::new(&configured.api_url, configured.allow_plaintext)
            .map_err(|refused| format!("[github] api_url: {refused}"))?;
        let access = Access::new(&configured.access).map_err(|why| format!("[github] app.key: {why}"))?;
        let (pace, alone) = (Arc::default(), Arc::default());
        Ok(Self { wire, access: Arc::new(access), pace, alone, clock })
    }

    /// Asks, after all that are under way: what GitHub says to one of them counts for the next. `lost`: what it means when
    /// there is no answer.
    async fn ask(&self, ask: Ask<'_>, lost: fn(Failed) -> Undelivered) -> Result<Answer, Undelivered> {
        let _alone = self.alone.lock().await;
        self.open()?;
        let bearer = self.access.bearer(&self.wire, self.clock.now()).await.map_err(|e| self.noted(e))?;
        let answer = self.wire.ask(bearer.expose(), ask).await.map_err(lost)?;
        self.obeyed(&answer).await?;
        Ok(answer)
    }

    async fn read(&self, ask: Ask<'_>) -> Result<Answer, Undelivered> {
        self.ask(ask, not_read).await
    }

    /// The login that GitHub shows as the author of what we make.
    async fn login(&self) -> Result<String, Undelivered> {
        let _alone = self.alone.lock().await;
        self.open()?;
        self.access.login(&self.wire, self.clock.now()).await.map_err(|e| self.noted(e))
    }

    /// # Errors
    /// Not yet: GitHub asked to wait.
    fn open(&self) -> Result<(), Undelivered> {
        match self.pace.closed(self.clock.now()) {
            None => Ok(()),
            Some(wait) => Err(Undelivered::NotYet { why: "GitHub asked to wait".to_owned(), after_ms: Some(wait) }),
        }
    }

    /// A wait asked for by an answer, to be kept by all that follow.
    ///
    /// # Errors
    /// What was asked had certainly no effect, because GitHub asked to wait or did not accept the token.
    async fn obeyed(&self, answer: &Answer) -> Result<(), Undelivered> {
        match judge(answer, self.clock.now()) {
            Judged::Limited { why, after_ms } => Err(self.noted(Undelivered::NotYet { why, after_ms: Some(after_ms) })),
            Judged::Refused { status: 401, why } if self.access.spurned().await => {
                Err(Undelivered::NotYet { why, after_ms: None })
            }
            Judged::Fine => {
                self.pace.fine();
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn noted(&self, problem: Undelivered) -> Undelivered {
        match problem {
            Undelivered::NotYet { why, after_ms: Some(after) } => {
                Undelivered::NotYet { why, after_ms: Some(self.pace.limited(self.clock.now(), after)) }
            }
            other => other,
        }
    }
}

/// `owner/name`, in the letters GitHub allows: it becomes part of an address.
fn is_repository(text: &str) -> bool {
    let plain = |part: &str| {
        let letters = part.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'));
        letters && (1..=MAX_NAME).contains(&part.len()) && part != "." && part != ".."
    };
    text.split_once('/').is_some_and(|(owner, name)| plain(owner) && plain(name))
}

/// A login in the letters GitHub allows (`renovate[bot]` is an App's): it becomes part of an address.
fn is_login(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    let name = text.strip_suffix("[bot]").unwrap_or(text);
    (1..=MAX_NAME).contains(&name.len()) && name.chars().all(plain)
}
