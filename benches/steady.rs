//! Ten thousand alerts a minute, for minutes: `cargo build --release && cargo bench --bench steady -- BINARY [--minutes 5]
//! [--rate 10000] [--storm FOLDER] [--only sqlite|postgres|slack|ingest]`.
//!
//! What senders get (status, latency), what it costs (memory, CPU), what people see (incidents opened, time to the card), on
//! each database there is; the same with Slack connected (the strict one of the tests), where people go on asking: how soon
//! they are acknowledged, and when a channel and its card are there; then alerts taken in per CPU second beside a real
//! Alertmanager, one after the other in the same run.
//! FOLDER: deliveries to replay, `webhooks.jsonl`, one Alertmanager webhook body a line; without it a small storm of its own.
#![allow(clippy::print_stdout, clippy::unwrap_used, reason = "a measurement prints, and ends when it cannot measure")]

mod world;

use serde_json::{Value, json};
use smokejumper::config::secret::Secret;
use smokejumper::edges::clock::WallClock;
use smokejumper::edges::store::location::Location;
use smokejumper::edges::store::reader::Reader;
use smokejumper::flow::effect::Effect;
use smokejumper::flow::fact::Fact;
use smokejumper::flow::incident::IncidentId;
use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use world::postgres;
use world::slack::FakeSlack;

/// Services, and alerts each of them has, of the storm made here; both chosen like a mid-sized shop.
const SERVICES: usize = 60;
const ALERTS_EACH: usize = 50;
/// Alerts in one delivery of it: Alertmanager groups.
const IN_ONE: usize = 8;
/// How long each side takes in as fast as it can, and in what bodies.
const INGEST: Duration = Duration::from_secs(5);
const BODIES: [usize; 3] = [1, 10, 64];
/// Senders at once while ingest is measured.
const SENDERS: usize = 4;
const ALERTMANAGER: &str = "/usr/bin/prometheus-alertmanager";

struct Given {
    binary: PathBuf,
    minutes: f64,
    rate: f64,
    storm: Option<PathBuf>,
    only: Option<String>,
}

impl Given {
    fn read() -> Self {
        let mut given = Self {
            binary: PathBuf::from(env!("CARGO_BIN_EXE_smokejumper")),
            minutes: 5.0,
            rate: 10_000.0,
            storm: None,
            only: None,
        };
        let mut args = std::env::args().skip(1);
        while let Some(arg) = args.next() {
            match arg.as_str() {
                "--minutes" => given.minutes = args.next().unwrap().parse().unwrap(),
                "--rate" => given.rate = args.next().unwrap().parse().unwrap(),
                "--storm" => given.storm = Some(args.next().unwrap().into()),
                "--only" => given.only = args.next(),
                "--bench" => {}
                binary => given.binary = PathBuf::from(binary).canonicalize().unwrap(),
            }
        }
        given
    }

    fn wants(&self, part: &str) -> bool {
        self.only.as_deref().is_none_or(|only| only == part)
    }
}

/// A process, and what the kernel says of it. Ended when dropped.
struct Process {
    child: Child,
    base: String,
}

impl Process {
    async fn smokejumper(binary: &Path, folder: &Path, database: Option<&str>, client: &reqwest::Client) -> Self {
        let mut child = Command::new(binary)
            .args(["serve", "--config", "smokejumper.toml", "--data-dir", "data"])
            .current_dir(folder)
            .env_clear()
            .envs(database.map(|url| ("SMOKEJUMPER_DATABASE_URL", url)))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let console = lines.map_while(Result::ok).find_map(|l| l.trim().strip_prefix("console   ").map(str::to_owned));
        let this = Self { child, base: console.unwrap() };
        this.answers(client, "/readyz").await;
        this
    }

    async fn alertmanager(folder: &Path, client: &reqwest::Client) -> Self {
        let config = folder.join("alertmanager.yml");
        std::fs::write(&config, "route: {receiver: none}\nreceivers: [{name: none}]\n").unwrap();
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let child = Command::new(ALERTMANAGER)
            .arg(format!("--config.file={}", config.display()))
            .arg(format!("--storage.path={}", folder.join("alertmanager").display()))
            .args([&format!("--web.listen-address=127.0.0.1:{port}"), "--cluster.listen-address="])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let this = Self { child, base: format!("http://127.0.0.1:{port}") };
        this.answers(client, "/-/ready").await;
        this
    }

    async fn answers(&self, client: &reqwest::Client, path: &str) {
        while !client.get(format!("{}{path}", self.base)).send().await.is_ok_and(|a| a.status() == 200) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// KiB.
    fn memory(&self, field: &str) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find_map(|l| l.strip_prefix(field)).unwrap();
        line.trim_start_matches(':').trim().trim_end_matches(" kB").parse().unwrap()
    }

    /// Seconds of CPU so far, user and system.
    fn cpu(&self) -> f64 {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id())).unwrap();
        let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
        let ticks: f64 = fields[11].parse::<f64>().unwrap() + fields[12].parse::<f64>().unwrap();
        // USER_HZ is 100 on every Linux there is.
        ticks / 100.0
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::main]
async fn main() {
    let given = Given::read();
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::Client::builder().timeout(Duration::from_secs(30)).build().unwrap();
    println!("{}", given.binary.display());
    if given.wants("sqlite") {
        steady(&given, &client, "sqlite", None, "").await;
    }
    if given.wants("postgres") {
        match postgres::programs() {
            // On the same disk as SQLite's file, and with its default care for what is on it.
            Some(programs) => {
                let cluster = postgres::Cluster::start_in(postgres::folder_in("/tmp"), &programs, &[]);
                let database = cluster.database().await;
                steady(&given, &client, "postgres", Some(database.url), "").await;
            }
            None => println!("skipped: Postgres is not installed"),
        }
    }
    if given.wants("slack") {
        let slack = FakeSlack::start(Arc::new(WallClock)).await;
        let people = tokio::spawn(people_of(slack.clone()));
        steady(&given, &client, "sqlite and Slack", None, &slack.config()).await;
        people.abort();
        on_slack(&slack);
    }
    if given.wants("ingest") {
        ingest(&given, &client).await;
    }
}

fn configured(more: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let text = format!("[server]\nlisten = \"127.0.0.1:0\"\n\n{more}");
    std::fs::write(folder.path().join("smokejumper.toml"), text).unwrap();
    folder
}

/// Bodies, each with how many alerts it has.
fn deliveries(given: &Given) -> Vec<(usize, String)> {
    let size = |body: &Value| body["alerts"].as_array().map_or(0, Vec::len);
    if let Some(folder) = &given.storm {
        let lines = std::fs::read_to_string(folder.join("webhooks.jsonl")).unwrap();
        return lines.lines().map(|l| (size(&serde_json::from_str(l).unwrap()), l.to_owned())).collect();
    }
    // Every alert of a service fires, flaps and is repeated in its turn; one in twelve is critical.
    let mut bodies = Vec::new();
    for round in 0..200_usize {
        for group in 0..SERVICES * ALERTS_EACH / IN_ONE {
            let service = format!("service-{}", (group * IN_ONE / ALERTS_EACH + round * 7) % SERVICES);
            let alerts: Vec<Value> = (0..IN_ONE)
                .map(|n| {
                    one(&service, (group * IN_ONE + n) % ALERTS_EACH, round, (group + n + round).is_multiple_of(5))
                })
                .collect();
            let body = json!({"version": "4", "groupKey": service, "status": "firing", "receiver": "r",
                              "truncatedAlerts": 0, "alerts": alerts});
            bodies.push((IN_ONE, body.to_string()));
        }
    }
    bodies
}

fn one(service: &str, n: usize, round: usize, over: bool) -> Value {
    let severity = if n.is_multiple_of(12) { "critical" } else { "warning" };
    let minute = (round / 4) % 60;
    json!({
        "status": if over { "resolved" } else { "firing" },
        "fingerprint": format!("{service}-{n}"),
        "startsAt": format!("2025-11-20T{:02}:{minute:02}:00Z", 7 + (round / 240) % 12),
        "endsAt": if over { format!("2025-11-20T{:02}:{minute:02}:30Z", 7 + (round / 240) % 12) } else { "0001-01-01T00:00:00Z".to_owned() },
        "generatorURL": "http://prometheus.example/graph",
        "labels": {"alertname": format!("Alert{}", n % 6), "service": service, "severity": severity, "instance": format!("{service}-{n}:8080")},
        "annotations": {"summary": format!("{service} is not well on {n}")},
    })
}

/// At the wanted rate, each delivery at its own time whatever became of the one before.
async fn steady(given: &Given, client: &reqwest::Client, name: &str, url: Option<String>, more: &str) {
    let folder = configured(more);
    let server = Process::smokejumper(&given.binary, folder.path(), url.as_deref(), client).await;
    let place = Location::new(&folder.path().join("data"), url.map(Secret::new));
    let deliveries = deliveries(given);
    let url = format!("{}/alerts/alertmanager", server.base);
    let length = Duration::from_secs_f64(given.minutes * 60.0);
    let watch = tokio::spawn(cards(place.clone()));
    let (began, cpu) = (Instant::now(), server.cpu());
    let (mut sent, mut peak, mut next_look) = (0_usize, 0, Duration::ZERO);
    let mut tasks = tokio::task::JoinSet::new();
    let (mut answers, mut latencies) = (BTreeMap::<u16, u64>::new(), Vec::new());
    for (alerts, body) in deliveries.iter().cycle() {
        let due = Duration::from_secs_f64(sent as f64 * 60.0 / given.rate);
        if due >= length {
            break;
        }
        tokio::time::sleep_until((began + due).into()).await;
        let request = client.post(&url).header("content-type", "application/json").body(body.clone());
        tasks.spawn(async move {
            let started = Instant::now();
            let answer = request.send().await.map_or(0, |a| a.status().as_u16());
            (answer, started.elapsed())
        });
        sent += alerts;
        while let Some(done) = tasks.try_join_next() {
            let (answer, took) = done.unwrap();
            *answers.entry(answer).or_default() += 1;
            latencies.push(took);
        }
        if began.elapsed() >= next_look {
            peak = peak.max(server.memory("VmRSS"));
            next_look += Duration::from_secs(1);
        }
    }
    while let Some(done) = tasks.join_next().await {
        let (answer, took) = done.unwrap();
        *answers.entry(answer).or_default() += 1;
        latencies.push(took);
    }
    let took = began.elapsed().as_secs_f64();
    println!("\n== {name}: {sent} alerts in {took:.0} s ({:.0} a minute)", sent as f64 * 60.0 / took);
    println!("{:<34} {answers:?}", "answers by status");
    report("a delivery to its answer", latencies);
    println!(
        "{:<34} {:>8.1} MiB (VmHWM {:.1})",
        "memory, at most",
        peak as f64 / 1024.0,
        server.memory("VmHWM") as f64 / 1024.0
    );
    println!("{:<34} {:>8.1} s of {took:.0} s", "CPU of the server", server.cpu() - cpu);
    seen(&place).await;
    watch.abort();
}

/// What people see while it goes on: how long each incident waited for its card. Looked at as they come, because of older cards
/// only the last is kept.
async fn cards(place: Location) -> Vec<Duration> {
    let reader = Reader::open(&place, Arc::new(WallClock)).await.unwrap();
    let (mut after, mut cards) = (IncidentId(0), Vec::new());
    loop {
        if let Some(exported) = reader.exported(after).await.unwrap() {
            let declared = exported.entries.iter().find(|e| matches!(e.fact, Fact::Declared { .. })).map(|e| e.at);
            let shown = exported.outbox.iter().filter(|row| matches!(row.effect, Effect::Card { .. }));
            let first = shown.filter_map(|row| row.settled_at).min();
            if let (Some(declared), Some(first)) = (declared, first) {
                after = exported.incident.id;
                cards.push(Duration::from_millis(first.since(declared).unsigned_abs()));
                SEEN.lock().unwrap().clone_from(&cards);
                continue;
            }
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// What [`cards`] saw so far: it never ends by itself.
static SEEN: Mutex<Vec<Duration>> = Mutex::new(Vec::new());

/// When all is done that was taken in: incidents, and how long each waited for its card.
async fn seen(place: &Location) {
    let reader = Reader::open(place, Arc::new(WallClock)).await.unwrap();
    while reader.counts().await.unwrap().waiting > 0 {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let (mut after, mut incidents) = (IncidentId(0), 0);
    while let Some(exported) = reader.exported(after).await.unwrap() {
        after = exported.incident.id;
        incidents += 1;
    }
    let cards = std::mem::take(&mut *SEEN.lock().unwrap());
    println!("{:<34} {incidents:>8} (with a card: {})", "incidents, and so channels", cards.len());
    report("an incident opened to its card", cards);
    reader.close().await;
}

/// Ana asks four times a second, in the lobby, for as long as she is let.
async fn people_of(slack: FakeSlack) {
    let ana = slack.user("ana");
    loop {
        tokio::time::sleep(Duration::from_millis(250)).await;
        if slack.sockets() > 0 {
            ana.commands("/incident list", "general").await;
        }
    }
}

/// How soon people were acknowledged, and when channels and cards were there, as Slack saw it.
fn on_slack(slack: &FakeSlack) {
    let ms = |ms: i64| Duration::from_millis(ms.unsigned_abs());
    let acks = slack.with(|truth| truth.connections.acks.iter().map(|took| ms(*took)).collect::<Vec<_>>());
    println!("{:<34} {:>8}", "acknowledged on Slack", acks.len());
    report("a command to its acknowledgement", acks);
    let at = |ts: &str| (ts.parse::<f64>().unwrap() * 1_000.0).round();
    let mut cards = Vec::new();
    for channel in slack.incident_channels() {
        if let Some(first) = channel.messages.iter().find(|m| m.blocks.is_array()) {
            cards.push(Duration::from_secs_f64((at(&first.ts) - channel.created.0 as f64).max(0.0) / 1_000.0));
        }
    }
    println!("{:<34} {:>8}", "channels with a card", cards.len());
    report("a channel made to its card", cards);
    println!("{:<34} {:>8}", "violations of Slack's rules", slack.violations().len());
}

/// Both sides in turns, by what their own processes used.
async fn ingest(given: &Given, client: &reqwest::Client) {
    println!("\n== alerts taken in per CPU second of the server (and per second), {SENDERS} senders");
    for size in BODIES {
        let folder = configured("");
        let server = Process::smokejumper(&given.binary, folder.path(), None, client).await;
        let url = format!("{}/alerts/alertmanager", server.base);
        pour(&server, client, "smokejumper", &url, size, |alerts| {
            json!({"version": "4", "groupKey": "g", "status": "firing", "receiver": "r", "truncatedAlerts": 0, "alerts": alerts})
        })
        .await;
        drop(server);
        if !Path::new(ALERTMANAGER).exists() {
            println!("skipped: {ALERTMANAGER} is not installed");
            continue;
        }
        let server = Process::alertmanager(folder.path(), client).await;
        let url = format!("{}/api/v2/alerts", server.base);
        pour(&server, client, "alertmanager", &url, size, |alerts| {
            let bare = |a: &Value| json!({"labels": a["labels"], "annotations": a["annotations"], "generatorURL": a["generatorURL"]});
            Value::Array(alerts.iter().map(bare).collect())
        })
        .await;
    }
}

async fn pour(
    server: &Process,
    client: &reqwest::Client,
    name: &str,
    url: &str,
    size: usize,
    body: impl Fn(&[Value]) -> Value,
) {
    // The same alerts again and again, as a storm is: each body is made before the clock runs.
    let bodies: Vec<String> = (0..500)
        .map(|n| {
            let service = format!("service-{}", n % SERVICES);
            let alerts: Vec<Value> = (0..size).map(|k| one(&service, (n + k) % ALERTS_EACH, n % 50, false)).collect();
            body(&alerts).to_string()
        })
        .collect();
    let bodies = Arc::new(bodies);
    let (taken, refused) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
    let (began, cpu) = (Instant::now(), server.cpu());
    let mut tasks = tokio::task::JoinSet::new();
    for sender in 0..SENDERS {
        let (client, url, bodies) = (client.clone(), url.to_owned(), Arc::clone(&bodies));
        let (taken, refused) = (Arc::clone(&taken), Arc::clone(&refused));
        tasks.spawn(async move {
            let mut latencies = Vec::new();
            for body in bodies.iter().cycle().skip(sender * 31) {
                if began.elapsed() >= INGEST {
                    break;
                }
                let started = Instant::now();
                let request = client.post(&url).header("content-type", "application/json").body(body.clone());
                if request.send().await.is_ok_and(|a| a.status() == 200) {
                    taken.fetch_add(size as u64, Ordering::Relaxed);
                    latencies.push(started.elapsed());
                } else {
                    refused.fetch_add(1, Ordering::Relaxed);
                }
            }
            latencies
        });
    }
    let latencies: Vec<Duration> = tasks.join_all().await.into_iter().flatten().collect();
    let (taken, spent) = (taken.load(Ordering::Relaxed) as f64, server.cpu() - cpu);
    let rate = taken / began.elapsed().as_secs_f64();
    let refused = refused.load(Ordering::Relaxed);
    println!("{name:<14} bodies of {size:>2} {:>8.0}/CPU s {rate:>8.0}/s, {refused} refused", taken / spent);
    report("", latencies);
}

fn report(what: &str, mut latencies: Vec<Duration>) {
    latencies.sort_unstable();
    let at = |share: usize| latencies.get(latencies.len() * share / 100).copied().unwrap_or_default();
    let ms = |d: Duration| d.as_secs_f64() * 1_000.0;
    let longest = latencies.last().copied().unwrap_or_default();
    println!("{what:<34} p50 {:>7.1} ms  p99 {:>7.1} ms  max {:>7.1} ms", ms(at(50)), ms(at(99)), ms(longest));
}
