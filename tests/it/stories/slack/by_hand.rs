//! What people do to channels, tokens and accounts by hand: normal states, said to those who can act, while the console goes on.

use super::{Stage, Way};
use crate::process::bot::client;
use crate::process::person::Person;
use crate::world::slack::truth::BOT;
use crate::world::wait::until;
use serde_json::json;

async fn begun(more: &str) -> (Stage, Person, String) {
    let stage = Stage::set(Way::Socket, more).await;
    let console = Person::sign_in(&stage.bot).await;
    let since = stage.breaks("2.42").await;
    stage.alert("2.42", since, None).await;
    let room = stage.room("inc-1-").await;
    (stage, console, room)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_channel_renamed_archived_and_deleted_by_hand() {
    let (stage, console, room) = begun("").await;
    let ana = stage.slack.user("ana");
    ana.joins(&room);
    stage.told("ana", "Catch-up on INC-1").await;

    // Renamed: it is called so, and stays so.
    ana.renames(&room, "war-room");
    stage.console_says(&console, "/incidents/1/timeline", "war-room").await;
    console.say(1, "rename checkout is really down").await;
    stage.sees("ana", "checkout is really down").await;
    assert!(ana.sees().contains("#war-room"), "{}", ana.sees());

    // Archived: nothing is said there any more; the console says why, and what to do.
    ana.archives("war-room");
    stage.console_says(&console, "/incidents/1", "unarchive it and I go on there").await;
    let before = ana.reads("war-room");
    console.say(1, "note the console goes on").await;
    stage.console_says(&console, "/incidents/1", "the console goes on").await;
    assert_eq!(ana.reads("war-room"), before);
    ana.unarchives("war-room");
    stage.reads("war-room", "It goes on here.").await;
    ana.types("/incident note and so does Slack", "war-room").await;
    stage.console_says(&console, "/incidents/1", "and so does Slack").await;

    // Deleted: another one is opened.
    ana.deletes("war-room");
    let second = stage.room("inc-1-").await;
    stage.console_says(&console, "/incidents/1/timeline", "was deleted").await;

    // The bot is put out: it cannot be talked to there; the console says so, and a third one is opened.
    let id = stage.slack.channel(&second);
    ana.joins(&second);
    ana.removes_bot(&second);
    until("another channel", || {
        let all = stage.slack.incident_channels();
        all.into_iter().find(|c| !c.deleted && c.id != id && c.members.contains(BOT) && !c.pins.is_empty())
    })
    .await;
    console.say(1, "note it still goes on").await;
    stage.console_says(&console, "/incidents/1", "it still goes on").await;
    stage.bot.assert_calm();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_revoked_token_stops_slack_and_nothing_else() {
    let (stage, console, _) = begun("").await;
    stage.slack.with(|truth| {
        truth.token_error = Some("token_revoked");
    });
    stage.slack.tell(json!({ "type": "tokens_revoked", "tokens": { "bot": [BOT] } }));
    for n in 0..5 {
        console.say(1, &format!("note number {n} at the console")).await;
    }
    console.say(1, "ack").await;
    stage.console_says(&console, "/incidents/1", "number 4 at the console").await;
    // Whoever runs it is told what happened and where to click.
    let health = || async {
        let ready = client().get(format!("{}/readyz", stage.bot.address().base())).send().await.unwrap();
        assert_eq!(ready.status(), 200, "a platform that is gone is no reason to restart");
        let text = ready.text().await.unwrap();
        (text.contains("revoked") && text.contains("OAuth & Permissions")).then_some(())
    };
    crate::world::wait::seen("a note about the token", super::PATIENCE, health).await;
    stage.bot.assert_calm();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_missing_scope_costs_what_it_is_for_and_is_named() {
    let stage = Stage::set(Way::Socket, "").await;
    stage.slack.with(|truth| {
        truth.scopes.remove("pins:write");
        truth.scopes.remove("bookmarks:write");
    });
    let since = stage.breaks("2.42").await;
    stage.alert("2.42", since, None).await;
    let channel = until("a channel with a card", || {
        let all = stage.slack.incident_channels();
        all.into_iter().find(|c| c.messages.iter().any(|m| m.blocks.to_string().contains("Probable cause")))
    })
    .await;
    stage.sees("bo", "led by nobody yet").await;
    assert!(channel.pins.is_empty());
    let health = || async {
        let ready = client().get(format!("{}/readyz", stage.bot.address().base())).send().await.unwrap();
        ready.text().await.unwrap().contains("pins:write").then_some(())
    };
    crate::world::wait::seen("a note about the scope", super::PATIENCE, health).await;
    stage.bot.assert_calm();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn somebody_who_left_keeps_nobody_else_out() {
    let stage = Stage::set(Way::Socket, "").await;
    // On call, says the rota; gone, says Slack.
    stage.slack.with(|truth| truth.users.get_mut("UBO000001").unwrap().deactivated = true);
    let ana = stage.slack.user("ana");
    ana.types("/incident declare checkout is down", "general").await;
    let room = stage.room("inc-1-").await;
    ana.types("/incident page @bo", &room).await;
    ana.types("/incident role comms @cleo", &room).await;
    stage.sees("cleo", &room).await;
    let channel = stage.slack.incident_channels().remove(0);
    assert!(!channel.members.contains("UBO000001"));
    stage.bot.assert_calm();
}
