//! A real Alertmanager, fed by its own `amtool`: opens an incident, updates it, and ends its alerts.
//!
//! Debian's package `prometheus-alertmanager` has both. Where they are missing this says that it was skipped; in CI it fails.

use super::bot::{Bot, client};
use super::ledger::{Books, reader, settled};
use crate::world::wait::{DEADLINE, seen, until};
use smokejumper::app::console_identity;
use smokejumper::edges::clock::WallClock;
use smokejumper::flow::identity::Platform;
use smokejumper::flow::incident::{Incident, IncidentId};
use smokejumper::flow::moment::SECOND;
use smokejumper::ports::{Clock as _, Views as _};
use smokejumper_intents::text::render;
use std::fs::File;
use std::path::Path;
use std::process::{Child, Command, Stdio};

pub const ALERTMANAGER: &str = "/usr/bin/prometheus-alertmanager";
const AMTOOL: &str = "/usr/bin/amtool";

/// Ended when dropped.
pub struct Alertmanager {
    child: Child,
    pub url: String,
}

impl Alertmanager {
    async fn start(bot: &Bot) -> Self {
        Self::telling(bot, &format!("url: {}", bot.address().alerts())).await
    }

    /// With one receiver: the rest of its `webhook_configs`, each line indented by four.
    pub async fn telling(bot: &Bot, webhook: &str) -> Self {
        let (config, log) = (bot.path("alertmanager.yml"), bot.path("alertmanager.log"));
        let text = format!(
            "route:\n  receiver: smokejumper\n  group_by: [service]\n  group_wait: 1s\n  group_interval: 1s\n  \
             repeat_interval: 1h\nreceivers:\n- name: smokejumper\n  webhook_configs:\n  - {webhook}\n    \
             send_resolved: true\n",
        );
        std::fs::write(&config, text).unwrap();
        let child = Command::new(ALERTMANAGER)
            .arg(format!("--config.file={}", config.display()))
            .arg(format!("--storage.path={}", bot.path("alertmanager").display()))
            .args(["--web.listen-address=127.0.0.1:0", "--cluster.listen-address="])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(File::create(&log).unwrap())
            .spawn()
            .unwrap();
        let mut this = Self { child, url: String::new() };
        this.url = until("Alertmanager says where it listens", || {
            let said = std::fs::read_to_string(&log).unwrap();
            assert!(this.child.try_wait().unwrap().is_none(), "Alertmanager ended: {said}");
            let (_, rest) = said.split_once("address=127.0.0.1:")?;
            let port = rest.split(|c: char| !c.is_ascii_digit()).next()?;
            Some(format!("http://127.0.0.1:{port}"))
        })
        .await;
        let (client, ready) = (client(), format!("{}/-/ready", this.url));
        seen("Alertmanager is ready", DEADLINE, || async {
            client.get(&ready).send().await.ok().filter(|a| a.status() == 200)
        })
        .await;
        this
    }

    fn amtool(&self, args: &[&str]) {
        let output = Command::new(AMTOOL)
            .arg(format!("--alertmanager.url={}", self.url))
            .args(["--no-version-check", "alert", "add"])
            .args(args)
            .output()
            .unwrap();
        assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    }
}

impl Drop for Alertmanager {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What the console shows of INC-1 in the end: state and card.
async fn shown(bot: &Bot, what: &str, holds: impl Fn(&Incident, &str) -> bool) -> String {
    let reader = reader(bot).await;
    let ana = console_identity("ana");
    let (holds, reader, ana) = (&holds, &reader, &ana);
    let card = seen(what, DEADLINE, || async move {
        let incident = reader.incident(ana, IncidentId(1)).await.unwrap()?;
        let (card, _) = reader.card(ana, IncidentId(1), Platform::Console).await.unwrap()?;
        let card = render(&card.message, 100);
        holds(&incident, &card).then_some(card)
    })
    .await;
    reader.close().await;
    card
}

#[tokio::test]
async fn a_real_alertmanager_opens_updates_and_ends_the_alerts_of_an_incident() {
    let missing: Vec<&str> = [ALERTMANAGER, AMTOOL].into_iter().filter(|p| !Path::new(p).exists()).collect();
    if !missing.is_empty() {
        assert!(std::env::var_os("CI").is_none(), "not installed: {missing:?} (package prometheus-alertmanager)");
        println!("SKIPPED: {missing:?} is not installed (Debian package prometheus-alertmanager)");
        return;
    }
    let mut bot = Bot::serving("").await;
    let alertmanager = Alertmanager::start(&bot).await;

    let errors = ["alertname=CheckoutErrors", "service=checkout", "severity=critical", "instance=checkout-1"];
    alertmanager.amtool(&[&errors[..], &["--annotation=summary=checkout answers 500 to 3 % of requests"]].concat());
    let card = shown(&bot, "an incident opens", |i, card| i.firing() == 1 && card.contains("1 firing")).await;
    assert!(card.contains("CheckoutErrors") && card.contains("3 % of requests") && card.contains("SEV2"), "{card}");

    let slow = ["alertname=CheckoutSlow", "service=checkout", "severity=warning", "instance=checkout-2"];
    alertmanager.amtool(&[&slow[..], &["--annotation=summary=p99 is 4 s"]].concat());
    let card = shown(&bot, "the second alert joins", |i, card| i.firing() == 2 && card.contains("CheckoutSlow")).await;
    assert!(card.contains("CheckoutErrors") && card.contains("p99 is 4 s"), "{card}");

    // In whole seconds, rounded up: an end before its beginning would be news of an earlier alert.
    let end = format!("--end={}", WallClock.now().plus(SECOND).rfc3339());
    alertmanager.amtool(&[&errors[..], &[&end]].concat());
    alertmanager.amtool(&[&slow[..], &[&end]].concat());
    let over = |i: &Incident, card: &str| i.firing() == 0 && !card.contains("firing") && card.contains("is resolved");
    let card = shown(&bot, "the alerts are over", over).await;
    println!("{card}");

    drop(alertmanager);
    settled(&bot, DEADLINE).await;
    assert_eq!(bot.end().await.code(), Some(0), "{}", bot.errors());
    bot.assert_calm();
    let books = Books::of(&bot).await;
    books.assert_one_of_each();
    assert_eq!(books.incidents.len(), 1, "the second alert opened none of its own");
    assert_eq!((books.incidents[0].alerts.len(), books.loose.len(), books.dead_letters), (2, 0, 0));
}
