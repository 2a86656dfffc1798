//! `kill -9` at random moments of an alert storm: nothing that was accepted is lost, nothing happens twice, and it is soon back.
//!
//! `SMOKEJUMPER_KILLS=20 SMOKEJUMPER_SEED=… cargo test --test it process::kill -- --nocapture` for more of it, or for the same again.

use super::bot::{Address, Bot, client};
use super::ledger::{Books, settled};
use super::storm::{Dice, GROUPS, SERVICES, Storm, is_quiet, service};
use crate::world::postgres::{self, Database};
use crate::world::wait::{moment, seen};
use futures::future::join_all;
use serde_json::Value;
use smokejumper::flow::signal::AlertStatus;
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Kills when nothing else is said: the plain suite stays quick.
const KILLS: usize = 5;
const ALERTS: usize = 2_000;
/// When kills are chosen: enough of them fit.
const ALERTS_OF_A_LONG_STORM: usize = 4_000;
/// The whole storm with its kills, on a busy machine and without optimisation.
const PATIENCE: Duration = Duration::from_mins(3);
/// Ready again (P8). Elsewhere asserted without mercy: here a machine that builds something else at the same time may take longer.
const READY: Duration = Duration::from_secs(3);
const READY_ON_A_BUSY_MACHINE: Duration = Duration::from_secs(15);

/// Every incident may open by itself: which ones do is known then.
pub const NO_STORM_BUDGET: &str = "[storm]\nincidents = 100\n";

/// Sends like Alertmanager: again after a 5xx or a broken connection, and what was acknowledged is never sent again.
struct Sender {
    client: reqwest::Client,
    to: Address,
    attempts: AtomicUsize,
    acknowledged: AtomicUsize,
}

impl Sender {
    fn new(to: Address) -> Self {
        Self { client: client(), to, attempts: AtomicUsize::new(0), acknowledged: AtomicUsize::new(0) }
    }

    async fn deliver(&self, body: &Value) {
        seen("a delivery is acknowledged", PATIENCE, || async {
            self.attempts.fetch_add(1, Ordering::Relaxed);
            let answer = self.client.post(self.to.alerts()).json(body).send().await.ok()?;
            let status = answer.status();
            assert!(!status.is_client_error(), "Alertmanager would drop what is answered {status}");
            status.is_success().then_some(())
        })
        .await;
        self.acknowledged.fetch_add(1, Ordering::Relaxed);
    }

    /// All groups at once, each in order.
    async fn send(&self, storm: &Storm) {
        join_all(storm.groups.iter().map(|group| async move {
            for body in group {
                self.deliver(body).await;
            }
        }))
        .await;
    }
}

pub fn chosen(variable: &str) -> Option<u64> {
    std::env::var(variable).ok().map(|text| text.parse().unwrap_or_else(|_| panic!("{variable}={text} is no number")))
}

/// Another one each time, unless it is said.
pub fn seed() -> u64 {
    let seed = chosen("SMOKEJUMPER_SEED").unwrap_or_else(|| {
        u64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_micros()).unwrap() % 1_000_000
    });
    println!("SMOKEJUMPER_SEED={seed}");
    seed
}

#[tokio::test]
async fn no_accepted_alert_is_lost_and_nothing_happens_twice() {
    killed_in_a_storm(None).await;
}

#[tokio::test]
async fn no_accepted_alert_is_lost_and_nothing_happens_twice_on_postgres() {
    if let Some(database) = postgres::database().await {
        killed_in_a_storm(Some(database)).await;
    }
}

async fn killed_in_a_storm(database: Option<Database>) {
    let seed = seed();
    let kills = chosen("SMOKEJUMPER_KILLS").map(|n| usize::try_from(n).unwrap());
    let alerts = if kills.is_some() { ALERTS_OF_A_LONG_STORM } else { ALERTS };
    let kills = kills.unwrap_or(KILLS);
    let storm = Storm::new(seed, alerts);
    assert_eq!(storm.truth.len(), alerts);
    let mut bot = Bot::on(database, NO_STORM_BUDGET);
    bot.start();
    bot.ready().await;
    let sender = Sender::new(bot.address().clone());
    let mut dice = Dice::new(seed ^ 0xdead);
    let (mut starts, mut early) = (Vec::new(), 0);
    let killing = async {
        for n in 1..=kills {
            let after = storm.deliveries() * n / (kills + 1);
            let acknowledged = || async { (sender.acknowledged.load(Ordering::Relaxed) >= after).then_some(()) };
            seen("the storm goes on", PATIENCE, acknowledged).await;
            moment(Duration::from_micros(dice.below(60_000))).await;
            bot.kill();
            while dice.below(4) == 0 {
                // And once more while it starts.
                bot.start();
                moment(Duration::from_micros(dice.below(200_000))).await;
                bot.kill();
                early += 1;
            }
            bot.start();
            starts.push(bot.ready().await);
        }
    };
    tokio::join!(sender.send(&storm), killing);
    settled(&bot, PATIENCE).await;
    // And once more when all is done: nothing is done again.
    bot.kill();
    bot.start();
    starts.push(bot.ready().await);
    settled(&bot, PATIENCE).await;
    assert_eq!(bot.end().await.code(), Some(0), "{}", bot.errors());
    bot.assert_calm();

    let books = Books::of(&bot).await;
    assert_storm(&storm, &books);
    starts.sort_unstable();
    let (median, longest) = (starts[starts.len() / 2], *starts.last().unwrap());
    println!(
        "{} kills, {early} of them while starting; {} alerts in {} deliveries, {} attempts; {} incidents; \
         ready after p50 {median:?}, max {longest:?}",
        kills + 1 + early,
        storm.truth.len(),
        storm.deliveries(),
        sender.attempts.load(Ordering::Relaxed),
        books.incidents.len(),
    );
    if longest > READY {
        println!("slower than the {READY:?} that are promised: is this machine busy, or the build unoptimised?");
    }
    assert!(longest < READY_ON_A_BUSY_MACHINE, "ready after {longest:?}");
}

/// Everything that was accepted is there once, and where it belongs.
fn assert_storm(storm: &Storm, books: &Books) {
    books.assert_one_of_each();
    assert_eq!(books.dead_letters, 0);
    let mut found = BTreeSet::new();
    for alert in books.alerts() {
        let name = &alert.key.fingerprint;
        let truth = storm.truth.get(name).unwrap_or_else(|| panic!("nobody sent {name}"));
        assert!(found.insert(name), "{name} is there twice");
        assert_eq!(
            (alert.status == AlertStatus::Resolved, alert.count),
            (truth.resolved, truth.count),
            "{name}, {truth:?}: {alert:?}"
        );
        assert_eq!(alert.labels["service"], truth.service, "{name}");
    }
    let lost: Vec<_> = storm.truth.keys().filter(|name| !found.contains(name)).collect();
    assert!(lost.is_empty(), "{} accepted alerts were lost: {lost:?}", lost.len());

    let expected: BTreeSet<String> = (0..SERVICES).filter(|n| !is_quiet(*n)).map(service).collect();
    let opened: BTreeSet<String> = books.incidents.iter().filter_map(|i| i.incident.service.clone()).collect();
    assert_eq!(opened, expected, "of {GROUPS} groups");
    assert_eq!(books.incidents.len(), expected.len());
    for exported in &books.incidents {
        for alert in &exported.alerts {
            assert_eq!(Some(&alert.labels["service"]), exported.incident.service.as_ref(), "{:?}", alert.key);
        }
    }
    for alert in &books.loose {
        assert!(!expected.contains(&alert.labels["service"]), "{:?} belongs to an incident", alert.key);
    }
}
