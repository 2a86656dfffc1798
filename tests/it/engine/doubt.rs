//! What may or may not have happened on a chat platform: looked for before it is repeated, and never there twice (I7, F11).

use super::vendor::{House, Mood};
use super::{Ask, Intent, answered};
use crate::world::ledger::{Posted, Standing};
use crate::world::town;
use smokejumper::flow::effect::Effect;
use smokejumper::flow::fact::{Fact, RoomChange};
use smokejumper::flow::identity::Platform;
use smokejumper::flow::incident::IncidentId;
use smokejumper::flow::moment::{HOUR, MINUTE, SECOND};
use smokejumper::flow::phrase::{ours, titled};
use smokejumper::ports::Clock as _;

const ONE: IncidentId = IncidentId(1);
const SLACK: Platform = Platform::Slack;

fn say(words: &str) -> Effect {
    Effect::Say { incident: ONE, platform: SLACK, message: Box::new(titled(vec![ours(words)])) }
}

fn tell() -> Effect {
    Effect::Tell { incident: ONE, to: town::account(0), message: Box::new(titled(vec![ours("to you")])) }
}

fn row(house: &House, op: &str) -> Posted {
    house.ledger.posted().into_iter().find(|row| row.op == op).unwrap()
}

/// Carries what is due, without a look or a turn.
async fn carry(house: &House) {
    for row in house.engine.claim().await.unwrap() {
        house.engine.carry(row).await.unwrap();
    }
}

#[tokio::test]
async fn every_kind_is_looked_for_and_settled_with_what_was_found() {
    let folder = tempfile::tempdir().unwrap();
    let house = House::new(folder.path()).await;
    house.slack.is(Mood::Lost { done: true });
    answered(&house.engine, super::declare(), "first").await;
    carry(&house).await;
    let open = house
        .ledger
        .posted()
        .into_iter()
        .find(|r| matches!(r.effect, Effect::OpenRoom { platform: SLACK, .. }))
        .unwrap();
    assert_eq!(open.standing, Standing::Unknown);
    // A request may still be on its way: not looked for at once.
    assert_eq!(house.engine.reconcile().await.unwrap(), 0);
    house.watch.set(house.watch.now().plus(5 * SECOND));
    assert_eq!(house.engine.reconcile().await.unwrap(), 1);
    assert_eq!(row(&house, &open.op).standing, Standing::Reconciled);
    while house.engine.turns().await.unwrap() > 0 {}
    let opened = |e: &smokejumper::flow::fact::Entry| matches!(&e.fact, Fact::RoomOpened { platform: SLACK, room } if room.id == format!("room {}", open.op));
    assert_eq!(house.ledger.journal().iter().filter(|e| opened(e)).count(), 1);
    let announce = Effect::Announce { incident: ONE, platform: SLACK };
    let ops = house.queue([say("hello"), announce, tell_on_slack()]).await;
    house.pass(30 * SECOND).await;
    for op in &ops {
        let row = row(&house, op);
        assert_eq!(row.standing, Standing::Reconciled, "{row:?}");
        assert!(row.remote.as_ref().is_some_and(|remote| remote.ends_with(op.as_str())), "{row:?}");
    }
    for what in ["room", "card", "announce", "tell"] {
        assert_eq!(house.slack.made(what).len(), 1, "{what}");
    }
    let said = house.slack.made("say");
    assert_eq!(said.iter().filter(|op| **op == ops[0]).count(), 1);
}

fn tell_on_slack() -> Effect {
    let Effect::Tell { incident, to, message } = tell() else { unreachable!() };
    Effect::Tell { incident, to: smokejumper::flow::identity::Identity { platform: SLACK, ..to }, message }
}

#[tokio::test]
async fn what_is_certainly_not_there_is_sent_again() {
    let folder = tempfile::tempdir().unwrap();
    let house = House::with_incidents(folder.path(), 1).await;
    house.slack.is(Mood::Lost { done: false });
    let ops = house.queue([say("hello"), tell_on_slack()]).await;
    carry(&house).await;
    house.slack.is(Mood::Well);
    house.pass(20 * SECOND).await;
    for op in &ops {
        assert_eq!((row(&house, op).standing, row(&house, op).attempts), (Standing::Sent, 2));
        assert!(house.slack.seen.lock().unwrap().looked.contains(op));
    }
    assert_eq!((house.slack.made("say").last(), house.slack.made("tell").len()), (Some(&ops[0]), 1));
}

#[tokio::test]
async fn a_newer_card_waits_until_it_is_known_what_became_of_the_first() {
    for done in [true, false] {
        let folder = tempfile::tempdir().unwrap();
        let house = House::new(folder.path()).await;
        answered(&house.engine, super::declare(), "first").await;
        // The room opens, and the card's answer is lost.
        while house.slack.made("room").is_empty() {
            house.beat().await;
        }
        while house.engine.turns().await.unwrap() > 0 {}
        house.slack.is(Mood::Lost { done });
        let card = |row: &&Posted| matches!(row.effect, Effect::Card { platform: SLACK, .. });
        while !house.ledger.posted().iter().filter(card).any(|row| row.standing == Standing::Unknown) {
            carry(&house).await;
        }
        house.slack.is(Mood::Well);
        let newer = house.queue([Effect::Card { incident: ONE, platform: SLACK }]).await.remove(0);
        carry(&house).await;
        assert_eq!(row(&house, &newer).attempts, 0, "it waits");
        house.pass(MINUTE).await;
        assert_eq!(house.slack.made("card").len(), 1, "done: {done}");
        assert_eq!(row(&house, &newer).standing, Standing::Sent);
        let seen = house.slack.seen.lock().unwrap();
        let last = seen.calls.iter().rfind(|call| call.what == "card").unwrap();
        assert_eq!((last.op.as_str(), last.posted.is_some()), (newer.as_str(), true), "the newer one edits it");
    }
}

#[tokio::test]
async fn an_edit_is_repeated_and_what_was_made_anew_is_found() {
    for (deleted, can_look) in [(false, true), (true, true), (false, false)] {
        let folder = tempfile::tempdir().unwrap();
        let house = House::with_incidents(folder.path(), 1).await;
        let both =
            [Effect::Card { incident: ONE, platform: SLACK }, Effect::Announce { incident: ONE, platform: SLACK }];
        house.queue([both[1].clone()]).await;
        house.pass(SECOND).await;
        let made = || (house.slack.made("card").len(), house.slack.made("announce").len());
        assert_eq!(made(), (1, 1));
        if deleted {
            let mut seen = house.slack.seen.lock().unwrap();
            let ids = seen.made.iter().map(|made| format!("{} {}", made.0, made.1)).collect();
            seen.deleted = ids;
        }
        *house.slack.can_look.lock().unwrap() = can_look;
        house.slack.is(Mood::Lost { done: true });
        let ops = house.queue(both).await;
        carry(&house).await;
        house.slack.is(Mood::Well);
        house.pass(20 * SECOND).await;
        let wanted = if deleted { Standing::Reconciled } else { Standing::Sent };
        for op in &ops {
            assert_eq!(row(&house, op).standing, wanted, "deleted: {deleted}, can look: {can_look}");
        }
        // One more of each, if it had to be.
        let anew = usize::from(deleted);
        assert_eq!(made(), (1 + anew, 1 + anew), "deleted: {deleted}, can look: {can_look}");
        let told = |e: &smokejumper::flow::fact::Entry| matches!(e.fact, Fact::Undelivered { .. });
        assert!(!house.ledger.journal().iter().any(told));
    }
}

#[tokio::test]
async fn what_cannot_be_looked_for_is_told_and_only_what_may_be_there_twice_holds_its_lane() {
    let folder = tempfile::tempdir().unwrap();
    let house = House::with_incidents(folder.path(), 1).await;
    *house.slack.can_look.lock().unwrap() = false;
    house.slack.is(Mood::Lost { done: true });
    let announce = Effect::Announce { incident: ONE, platform: SLACK };
    let ops = house.queue([say("perhaps"), announce]).await;
    carry(&house).await;
    house.slack.is(Mood::Well);
    house.pass(HOUR).await;
    assert_eq!(row(&house, &ops[0]).standing, Standing::Dead, "nothing follows from a message");
    assert_eq!(row(&house, &ops[1]).standing, Standing::Unknown, "a second announcement would be one too many");
    let told: Vec<String> = house
        .ledger
        .journal()
        .into_iter()
        .filter_map(
            |e| if let Fact::Undelivered { what, why } = e.fact { Some(format!("{what}: {why}")) } else { None },
        )
        .collect();
    assert_eq!(told.len(), 2, "each once: {told:?}");
    assert!(
        told.iter().all(|t| t.contains("whether that happened is not known") && t.contains("missing_scope")),
        "{told:?}"
    );
    let after = house.queue([say("goes on")]).await.remove(0);
    house.pass(SECOND).await;
    assert_eq!(row(&house, &after).standing, Standing::Sent);
    // Somebody gives us the scope: then it is found after all.
    *house.slack.can_look.lock().unwrap() = true;
    house.pass(20 * MINUTE).await;
    assert_eq!(row(&house, &ops[1]).standing, Standing::Reconciled);
}

#[tokio::test]
async fn a_room_that_was_archived_by_hand_is_a_fact_and_no_failure() {
    let folder = tempfile::tempdir().unwrap();
    let house = House::with_incidents(folder.path(), 1).await;
    house.slack.is(Mood::Archived);
    let furnish = Effect::Furnish { incident: ONE, platform: SLACK };
    let ops = house.queue([say("to nobody"), furnish, Effect::Card { incident: ONE, platform: SLACK }]).await;
    house.pass(MINUTE).await;
    let changed = |e: &smokejumper::flow::fact::Entry| {
        matches!(&e.fact, Fact::RoomChanged { platform: SLACK, change: RoomChange::Archived, .. })
    };
    let journal = house.ledger.journal();
    assert_eq!(journal.iter().filter(|e| changed(e)).count(), 1, "said once");
    assert!(!journal.iter().any(|e| matches!(e.fact, Fact::Undelivered { .. })), "and nobody is told of a failure");
    for op in &ops {
        assert_eq!(row(&house, op).standing, Standing::Superseded, "{op}");
    }
    // The console goes on.
    let note = Ask { incident: Some(1), intent: Intent::Acknowledge };
    answered(&house.engine, note, "ack").await;
    let before = house.console.calls();
    house.pass(SECOND).await;
    assert!(house.console.calls() > before);
}
