//! A damaged or foreign database is refused before the first write, says what to do, and is never made anew.

use super::disk::*;
use super::facts::*;
use super::site::Site;
use smokejumper::ports::{Commit, Inbox, Journal, StoreError, Views};
use std::path::Path;

/// Refused for good, with words a person can act on, and every file as it was.
async fn refused(dir: &Path, about: &str) {
    let before = std::fs::read(database(dir)).ok();
    match open(dir).await {
        Err(StoreError::Unusable(what)) => assert!(what.contains(about), "{what}"),
        other => panic!("expected a refusal about {about:?}, got {other:?}"),
    }
    assert!(std::fs::read(database(dir)).ok() == before, "the database was touched");
}

async fn told() -> Site {
    let site = Site::sqlite();
    story(&site).await;
    site
}

#[tokio::test]
async fn a_file_that_is_no_database_is_left_alone() {
    let dir = told().await;
    let path = database(dir.path());
    std::fs::write(&path, "a letter to my grandmother, and other things of hers").unwrap();
    refused(dir.path(), "not a SQLite database").await;
    std::fs::write(&path, "").unwrap();
    refused(dir.path(), "is empty").await;
    std::fs::remove_file(&path).unwrap();
    refused(dir.path(), "is missing").await;
    assert!(!path.exists());
}

#[tokio::test]
async fn every_lost_page_is_noticed_before_the_first_write() {
    let origin = tempfile::tempdir().unwrap();
    let store = open(origin.path()).await.unwrap();
    for incident in 1..=40 {
        let entries = vec![declared(incident), noted(incident, 2)];
        let alerts = vec![alert(&format!("f{incident}"), Some(incident))];
        let effects = vec![(format!("s{incident}"), say(incident, &"a long story ".repeat(500)))];
        store.commit(vec![Commit { entries, alerts, effects, ..Commit::default() }]).await.unwrap();
    }
    store.close().await;
    let page = 4_096;
    let whole = std::fs::read(database(origin.path())).unwrap();
    let pages = whole.len() / page;
    assert!(pages > 60, "{pages} pages are too few to prove anything");
    for lost in 0..pages {
        let dir = copy(origin.path());
        let mut bytes = whole.clone();
        bytes[lost * page..(lost + 1) * page].fill(0);
        std::fs::write(database(dir.path()), &bytes).unwrap();
        let opened = open(dir.path()).await;
        assert!(matches!(opened, Err(StoreError::Unusable(_))), "page {lost} of {pages}: {opened:?}");
        assert!(std::fs::read(database(dir.path())).unwrap() == bytes, "page {lost}: the database was touched");
    }
    let dir = copy(origin.path());
    std::fs::write(database(dir.path()), &whole[..whole.len() / 2]).unwrap();
    refused(dir.path(), "damaged").await;
    println!("{pages} pages lost one by one, all noticed");
}

#[tokio::test]
async fn what_a_newer_version_or_another_program_wrote_is_refused() {
    let dir = told().await;
    meddle(dir.path(), "UPDATE meta SET value = '99' WHERE name = 'schema'").await;
    refused(dir.path(), "newer smokejumper (schema 99").await;
    let newer = read(dir.path()).await;
    assert!(matches!(&newer, Err(StoreError::Unusable(what)) if what.contains("newer")), "{newer:?}");
    meddle(dir.path(), "DROP TABLE meta").await;
    refused(dir.path(), "another program").await;
}

#[tokio::test]
async fn a_lost_key_is_not_replaced() {
    let dir = told().await;
    let key = dir.path().join("journal.key");
    std::fs::remove_file(&key).unwrap();
    refused(dir.path(), "journal.key is missing").await;
    assert!(!key.exists());
    std::fs::write(&key, "half a ke").unwrap();
    refused(dir.path(), "journal.key is damaged").await;
}

#[tokio::test]
async fn one_unreadable_event_is_no_obstacle_to_the_others() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path()).await.unwrap();
    store.accept(vec![arrival("am", "1"), arrival("am", "2"), arrival("am", "3")]).await.unwrap();
    store.close().await;
    meddle(dir.path(), "UPDATE inbox SET event = '{\"event\":\"telepathy\"}' WHERE id = 1").await;
    let store = open(dir.path()).await.unwrap();
    let ids: Vec<_> = store.waiting(1).await.unwrap().iter().map(|w| w.id).collect();
    assert_eq!(ids, [2]);
    assert_eq!(store.reader().counts().await.unwrap().waiting, 3);
}

#[tokio::test]
async fn a_fact_of_a_newer_version_is_not_guessed_at() {
    let dir = told().await;
    meddle(dir.path(), "UPDATE journal SET kind = 'teleported' WHERE seq = 2").await;
    let entries = read(dir.path()).await.unwrap().entries(&ana(), smokejumper::flow::incident::IncidentId(2)).await;
    assert!(matches!(&entries, Err(StoreError::Unusable(what)) if what.contains("teleported")), "{entries:?}");
}
