//! F4: SIGTERM in the middle of a storm. It says that it is not ready while it still answers, drops nothing that is under way,
//! ends with 0 in time; and what it acknowledged is there.
//!
//! `SMOKEJUMPER_TERMS=50 cargo test --test it process::drain -- --nocapture` for more of it.

use super::bot::{Bot, client};
use super::kill::{NO_STORM_BUDGET, chosen, seed};
use super::ledger::{Books, settled};
use super::monitor::readiness;
use super::storm::{Dice, Storm};
use crate::world::wait::{DEADLINE, ends, moment, seen};
use futures::future::join_all;
use std::collections::BTreeSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Times when nothing else is said: the plain suite stays quick.
const TERMS: u64 = 5;
/// Enough that a part of them is always under way.
const ALERTS: usize = 1_200;
/// P8.
const DRAIN: Duration = Duration::from_secs(20);

#[tokio::test]
async fn sigterm_in_a_storm_drops_nothing() {
    let terms = chosen("SMOKEJUMPER_TERMS").unwrap_or(TERMS);
    let seed = seed();
    let mut dice = Dice::new(seed ^ 0x7e);
    let (mut longest, mut cut) = (Duration::ZERO, 0);
    for n in 0..terms {
        let storm = Storm::new(seed + n, ALERTS);
        // Below `[server]`: so long that a busy machine sees it in time.
        let mut bot = Bot::serving(&format!("linger = \"3s\"\n\n{NO_STORM_BUDGET}")).await;
        let (http, url) = (client(), bot.address().alerts());
        let (acknowledged, broken) = (Mutex::new(BTreeSet::new()), Mutex::new(Vec::new()));
        let stopping = AtomicBool::new(false);
        let (said_yes, dropped, stops) = (&acknowledged, &broken, &stopping);
        let (http, url) = (&http, &url);
        let sending = join_all(storm.groups.iter().map(|group| async move {
            for body in group {
                let answer = http.post(url).json(body).send().await;
                match answer {
                    Ok(answer) if answer.status() == 200 => {
                        let names = body["alerts"].as_array().unwrap().iter();
                        let names = names.map(|alert| alert["fingerprint"].as_str().unwrap().to_owned());
                        said_yes.lock().unwrap().extend(names);
                    }
                    Ok(answer) => panic!("answered {}", answer.status()),
                    // Refused at the door after the stop is no drop; a connection that was taken and then cut is.
                    Err(e) if stops.load(Ordering::SeqCst) && e.is_connect() => return,
                    Err(e) => {
                        dropped.lock().unwrap().push(e);
                        return;
                    }
                }
            }
        }));
        let stopping_it = async {
            let enough = || async { (acknowledged.lock().unwrap().len() > ALERTS / 8).then_some(()) };
            seen("the storm goes on", DEADLINE, enough).await;
            moment(Duration::from_micros(dice.below(100_000))).await;
            stopping.store(true, Ordering::SeqCst);
            bot.ask_to_end();
            let told = Instant::now();
            let reasons = seen("it says that it stops, while it still answers", DEADLINE, || async {
                let (status, reasons) = readiness(&bot).await.expect("readyz answers until it has said no");
                (status == 503).then_some(reasons)
            });
            assert_eq!(reasons.await, ["draining"]);
            told
        };
        let (_, told) = tokio::join!(sending, stopping_it);
        let status = ends("it drains", bot.ended()).await;
        let took = told.elapsed();
        assert_eq!(status.code(), Some(0), "{}", bot.errors());
        assert!(took <= DRAIN, "{took:?}");
        longest = longest.max(took);
        bot.assert_calm();
        let broken = broken.into_inner().unwrap();
        for e in &broken {
            println!("dropped: {e:?}");
        }
        cut += broken.len();
        bot.start();
        bot.ready().await;
        settled(&bot, DEADLINE).await;
        assert_eq!(bot.end().await.code(), Some(0));
        let books = Books::of(&bot).await;
        books.assert_one_of_each();
        let found: BTreeSet<String> = books.alerts().map(|alert| alert.key.fingerprint.clone()).collect();
        let lost: Vec<_> = acknowledged.lock().unwrap().iter().filter(|name| !found.contains(*name)).cloned().collect();
        assert!(lost.is_empty(), "{lost:?} were acknowledged and are gone");
    }
    println!(
        "{terms} times SIGTERM in a storm: ended within {longest:?} with 0, nothing acknowledged was lost, {cut} requests cut"
    );
    assert_eq!(cut, 0, "requests that were under way were dropped");
}
