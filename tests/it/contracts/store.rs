//! What storage promises, to the engine and to the simulator alike: the same suite for SQLite, for Postgres and for the
//! ledger in memory.

mod anchors;
mod backup;
mod crowd;
mod cut;
mod damage;
mod disk;
mod erasing;
mod facts;
mod forgetting;
mod lanes;
mod lease;
mod looking;
mod memory;
mod privacy;
mod refused;
mod site;
mod tamper;
mod versions;

use crate::world::ledger::Ledger;
use crate::world::watch::Watch;
use facts::*;
use lanes::{
    a_card_that_is_not_due_lets_chatter_pass, a_platform_gets_its_share_and_no_more,
    approvals_go_before_cards_and_cards_before_chatter, chatter_that_was_overtaken_for_long_is_overtaken_no_more,
    messages_become_one_or_stay_many, what_waits_is_hurried_and_what_is_settled_is_not,
};
use looking::{
    a_room_says_which_incident_is_meant, a_room_shows_the_last_of_what_was_said,
    loose_alerts_fire_and_nobody_has_them_in_hand, the_house_is_no_incident,
    what_was_suggested_once_names_no_private_incident,
};
use site::Site;
use smokejumper::edges::store::Store;
use smokejumper::flow::desk::Desk;
use smokejumper::flow::effect::{Effect, Timer};
use smokejumper::flow::event::Event;
use smokejumper::flow::fact::Fact;
use smokejumper::flow::identity::Platform;
use smokejumper::flow::incident::{Incident, IncidentId};
use smokejumper::flow::moment::{At, MINUTE};
use smokejumper::ports::{Accepted, Clock, Commit, DeadLetter, Inbox, Journal, Outbox, Progress, StoreError, Views};
use std::sync::Arc;

/// Everything storage is.
trait Storage: Inbox + Journal + Outbox + Views {}
impl<T: Inbox + Journal + Outbox + Views> Storage for T {}

/// An implementation under test, which can be killed.
enum Bench {
    Sql { site: Site, watch: Arc<Watch>, store: Option<Store> },
    Ledger { watch: Arc<Watch>, ledger: Ledger },
}

impl Bench {
    async fn sqlite() -> Option<Self> {
        Some(Self::sql(Site::sqlite()).await)
    }

    async fn postgres() -> Option<Self> {
        Some(Self::sql(Site::postgres().await?).await)
    }

    async fn sql(site: Site) -> Self {
        let mut bench = Self::Sql { site, watch: Arc::new(Watch::at(NOW)), store: None };
        bench.kill().await;
        bench
    }

    async fn ledger() -> Option<Self> {
        let watch = Arc::new(Watch::at(NOW));
        let ledger = Ledger::new(Arc::clone(&watch) as Arc<dyn Clock>);
        std::future::ready(Some(Self::Ledger { watch, ledger })).await
    }

    fn storage(&self) -> &dyn Storage {
        match self {
            Self::Sql { store, .. } => store.as_ref().unwrap(),
            Self::Ledger { ledger, .. } => ledger,
        }
    }

    /// Drops the storage as a killed process would, without a word, and opens what is left.
    async fn kill(&mut self) {
        match self {
            Self::Sql { site, watch, store } => {
                drop(store.take());
                *store = Some(site.open_at(Arc::clone(watch) as Arc<dyn Clock>).await.unwrap());
            }
            Self::Ledger { ledger, .. } => *ledger = ledger.crash(),
        }
    }

    fn set(&self, at: At) {
        match self {
            Self::Sql { watch, .. } | Self::Ledger { watch, .. } => watch.set(at),
        }
    }
}

/// Each promise is a function over a bench; each becomes a test for each implementation.
macro_rules! promises {
    ($($promise:ident),* $(,)?) => {
        promises!(@on sqlite $($promise)*);
        promises!(@on postgres $($promise)*);
        promises!(@on ledger $($promise)*);
    };
    (@on $implementation:ident $($promise:ident)*) => {
        mod $implementation {
            $(#[tokio::test] async fn $promise() {
                if let Some(bench) = super::Bench::$implementation().await { super::$promise(bench).await; }
            })*
        }
    };
}

promises!(
    a_delivery_is_stored_once,
    a_turn_is_stored_whole_and_survives,
    a_turn_that_conflicts_changes_nothing,
    the_desk_moves_one_version_at_a_time,
    entries_come_one_after_the_other,
    a_lane_has_one_in_flight_and_keeps_its_order,
    timers_wait_for_their_own_time_only,
    pages_and_timers_wait_for_nobody,
    approvals_go_before_cards_and_cards_before_chatter,
    a_card_that_is_not_due_lets_chatter_pass,
    chatter_that_was_overtaken_for_long_is_overtaken_no_more,
    a_platform_gets_its_share_and_no_more,
    messages_become_one_or_stay_many,
    what_waits_is_hurried_and_what_is_settled_is_not,
    what_was_posted_last_is_known,
    the_newest_card_supersedes,
    a_superseding_row_waits_as_long_as_the_one_it_replaces,
    a_run_stays_pending_until_a_commit_starts_it,
    a_settled_row_brings_its_event_along,
    what_was_being_sent_is_unknown_after_a_crash,
    an_unknown_run_does_not_hold_the_next_one,
    a_private_incident_is_there_for_those_in_it,
    what_was_suggested_once_names_no_private_incident,
    a_room_shows_what_was_said_in_it,
    a_room_shows_the_last_of_what_was_said,
    a_room_says_which_incident_is_meant,
    loose_alerts_fire_and_nobody_has_them_in_hand,
    an_erased_entry_says_so,
    lists_are_newest_first,
    the_house_is_no_incident,
    a_stale_snapshot_is_folded_again,
);

async fn a_delivery_is_stored_once(mut bench: Bench) {
    let (a, b) = (arrival("am", "1"), arrival("am", "2"));
    let first = bench.storage().accept(vec![a.clone(), b.clone(), a.clone()]).await.unwrap();
    assert_eq!(first, [Accepted::New(1), Accepted::New(2), Accepted::Known(1)]);
    // The same key of another source is another delivery.
    let other = arrival("grafana", "1");
    bench.kill().await;
    let again = bench.storage().accept(vec![b.clone(), other.clone()]).await.unwrap();
    assert_eq!(again, [Accepted::Known(2), Accepted::New(3)]);
    let waiting = bench.storage().waiting(10).await.unwrap();
    assert_eq!(waiting.iter().map(|w| (w.id, &w.arrival)).collect::<Vec<_>>(), [(1, &a), (2, &b), (3, &other)]);
    assert_eq!(bench.storage().waiting(2).await.unwrap().len(), 2);
    // A processed delivery is still known.
    bench.storage().commit(vec![Commit { processed: Some(1), ..Commit::default() }]).await.unwrap();
    assert_eq!(bench.storage().accept(vec![a]).await.unwrap(), [Accepted::Known(1)]);
    assert_eq!(bench.storage().waiting(10).await.unwrap().len(), 2);
    let letter = DeadLetter { source: "am".to_owned(), at: NOW, why: "not JSON".to_owned(), sample: "{".to_owned() };
    bench.storage().bury(letter).await.unwrap();
    assert_eq!(bench.storage().accept(Vec::new()).await.unwrap(), []);
}

async fn a_turn_is_stored_whole_and_survives(mut bench: Bench) {
    bench.storage().accept(vec![arrival("am", "1")]).await.unwrap();
    let declared = declared(1);
    let incident = Incident::fold(IncidentId(1), [&declared]);
    let (mine, loose) = (alert("a", Some(1)), alert("b", None));
    let mut desk = Desk { version: 1, last: 1, ..Desk::default() };
    desk.apply(&declared, &incident);
    let commit = Commit {
        processed: Some(1),
        entries: vec![declared.clone()],
        alerts: vec![mine.clone(), loose.clone()],
        effects: vec![("op-1".to_owned(), say(1, "hello"))],
        incidents: vec![incident.clone()],
        desk: Some(desk.clone()),
        outbox: Vec::new(),
    };
    bench.storage().commit(vec![commit]).await.unwrap();
    bench.kill().await;
    assert_eq!(bench.storage().waiting(10).await.unwrap(), []);
    let state = bench.storage().restore().await.unwrap();
    assert_eq!(state.incidents.values().collect::<Vec<_>>(), [&incident]);
    assert_eq!(state.desk.alerts.values().collect::<Vec<_>>(), [&mine, &loose]);
    assert_eq!(state.desk.without_alerts(), desk);
    assert_eq!(bench.storage().load(IncidentId(1)).await.unwrap(), Some(incident));
    assert_eq!(bench.storage().load(IncidentId(2)).await.unwrap(), None);
    assert_eq!(bench.storage().entries(&ana(), IncidentId(1)).await.unwrap(), [declared]);
    assert_eq!(bench.storage().alerts(&ana(), IncidentId(1), 10).await.unwrap(), [mine]);
    assert_eq!(bench.storage().loose(&ana(), 10).await.unwrap(), [loose]);
    assert_eq!(bench.storage().desk().await.unwrap(), desk);
    let claimed = bench.storage().claim(NOW, 10).await.unwrap();
    assert_eq!(claimed.iter().map(|o| (o.op.as_str(), o.attempts)).collect::<Vec<_>>(), [("op-1", 0)]);
    assert_eq!(claimed[0].queued_at, NOW);
}

async fn a_turn_that_conflicts_changes_nothing(bench: Bench) {
    bench.storage().accept(vec![arrival("am", "1")]).await.unwrap();
    let good = Commit {
        processed: Some(1),
        entries: vec![declared(1)],
        alerts: vec![alert("a", None)],
        effects: vec![("op-1".to_owned(), say(1, "hello"))],
        incidents: vec![Incident::fold(IncidentId(1), [&declared(1)])],
        desk: Some(Desk { version: 1, ..Desk::default() }),
        outbox: Vec::new(),
    };
    let taken = Commit { effects: vec![("op-1".to_owned(), say(1, "again"))], ..Commit::default() };
    let twice = Commit { processed: Some(1), ..Commit::default() };
    let nowhere = Commit { outbox: vec![(77, Progress::Sending)], ..Commit::default() };
    for bad in [taken, twice, nowhere] {
        let refused = bench.storage().commit(vec![clone(&good), bad]).await;
        assert!(matches!(refused, Err(StoreError::Conflict(_))), "{refused:?}");
        assert_eq!(bench.storage().waiting(10).await.unwrap().len(), 1);
        assert_eq!(bench.storage().load(IncidentId(1)).await.unwrap(), None);
        assert_eq!(bench.storage().loose(&ana(), 10).await.unwrap(), []);
        assert_eq!(bench.storage().claim(NOW, 10).await.unwrap(), []);
        assert_eq!(bench.storage().desk().await.unwrap().version, 0);
    }
    // And what failed can be done after all.
    bench.storage().commit(vec![good]).await.unwrap();
    assert_eq!(bench.storage().claim(NOW, 10).await.unwrap().len(), 1);
}

async fn the_desk_moves_one_version_at_a_time(bench: Bench) {
    let desk = |version| Commit { desk: Some(Desk { version, ..Desk::default() }), ..Commit::default() };
    bench.storage().commit(vec![desk(1), desk(2)]).await.unwrap();
    for wrong in [2, 4, 0] {
        let refused = bench.storage().commit(vec![desk(wrong)]).await;
        assert!(matches!(refused, Err(StoreError::Conflict(_))), "{wrong}: {refused:?}");
    }
    bench.storage().commit(vec![desk(3)]).await.unwrap();
    assert_eq!(bench.storage().restore().await.unwrap().desk.version, 3);
}

async fn entries_come_one_after_the_other(bench: Bench) {
    let note = |n| Commit { entries: vec![noted(1, n)], ..Commit::default() };
    bench
        .storage()
        .commit(vec![Commit { entries: vec![declared(1), noted(1, 2)], ..Commit::default() }])
        .await
        .unwrap();
    for wrong in [2, 4] {
        let refused = bench.storage().commit(vec![note(wrong)]).await;
        assert!(matches!(refused, Err(StoreError::Conflict(_))), "{wrong}: {refused:?}");
    }
    bench.storage().commit(vec![note(3), note(4)]).await.unwrap();
    let numbers: Vec<_> = bench.storage().entries(&ana(), IncidentId(1)).await.unwrap().iter().map(|e| e.n).collect();
    assert_eq!(numbers, [1, 2, 3, 4]);
}

async fn a_lane_has_one_in_flight_and_keeps_its_order(bench: Bench) {
    let effects = vec![
        ("a1".to_owned(), say(1, "one")),
        ("a2".to_owned(), say(1, "two")),
        ("b1".to_owned(), say(2, "one")),
        ("m1".to_owned(), Effect::Recall { incident: IncidentId(1) }),
    ];
    bench.storage().commit(vec![Commit { effects, ..Commit::default() }]).await.unwrap();
    let first = bench.storage().claim(NOW, 10).await.unwrap();
    assert_eq!(ops(&first), ["m1", "a1", "b1"]);
    assert_eq!(bench.storage().claim(NOW, 10).await.unwrap(), []);
    // Behind one in flight nothing is due.
    assert_eq!(bench.storage().next_due().await.unwrap(), None);
    // Not delivered: again later, and the lane waits with it.
    let later = NOW.plus(MINUTE);
    let again = Progress::Again { at: later, why: "slow down".to_owned() };
    bench.storage().settle(first[1].id, again, None).await.unwrap();
    assert_eq!(bench.storage().claim(NOW, 10).await.unwrap(), []);
    assert_eq!(bench.storage().next_due().await.unwrap(), Some(later));
    let second = bench.storage().claim(later, 10).await.unwrap();
    assert_eq!(ops(&second), ["a1"]);
    assert_eq!(second[0].attempts, 1);
    bench.storage().settle(second[0].id, sent("m-1"), None).await.unwrap();
    assert_eq!(ops(&bench.storage().claim(later, 10).await.unwrap()), ["a2"]);
    // What is done is done.
    for progress in [sent("m-2"), Progress::Again { at: later, why: String::new() }] {
        let refused = bench.storage().settle(second[0].id, progress, None).await;
        assert!(matches!(refused, Err(StoreError::Conflict(_))), "{refused:?}");
    }
    // As many as asked for.
    let many = (0..5).map(|i| (format!("c{i}"), say(10 + i, "hi"))).collect();
    bench.storage().commit(vec![Commit { effects: many, ..Commit::default() }]).await.unwrap();
    assert_eq!(bench.storage().claim(NOW, 2).await.unwrap().len(), 2);
}

async fn pages_and_timers_wait_for_nobody(bench: Bench) {
    let slow = |n: u32| (format!("s{n}"), say(n, "x"));
    let page = |n: u32, page: u32| (format!("p{n}.{page}"), Effect::Page { incident: IncidentId(n), page });
    let wake = |n: u32| (format!("w{n}"), Effect::Wake { incident: IncidentId(n), at: NOW, timer: Timer::Quiet });
    let effects = vec![slow(1), slow(2), slow(3), slow(4), wake(1), page(1, 1), wake(2), page(1, 1), page(1, 2)];
    let effects = effects.into_iter().enumerate().map(|(i, (op, effect))| (format!("{i}:{op}"), effect)).collect();
    bench.storage().commit(vec![Commit { effects, ..Commit::default() }]).await.unwrap();
    // Half of them at most, pages before timers, each lane in its order; then the rest as they came.
    let first = bench.storage().claim(NOW, 4).await.unwrap();
    assert_eq!(ops(&first), ["5:p1.1", "8:p1.2", "0:s1", "1:s2"]);
    let urgent = bench.storage().claim_urgent(NOW, 10).await.unwrap();
    assert_eq!(ops(&urgent), ["4:w1", "6:w2"], "the second of a page's lane waits for the first");
    bench.storage().settle(first[0].id, sent("p"), None).await.unwrap();
    assert_eq!(ops(&bench.storage().claim_urgent(NOW, 10).await.unwrap()), ["7:p1.1"]);
    assert_eq!(ops(&bench.storage().claim(NOW, 10).await.unwrap()), ["2:s3", "3:s4"]);
}

async fn timers_wait_for_their_own_time_only(bench: Bench) {
    let wake = |request, minutes| Effect::Wake {
        incident: IncidentId(1),
        at: NOW.plus(minutes * MINUTE),
        timer: Timer::Expiry { request },
    };
    let effects = vec![("t1".to_owned(), wake(1, 30)), ("t2".to_owned(), wake(2, 10)), ("t3".to_owned(), wake(3, 20))];
    bench.storage().commit(vec![Commit { effects, ..Commit::default() }]).await.unwrap();
    assert_eq!(bench.storage().next_due().await.unwrap(), Some(NOW.plus(10 * MINUTE)));
    assert_eq!(bench.storage().claim(NOW.plus(9 * MINUTE), 10).await.unwrap(), []);
    assert_eq!(ops(&bench.storage().claim(NOW.plus(20 * MINUTE), 10).await.unwrap()), ["t2", "t3"]);
    assert_eq!(bench.storage().next_due().await.unwrap(), Some(NOW.plus(30 * MINUTE)));
}

async fn the_newest_card_supersedes(bench: Bench) {
    let card = |incident| Effect::Card { incident: IncidentId(incident), platform: Platform::Console };
    let queue = |op: &str, effect| Commit { effects: vec![(op.to_owned(), effect)], ..Commit::default() };
    bench
        .storage()
        .commit(vec![queue("c1", card(1)), queue("s1", say(1, "x")), queue("other", card(2))])
        .await
        .unwrap();
    bench.storage().commit(vec![queue("c2", card(1))]).await.unwrap();
    let claimed = bench.storage().claim(NOW, 10).await.unwrap();
    assert_eq!(ops(&claimed), ["other", "c2"]);
    // One that is being sent is not taken back.
    bench.storage().commit(vec![queue("c3", card(1))]).await.unwrap();
    bench.storage().settle(claimed[1].id, sent("m"), None).await.unwrap();
    assert_eq!(ops(&bench.storage().claim(NOW, 10).await.unwrap()), ["c3"]);
}

async fn what_was_posted_last_is_known(mut bench: Bench) {
    let (incident, platform) = (IncidentId(1), Platform::Slack);
    let card = || Effect::Card { incident, platform };
    let announce = || Effect::Announce { incident, platform };
    let posted = async |bench: &Bench, effect: &Effect| {
        let key = effect.supersedes().unwrap();
        bench.storage().last_posted(effect.incident(), effect.destination(), &key).await.unwrap()
    };
    for n in 0..3 {
        let effects = vec![(format!("c{n}"), card()), (format!("a{n}"), announce())];
        bench.storage().commit(vec![Commit { effects, ..Commit::default() }]).await.unwrap();
        for row in bench.storage().claim(NOW, 10).await.unwrap() {
            // An edit is told under the same id; the last one is on its way.
            let remote = Some(format!("{} of the first", row.effect.supersedes().unwrap()));
            let progress = match n {
                2 => Progress::Again { at: NOW.plus(MINUTE), why: "busy".to_owned() },
                _ => Progress::Sent { remote, said: Some(message("so it stands")) },
            };
            bench.storage().settle(row.id, progress, None).await.unwrap();
        }
    }
    bench.kill().await;
    assert_eq!(posted(&bench, &card()).await.as_deref(), Some("card of the first"));
    assert_eq!(posted(&bench, &announce()).await.as_deref(), Some("announce of the first"));
    for other in [
        Effect::Card { incident, platform: Platform::Discord },
        Effect::Card { incident: IncidentId(2), platform },
        Effect::Announce { incident: IncidentId(2), platform },
        Effect::Furnish { incident, platform },
    ] {
        assert_eq!(posted(&bench, &other).await, None, "{other:?}");
    }
}

async fn a_superseding_row_waits_as_long_as_the_one_it_replaces(bench: Bench) {
    let card = Effect::Card { incident: IncidentId(1), platform: Platform::Slack };
    let queue = |op: &str| Commit { effects: vec![(op.to_owned(), card.clone())], ..Commit::default() };
    bench.storage().commit(vec![queue("c1")]).await.unwrap();
    let claimed = bench.storage().claim(NOW, 10).await.unwrap();
    let later = NOW.plus(MINUTE);
    let again = Progress::Again { at: later, why: "Retry-After: 60".to_owned() };
    bench.storage().settle(claimed[0].id, again, None).await.unwrap();
    bench.storage().commit(vec![queue("c2")]).await.unwrap();
    assert_eq!(bench.storage().claim(NOW, 10).await.unwrap(), []);
    assert_eq!(ops(&bench.storage().claim(later, 10).await.unwrap()), ["c2"]);
}

async fn a_run_stays_pending_until_a_commit_starts_it(bench: Bench) {
    bench.storage().commit(vec![queue_run("r1", 1)]).await.unwrap();
    let first = bench.storage().claim(NOW, 10).await.unwrap();
    assert_eq!(ops(&first), ["r1"]);
    assert_eq!(bench.storage().claim(NOW, 10).await.unwrap(), first);
    let start = || Commit { outbox: vec![(first[0].id, Progress::Sending)], ..Commit::default() };
    bench.storage().commit(vec![start()]).await.unwrap();
    assert_eq!(bench.storage().claim(NOW, 10).await.unwrap(), []);
    // Once for ever: not started again, not put back.
    let again = Progress::Again { at: NOW, why: "no".to_owned() };
    for refused in [bench.storage().commit(vec![start()]).await, bench.storage().settle(first[0].id, again, None).await]
    {
        assert!(matches!(refused, Err(StoreError::Conflict(_))), "{refused:?}");
    }
    bench.storage().settle(first[0].id, sent("done"), None).await.unwrap();
    // Nothing but a run is started by a commit.
    let hello = Commit { effects: vec![("s".to_owned(), say(1, "x"))], ..Commit::default() };
    bench.storage().commit(vec![hello]).await.unwrap();
    let refused =
        bench.storage().commit(vec![Commit { outbox: vec![(2, Progress::Sending)], ..Commit::default() }]).await;
    assert!(matches!(refused, Err(StoreError::Conflict(_))), "{refused:?}");
}

async fn a_settled_row_brings_its_event_along(mut bench: Bench) {
    bench
        .storage()
        .commit(vec![Commit { effects: vec![("s".to_owned(), say(1, "x"))], ..Commit::default() }])
        .await
        .unwrap();
    let row = bench.storage().claim(NOW, 10).await.unwrap().remove(0);
    let result = arrival("effect", "s");
    bench.storage().settle(row.id, sent("m"), Some(result.clone())).await.unwrap();
    bench.kill().await;
    assert_eq!(bench.storage().waiting(10).await.unwrap()[0].arrival, result);
    // Settled twice, and the second event did not come.
    let refused = bench.storage().settle(row.id, sent("m"), Some(arrival("effect", "other"))).await;
    assert!(matches!(refused, Err(StoreError::Conflict(_))), "{refused:?}");
    assert_eq!(bench.storage().waiting(10).await.unwrap().len(), 1);
}

async fn what_was_being_sent_is_unknown_after_a_crash(mut bench: Bench) {
    let effects = vec![("s1".to_owned(), say(1, "x")), ("s2".to_owned(), say(2, "x"))];
    bench.storage().commit(vec![Commit { effects, ..Commit::default() }, queue_run("r1", 1)]).await.unwrap();
    let claimed = bench.storage().claim(NOW, 10).await.unwrap();
    assert_eq!(bench.storage().interrupted().await.unwrap(), []);
    assert_eq!(ops(&claimed), ["r1", "s1", "s2"]);
    assert_eq!(ops(&bench.storage().sending().await.unwrap()), ["s1", "s2"]);
    bench.storage().settle(claimed[2].id, sent("m"), None).await.unwrap();
    assert_eq!(ops(&bench.storage().sending().await.unwrap()), ["s1"]);
    bench.kill().await;
    assert_eq!(bench.storage().sending().await.unwrap(), []);
    let interrupted = bench.storage().interrupted().await.unwrap();
    // The run was never started, so it is not among them.
    assert_eq!(interrupted.iter().map(|o| (o.op.as_str(), o.attempts)).collect::<Vec<_>>(), [("s1", 1)]);
    assert_eq!(ops(&bench.storage().claim(NOW, 10).await.unwrap()), ["r1"]);
    // Looked for, and not found: again.
    let again = Progress::Again { at: NOW, why: "it was not there".to_owned() };
    bench.storage().settle(interrupted[0].id, again, None).await.unwrap();
    assert_eq!(bench.storage().interrupted().await.unwrap(), []);
    let rows = bench.storage().claim(NOW, 10).await.unwrap();
    assert_eq!(rows.iter().map(|o| (o.op.as_str(), o.attempts)).collect::<Vec<_>>(), [("r1", 0), ("s1", 1)]);
}

async fn an_unknown_run_does_not_hold_the_next_one(mut bench: Bench) {
    bench.storage().commit(vec![queue_run("r1", 1)]).await.unwrap();
    let row = bench.storage().claim(NOW, 10).await.unwrap().remove(0);
    bench
        .storage()
        .commit(vec![Commit { outbox: vec![(row.id, Progress::Sending)], ..Commit::default() }])
        .await
        .unwrap();
    bench.kill().await;
    assert_eq!(ops(&bench.storage().interrupted().await.unwrap()), ["r1"]);
    bench.storage().commit(vec![queue_run("r2", 2)]).await.unwrap();
    assert_eq!(ops(&bench.storage().claim(NOW, 10).await.unwrap()), ["r2"]);
    let refused = bench.storage().settle(row.id, Progress::Again { at: NOW, why: "no".to_owned() }, None).await;
    assert!(matches!(refused, Err(StoreError::Conflict(_))), "{refused:?}");
}

async fn a_private_incident_is_there_for_those_in_it(bench: Bench) {
    let (ana, bo) = (ana(), console("bo"));
    let entries = vec![declared(1), noted(1, 2)];
    let mut incident = Incident::fold(IncidentId(1), &entries);
    incident.private = true;
    let mut mine = incident.clone();
    // Declared by her, and nothing else.
    mine.involved.clear();
    for incident in [incident, mine] {
        let numbered = Incident { id: incident.id, ..incident };
        let effects = Vec::new();
        let first = bench.storage().load(IncidentId(1)).await.unwrap().is_none();
        let entries = if first { entries.clone() } else { Vec::new() };
        let alerts = vec![alert("a", Some(1))];
        let commit = Commit { entries, alerts, effects, incidents: vec![numbered.clone()], ..Commit::default() };
        bench.storage().commit(vec![commit]).await.unwrap();
        let storage = bench.storage();
        assert_eq!(storage.list(&ana, false, 10).await.unwrap(), std::slice::from_ref(&numbered));
        assert_eq!(storage.incident(&ana, IncidentId(1)).await.unwrap(), Some(numbered));
        assert_eq!(storage.entries(&ana, IncidentId(1)).await.unwrap().len(), 2);
        assert_eq!(storage.alerts(&ana, IncidentId(1), 10).await.unwrap().len(), 1);
        assert_eq!(storage.list(&bo, false, 10).await.unwrap(), []);
        assert_eq!(storage.incident(&bo, IncidentId(1)).await.unwrap(), None);
        assert_eq!(storage.entries(&bo, IncidentId(1)).await.unwrap(), []);
        assert_eq!(storage.alerts(&bo, IncidentId(1), 10).await.unwrap(), []);
        assert_eq!(storage.said(&bo, IncidentId(1), Platform::Console).await.unwrap(), []);
        assert_eq!(storage.loose(&bo, 10).await.unwrap(), []);
    }
}

async fn a_room_shows_what_was_said_in_it(bench: Bench) {
    let card = Effect::Card { incident: IncidentId(1), platform: Platform::Console };
    let elsewhere =
        Effect::Say { incident: IncidentId(1), platform: Platform::Slack, message: Box::new(message("slack")) };
    let effects = vec![
        ("s1".to_owned(), say(1, "one")),
        ("c".to_owned(), card),
        ("s2".to_owned(), say(1, "two")),
        ("s3".to_owned(), say(1, "three")),
        ("else".to_owned(), elsewhere),
    ];
    let entries = vec![declared(1)];
    bench.storage().commit(vec![Commit { entries, effects, ..Commit::default() }]).await.unwrap();
    for _ in 0..3 {
        for row in bench.storage().claim(NOW, 10).await.unwrap() {
            bench.set(NOW.plus(MINUTE));
            let said = (row.op != "s1").then(|| message("as it was told"));
            let progress = Progress::Sent { remote: Some("m".to_owned()), said };
            bench.storage().settle(row.id, progress, None).await.unwrap();
        }
    }
    let said = bench.storage().said(&ana(), IncidentId(1), Platform::Console).await.unwrap();
    let told: Vec<_> = said.iter().map(|s| (s.op.as_str(), s.message.clone())).collect();
    assert_eq!(told, [("s1", message("one")), ("s2", message("as it was told"))]);
    assert_eq!(said[1].at, NOW.plus(MINUTE));
    assert_eq!(bench.storage().said(&ana(), IncidentId(1), Platform::Slack).await.unwrap().len(), 1);
}

async fn an_erased_entry_says_so(bench: Bench) {
    let entries = vec![declared(1), noted(1, 2), entry(1, 3, Fact::Redacted { n: 2 }), entry(1, 4, Fact::Acknowledged)];
    bench.storage().commit(vec![Commit { entries: entries.clone(), ..Commit::default() }]).await.unwrap();
    let read = bench.storage().entries(&ana(), IncidentId(1)).await.unwrap();
    assert_eq!(read[1].fact, Fact::Redacted { n: 2 });
    assert_eq!((&read[0], &read[2], &read[3]), (&entries[0], &entries[2], &entries[3]));
}

async fn lists_are_newest_first(bench: Bench) {
    for n in 1..=4 {
        let mut entries = vec![declared(n)];
        if n % 2 == 0 {
            entries.push(entry(n, 2, Fact::Resolved { cause: None, fix: None }));
        }
        let incidents = vec![Incident::fold(IncidentId(n), &entries)];
        bench.storage().commit(vec![Commit { entries, incidents, ..Commit::default() }]).await.unwrap();
    }
    let numbers = async |closed, limit| {
        let list = bench.storage().list(&ana(), closed, limit).await.unwrap();
        list.iter().map(|i| i.id.0).collect::<Vec<_>>()
    };
    assert_eq!(numbers(false, 10).await, [3, 1]);
    assert_eq!(numbers(true, 10).await, [4, 2]);
    assert_eq!(numbers(true, 1).await, [4]);
    let restored = bench.storage().restore().await.unwrap();
    assert_eq!(restored.incidents.keys().map(|id| id.0).collect::<Vec<_>>(), [1, 3]);
}

async fn a_stale_snapshot_is_folded_again(bench: Bench) {
    let entries = vec![declared(1)];
    let incidents = vec![Incident::fold(IncidentId(1), &entries)];
    bench.storage().commit(vec![Commit { entries, incidents, ..Commit::default() }]).await.unwrap();
    let more = vec![entry(1, 2, Fact::Acknowledged)];
    bench.storage().commit(vec![Commit { entries: more, ..Commit::default() }]).await.unwrap();
    let incident = bench.storage().load(IncidentId(1)).await.unwrap().unwrap();
    assert_eq!((incident.entries, incident.times.acknowledged), (2, Some(NOW)));
    assert!(matches!(arrival("a", "b").event, Event::Due { .. }));
}
