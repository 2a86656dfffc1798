//! F13: Socket Mode against a strict Slack. Sockets overlap when one goes, what goes deaf is noticed, nothing is done twice.

use super::slack_in::{Clocked, listening};
use crate::world::slack::{FakeSlack, Mishap};
use crate::world::wait::{ends, until};
use smokejumper::edges::clock::WallClock;
use std::sync::Arc;
use std::time::{Duration, Instant};

async fn world() -> (FakeSlack, Clocked) {
    let slack = FakeSlack::start(Arc::new(WallClock)).await;
    let app = listening(&slack.api());
    until("a socket", || (slack.sockets() == 1).then_some(())).await;
    (slack, app)
}

#[tokio::test]
async fn the_next_socket_is_open_before_the_old_one_closes() {
    let (slack, app) = world().await;
    let ana = slack.user("ana");
    for (n, reason) in ["warning", "refresh_requested", "link_disabled"].into_iter().enumerate() {
        slack.disconnects(reason, true);
        until("two sockets", || (slack.sockets() == 2).then_some(())).await;
        assert!(ana.commands(&format!("/incident declare one {n}"), "general").await, "{reason}");
        slack.closes_oldest();
        until("one socket", || (slack.sockets() == 1).then_some(())).await;
        assert!(ana.commands(&format!("/incident declare two {n}"), "general").await, "{reason}");
        assert_eq!(app.standing.get().deaf_since, None, "{reason}");
    }
    let (most, gaps) = slack.with(|truth| (truth.connections.most, truth.connections.gaps.clone()));
    assert_eq!((most, gaps.len(), app.asked()), (2, 0, 6));
    assert_eq!(app.standing.get().reconnects, 3);
    app.stop().await;
}

#[tokio::test]
async fn a_half_open_socket_is_noticed_and_replaced() {
    let (slack, app) = world().await;
    slack.deafen();
    let began = Instant::now();
    until("a second socket", || (app.standing.get().reconnects == 1).then_some(())).await;
    let took = began.elapsed();
    assert!(took < Duration::from_secs(30), "{took:?}");
    println!("half open for {took:?}");
    until("a socket that hears", || (app.standing.get().sockets == 1).then_some(())).await;
    app.stop().await;
}

#[tokio::test]
async fn what_is_not_acknowledged_is_done_once() {
    let (slack, app) = world().await;
    let ana = slack.user("ana");
    slack.mishaps(&[Mishap::Twice, Mishap::CutAfter]);
    assert!(ana.commands("/incident declare checkout is down", "general").await);
    ana.commands("/incident declare payments are down", "general").await;
    until("a socket again", || (app.standing.get().sockets == 1 && slack.sockets() == 1).then_some(())).await;
    assert!(app.asked() <= 2, "{}", app.asked());
    // Frames that are none are acknowledged where that can be, and kept.
    slack.sends_raw("no json");
    slack.sends_raw("{\"type\":\"of_the_year_2030\"}");
    until("two dead letters", || (app.door.letters().len() == 2).then_some(())).await;
    assert!(ana.commands("/incident declare third", "general").await);
    app.stop().await;
}

#[tokio::test]
async fn slack_may_be_down_when_we_start_and_it_ends_at_once() {
    let slack = FakeSlack::start(Arc::new(WallClock)).await;
    let app = listening("http://127.0.0.1:1/api");
    until("deaf", || app.standing.get().why.filter(|why| why.contains("apps.connections.open"))).await;
    assert!(app.standing.get().deaf_since.is_some());
    ends("it stops while it waits", app.stop()).await;
    drop(slack);
}
