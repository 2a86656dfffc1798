//! Pagers: services that have phones ring, in the order of the configuration, and what they tell of whoever answered.
//!
//! Each kind is a file here and a row in `Way`. A pager that refuses, or can't be reached, lets the page fall through to the next:
//! two phones ringing is a nuisance, none is an outage. Each pager gets a page under the same key however often it is tried, so it
//! rings once there. Knows no incident and no rota; goes out by `egress` only.

pub mod answers;
pub mod pagerduty;
pub mod webhook;

use self::pagerduty::PagerDuty;
use self::webhook::Webhook;
use crate::config::pager::{Kind, Pagers};
use crate::egress::{Answer, Client, Limits, Refused};
use crate::ports::{Call, Clock, Pager, Undelivered};
use async_trait::async_trait;
use std::sync::Arc;
use std::time::Duration;

/// One attempt at one pager: after this the next one is tried, and somebody waits to be woken.
const LIMITS: Limits =
    Limits { connect: Duration::from_secs(3), whole: Duration::from_secs(6), body: 64 * 1024, hops: 0 };
/// Characters of a pager's own words in an error.
const MAX_WORDS: usize = 200;

/// All pagers there are, in their order.
pub struct Phones {
    ways: Vec<(String, Way)>,
    /// `https://incidents.example.org`, without a slash at its end: where people look and acknowledge.
    base: String,
}

enum Way {
    PagerDuty(PagerDuty),
    Webhook(Webhook),
}

impl std::fmt::Debug for Phones {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names: Vec<&str> = self.ways.iter().map(|(name, _)| name.as_str()).collect();
        f.debug_struct("Phones").field("ways", &names).finish_non_exhaustive()
    }
}

impl Phones {
    /// `None`: no pager is set up.
    ///
    /// # Errors
    /// An address that may not be gone to.
    pub fn new(pagers: &Pagers, base: &str, clock: &Arc<dyn Clock>) -> Result<Option<Self>, Refused> {
        let mut ways = Vec::new();
        for pager in &pagers.list {
            let terms = crate::egress::Terms { limits: LIMITS, ..crate::egress::Terms::default() };
            let client = Client::for_vendor_on(&pager.url, pager.allow_plaintext, &terms)?;
            let way = match &pager.kind {
                Kind::PagerDuty(keys) => Way::PagerDuty(PagerDuty::new(client, keys.clone(), base)),
                Kind::Webhook(secret) => Way::Webhook(Webhook::new(client, secret, Arc::clone(clock))),
            };
            ways.push((pager.name.clone(), way));
        }
        let base = base.trim_end_matches('/').to_owned();
        Ok((!ways.is_empty()).then_some(Self { ways, base }))
    }

    /// A room that is not open yet has no address; the incident's page has one from the first moment.
    fn linked(&self, call: &Call) -> Call {
        let link = || format!("{}/incidents/{}", self.base, call.incident.0);
        Call { link: call.link.clone().or_else(|| Some(link())), ..call.clone() }
    }
}

impl Way {
    async fn page(&self, key: &str, call: &Call) -> Result<(), Undelivered> {
        match self {
            Self::PagerDuty(way) => way.page(key, call).await,
            Self::Webhook(way) => way.send(key, "page", call).await,
        }
    }

    async fn end(&self, key: &str, call: &Call) -> Result<(), Undelivered> {
        match self {
            Self::PagerDuty(way) => way.end(key, call).await,
            Self::Webhook(way) => way.send(key, "end", call).await,
        }
    }
}

#[async_trait]
impl Pager for Phones {
    async fn page(&self, op: &str, call: &Call) -> Result<String, Undelivered> {
        let call = self.linked(call);
        let mut refused = Refusals::default();
        for (name, way) in &self.ways {
            match way.page(op, &call).await {
                Ok(()) => return Ok(refused.before(name)),
                Err(problem) => refused.add(name, problem),
            }
        }
        Err(refused.sum())
    }

    /// Everywhere: whoever refused it, or whose answer was lost, may have let it ring.
    async fn end(&self, op: &str, call: &Call) -> Result<(), Undelivered> {
        let mut refused = Refusals::default();
        for (name, way) in &self.ways {
            match way.end(op, call).await {
                // Whoever never takes this page has nothing to end.
                Ok(()) | Err(Undelivered::Never { .. }) => {}
                Err(problem) => refused.add(name, problem),
            }
        }
        if refused.why.is_empty() { Ok(()) } else { Err(refused.sum()) }
    }
}

/// What pagers said that did not take a page.
#[derive(Debug, Default)]
struct Refusals {
    why: Vec<String>,
    /// One of them may take it later.
    later: bool,
    after_ms: Option<i64>,
}

impl Refusals {
    fn add(&mut self, name: &str, problem: Undelivered) {
        let why = match problem {
            Undelivered::NotYet { why, after_ms } => {
                self.later = true;
                self.after_ms = match (self.after_ms, after_ms) {
                    (Some(a), Some(b)) => Some(a.min(b)),
                    (a, b) => a.or(b),
                };
                why
            }
            // Under its key it rings once, so trying again does no harm.
            Undelivered::Unknown { why } => {
                self.later = true;
                why
            }
            Undelivered::Never { why } | Undelivered::NoRoom { why, .. } => why,
        };
        tracing::warn!(pager = name, why, "a page was not taken");
        self.why.push(format!("{name}: {why}"));
    }

    /// Who took it, and who did not before: people are told of a pager that fails them.
    fn before(&self, name: &str) -> String {
        if self.why.is_empty() { name.to_owned() } else { format!("{name}, after {}", self.why.join("; ")) }
    }

    fn sum(self) -> Undelivered {
        let why = self.why.join("; ");
        if self.later { Undelivered::NotYet { why, after_ms: self.after_ms } } else { Undelivered::Never { why } }
    }
}

/// What an answer that is no acceptance means: for now, or for good.
fn refusal(answer: &Answer, words: &str) -> Undelivered {
    let words: String = words.chars().map(|c| if c.is_control() { ' ' } else { c }).take(MAX_WORDS).collect();
    let why = if words.is_empty() {
        format!("it answered {}", answer.status)
    } else {
        format!("it answered {}: {words}", answer.status)
    };
    match answer.status {
        408 | 425 | 429 | 500..=599 => Undelivered::NotYet { why, after_ms: answer.retry_after_ms() },
        _ => Undelivered::Never { why },
    }
}

/// The first `max` characters.
fn cut(text: &str, max: usize) -> String {
    text.chars().take(max).collect()
}
