//! Whose turn it is: one writer to a database, wherever it runs, and what lies beside each of them.

use super::disk::story;
use super::facts::*;
use super::site::{Site, on_both, still};
use crate::world::wait::{ends, until};
use smokejumper::edges::store::Store;
use smokejumper::edges::store::audit::Verified;
use smokejumper::ports::{Commit, Inbox, Journal, Outbox, StoreError};
use std::sync::{Arc, Mutex};

on_both!(
    who_gave_the_lease_back_acts_no_more,
    a_stale_owner_changes_no_row,
    another_key_is_refused_in_those_words,
    no_text_is_too_strange_to_be_stored
);

async fn a_stale_owner_changes_no_row(site: Site) {
    let store = site.open().await.unwrap();
    store.accept(vec![arrival("am", "1")]).await.unwrap();
    assert!(store.may_act());
    // As another owner takes it.
    site.meddle("UPDATE lease SET epoch = epoch + 1").await;
    let refused = store.accept(vec![arrival("am", "2")]).await;
    assert!(
        matches!(&refused, Err(StoreError::Unusable(what)) if what.contains("took this database over")),
        "{refused:?}"
    );
    let refused = store.commit(vec![queue_run("r", 1)]).await;
    assert!(matches!(refused, Err(StoreError::Unusable(_))), "{refused:?}");
    let counts = store.reader().counts().await.unwrap();
    assert_eq!((counts.waiting, counts.outbox.len()), (1, 0));
    assert!(store.broken().is_some());
    assert!(!store.may_act(), "it knows that it must not");
}

async fn who_gave_the_lease_back_acts_no_more(site: Site) {
    let store = site.open().await.unwrap();
    assert!(store.may_act());
    store.close().await;
    assert!(!store.may_act());
}

async fn another_key_is_refused_in_those_words(site: Site) {
    story(&site).await;
    let key = site.path().join("journal.key");
    let right = std::fs::read_to_string(&key).unwrap();
    std::fs::write(&key, "ab".repeat(32)).unwrap();
    let refused = site.open().await;
    let words = "journal.key is not the key this database's journal was begun with";
    assert!(matches!(&refused, Err(StoreError::Unusable(what)) if what.contains(words)), "{refused:?}");
    std::fs::write(&key, right).unwrap();
    let store = site.open().await.unwrap();
    assert_eq!(store.is_restored(), None);
    assert!(matches!(store.reader().verify_chain().await.unwrap(), Verified::Whole { .. }));
}

/// Postgres has no character 0; JSON escapes it, keys and reasons are kept readable.
async fn no_text_is_too_strange_to_be_stored(site: Site) {
    let store = site.open().await.unwrap();
    let strange = "\0 \u{1F525} \u{FFFF} \\u0000 ' \" \u{202e} ;--";
    let mut odd = alert(strange, None);
    odd.summary = Some(strange.to_owned());
    store.accept(vec![arrival(strange, strange), arrival(strange, strange)]).await.unwrap();
    store.commit(vec![Commit { alerts: vec![odd.clone()], ..Commit::default() }]).await.unwrap();
    assert_eq!(store.waiting(10).await.unwrap().len(), 1);
    assert_eq!(store.restore().await.unwrap().desk.alerts.into_values().collect::<Vec<_>>(), [odd]);
}

/// Another host of the same database, with its key.
fn host_of(site: &Site) -> Site {
    let other = site.elsewhere();
    std::fs::copy(site.path().join("journal.key"), other.path().join("journal.key")).unwrap();
    other
}

#[tokio::test]
async fn who_has_the_database_is_named_to_whoever_wants_it() {
    let Some(site) = Site::postgres().await else { return };
    let store = site.open().await.unwrap();
    let other = host_of(&site);
    let refused = other.open().await;
    let holder = format!("another smokejumper (pid {}", std::process::id());
    assert!(matches!(&refused, Err(StoreError::Unavailable(what)) if what.contains(&holder)), "{refused:?}");
    // Reading beside it is allowed.
    store.accept(vec![arrival("am", "1")]).await.unwrap();
    assert_eq!(other.read().await.unwrap().counts().await.unwrap().waiting, 1);
    store.close().await;
    other.open().await.unwrap();
}

#[tokio::test]
async fn a_host_without_the_key_is_told_where_it_is() {
    let Some(site) = Site::postgres().await else { return };
    story(&site).await;
    let refused = site.elsewhere().open().await;
    assert!(
        matches!(&refused, Err(StoreError::Unusable(what)) if what.contains("copy it from the machine")),
        "{refused:?}"
    );
}

#[tokio::test]
async fn who_waits_is_next_and_needs_nobodys_word() {
    let Some(site) = Site::postgres().await else { return };
    let store = site.open().await.unwrap();
    let other = host_of(&site);
    store.commit(vec![Commit { entries: vec![declared(1)], ..Commit::default() }]).await.unwrap();
    let said = Arc::new(Mutex::new(Vec::new()));
    let waiting = tokio::spawn({
        let (location, said) = (other.location(), Arc::clone(&said));
        async move { Store::wait(location, still(), |standing| said.lock().unwrap().push(standing.to_string())).await }
    });
    // It follows with its own anchor what the owner writes.
    until("it follows", || other.path().join("journal.anchor").exists().then_some(())).await;
    assert!(said.lock().unwrap()[0].starts_with("standby: another smokejumper (pid "), "{said:?}");
    store.commit(vec![Commit { entries: vec![noted(1, 2)], ..Commit::default() }]).await.unwrap();
    store.close().await;
    let store = ends("it takes over", waiting).await.unwrap().unwrap();
    assert_eq!(store.is_restored(), None);
    store.commit(vec![Commit { entries: vec![noted(1, 3)], ..Commit::default() }]).await.unwrap();
    assert!(matches!(store.reader().verify_chain().await.unwrap(), Verified::Whole { entries: 3, .. }));
    store.close().await;
    // The first host finds the journal longer than it left it, and its own part of it unchanged.
    assert_eq!(site.open().await.unwrap().is_restored(), None);
}

#[tokio::test]
async fn a_host_that_never_saw_this_database_alive_asks_a_person_first() {
    let Some(site) = Site::postgres().await else { return };
    story(&site).await;
    let other = host_of(&site);
    let store = other.open().await.unwrap();
    assert!(store.is_restored().is_some_and(|why| why.contains("anchor is missing")));
    store.confirm_restored().await.unwrap();
    store.close().await;
}

#[tokio::test]
async fn of_two_that_begin_a_database_at_once_one_begins_it() {
    let Some(site) = Site::postgres().await else { return };
    let sites = [site.elsewhere(), site.elsewhere(), site.elsewhere()];
    let opened = futures::future::join_all(sites.iter().map(Site::open)).await;
    let (mut owners, mut words) = (0, Vec::new());
    for open in &opened {
        match open {
            Ok(_) => owners += 1,
            // Too late: somebody has it already. Or the key it made for itself is not the one.
            Err(e) => words.push(e.to_string()),
        }
    }
    assert_eq!(owners, 1, "{opened:?}");
    let clear = |what: &String| {
        what.contains("another smokejumper")
            || what.contains("is not the key")
            || what.contains("journal.key is missing")
    };
    assert!(words.iter().all(clear), "{words:?}");
}
