//! The release binary and a Slack: a command over a socket, a channel, a card, a button that does what it says; and by requests.

use super::bot::Bot;
use crate::world::slack::FakeSlack;
use crate::world::wait::until;
use smokejumper::edges::clock::WallClock;
use std::sync::Arc;

async fn first_slice(slack: &FakeSlack) {
    let ana = slack.user("ana");
    assert!(ana.commands("/incident declare checkout returns 500s sev:1", "general").await);
    let channel = until("a channel for it", || slack.incident_channels().first().map(|c| c.name.clone())).await;
    until("the card with its button", || slack.message_with(&channel, "Acknowledge")).await;
    until("ana is in it", || {
        let ana = ana.id.clone();
        slack.incident_channels().iter().any(|c| c.members.contains(&ana)).then_some(())
    })
    .await;
    ana.clicks_in(&channel, "Acknowledge").await;
    until("what happened", || slack.message_with(&channel, "cknowledged")).await;
}

#[tokio::test]
async fn an_incident_begins_in_slack_over_a_socket() {
    let slack = FakeSlack::start(Arc::new(WallClock)).await;
    let mut bot = Bot::serving(&slack.config()).await;
    until("a socket", || (slack.sockets() == 1).then_some(())).await;
    first_slice(&slack).await;
    bot.end().await;
    until("no socket", || (slack.sockets() == 0).then_some(())).await;
}

#[tokio::test]
async fn and_by_requests() {
    let slack = FakeSlack::start(Arc::new(WallClock)).await;
    let bot = Bot::serving(&slack.config_http()).await;
    slack.posts_to(&bot.address().base());
    first_slice(&slack).await;
}
