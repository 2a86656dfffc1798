//! A backup holds everything of either database and fills either one; what is damaged, changed, or would cover something is
//! refused before anything is written; and what was restored does nothing by itself.

use super::facts::*;
use super::site::{Site, still};
use smokejumper::edges::store::audit::Verified;
use smokejumper::edges::store::backup::{restore, take};
use smokejumper::edges::store::reader::Reader;
use smokejumper::flow::desk::Desk;
use smokejumper::flow::fact::{Fact, Room};
use smokejumper::flow::identity::Platform;
use smokejumper::flow::incident::{Incident, IncidentId};
use smokejumper::ports::{Commit, Inbox as _, Journal as _, Outbox as _, Progress, StoreError, Views as _};
use sqlx::{Connection as _, Row as _};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

fn room(incident: u32) -> Room {
    Room { id: format!("C{incident}"), name: "inc".to_owned(), link: None, private: false }
}

/// Something of every table, with the characters that break careless formats.
async fn fill(site: &Site) {
    let store = site.open().await.unwrap();
    for incident in 1..=3 {
        let entries = vec![
            declared(incident),
            noted(incident, 2),
            entry(incident, 3, Fact::RoomOpened { platform: Platform::Slack, room: room(incident) }),
        ];
        let incidents = vec![Incident::fold(IncidentId(incident), &entries)];
        let desk = Some(Desk { version: u64::from(incident), last: incident, ..Desk::default() });
        let alerts = vec![alert(&format!("f{incident}"), Some(incident)), alert(&format!("loose{incident}"), None)];
        let effects = vec![(
            format!("s{incident}"),
            say(incident, "two\nlines, \u{1F525} \"quoted\" \\ 'x'; DROP TABLE journal"),
        )];
        store.commit(vec![Commit { entries, alerts, effects, incidents, desk, ..Commit::default() }]).await.unwrap();
    }
    store.commit(vec![queue_run("r1", 1)]).await.unwrap();
    for row in store.claim(NOW, 2).await.unwrap().into_iter().filter(|row| row.op == "s1") {
        let said = Some(message("told"));
        store.settle(row.id, Progress::Sent { remote: Some("C1".to_owned()), said }, None).await.unwrap();
    }
    store.accept(vec![arrival("alerts/am", "1"), arrival("alerts/am", "2")]).await.unwrap();
    let letter = smokejumper::ports::DeadLetter {
        source: "alerts/am".to_owned(),
        at: NOW,
        why: "torn".to_owned(),
        sample: "{".to_owned(),
    };
    store.bury(letter).await.unwrap();
    store.close().await;
}

/// Every row of every table, as text, but for what says whose it is.
async fn contents(site: &Site) -> Vec<String> {
    let mut connection = site.intruder().await;
    let mut all = Vec::new();
    for (table, columns) in [
        ("inbox", "id, source, key, at, event, processed"),
        ("journal", "seq, incident, n, kind, v, at, actor, body, salt, commitment, chain"),
        ("alerts", "source, fingerprint, incident, status, last_seen, body"),
        ("desk", "id, version, body"),
        ("snapshots", "incident, entries, state, open, private, fold, body"),
        (
            "outbox",
            "id, op, incident, destination, run, supersedes, effect, state, attempts, due_at, queued_at, remote, said",
        ),
        ("dead_letter", "id, source, at, why, sample"),
        ("room", "platform, id, incident"),
        ("head", "seq, chain, inbox, outbox, letter"),
    ] {
        let cells: Vec<String> =
            columns.split(", ").map(|c| format!("COALESCE(CAST({c} AS TEXT), '(none)')")).collect();
        let sql = format!("SELECT {} FROM {table}", cells.join(" || '|' || "));
        let rows = sqlx::query(sqlx::AssertSqlSafe(sql)).fetch_all(&mut connection).await.unwrap();
        let mut rows: Vec<String> = rows.iter().map(|row| format!("{table}: {}", row.get::<String, _>(0))).collect();
        rows.sort();
        all.extend(rows);
    }
    connection.close().await.unwrap();
    all
}

async fn backed_up(site: &Site, with_key: bool) -> PathBuf {
    let file = site.path().join(format!("backup-{with_key}.gz"));
    let reader = site.read().await.unwrap();
    let manifest = take(&reader, &file, with_key, NOW.0).await.unwrap();
    reader.close().await;
    assert_eq!(manifest.tables["journal"], 9);
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    file
}

fn key(site: &Site) -> [u8; 32] {
    let text = std::fs::read_to_string(site.path().join("journal.key")).unwrap();
    smokejumper::edges::store::chain::unhex(text.trim()).unwrap()
}

async fn moves(from: Site, to: Site) {
    fill(&from).await;
    let before = contents(&from).await;
    let file = backed_up(&from, false).await;
    let restored = restore(&to.location(), &file, Some(key(&from))).await.unwrap();
    assert_eq!(restored.manifest.seq, 9);
    assert_eq!(contents(&to).await, before);
    let reader = Reader::open(to.location(), still()).await.unwrap();
    assert!(matches!(reader.verify_chain().await.unwrap(), Verified::Whole { entries: 9, .. }));
    reader.close().await;
    // 0 posts, 0 runs, until somebody has looked.
    for _ in 0..2 {
        let store = to.open().await.unwrap();
        assert!(
            store.is_restored().is_some_and(|why| why.contains("2026-11-20T10:00:00Z")),
            "{:?}",
            store.is_restored()
        );
        assert!(store.claim(NOW, 10).await.unwrap().is_empty());
        let start = Commit { outbox: vec![(4, Progress::Sending)], ..Commit::default() };
        assert!(matches!(store.commit(vec![start]).await, Err(StoreError::Conflict(_))));
        assert_eq!(store.incident(&ana(), IncidentId(2)).await.unwrap().unwrap().entries, 3);
        store.accept(vec![arrival("alerts/am", "3")]).await.unwrap();
        store.close().await;
    }
    let store = to.open().await.unwrap();
    store.confirm_restored().await.unwrap();
    let claimed = store.claim(NOW, 10).await.unwrap();
    assert!(claimed.iter().any(|row| row.op == "s3") && claimed.iter().all(|row| row.op != "r1"), "{claimed:?}");
    store.close().await;
}

#[tokio::test]
async fn from_sqlite_to_sqlite() {
    moves(Site::sqlite(), Site::sqlite()).await;
}

#[tokio::test]
async fn between_sqlite_and_postgres_both_ways() {
    let (Some(one), Some(other)) = (Site::postgres().await, Site::postgres().await) else { return };
    moves(Site::sqlite(), one).await;
    moves(other, Site::sqlite()).await;
}

#[tokio::test]
async fn from_postgres_to_postgres() {
    let (Some(one), Some(other)) = (Site::postgres().await, Site::postgres().await) else { return };
    moves(one, other).await;
}

/// Refused, and the place is as empty as before: a second attempt with the right file succeeds.
async fn refused(file: &Path, key: Option<[u8; 32]>, words: &str) {
    let to = Site::sqlite();
    match restore(&to.location(), file, key).await {
        Err(StoreError::Unusable(what)) => assert!(what.contains(words), "{what}"),
        other => panic!("expected a refusal about {words:?}, got {other:?}"),
    }
    assert!(!to.database_file().exists(), "nothing was written");
}

#[tokio::test]
async fn a_damaged_or_changed_backup_is_refused_before_anything_is_written() {
    let from = Site::sqlite();
    fill(&from).await;
    let file = backed_up(&from, false).await;
    let (bytes, right) = (std::fs::read(&file).unwrap(), key(&from));
    let bad = from.path().join("bad.gz");
    for n in 0..100 {
        let mut damaged = bytes.clone();
        let at = 10 + n * (bytes.len() - 20) / 100;
        damaged[at] ^= 1 << (n % 8);
        std::fs::write(&bad, &damaged).unwrap();
        // Some bits of a gzip say nothing: what is not refused is provably whole.
        let to = Site::sqlite();
        match restore(&to.location(), &bad, Some(right)).await {
            Ok(_) => assert_eq!(contents(&to).await, contents(&from).await),
            Err(StoreError::Unusable(what)) => assert!(what.contains("nothing was restored"), "{what}"),
            Err(other) => panic!("{other:?}"),
        }
        std::fs::write(&bad, &bytes[..bytes.len() * n / 100]).unwrap();
        refused(&bad, Some(right), "nothing was restored").await;
    }
    // Somebody who can compress: every text they change shows, also with a new checksum, for want of the key.
    let mut text = String::new();
    flate2::read::GzDecoder::new(bytes.as_slice()).read_to_string(&mut text).unwrap();
    let (rows, end) = text.trim_end().rsplit_once('\n').unwrap();
    let rows = format!("{}\n", rows.replace("note 2", "note 3"));
    let sum = hex::encode(ring::digest::digest(&ring::digest::SHA256, rows.as_bytes()).as_ref());
    let mut end: serde_json::Value = serde_json::from_str(end).unwrap();
    end["manifest"]["sha256"] = sum.into();
    let mut forged = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    forged.write_all(format!("{rows}{end}\n").as_bytes()).unwrap();
    std::fs::write(&bad, forged.finish().unwrap()).unwrap();
    refused(&bad, Some(right), "somebody changed the backup").await;
    refused(&file, Some([7; 32]), "the journal's key is not the one").await;
    refused(&file, None, "name the file with --key").await;
    refused(&from.path().join("nowhere"), Some(right), "cannot be read").await;
}

#[tokio::test]
async fn nothing_is_covered_by_a_restore_or_a_backup() {
    let from = Site::sqlite();
    fill(&from).await;
    let file = backed_up(&from, true).await;
    let reader = from.read().await.unwrap();
    let again = take(&reader, &file, true, NOW.0).await;
    assert!(matches!(&again, Err(StoreError::Unusable(what)) if what.contains("exists already")), "{again:?}");
    reader.close().await;
    let left: Vec<_> = std::fs::read_dir(from.path()).unwrap().map(|f| f.unwrap().file_name()).collect();
    assert!(!left.iter().any(|name| name.to_string_lossy().ends_with(".part")), "{left:?}");
    let to = Site::sqlite();
    fill(&to).await;
    let before = contents(&to).await;
    let refused = restore(&to.location(), &file, None).await;
    assert!(
        matches!(&refused, Err(StoreError::Unusable(what)) if what.contains("restore into an empty one")),
        "{refused:?}"
    );
    assert_eq!(contents(&to).await, before);
    // With the key in it the file alone is enough, and it is not in one that was made without.
    let empty = Site::sqlite();
    restore(&empty.location(), &file, None).await.unwrap();
    assert_eq!(key(&empty), key(&from));
    let without = backed_up(&from, false).await;
    let mut text = String::new();
    flate2::read::GzDecoder::new(std::fs::File::open(without).unwrap()).read_to_string(&mut text).unwrap();
    assert!(!text.contains(&hex::encode(key(&from))));
}
