//! What can be wrong when `serve` starts, and when it must end: each a clear word about what to do, the right exit code,
//! and nothing that was there is deleted.

use super::bot::{Bot, client};
use super::ledger::{Books, settled};
use super::storm::{alert, body};
use super::{err, out, smokejumper};
use crate::world::small::Small;
use crate::world::wait::{DEADLINE, ends, seen};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use sqlx::{AnyConnection, Connection as _};
use std::collections::BTreeMap;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

/// What the data directory holds, byte for byte; a socket has none.
fn contents(dir: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir(dir).into_iter().flatten() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(contents(&path));
        } else {
            found.insert(path.clone(), std::fs::read(&path).unwrap_or_default());
        }
    }
    found
}

/// `serve` must end by itself with exit code 1, and say this on standard error, in at most a few lines, without a panic.
fn refused(folder: &Path, args: &[&str], words: &[&str]) -> String {
    let args: Vec<&str> = [&["serve"][..], args].concat();
    let output = smokejumper(folder, &args);
    let said = err(&output);
    assert_eq!(output.status.code(), Some(1), "{args:?}: {said}");
    for word in words {
        assert!(said.contains(word), "{args:?}: {word:?} is not in {said:?}");
    }
    assert!(!said.contains("panicked") && out(&output).is_empty(), "{args:?}: {said}{}", out(&output));
    let said = said.lines().filter(|line| line.starts_with("smokejumper: ")).collect::<Vec<_>>().join("\n");
    println!("{said}");
    said
}

fn configured(text: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("smokejumper.toml"), text).unwrap();
    folder
}

const ANYWHERE: &str = "[server]\nlisten = \"127.0.0.1:0\"\ndata_dir = \"data\"\n";

fn one_alert(fingerprint: &str) -> Value {
    let labels = json!({"alertname": "CheckoutDown", "service": "checkout", "severity": "critical"});
    body("g", "firing", &[alert(fingerprint, &labels, "checkout is down", "2025-11-20T07:00:00Z")])
}

async fn post(bot: &Bot, fingerprint: &str) -> u16 {
    let answer = client().post(bot.address().alerts()).json(&one_alert(fingerprint)).send().await.unwrap();
    answer.status().as_u16()
}

/// A server that took one alert in, made an incident of it, and ended.
async fn story() -> Bot {
    let mut bot = Bot::serving("").await;
    assert_eq!(post(&bot, "aa11").await, 200);
    settled(&bot, DEADLINE).await;
    assert_eq!(bot.end().await.code(), Some(0), "{}", bot.errors());
    bot
}

#[test]
fn a_port_that_is_taken_is_named() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let at = taken.local_addr().unwrap().to_string();
    let folder = configured(&ANYWHERE.replace("127.0.0.1:0", &at));
    refused(folder.path(), &[], &[&at, "is taken", "listen"]);
    assert!(contents(&folder.path().join("data")).is_empty(), "nothing was made before the port was ours");
}

#[test]
fn a_wrong_configuration_is_told_with_its_place() {
    let folder = configured("[server]\nlissen = \"127.0.0.1:0\"\n");
    refused(folder.path(), &[], &["smokejumper.toml:2:1: error: unknown key `lissen`", "did you mean `listen`?"]);
    let folder = configured("[sevrer]\nlisten = \"127.0.0.1:0\"\n");
    refused(folder.path(), &[], &["smokejumper.toml:1:2: error: unknown table `sevrer`", "did you mean `server`?"]);
    let folder = configured("[server\nlisten = \"127.0.0.1:0\"\n");
    refused(folder.path(), &[], &["smokejumper.toml:1:"]);
    let folder = configured(ANYWHERE);
    std::fs::create_dir(folder.path().join("runbooks")).unwrap();
    let book = "title = \"Say hello\"\nrusk = \"low\"\n[[steps]]\nexec = [\"/bin/true\"]\n";
    std::fs::write(folder.path().join("runbooks/hello.toml"), book).unwrap();
    refused(folder.path(), &[], &["hello.toml:2:1", "rusk", "risk"]);
    assert!(!folder.path().join("data").exists(), "nothing was made");
}

#[test]
fn a_configuration_that_is_not_there_is_named() {
    let folder = tempfile::tempdir().unwrap();
    refused(folder.path(), &["--config", "nowhere.toml"], &["nowhere.toml", "there is no such file", "config.example"]);
    std::fs::write(folder.path().join("bytes.toml"), [0xff, 0xfe, 0x00]).unwrap();
    refused(folder.path(), &["--config", "bytes.toml"], &["bytes.toml", "not UTF-8"]);
    refused(folder.path(), &["--config", "."], &["not a file"]);
}

#[test]
fn a_data_directory_that_cannot_be_used_is_named() {
    let folder = configured(ANYWHERE);
    let data = folder.path().join("data");
    std::fs::write(&data, "a letter").unwrap();
    refused(folder.path(), &[], &["data", "--data-dir"]);
    assert_eq!(std::fs::read_to_string(&data).unwrap(), "a letter");
}

/// Rights do not bind root: as somebody else, where that can be done.
#[test]
fn a_data_directory_that_may_not_be_written_is_named() {
    let folder = configured(ANYWHERE);
    let data = folder.path().join("data");
    std::fs::create_dir(&data).unwrap();
    for (path, mode) in [(folder.path(), 0o755), (data.as_path(), 0o555)] {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    }
    let mut command = if rustix::process::geteuid().is_root() {
        // The build folder may be closed to others: a copy beside the configuration is not.
        let binary = folder.path().join("smokejumper");
        std::fs::copy(env!("CARGO_BIN_EXE_smokejumper"), &binary).unwrap();
        let mut command = Command::new("setpriv");
        command.args(["--reuid=65534", "--regid=65534", "--clear-groups"]).arg(binary);
        command
    } else {
        Command::new(env!("CARGO_BIN_EXE_smokejumper"))
    };
    let output = command.arg("serve").current_dir(folder.path()).env_clear().env("PATH", "/usr/bin:/bin").output();
    let Ok(output) = output else {
        println!("skipped: there is no setpriv here");
        return;
    };
    let said = err(&output);
    if said.starts_with("setpriv:") {
        println!("skipped: {said}");
        return;
    }
    println!("{said}");
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("may not write") && said.contains("--data-dir") && !said.contains("panicked"), "{said}");
    assert!(contents(&data).is_empty());
}

#[tokio::test]
async fn a_full_disk_is_said_and_the_start_succeeds_when_there_is_room() {
    let Some(small) = Small::mount(8) else { return };
    let bot = story().await;
    let data = small.path().join("data");
    std::fs::create_dir(&data).unwrap();
    for (path, bytes) in contents(&bot.data()) {
        let to = data.join(path.strip_prefix(bot.data()).unwrap());
        std::fs::create_dir_all(to.parent().unwrap()).unwrap();
        std::fs::write(to, bytes).unwrap();
    }
    let filler = small.path().join("filler");
    let full = std::fs::write(&filler, vec![b'x'; 16 * 1024 * 1024]);
    assert!(full.is_err(), "the disk should be full");
    let before = std::fs::read(data.join("smokejumper.db")).unwrap();
    let arg = data.display().to_string();
    let said = refused(&bot.path(""), &["--data-dir", &arg], &[]);
    assert!(said.contains("full") || said.contains("no space"), "{said}");
    assert!(said.contains("free"), "{said}");
    assert!(std::fs::read(data.join("smokejumper.db")).unwrap() == before, "the database was touched");
    std::fs::remove_file(filler).unwrap();
    let output = smokejumper(&bot.path(""), &["export", "--data-dir", &arg, "--quiet"]);
    assert_eq!((output.status.code(), out(&output).lines().count()), (Some(0), 1), "{}", err(&output));
}

#[tokio::test]
async fn a_locked_database_is_said_and_goes_on_by_itself() {
    let mut bot = story().await;
    let mut other = intruder(&bot.data()).await;
    sqlx::raw_sql("PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE; UPDATE meta SET value = value")
        .execute(&mut other)
        .await
        .unwrap();
    refused(&bot.path(""), &["--data-dir", "data"], &["another program", "goes on when that lets go"]);
    sqlx::raw_sql("ROLLBACK").execute(&mut other).await.unwrap();
    other.close().await.unwrap();
    bot.start();
    bot.ready().await;

    // The same while it runs: senders are told to come again, and the moment the lock is gone they are taken in.
    let mut other = intruder(&bot.data()).await;
    sqlx::raw_sql("BEGIN IMMEDIATE; UPDATE meta SET value = value").execute(&mut other).await.unwrap();
    assert_eq!(post(&bot, "bb22").await, 503);
    let (status, said) = readiness(&bot).await;
    assert!(status == 503 && said.contains("another program"), "{status}: {said}");
    sqlx::raw_sql("ROLLBACK").execute(&mut other).await.unwrap();
    other.close().await.unwrap();
    // Though nobody sends anything to a server that is not ready, it finds out.
    seen("it is ready again", DEADLINE, || async { (readiness(&bot).await.0 == 200).then_some(()) }).await;
    seen("it is taken in now", DEADLINE, || async { (post(&bot, "bb22").await == 200).then_some(()) }).await;
    settled(&bot, DEADLINE).await;
    assert_eq!(bot.end().await.code(), Some(0), "{}", bot.errors());
    bot.assert_calm();
    let books = Books::of(&bot).await;
    books.assert_one_of_each();
    assert_eq!(books.alerts().count(), 2);
}

#[tokio::test]
async fn a_server_whose_turns_have_stopped_is_not_ready() {
    let mut bot = story().await;
    bot.start();
    bot.ready().await;
    let mut other = intruder(&bot.data()).await;
    let (young, old) = ("CAST(unixepoch() AS BIGINT) * 1000", "(CAST(unixepoch() AS BIGINT) - 31) * 1000");
    for (at, ready) in [(young, 200), (old, 503)] {
        // No turn takes what it cannot read.
        let sql = format!(
            "INSERT INTO inbox (id, source, key, at, event, epoch) \
             VALUES (1000000, 'am', 'stuck', {at}, '{{}}', 0) ON CONFLICT (id) DO UPDATE SET at = {at}"
        );
        sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).execute(&mut other).await.unwrap();
        let said = seen("it says so", DEADLINE, || async {
            let (status, said) = readiness(&bot).await;
            (status == ready).then_some(said)
        })
        .await;
        assert!(ready == 200 || said.contains("the oldest has waited 3"), "{said}");
    }
    sqlx::raw_sql("DELETE FROM inbox WHERE key = 'stuck'").execute(&mut other).await.unwrap();
    other.close().await.unwrap();
    seen("it is ready again", DEADLINE, || async { (readiness(&bot).await.0 == 200).then_some(()) }).await;
    assert_eq!(bot.end().await.code(), Some(0), "{}", bot.errors());
}

async fn readiness(bot: &Bot) -> (u16, String) {
    let answer = client().get(format!("{}/readyz", bot.address().base())).send().await.unwrap();
    (answer.status().as_u16(), answer.text().await.unwrap())
}

async fn intruder(data: &Path) -> AnyConnection {
    sqlx::any::install_default_drivers();
    AnyConnection::connect(&format!("sqlite://{}?mode=rw", data.join("smokejumper.db").display())).await.unwrap()
}

#[tokio::test]
async fn a_damaged_database_is_refused_and_left_as_it_is() {
    let bot = story().await;
    let path = bot.data().join("smokejumper.db");
    let whole = std::fs::read(&path).unwrap();
    let flipped = {
        let mut bytes = whole.clone();
        for byte in &mut bytes[4096..3 * 4096] {
            *byte ^= 0xff;
        }
        bytes
    };
    let damages = [
        ("flipped", flipped, "is damaged"),
        ("truncated", whole[..whole.len() / 2].to_vec(), "is damaged"),
        ("of another kind", b"-----BEGIN LETTER-----\nDear".to_vec(), "is not a SQLite database"),
        ("empty", Vec::new(), "is empty"),
    ];
    for (how, bytes, words) in damages {
        std::fs::write(&path, &bytes).unwrap();
        let before = contents(&bot.data());
        let said = refused(&bot.path(""), &["--data-dir", "data"], &["smokejumper.db", words, "backup"]);
        let after = contents(&bot.data());
        assert_eq!(after.get(&path), Some(&bytes), "{how}");
        for (file, bytes) in &before {
            // Who looks last, SQLite's shared memory and an empty log hold nothing of anybody's.
            let scratch = bytes.is_empty() || file.ends_with("lock") || file.ends_with("smokejumper.db-shm");
            let same = scratch || after.get(file) == Some(bytes);
            assert!(same, "{how}: {} was touched: {said}", file.display());
        }
    }
    std::fs::remove_file(&path).unwrap();
    refused(&bot.path(""), &["--data-dir", "data"], &["smokejumper.db is missing", "backup"]);
    assert!(!path.exists(), "none was made in its place");
    std::fs::write(&path, &whole).unwrap();
    assert_eq!(Books::of(&bot).await.incidents.len(), 1, "and with the right file all is there");
}

#[tokio::test]
async fn a_damaged_index_is_rebuilt_and_no_reason_not_to_start() {
    let mut bot = story().await;
    let index = bot.data().join("index");
    let files: Vec<PathBuf> = contents(&index).into_keys().collect();
    assert!(!files.is_empty());
    for damage in ["empty", "rubbish", "gone", "a file in its place"] {
        match damage {
            "empty" => files.iter().for_each(|f| std::fs::write(f, "").unwrap()),
            "rubbish" => files.iter().for_each(|f| std::fs::write(f, "{\"rubbish\": [").unwrap()),
            "gone" => std::fs::remove_dir_all(&index).unwrap(),
            _ => {
                std::fs::remove_dir_all(&index).unwrap();
                std::fs::write(&index, "a letter").unwrap();
            }
        }
        bot.start();
        bot.ready().await;
        assert_eq!(post(&bot, &format!("cc{}", damage.len())).await, 200, "{damage}");
        settled(&bot, DEADLINE).await;
        assert_eq!(bot.end().await.code(), Some(0), "{damage}: {}", bot.errors());
        bot.assert_calm();
    }
    assert_eq!(Books::of(&bot).await.incidents.len(), 1);
}

#[tokio::test]
async fn a_second_process_is_told_who_has_the_directory() {
    let mut bot = Bot::serving("").await;
    let pid = format!("pid {}", bot.pid());
    refused(&bot.path(""), &["--data-dir", "data"], &["another smokejumper", &pid, "--data-dir"]);
    assert_eq!(post(&bot, "aa11").await, 200, "the first goes on");
    settled(&bot, DEADLINE).await;
    assert_eq!(bot.end().await.code(), Some(0), "{}", bot.errors());
    assert_eq!(Books::of(&bot).await.incidents.len(), 1);
}

#[tokio::test]
async fn sigterm_answers_what_is_under_way_and_ends_with_0() {
    let mut bot = Bot::serving("").await;
    let at = bot.address().base().replace("http://", "");
    let text = one_alert("aa11").to_string();
    let head = format!(
        "POST /alerts/alertmanager HTTP/1.1\r\nHost: {at}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\
         Expect: 100-continue\r\n\r\n",
        text.len()
    );
    let mut stream = tokio::net::TcpStream::connect(&at).await.unwrap();
    stream.write_all(head.as_bytes()).await.unwrap();
    // "100 Continue" says that the request is being answered; half of its body comes before SIGTERM, half after.
    let mut go_on = [0_u8; 25];
    ends("the server wants the body", stream.read_exact(&mut go_on)).await.unwrap();
    assert!(go_on.starts_with(b"HTTP/1.1 100"), "{}", String::from_utf8_lossy(&go_on));
    let (first, second) = text.split_at(text.len() / 2);
    stream.write_all(first.as_bytes()).await.unwrap();
    bot.ask_to_end();
    seen("no new connection is taken", DEADLINE, || async {
        tokio::net::TcpStream::connect(&at).await.is_err().then_some(())
    })
    .await;
    stream.write_all(second.as_bytes()).await.unwrap();
    let mut answer = String::new();
    ends("the answer comes", stream.read_to_string(&mut answer)).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer:?}");
    assert_eq!(bot.ended().await.code(), Some(0), "{}", bot.errors());
    bot.assert_calm();
    assert!(!bot.data().join("smokejumper.sock").exists(), "the socket goes with the server");
    // What was acknowledged is there, and becomes an incident with the next start.
    bot.start();
    bot.ready().await;
    settled(&bot, DEADLINE).await;
    assert_eq!(bot.end().await.code(), Some(0));
    assert_eq!(Books::of(&bot).await.incidents.len(), 1);
}

#[test]
fn ctrl_c_ends_it_too() {
    let folder = configured(ANYWHERE);
    let mut child = Command::new(env!("CARGO_BIN_EXE_smokejumper"))
        .arg("serve")
        .current_dir(folder.path())
        .env_clear()
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdout = child.stdout.take().unwrap();
    // It prints its addresses when it serves.
    let mut some = [0_u8; 1];
    std::io::Read::read_exact(&mut stdout, &mut some).unwrap();
    kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", err(&output));
}
