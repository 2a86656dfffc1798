//! The connection to Postgres is cut around COMMIT: whether it happened is found out by key, nothing is lost and nothing is
//! there twice (F16).

use super::facts::*;
use super::site::{Site, still};
use crate::world::postgres;
use crate::world::strand::{Break, Strand};
use crate::world::wait::{DEADLINE, seen};
use smokejumper::config::secret::Secret;
use smokejumper::edges::store::Store;
use smokejumper::edges::store::audit::Verified;
use smokejumper::edges::store::location::Location;
use smokejumper::flow::desk::Desk;
use smokejumper::ports::{Accepted, Commit, Inbox, Journal, Outbox, Outgoing, StoreError};

/// Of each kind of write with each way to break.
const ROUNDS: u32 = 5;

/// One try; `None`: nobody knows what became of it, look and try again.
fn known<T>(result: Result<T, StoreError>) -> Option<T> {
    match result {
        Ok(done) => Some(done),
        Err(StoreError::Unavailable(_)) => None,
        Err(e) => panic!("{e}"),
    }
}

/// Stores it, as a sender does: again under the same key until it is acknowledged.
async fn accepted(store: &Store, key: &str) -> i64 {
    let arrival = arrival("am", key);
    let accept = || async { known(store.accept(vec![arrival.clone()]).await) };
    match seen("it is accepted", DEADLINE, accept).await[0] {
        Accepted::New(id) | Accepted::Known(id) => id,
    }
}

/// A turn, as the engine does it: after a failure it reads anew what waits.
async fn turned(store: &Store, id: i64, n: u32) {
    seen("the turn is stored", DEADLINE, || async {
        let waits = known(store.waiting(1_000).await)?.iter().any(|w| w.id == id);
        let desk = Some(Desk { version: u64::from(n), ..Desk::default() });
        let effects = vec![(format!("op{n}"), say(n, "x"))];
        let entries = vec![if n == 1 { declared(1) } else { noted(1, n) }];
        let turn = Commit { processed: Some(id), entries, effects, desk, ..Commit::default() };
        if waits { known(store.commit(vec![turn]).await) } else { Some(()) }
    })
    .await;
}

async fn claimed(store: &Store) -> Outgoing {
    seen("it is claimed", DEADLINE, || async {
        let mut rows = known(store.claim(NOW, 10).await)?;
        if rows.is_empty() {
            // Claimed, and the answer was lost.
            rows = known(store.sending().await)?;
        }
        rows.pop()
    })
    .await
}

async fn settled(store: &Store, row: &Outgoing) {
    seen("it is settled", DEADLINE, || async {
        match store.settle(row.id, sent("m"), Some(arrival("effect", &row.op))).await {
            // It was, and the answer was lost.
            Err(StoreError::Conflict(_)) => Some(()),
            other => known(other),
        }
    })
    .await;
}

#[tokio::test]
async fn what_became_of_a_cut_commit_is_found_out_by_key() {
    let Some(site) = Site::postgres().await else { return };
    let strand = Strand::to(postgres::shared().unwrap().socket()).await;
    let url = site.url_through(strand.port);
    let store = Store::open(Location::new(site.path(), Some(Secret::new(url))), still()).await.unwrap();
    let (mut n, mut cuts) = (0_u32, 0_u32);
    for how in [Break::Before, Break::Within, Break::After] {
        for _ in 0..ROUNDS {
            for write in 0..4 {
                n += 1;
                let at = |step: u32| {
                    if step == write {
                        strand.breaks(how);
                    }
                };
                at(0);
                let id = accepted(&store, &format!("{n}")).await;
                at(1);
                turned(&store, id, n).await;
                at(2);
                let row = claimed(&store).await;
                assert_eq!(row.op, format!("op{n}"));
                at(3);
                settled(&store, &row).await;
                assert!(strand.broke(), "{how:?} at write {write}");
                cuts += 1;
            }
        }
    }
    // A line that is dead without a word is given up, too.
    strand.breaks(Break::Silence);
    n += 1;
    let id = accepted(&store, &format!("{n}")).await;
    turned(&store, id, n).await;
    settled(&store, &claimed(&store).await).await;
    assert!(strand.broke());

    let total = i64::from(n);
    assert_eq!(site.count("inbox WHERE source = 'am' AND processed IS NOT NULL").await, total);
    assert_eq!(site.count("inbox WHERE source = 'effect' AND processed IS NULL").await, total);
    assert_eq!(site.count("inbox").await, 2 * total);
    assert_eq!((site.count("outbox WHERE state = 'sent'").await, site.count("outbox").await), (total, total));
    let verified = store.reader().verify_chain().await.unwrap();
    assert!(matches!(verified, Verified::Whole { entries, .. } if entries == u64::from(n)), "{verified:?}");
    assert_eq!((store.broken(), store.failing()), (None, None));
    println!("{cuts} cuts around COMMIT and one silence; {n} deliveries, each once");
}
