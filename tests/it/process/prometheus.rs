//! The guide's path (docs/getting-started.md) by itself: a real Prometheus sees that a target is down, a real Alertmanager tells
//! it, and an incident goes its way on Postgres: card, acknowledgement in the terminal, an issue on GitHub that somebody
//! closes there, the end of the alert, a postmortem, a restart.

use super::alertmanager::{ALERTMANAGER, Alertmanager};
use super::bot::Bot;
use super::ledger::settled;
use super::person::Person;
use super::{command, err, out};
use crate::world::github::{ANA, FakeGitHub, HOOK_SECRET, Repository, TOKEN, TOKEN_OF_ANA};
use crate::world::postgres;
use crate::world::wait::{DEADLINE, seen, until};
use axum::Router;
use axum::http::StatusCode;
use axum::routing::get;
use serde_json::json;
use smokejumper::edges::clock::WallClock;
use std::fs::File;
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

const PROMETHEUS: &str = "/usr/bin/prometheus";
const AM_TOKEN: &str = "canary-am-1f77";

/// A service with metrics, as long as it is well.
#[derive(Clone)]
struct Checkout {
    at: SocketAddr,
    well: Arc<AtomicBool>,
}

impl Checkout {
    async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let this = Self { at: listener.local_addr().unwrap(), well: Arc::new(AtomicBool::new(true)) };
        let well = Arc::clone(&this.well);
        let metrics = move || async move {
            let text = "# TYPE checkout_orders gauge\ncheckout_orders 3\n";
            if well.load(Ordering::SeqCst) { (StatusCode::OK, text) } else { (StatusCode::SERVICE_UNAVAILABLE, "") }
        };
        let app = Router::new().route("/metrics", get(metrics));
        tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        this
    }

    fn is_well(&self, yes: bool) {
        self.well.store(yes, Ordering::SeqCst);
    }
}

/// Ended when dropped.
struct Prometheus(Child);

impl Prometheus {
    fn start(bot: &Bot, alertmanager: &str, checkout: &Checkout) -> Self {
        let alertmanager = alertmanager.trim_start_matches("http://");
        let config = format!(
            "global: {{ scrape_interval: 1s, evaluation_interval: 1s }}\nrule_files: [rules.yml]\nalerting:\n  alertmanagers:\n  \
             - static_configs: [{{ targets: [\"{alertmanager}\"] }}]\nscrape_configs:\n- job_name: checkout\n  static_configs:\n  \
             - targets: [\"{}\"]\n    labels: {{ service: checkout }}\n",
            checkout.at
        );
        let rules = "groups:\n- name: checkout\n  rules:\n  - alert: CheckoutDown\n    expr: up{job=\"checkout\"} == 0\n    \
                     labels: { severity: critical }\n    annotations: { summary: \"checkout does not answer\" }\n";
        std::fs::write(bot.path("prometheus.yml"), config).unwrap();
        std::fs::write(bot.path("rules.yml"), rules).unwrap();
        let child = Command::new(PROMETHEUS)
            .arg(format!("--config.file={}", bot.path("prometheus.yml").display()))
            .arg(format!("--storage.tsdb.path={}", bot.path("prometheus").display()))
            .args(["--web.listen-address=127.0.0.1:0", "--web.external-url=https://prometheus.example.org"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(File::create(bot.path("prometheus.log")).unwrap())
            .spawn()
            .unwrap();
        Self(child)
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn configuration(github: &str) -> String {
    let uid = rustix::process::getuid().as_raw();
    format!(
        "[secrets]\nam_token = \"{AM_TOKEN}\"\ngithub_token = \"{TOKEN}\"\ngithub_hook = \"{HOOK_SECRET}\"\n\n\
         [[source]]\nname = \"prod\"\nkind = \"alertmanager\"\nauth = {{ bearer = \"am_token\" }}\n\n\
         [github]\napi_url = \"{github}\"\ntoken = \"github_token\"\nwebhook_secret = \"github_hook\"\n\n\
         [[person]]\nid = \"ana\"\nname = \"Ana Ruiz\"\nright = \"admin\"\non_call = true\ncli = {uid}\ngithub = \"{ANA}\"\n\n\
         [[person]]\nid = \"bo\"\nright = \"approver\"\n\n\
         [[service]]\nname = \"checkout\"\nowners = [\"bo\"]\nrepository = \"acme/checkout\"\n\n\
         [[route]]\nmatch = 'service=\"checkout\", severity=\"critical\"'\nopen = \"always\"\nseverity = \"sev2\"\n"
    )
}

/// In the terminal, as Ana; the world goes on meanwhile.
async fn told(bot: &Bot, words: &[&str]) -> String {
    let args = [&["--config", "smokejumper.toml", "--data-dir", "data"], words].concat();
    let mut command = command(&bot.path(""), &args);
    command.envs(bot.environment());
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    assert!(output.status.success(), "{words:?}: {}{}", out(&output), err(&output));
    out(&output)
}

async fn shows(person: &Person, path: &str, words: &str) -> String {
    seen(&format!("{words} on {path}"), DEADLINE, || async {
        Some(person.page(path).await).filter(|page| page.contains(words))
    })
    .await
}

#[tokio::test]
async fn the_guides_path_from_an_alert_to_a_postmortem() {
    let missing: Vec<&str> = [PROMETHEUS, ALERTMANAGER].into_iter().filter(|p| !Path::new(p).exists()).collect();
    if !missing.is_empty() {
        assert!(std::env::var_os("CI").is_none(), "not installed: {missing:?} (prometheus, prometheus-alertmanager)");
        println!("SKIPPED: {missing:?} is not installed (Debian packages prometheus and prometheus-alertmanager)");
        return;
    }
    let github = FakeGitHub::start(Arc::new(WallClock)).await;
    let checkout = Checkout::start().await;
    let mut bot = Bot::on(postgres::database().await, &configuration(&github.url));
    bot.start();
    bot.ready().await;
    github.with(|truth| {
        let repository = Repository { assignable: [ANA.to_owned()].into(), ..Repository::default() };
        truth.repositories.insert("acme/checkout".to_owned(), repository);
        truth.hook = Some(format!("{}/github/webhook", bot.address().base()));
    });
    let webhook = format!(
        "url: {}/alerts/prod\n    http_config: {{ authorization: {{ credentials: {AM_TOKEN} }} }}",
        bot.address().base()
    );
    let alertmanager = Alertmanager::telling(&bot, &webhook).await;
    let prometheus = Prometheus::start(&bot, &alertmanager.url, &checkout);
    let ana = Person::sign_in(&bot).await;

    let began = Instant::now();
    checkout.is_well(false);
    shows(&ana, "/", "/incidents/1").await;
    let card = shows(&ana, "/incidents/1", "checkout does not answer").await;
    println!("from the outage to the card: {:?}", began.elapsed());
    for words in ["CheckoutDown", "SEV2", "1 firing", "Ana Ruiz", "href=\"https://prometheus.example.org/graph"] {
        assert!(card.contains(words), "{words} is not in {card}");
    }
    let list = told(&bot, &["incident", "list"]).await;
    assert!(list.contains("INC-1") && list.lines().all(|line| line.chars().count() <= 80), "{list}");
    assert!(told(&bot, &["incident", "-i", "1", "ack"]).await.contains("You acknowledged"));
    shows(&ana, "/incidents/1", "Ana Ruiz</bdi> acknowledged").await;

    ana.say(1, "follow-up Alarm before checkout stops owner:@ana").await;
    let issue = until("the issue", || github.issues("acme/checkout").pop()).await;
    assert_eq!(
        (issue.title.as_str(), issue.assignees.as_slice()),
        ("Alarm before checkout stops", &[ANA.to_owned()][..])
    );
    shows(&ana, "/incidents/1", "https://github.com/acme/checkout/issues/1").await;
    github.call("PATCH", "/repos/acme/checkout/issues/1", TOKEN_OF_ANA, json!({ "state": "closed" })).await;
    shows(&ana, "/incidents/1", "was closed by").await;

    checkout.is_well(true);
    shows(&ana, "/incidents/1", "0 firing").await;
    ana.say(1, "resolve cause: a switch was broken fix: replaced it").await;
    settled(&bot, DEADLINE).await;
    let postmortem = shows(&ana, "/incidents/1/postmortem", "a switch was broken").await;
    assert!(told(&bot, &["incident", "-i", "1", "close", "--yes"]).await.contains("Closed (was resolved)"));
    assert!(postmortem.contains("Alarm before checkout stops"), "{postmortem}");
    println!("the whole loop: {:?}", began.elapsed());

    drop((prometheus, alertmanager));
    for command in [&["doctor"][..], &["audit", "verify"], &["incident", "on-call"], &["incident", "-i", "1", "why"]] {
        let said = told(&bot, command).await;
        assert!(!said.contains("BROKEN"), "{said}");
    }
    assert_eq!(bot.end().await.code(), Some(0), "{}", bot.errors());
    bot.start();
    bot.ready().await;
    assert!(told(&bot, &["incident", "list", "closed"]).await.contains("INC-1"), "it is there after a restart");
    assert_eq!(bot.end().await.code(), Some(0), "{}", bot.errors());
    bot.assert_calm();
    assert!(!bot.errors().contains(AM_TOKEN) && !bot.errors().contains(TOKEN));
    assert_eq!(github.violations(), Vec::<String>::new());
}
