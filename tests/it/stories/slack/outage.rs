//! Slack is down while much happens (F9): the console does not notice, nothing is lost or said twice, and nobody reads history
//! again when it is back.

use super::{Stage, Way};
use crate::process::ledger::settled;
use crate::process::person::Person;
use crate::world::slack::{BOT, FakeSlack, Outage};
use smokejumper::edges::clock::WallClock;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// What happens in each outage, besides a new incident.
const ACTS: usize = 40;
/// A backlog is gone five minutes after Slack is back; here it is small.
const DRAINED: Duration = Duration::from_mins(4);
/// How much slower the console may be, and what is noise on a busy machine.
const SLOWER: u32 = 3;
const NOISE: Duration = Duration::from_millis(250);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn slack_cannot_be_reached() {
    all([Outage::Refused, Outage::Blackhole, Outage::Status(500)]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn slack_answers_and_does_nothing() {
    all([Outage::Html, Outage::NotOk, Outage::TooMany(5), Outage::Trickle]).await;
}

/// A bot and a Slack each, at the same time: most of it is waiting.
async fn all<const N: usize>(outages: [Outage; N]) {
    futures::future::join_all(outages.map(down)).await;
}

async fn down(outage: Outage) {
    let stage = Stage::set_with(FakeSlack::start(Arc::new(WallClock)).await, Way::Socket, "").await;
    let console = Person::sign_in(&stage.bot).await;
    let ana = stage.slack.user("ana");
    for title in ["checkout is slow", "search is down", "login fails"] {
        ana.types(&format!("/incident declare {title}"), "general").await;
    }
    for n in 1..=3 {
        stage.room(&format!("inc-{n}-")).await;
    }
    settled(&stage.bot, DRAINED).await;
    let usual = acts(&console, "before").await;
    settled(&stage.bot, DRAINED).await;

    stage.slack.down(outage).await;
    let meanwhile = acts(&console, "meanwhile").await;
    assert!(meanwhile <= usual * SLOWER + NOISE, "the console took {meanwhile:?} instead of {usual:?}");
    console.say(1, "declare the warehouse stands still").await;
    stage.console_says(&console, "/", "the warehouse stands still").await;

    let before = said(&stage.slack);
    let back = Instant::now();
    stage.slack.up().await;
    stage.connected().await;
    stage.room("inc-4-").await;
    settled(&stage.bot, DRAINED).await;
    println!("{outage:?}: console {usual:?} -> {meanwhile:?} a word, drained in {:?}", back.elapsed());
    // Everything is shown: the card of each says how it stands now.
    for n in 1..=3 {
        let room = stage.room(&format!("inc-{n}-")).await;
        stage.sees("ana", &format!("meanwhile {}", ACTS - 1)).await;
        stage.pinned(&room, "identified").await;
    }
    for (room, posts) in said(&stage.slack) {
        let new = posts - before.get(&room).copied().unwrap_or_default();
        println!("{room}: {new} posts since Slack is back");
        assert!(
            room.starts_with("inc-4-") || new <= 1,
            "{room}: {new} posts, where one catch-up would do\n{}",
            ana.reads(&room)
        );
    }
    assert_eq!(twice(&stage.slack), Vec::<String>::new(), "made twice");
    stage.bot.assert_calm();
}

/// Much happens at the console; what one of them took in the middle.
async fn acts(console: &Person, when: &str) -> Duration {
    let mut took = Vec::new();
    for n in 0..ACTS {
        let incident = u32::try_from(n % 3 + 1).unwrap();
        let words = match n / 3 % 5 {
            0 => format!("note {when} {n}"),
            1 => format!("status identified {when} {n}"),
            2 => format!("task {when} {n}"),
            3 => format!("update {when} {n}"),
            _ => format!("sev {}", n % 4 + 1),
        };
        let began = Instant::now();
        console.say(incident, &words).await;
        took.push(began.elapsed());
    }
    took.sort_unstable();
    took[took.len() / 2]
}

/// Messages of the bot's by channel.
fn said(slack: &FakeSlack) -> BTreeMap<String, usize> {
    let channels = slack.incident_channels();
    let count = |c: &crate::world::slack::truth::Channel| {
        c.messages.iter().filter(|m| m.user == BOT && m.subtype.is_none() && m.only_for.is_none()).count()
    };
    channels.iter().map(|c| (c.name.clone(), count(c))).collect()
}

/// Operations that made something more than once, and incidents with more than one channel.
fn twice(slack: &FakeSlack) -> Vec<String> {
    let (mut ops, mut rooms, mut wrong) = (BTreeSet::new(), BTreeSet::new(), Vec::new());
    for channel in slack.incident_channels() {
        let number: String = channel.name.split('-').take(2).collect();
        if !rooms.insert(number) {
            wrong.push(channel.name.clone());
        }
        for message in &channel.messages {
            let op = message.metadata.as_ref().and_then(|m| m["event_payload"]["op"].as_str());
            if op.is_some_and(|op| !ops.insert(op.to_owned())) {
                wrong.push(format!("{}: {:?}", channel.name, message.metadata));
            }
        }
    }
    wrong
}
