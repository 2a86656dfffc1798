//! Purging and forgetting: nothing of what was said is left in any table, its record is in the chain, and the chain is whole.

use super::facts::*;
use super::site::{Site, on_both};
use smokejumper::edges::store::audit::Verified;
use smokejumper::flow::desk::Desk;
use smokejumper::flow::effect::Effect;
use smokejumper::flow::erasing::{Forgotten, PURGED};
use smokejumper::flow::fact::{Entry, Fact, Owed};
use smokejumper::flow::identity::{Actor, Identity, Party, PersonId, Platform};
use smokejumper::flow::incident::{Incident, IncidentId};
use smokejumper::flow::moment::At;
use smokejumper::flow::recollection::Lesson;
use smokejumper::ports::{Commit, Journal as _, Outbox as _, Progress, StoreError, Views as _};
use smokejumper_intents::reply::Span;
use smokejumper_intents::word::{Role, State};
use sqlx::{Connection as _, Row as _};

on_both!(
    nothing_is_left_of_what_a_purged_incident_said,
    a_forgotten_person_is_nowhere_and_the_chain_is_whole,
    nobody_can_pass_an_edit_for_a_rewriting,
);

const CANARY: &str = "canary-7d1e";

fn lesson(responders: &[&str]) -> Lesson {
    Lesson {
        case: "INC-1".to_owned(),
        opened_at: NOW,
        closed_at: Some(NOW.plus(60_000)),
        title: CANARY.to_owned(),
        text: CANARY.to_owned(),
        service: None,
        labels: std::collections::BTreeMap::new(),
        cause: Some(CANARY.to_owned()),
        resolution: None,
        responders: responders.iter().map(|r| (*r).to_owned()).collect(),
        runbooks: Vec::new(),
        url: None,
        said: None,
    }
}

fn at(minutes: i64, n: u32, fact: Fact) -> Entry {
    Entry { at: NOW.plus(minutes * 60_000), ..entry(1, n, fact) }
}

/// An incident that ended, with a canary in everything that can hold a text, and one that goes on.
async fn story(site: &Site) {
    let store = site.open().await.unwrap();
    let text = || CANARY.to_owned();
    let title = Fact::Renamed { title: text() };
    let entries = vec![
        declared(1),
        at(1, 2, title),
        at(2, 3, Fact::Acknowledged),
        at(3, 4, Fact::Noted { text: text() }),
        at(4, 5, Fact::RoleTaken { role: Role::Commander, who: Party::Person(PersonId("ana".to_owned())) }),
        at(5, 6, Fact::StateSet { state: State::Mitigated, note: Some(text()) }),
        at(6, 7, Fact::Resolved { cause: Some(text()), fix: Some(text()) }),
        at(7, 8, Fact::Learned(lesson(&["ana", "bo"]))),
    ];
    let incident = Incident::fold(IncidentId(1), &entries);
    let mut told = alert("f1", Some(1));
    (told.status, told.summary) = (smokejumper::flow::signal::AlertStatus::Resolved, Some(text()));
    let owed =
        Owed { incident: IncidentId(1), id: 1, title: text(), link: None, opened_at: NOW, asked: None, issue: None };
    let desk = Some(Desk { version: 1, last: 2, owed: vec![owed], ..Desk::default() });
    let mut hello = message(CANARY);
    hello.title.spans.push(Span::Person("Ana Ruiz".to_owned()));
    let say_hello = Effect::Say { incident: IncidentId(1), platform: ana().platform, message: Box::new(hello.clone()) };
    let effects = vec![("s1".to_owned(), say_hello), ("s2".to_owned(), say(2, "stays"))];
    let incidents = vec![incident];
    store
        .commit(vec![Commit { entries, alerts: vec![told], effects, incidents, desk, ..Commit::default() }])
        .await
        .unwrap();
    let other = vec![declared(2), noted(2, 2)];
    let incidents = vec![Incident::fold(IncidentId(2), &other)];
    store.commit(vec![Commit { entries: other, incidents, ..Commit::default() }]).await.unwrap();
    for row in store.claim(NOW, 10).await.unwrap() {
        let said = Some(if row.op == "s1" { hello.clone() } else { message("stays") });
        store.settle(row.id, Progress::Sent { remote: Some("C1".to_owned()), said }, None).await.unwrap();
    }
    store.close().await;
}

/// Rows of all tables in which a text stands.
async fn holding(site: &Site, text: &str) -> Vec<String> {
    let mut connection = site.intruder().await;
    let mut found = Vec::new();
    for (table, columns) in [
        ("inbox", "source || key || event"),
        ("journal", "actor || COALESCE(body, '')"),
        ("alerts", "body"),
        ("desk", "body"),
        ("snapshots", "body"),
        ("outbox", "effect || COALESCE(said, '') || COALESCE(remote, '') || COALESCE(error, '')"),
        ("dead_letter", "why || sample"),
        ("room", "platform || id"),
    ] {
        let sql = format!("SELECT {columns} FROM {table}");
        let rows = sqlx::query(sqlx::AssertSqlSafe(sql)).fetch_all(&mut connection).await.unwrap();
        let rows = rows.iter().map(|row| row.get::<String, _>(0)).filter(|row| row.contains(text));
        found.extend(rows.map(|row| format!("{table}: {row}")));
    }
    connection.close().await.unwrap();
    found
}

async fn whole(site: &Site) -> u64 {
    let reader = site.read().await.unwrap();
    let verified = reader.verify_chain().await.unwrap();
    reader.close().await;
    let Verified::Whole { redacted, .. } = verified else { panic!("{verified:?}") };
    redacted
}

async fn nothing_is_left_of_what_a_purged_incident_said(site: Site) {
    story(&site).await;
    assert_eq!(holding(&site, CANARY).await.len(), 9);
    let store = site.open().await.unwrap();
    let before = store.incident(&ana(), IncidentId(1)).await.unwrap().unwrap();
    let by = Actor::Account(ana());
    let open = store.purge(IncidentId(2), by.clone()).await;
    assert!(matches!(&open, Err(StoreError::Conflict(what)) if what.contains("still open")), "{open:?}");
    assert!(matches!(store.purge(IncidentId(9), by.clone()).await, Err(StoreError::Conflict(_))));
    assert!(matches!(store.purge(IncidentId(0), by.clone()).await, Err(StoreError::Conflict(_))));
    assert_eq!(store.purge(IncidentId(1), by.clone()).await.unwrap(), 7);
    assert_eq!(holding(&site, CANARY).await, [""; 0]);
    assert_eq!(holding(&site, "checkout returns 500s (1)").await, [""; 0]);
    // That it was, how it ended, and when, stays.
    let after = store.incident(&ana(), IncidentId(1)).await.unwrap().unwrap();
    assert_eq!((after.title.as_str(), after.state, after.severity), (PURGED, before.state, before.severity));
    assert_eq!(after.times, before.times);
    assert_eq!(store.desk().await.unwrap().owed, []);
    assert!(store.reader().lessons(0).await.unwrap().is_empty());
    assert_eq!(store.purge(IncidentId(1), by).await.unwrap(), 0, "twice is once");
    assert!(!holding(&site, "stays").await.is_empty(), "the other is as it was");
    assert_eq!(store.reader().ended_before(At(i64::MAX), 10).await.unwrap().len(), 0);
    store.close().await;
    assert_eq!(whole(&site).await, 7);
}

fn forgotten() -> Forgotten {
    Forgotten {
        person: PersonId("ana".to_owned()),
        name: Some("Ana Ruiz".to_owned()),
        identities: vec![ana()],
        tombstone: "forgotten-1f".to_owned(),
    }
}

/// Who asked, on the machine.
fn asker() -> Actor {
    Actor::Account(Identity { platform: Platform::Cli, workspace: "local".to_owned(), id: "1000".to_owned() })
}

async fn a_forgotten_person_is_nowhere_and_the_chain_is_whole(site: Site) {
    story(&site).await;
    let store = site.open().await.unwrap();
    let named = store.reader().named(&forgotten()).await.unwrap();
    assert_eq!(named, [IncidentId(1), IncidentId(2)]);
    assert_eq!(store.forget_person(IncidentId(1), forgotten(), asker()).await.unwrap(), 8);
    assert_eq!(store.forget_person(IncidentId(2), forgotten(), asker()).await.unwrap(), 2);
    let rewritings = store.entries(&console("bo"), IncidentId(1)).await.unwrap();
    let mut rewritings = rewritings.into_iter().filter(|entry| matches!(entry.fact, Fact::Rewritten { .. }));
    assert_eq!(rewritings.next().unwrap().by, asker(), "on record with who asked for it");
    assert_eq!(holding(&site, "\"ana\"").await, [""; 0]);
    assert_eq!(holding(&site, "Ana Ruiz").await, [""; 0]);
    let stranger = Identity { id: "forgotten-1f".to_owned(), ..ana() };
    let incident = store.incident(&ana(), IncidentId(1)).await.unwrap().unwrap();
    assert!(incident.involved.contains(&stranger) && !incident.involved.contains(&ana()), "{:?}", incident.involved);
    let lessons = store.reader().lessons(0).await.unwrap();
    assert_eq!(lessons[0].1.responders, ["forgotten-1f", "bo"]);
    assert!(store.reader().named(&forgotten()).await.unwrap().is_empty());
    assert_eq!(store.forget_person(IncidentId(1), forgotten(), asker()).await.unwrap(), 0, "twice is once");
    store.close().await;
    assert_eq!(whole(&site).await, 0);
    // And what was rewritten can be purged, and somebody else forgotten in it.
    let store = site.open().await.unwrap();
    let bo = Forgotten {
        person: PersonId("bo".to_owned()),
        name: None,
        identities: vec![console("bo")],
        tombstone: "forgotten-2e".to_owned(),
    };
    assert_eq!(store.forget_person(IncidentId(1), bo, asker()).await.unwrap(), 1);
    store.purge(IncidentId(1), Actor::Bot).await.unwrap();
    store.close().await;
    assert_eq!(whole(&site).await, 7);
}

async fn nobody_can_pass_an_edit_for_a_rewriting(site: Site) {
    story(&site).await;
    let store = site.open().await.unwrap();
    store.forget_person(IncidentId(1), forgotten(), asker()).await.unwrap();
    store.close().await;
    whole(&site).await;
    for edit in [
        "UPDATE journal SET actor = REPLACE(actor, 'forgotten-1f', 'eva') WHERE seq = 3",
        "UPDATE journal SET at = at + 1 WHERE seq = 3",
        "UPDATE journal SET kind = 'noted' WHERE seq = 5",
        "UPDATE journal SET body = REPLACE(body, 'forgotten-1f', 'eva') WHERE seq = 5",
        "UPDATE journal SET chain = REPLACE(chain, 'a', 'b') WHERE seq = 4",
        "UPDATE journal SET body = NULL, salt = NULL WHERE kind = 'rewritten'",
        "UPDATE journal SET actor = REPLACE(actor, 'ana', 'eva') WHERE incident = 2",
    ] {
        let copy = site.copy().await;
        assert!(copy.meddle(edit).await > 0, "{edit}");
        let reader = copy.read().await.unwrap();
        let verified = reader.verify_chain().await.unwrap();
        assert!(matches!(verified, Verified::Tampered { .. }), "{edit}: {verified:?}");
        reader.close().await;
    }
}
