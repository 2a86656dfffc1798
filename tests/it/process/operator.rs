//! The operator's commands on the real binary: doctor, audit, purge, forget, completions, man.

use super::bot::{Bot, client};
use super::ledger::settled;
use super::monitor::critical;
use super::person::Person;
use super::{err, out, smokejumper};
use crate::world::wait::DEADLINE;
use serde_json::Value;
use sqlx::Connection as _;
use std::process::Output;

fn told(bot: &Bot, args: &[&str]) -> Output {
    smokejumper(&bot.path(""), &[args, &["--config", "smokejumper.toml", "--data-dir", "data"]].concat())
}

const SECRET: &str = "canary-4b8f11";

/// One incident that has ended, and a server that goes on.
async fn story() -> Bot {
    let config = format!(
        "[[person]]\nid = \"ana\"\nname = \"Ana Ruiz\"\nright = \"admin\"\n[secrets]\nsome_token = \"{SECRET}\"\n"
    );
    let bot = Bot::serving(&config).await;
    let answer = client().post(bot.address().alerts()).json(&critical("aa11", "2025-11-20T07:00:00Z")).send().await;
    assert_eq!(answer.unwrap().status(), 200);
    settled(&bot, DEADLINE).await;
    let person = Person::sign_in(&bot).await;
    person.say(1, "note the canary-note was here").await;
    person.say(1, "resolve").await;
    settled(&bot, DEADLINE).await;
    bot
}

#[tokio::test]
async fn an_operator_looks_purges_and_forgets() {
    let mut bot = story().await;
    let doctor = told(&bot, &["doctor"]);
    let page = out(&doctor);
    println!("{page}");
    assert_eq!(doctor.status.code(), Some(0), "{page}{}", err(&doctor));
    assert!(page.lines().all(|line| line.chars().count() <= 80), "{page}");
    for words in [
        "configuration",
        "set: some_token",
        "MiB are free",
        "SQLite 3.",
        "runs",
        "alertmanager: less than a minute ago",
    ] {
        assert!(page.contains(words), "{words} is not in\n{page}");
    }
    assert!(!page.contains(SECRET), "{page}");
    let json: Value = serde_json::from_str(&out(&told(&bot, &["doctor", "--json"]))).unwrap();
    assert_eq!(json["ok"], true);

    let verified = told(&bot, &["audit", "verify"]);
    assert!(verified.status.success() && out(&verified).starts_with("whole: "), "{}{}", out(&verified), err(&verified));
    let trail = out(&told(&bot, &["audit", "export"]));
    let entries: Vec<Value> = trail.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(entries.iter().zip(1..).all(|(entry, seq)| entry["seq"] == seq), "in the order of the chain");
    assert!(trail.contains("canary-note"));
    let csv = told(&bot, &["audit", "export", "--format", "csv", "--output", "trail.csv"]);
    assert!(csv.status.success(), "{}", err(&csv));
    let sheet = std::fs::read_to_string(bot.path("trail.csv")).unwrap();
    assert_eq!(sheet.lines().count(), entries.len() + 1);

    // Not by mistake, and not before it is said what.
    let purge = told(&bot, &["purge", "INC-1"]);
    assert_eq!(purge.status.code(), Some(3), "{}", err(&purge));
    let dry = told(&bot, &["purge", "--older-than", "30d", "--dry-run"]);
    assert!(dry.status.success() && err(&dry).contains("nothing to purge"), "{}", err(&dry));
    // Of a stranger nobody knows what to look for.
    let forget = told(&bot, &["forget", "person", "zoe", "--yes"]);
    assert!(!forget.status.success() && err(&forget).contains("--account"), "{}", err(&forget));
    let forget = told(&bot, &["forget", "person", "zoe", "--account", "slack/U1", "--yes"]);
    assert!(!forget.status.success() && err(&forget).contains("platform/workspace/id"), "{}", err(&forget));
    let forget = told(&bot, &["forget", "person", "zoe", "--account", "console/local/zoe", "--yes"]);
    assert!(forget.status.success(), "{}", err(&forget));
    let forget = told(&bot, &["forget", "person", "ana", "--yes"]);
    assert!(forget.status.success() && err(&forget).contains("forgotten-"), "{}", err(&forget));
    let trail = out(&told(&bot, &["audit", "export"]));
    assert!(!trail.contains("\"ana\"") && trail.contains("canary-note"), "{trail}");
    let purge = told(&bot, &["purge", "INC-1", "--yes"]);
    assert!(purge.status.success(), "{}", err(&purge));
    println!("{}", err(&purge));
    assert!(!out(&told(&bot, &["audit", "export"])).contains("canary-note"));
    assert!(!out(&told(&bot, &["export"])).contains("canary-note"));
    let verified = told(&bot, &["audit", "verify"]);
    assert!(verified.status.success() && out(&verified).contains("erased on record"), "{}", out(&verified));
    // The engine goes on with what is stored now.
    let answer = client().post(bot.address().alerts()).json(&critical("bb22", "2025-11-20T08:00:00Z")).send().await;
    assert_eq!(answer.unwrap().status(), 200);
    settled(&bot, DEADLINE).await;
    assert_eq!(bot.end().await.code(), Some(0), "{}", bot.errors());
    bot.assert_calm();

    // Without a server: the same, by the one who has the directory.
    let again = told(&bot, &["purge", "INC-1", "--yes"]);
    assert!(again.status.success() && err(&again).contains("0 entries"), "{}", err(&again));
    let doctor = told(&bot, &["doctor", "--quiet"]);
    assert!(doctor.status.success() && out(&doctor).contains("none runs with this data directory"), "{}", out(&doctor));

    // Somebody with the database file: said, with the row, by the exit code.
    let path = bot.data().join("smokejumper.db");
    sqlx::any::install_default_drivers();
    let mut other = sqlx::AnyConnection::connect(&format!("sqlite://{}?mode=rw", path.display())).await.unwrap();
    sqlx::raw_sql("UPDATE journal SET at = at + 1 WHERE seq = 2").execute(&mut other).await.unwrap();
    other.close().await.unwrap();
    let verified = told(&bot, &["audit", "verify"]);
    assert_eq!(verified.status.code(), Some(1));
    assert!(err(&verified).contains("first bad entry is 2"), "{}", err(&verified));
    std::fs::write(&path, "a letter").unwrap();
    let doctor = told(&bot, &["doctor"]);
    assert_eq!(doctor.status.code(), Some(1), "{}", out(&doctor));
    assert!(out(&doctor).contains("BROKEN") && out(&doctor).contains("is not a SQLite"), "{}", out(&doctor));
}

#[tokio::test]
async fn what_ended_longer_ago_is_purged() {
    let mut bot = Bot::serving("[retention]\nincidents = \"30d\"\n").await;
    let answer = client().post(bot.address().alerts()).json(&critical("aa11", "2025-11-20T07:00:00Z")).send().await;
    assert_eq!(answer.unwrap().status(), 200);
    settled(&bot, DEADLINE).await;
    let mut over = critical("aa11", "2025-11-20T07:00:00Z");
    (over["alerts"][0]["status"], over["alerts"][0]["endsAt"]) = ("resolved".into(), "2025-11-20T07:30:00Z".into());
    let answer = client().post(bot.address().alerts()).json(&over).send().await;
    assert_eq!(answer.unwrap().status(), 200);
    settled(&bot, DEADLINE).await;
    Person::sign_in(&bot).await.say(1, "resolve").await;
    settled(&bot, DEADLINE).await;
    assert_eq!(bot.end().await.code(), Some(0));
    assert!(out(&told(&bot, &["export"])).contains("checkout is down"), "it is young");
    let corrected = told(&bot, &["purge", "--older-than", "1ms", "--dry-run"]);
    assert!(err(&corrected).contains("INC-1"), "{}", err(&corrected));
    let purged = told(&bot, &["purge", "--older-than", "1ms", "--yes"]);
    assert!(purged.status.success(), "{}", err(&purged));
    assert!(!out(&told(&bot, &["export"])).contains("checkout is down"), "nothing of it is left");
}

#[test]
fn completions_and_manual_are_made_from_the_command_line() {
    let folder = tempfile::tempdir().unwrap();
    for shell in ["bash", "zsh", "fish"] {
        let script = smokejumper(folder.path(), &["completions", shell]);
        assert!(script.status.success() && out(&script).contains("confirm-restored"), "{shell}");
    }
    let page = smokejumper(folder.path(), &["man"]);
    assert!(page.status.success() && out(&page).contains(".TH smokejumper"), "{}", out(&page));
    assert!(smokejumper(folder.path(), &["man", "pages"]).status.success());
    assert!(folder.path().join("pages/smokejumper-backup.1").exists());
}
