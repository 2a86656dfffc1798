//! The main job on Slack, as `smokejumper demo` tells it on the console: an alert, a channel with a card, an approved repair that
//! is verified, what is kept, a form that resolves, a postmortem, and a second incident that is answered better.

use super::{PATIENCE, Stage, Way};
use crate::process::bot::client;
use crate::process::ledger::settled;
use smokejumper::edges::clock::WallClock;
use smokejumper::ports::Clock as _;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_main_job_on_slack_by_a_socket() {
    told(Way::Socket).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_main_job_on_slack_by_requests() {
    told(Way::Http).await;
}

/// Word for word the same, however Slack reaches the bot.
async fn told(way: Way) {
    let stage = Stage::set(way, "announce = \"incidents\"\n").await;
    let (ana, bo, cleo) = (stage.slack.user("ana"), stage.slack.user("bo"), stage.slack.user("cleo"));

    // An alert: Bo is on call, and is asked in; the card says what is known.
    let since = stage.breaks("2.42").await;
    stage.alert("2.42", since, None).await;
    let room = stage.room("inc-1-").await;
    stage.pinned(&room, "nothing to compare with").await;
    insta::assert_snapshot!("first_card", stage.steady(&bo.sees_pinned(&room)));
    stage.clicks("bo", &room, "Acknowledge").await;
    stage.reads(&room, "Bo Lind acknowledged.").await;

    // Who joins is told what happened, alone; then she takes it.
    ana.joins(&room);
    stage.told("ana", "Catch-up on INC-1").await;
    stage.clicks("ana", &room, "Claim lead").await;
    stage.sees("ana", "led by Ana Ruiz").await;
    stage.reads(&room, "Ana Ruiz is incident commander now.").await;

    // Asked for by one, refused to the same, approved by another, executed, verified.
    ana.types("/incident run rollback-release", &room).await;
    stage.clicks("ana", &room, "Approve #1").await;
    stage.told("ana", "you asked for it yourself; somebody else must approve").await;
    assert_eq!(stage.victim.buy(&client()).await.unwrap(), 500, "nothing ran");
    stage.clicks("bo", &room, "Approve #1").await;
    stage.reads(&room, "worked, verified.").await;
    assert_eq!(stage.victim.buy(&client()).await.unwrap(), 200, "it was really repaired");
    stage.alert("2.42", since, Some(WallClock.now())).await;
    stage.pinned(&room, "is resolved").await;

    // What was said is kept at its own time, by whoever marks it.
    let noted = bo.says("the pool filled up right after the deploy", &room, None);
    ana.message_shortcut(&room, &noted, "Add to timeline").await;
    stage.told("ana", "Kept in the timeline of INC-1").await;
    let marked = ana.says("customers were told at ten", &room, None);
    bo.reacts(&room, &marked, "pushpin");
    bo.reacts(&room, &noted, "pushpin");
    ana.types("/incident follow-up Return connections when a checkout is cancelled owner:@bo due:14d", &room).await;
    stage.pinned(&room, "F-1").await;
    stage.reads(&room, "Follow-up F-1").await;

    // The form knows what fixed it; what caused it is told.
    ana.types("/incident resolve", &room).await;
    insta::assert_snapshot!("form_to_resolve", stage.steady(&stage.form("ana").await));
    ana.fills("What caused it", "connection pool exhausted").fills("What fixed it", "rolled back to release 2.41");
    assert_eq!(ana.submits().await, []);
    stage.sees("ana", "SEV2 · resolved").await;
    ana.types("/incident postmortem", &room).await;
    let postmortem = stage.told("ana", "Postmortem INC-1").await;
    for line in [
        "connection pool exhausted",
        "rolled back to release 2.41",
        "the pool filled up right after the deploy",
        "customers were told at ten",
        "Return connections when a checkout is cancelled, owned by Bo Lind",
    ] {
        assert!(postmortem.contains(line), "{line} is not in\n{postmortem}");
    }
    assert_eq!(postmortem.matches("the pool filled up").count(), 1, "marked twice, kept once\n{postmortem}");
    stage.pinned(&room, "*SEV2* · *resolved*").await;
    settled(&stage.bot, PATIENCE).await;
    insta::assert_snapshot!("first_card_in_the_end", stage.steady(&bo.sees_pinned(&room)));
    insta::assert_snapshot!("what_was_said", stage.steady(&bo.reads(&room)));
    // Everybody else read of it in one message.
    stage.reads("incidents", "resolved").await;
    insta::assert_snapshot!("what_was_announced", stage.steady(&cleo.reads("incidents")));

    bo.opens_home();
    stage.home("bo", "Return connections when a checkout is cancelled").await;

    // The next one like it is answered better.
    let since = stage.breaks("2.43").await;
    stage.alert("2.43", since, None).await;
    let room = stage.room("inc-2-").await;
    stage.pinned(&room, "worked 1 of 1 time").await;
    stage.pinned(&room, "INC-1").await;
    insta::assert_snapshot!("second_card", stage.steady(&bo.sees_pinned(&room)));
    bo.types("/incident why", &room).await;
    let why = stage.told("bo", "Why, for INC-2").await;
    assert!(why.contains("INC-1") && why.contains("connection pool exhausted"), "{why}");
    stage.bot.assert_calm();
}
