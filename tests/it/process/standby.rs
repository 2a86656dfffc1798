//! Two servers with one Postgres: one works, the other stands by, takes over within fifteen seconds, and whoever comes back
//! from a long sleep changes nothing any more.

use super::bot::{Bot, client};
use super::ledger::{Books, settled};
use super::storm::{alert, body};
use crate::world::postgres;
use crate::world::wait::{DEADLINE, seen};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;
use smokejumper::edges::store::location::Location;
use sqlx::{Connection as _, Row as _};
use std::process::Stdio;
use std::time::{Duration, Instant};

/// Promised from the death of one to the readiness of the other.
const TAKEOVER: Duration = Duration::from_secs(15);

async fn post(bot: &Bot, fingerprint: &str) -> (u16, Option<String>) {
    let labels = json!({"alertname": "CheckoutDown", "service": "checkout", "severity": "critical"});
    let alert = body("g", "firing", &[alert(fingerprint, &labels, "checkout is down", "2025-11-20T07:00:00Z")]);
    let answer = client().post(bot.address().alerts()).json(&alert).send().await.unwrap();
    let again = answer.headers().get("retry-after").map(|value| value.to_str().unwrap().to_owned());
    (answer.status().as_u16(), again)
}

async fn asked(bot: &Bot, path: &str) -> (u16, String) {
    let answer = client().get(format!("{}/{path}", bot.address().base())).send().await.unwrap();
    (answer.status().as_u16(), answer.text().await.unwrap())
}

/// Two hosts with the same database and the same journal's key; the first one serves.
async fn pair() -> Option<(Bot, Bot)> {
    let database = postgres::database().await?;
    let (mut first, second) = (Bot::on(Some(database.clone()), ""), Bot::on(Some(database), ""));
    first.start();
    first.ready().await;
    share_key(&first.location(), &second.location());
    Some((first, second))
}

fn share_key(from: &Location, to: &Location) {
    std::fs::create_dir_all(&to.dir).unwrap();
    std::fs::copy(from.dir.join("journal.key"), to.dir.join("journal.key")).unwrap();
}

async fn takes_over(bot: &mut Bot) -> Duration {
    let began = Instant::now();
    bot.ready().await;
    let took = began.elapsed();
    println!("took over after {took:?}");
    assert!(took < TAKEOVER, "{took:?}");
    took
}

fn signal(bot: &Bot, signal: Signal) {
    kill_process(Pid::from_raw(i32::try_from(bot.pid()).unwrap()).unwrap(), signal).unwrap();
}

/// Rows by the epoch that wrote them, of every table that says so.
async fn rows_of(bot: &Bot, epoch: i64) -> i64 {
    let mut connection = postgres::connect(&bot.database().unwrap().url).await;
    let mut rows = 0;
    for table in ["inbox", "journal", "outbox", "alerts", "snapshots", "desk"] {
        let sql = format!("SELECT COUNT(*) FROM {table} WHERE epoch = {epoch}");
        let row = sqlx::query(sqlx::AssertSqlSafe(sql)).fetch_one(&mut connection).await.unwrap();
        rows += row.get::<i64, _>(0);
    }
    connection.close().await.unwrap();
    rows
}

async fn epoch(bot: &Bot) -> i64 {
    let mut connection = postgres::connect(&bot.database().unwrap().url).await;
    let row = sqlx::query("SELECT epoch FROM lease").fetch_one(&mut connection).await.unwrap();
    connection.close().await.unwrap();
    row.get(0)
}

#[tokio::test]
async fn a_standby_waits_and_takes_over_when_the_other_dies_or_ends() {
    let Some((mut first, mut second)) = pair().await else { return };
    assert_eq!(post(&first, "aa11").await.0, 200);
    settled(&first, DEADLINE).await;

    second.start();
    second.standing_by().await;
    assert_eq!(asked(&second, "livez").await.0, 200);
    let (status, why) = asked(&second, "readyz").await;
    assert!(status == 503 && why.contains("standby"), "{status} {why}");
    assert!(why.contains(&format!("pid {}", first.pid())), "it says who works: {why}");
    assert_eq!(post(&second, "bb22").await, (503, Some("5".to_owned())));
    assert_eq!(asked(&second, "").await.0, 503);
    assert_eq!(post(&first, "bb22").await.0, 200, "the first goes on");

    first.kill();
    takes_over(&mut second).await;
    assert_eq!(post(&second, "cc33").await.0, 200);
    settled(&second, DEADLINE).await;

    // Back as a standby; this time the other ends by itself, and says so.
    first.start();
    first.standing_by().await;
    assert_eq!(second.end().await.code(), Some(0), "{}", second.errors());
    let took = takes_over(&mut first).await;
    assert!(took < Duration::from_secs(8), "who let go need not be waited for: {took:?}");
    assert_eq!(post(&first, "dd44").await.0, 200);
    settled(&first, DEADLINE).await;

    // A standby that is told to stop stops.
    second.start();
    second.standing_by().await;
    assert_eq!(second.end().await.code(), Some(0));
    assert_eq!(first.end().await.code(), Some(0), "{}", first.errors());
    let books = Books::of(&first).await;
    books.assert_one_of_each();
    assert_eq!((books.incidents.len(), books.alerts().count()), (1, 4));
    for bot in [&first, &second] {
        bot.assert_calm();
        assert!(!bot.errors().contains(postgres::PASSWORD), "{}", bot.errors());
    }
    assert!(!first.errors().contains("restored mode") && !second.errors().contains("restored mode"));
}

#[tokio::test]
async fn a_leader_that_wakes_up_too_late_changes_nothing_and_ends() {
    let Some((mut first, mut second)) = pair().await else { return };
    assert_eq!(post(&first, "aa11").await.0, 200);
    settled(&first, DEADLINE).await;
    let old = epoch(&first).await;
    second.start();
    second.standing_by().await;

    signal(&first, Signal::STOP);
    takes_over(&mut second).await;
    let new = epoch(&second).await;
    assert!(new > old);
    assert_eq!(post(&second, "bb22").await.0, 200);
    settled(&second, DEADLINE).await;
    let before = rows_of(&second, old).await;

    // While it slept somebody sent it something, which it must not take in.
    let late = tokio::spawn({
        let url = first.address().alerts();
        async move { client().post(url).json(&json!({"alerts": []})).send().await.map(|a| a.status().as_u16()) }
    });
    signal(&first, Signal::CONT);
    assert_eq!(first.ended().await.code(), Some(1), "{}", first.errors());
    assert!(first.errors().contains("took this database over"), "{}", first.errors());
    let _ = late.await;
    assert_eq!((epoch(&second).await, rows_of(&second, old).await), (new, before));
    seen("the new one goes on", DEADLINE, || async { (asked(&second, "readyz").await.0 == 200).then_some(()) }).await;
    assert_eq!(second.end().await.code(), Some(0), "{}", second.errors());
    let books = Books::of(&second).await;
    books.assert_one_of_each();
    assert_eq!(books.alerts().count(), 2);
    first.assert_calm();
    second.assert_calm();
}

/// Of compose or Kubernetes nobody knows what starts first.
#[tokio::test]
async fn a_server_waits_for_its_database_to_come_up() {
    let Some(programs) = postgres::programs() else { return };
    let folder = postgres::folder();
    let cluster = postgres::Cluster::start_in(folder.clone(), &programs, &["-c", "fsync=off"]);
    let database = cluster.database().await;
    cluster.stop();
    let mut bot = Bot::on(Some(database), "");
    bot.start();
    bot.standing_by().await;
    let (status, why) = asked(&bot, "readyz").await;
    assert!(status == 503 && why.contains("database"), "{why}");
    let cluster = postgres::Cluster::start_in(folder, &programs, &["-c", "fsync=off"]);
    bot.ready().await;
    assert_eq!(post(&bot, "aa11").await.0, 200);
    // It goes away, and comes back, while we run: no restart of ours is needed.
    let folder = cluster.stop();
    seen("it is said that nothing can be taken in", DEADLINE, || async {
        (post(&bot, "bb22").await.0 == 503 && asked(&bot, "readyz").await.0 == 503).then_some(())
    })
    .await;
    let cluster = postgres::Cluster::start_in(folder, &programs, &["-c", "fsync=off"]);
    seen("it is taken in", DEADLINE, || async { (post(&bot, "bb22").await.0 == 200).then_some(()) }).await;
    settled(&bot, DEADLINE).await;
    assert_eq!(bot.end().await.code(), Some(0), "{}", bot.errors());
    let books = Books::of(&bot).await;
    books.assert_one_of_each();
    assert_eq!(books.alerts().count(), 2);
    bot.assert_calm();
    drop(cluster);
}

/// A row as another process puts it into the inbox: by its own connection, under the lease row, with the head's next number.
async fn tick(bot: &Bot, key: &str, rings: bool) {
    let mut connection = postgres::connect(&bot.database().unwrap().url).await;
    let notify = if rings { "NOTIFY smokejumper_inbox;" } else { "" };
    let sql = format!(
        "BEGIN; SELECT CAST(epoch AS TEXT) FROM lease FOR UPDATE; UPDATE head SET inbox = inbox + 1; \
         INSERT INTO inbox (id, source, key, at, event, epoch) SELECT inbox, 'elsewhere', '{key}', \
         CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT), '{{\"event\":\"tick\"}}', 0 FROM head; {notify} COMMIT"
    );
    sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
}

async fn processed(bot: &Bot, key: &str) -> Duration {
    let began = Instant::now();
    seen("it has its turn", DEADLINE, || async {
        let mut connection = postgres::connect(&bot.database().unwrap().url).await;
        let sql = "SELECT COUNT(*) FROM inbox WHERE key = $1 AND processed IS NOT NULL";
        let row = sqlx::query(sql).bind(key).fetch_one(&mut connection).await.unwrap();
        connection.close().await.unwrap();
        (row.get::<i64, _>(0) == 1).then_some(())
    })
    .await;
    began.elapsed()
}

#[tokio::test]
async fn what_another_process_puts_into_the_inbox_is_seen_at_once_or_soon() {
    let Some(database) = postgres::database().await else { return };
    let mut bot = Bot::on(Some(database), "");
    bot.start();
    bot.ready().await;
    let mut took = Vec::new();
    for n in 0..5 {
        tick(&bot, &format!("rung-{n}"), true).await;
        took.push(processed(&bot, &format!("rung-{n}")).await);
    }
    tick(&bot, "not rung", false).await;
    let unrung = processed(&bot, "not rung").await;
    println!("rung: {took:?}; not rung: {unrung:?}");
    took.sort_unstable();
    // The engine's own look every five seconds cannot be what all of them owe it to.
    assert!(took[2] < Duration::from_secs(1), "{took:?}");
    assert!(unrung < Duration::from_secs(10), "{unrung:?}");
    assert_eq!(bot.end().await.code(), Some(0), "{}", bot.errors());
    bot.assert_calm();
}

/// `pg_receivewal` is a standby as far as the primary can tell.
#[tokio::test]
async fn what_a_failover_would_lose_is_said_at_the_start() {
    let Some(programs) = postgres::programs() else { return };
    let folder = postgres::folder();
    let cluster = postgres::Cluster::start_in(folder.clone(), &programs, &["-c", "fsync=off"]);
    let mut bot = Bot::on(Some(cluster.database().await), "");
    let mut standby = postgres::unprivileged(&programs.join("pg_receivewal"))
        .args(["--username", postgres::USER, "--no-loop", "--host"])
        .arg(&folder)
        .arg("--directory")
        .arg(&folder)
        .env("PGPASSWORD", postgres::PASSWORD)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let url = bot.database().unwrap().url.clone();
    seen("a standby is there", DEADLINE, || async {
        let mut connection = postgres::connect(&url).await;
        let row = sqlx::query("SELECT COUNT(*) FROM pg_stat_replication").fetch_one(&mut connection).await.unwrap();
        connection.close().await.unwrap();
        (row.get::<i64, _>(0) == 1).then_some(())
    })
    .await;
    bot.start();
    bot.ready().await;
    assert_eq!(bot.end().await.code(), Some(0));
    assert!(bot.errors().contains("synchronous_standby_names is empty"), "{}", bot.errors());
    standby.kill().unwrap();
    standby.wait().unwrap();
    for (mode, words) in [("local", "synchronous_commit = local"), ("off", "synchronous_commit = off")] {
        assert!(!bot.errors().contains(words), "{}", bot.errors());
        let mut connection = postgres::connect(&url).await;
        for sql in [format!("ALTER SYSTEM SET synchronous_commit = {mode}"), "SELECT pg_reload_conf()".to_owned()] {
            sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).execute(&mut connection).await.unwrap();
        }
        connection.close().await.unwrap();
        seen("it is in force", DEADLINE, || async {
            let mut connection = postgres::connect(&url).await;
            let row =
                sqlx::query("SELECT current_setting('synchronous_commit')").fetch_one(&mut connection).await.unwrap();
            connection.close().await.unwrap();
            (row.get::<String, _>(0) == mode).then_some(())
        })
        .await;
        bot.start();
        bot.ready().await;
        assert_eq!(bot.end().await.code(), Some(0));
        assert!(bot.errors().contains(words), "{}", bot.errors());
    }
    drop(cluster);
}
