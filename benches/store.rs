//! Measures storage on this machine's disk: `cargo bench --bench store [-- DIR]`. Half a minute, prints one line a figure.
//!
//! Each accepted delivery is synced to disk before it counts. DIR: where to measure (a filesystem of interest).
#![allow(clippy::print_stdout, clippy::unwrap_used, reason = "a measurement prints, and ends when it cannot measure")]

use smokejumper::edges::store::Store;
use smokejumper::flow::desk::Desk;
use smokejumper::flow::effect::{Effect, Timer};
use smokejumper::flow::event::Event;
use smokejumper::flow::fact::{Entry, Fact};
use smokejumper::flow::identity::{Actor, Platform};
use smokejumper::flow::incident::{Incident, IncidentId};
use smokejumper::flow::moment::At;
use smokejumper::ports::{Arrival, Clock, Commit, Inbox, Journal, Outbox, Progress};
use smokejumper_intents::reply::Reply;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// How long each figure is measured.
const EACH: Duration = Duration::from_secs(3);
/// Incidents that all have something to say at once, and what waits to be said in each.
const ROOMS: u32 = 1_000;
const WAITING: u32 = 5;
/// Deliveries in the database for the restart.
const MANY: usize = 200_000;

struct Still;

impl Clock for Still {
    fn now(&self) -> At {
        At(1_795_168_800_000)
    }
}

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let base = std::env::args().skip(1).find(|arg| !arg.starts_with("--"));
    let dir = base.map_or_else(tempfile::tempdir, tempfile::tempdir_in).unwrap();
    runtime.block_on(measure(dir.path()));
}

async fn measure(dir: &Path) {
    let store = open(dir).await;
    for callers in [1, 16, 64, 256] {
        accepts(&store, callers).await;
    }
    turns(&store).await;
    deliveries(&store).await;
    crowd(&store).await;
    let mut next = 0;
    while next < MANY {
        let arrivals = (next..next + 2_000).map(|i| arrival(&format!("many-{i}"))).collect();
        store.accept(arrivals).await.unwrap();
        next += 2_000;
    }
    store.close().await;
    let began = Instant::now();
    let store = open(dir).await;
    let waiting = store.waiting(64).await.unwrap().len();
    store.restore().await.unwrap();
    let size = std::fs::metadata(dir.join("smokejumper.db")).unwrap().len() / 1_000_000;
    println!("open and restore, {size} MB, {waiting} of many waiting: {:?}", began.elapsed());
    let began = Instant::now();
    let verified = store.reader().verify_chain().await.unwrap();
    println!("verify: {:?}, {verified:?}", began.elapsed());
    store.close().await;
}

async fn open(dir: &Path) -> Store {
    Store::open(dir, Arc::new(Still)).await.unwrap()
}

fn arrival(key: &str) -> Arrival {
    let event = Event::Due { incident: IncidentId(1), timer: Timer::Quiet };
    Arrival { source: "bench".to_owned(), key: key.to_owned(), at: Still.now(), event }
}

/// `callers` at once, each with one delivery after the other.
async fn accepts(store: &Store, callers: usize) {
    let (number, deadline) = (Arc::new(AtomicU64::new(0)), Instant::now() + EACH);
    let mut tasks = Vec::new();
    for caller in 0..callers {
        let (store, number) = (store.clone(), Arc::clone(&number));
        tasks.push(tokio::spawn(async move {
            let mut latencies = Vec::new();
            while Instant::now() < deadline {
                let n = number.fetch_add(1, Ordering::Relaxed);
                let began = Instant::now();
                store.accept(vec![arrival(&format!("{callers}-{caller}-{n}"))]).await.unwrap();
                latencies.push(began.elapsed());
            }
            latencies
        }));
    }
    let mut all = Vec::new();
    for task in tasks {
        all.extend(task.await.unwrap());
    }
    report(&format!("accept, {callers} callers"), all);
}

/// Turns of the engine's kind: one entry, one snapshot, the desk, two effects.
async fn turns(store: &Store) {
    let (deadline, mut latencies, mut version) = (Instant::now() + EACH, Vec::new(), 0);
    let id = IncidentId(1);
    let mut incident = Incident::new(id);
    while Instant::now() < deadline {
        version += 1;
        let n = u32::try_from(version).unwrap();
        let fact = Fact::Noted { text: "the pool is exhausted again".to_owned() };
        let entry = Entry { incident: id, n, at: Still.now(), by: Actor::Bot, fact };
        incident.apply(&entry);
        let say = Effect::Say { incident: id, platform: Platform::Console, message: Box::new(Reply::default()) };
        let card = Effect::Card { incident: id, platform: Platform::Console };
        let commit = Commit {
            entries: vec![entry],
            effects: vec![(format!("s{n}"), say), (format!("c{n}"), card)],
            incidents: vec![incident.clone()],
            desk: Some(Desk { version, ..Desk::default() }),
            ..Commit::default()
        };
        let began = Instant::now();
        store.commit(vec![commit]).await.unwrap();
        latencies.push(began.elapsed());
    }
    report("commit of one turn", latencies);
}

/// Claims and settles what the turns queued: one lane, so one row at a time, behind a long queue.
async fn deliveries(store: &Store) {
    let (deadline, mut latencies) = (Instant::now() + EACH, Vec::new());
    while Instant::now() < deadline {
        let began = Instant::now();
        let rows = store.claim(Still.now(), 32).await.unwrap();
        if rows.is_empty() {
            break;
        }
        for row in rows {
            let sent = Progress::Sent { remote: Some("m".to_owned()), said: None };
            store.settle(row.id, sent, Some(arrival(&row.op))).await.unwrap();
        }
        latencies.push(began.elapsed());
    }
    report("claim and settle of one row", latencies);
}

/// The same in many lanes, as after an outage: each claim takes what may go out now of much that waits, beside timers that are due
/// tomorrow.
async fn crowd(store: &Store) {
    let platform = Platform::Slack;
    for room in 0..ROOMS {
        let incident = IncidentId(1_000 + room);
        let mut effects = vec![(format!("o{room}"), Effect::OpenRoom { incident, platform })];
        for n in 0..WAITING {
            let message = Box::new(Reply::default());
            effects.push((format!("w{room}.{n}"), Effect::Say { incident, platform, message }));
        }
        effects.push((format!("k{room}"), Effect::Card { incident, platform }));
        let at = At(Still.now().0 + 86_400_000);
        effects.push((format!("t{room}"), Effect::Wake { incident, at, timer: Timer::Quiet }));
        effects.push((format!("n{room}"), Effect::Wake { incident, at, timer: Timer::Nudge }));
        store.commit(vec![Commit { effects, ..Commit::default() }]).await.unwrap();
    }
    let (deadline, mut latencies, mut settled) = (Instant::now() + EACH, Vec::new(), 0);
    while Instant::now() < deadline {
        let began = Instant::now();
        let rows = store.claim(Still.now(), 32).await.unwrap();
        latencies.push(began.elapsed());
        if rows.is_empty() {
            break;
        }
        settled += rows.len();
        for row in rows {
            let sent = Progress::Sent { remote: Some("m".to_owned()), said: None };
            store.settle(row.id, sent, None).await.unwrap();
        }
    }
    report(&format!("claim among {} lanes, {settled} settled", ROOMS * 2), latencies);
}

fn report(what: &str, mut latencies: Vec<Duration>) {
    latencies.sort_unstable();
    let at = |share: usize| latencies.get(latencies.len() * share / 100).copied().unwrap_or_default();
    let rate = latencies.len() as u64 / EACH.as_secs();
    println!("{what}: {rate} a second, p50 {:?}, p99 {:?}", at(50), at(99));
}
