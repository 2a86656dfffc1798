//! The engine's door as the edges see it, without an engine: stateful, durable while it lives, and theirs to break.

use async_trait::async_trait;
use smokejumper::flow::event::Event;
use smokejumper::flow::identity::Identity;
use smokejumper::flow::moment::At;
use smokejumper::flow::signal::Signal;
use smokejumper::ports::{Arrival, Clock, DeadLetter, Door, StoreError};
use smokejumper_intents::intent::Ask;
use smokejumper_intents::reply::Reply;
use std::collections::BTreeMap;
use std::sync::Mutex;
use tokio::sync::{Semaphore, oneshot};

/// Keeps what it is given, once for each key, like the real one; and can be out of order.
#[derive(Default)]
pub struct MemoryDoor {
    pub stored: Mutex<BTreeMap<(String, String), Arrival>>,
    pub buried: Mutex<Vec<DeadLetter>>,
    pub broken: Mutex<Option<StoreError>>,
    pub asked: Mutex<Vec<(Identity, Ask, String)>>,
    /// What it answers.
    pub reply: Mutex<Reply>,
    /// When there, each `take` waits for a permit.
    pub gate: Option<Semaphore>,
}

#[async_trait]
impl Door for MemoryDoor {
    async fn take(&self, arrivals: Vec<Arrival>) -> Result<(), StoreError> {
        if let Some(gate) = &self.gate {
            gate.acquire().await.unwrap().forget();
        }
        if let Some(error) = self.broken.lock().unwrap().clone() {
            return Err(error);
        }
        let mut stored = self.stored.lock().unwrap();
        for arrival in arrivals {
            stored.entry((arrival.source.clone(), arrival.key.clone())).or_insert(arrival);
        }
        Ok(())
    }

    async fn ask_noting(
        &self,
        by: Identity,
        ask: Ask,
        key: String,
        stored: Option<oneshot::Sender<()>>,
    ) -> Result<Reply, StoreError> {
        if let Some(error) = self.broken.lock().unwrap().clone() {
            return Err(error);
        }
        self.asked.lock().unwrap().push((by, ask, key));
        let _ = stored.map(|stored| stored.send(()));
        Ok(self.reply.lock().unwrap().clone())
    }

    async fn bury(&self, letter: DeadLetter) -> Result<(), StoreError> {
        if let Some(error) = self.broken.lock().unwrap().clone() {
            return Err(error);
        }
        self.buried.lock().unwrap().push(letter);
        Ok(())
    }
}

impl MemoryDoor {
    pub fn signals(&self) -> Vec<Signal> {
        let stored = self.stored.lock().unwrap();
        let deliveries = stored.values().map(|a| &a.event);
        deliveries.flat_map(|e| if let Event::Signals(d) = e { d.signals.clone() } else { vec![] }).collect()
    }

    pub fn deliveries(&self) -> usize {
        self.stored.lock().unwrap().len()
    }

    pub fn letters(&self) -> Vec<DeadLetter> {
        self.buried.lock().unwrap().clone()
    }
}

pub struct Noon;

impl Clock for Noon {
    /// 2026-11-20T12:00:00Z
    fn now(&self) -> At {
        At(1_795_176_000_000)
    }
}
