//! Those who wait for a reply: their places are given back, however they go away, and what they get has bounds.

mod away;
mod doubt;
mod noting;
mod vendor;

use crate::world::door::Noon;
use crate::world::ledger::{Ledger, Posted, Standing};
use crate::world::town;
use crate::world::wait::until;
use async_trait::async_trait;
use futures::FutureExt as _;
use smokejumper::edges::directory::ConfiguredDirectory;
use smokejumper::edges::memory::IndexedMemory;
use smokejumper::edges::runner::redact::Redactor;
use smokejumper::edges::runner::{Hands, Settings};
use smokejumper::engine::{Engine, Ports};
use smokejumper::flow::State;
use smokejumper::flow::effect::{Effect, Timer};
use smokejumper::flow::event::Event;
use smokejumper::flow::fact::Fact;
use smokejumper::flow::fact::Room;
use smokejumper::flow::identity::Platform;
use smokejumper::flow::incident::{Incident, IncidentId};
use smokejumper::flow::refusal::is_refusal;
use smokejumper::ports::{
    Arrival, Chat, Clock, Commit, Door as _, Inbox as _, Journal, StoreError, Undelivered, Views as _,
};
use smokejumper_intents::bounds::NOTE_MAX;
use smokejumper_intents::intent::{Ask, Intent};
use smokejumper_intents::reply::{Reply, SPAN_MAX};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use tokio::sync::watch;

/// As many as may wait at once.
const CROWD: usize = 1_000;

async fn engine(data: &Path) -> (Engine, Ledger) {
    engine_on(data, |ledger| Arc::new(ledger)).await
}

/// With a journal of its own.
async fn engine_on(data: &Path, journal: impl FnOnce(Ledger) -> Arc<dyn Journal>) -> (Engine, Ledger) {
    engine_with(data, journal, BTreeMap::new()).await
}

async fn engine_with(
    data: &Path,
    journal: impl FnOnce(Ledger) -> Arc<dyn Journal>,
    chats: BTreeMap<Platform, Arc<dyn Chat>>,
) -> (Engine, Ledger) {
    engine_at(data, journal, chats, Arc::new(Noon), |_| ()).await
}

/// At another time, with other ports.
async fn engine_at(
    data: &Path,
    journal: impl FnOnce(Ledger) -> Arc<dyn Journal>,
    chats: BTreeMap<Platform, Arc<dyn Chat>>,
    clock: Arc<dyn Clock>,
    change: impl FnOnce(&mut Ports),
) -> (Engine, Ledger) {
    let mut policy = town::policy();
    policy.platforms.extend(chats.keys().filter(|platform| **platform != Platform::Console));
    let ledger = Ledger::new(Arc::clone(&clock));
    let store = Arc::new(ledger.clone());
    let settings = Settings {
        binary: PathBuf::from(env!("CARGO_BIN_EXE_smokejumper")),
        data: data.to_owned(),
        protect: vec![data.to_owned()],
        secrets: Arc::new(|_| None),
        may_act: Arc::new(|| true),
        redactor: Redactor::new(Vec::new()),
    };
    let mut ports = Ports {
        inbox: store.clone(),
        journal: journal(ledger.clone()),
        outbox: store.clone(),
        views: store,
        chats,
        memory: Arc::new(IndexedMemory::volatile().unwrap()),
        runner: Arc::new(Hands::new(settings).unwrap()),
        directory: Arc::new(ConfiguredDirectory::new(policy.clone())),
        tracker: None,
        pager: None,
        clock,
    };
    change(&mut ports);
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

/// What a person asked, as an edge would have it stored.
fn asked(key: &str, ask: Ask) -> Arrival {
    Arrival {
        source: "test".to_owned(),
        key: key.to_owned(),
        at: Noon.now(),
        event: Event::Asked { by: town::account(3), ask },
    }
}

fn notes(ledger: &Ledger) -> Vec<(u32, String)> {
    let noted = |fact| if let Fact::Noted { text } = fact { Some(text) } else { None };
    ledger.journal().into_iter().filter_map(|e| Some((e.incident.0, noted(e.fact)?))).collect()
}

#[tokio::test]
async fn nobody_acts_on_the_house() {
    let folder = tempfile::tempdir().unwrap();
    let (engine, ledger) = engine(folder.path()).await;
    answered(&engine, declare(), "first").await;
    let matchers = "alertname=\"Noisy\"".to_owned();
    answered(
        &engine,
        Ask { incident: None, intent: Intent::Silence { matchers, minutes: 60, comment: None, anyway: false } },
        "hush",
    )
    .await;
    let entries = ledger.written();
    assert!(ledger.journal().iter().any(|e| e.incident == IncidentId::HOUSE), "the house has something to fold");
    assert_eq!(ledger.incident(&town::account(0), IncidentId::HOUSE).await.unwrap(), None);
    let to_house = |text: &str| Ask { incident: Some(0), intent: Intent::Note { text: text.to_owned() } };
    let reply = answered(&engine, to_house("x"), "door").await;
    assert!(is_refusal(&reply), "{reply:?}");
    // Past the door, two in one batch, with something good behind them.
    let good = note(7);
    ledger.accept(vec![asked("a", to_house("a")), asked("b", to_house("b")), asked("c", good)]).await.unwrap();
    assert_eq!(engine.turns().await, Ok(3));
    assert_eq!(notes(&ledger), [(1, "note 7".to_owned())]);
    assert_eq!(ledger.written(), entries + 1);
}

#[tokio::test]
async fn what_is_larger_than_it_may_be_does_not_come_in() {
    let folder = tempfile::tempdir().unwrap();
    let (engine, ledger) = engine(folder.path()).await;
    answered(&engine, declare(), "first").await;
    let long = Ask { incident: Some(1), intent: Intent::Note { text: "x".repeat(NOTE_MAX + 1) } };
    assert!(is_refusal(&answered(&engine, long, "long").await));
    assert_eq!(ledger.accepted().len(), 1, "only the declaration was stored");
}

/// The ledger, which never takes in what has one text in it.
struct Picky {
    ledger: Ledger,
    poison: &'static str,
}

#[async_trait]
impl Journal for Picky {
    async fn commit(&self, commits: Vec<Commit>) -> Result<(), StoreError> {
        let poisoned = |fact: &Fact| matches!(fact, Fact::Noted { text } if text.starts_with(self.poison));
        if commits.iter().flat_map(|commit| &commit.entries).any(|entry| poisoned(&entry.fact)) {
            return Err(StoreError::Conflict("it does not like it".to_owned()));
        }
        self.ledger.commit(commits).await
    }

    async fn restore(&self) -> Result<State, StoreError> {
        self.ledger.restore().await
    }

    async fn load(&self, id: IncidentId) -> Result<Option<Incident>, StoreError> {
        self.ledger.load(id).await
    }
}

/// Turns until nothing waits, but not for ever; how many were refused.
async fn stubborn(engine: &Engine) -> usize {
    let mut refused = 0;
    for _ in 0..200 {
        match engine.turns().await {
            Ok(0) => return refused,
            Ok(_) => {}
            Err(StoreError::Conflict(_)) => refused += 1,
            Err(other) => panic!("{other}"),
        }
    }
    refused
}

#[tokio::test]
async fn an_event_that_can_never_be_stored_is_set_aside_and_blocks_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let (engine, ledger) = engine_on(folder.path(), |ledger| Arc::new(Picky { ledger, poison: "bad" })).await;
    answered(&engine, declare(), "first").await;
    let text = |text: &str| Ask { incident: Some(1), intent: Intent::Note { text: text.to_owned() } };
    let batch = ["one", "bad and secret", "two", "bad again", "three"];
    ledger.accept(batch.iter().map(|t| asked(t, text(t))).collect()).await.unwrap();
    assert_eq!(stubborn(&engine).await, 2 + 2 + 2, "twice together, and each bad one until it is set aside");
    assert_eq!(notes(&ledger).into_iter().map(|(_, text)| text).collect::<Vec<_>>(), ["one", "two", "three"]);
    assert!(ledger.accepted().iter().all(|(_, processed)| *processed));
    let letters = ledger.dead_letters();
    assert_eq!(
        letters.iter().map(|l| l.sample.as_str()).collect::<Vec<_>>(),
        ["inbox row 3, key bad and secret", "inbox row 5, key bad again"]
    );
    assert!(letters.iter().all(|letter| letter.why.contains("it does not like it")), "{letters:?}");
}

#[tokio::test]
async fn a_store_that_refuses_everything_keeps_what_waits() {
    let folder = tempfile::tempdir().unwrap();
    let (engine, ledger) = engine_on(folder.path(), |ledger| Arc::new(Picky { ledger, poison: "note" })).await;
    answered(&engine, declare(), "first").await;
    ledger.accept((0..40).map(|n| asked(&n.to_string(), note(n))).collect()).await.unwrap();
    stubborn(&engine).await;
    assert_eq!(ledger.dead_letters().len(), 8, "then it is the store's fault, and the inbox waits for a person");
    assert_eq!(ledger.accepted().iter().filter(|(_, processed)| !processed).count(), 32);
}

/// Counts who touches it.
#[derive(Default)]
struct Counted(AtomicU32);

#[async_trait]
impl Chat for Counted {
    fn platform(&self) -> Platform {
        Platform::Console
    }

    async fn open_room(&self, _: &str, _: &Incident, name: &str) -> Result<Room, Undelivered> {
        self.0.fetch_add(1, Ordering::SeqCst);
        Ok(Room { id: name.to_owned(), name: name.to_owned(), link: None, private: false })
    }

    async fn card(
        &self,
        _: &str,
        _: &Incident,
        _: &Room,
        _: &Reply,
        _: Option<&str>,
    ) -> Result<Option<String>, Undelivered> {
        self.0.fetch_add(1, Ordering::SeqCst);
        Ok(None)
    }

    async fn say(&self, _: &str, _: &Incident, _: &Room, _: &Reply) -> Result<Option<String>, Undelivered> {
        self.0.fetch_add(1, Ordering::SeqCst);
        Ok(None)
    }
}

#[tokio::test]
async fn a_process_that_may_have_lost_its_lease_touches_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let chat = Arc::new(Counted::default());
    let chats = BTreeMap::from([(Platform::Console, chat.clone() as Arc<dyn Chat>)]);
    let (engine, ledger) = engine_with(folder.path(), |ledger| Arc::new(ledger), chats).await;
    answered(&engine, declare(), "first").await;
    let rows = engine.claim().await.unwrap();
    assert!(!rows.is_empty());
    // Between the claim and the request.
    ledger.lease_is_over(true);
    for row in rows {
        engine.carry(row).await.unwrap();
    }
    assert_eq!(chat.0.load(Ordering::SeqCst), 0);
    let waits = |row: &Posted| row.why.as_ref().is_some_and(|why| why.contains("may have lost the database"));
    assert!(ledger.posted().iter().any(|row| row.standing == Standing::Pending && waits(row)));
    // Sure again: what is new goes out.
    ledger.lease_is_over(false);
    answered(&engine, declare(), "second").await;
    for row in engine.claim().await.unwrap() {
        engine.carry(row).await.unwrap();
    }
    assert!(chat.0.load(Ordering::SeqCst) > 0);
}

/// Never answers.
#[derive(Default)]
struct Mute(AtomicU32);

#[async_trait]
impl Chat for Mute {
    fn platform(&self) -> Platform {
        Platform::Console
    }

    async fn open_room(&self, _: &str, _: &Incident, _: &str) -> Result<Room, Undelivered> {
        self.0.fetch_add(1, Ordering::SeqCst);
        std::future::pending().await
    }

    async fn card(
        &self,
        _: &str,
        _: &Incident,
        _: &Room,
        _: &Reply,
        _: Option<&str>,
    ) -> Result<Option<String>, Undelivered> {
        std::future::pending().await
    }

    async fn say(&self, _: &str, _: &Incident, _: &Room, _: &Reply) -> Result<Option<String>, Undelivered> {
        std::future::pending().await
    }
}

#[tokio::test]
async fn a_timer_goes_off_while_every_hand_is_full() {
    let folder = tempfile::tempdir().unwrap();
    let chat = Arc::new(Mute::default());
    let chats = BTreeMap::from([(Platform::Console, chat.clone() as Arc<dyn Chat>)]);
    let (engine, ledger) = engine_with(folder.path(), |ledger| Arc::new(ledger), chats).await;
    for n in 0..100 {
        answered(&engine, declare(), &n.to_string()).await;
    }
    let (engine, (stop, stopped)) = (Arc::new(engine), watch::channel(false));
    let running = tokio::spawn(Arc::clone(&engine).run_until(stopped));
    until("all hands are full", || (chat.0.load(Ordering::SeqCst) >= 32).then_some(())).await;
    let wake = Effect::Wake { incident: IncidentId(1), at: Noon.now(), timer: Timer::Quiet };
    let effects = vec![("the timer".to_owned(), wake)];
    ledger.commit(vec![Commit { effects, ..Commit::default() }]).await.unwrap();
    engine.wake();
    let went_off = || ledger.accepted().iter().any(|(arrival, _)| arrival.key == "the timer").then_some(());
    until("the timer goes off", went_off).await;
    assert!(chat.0.load(Ordering::SeqCst) < 100, "some still wait for a hand");
    running.abort();
    drop(stop);
}
