//! Two hosts, each with an index of its own: what one erased the other does not bring back.

use super::*;
use crate::edges::clock::WallClock;
use crate::flow::fact::{Entry, Fact, Origin};
use crate::flow::identity::Actor;
use crate::flow::incident::{Incident, IncidentId};
use crate::flow::moment::At;
use crate::flow::recollection::Lesson;
use crate::ports::{Commit, Journal as _, Memory as _};
use smokejumper_intents::word::Severity;
use std::sync::Arc;

fn entry(id: u32, n: u32, fact: Fact) -> Entry {
    Entry { incident: IncidentId(id), n, at: At(1_000 + i64::from(n)), by: Actor::Bot, fact }
}

fn learned(id: u32, why: &str) -> Fact {
    Fact::Learned(Lesson {
        case: IncidentId(id).to_string(),
        opened_at: At(1_000),
        closed_at: Some(At(2_000)),
        title: "checkout is down".to_owned(),
        text: String::new(),
        service: None,
        labels: BTreeMap::new(),
        cause: Some(why.to_owned()),
        resolution: None,
        responders: Vec::new(),
        runbooks: Vec::new(),
        url: None,
        said: None,
    })
}

/// Appends, with the snapshot that follows.
async fn tell(store: &Store, told: &mut Vec<Entry>, facts: Vec<Fact>) {
    let id = told.first().map_or(IncidentId(0), |entry| entry.incident);
    let from = told.len();
    for fact in facts {
        told.push(entry(id.0, u32::try_from(told.len()).unwrap() + 1, fact));
    }
    let incidents = vec![Incident::fold(id, told.iter())];
    let entries = told.split_off(from);
    told.extend(entries.iter().cloned());
    store.commit(vec![Commit { entries, incidents, ..Commit::default() }]).await.unwrap();
}

async fn ended(store: &Store, id: u32) -> Vec<Entry> {
    let declared = Fact::Declared {
        title: "checkout is down".to_owned(),
        severity: Severity::Sev2,
        service: None,
        labels: BTreeMap::new(),
        origin: Origin::Person,
    };
    let entries = vec![entry(id, 1, declared)];
    store.commit(vec![Commit { entries: entries.clone(), ..Commit::default() }]).await.unwrap();
    let mut told = entries;
    let why = format!("secret {id}");
    tell(store, &mut told, vec![Fact::Resolved { cause: None, fix: None }, learned(id, &why)]).await;
    told
}

/// What a process finds that takes over with the index in `dir`.
async fn takes_over(store: &Store, dir: &Path) -> Vec<String> {
    let (memory, mark) = open(dir).unwrap();
    let (_never, stopped) = watch::channel(false);
    catch_up(&memory, store, mark, &stopped).await.unwrap();
    let found = memory.search("checkout", 10).await.unwrap();
    let mut causes: Vec<String> = found.into_iter().filter_map(|past| past.cause).collect();
    causes.sort();
    causes
}

#[tokio::test]
async fn what_another_host_erased_does_not_come_back_with_this_ones_index() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path().join("data").as_path(), Arc::new(WallClock)).await.unwrap();
    let index = folder.path().join("index");
    let mut stories = Vec::new();
    for id in 1..=4 {
        stories.push(ended(&store, id).await);
    }
    assert_eq!(takes_over(&store, &index).await, ["secret 1", "secret 2", "secret 3", "secret 4"]);
    // All of it on the other host, which has an index of its own.
    store.purge(IncidentId(1), Actor::Bot).await.unwrap();
    tell(&store, &mut stories[1], vec![Fact::MadePrivate { members: Vec::new() }]).await;
    tell(&store, &mut stories[2], vec![Fact::Merged { into: IncidentId(4) }]).await;
    tell(&store, &mut stories[3], vec![Fact::Rewritten { entries: Vec::new() }]).await;
    assert_eq!(takes_over(&store, &index).await, ["secret 4"]);
    // And it is written down that this was done.
    let (_, mark) = open(&index).unwrap();
    assert_eq!(store.reader().untaught(mark).await.unwrap().0.len(), 0);
    store.close().await;
}
