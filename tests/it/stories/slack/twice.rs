//! Everything people do comes twice, as Slack may send it: it is one act, one answer, one message (I3, I7). And every word was
//! acknowledged while somebody would still wait for it (I10).

use super::{Stage, Way};
use crate::process::ledger::{Books, settled};
use crate::world::slack::Mishap;
use std::time::Duration;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_comes_twice_by_a_socket_happens_once() {
    told(Way::Socket).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_posted_twice_happens_once() {
    told(Way::Http).await;
}

async fn told(way: Way) {
    let mut stage = Stage::set(way, "").await;
    stage.slack.mishaps(&[Mishap::Twice; 200]);
    let (ana, bo) = (stage.slack.user("ana"), stage.slack.user("bo"));
    ana.types("/incident declare checkout is down service:checkout", "general").await;
    let room = stage.room("inc-1-").await;
    stage.sees("ana", &room).await;
    bo.joins(&room);
    stage.told("bo", "Catch-up on INC-1").await;
    stage.clicks("bo", &room, "Acknowledge").await;
    stage.clicks("bo", &room, "Claim lead").await;
    stage.reads(&room, "Bo Lind is incident commander now.").await;
    for words in ["note look at the pool", "task Drain node 3", "follow-up Alarm on pool size"] {
        ana.types(&format!("/incident {words}"), &room).await;
    }
    let said = bo.says("it began at ten", &room, None);
    let asked = bo.says("somebody should look at the leak", &room, None);
    bo.reacts(&room, &said, "pushpin").reacts(&room, &asked, "star");
    ana.says("@smokejumper note by a mention", &room, None);
    ana.types("/incident run rollback-release", &room).await;
    stage.clicks("bo", &room, "Approve #1").await;
    stage.reads(&room, "worked, verified.").await;
    ana.types("/incident resolve", &room).await;
    stage.form("ana").await;
    ana.fills("What caused it", "a leak").fills("What fixed it", "rolled back");
    assert_eq!(ana.submits().await, []);
    stage.pinned(&room, "*resolved*").await;
    settled(&stage.bot, Duration::from_mins(2)).await;

    let answers = ana.was_told();
    let once = |words: &str| {
        let found = answers.iter().filter(|told| told.contains(words)).count();
        assert_eq!(found, 1, "{words}: {answers:#?}");
    };
    for words in ["Declared", "Drain node 3", "Alarm on pool size"] {
        once(words);
    }
    let noted = answers.iter().filter(|told| told.contains("Noted in the timeline")).count();
    assert_eq!(noted, 2, "one by the command, one by the mention: {answers:#?}");
    let read = ana.reads(&room);
    for words in [
        "acknowledged.",
        "is incident commander now.",
        "asks to run",
        "It starts now.",
        "worked, verified.",
        "Resolved.",
    ] {
        assert_eq!(read.matches(words).count(), 1, "{words}:\n{read}");
    }
    assert_eq!(stage.slack.incident_channels().len(), 1);

    let mut took = stage.slack.with(|truth| truth.connections.acks.clone());
    took.sort_unstable();
    let p99 = took[took.len() * 99 / 100];
    println!("{} deliveries, acknowledged in {} ms (p99: {p99} ms)", took.len(), took[took.len() / 2]);
    assert!(took.len() > 20 && p99 < 1_000, "{took:?}");

    assert!(stage.bot.end().await.success(), "{}", stage.bot.errors());
    let books = Books::of(&stage.bot).await;
    let incident = &books.incidents[0].incident;
    assert_eq!(books.incidents.len(), 1);
    assert_eq!((incident.runs.len(), incident.tasks.len(), incident.follow_ups.len()), (1, 2, 1));
    assert_eq!(incident.kept.len(), 2);
    stage.bot.assert_calm();
}
