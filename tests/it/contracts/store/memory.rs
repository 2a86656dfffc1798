//! What only the ledger can do: fail at a given call, be looked into, and fence a process that is gone.

use super::facts::*;
use crate::world::ledger::{Ledger, Standing, When};
use crate::world::watch::Watch;
use smokejumper::ports::{Commit, DeadLetter, Inbox, Journal, Outbox, StoreError};
use std::sync::Arc;

fn ledger() -> Ledger {
    Ledger::new(Arc::new(Watch::at(NOW)))
}

#[tokio::test]
async fn a_call_fails_before_or_after_it_took_effect() {
    for (when, stored) in [(When::Before, 0), (When::After, 1)] {
        let ledger = ledger();
        ledger.fail_at(2, when);
        ledger.accept(vec![arrival("am", "1")]).await.unwrap();
        let failed = ledger.commit(vec![Commit { entries: vec![declared(1)], ..Commit::default() }]).await;
        assert!(matches!(failed, Err(StoreError::Unavailable(_))), "{failed:?}");
        assert_eq!(ledger.calls(), 2);
        let next = ledger.crash();
        assert_eq!(next.journal().len(), stored, "{when:?}");
        assert_eq!(next.accepted(), [(arrival("am", "1"), false)]);
        // Only that one call.
        assert_eq!(next.waiting(10).await.unwrap().len(), 1);
    }
}

#[tokio::test]
async fn a_process_that_is_gone_changes_nothing() {
    let old = ledger();
    old.commit(vec![queue_run("r1", 1)]).await.unwrap();
    let new = old.crash();
    assert!(matches!(old.accept(vec![arrival("am", "1")]).await, Err(StoreError::Unusable(_))));
    assert!(matches!(old.claim(NOW, 1).await, Err(StoreError::Unusable(_))));
    assert_eq!(new.accepted(), []);
    assert_eq!(new.claim(NOW, 1).await.unwrap().len(), 1);
    let posted = new.posted();
    assert_eq!((posted[0].standing, posted[0].attempts, posted[0].why.as_deref()), (Standing::Pending, 0, None));
    assert_eq!((posted[0].due, posted[0].remote.as_deref()), (NOW, None));
    let letter = DeadLetter { source: "am".to_owned(), at: NOW, why: "no".to_owned(), sample: String::new() };
    new.bury(letter.clone()).await.unwrap();
    assert_eq!(new.dead_letters(), [letter]);
}
