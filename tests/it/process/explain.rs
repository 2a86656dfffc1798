//! `explain` for every alert of a storm that came through the real door: none without an answer, and each answer names the route
//! and a reason that is true of where the alert is.

use super::bot::{Bot, client};
use super::ledger::{Books, settled};
use super::storm::{Storm, alert, body};
use super::{err, out, smokejumper};
use crate::world::wait::DEADLINE;
use futures::future::join_all;
use serde_json::json;
use smokejumper::edges::socket::{ASK, Answer, Outcome, Request, path};
use smokejumper::flow::desk::{AlertState, How};
use smokejumper::flow::fact::Origin;
use smokejumper::flow::signal::AlertStatus;
use smokejumper_intents::text::render;
use std::collections::{BTreeMap, BTreeSet};

/// The issue's storm has 4,000 alerts; SMOKEJUMPER_EXPLAINED says another number.
const ALERTS: usize = 600;
/// A silence, a route that never opens, one that only groups, neighbours, and a small storm budget: every way to be placed.
const CONFIG: &str = r#"
[storm]
incidents = 8

[[service]]
name = "service-00"
depends_on = ["service-01"]
[[service]]
name = "service-01"
[[service]]
name = "service-02"

[[silence]]
name = "known"
match = 'service="service-05"'
from = 2020-01-01T00:00:00Z
until = 2120-01-01T00:00:00Z

[[maintenance]]
name = "always"
match = 'service="service-06"'
every = "00:00-24:00"

[[route]]
name = "muted"
match = 'service=~"service-07|service-08"'
open = "never"

[[route]]
name = "not-now"
match = 'service="service-09"'
when = { changed_within = "1h" }
open = "never"

[[route]]
name = "together"
match = 'service=~"service-1.", alertname="HighLatency"'
open = "group"
"#;

struct Asker {
    client: reqwest::Client,
}

impl Asker {
    fn new(bot: &Bot) -> Self {
        let socket = path(&bot.data());
        Self { client: reqwest::Client::builder().unix_socket(socket).build().unwrap() }
    }

    async fn ask(&self, text: &str) -> (Outcome, String) {
        let request = Request { text: text.to_owned(), incident: None, key: text.to_owned(), confirmed: false };
        let answer = self.client.post(format!("http://localhost{ASK}")).json(&request).send().await.unwrap();
        let answer: Answer = answer.json().await.unwrap();
        (answer.outcome, render(&answer.reply, 10_000))
    }
}

fn by_route(name: &str) -> String {
    if name == "default" { "none is for it".to_owned() } else { format!("route: route {name} for ") }
}

#[tokio::test]
async fn every_alert_of_a_storm_is_explained() {
    let wanted = std::env::var("SMOKEJUMPER_EXPLAINED").ok().and_then(|n| n.parse().ok()).unwrap_or(ALERTS);
    let storm = Storm::new(0x5eed, wanted);
    let mut bot = Bot::serving(CONFIG).await;
    let (http, url) = (client(), bot.address().alerts());
    let (http, url) = (&http, &url);
    join_all(storm.groups.iter().map(|group| async move {
        for body in group {
            assert_eq!(http.post(url).json(body).send().await.unwrap().status(), 200);
        }
    }))
    .await;
    settled(&bot, DEADLINE * 4).await;
    let asker = Asker::new(&bot);
    let mut answers = BTreeMap::new();
    for fingerprint in storm.truth.keys() {
        let (outcome, answer) = asker.ask(&format!("explain {fingerprint}")).await;
        assert_eq!(outcome, Outcome::Done, "{fingerprint}: {answer}");
        answers.insert(fingerprint.clone(), answer);
    }
    let (_, loose) = asker.ask("explain").await;
    assert!(loose.contains("listed only") && loose.starts_with("Why, for "), "{loose}");
    assert_eq!(bot.end().await.code(), Some(0), "{}", bot.errors());
    let books = Books::of(&bot).await;
    let states: BTreeMap<&str, &AlertState> = books.alerts().map(|a| (a.key.fingerprint.as_str(), a)).collect();
    assert_eq!(answers.len(), storm.truth.len());
    let mut ways = BTreeSet::new();
    for (fingerprint, truth) in &storm.truth {
        let (answer, state) = (&answers[fingerprint], states[fingerprint.as_str()]);
        ways.insert(state.how);
        for part in [fingerprint.as_str(), &state.because, &by_route(&state.route), "what would change it: "] {
            assert!(answer.contains(part), "{part:?} is not in: {answer}");
        }
        assert!(answer.starts_with("Why, for 1 alert"), "{answer}");
        let over = state.status == AlertStatus::Resolved;
        let standing = if over { "resolved" } else { "firing since" };
        assert!(answer.contains("; heard of") && answer.contains(standing), "{answer}");
        assert!(answer.contains("looked at again now: that holds"), "{:?}: {answer}", state.how);
        // By another way than the program's own.
        let home = state.incident.map(|id| &books.incidents.iter().find(|i| i.incident.id == id).unwrap().incident);
        let theirs = home.and_then(|i| i.service.as_deref());
        let service = truth.service.as_str();
        match state.how {
            How::Opened => assert!(
                matches!(&home.unwrap().origin, Some(Origin::Alert { fingerprint: f, route, .. }) if f == fingerprint && *route == state.route)
            ),
            How::SameService | How::Gathered => assert_eq!(theirs, Some(service)),
            How::Neighbour => {
                assert_eq!(BTreeSet::from([theirs.unwrap(), service]), BTreeSet::from(["service-00", "service-01"]));
            }
            How::Storm => assert_eq!(home.unwrap().origin, Some(Origin::Storm)),
            How::Silenced => assert!(home.is_none() && ["service-05", "service-06"].contains(&service)),
            How::RouteNever => assert!(home.is_none() && ["service-07", "service-08"].contains(&service)),
            How::Alone => {
                assert!(home.is_none() && !state.labels["severity"].contains("critical") || state.route == "together");
            }
            other => panic!("{other:?} in a storm of firing alerts"),
        }
        if service == "service-09" {
            assert!(
                answer.contains("passed over: route not-now asks that its service was changed within 1 h"),
                "{answer}"
            );
        }
        if truth.resolved {
            assert_eq!(state.status, AlertStatus::Resolved);
        }
    }
    for way in [How::Opened, How::SameService, How::Storm, How::Silenced, How::RouteNever, How::Alone] {
        assert!(ways.contains(&way), "the storm had no alert that is {way:?}: {ways:?}");
    }
    bot.assert_calm();
}

#[tokio::test]
async fn a_payload_in_a_file_is_explained_without_a_server() {
    let bot = Bot::new(CONFIG);
    let one = |fingerprint: &str, service: &str, severity: &str| {
        let labels = json!({"alertname": "Down", "service": service, "severity": severity});
        alert(fingerprint, &labels, "it is down", "2025-11-20T07:00:00Z")
    };
    let alerts =
        [one("aa", "service-09", "critical"), one("bb", "service-07", "critical"), one("cc", "service-05", "page")];
    std::fs::write(bot.path("body.json"), body("g", "firing", &alerts).to_string()).unwrap();
    let explain = |more: &[&str]| {
        let fixed =
            ["explain", "--config", "smokejumper.toml", "--data-dir", "data", "body.json", "--source", "alertmanager"];
        smokejumper(&bot.path(""), &[&fixed, more].concat())
    };
    let output = explain(&["--at", "2026-11-20T10:00:00Z"]);
    assert_eq!(output.status.code(), Some(0), "{}", err(&output));
    insta::assert_snapshot!(out(&output), @r#"
    `Down` aa

      passed over: route not-now asks that its service was changed within 1 h
      route: none is for it; by default SEV1 and SEV2 open an incident, and the rest
        joins what it belongs to -> SEV2, opens an incident when it belongs to none
      service: `service-09`, from its label `service`
      opens an incident: by default: nothing open that it belongs to
      what would change it: a [[route]] for it, a silence, or an open incident of
        service-09 that it could join

    `Down` bb

      route: route muted for `service=~"service-07|service-08"` -> SEV2, is listed,
        never opens or joins
      service: `service-07`, from its label `service`
      is listed only: route muted never opens or joins
      what would change it: `open` in route muted

    `Down` cc

      route: none is for it; by default SEV1 and SEV2 open an incident, and the rest
        joins what it belongs to -> SEV1, opens an incident when it belongs to none
      service: `service-05`, from its label `service`
      is listed only: silenced by "known" until 2120-01-01T00:00:00Z
      what would change it: the end of the silence: it is looked at again every
        minute
    "#);
    let output = explain(&["--at", "yesterday"]);
    assert_eq!(output.status.code(), Some(2), "{}", err(&output));
}
