//! Intake: what edges hand in is durable before they answer for it. Acts wait for their reply, asks are only answered.

use super::Engine;
use crate::flow::event::Event;
use crate::flow::identity::Identity;
use crate::flow::incident::IncidentId;
use crate::flow::phrase::{ours, titled};
use crate::flow::refusal::Refusal;
use crate::ports::{Accepted, Arrival, DeadLetter, Door, StoreError};
use async_trait::async_trait;
use smokejumper_intents::intent::Ask;
use smokejumper_intents::reply::Reply;
use std::sync::PoisonError;
use std::time::Duration;
use tokio::sync::oneshot;

/// How long somebody who asked is kept waiting (ARCHITECTURE.md D7); Slack and Discord give up after three.
const REPLY_BUDGET: Duration = Duration::from_secs(2);
/// People waiting at once; more are told to look at the card.
const MAX_WAITING: usize = 1_000;

#[async_trait]
impl Door for Engine {
    async fn take(&self, arrivals: Vec<Arrival>) -> Result<(), StoreError> {
        self.ports.inbox.accept(arrivals).await?;
        self.arrived.notify_one();
        Ok(())
    }

    async fn ask(&self, by: Identity, ask: Ask, key: String) -> Result<Reply, StoreError> {
        if !ask.intent.is_act() {
            return self.answer(&by, ask).await;
        }
        if let Some(id) = ask.incident.map(IncidentId)
            && self.ports.views.incident(&by, id).await?.is_none()
        {
            // Whether it does not exist or is private is the same to them (I27).
            return Ok(no_incident(id));
        }
        let source = format!("ask:{}", by.platform.label());
        let heard = self.expect_reply(&source, &key);
        let arrival = Arrival {
            source: source.clone(),
            key: key.clone(),
            at: self.ports.clock.now(),
            event: Event::Asked { by, ask },
        };
        let accepted = self.ports.inbox.accept(vec![arrival]).await;
        let known = matches!(accepted.as_deref(), Ok([Accepted::Known(_)]));
        if accepted.is_err() && heard.is_some() {
            self.forget(&source, &key);
        }
        accepted?;
        if known {
            // Done already, or somebody else's click of the same button waits for the reply.
            if heard.is_some() {
                self.forget(&source, &key);
            }
            return Ok(titled(vec![ours("That was received already; it is done once.")]));
        }
        self.arrived.notify_one();
        let Some(heard) = heard else { return Ok(stored()) };
        match tokio::time::timeout(REPLY_BUDGET, heard).await {
            Ok(Ok(reply)) => Ok(reply),
            Ok(Err(_)) => Ok(titled(vec![ours("Done.")])),
            Err(_) => {
                self.forget(&source, &key);
                Ok(stored())
            }
        }
    }

    async fn bury(&self, letter: DeadLetter) -> Result<(), StoreError> {
        self.ports.inbox.bury(letter).await
    }
}

/// It is safe, but the answer takes longer than people are kept waiting.
fn stored() -> Reply {
    titled(vec![ours("Stored. I am slow just now; the card will show it.")])
}

impl Engine {
    fn expect_reply(&self, source: &str, key: &str) -> Option<oneshot::Receiver<Reply>> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (source.to_owned(), key.to_owned());
        if waiting.len() >= MAX_WAITING || waiting.contains_key(&key) {
            return None;
        }
        let (sender, receiver) = oneshot::channel();
        waiting.insert(key, sender);
        Some(receiver)
    }

    fn forget(&self, source: &str, key: &str) {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).remove(&(source.to_owned(), key.to_owned()));
    }
}

/// What somebody is told who asked for an incident that is not there for them.
pub(super) fn no_incident(id: IncidentId) -> Reply {
    Refusal::new(format!("there is no {id}.")).or_try("list").to_reply()
}
