//! A platform that cannot be reached: what is for it waits, the others notice nothing, and when it is back each room is told once.

use super::vendor::{House, Mood, Vendor};
use super::{answered, declare, engine_with};
use crate::world::ledger::Standing;
use crate::world::town;
use crate::world::wait::until;
use smokejumper::flow::effect::{Destination, Effect};
use smokejumper::flow::identity::Platform;
use smokejumper::flow::incident::IncidentId;
use smokejumper::flow::moment::{DAY, HOUR, MINUTE, SECOND};
use smokejumper::flow::phrase::{ours, titled};

use smokejumper::ports::{Chat, Clock as _};
use smokejumper_intents::intent::{Ask, Intent};
use smokejumper_intents::reply::Reply;
use smokejumper_intents::text;
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::sync::watch;

fn say(incident: u32, words: &str) -> Effect {
    let message = Box::new(titled(vec![ours(words)]));
    Effect::Say { incident: IncidentId(incident), platform: Platform::Slack, message }
}

fn shown(message: &Reply) -> String {
    text::render(message, 200)
}

/// F9 as the engine sees it, on the engine's own clock.
#[tokio::test]
async fn after_half_an_hour_away_each_room_is_told_once_and_soon() {
    const ROOMS: u32 = 60;
    let folder = tempfile::tempdir().unwrap();
    let house = House::with_incidents(folder.path(), ROOMS).await;
    assert_eq!(house.slack.made("card").len(), ROOMS as usize);
    let before: Vec<usize> = (1..=ROOMS).map(|n| house.slack.said(n).len()).collect();
    house.slack.is(Mood::Away);
    let calls = house.slack.calls();
    let mut wanted = BTreeMap::<u32, usize>::new();
    for minute in 0..30 {
        for room in 1..=ROOMS {
            if (minute + room) % 7 == 0 {
                house.queue([say(room, &format!("what happened in minute {minute}"))]).await;
                *wanted.entry(room).or_default() += 1;
            }
        }
        house.pass(MINUTE).await;
    }
    let asked = house.slack.calls() - calls;
    assert!(asked < 30 * 12 + 12, "it is tried now and then, and not by every lane: {asked} calls");
    let (back, calls) = (house.watch.now(), house.slack.calls());
    house.slack.is(Mood::Well);
    house.pass(MINUTE).await;
    assert_eq!(house.ledger.backlog(house.watch.now()).due, 0, "a minute later nothing waits");
    println!("drained with {} calls", house.slack.calls() - calls);
    for room in 1..=ROOMS {
        let said = house.slack.said(room);
        let new = &said[before[room as usize - 1]..];
        assert_eq!(new.len(), 1, "room {room}: {new:?}");
        let post = shown(&new[0]);
        assert!(post.contains("While Slack was away"), "{post}");
        assert_eq!(post.matches("what happened in minute").count(), wanted[&room], "{post}");
    }
    // And from then on everything is as it was.
    house.queue([say(1, "again")]).await;
    house.pass(SECOND).await;
    assert_eq!(shown(house.slack.said(1).last().unwrap()).trim(), "again");
    assert!(house.watch.now() < back.plus(5 * MINUTE));
}

#[tokio::test]
async fn a_message_that_is_late_alone_is_said_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let house = House::with_incidents(folder.path(), 1).await;
    house.slack.is(Mood::Away);
    house.queue([say(1, "only this")]).await;
    house.pass(10 * MINUTE).await;
    house.slack.is(Mood::Well);
    house.pass(MINUTE).await;
    assert_eq!(shown(house.slack.said(1).last().unwrap()).trim(), "only this");
}

#[tokio::test]
async fn much_at_once_is_one_message_that_counts_what_it_leaves_out() {
    let folder = tempfile::tempdir().unwrap();
    let house = House::with_incidents(folder.path(), 1).await;
    let before = house.slack.said(1).len();
    house.queue((0..5).map(|n| say(1, &format!("few {n}")))).await;
    house.pass(10 * SECOND).await;
    assert_eq!(house.slack.said(1).len(), before + 5, "a few are said one by one");
    house.queue((0..950).map(|n| say(1, &format!("many {n}.")))).await;
    house.pass(10 * SECOND).await;
    let said = house.slack.said(1).split_off(before + 5);
    assert_eq!(said.len(), 1);
    let post = shown(&said[0]);
    assert!(post.contains("Much happened at once") && post.contains("930 more before"), "{post}");
    assert!(post.contains("many 949.") && post.contains("many 930.") && !post.contains("many 929."), "{post}");
    let rows = house.ledger.posted();
    let taken_in = |row: &&crate::world::ledger::Posted| {
        row.standing == Standing::Superseded && row.effect.destination() == Destination::Room(Platform::Slack)
    };
    assert_eq!(rows.iter().filter(taken_in).filter(|row| matches!(row.effect, Effect::Say { .. })).count(), 949);
    // The console is ours, and shows everything.
    let console = |n| Effect::Say {
        incident: IncidentId(1),
        platform: Platform::Console,
        message: Box::new(titled(vec![ours(format!("c{n}"))])),
    };
    let before = house.console.said(1).len();
    house.queue((0..50).map(console)).await;
    house.pass(30 * SECOND).await;
    assert_eq!(house.console.said(1).len(), before + 50);
}

#[tokio::test]
async fn what_can_still_be_decided_keeps_its_buttons() {
    let folder = tempfile::tempdir().unwrap();
    let house = House::with_incidents(folder.path(), 1).await;
    house.slack.is(Mood::Away);
    let run = |n: usize, target: &str| Intent::Run {
        runbook: town::RUNBOOKS[n].0.to_owned(),
        params: vec![("target".to_owned(), target.to_owned())],
        dry: false,
    };
    let mut asks = (0..town::RUNBOOKS.len()).filter(|n| town::policy().runbooks[town::RUNBOOKS[*n].0].approvals > 0);
    let book = asks.next_back().unwrap();
    for (n, intent) in
        [run(book, "web"), run(book, "db"), Intent::Deny { request: Some(2), reason: None }].into_iter().enumerate()
    {
        let reply = answered(&house.engine, Ask { incident: Some(1), intent }, &format!("run {n}")).await;
        assert!(!smokejumper::flow::refusal::is_refusal(&reply), "{reply:?}");
        house.pass(MINUTE).await;
    }
    house.pass(5 * MINUTE).await;
    let before = house.slack.said(1).len();
    house.slack.is(Mood::Well);
    house.pass(MINUTE).await;
    let said = house.slack.said(1).split_off(before);
    assert_eq!(said.len(), 1, "{said:?}");
    let buttons: Vec<&str> = said[0].sections.iter().flat_map(|s| &s.buttons).map(|b| b.label.as_str()).collect();
    assert_eq!(buttons, ["Approve #1", "Deny #1"], "{}", shown(&said[0]));
}

#[tokio::test]
async fn a_platform_is_waited_for_a_day_and_then_people_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let house = House::with_incidents(folder.path(), 1).await;
    house.slack.is(Mood::Away);
    let op = house.queue([say(1, "hello")]).await.remove(0);
    let standing = || house.ledger.posted().into_iter().find(|row| row.op == op).unwrap();
    house.pass(2 * HOUR).await;
    assert!(standing().attempts > 100 && standing().standing == Standing::Pending, "{:?}", standing());
    house.watch.set(house.watch.now().plus(DAY));
    house.pass(2 * MINUTE).await;
    assert_eq!(standing().standing, Standing::Dead);
    let told = house.ledger.journal().into_iter().filter(|e| format!("{:?}", e.fact).contains("post on slack")).count();
    assert_eq!(told, 1);
}

#[tokio::test]
async fn who_says_when_to_come_again_is_not_hurried() {
    let folder = tempfile::tempdir().unwrap();
    let house = House::with_incidents(folder.path(), 3).await;
    house.slack.is(Mood::Away);
    house.queue((1..=2).map(|room| say(room, "x"))).await;
    house.pass(2 * MINUTE).await;
    house.slack.is(Mood::Busy(10 * MINUTE));
    house.pass(2 * MINUTE).await;
    let (calls, busy) = (house.slack.calls(), house.watch.now());
    // Another one gets through: these two wait as they were told.
    house.slack.is(Mood::Well);
    house.queue([say(3, "y")]).await;
    house.pass(MINUTE).await;
    assert_eq!(house.slack.calls(), calls + 1);
    house.pass(10 * MINUTE).await;
    assert_eq!(house.slack.calls(), calls + 3);
    assert!(house.watch.now() > busy);
}

#[tokio::test]
async fn a_platform_that_hangs_keeps_no_other_waiting() {
    const ROOMS: usize = 100;
    let folder = tempfile::tempdir().unwrap();
    let still = Arc::new(crate::world::watch::Watch::at(town::START));
    let (slack, discord) = (Vendor::new(Platform::Slack, &still), Vendor::new(Platform::Discord, &still));
    let console = Vendor::new(Platform::Console, &still);
    slack.is(Mood::Hangs);
    discord.is(Mood::Hangs);
    let chats = BTreeMap::from([
        (Platform::Slack, slack.clone() as Arc<dyn Chat>),
        (Platform::Discord, discord.clone() as Arc<dyn Chat>),
        (Platform::Console, console.clone() as Arc<dyn Chat>),
    ]);
    let (engine, _) = engine_with(folder.path(), |ledger| Arc::new(ledger), chats).await;
    for n in 0..ROOMS {
        answered(&engine, declare(), &n.to_string()).await;
    }
    let (stop, stopped) = watch::channel(false);
    let running = tokio::spawn(Arc::new(engine).run_until(stopped));
    until("the console has every room", || (console.made("room").len() == ROOMS).then_some(())).await;
    assert_eq!((slack.calls(), discord.calls()), (12, 12), "each has its share of hands, and no more");
    running.abort();
    drop(stop);
}
