//! What a monitoring system sees of the real process: readiness with its reasons, and metrics as the documents list them.

use super::bot::{Bot, client};
use super::storm::{alert, body};
use crate::world::wait::{DEADLINE, moment, seen, until};
use serde_json::{Value, json};
use sqlx::{AnyConnection, Connection as _};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

const DOCUMENT: &str = include_str!("../../../docs/operations.md");

pub fn critical(fingerprint: &str, starts_at: &str) -> Value {
    let labels = json!({"alertname": "CheckoutDown", "service": "checkout", "severity": "critical"});
    body("g", "firing", &[alert(fingerprint, &labels, "checkout is down", starts_at)])
}

async fn page(bot: &Bot) -> String {
    let answer = client().get(format!("{}/metrics", bot.address().base())).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    let kind = answer.headers()["content-type"].to_str().unwrap().to_owned();
    assert!(kind.starts_with("application/openmetrics-text; version=1.0.0"), "{kind}");
    let page = answer.text().await.unwrap();
    assert!(page.ends_with("# EOF\n"));
    page
}

pub async fn readiness(bot: &Bot) -> Option<(u16, Vec<String>)> {
    let answer = client().get(format!("{}/readyz", bot.address().base())).send().await.ok()?;
    let status = answer.status().as_u16();
    let said: Value = answer.json().await.ok()?;
    assert_eq!(said["ready"], json!(status == 200));
    let reasons = said["reasons"].as_array().unwrap();
    Some((status, reasons.iter().map(|r| r["what"].as_str().unwrap().to_owned()).collect()))
}

/// Names with their type and labels, as a page has them.
fn shown(page: &str) -> BTreeMap<String, (String, BTreeSet<String>)> {
    let mut found = BTreeMap::new();
    for line in page.lines() {
        if let Some((name, kind)) = line.strip_prefix("# TYPE ").and_then(|rest| rest.split_once(' ')) {
            found.insert(name.to_owned(), (kind.to_owned(), BTreeSet::new()));
        } else if let Some((name, rest)) = line.split_once('{').filter(|_| !line.starts_with('#')) {
            let family = ["_total", "_info", "_bucket"].iter().find_map(|end| name.strip_suffix(end)).unwrap_or(name);
            let labels = rest.split('}').next().unwrap().split("\",").filter_map(|l| l.split_once('=')).map(|l| l.0);
            let labels = labels.filter(|label| *label != "le").map(str::to_owned);
            found.get_mut(family).unwrap_or_else(|| panic!("{name} has no type")).1.extend(labels);
        }
    }
    found
}

/// The same, as the document has them.
fn listed() -> BTreeMap<String, (String, BTreeSet<String>)> {
    let rows = DOCUMENT.lines().filter(|line| line.starts_with("| `smokejumper_") || line.starts_with("| `process_"));
    rows.map(|row| {
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        let labels = cells[3].split(',').map(str::trim).filter(|l| !l.is_empty()).map(str::to_owned).collect();
        (cells[1].trim_matches('`').to_owned(), (cells[2].to_owned(), labels))
    })
    .collect()
}

#[tokio::test]
async fn metrics_are_those_of_the_document() {
    let mut bot = Bot::serving("").await;
    let send =
        |body: String| client().post(bot.address().alerts()).header("content-type", "application/json").body(body);
    let soon = jiff::Timestamp::now() + jiff::SignedDuration::from_mins(5);
    assert_eq!(send(critical("aa11", &soon.to_string()).to_string()).send().await.unwrap().status(), 200);
    assert_eq!(send("{\"version\"".to_owned()).send().await.unwrap().status(), 400);
    let listed = listed();
    // Until what was just done is counted, and what differs otherwise.
    let last = std::cell::RefCell::new(String::new());
    let said = "smokejumper_dead_letters{source=\"alerts/alertmanager\"} 1";
    let whole = seen("every metric of the document", DEADLINE, || async {
        last.replace(page(&bot).await);
        (shown(&last.borrow()) == listed && last.borrow().contains(said)).then_some(())
    });
    if futures::FutureExt::catch_unwind(std::panic::AssertUnwindSafe(whole)).await.is_err() {
        assert_eq!(shown(&last.borrow()), listed);
        panic!("{}", last.borrow());
    }
    let page = last.take();
    for line in [
        "smokejumper_ready 1",
        "smokejumper_incidents_open{severity=\"sev1\"} 0",
        "smokejumper_incidents_open{severity=\"sev2\"} 1",
        "smokejumper_alerts_total{source=\"alertmanager\",outcome=\"accepted\"} 1",
        "smokejumper_alert_answers_total{source=\"alertmanager\",answer=\"malformed\"} 1",
        "smokejumper_http_answers_total{route=\"/alerts/{source}\",class=\"2xx\"} 1",
        "smokejumper_outbox_rows{destination=\"pager\",state=\"dead\"} 0",
        "smokejumper_clock_skew_seconds{source=\"alertmanager\"} 29",
        "smokejumper_last_inbound_timestamp_seconds{source=\"alerts/alertmanager\"} 1",
    ] {
        assert!(page.lines().any(|l| l.starts_with(line)), "{line} is not in\n{page}");
    }
    // A hostile sender makes up sources and paths, and adds nothing that lasts.
    for n in 0..50 {
        let url = format!("{}/alerts/evil-{n}", bot.address().base());
        assert_eq!(client().post(url).body("{}").send().await.unwrap().status(), 404);
        let url = format!("{}/evil-{n}?x=evil", bot.address().base());
        assert!(client().get(url).send().await.unwrap().status().is_client_error());
    }
    let page = self::page(&bot).await;
    assert!(!page.contains("evil"), "{page}");
    assert!(
        page.contains("smokejumper_alert_answers_total{source=\"unknown\",answer=\"no_such_source\"} 50"),
        "{page}"
    );
    assert_eq!(bot.end().await.code(), Some(0));
    bot.assert_calm();
}

#[tokio::test]
async fn metrics_are_for_who_bears_the_token() {
    let config = "[metrics]\ntoken = \"scrape\"\n[secrets]\nscrape = \"canary-9f2c1d7e\"\n";
    let bot = Bot::serving(config).await;
    let ask = || client().get(format!("{}/metrics", bot.address().base()));
    assert_eq!(ask().send().await.unwrap().status(), 401);
    assert_eq!(ask().bearer_auth("canary-9f2c1d7f").send().await.unwrap().status(), 401);
    let answer = ask().bearer_auth("canary-9f2c1d7e").send().await.unwrap();
    assert_eq!(answer.status(), 200);
    assert!(!answer.text().await.unwrap().contains("canary"));
    // Without a token: not for a page that a browser was led to, nor for what a proxy passes on.
    let open = Bot::serving("").await;
    let ask = || client().get(format!("{}/metrics", open.address().base()));
    assert_eq!(ask().send().await.unwrap().status(), 200);
    assert_eq!(ask().header("host", "evil.example").send().await.unwrap().status(), 403);
    assert_eq!(ask().header("x-forwarded-for", "203.0.113.9").send().await.unwrap().status(), 403);
}

/// I14: nobody sends anything, and it finds out all the same.
#[tokio::test]
async fn an_idle_server_that_cannot_write_is_not_ready_within_30_s() {
    let mut bot = Bot::serving("").await;
    sqlx::any::install_default_drivers();
    let url = format!("sqlite://{}?mode=rw", bot.data().join("smokejumper.db").display());
    let mut other = AnyConnection::connect(&url).await.unwrap();
    sqlx::raw_sql("BEGIN IMMEDIATE; UPDATE meta SET value = value").execute(&mut other).await.unwrap();
    let told =
        seen("it is not ready", DEADLINE, || async { readiness(&bot).await.filter(|(status, _)| *status == 503) });
    assert_eq!(told.await.1, ["unwritable"]);
    assert_eq!(client().get(format!("{}/livez", bot.address().base())).send().await.unwrap().status(), 200);
    sqlx::raw_sql("ROLLBACK").execute(&mut other).await.unwrap();
    other.close().await.unwrap();
    seen("it is ready again", DEADLINE, || async { readiness(&bot).await.filter(|(status, _)| *status == 200) }).await;
    assert_eq!(bot.end().await.code(), Some(0), "{}", bot.errors());
    bot.assert_calm();
}

/// Counts the calls it gets, and what they asked for.
async fn switch() -> (String, std::sync::Arc<std::sync::Mutex<Vec<String>>>) {
    let calls = std::sync::Arc::<std::sync::Mutex<Vec<String>>>::default();
    let noted = calls.clone();
    let note = move |uri: axum::http::Uri| async move {
        noted.lock().unwrap().push(uri.to_string());
        "OK"
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/ping/canary-5d1f", listener.local_addr().unwrap());
    tokio::spawn(axum::serve(listener, axum::Router::new().fallback(note)).into_future());
    (url, calls)
}

#[tokio::test]
async fn the_heartbeat_beats_while_it_is_ready_and_stops_when_it_is_not() {
    let (url, calls) = switch().await;
    let config = format!(
        "[heartbeat]\nurl = {{ secret = \"switch\" }}\nevery = \"1s\"\n[secrets]\nswitch = \"{url}\"\n[log]\nformat = \"json\"\n"
    );
    let mut bot = Bot::serving(&config).await;
    let heard = |n: usize| {
        let calls = calls.clone();
        move || Some(calls.lock().unwrap().len()).filter(|heard| *heard >= n)
    };
    until("two beats", heard(2)).await;
    assert!(calls.lock().unwrap().iter().all(|uri| uri == "/ping/canary-5d1f"));
    sqlx::any::install_default_drivers();
    let url = format!("sqlite://{}?mode=rw", bot.data().join("smokejumper.db").display());
    let mut other = AnyConnection::connect(&url).await.unwrap();
    sqlx::raw_sql("BEGIN IMMEDIATE; UPDATE meta SET value = value").execute(&mut other).await.unwrap();
    seen("it is not ready", DEADLINE, || async { readiness(&bot).await.filter(|(status, _)| *status == 503) }).await;
    // A beat that was under way may still arrive; then some of them stay out.
    let before = calls.lock().unwrap().len();
    moment(Duration::from_secs(4)).await;
    let after = calls.lock().unwrap().len();
    assert!(after <= before + 1, "{before} beats before, {after} after");
    sqlx::raw_sql("ROLLBACK").execute(&mut other).await.unwrap();
    other.close().await.unwrap();
    until("it beats again", heard(after + 1)).await;
    let page = page(&bot).await;
    assert!(page.contains("smokejumper_heartbeats_total{outcome=\"failed\"} 0"), "{page}");
    assert_eq!(bot.end().await.code(), Some(0), "{}", bot.errors());
    assert!(!bot.errors().contains("canary"), "{}", bot.errors());
    for line in bot.errors().lines() {
        assert!(serde_json::from_str::<Value>(line).is_ok(), "{line}");
    }
}

#[test]
fn a_heartbeat_over_the_open_net_in_plain_text_is_refused_unless_it_is_meant() {
    let folder = tempfile::tempdir().unwrap();
    let config = "[server]\nlisten = \"127.0.0.1:0\"\ndata_dir = \"data\"\n[heartbeat]\nurl = \"http://switch.example/canary\"\n";
    std::fs::write(folder.path().join("smokejumper.toml"), config).unwrap();
    let output = super::smokejumper(folder.path(), &["serve"]);
    let said = super::err(&output);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("[heartbeat]") && said.contains("https") && !said.contains("canary"), "{said}");
}
