//! A disk that fails (F20): `fsync` says EIO, `write` says ENOSPC, at one point after the other. What was answered with a 2xx is
//! there afterwards; after a failed `fsync` nothing more is, and the process ends so that a clean one starts.
//!
//! The kernel's answers are exchanged by strace while the real server runs. `SMOKEJUMPER_DISK_ERRORS=50 cargo test --test it
//! process::disk_error` tries that many points.

use super::bot::{Bot, client};
use super::kill::chosen;
use super::ledger::{Books, settled};
use super::storm::{alert, body};
use crate::world::wait::{DEADLINE, seen};
use serde_json::json;
use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// Points when nothing else is said.
const POINTS: u64 = 6;
/// Deliveries until one of them must have met the error: each is at least one write and one sync.
const DELIVERIES: usize = 200;
/// A server that went on would take this many more.
const MORE: usize = 5;

/// strace, at work on a process. Ended when dropped; the process goes on.
struct Meddler(Child);

impl Meddler {
    /// From the `nth` call of one of these on, each of a thread fails. `None`: strace is not there, or may not look at processes.
    fn on(pid: u32, calls: &str, error: &str, nth: u64) -> Option<Self> {
        let mut child = Command::new("strace")
            .args(["-f", "-p", &pid.to_string(), "-e", &format!("trace={calls}")])
            .args(["-e", &format!("inject={calls}:error={error}:when={nth}+")])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .ok()?;
        let mut said = BufReader::new(child.stderr.take()?);
        let mut line = String::new();
        said.read_line(&mut line).ok()?;
        // The rest is read and thrown away, so that strace never waits for a reader.
        std::thread::spawn(move || {
            let mut rest = [0; 4096];
            while said.read(&mut rest).is_ok_and(|n| n > 0) {}
        });
        if line.contains("attached") {
            return Some(Self(child));
        }
        let _ = child.kill();
        let _ = child.wait();
        None
    }
}

impl Drop for Meddler {
    fn drop(&mut self) {
        // SIGTERM has it let go of the process first.
        let _ = Command::new("kill").arg(self.0.id().to_string()).status();
        let _ = self.0.wait();
    }
}

fn skipped() {
    assert!(std::env::var_os("CI").is_none_or(|_| !may_trace()), "strace is not installed (Debian package strace)");
    println!("skipped: strace is not installed, or may not look at processes here");
}

/// Whether the kernel lets one process look at another one at all.
fn may_trace() -> bool {
    Command::new("strace").args(["-o", "/dev/null", "true"]).status().is_ok_and(|s| s.success())
}

fn one(n: usize) -> serde_json::Value {
    let labels = json!({"alertname": "Down", "service": format!("s{}", n % 5), "severity": "warning"});
    body("g", "firing", &[alert(&format!("fp-{n}"), &labels, "down", "2025-11-20T07:00:00Z")])
}

/// Fingerprints whose delivery was answered with a 2xx, and the answers from the first other one on.
async fn storm(bot: &Bot) -> (BTreeSet<String>, Vec<Option<u16>>) {
    let client = client();
    let (mut taken, mut after) = (BTreeSet::new(), Vec::new());
    for n in 0..DELIVERIES {
        let answer = client.post(bot.address().alerts()).json(&one(n)).send().await.ok().map(|a| a.status().as_u16());
        if answer == Some(200) {
            taken.insert(format!("fp-{n}"));
        }
        if answer != Some(200) || !after.is_empty() {
            after.push(answer);
        }
        if after.len() > MORE {
            break;
        }
    }
    (taken, after)
}

async fn books(bot: &mut Bot) -> BTreeSet<String> {
    bot.start();
    bot.ready().await;
    settled(bot, Duration::from_mins(1)).await;
    assert!(bot.end().await.success());
    let books = Books::of(bot).await;
    books.loose.iter().map(|alert| alert.key.fingerprint.clone()).collect()
}

#[tokio::test]
async fn after_a_failed_sync_nothing_more_is_promised_and_a_clean_start_has_all_that_was() {
    for nth in 1..=chosen("SMOKEJUMPER_DISK_ERRORS").unwrap_or(POINTS) {
        let mut bot = Bot::serving("").await;
        let Some(meddler) = Meddler::on(bot.pid(), "fsync,fdatasync", "EIO", nth) else { return skipped() };
        let (taken, after) = storm(&bot).await;
        assert!(!after.is_empty(), "sync {nth} never failed");
        assert!(after.iter().all(|answer| *answer != Some(200)), "sync {nth}: a 2xx after a failed sync: {after:?}");
        assert!(after.iter().flatten().all(|status| *status == 503), "sync {nth}: {after:?}");
        let status = bot.ended().await;
        assert!(!status.success(), "sync {nth}: whoever watches over it must see that it failed");
        drop(meddler);
        let there = books(&mut bot).await;
        assert!(taken.is_subset(&there), "sync {nth}: lost {:?}", taken.difference(&there).collect::<Vec<_>>());
        bot.assert_calm();
    }
}

#[tokio::test]
async fn a_full_disk_puts_senders_off_and_ends_when_there_is_room_again() {
    for nth in 1..=chosen("SMOKEJUMPER_DISK_ERRORS").unwrap_or(POINTS) {
        let mut bot = Bot::serving("").await;
        let Some(meddler) = Meddler::on(bot.pid(), "pwrite64", "ENOSPC", nth) else { return skipped() };
        let (mut taken, after) = storm(&bot).await;
        assert!(!after.is_empty(), "write {nth} never failed");
        // What needs no new page may still be written.
        assert!(after.iter().flatten().all(|status| [200, 503].contains(status)), "write {nth}: {after:?}");
        drop(meddler);
        let client = client();
        seen("it takes alerts again", DEADLINE, || async {
            let answer = client.post(bot.address().alerts()).json(&one(1_000)).send().await.ok()?;
            (answer.status() == 200).then_some(())
        })
        .await;
        taken.insert("fp-1000".to_owned());
        assert!(bot.end().await.success());
        let there = books(&mut bot).await;
        assert!(taken.is_subset(&there), "write {nth}: lost {:?}", taken.difference(&there).collect::<Vec<_>>());
        bot.assert_calm();
    }
}
