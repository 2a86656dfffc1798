//! Who clicks is told as soon as it is stored, and not before (I10).

use super::{Arrival, Ask, Engine, Intent, Ledger, StoreError, declare, engine_at, note};
use crate::world::door::Noon;
use crate::world::ledger::When;
use crate::world::town;
use async_trait::async_trait;
use futures::FutureExt as _;
use smokejumper::flow::effect::Destination;
use smokejumper::flow::event::Event;
use smokejumper::flow::fact::Ended;
use smokejumper::flow::identity::{Identity, Platform};
use smokejumper::flow::moment::At;
use smokejumper::ports::{Accepted, Clock as _, DeadLetter, Door as _, Inbox, Observer, Progress, Waiting};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use tokio::sync::oneshot::error::TryRecvError;
use tokio::sync::{Semaphore, oneshot};

/// The ledger's inbox behind a gate: what is on its way to the disk.
struct Gate {
    ledger: Ledger,
    open: Arc<Semaphore>,
}

#[async_trait]
impl Inbox for Gate {
    async fn accept(&self, arrivals: Vec<Arrival>) -> Result<Vec<Accepted>, StoreError> {
        drop(self.open.acquire().await.unwrap());
        self.ledger.accept(arrivals).await
    }

    async fn waiting(&self, limit: u32) -> Result<Vec<Waiting>, StoreError> {
        self.ledger.waiting(limit).await
    }

    async fn bury(&self, letter: DeadLetter) -> Result<(), StoreError> {
        self.ledger.bury(letter).await
    }
}

async fn gated(data: &Path) -> (Engine, Ledger, Arc<Semaphore>) {
    let (open, gate) = (Arc::new(Semaphore::new(0)), std::sync::OnceLock::new());
    let journal = |ledger: Ledger| {
        gate.set(ledger.clone()).ok().unwrap();
        Arc::new(ledger) as Arc<dyn smokejumper::ports::Journal>
    };
    let change = |ports: &mut smokejumper::engine::Ports| {
        ports.inbox = Arc::new(Gate { ledger: gate.get().unwrap().clone(), open: Arc::clone(&open) });
    };
    let (engine, ledger) = engine_at(data, journal, BTreeMap::new(), Arc::new(Noon), change).await;
    (engine, ledger, open)
}

#[tokio::test]
async fn an_act_is_acknowledged_when_it_is_stored_and_before_it_is_answered() {
    let folder = tempfile::tempdir().unwrap();
    let (engine, ledger, open) = gated(folder.path()).await;
    let (stored, mut heard) = oneshot::channel();
    let mut asking = Box::pin(engine.ask_noting(town::account(0), declare(), "click".to_owned(), Some(stored)));
    assert!(asking.as_mut().now_or_never().is_none());
    assert_eq!((heard.try_recv(), ledger.accepted().len()), (Err(TryRecvError::Empty), 0), "on its way to the disk");
    open.add_permits(1);
    assert!(asking.as_mut().now_or_never().is_none(), "nobody has taken its turn yet");
    assert_eq!((heard.try_recv(), ledger.accepted().len()), (Ok(()), 1));
    let turns = async { while engine.turns().await.unwrap() > 0 {} };
    let (reply, ()) = tokio::join!(asking, turns);
    assert!(format!("{:?}", reply.unwrap()).contains("Incident(1)"));
    // The same click again: it is stored, so it is acknowledged, and done once.
    let (stored, mut heard) = oneshot::channel();
    let reply = engine.ask_noting(town::account(0), declare(), "click".to_owned(), Some(stored)).await.unwrap();
    assert_eq!((heard.try_recv(), ledger.accepted().len()), (Ok(()), 1));
    assert!(format!("{reply:?}").contains("received already"), "{reply:?}");
}

#[tokio::test]
async fn an_act_that_is_not_stored_is_not_acknowledged() {
    let folder = tempfile::tempdir().unwrap();
    let (engine, ledger, open) = gated(folder.path()).await;
    open.add_permits(1);
    let (stored, heard) = oneshot::channel();
    // Asked without an incident, so that accepting it is the first call.
    ledger.fail_at(1, When::Before);
    let refused = engine.ask_noting(town::account(0), declare(), "click".to_owned(), Some(stored)).await;
    assert!(matches!(refused, Err(StoreError::Unavailable(_))), "{refused:?}");
    assert!(heard.await.is_err(), "dropped without a word");
    assert_eq!(ledger.accepted().len(), 0);
}

/// Who was heard, in order.
#[derive(Default)]
struct Heard(std::sync::Mutex<Vec<String>>);

impl Observer for Heard {
    fn arrived(&self, source: &str, _: At) {
        self.0.lock().unwrap().push(source.to_owned());
    }
    fn decided(&self, _: std::time::Duration) {}
    fn committed(&self, _: std::time::Duration, _: usize, _: &[Ended]) {}
    fn carried(&self, _: Destination, _: &Progress) {}
}

#[tokio::test]
async fn a_platform_is_heard_whatever_comes_from_it() {
    let folder = tempfile::tempdir().unwrap();
    let (engine, _) = super::engine(folder.path()).await;
    let heard = Arc::new(Heard::default());
    let engine = engine.observed_by(Arc::clone(&heard) as Arc<dyn Observer>);
    let by = Identity { platform: Platform::Slack, workspace: "T1".to_owned(), id: "U1".to_owned() };
    let list = Ask { incident: None, intent: Intent::List { closed: false } };
    engine.ask(by.clone(), list, "question".to_owned()).await.unwrap();
    assert!(engine.ask(by, declare(), "act".to_owned()).now_or_never().is_none());
    let event = Event::Tick;
    let joined = Arrival { source: "slack".to_owned(), key: "Ev1".to_owned(), at: Noon.now(), event };
    engine.take(vec![joined]).await.unwrap();
    assert_eq!(*heard.0.lock().unwrap(), ["ask:slack", "ask:slack", "slack"]);
}

#[tokio::test]
async fn a_question_is_acknowledged_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let (engine, ledger, _) = gated(folder.path()).await;
    for (n, ask) in [
        Ask { incident: None, intent: Intent::List { closed: false } },
        Ask { incident: None, intent: Intent::Help { verb: None } },
        // An act on what is not there, and one that is larger than it may be: nothing of them can be lost.
        note(1),
        Ask { incident: None, intent: Intent::Declare { title: "x".repeat(100_000), severity: None, service: None } },
    ]
    .into_iter()
    .enumerate()
    {
        let (stored, mut heard) = oneshot::channel();
        let reply = engine.ask_noting(town::account(0), ask, n.to_string(), Some(stored)).now_or_never();
        assert!(reply.is_some_and(|reply| reply.is_ok()), "{n}: answered without the inbox, which is shut");
        assert_eq!(heard.try_recv(), Ok(()), "{n}");
    }
    assert_eq!(ledger.accepted().len(), 0);
}
