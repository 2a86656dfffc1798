//! The main job, as `smokejumper demo --once` tells it: an alert, evidence, an approved repair that is verified, a
//! postmortem, and a second incident that is answered better. Nothing is told that was not seen.

use crate::world::github::{FakeGitHub, TOKEN};
use crate::world::postgres::{self, Database};
use crate::world::wait::until;
use smokejumper::app::console_identity;
use smokejumper::config::secret::Secret;
use smokejumper::edges::clock::WallClock;
use smokejumper::edges::store::audit::Verified;
use smokejumper::edges::store::location::Location;
use smokejumper::edges::store::reader::Reader;
use smokejumper::flow::identity::Platform;
use smokejumper::flow::incident::{Incident, IncidentId};
use smokejumper::ports::Views as _;
use smokejumper_intents::text::render;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

/// What the issue promises of the narration.
const LINES: usize = 60;
const COLUMNS: usize = 80;

/// Runs the demo in `folder` to its end; what it told. `more` is added to its configuration.
async fn demo(folder: &Path, database: Option<&Database>, more: &str) -> String {
    let (out, err) = (folder.join("out"), folder.join("err"));
    std::fs::write(folder.join("more.toml"), more).unwrap();
    let mut child = Command::new(env!("CARGO_BIN_EXE_smokejumper"))
        .args(["demo", "--once", "--dir", "demo", "--with", "more.toml"])
        .current_dir(folder)
        .env_clear()
        .envs(database.map(|database| ("SMOKEJUMPER_DATABASE_URL", &database.url)))
        .stdin(Stdio::null())
        .stdout(std::fs::File::create(&out).unwrap())
        .stderr(std::fs::File::create(&err).unwrap())
        .spawn()
        .unwrap();
    let status = until("the demo ends", || child.try_wait().unwrap()).await;
    let told = std::fs::read_to_string(out).unwrap();
    assert_eq!(status.code(), Some(0), "{told}{}", std::fs::read_to_string(err).unwrap());
    told
}

/// Without what differs from one run or one calibration to the next: seconds, ports, the demo's folder, percentages.
fn steady(text: &str, folder: &Path) -> String {
    let folder = folder.canonicalize().unwrap().display().to_string();
    let rules = [
        (r"(?m)^ *\d+\.\d s  ", " T.T s  "),
        (r"127\.0\.0\.1:\d+", "127.0.0.1:PORT"),
        // Lines break at any space, also between a number and its unit.
        (r"\b\d+\s+(ms|s|min)\b", "T"),
        (r"\b\d{4}-\d{2}-\d{2}T[\d:]+Z", "TIME"),
        (r"(- INC-1|, due)\s+\(?\d{4}-\d{2}-\d{2}\)?", "$1 DATE"),
        (r"\bin\s+\d+\s+years\s+of", "in N years of"),
        // Where a follow-up lives once a tracker is connected stands beside it.
        (r",\s+acme/ops#\d+", ""),
        (r"\s*\(https://github\.com/acme/ops/issues/\d+\)", ""),
        // How sure it is changes with what memory weighs; that it is, and of what, does not.
        (r"\b\d+%", "P%"),
    ];
    rules.iter().fold(text.replace(&folder, "FOLDER"), |text, (pattern, with)| {
        regex::Regex::new(pattern).unwrap().replace_all(&text, *with).into_owned()
    })
}

/// The card of an incident as the console last showed it, and the incident.
async fn shown(reader: &Reader, number: u32) -> (String, Incident) {
    let ana = console_identity("ana");
    let incident = reader.incident(&ana, IncidentId(number)).await.unwrap().expect("it is there");
    let (card, _) = reader.card(&ana, IncidentId(number), Platform::Console).await.unwrap().expect("it has a card");
    (render(&card.message, COLUMNS), incident)
}

#[tokio::test]
async fn the_second_incident_is_answered_better_than_the_first() {
    told(None, "").await;
}

#[tokio::test]
async fn the_second_incident_is_answered_better_than_the_first_on_postgres() {
    if let Some(database) = postgres::database().await {
        told(Some(database), "").await;
    }
}

/// The same story, word for word, with follow-ups that become issues.
#[tokio::test]
async fn the_second_incident_is_answered_better_than_the_first_with_github() {
    let github = FakeGitHub::start(Arc::new(WallClock)).await;
    let connected = format!(
        "[secrets]\ngithub = \"{TOKEN}\"\n[github]\napi_url = \"{}\"\ntoken = \"github\"\nrepository = \"acme/ops\"\n",
        github.url
    );
    told(None, &connected).await;
    let issues = github.issues("acme/ops");
    assert_eq!(issues.len(), 1, "{issues:#?}");
    assert!(issues[0].body.contains("incident=INC-1 follow-up=F-1"), "{}", issues[0].body);
    assert_eq!(github.violations(), Vec::<String>::new());
}

async fn told(database: Option<Database>, more: &str) {
    let folder = tempfile::tempdir().unwrap();
    let told = demo(folder.path(), database.as_ref(), more).await;
    println!("{told}");
    assert!(told.lines().count() <= LINES, "{} lines", told.lines().count());
    for line in told.lines() {
        assert!(line.chars().count() <= COLUMNS, "{} columns: {line}", line.chars().count());
        assert!(!line.contains('\u{1b}'), "colours are for terminals: {line:?}");
    }
    for step in [
        "GET /checkout answers 500",
        "INC-1",
        "probable cause",
        "who to call",
        "waits for approval: ",
        "refused: ",
        "Bo approves.",
        "was verified",
        "GET /checkout answers 200 again",
        "0 firing",
        "follow-up F-1",
        "postmortem: ",
        "INC-2",
        "it cites INC-1",
        "open follow-up F-1 of INC-1",
        "worked 1 of 1 time",
        "Every step was seen to hold.",
    ] {
        assert!(told.contains(step), "{step:?} is not told:\n{told}");
    }

    let url = database.map(|database| Secret::new(database.url));
    assert_eq!(url.is_some(), !folder.path().join("demo/data/smokejumper.db").exists(), "it is where it should be");
    let location = Location::new(&folder.path().join("demo/data"), url);
    let reader = Reader::open(location, Arc::new(WallClock)).await.unwrap();
    assert!(matches!(reader.verify_chain().await.unwrap(), Verified::Whole { .. }));
    let (first, _) = shown(&reader, 1).await;
    let (second, incident) = shown(&reader, 2).await;
    let suggestion = incident.suggestion.expect("memory was asked");
    let cause = suggestion.causes.first().expect("a cause is named");
    assert!(cause.evidence.iter().any(|(case, _)| case == "INC-1"), "{cause:?}");
    reader.close().await;
    let (first, second) = (steady(&first, folder.path()), steady(&second, folder.path()));
    if more.is_empty() {
        insta::assert_snapshot!("first_card", first);
        insta::assert_snapshot!("second_card", second);
    } else {
        // Word for word: where a link stood, lines break elsewhere.
        let cards = [
            (first, include_str!("snapshots/it__stories__main_job__first_card.snap")),
            (second, include_str!("snapshots/it__stories__main_job__second_card.snap")),
        ];
        for (card, stored) in cards {
            let stored = stored.splitn(3, "---\n").nth(2).unwrap();
            assert_eq!(words(&card), words(stored), "{card}");
        }
    }
}

/// How long it took decides where a line breaks: that is no difference.
#[test]
fn what_differs_is_found_across_lines() {
    for (shown, same) in [
        ("of INC-1, acme/ops#1, open for 368\n    ms", "of INC-1, open for T"),
        ("worked 1 of 1 time, median\n    12 s", "worked 1 of 1 time, median T"),
        ("- INC-1\n      (2026-11-20) checkout", "- INC-1 DATE checkout"),
        ("cancelled, Bo,\n    acme/ops#1, due\n    2026-11-20", "cancelled, Bo, due DATE"),
        ("29 past incidents in 6\n    years of history", "29 past incidents in N years of history"),
    ] {
        assert_eq!(words(&steady(shown, Path::new(env!("CARGO_MANIFEST_DIR")))), words(same));
    }
}

fn words(text: &str) -> Vec<&str> {
    text.split_whitespace().collect()
}
