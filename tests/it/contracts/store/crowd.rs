//! Many at once: one group, and each its own answer. And what the store tells about itself.

use super::facts::*;
use super::site::{Site, on_both};
use smokejumper::edges::store::Store;
use smokejumper::edges::store::export::Exported;
use smokejumper::edges::store::{MAX_DEAD_LETTERS, MAX_QUEUED, MAX_SAMPLE_CHARS};
use smokejumper::flow::desk::Desk;
use smokejumper::flow::effect::Effect;
use smokejumper::flow::fact::Fact;
use smokejumper::flow::identity::Platform;
use smokejumper::flow::incident::{Incident, IncidentId};
use smokejumper::flow::moment::At;
use smokejumper::flow::recollection::Lesson;
use smokejumper::ports::{Accepted, Commit, DeadLetter, Inbox, Journal, Outbox, Progress, StoreError};
use std::collections::{BTreeMap, BTreeSet};

on_both!(
    a_crowd_is_answered_one_by_one,
    too_many_at_once_are_told_to_come_again,
    counts_tell_what_waits,
    dead_letters_are_bounded,
    what_waits_is_counted_by_where_it_goes,
    lessons_and_exports_leave_private_incidents_out,
    the_last_card_can_be_found_for_editing,
);

async fn a_crowd_is_answered_one_by_one(site: Site) {
    let store = site.open().await.unwrap();
    let mut tasks = tokio::task::JoinSet::new();
    for i in 0..300_u32 {
        let store = store.clone();
        tasks.spawn(async move {
            // Every third one comes twice; each writes a turn of its own that only the first of its kind may.
            let accepted = store.accept(vec![arrival("am", &format!("{}", i % 200))]).await.unwrap()[0];
            let desk = Some(Desk { version: 1, ..Desk::default() });
            let committed = store.commit(vec![Commit { desk, ..Commit::default() }]).await;
            (accepted, committed)
        });
    }
    let (mut ids, mut new, mut won) = (BTreeSet::new(), 0, 0);
    while let Some(done) = tasks.join_next().await {
        let (accepted, committed) = done.unwrap();
        match accepted {
            Accepted::New(id) => {
                assert!(ids.insert(id));
                new += 1;
            }
            Accepted::Known(_) => {}
        }
        match committed {
            Ok(()) => won += 1,
            Err(StoreError::Conflict(_)) => {}
            Err(e) => panic!("{e}"),
        }
    }
    assert_eq!((new, won), (200, 1));
    assert_eq!(ids.into_iter().collect::<Vec<_>>(), (1..=200).collect::<Vec<_>>());
    assert_eq!(store.restore().await.unwrap().desk.version, 1);
}

async fn too_many_at_once_are_told_to_come_again(site: Site) {
    let store = site.open().await.unwrap();
    // On one thread nothing is written before all have knocked.
    let crowd = (0..MAX_QUEUED + 10).map(|i| {
        let store = store.clone();
        async move { store.accept(vec![arrival("am", &format!("{i}"))]).await }
    });
    let answers = futures::future::join_all(crowd).await;
    let refused = answers.iter().filter(|a| matches!(a, Err(StoreError::Unavailable(_)))).count();
    assert_eq!((answers.iter().filter(|a| a.is_ok()).count(), refused), (MAX_QUEUED, 10));
    assert_eq!((store.waiting(10_000).await.unwrap().len(), store.queued()), (MAX_QUEUED, 0));
}

async fn counts_tell_what_waits(site: Site) {
    let store = site.open().await.unwrap();
    let mut old = arrival("am", "1");
    old.at = NOW.plus(-5_000);
    store.accept(vec![old, arrival("am", "2")]).await.unwrap();
    let effects = vec![("a".to_owned(), say(1, "x")), ("b".to_owned(), say(1, "y")), ("c".to_owned(), say(2, "z"))];
    store.commit(vec![Commit { entries: vec![declared(1)], effects, ..Commit::default() }]).await.unwrap();
    let row = store.claim(NOW, 1).await.unwrap().remove(0);
    store.settle(row.id, Progress::Dead { why: "gone".to_owned() }, None).await.unwrap();
    let counts = store.reader().counts().await.unwrap();
    assert_eq!((counts.waiting, counts.oldest_ms, counts.entries), (2, Some(5_000), 1));
    assert_eq!(counts.outbox, BTreeMap::from([("dead".to_owned(), 1), ("pending".to_owned(), 2)]));
}

async fn dead_letters_are_bounded(site: Site) {
    let store = site.open().await.unwrap();
    let letters = (0..MAX_DEAD_LETTERS + 20).map(|_| {
        let sample = "\u{1F525}".repeat(MAX_SAMPLE_CHARS + 1);
        store.bury(DeadLetter { source: "am".to_owned(), at: NOW, why: "not JSON".to_owned(), sample })
    });
    // In groups no larger than the queue.
    for group in letters.collect::<Vec<_>>().chunks_mut(500) {
        for done in futures::future::join_all(group).await {
            done.unwrap();
        }
    }
    let counts = store.reader().counts().await.unwrap();
    assert_eq!(i64::try_from(counts.dead_letters).unwrap(), MAX_DEAD_LETTERS);
}

async fn lessons_and_exports_leave_private_incidents_out(site: Site) {
    let store = site.open().await.unwrap();
    for n in 1..=4 {
        let learned = Fact::Learned(lesson(n));
        let mut entries = vec![declared(n), entry(n, 2, learned)];
        // It teaches through the one it became part of.
        entries.extend((n == 4).then(|| entry(4, 3, Fact::Merged { into: IncidentId(1) })));
        let incident = Incident { private: n == 2, ..Incident::fold(IncidentId(n), &entries) };
        let alerts = vec![alert(&format!("f{n}"), Some(n))];
        let effects = vec![(format!("s{n}"), say(n, "x"))];
        let incidents = vec![incident];
        store.commit(vec![Commit { entries, alerts, effects, incidents, ..Commit::default() }]).await.unwrap();
    }
    let row = store.claim(NOW, 1).await.unwrap().remove(0);
    let said = Some(message("as told"));
    store.settle(row.id, Progress::Sent { remote: Some("m1".to_owned()), said }, None).await.unwrap();
    assert_eq!(taught(&store).await, [lesson(1), lesson(3)]);

    let mut lines = Vec::new();
    assert_eq!(store.reader().export(&mut lines).await.unwrap(), 3);
    let text = String::from_utf8(lines).unwrap();
    let exported: Vec<Exported> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(exported.iter().map(|e| e.incident.id.0).collect::<Vec<_>>(), [1, 3, 4]);
    let first = &exported[0];
    assert_eq!((first.entries.len(), first.alerts.len(), first.outbox.len()), (2, 1, 1));
    assert_eq!((first.outbox[0].state.as_str(), first.outbox[0].remote.as_deref()), ("sent", Some("m1")));

    // Erased: neither taught nor exported.
    let erased = vec![entry(3, 3, Fact::Redacted { n: 2 })];
    store.commit(vec![Commit { entries: erased, ..Commit::default() }]).await.unwrap();
    assert_eq!(taught(&store).await, [lesson(1)]);
    let mut lines = Vec::new();
    store.reader().export(&mut lines).await.unwrap();
    assert!(!String::from_utf8(lines).unwrap().contains("lesson of 3"));
}

async fn the_last_card_can_be_found_for_editing(site: Site) {
    use smokejumper::flow::effect::Effect;
    let store = site.open().await.unwrap();
    store.commit(vec![Commit { entries: vec![declared(1)], ..Commit::default() }]).await.unwrap();
    for text in ["first", "second"] {
        let card = Effect::Card { incident: IncidentId(1), platform: Platform::Console };
        store.commit(vec![Commit { effects: vec![(text.to_owned(), card)], ..Commit::default() }]).await.unwrap();
        let row = store.claim(NOW, 1).await.unwrap().remove(0);
        let said = Some(message(text));
        store.settle(row.id, Progress::Sent { remote: Some("m1".to_owned()), said }, None).await.unwrap();
    }
    let (card, remote) = store.reader().card(&ana(), IncidentId(1), Platform::Console).await.unwrap().unwrap();
    assert_eq!((card.message, remote.as_deref()), (message("second"), Some("m1")));
    assert_eq!(store.reader().card(&ana(), IncidentId(1), Platform::Slack).await.unwrap(), None);
}

fn lesson(n: u32) -> Lesson {
    Lesson {
        case: format!("INC-{n}"),
        opened_at: NOW,
        closed_at: Some(At(NOW.0 + 1)),
        title: format!("lesson of {n}"),
        text: String::new(),
        service: None,
        labels: BTreeMap::new(),
        cause: None,
        resolution: None,
        responders: Vec::new(),
        runbooks: Vec::new(),
        url: None,
        said: None,
    }
}

/// Every lesson, without its place in the journal.
async fn taught(store: &Store) -> Vec<Lesson> {
    store.reader().lessons(0).await.unwrap().into_iter().map(|(_, lesson)| lesson).collect()
}

/// What the gauges show: a name for each destination, and since when the oldest waits.
async fn what_waits_is_counted_by_where_it_goes(site: Site) {
    let store = site.open().await.unwrap();
    let (incident, platform) = (IncidentId(1), Platform::Slack);
    let effects = vec![
        Effect::OpenRoom { incident, platform },
        Effect::Furnish { incident, platform },
        Effect::Announce { incident, platform },
        Effect::Tell { incident, to: ana(), message: Box::new(message("x")) },
        Effect::Tell { incident, to: ana(), message: Box::new(message("y")) },
        Effect::Page { incident, page: 7 },
    ];
    let effects = effects.into_iter().enumerate().map(|(n, effect)| (format!("e{n}"), effect)).collect();
    store.commit(vec![Commit { effects, ..Commit::default() }]).await.unwrap();
    let tell = store.claim(NOW, 10).await.unwrap().into_iter().find(|row| row.op == "e3").unwrap();
    let lost = Progress::Look { at: NOW, why: "the answer was lost".to_owned() };
    store.settle(tell.id, lost, None).await.unwrap();
    let heaps = store.reader().stock().await.unwrap().outbox;
    let heaps: Vec<_> = heaps.iter().map(|h| (h.destination.as_str(), h.state.as_str(), h.rows, h.oldest)).collect();
    assert_eq!(
        heaps,
        [
            ("announcements:slack", "sending", 1, NOW),
            ("direct:console", "pending", 1, NOW),
            ("direct:console", "unknown", 1, NOW),
            ("furniture:slack", "sending", 1, NOW),
            ("pager", "sending", 1, NOW),
            ("room:slack", "sending", 1, NOW),
        ]
    );
}
