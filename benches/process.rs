//! Measures the running server: `cargo build --release && cargo bench --bench process [-- BINARY]`. One to two minutes.
//!
//! Cold start to ready, idle memory, from an accepted alert to its updated card, alerts a second. BINARY: which one to
//! measure; without it the one that cargo built for benches.
#![allow(clippy::print_stdout, clippy::unwrap_used, reason = "a measurement prints, and ends when it cannot measure")]

use serde_json::{Value, json};
use smokejumper::app::console_identity;
use smokejumper::edges::clock::WallClock;
use smokejumper::edges::store::reader::Reader;
use smokejumper::flow::effect::Effect;
use smokejumper::flow::fact::{Entry, Fact};
use smokejumper::flow::incident::IncidentId;
use smokejumper::flow::moment::At;
use smokejumper::ports::{Clock as _, Views as _};
use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Cold starts.
const STARTS: usize = 10;
/// Alerts that are followed to their card, one after the other.
const FOLLOWED: usize = 200;
/// Between two looks at the card.
const LOOK: Duration = Duration::from_millis(5);
/// An alert that is not shown by then is lost.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long throughput is measured.
const STORM: Duration = Duration::from_secs(10);
/// Alerts in one delivery of it (Alertmanager groups), and senders at once.
const IN_ONE: usize = 64;
const SENDERS: usize = 8;
/// After the start, until memory is read.
const IDLE: Duration = Duration::from_secs(5);

struct Server {
    child: Child,
    base: String,
    /// From the start of the process to `/readyz` 200.
    ready: Duration,
}

impl Server {
    async fn start(binary: &Path, folder: &Path, client: &reqwest::Client) -> Self {
        let began = Instant::now();
        let child = Command::new(binary)
            .args(["serve", "--config", "smokejumper.toml", "--data-dir", "data"])
            .current_dir(folder)
            .env_clear()
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut server = Self { child, base: String::new(), ready: Duration::ZERO };
        let mut line = String::new();
        BufReader::new(server.child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        line.trim().strip_prefix("console   ").unwrap().clone_into(&mut server.base);
        loop {
            let answer = client.get(format!("{}/readyz", server.base)).send().await;
            if answer.is_ok_and(|answer| answer.status() == 200) {
                server.ready = began.elapsed();
                return server;
            }
        }
    }

    /// KiB, from the kernel.
    fn memory(&self, field: &str) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find_map(|l| l.strip_prefix(field)).unwrap();
        line.trim_start_matches(':').trim().trim_end_matches(" kB").parse().unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::main]
async fn main() {
    let binary = std::env::args().skip(1).find(|arg| !arg.starts_with("--"));
    let binary = binary.map_or_else(|| PathBuf::from(env!("CARGO_BIN_EXE_smokejumper")), PathBuf::from);
    let binary = binary.canonicalize().unwrap();
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::Client::builder().timeout(Duration::from_secs(30)).build().unwrap();
    println!("{} ({} MB)", binary.display(), std::fs::metadata(&binary).unwrap().len() / 1_000_000);

    let mut starts = Vec::new();
    for _ in 0..STARTS {
        let folder = configured();
        starts.push(Server::start(&binary, folder.path(), &client).await.ready);
    }
    report("cold start to ready, empty directory", starts);

    let folder = configured();
    let server = Server::start(&binary, folder.path(), &client).await;
    tokio::time::sleep(IDLE).await;
    println!("{:<42} {:>9.1} MiB", "idle memory (RSS)", server.memory("VmRSS") as f64 / 1024.0);

    follow(&server, folder.path(), &client).await;
    throughput(&server, folder.path(), &client).await;
    println!("{:<42} {:>9.1} MiB", "memory after it, at most (peak RSS)", server.memory("VmHWM") as f64 / 1024.0);
}

fn configured() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let text = "[server]\nlisten = \"127.0.0.1:0\"\n\n[storm]\nincidents = 100\n";
    std::fs::write(folder.path().join("smokejumper.toml"), text).unwrap();
    folder
}

fn alert(n: usize, service: &str, severity: &str) -> Value {
    let mut instance = String::new();
    let _ = write!(instance, "{service}-{n}:8080");
    json!({
        "status": "firing", "fingerprint": format!("{n:016x}"), "startsAt": "2025-11-20T07:00:00Z",
        "endsAt": "0001-01-01T00:00:00Z", "generatorURL": "http://prometheus.example/graph",
        "labels": {"alertname": "HighErrorRate", "service": service, "severity": severity, "instance": instance,
                   "namespace": "shop", "team": "shop"},
        "annotations": {"summary": format!("{service} answers 500 on {instance}")},
    })
}

fn body(group: &str, alerts: &[Value]) -> Value {
    json!({"version": "4", "groupKey": group, "status": "firing", "receiver": "r", "truncatedAlerts": 0, "alerts": alerts})
}

/// Single alerts, some of which open an incident, to the card that first shows each: from just before the request, by the
/// same clock that stamps the card. A card that took another's place before it was looked at counts instead of it.
async fn follow(server: &Server, folder: &Path, client: &reqwest::Client) {
    let reader = Reader::open(&folder.join("data"), Arc::new(WallClock)).await.unwrap();
    let url = format!("{}/alerts/alertmanager", server.base);
    let (mut answered, mut cards) = (Vec::new(), Vec::new());
    for n in 0..FOLLOWED {
        let service = format!("service-{}", n % 50);
        let began = Instant::now();
        let at = WallClock.now();
        let answer = client.post(&url).json(&body(&service, &[alert(n, &service, "critical")])).send().await.unwrap();
        assert_eq!(answer.status(), 200);
        answered.push(began.elapsed());
        cards.push(Duration::from_millis(shown(&reader, &service, at).await.since(at).unsigned_abs()));
    }
    report("alert sent to 200", answered);
    report("alert sent to updated card", cards);
    reader.close().await;
}

/// When the card showed what came after `at`: a card is rendered from the state when it is delivered.
async fn shown(reader: &Reader, service: &str, at: At) -> At {
    let began = Instant::now();
    loop {
        assert!(began.elapsed() < PATIENCE, "no card shows the alert of {service}");
        let mut after = IncidentId(0);
        while let Some(exported) = reader.exported(after).await.unwrap() {
            after = exported.incident.id;
            if exported.incident.service.as_deref() != Some(service) {
                continue;
            }
            let told = |e: &&Entry| matches!(e.fact, Fact::AlertsChanged { .. }) && e.at >= at;
            let Some(decided) = exported.entries.iter().find(told).map(|e| e.at) else { break };
            let cards = exported.outbox.iter().filter(|row| matches!(row.effect, Effect::Card { .. }));
            let settled =
                cards.filter(|row| row.state == "sent" && row.queued_at >= decided).filter_map(|row| row.settled_at);
            if let Some(first) = settled.min() {
                return first;
            }
            break;
        }
        tokio::time::sleep(LOOK).await;
    }
}

async fn throughput(server: &Server, folder: &Path, client: &reqwest::Client) {
    let reader = Reader::open(&folder.join("data"), Arc::new(WallClock)).await.unwrap();
    let url = format!("{}/alerts/alertmanager", server.base);
    let (next, taken) = (Arc::new(AtomicU64::new(1 << 32)), Arc::new(AtomicU64::new(0)));
    let began = Instant::now();
    let mut tasks = Vec::new();
    for sender in 0..SENDERS {
        let (client, url, next, taken) = (client.clone(), url.clone(), Arc::clone(&next), Arc::clone(&taken));
        tasks.push(tokio::spawn(async move {
            let mut latencies = Vec::new();
            while began.elapsed() < STORM {
                let first = usize::try_from(next.fetch_add(IN_ONE as u64, Ordering::Relaxed)).unwrap();
                let service = format!("service-{}", (first / IN_ONE) % 50);
                let alerts: Vec<Value> = (first..first + IN_ONE).map(|n| alert(n, &service, "warning")).collect();
                let started = Instant::now();
                let answer = client.post(&url).json(&body(&format!("s{sender}"), &alerts)).send().await.unwrap();
                if answer.status() == 200 {
                    taken.fetch_add(IN_ONE as u64, Ordering::Relaxed);
                    latencies.push(started.elapsed());
                }
            }
            latencies
        }));
    }
    let mut latencies = Vec::new();
    for task in tasks {
        latencies.extend(task.await.unwrap());
    }
    let taken = taken.load(Ordering::Relaxed);
    let rate = taken as f64 / began.elapsed().as_secs_f64();
    println!("{:<42} {rate:>9.0} alerts/s ({taken} alerts, bodies of {IN_ONE}, {SENDERS} senders)", "accepted");
    report("a delivery of 64 alerts to 200", latencies);
    let waited = Instant::now();
    settle(&reader).await;
    println!("{:<42} {:>9.1} s after the last was accepted", "all decided and shown", waited.elapsed().as_secs_f64());
    let known = reader.alerts(&console_identity("operator"), IncidentId(1), 1).await.unwrap();
    assert!(!known.is_empty());
    reader.close().await;
}

/// Until every delivery had its turn and no card is on its way.
async fn settle(reader: &Reader) {
    loop {
        tokio::time::sleep(Duration::from_millis(50)).await;
        let counts = reader.counts().await.unwrap();
        // What stays pending are timers; the alerts keep firing, so there is none of them.
        if counts.waiting == 0 && counts.outbox.values().sum::<u64>() == 0 {
            return;
        }
    }
}

fn report(what: &str, mut latencies: Vec<Duration>) {
    latencies.sort_unstable();
    let at = |share: usize| latencies.get(latencies.len() * share / 100).copied().unwrap_or_default();
    let ms = |d: Duration| d.as_secs_f64() * 1_000.0;
    let longest = latencies.last().copied().unwrap_or_default();
    println!("{what:<42} p50 {:>8.1} ms   p99 {:>8.1} ms   max {:>8.1} ms", ms(at(50)), ms(at(99)), ms(longest));
}
