//! F38: a backup made in the middle of a storm, restored elsewhere and started: it is whole, takes alerts in, and posts and runs
//! nothing until a person confirms.

use super::bot::{Bot, client};
use super::kill::{NO_STORM_BUDGET, seed};
use super::ledger::{Books, reader, settled};
use super::monitor::{critical, readiness};
use super::storm::Storm;
use super::{err, out, smokejumper};
use crate::world::wait::{DEADLINE, moment, seen};
use futures::future::join_all;
use smokejumper::flow::incident::IncidentId;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

const ALERTS: usize = 1_200;

/// Every effect with its state and the attempts begun.
async fn effects(bot: &Bot) -> BTreeMap<String, (String, u32)> {
    let reader = reader(bot).await;
    let (mut after, mut found) = (IncidentId(0), BTreeMap::new());
    while let Some(exported) = reader.exported(after).await.unwrap() {
        after = exported.incident.id;
        found.extend(exported.outbox.into_iter().map(|row| (row.op, (row.state, row.attempts))));
    }
    reader.close().await;
    found
}

#[tokio::test]
async fn a_backup_of_a_storm_is_restored_and_does_nothing_until_it_is_confirmed() {
    let storm = Storm::new(seed(), ALERTS);
    let mut bot = Bot::serving(NO_STORM_BUDGET).await;
    let (http, url, sent) = (client(), bot.address().alerts(), AtomicUsize::new(0));
    let (http, url, sent) = (&http, &url, &sent);
    let sending = join_all(storm.groups.iter().map(|group| async move {
        for body in group {
            assert_eq!(http.post(url).json(body).send().await.unwrap().status(), 200);
            sent.fetch_add(1, Ordering::SeqCst);
        }
    }));
    let home = bot.path("");
    let copying = async {
        let some = || async { (sent.load(Ordering::SeqCst) > storm.deliveries() / 4).then_some(()) };
        seen("the storm goes on", DEADLINE, some).await;
        let home = home.clone();
        let made =
            tokio::task::spawn_blocking(move || smokejumper(&home, &["backup", "copy.gz", "--data-dir", "data"]));
        let made = made.await.unwrap();
        (made, sent.load(Ordering::SeqCst))
    };
    let (_, (made, by_then)) = tokio::join!(sending, copying);
    assert!(made.status.success(), "{}", err(&made));
    assert!(err(&made).contains("journal.key") && out(&made).is_empty(), "{}", err(&made));
    println!("backed up while {by_then} of {} deliveries were in: {}", storm.deliveries(), err(&made));
    // The old one is gone for good.
    bot.kill();

    let mut copy = Bot::new(NO_STORM_BUDGET);
    let (file, key) = (bot.path("copy.gz"), bot.data().join("journal.key"));
    let args = ["restore", file.to_str().unwrap(), "--key", key.to_str().unwrap(), "--data-dir", "data"];
    let restored = smokejumper(&copy.path(""), &args);
    assert!(restored.status.success(), "{}", err(&restored));
    assert!(err(&restored).contains("--confirm-restored"), "{}", err(&restored));
    let before = effects(&copy).await;
    assert!(!before.is_empty());
    copy.start();
    copy.up().await;
    let not_ready = || async { readiness(&copy).await.filter(|(status, _)| *status == 503) };
    assert_eq!(seen("it says that it is a copy", DEADLINE, not_ready).await.1, ["restored"]);
    let answer = client().post(copy.address().alerts()).json(&critical("feed", "2025-11-20T08:30:00Z")).send().await;
    assert_eq!(answer.unwrap().status(), 200, "alerts are taken in");
    let turned = || async { effects(&copy).await.len().checked_sub(before.len()).filter(|more| *more > 0) };
    seen("and they have their turn", DEADLINE, turned).await;
    // Time enough for what would be due.
    moment(Duration::from_secs(3)).await;
    let now = effects(&copy).await;
    for (op, (state, attempts)) in &now {
        match before.get(op) {
            // What was on its way when the copy was made may have arrived: nobody knows, or it may be repeated.
            Some((was, begun)) => assert!(
                attempts == begun
                    && (state == was || (was == "sending" && ["unknown", "pending"].contains(&state.as_str()))),
                "{op}: {was} ({begun}), now {state} ({attempts})"
            ),
            None => assert_eq!((state.as_str(), *attempts), ("pending", 0), "{op}"),
        }
    }
    let again = smokejumper(&copy.path(""), &args);
    assert_eq!(again.status.code(), Some(5), "it is in use: {}", err(&again));
    assert_eq!(copy.end().await.code(), Some(0), "{}", copy.errors());
    let again = smokejumper(&copy.path(""), &args);
    assert!(again.status.code() == Some(1) && err(&again).contains("restore into an empty one"), "{}", err(&again));

    copy.start_with(&["--confirm-restored"]);
    copy.ready().await;
    settled(&copy, DEADLINE).await;
    assert_eq!(copy.end().await.code(), Some(0), "{}", copy.errors());
    copy.assert_calm();
    let books = Books::of(&copy).await;
    assert!(books.incidents.iter().flat_map(|i| &i.outbox).all(|row| row.state != "dead"));
    let waiting = before.values().filter(|(state, _)| state == "pending").count();
    println!("{} effects in the copy, {waiting} of them waiting; none left before it was confirmed", before.len());
}
