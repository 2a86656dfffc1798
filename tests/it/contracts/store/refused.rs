//! Locked, read-only, full: said at once, nothing half done, and over without a restart when the cause is.

use super::disk::*;
use super::facts::*;
use crate::world::wait::until;
use smokejumper::ports::{Accepted, Commit, Inbox, Journal, StoreError};
use sqlx::Connection as _;
use std::os::unix::fs::PermissionsExt as _;

#[tokio::test]
async fn a_second_process_is_told_who_has_the_directory() {
    let dir = tempfile::tempdir().unwrap();
    let first = open(dir.path()).await.unwrap();
    let second = open(dir.path()).await;
    let pid = format!("another smokejumper (pid {})", std::process::id());
    assert!(matches!(&second, Err(StoreError::Unavailable(what)) if what.contains(&pid)), "{second:?}");
    // Reading beside it is allowed.
    first.accept(vec![arrival("am", "1")]).await.unwrap();
    assert_eq!(read(dir.path()).await.unwrap().counts().await.unwrap().waiting, 1);
    first.close().await;
    assert!(matches!(first.accept(vec![arrival("am", "2")]).await, Err(StoreError::Unavailable(_))));
    assert!(first.broken().is_some(), "nobody writes any more");
    open(dir.path()).await.unwrap();
}

#[tokio::test]
async fn files_are_for_their_owner_only() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("a b%20#?/data");
    let store = open(&data).await.unwrap();
    store.commit(vec![queue_run("r", 1)]).await.unwrap();
    store.commit(vec![start(1)]).await.unwrap();
    let mode = |path: &std::path::Path| path.metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&data), 0o700);
    let names: Vec<_> = std::fs::read_dir(&data).unwrap().map(|f| f.unwrap().path()).collect();
    assert!(names.len() >= 6, "{names:?}");
    for path in names {
        assert_eq!(mode(&path), 0o600, "{}", path.display());
    }
}

#[tokio::test]
async fn a_database_locked_by_another_program_is_over_when_that_lets_go() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path()).await.unwrap();
    let mut other = intruder(dir.path()).await;
    let held = other.begin_with("BEGIN IMMEDIATE").await.unwrap();
    let refused = store.accept(vec![arrival("am", "1")]).await;
    assert!(matches!(&refused, Err(StoreError::Unavailable(what)) if what.contains("another program")), "{refused:?}");
    assert!(store.failing().is_some_and(|why| why.contains("another program")), "{:?}", store.failing());
    // It finds out by itself, though nobody writes.
    held.rollback().await.unwrap();
    until("it writes again", || store.failing().is_none().then_some(())).await;
    // A conflict is no failure of storage.
    let twice = || Commit { entries: vec![declared(1)], ..Commit::default() };
    store.commit(vec![twice()]).await.unwrap();
    assert!(matches!(store.commit(vec![twice()]).await, Err(StoreError::Conflict(_))));
    assert_eq!(store.failing(), None);
    assert_eq!(store.accept(vec![arrival("am", "1")]).await.unwrap(), [Accepted::New(1)]);
    assert_eq!(store.broken(), None);
}

#[tokio::test]
async fn a_full_disk_stores_nothing_by_halves_and_recovers() {
    let Some(small) = Small::mount(8) else { return };
    let store = open(small.path()).await.unwrap();
    let big = |i: u32| {
        let effects = vec![(format!("s{i}"), say(i, &"x".repeat(100_000)))];
        Commit { entries: vec![declared(i)], effects, ..Commit::default() }
    };
    store.accept(vec![arrival("am", "before")]).await.unwrap();
    let ballast = small.path().join("ballast");
    std::fs::write(&ballast, vec![0; 5_000_000]).unwrap();
    let mut stored = 0;
    let full = loop {
        match store.commit(vec![big(stored + 1)]).await {
            Ok(()) => stored += 1,
            Err(e) => break e,
        }
        assert!(stored < 100, "the disk never got full");
    };
    assert!(matches!(&full, StoreError::Unavailable(what) if what.contains("disk is full")), "{full:?}");
    assert!(store.failing().is_some_and(|why| why.contains("disk is full")), "{:?}", store.failing());
    // Nothing of the failed turn is there, and it goes on failing clearly.
    let state = store.reader().counts().await.unwrap();
    assert_eq!((state.entries, state.outbox.get("pending").copied()), (u64::from(stored), Some(u64::from(stored))));
    assert!(matches!(store.commit(vec![big(stored + 1)]).await, Err(StoreError::Unavailable(_))));
    // Space returns: the same process goes on.
    std::fs::remove_file(&ballast).unwrap();
    store.commit(vec![big(stored + 1)]).await.unwrap();
    assert_eq!(store.failing(), None);
    assert_eq!(store.accept(vec![arrival("am", "before")]).await.unwrap(), [Accepted::Known(1)]);
    assert_eq!(store.reader().counts().await.unwrap().entries, u64::from(stored) + 1);
    assert_eq!(store.broken(), None);
    store.close().await;
    let again = open(small.path()).await.unwrap();
    assert!(matches!(
        again.reader().verify_chain().await.unwrap(),
        smokejumper::edges::store::audit::Verified::Whole { .. }
    ));
    again.close().await;
}

#[tokio::test]
async fn a_read_only_directory_is_refused_with_words() {
    let Some(small) = Small::mount(4) else { return };
    small.read_only(true);
    for path in [small.path().to_owned(), small.path().join("deeper")] {
        let refused = open(&path).await;
        assert!(matches!(&refused, Err(StoreError::Unusable(what)) if what.contains("read-only")), "{refused:?}");
    }
    small.read_only(false);
    open(small.path()).await.unwrap().close().await;
    small.read_only(true);
    let refused = open(small.path()).await;
    assert!(matches!(&refused, Err(StoreError::Unusable(what)) if what.contains("read-only")), "{refused:?}");
    let file = tempfile::NamedTempFile::new().unwrap();
    let refused = open(file.path()).await;
    assert!(matches!(refused, Err(StoreError::Unusable(_))), "{refused:?}");
}

fn start(id: i64) -> Commit {
    Commit { outbox: vec![(id, smokejumper::ports::Progress::Sending)], ..Commit::default() }
}
