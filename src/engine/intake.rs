//! Intake: what edges hand in is durable before they answer for it. Acts wait for their reply, asks are only answered.

use super::Engine;
use crate::flow::event::Event;
use crate::flow::identity::Identity;
use crate::flow::incident::IncidentId;
use crate::flow::moment::At;
use crate::flow::phrase::{ours, titled};
use crate::flow::refusal::Refusal;
use crate::ports::{Accepted, Arrival, DeadLetter, Door, StoreError};
use async_trait::async_trait;
use smokejumper_intents::bounds;
use smokejumper_intents::intent::Ask;
use smokejumper_intents::reply::Reply;
use std::collections::BTreeMap;
use std::sync::PoisonError;
use std::time::Duration;
use tokio::sync::oneshot;

/// How long somebody who asked is kept waiting (ARCHITECTURE.md D7); Slack and Discord give up after three.
const REPLY_BUDGET: Duration = Duration::from_secs(2);
/// People waiting at once; more are told to look at the card.
const MAX_WAITING: usize = 1_000;

#[async_trait]
impl Door for Engine {
    #[tracing::instrument(level = "debug", name = "take", skip_all, fields(arrivals = arrivals.len()))]
    async fn take(&self, arrivals: Vec<Arrival>) -> Result<(), StoreError> {
        let sources: BTreeMap<String, At> = arrivals.iter().map(|a| (a.source.clone(), a.at)).collect();
        self.ports.inbox.accept(arrivals).await?;
        self.arrived.notify_one();
        for (source, at) in &sources {
            self.observer.arrived(source, *at);
        }
        Ok(())
    }

    #[tracing::instrument(level = "debug", name = "ask", skip_all, fields(act = ask.intent.is_act()))]
    async fn ask_noting(
        &self,
        by: Identity,
        ask: Ask,
        key: String,
        stored: Option<oneshot::Sender<()>>,
    ) -> Result<Reply, StoreError> {
        // Typed words, buttons and forms come by many doors: none of them leads to what `read` would not make.
        if !bounds::within(&ask) {
            note(stored);
            return Ok(match ask.incident {
                Some(0) => no_incident(IncidentId::HOUSE),
                _ => Refusal::new("that is longer than it may be, or has characters in it that cannot be used.")
                    .to_reply(),
            });
        }
        let reply = if ask.intent.is_act() {
            self.act(by, ask, key, stored).await?
        } else {
            // Nothing of a question can be lost.
            note(stored);
            self.observer.arrived(&source_of(&by), self.ports.clock.now());
            self.answer(&by, ask).await?
        };
        // Once, here, whoever shows it.
        Ok(reply.bounded())
    }

    async fn bury(&self, letter: DeadLetter) -> Result<(), StoreError> {
        self.ports.inbox.bury(letter).await
    }
}

/// Where somebody's words come from, as the inbox and the metrics have it.
fn source_of(by: &Identity) -> String {
    format!("ask:{}", by.platform.label())
}

/// Whoever waits to hear it may be gone.
fn note(stored: Option<oneshot::Sender<()>>) {
    if let Some(stored) = stored {
        let _ = stored.send(());
    }
}

/// It is safe, but the answer takes longer than people are kept waiting.
fn slow() -> Reply {
    titled(vec![ours("Stored. I am slow just now; the card will show it.")])
}

/// The place of somebody who waits for the reply to an act. Given up when it is dropped, because whoever asked may go away at
/// any moment, and with them everything that was still to be done for them.
struct Seat<'e> {
    engine: &'e Engine,
    key: (String, String),
    reply: oneshot::Receiver<Reply>,
}

impl Drop for Seat<'_> {
    fn drop(&mut self) {
        self.engine.waiting.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.key);
    }
}

impl Engine {
    /// Stores the act, and waits for its reply as long as people are kept waiting.
    async fn act(
        &self,
        by: Identity,
        ask: Ask,
        key: String,
        stored: Option<oneshot::Sender<()>>,
    ) -> Result<Reply, StoreError> {
        if let Some(id) = ask.incident.map(IncidentId)
            && self.ports.views.incident(&by, id).await?.is_none()
        {
            // Whether it does not exist or is private is the same to them (I27).
            note(stored);
            return Ok(no_incident(id));
        }
        let source = source_of(&by);
        let seat = self.seat(&source, &key);
        let now = self.ports.clock.now();
        let arrival = Arrival { source: source.clone(), key, at: now, event: Event::Asked { by, ask } };
        let accepted = self.ports.inbox.accept(vec![arrival]).await?;
        note(stored);
        self.observer.arrived(&source, now);
        if matches!(accepted.as_slice(), [Accepted::Known(_)]) {
            // Done already, or somebody else's click of the same button waits for the reply.
            return Ok(titled(vec![ours("That was received already; it is done once.")]));
        }
        self.arrived.notify_one();
        let Some(mut seat) = seat else { return Ok(slow()) };
        Ok(match tokio::time::timeout(REPLY_BUDGET, &mut seat.reply).await {
            Ok(Ok(reply)) => reply,
            Ok(Err(_)) => titled(vec![ours("Done.")]),
            Err(_) => slow(),
        })
    }

    /// `None`: too many wait already, or somebody waits for this very reply.
    fn seat(&self, source: &str, key: &str) -> Option<Seat<'_>> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (source.to_owned(), key.to_owned());
        if waiting.len() >= MAX_WAITING || waiting.contains_key(&key) {
            return None;
        }
        let (sender, reply) = oneshot::channel();
        waiting.insert(key.clone(), sender);
        Some(Seat { engine: self, key, reply })
    }
}

/// What somebody is told who asked for an incident that is not there for them.
pub(super) fn no_incident(id: IncidentId) -> Reply {
    Refusal::new(format!("there is no {id}.")).or_try("list").to_reply()
}
