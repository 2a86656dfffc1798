//! A database older than what was anchored beside it delivers and runs nothing, until a person confirms.

use super::disk::*;
use super::facts::*;
use super::site::{Site, on_both};
use smokejumper::edges::store::Store;
use smokejumper::flow::event::Event;
use smokejumper::flow::fact::Ended;
use smokejumper::ports::{Commit, Inbox, Journal, Outbox, Progress, StoreError};

on_both!(
    a_restored_copy_repeats_nothing,
    a_run_that_was_under_way_in_the_copy_ended_nobody_knows_how,
    a_run_whose_start_cannot_be_anchored_is_given_up,
    a_lost_or_forged_anchor_counts_as_restored,
);

fn start(id: i64) -> Commit {
    Commit { outbox: vec![(id, Progress::Sending)], ..Commit::default() }
}

async fn claimed(store: &Store) -> Vec<String> {
    store.claim(NOW, 10).await.unwrap().into_iter().map(|o| o.op).collect()
}

async fn a_restored_copy_repeats_nothing(mut site: Site) {
    let store = site.open().await.unwrap();
    let hello = Commit { effects: vec![("s1".to_owned(), say(2, "x"))], ..Commit::default() };
    store.commit(vec![queue_run("r1", 1), hello]).await.unwrap();
    store.close().await;
    let copy = site.copy().await;

    // Life goes on: the message is sent, the run is started, and the process dies.
    let store = site.open().await.unwrap();
    assert_eq!(store.is_restored(), None);
    assert_eq!(claimed(&store).await, ["r1", "s1"]);
    store.commit(vec![start(1)]).await.unwrap();
    drop(store);
    let store = site.open().await.unwrap();
    assert_eq!(store.is_restored(), None);
    store.close().await;

    // Somebody puts the old database back.
    site.put_database_back(&copy);
    for _ in 0..3 {
        let store = site.open().await.unwrap();
        assert!(store.is_restored().is_some());
        assert_eq!(claimed(&store).await, [""; 0]);
        assert_eq!(store.next_due().await.unwrap(), None);
        let refused = store.commit(vec![start(1)]).await;
        assert!(matches!(&refused, Err(StoreError::Conflict(what)) if what.contains("restored")), "{refused:?}");
        // Deliveries are still taken in.
        store.accept(vec![arrival("am", "1")]).await.unwrap();
        store.close().await;
    }
    let store = site.open().await.unwrap();
    store.confirm_restored().await.unwrap();
    assert_eq!(store.is_restored(), None);
    assert_eq!(claimed(&store).await, ["s1"]);
    // The run is given up, and somebody is told.
    let events: Vec<_> = store.waiting(10).await.unwrap().into_iter().map(|w| w.arrival.event).collect();
    let Event::Ran { request: 1, outcome, .. } = &events[1] else { panic!("{events:?}") };
    assert!(matches!(&outcome.ended, Ended::NotStarted { why } if why.contains("may have run since")), "{outcome:?}");
    // Even if it came back under its old name it would not start.
    store.commit(vec![queue_run("r2", 2)]).await.unwrap();
    site.meddle("UPDATE outbox SET op = 'old' WHERE op = 'r1'; UPDATE outbox SET op = 'r1' WHERE op = 'r2'").await;
    let row = store.claim(NOW, 10).await.unwrap().remove(0);
    let refused = store.commit(vec![start(row.id)]).await;
    assert!(matches!(&refused, Err(StoreError::Conflict(what)) if what.contains("started before")), "{refused:?}");
    // New ids are none that may have been given before.
    assert!(row.id > 1_000_000, "{}", row.id);
    store.close().await;
    assert_eq!(site.open().await.unwrap().is_restored(), None);
}

async fn a_run_that_was_under_way_in_the_copy_ended_nobody_knows_how(site: Site) {
    let store = site.open().await.unwrap();
    store.commit(vec![queue_run("r1", 1), queue_run("r2", 2)]).await.unwrap();
    store.commit(vec![start(1)]).await.unwrap();
    store.close().await;
    std::fs::remove_file(site.path().join("journal.anchor")).unwrap();
    let store = site.open().await.unwrap();
    store.confirm_restored().await.unwrap();
    let events: Vec<_> = store.waiting(10).await.unwrap().into_iter().map(|w| w.arrival.event).collect();
    let ended: Vec<_> = events
        .iter()
        .map(|event| match event {
            Event::Ran { request, outcome, .. } => (*request, matches!(outcome.ended, Ended::Unknown { .. })),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(ended, [(1, true), (2, false)]);
    assert_eq!(store.interrupted().await.unwrap(), []);
}

async fn a_run_whose_start_cannot_be_anchored_is_given_up(site: Site) {
    let store = site.open().await.unwrap();
    store.commit(vec![queue_run("r1", 1), queue_run("r2", 2)]).await.unwrap();
    // Nothing can be written where the anchor is prepared.
    let obstacle = site.path().join("journal.anchor.new");
    std::fs::create_dir(&obstacle).unwrap();
    let refused = store.commit(vec![start(1)]).await;
    assert!(matches!(&refused, Err(StoreError::Unavailable(what)) if what.contains("anchored")), "{refused:?}");
    // Intake goes on; the run is dead, the next one is free, and the flow hears that nothing ran.
    store.accept(vec![arrival("am", "1")]).await.unwrap();
    let events: Vec<_> = store.waiting(10).await.unwrap().into_iter().map(|w| w.arrival.event).collect();
    let Event::Ran { request: 1, outcome, .. } = &events[0] else { panic!("{events:?}") };
    assert!(matches!(outcome.ended, Ended::NotStarted { .. }), "{outcome:?}");
    assert_eq!(claimed(&store).await, ["r2"]);
    std::fs::remove_dir(&obstacle).unwrap();
    store.commit(vec![start(2)]).await.unwrap();
}

#[tokio::test]
async fn a_cut_wal_counts_as_restored() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path()).await.unwrap();
    store.commit(vec![Commit { entries: vec![declared(1)], ..Commit::default() }]).await.unwrap();
    store.anchor().await.unwrap();
    let copied = copy(dir.path());
    store.close().await;
    // As it was copied, nothing is missing.
    let whole = copy(copied.path());
    assert_eq!(open(whole.path()).await.unwrap().is_restored(), None);
    // Without its WAL the last entry is.
    std::fs::write(copied.path().join("smokejumper.db-wal"), "").unwrap();
    let store = open(copied.path()).await.unwrap();
    assert!(store.is_restored().is_some());
}

async fn a_lost_or_forged_anchor_counts_as_restored(site: Site) {
    story(&site).await;
    let anchor = site.path().join("journal.anchor");
    let forged = site.copy().await;
    std::fs::remove_file(&anchor).unwrap();
    assert!(site.open().await.unwrap().is_restored().is_some());
    std::fs::write(forged.path().join("journal.anchor"), "{}").unwrap();
    assert!(forged.open().await.unwrap().is_restored().is_some());
}

#[tokio::test]
async fn a_first_start_that_was_cut_short_is_a_first_start() {
    let dir = tempfile::tempdir().unwrap();
    open(dir.path()).await.unwrap().close().await;
    // Killed after the schema was made, before anything was promised.
    std::fs::remove_file(dir.path().join("journal.anchor")).unwrap();
    assert_eq!(open(dir.path()).await.unwrap().is_restored(), None);
    let early = tempfile::tempdir().unwrap();
    std::fs::write(database(early.path()), "").unwrap();
    assert_eq!(open(early.path()).await.unwrap().is_restored(), None);
}
