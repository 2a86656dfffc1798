//! From one version to the next: databases of every release are read, and an upgrade that is cut short anywhere leaves the
//! schema old or new (F37).

use super::facts::*;
use super::site::{Site, on_both};
use smokejumper::edges::store::audit::Verified;
use smokejumper::edges::store::upgrade::Schema;
use smokejumper::edges::store::{MIGRATIONS, Store};
use smokejumper::flow::desk::Desk;
use smokejumper::flow::fact::Fact;
use smokejumper::flow::identity::Platform;
use smokejumper::flow::incident::{Incident, IncidentId};
use smokejumper::ports::{Commit, Inbox, Journal, StoreError, Views};
use sqlx::{Connection as _, Row as _};
use std::path::{Path, PathBuf};

on_both!(
    databases_of_every_release_are_read,
    a_migration_that_is_cut_after_any_statement_leaves_nothing,
    a_migration_that_fails_at_any_statement_leaves_the_old_schema,
    what_a_newer_version_wrote_is_refused_and_left_alone,
    a_look_changes_nothing,
);

fn releases() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/fixtures/databases");
    let folders = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut releases: Vec<PathBuf> = folders.filter(|path| path.is_dir()).collect();
    releases.sort();
    releases
}

#[test]
fn every_release_has_its_database() {
    let (major, minor) = (env!("CARGO_PKG_VERSION_MAJOR"), env!("CARGO_PKG_VERSION_MINOR"));
    let name = format!("{major}.{minor}");
    assert!(releases().iter().any(|path| path.ends_with(&name)), "tests/it/fixtures/databases lacks {name}");
}

/// The journal as its version's binary left it, opened by today's.
async fn databases_of_every_release_are_read(mut site: Site) {
    for release in releases() {
        let name = release.display();
        load(&site, &release).await;
        let store = site.open().await.unwrap();
        assert_eq!(store.is_restored(), None, "{name}");
        let Verified::Whole { entries, .. } = store.reader().verify_chain().await.unwrap() else {
            panic!("{name}: the chain is broken");
        };
        assert!(entries > 10, "{name}: {entries} entries are no story");
        let mut folded = 0;
        for number in 1..=2 {
            let id = IncidentId(number);
            let entries = store.entries(&ana(), id).await.unwrap();
            folded += entries.len() as u64;
            assert!(!entries.iter().any(|e| matches!(e.fact, Fact::Redacted { .. })), "every payload is read");
            assert_eq!(store.load(id).await.unwrap(), Some(Incident::fold(id, &entries)), "{name}: {id}");
        }
        assert_eq!(folded, entries, "{name}: every fact of the journal was folded");
        let state = store.restore().await.unwrap();
        assert_eq!((state.incidents.len(), state.desk.alerts.len(), state.desk.last), (1, 2, 2), "{name}");
        for number in 1..=2 {
            let of = store.incident_of_room(Platform::Console, &format!("incident-{number}")).await;
            assert_eq!(of, Ok(Some(IncidentId(number))), "{name}: rooms that were opened before are known");
        }
        assert_eq!(store.waiting(10).await.unwrap(), [], "{name}");
        // And the story goes on.
        let n = u32::try_from(store.entries(&ana(), IncidentId(2)).await.unwrap().len()).unwrap() + 1;
        store.commit(vec![Commit { entries: vec![noted(2, n)], ..Commit::default() }]).await.unwrap();
        assert!(
            matches!(store.reader().verify_chain().await.unwrap(), Verified::Whole { entries: e, .. } if e == entries + 1)
        );
        store.close().await;
        site = fresh(&site).await;
    }
}

async fn load(site: &Site, release: &Path) {
    for file in ["journal.key", "journal.anchor", "runs.started"] {
        std::fs::copy(release.join(file), site.path().join(file)).unwrap();
    }
    blank(site);
    site.meddle(&std::fs::read_to_string(release.join("dump.sql")).unwrap()).await;
}

fn blank(site: &Site) {
    if site.is_sqlite() {
        std::fs::write(site.database_file(), "").unwrap();
    }
}

/// As a program left it that knew only the first `number` migrations, with something in it.
async fn at(site: &Site, number: usize) {
    blank(site);
    for (i, (_, sql)) in MIGRATIONS.iter().enumerate().take(number) {
        site.meddle(sql).await;
        if i == 0 {
            let desk = serde_json::to_string(&Desk::default()).unwrap();
            site.meddle(&format!("INSERT INTO desk (id, version, body, epoch) VALUES (1, 0, '{desk}', 0)")).await;
        }
    }
    if number > 0 {
        site.meddle(&format!("INSERT INTO meta (name, value) VALUES ('schema', '{number}')")).await;
        site.meddle(
            "INSERT INTO inbox (id, source, key, at, event, epoch, processed) VALUES (1, 'am', 'old', 1, 'x', 1, 2)",
        )
        .await;
        site.meddle("UPDATE head SET inbox = 1").await;
        std::fs::write(site.path().join("journal.key"), "5a".repeat(32)).unwrap();
    }
}

/// Everything the database has a name for, and its version.
async fn names(site: &Site) -> Vec<String> {
    let sql = if site.is_sqlite() {
        "SELECT name FROM sqlite_master ORDER BY name"
    } else {
        "SELECT CAST(relname AS TEXT) FROM pg_class WHERE relnamespace = current_schema()::regnamespace ORDER BY relname"
    };
    let mut connection = site.intruder().await;
    let rows = sqlx::query(sql).fetch_all(&mut connection).await.unwrap();
    let mut names: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
    if names.iter().any(|name| name == "meta") {
        let row = sqlx::query("SELECT value FROM meta WHERE name = 'schema'").fetch_one(&mut connection).await.unwrap();
        names.push(format!("schema {}", row.get::<String, _>(0)));
    }
    connection.close().await.unwrap();
    names
}

fn statements(sql: &str) -> Vec<String> {
    let bare: String = sql.lines().map(|line| line.split("--").next().unwrap()).flat_map(|line| [line, "\n"]).collect();
    bare.split(';').map(str::trim).filter(|statement| !statement.is_empty()).map(str::to_owned).collect()
}

async fn fresh(like: &Site) -> Site {
    if like.is_sqlite() { Site::sqlite() } else { Site::postgres().await.unwrap() }
}

async fn opens(site: &Site) -> Store {
    let store = site.open().await.unwrap();
    assert_eq!(Schema::look(site.location()).await.unwrap().pending, [""; 0]);
    store
}

/// What a kill leaves of a transaction: its statements so far, and no commit.
async fn a_migration_that_is_cut_after_any_statement_leaves_nothing(first: Site) {
    let mut cuts = 0;
    for (number, (name, sql)) in MIGRATIONS.iter().enumerate() {
        let site = fresh(&first).await;
        at(&site, number).await;
        let (before, statements) = (names(&site).await, statements(sql));
        for cut in 1..=statements.len() {
            let mut killed = site.intruder().await;
            sqlx::raw_sql("BEGIN").execute(&mut killed).await.unwrap();
            for statement in &statements[..cut] {
                sqlx::raw_sql(sqlx::AssertSqlSafe(statement.clone())).execute(&mut killed).await.unwrap();
            }
            killed.close_hard().await.unwrap();
            assert_eq!(names(&site).await, before, "{name} was cut after statement {cut}");
            cuts += 1;
        }
        let store = opens(&site).await;
        if number > 0 {
            assert_eq!(site.count("inbox WHERE key = 'old'").await, 1);
        }
        store.close().await;
    }
    println!("{cuts} cuts");
}

/// The same on our own way through it: whatever it makes is in its way already.
async fn a_migration_that_fails_at_any_statement_leaves_the_old_schema(first: Site) {
    let mut failures = 0;
    for (number, (name, sql)) in MIGRATIONS.iter().enumerate().skip(1) {
        for statement in statements(sql) {
            let words: Vec<&str> = statement.split_whitespace().collect();
            let ["CREATE", "TABLE" | "INDEX", made, ..] = words.as_slice() else { continue };
            let site = fresh(&first).await;
            at(&site, number).await;
            site.meddle(&format!("CREATE TABLE {made} (obstacle BIGINT)")).await;
            let before = names(&site).await;
            let refused = site.open().await;
            assert!(refused.is_err(), "{name}: {made}");
            assert_eq!(names(&site).await, before, "{name} failed at {made}");
            assert_eq!(site.count("inbox WHERE event = 'x'").await, 1, "{name}: nor is any row another");
            site.meddle(&format!("DROP TABLE {made}")).await;
            opens(&site).await.close().await;
            failures += 1;
        }
    }
    assert!(failures > 0);
}

async fn what_a_newer_version_wrote_is_refused_and_left_alone(site: Site) {
    let store = site.open().await.unwrap();
    store.accept(vec![arrival("am", "1")]).await.unwrap();
    store.close().await;
    let newer = MIGRATIONS.len() + 1;
    site.meddle(&format!("UPDATE meta SET value = '{newer}' WHERE name = 'schema'; CREATE TABLE tomorrow (x BIGINT)"))
        .await;
    let before = (names(&site).await, site.count("inbox").await);
    let words = format!("newer smokejumper (schema {newer}, this one knows {})", MIGRATIONS.len());
    for refused in [
        site.open().await.map(drop),
        site.read().await.map(drop),
        Schema::look(site.location()).await.map(drop),
        Store::wait(site.location(), super::site::still(), |_| {}).await.map(drop),
    ] {
        assert!(matches!(&refused, Err(StoreError::Unusable(what)) if what.contains(&words)), "{refused:?}");
    }
    assert_eq!((names(&site).await, site.count("inbox").await), before);
}

async fn a_look_changes_nothing(site: Site) {
    let empty = Schema::look(site.location()).await.unwrap();
    assert_eq!((empty.found, empty.pending.len()), (0, MIGRATIONS.len()));
    assert!(!site.database_file().exists() && !site.path().join("journal.key").exists());
    at(&site, 1).await;
    let before = names(&site).await;
    let old = Schema::look(site.location()).await.unwrap();
    let rest: Vec<&str> = MIGRATIONS[1..].iter().map(|(name, _)| *name).collect();
    assert_eq!((old.found, &old.pending), (1, &rest));
    assert_eq!(names(&site).await, before);
    assert_eq!(Schema::migrate(site.location(), super::site::still()).await.unwrap(), old);
    assert_eq!(Schema::look(site.location()).await.unwrap().pending, [""; 0]);
}
