//! Those who wait for a reply: their places are given back, however they go away, and what they get has bounds.

use crate::world::door::Noon;
use crate::world::ledger::Ledger;
use crate::world::town;
use futures::FutureExt as _;
use smokejumper::edges::directory::ConfiguredDirectory;
use smokejumper::edges::memory::IndexedMemory;
use smokejumper::edges::runner::redact::Redactor;
use smokejumper::edges::runner::{Hands, Settings};
use smokejumper::engine::{Engine, Ports};
use smokejumper::ports::Door as _;
use smokejumper_intents::intent::{Ask, Intent};
use smokejumper_intents::reply::{Reply, SPAN_MAX};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// As many as may wait at once.
const CROWD: usize = 1_000;

async fn engine(data: &Path) -> (Engine, Ledger) {
    let policy = town::policy();
    let ledger = Ledger::new(Arc::new(Noon));
    let store = Arc::new(ledger.clone());
    let settings = Settings {
        binary: PathBuf::from(env!("CARGO_BIN_EXE_smokejumper")),
        data: data.to_owned(),
        protect: vec![data.to_owned()],
        secrets: Arc::new(|_| None),
        redactor: Redactor::new(Vec::new()),
    };
    let ports = Ports {
        inbox: store.clone(),
        journal: store.clone(),
        outbox: store.clone(),
        views: store,
        chats: BTreeMap::new(),
        memory: Arc::new(IndexedMemory::volatile().unwrap()),
        runner: Arc::new(Hands::new(settings).unwrap()),
        directory: Arc::new(ConfiguredDirectory::new(policy.clone())),
        tracker: None,
        pager: None,
        clock: Arc::new(Noon),
    };
    (Engine::start(ports, policy).await.unwrap(), ledger)
}

/// Asks, and takes the turns it calls for meanwhile.
async fn answered(engine: &Engine, ask: Ask, key: &str) -> Reply {
    let turns = async { while engine.turns().await.unwrap() > 0 {} };
    let (reply, ()) = tokio::join!(engine.ask(town::account(0), ask, key.to_owned()), turns);
    reply.unwrap()
}

fn declare() -> Ask {
    Ask {
        incident: None,
        intent: Intent::Declare { title: "checkout is down".to_owned(), severity: None, service: None },
    }
}

fn note(n: usize) -> Ask {
    Ask { incident: Some(1), intent: Intent::Note { text: format!("note {n}") } }
}

#[tokio::test]
async fn somebody_who_went_away_leaves_no_place_taken() {
    let folder = tempfile::tempdir().unwrap();
    let (engine, ledger) = engine(folder.path()).await;
    answered(&engine, declare(), "first").await;
    for n in 0..CROWD {
        // Asks, has it stored, begins to wait for the reply, and is gone.
        assert!(engine.ask(town::account(0), note(n), n.to_string()).now_or_never().is_none());
    }
    assert_eq!(ledger.accepted().len(), 1 + CROWD, "what they asked is stored all the same");
    while engine.turns().await.unwrap() > 0 {}
    let reply = format!("{:?}", answered(&engine, declare(), "another").await);
    assert!(reply.contains("Incident(2)"), "{reply}");
}

#[tokio::test]
async fn what_is_answered_has_its_bounds() {
    let folder = tempfile::tempdir().unwrap();
    let (engine, _) = engine(folder.path()).await;
    answered(&engine, declare(), "first").await;
    let text = "x".repeat(3 * SPAN_MAX);
    answered(&engine, Ask { incident: Some(1), intent: Intent::Note { text: text.clone() } }, "note").await;
    let reply = answered(&engine, Ask { incident: Some(1), intent: Intent::Timeline }, "timeline").await;
    let shown = format!("{reply:?}");
    assert!(shown.contains(&text[..SPAN_MAX / 2]) && !shown.contains(&text), "{shown}");
    assert_eq!(reply.clone().bounded(), reply);
}
