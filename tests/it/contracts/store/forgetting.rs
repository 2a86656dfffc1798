//! What is forgotten and when: bodies at once, keys and errands after a while, and never more slowly than new ones come.

use super::facts::*;
use super::site::{Site, on_both};
use crate::world::watch::Watch;
use smokejumper::edges::store::{ALERTS_REMEMBERED_MS, FORGET_AT_ONCE, REMEMBERED_MS, Store, UNHEARD_MS};
use smokejumper::flow::desk::AlertState;
use smokejumper::flow::effect::{Effect, Timer};
use smokejumper::flow::fact::Fact;
use smokejumper::flow::identity::Platform;
use smokejumper::flow::incident::{Incident, IncidentId};
use smokejumper::flow::moment::At;
use smokejumper::flow::signal::AlertStatus;
use smokejumper::ports::{Accepted, Arrival, Clock, Commit, Inbox, Journal, Outbox, Progress, Views};
use sqlx::{Connection as _, Row as _};
use std::sync::Arc;

on_both!(
    of_a_processed_delivery_only_the_key_is_kept,
    old_deliveries_go_at_least_as_fast_as_new_ones_come,
    of_the_card_only_what_was_told_last_is_kept,
    what_is_edited_is_known_as_long_as_its_incident_is,
    errands_are_forgotten_but_never_a_run_a_message_or_a_failure,
    resolved_alerts_are_forgotten_and_those_an_incident_is_about_never,
    a_firing_alert_nobody_hears_of_is_forgotten,
);

/// A store whose clock a test moves.
async fn aging(site: &Site) -> (Arc<Watch>, Store) {
    let watch = Arc::new(Watch::at(NOW));
    let store = site.open_at(Arc::clone(&watch) as Arc<dyn Clock>).await.unwrap();
    (watch, store)
}

fn arrivals(name: &str, n: usize) -> Vec<Arrival> {
    (0..n).map(|i| arrival("am", &format!("{name}-{i}"))).collect()
}

/// Takes them in and processes them.
async fn digest(store: &Store, arrivals: Vec<Arrival>) {
    let accepted = store.accept(arrivals).await.unwrap();
    let ids = accepted.into_iter().map(|a| match a {
        Accepted::New(id) | Accepted::Known(id) => id,
    });
    let commits = ids.map(|id| Commit { processed: Some(id), ..Commit::default() }).collect();
    store.commit(commits).await.unwrap();
}

fn old(age_ms: i64) -> At {
    NOW.plus(age_ms + 1)
}

async fn of_a_processed_delivery_only_the_key_is_kept(site: Site) {
    let (_, store) = aging(&site).await;
    digest(&store, arrivals("a", 3)).await;
    store.accept(arrivals("b", 2)).await.unwrap();
    assert_eq!(site.count("inbox WHERE processed IS NOT NULL AND event = ''").await, 3);
    assert_eq!(site.count("inbox WHERE processed IS NULL AND event <> ''").await, 2);
    assert_eq!(store.accept(arrivals("a", 1)).await.unwrap(), [Accepted::Known(1)]);
}

async fn old_deliveries_go_at_least_as_fast_as_new_ones_come(site: Site) {
    let (watch, store) = aging(&site).await;
    let many = 2 * usize::from(FORGET_AT_ONCE);
    digest(&store, arrivals("old", many)).await;
    store.accept(arrivals("waiting", 5)).await.unwrap();
    watch.set(old(REMEMBERED_MS));
    // A storm of few large transactions, and then one of many small ones: neither outruns it.
    let mut came = 0;
    for i in 0..4 {
        digest(&store, arrivals(&format!("large-{i}"), 400)).await;
        came += 400;
        let left = site.count("inbox WHERE key LIKE 'old-%'").await;
        assert!(left <= i64::try_from(many.saturating_sub(came)).unwrap(), "{left} old ones are left after {came}");
    }
    assert_eq!(site.count("inbox WHERE key LIKE 'old-%'").await, 0);
    // Nothing that waits is lost, and nothing young.
    assert_eq!(store.waiting(10).await.unwrap().len(), 5);
    assert_eq!(site.count("inbox").await, 5 + i64::try_from(came).unwrap());
    watch.set(old(REMEMBERED_MS).plus(REMEMBERED_MS + 1));
    for i in 0..200 {
        digest(&store, arrivals(&format!("small-{i}"), 1)).await;
    }
    assert_eq!(site.count("inbox WHERE key LIKE 'large-%'").await, 0);
}

async fn of_the_card_only_what_was_told_last_is_kept(site: Site) {
    let (_, store) = aging(&site).await;
    let card = |platform| Effect::Card { incident: IncidentId(1), platform };
    let queue = |op: String, effect| Commit { effects: vec![(op, effect)], ..Commit::default() };
    store
        .commit(vec![queue("slack".to_owned(), card(Platform::Slack)), queue("s".to_owned(), say(1, "x"))])
        .await
        .unwrap();
    for i in 0..50 {
        // Replaced before it was sent, and then told.
        for k in 0..3 {
            store.commit(vec![queue(format!("c{i}.{k}"), card(Platform::Console))]).await.unwrap();
        }
        for row in store.claim(NOW, 10).await.unwrap() {
            let said = Some(message(&row.op));
            store.settle(row.id, Progress::Sent { remote: None, said }, None).await.unwrap();
        }
    }
    assert_eq!(site.count("outbox").await, 3, "a card for each room, and what was said");
    let told = store.reader().card(&ana(), IncidentId(1), Platform::Console).await.unwrap();
    assert_eq!(told, None, "there is no such incident");
    store.commit(vec![Commit { entries: vec![declared(1)], ..Commit::default() }]).await.unwrap();
    for (platform, op) in [(Platform::Console, "c49.2"), (Platform::Slack, "slack")] {
        let (told, _) = store.reader().card(&ana(), IncidentId(1), platform).await.unwrap().unwrap();
        assert_eq!((told.op.as_str(), told.message), (op, message(op)));
    }
}

async fn what_is_edited_is_known_as_long_as_its_incident_is(site: Site) {
    let (watch, store) = aging(&site).await;
    let (incident, platform) = (IncidentId(1), Platform::Slack);
    let both = [Effect::Card { incident, platform }, Effect::Announce { incident, platform }];
    for round in 0..3 {
        let effects =
            both.iter().map(|effect| (format!("{round} {:?}", effect.supersedes()), effect.clone())).collect();
        store.commit(vec![Commit { effects, ..Commit::default() }]).await.unwrap();
        for row in store.claim(NOW, 10).await.unwrap() {
            let progress = Progress::Sent {
                remote: Some(format!("the {}", row.effect.supersedes().unwrap())),
                said: Some(message("x")),
            };
            store.settle(row.id, progress, None).await.unwrap();
        }
    }
    assert_eq!(site.count("outbox").await, 2, "each only as it was told last");
    let over = vec![declared(1), entry(1, 2, Fact::Resolved { cause: None, fix: None })];
    store.commit(vec![Commit { entries: over, ..Commit::default() }]).await.unwrap();
    watch.set(old(REMEMBERED_MS));
    digest(&store, arrivals("a", 200)).await;
    digest(&store, arrivals("b", 200)).await;
    assert_eq!(site.count("inbox WHERE key LIKE 'a-%'").await, 200);
    for effect in both {
        let key = effect.supersedes().unwrap();
        let posted = store.last_posted(incident, effect.destination(), &key).await.unwrap();
        assert_eq!(posted, Some(format!("the {key}")));
    }
}

async fn errands_are_forgotten_but_never_a_run_a_message_or_a_failure(site: Site) {
    let (watch, store) = aging(&site).await;
    let id = IncidentId(1);
    let wake = |request| Effect::Wake { incident: id, at: NOW, timer: Timer::Expiry { request } };
    let mut effects = vec![
        ("run".to_owned(), Effect::Run { incident: id, request: 1 }),
        ("say".to_owned(), say(1, "x")),
        ("gone".to_owned(), say(2, "x")),
        ("dead".to_owned(), Effect::Recall { incident: id }),
    ];
    effects.extend((0..100).map(|i| (format!("w{i}"), wake(i))));
    store.commit(vec![Commit { effects, ..Commit::default() }]).await.unwrap();
    store.commit(vec![Commit { outbox: vec![(1, Progress::Sending)], ..Commit::default() }]).await.unwrap();
    store.settle(1, Progress::Sent { remote: None, said: None }, None).await.unwrap();
    for row in store.claim(NOW, 1_000).await.unwrap() {
        let progress = match row.op.as_str() {
            "dead" => Progress::Dead { why: "no".to_owned() },
            "gone" => Progress::Superseded { why: "not wanted".to_owned() },
            _ => Progress::Sent { remote: None, said: (row.op == "say").then(|| message("x")) },
        };
        store.settle(row.id, progress, None).await.unwrap();
    }
    store.commit(vec![Commit { effects: vec![("later".to_owned(), wake(1_000))], ..Commit::default() }]).await.unwrap();
    digest(&store, arrivals("a", 200)).await;
    assert_eq!(site.count("outbox").await, 105);
    watch.set(old(REMEMBERED_MS));
    digest(&store, arrivals("b", 200)).await;
    assert_eq!(site.count("outbox").await, 4);
    assert_eq!(site.count("outbox WHERE op IN ('run', 'say', 'dead', 'later')").await, 4);
}

async fn resolved_alerts_are_forgotten_and_those_an_incident_is_about_never(site: Site) {
    let (watch, store) = aging(&site).await;
    let mut alerts: Vec<_> = (0..FORGET_AT_ONCE).map(|i| alert(&format!("f{i}"), None)).collect();
    for alert in &mut alerts {
        alert.status = AlertStatus::Resolved;
    }
    let entries = vec![declared(2)];
    let incidents = vec![Incident::fold(IncidentId(2), &entries)];
    store.commit(vec![Commit { entries, incidents, ..Commit::default() }]).await.unwrap();
    let mut firing = alert("firing", Some(2));
    let mut young = alert("young", None);
    (firing.last_seen, young.status) = (NOW.plus(-ALERTS_REMEMBERED_MS), AlertStatus::Resolved);
    young.last_seen = NOW.plus(ALERTS_REMEMBERED_MS);
    // What an incident was about stays with it: its page and its export show it.
    let told = AlertState { status: AlertStatus::Resolved, ..alert("told", Some(1)) };
    alerts.extend([firing.clone(), young.clone(), told]);
    store.commit(vec![Commit { alerts, ..Commit::default() }]).await.unwrap();
    assert_eq!(site.count("alerts").await, i64::from(FORGET_AT_ONCE) + 3);
    watch.set(old(ALERTS_REMEMBERED_MS));
    digest(&store, arrivals("a", 1)).await;
    assert_eq!(site.count("alerts").await, 3);
    let known = store.restore().await.unwrap().desk.alerts;
    assert_eq!(known.into_values().collect::<Vec<_>>(), [firing, young]);
}

async fn a_firing_alert_nobody_hears_of_is_forgotten(site: Site) {
    let (watch, store) = aging(&site).await;
    let entries = vec![declared(1), entry(1, 2, Fact::Resolved { cause: None, fix: None })];
    let incidents = vec![Incident::fold(IncidentId(1), &entries)];
    store.commit(vec![Commit { entries, incidents, ..Commit::default() }]).await.unwrap();
    let mut heard = alert("heard", None);
    heard.last_seen = NOW.plus(2);
    // What an incident was about stays with it, on its page and in its export.
    let alerts = vec![alert("unheard", None), heard.clone(), alert("of an ended one", Some(1))];
    store.commit(vec![Commit { alerts, ..Commit::default() }]).await.unwrap();
    assert_eq!(store.restore().await.unwrap().desk.alerts.len(), 3);
    watch.set(old(UNHEARD_MS));
    digest(&store, arrivals("a", 70)).await;
    assert_eq!(store.restore().await.unwrap().desk.alerts.into_values().collect::<Vec<_>>(), [heard.clone()]);
    assert_eq!(store.loose(&ana(), 10).await.unwrap(), [heard]);
    assert_eq!(site.count("alerts").await, 2);
}

/// Looked up by an index, so that forgetting costs what is forgotten and not what is there.
#[tokio::test]
async fn what_is_looked_for_is_found_by_an_index() {
    let head = "NOT EXISTS (SELECT 1 FROM outbox AS p WHERE p.incident = o.incident AND p.destination = o.destination \
                AND p.state = 'pending' AND (p.priority, p.id) < (o.priority, o.id)) AND NOT EXISTS (SELECT 1 FROM outbox AS f \
                WHERE f.incident = o.incident AND f.destination = o.destination AND f.state IN ('sending', 'unknown'))";
    let due = format!(
        "SELECT id FROM outbox AS o WHERE state = 'pending' AND destination <> 'clock' AND +due_at <= 5 AND {head} \
         ORDER BY priority, id LIMIT 9"
    );
    let next =
        format!("SELECT MIN(due_at) FROM outbox AS o WHERE state = 'pending' AND (destination = 'clock' OR {head})");
    let site = Site::sqlite();
    let (_, store) = aging(&site).await;
    store.close().await;
    let mut connection = site.intruder().await;
    for (sql, index) in [
        ("SELECT id FROM inbox WHERE processed IS NOT NULL AND processed < 5 ORDER BY processed LIMIT 9", "inbox_done"),
        (
            "SELECT id FROM outbox WHERE run = 0 AND said IS NULL AND remote IS NULL \
             AND state NOT IN ('pending', 'sending', 'unknown', 'dead') AND settled_at < 5 ORDER BY settled_at LIMIT 9",
            "outbox_done",
        ),
        (
            "SELECT source, fingerprint FROM alerts WHERE status = 'resolved' AND incident IS NULL AND last_seen < 5 \
             ORDER BY last_seen LIMIT 9",
            "alerts_incident",
        ),
        (
            "SELECT source, fingerprint FROM alerts WHERE status = 'firing' AND incident IS NULL AND last_seen < 5 \
             ORDER BY last_seen LIMIT 9",
            "alerts_",
        ),
        (
            "SELECT body FROM alerts AS a WHERE status = 'firing' AND last_seen >= 5 AND (incident IS NULL OR EXISTS \
             (SELECT 1 FROM snapshots AS s WHERE s.incident = a.incident AND s.open = 0 AND s.private = 0)) \
             ORDER BY last_seen DESC, source, fingerprint LIMIT 9",
            "alerts_firing",
        ),
        (
            "DELETE FROM outbox WHERE incident = 1 AND id < 5 AND destination = 'room:console' AND supersedes = 'card' \
             AND state IN ('sent', 'reconciled', 'superseded')",
            "outbox_incident",
        ),
        (due.as_str(), "outbox_turn"),
        (due.as_str(), "outbox_order"),
        (due.as_str(), "outbox_under_way"),
        (next.as_str(), "outbox_due"),
        (
            "SELECT id FROM outbox WHERE state = 'pending' AND priority = 0 AND due_at <= 5 AND destination = 'clock' \
             ORDER BY id LIMIT 9",
            "outbox_urgent",
        ),
        (
            "SELECT id FROM outbox WHERE state IN ('pending', 'sending', 'unknown', 'dead') AND state = 'sending' ORDER BY id",
            "outbox_standing",
        ),
        ("SELECT incident FROM room WHERE platform = 'slack' AND id = 'C1'", "sqlite_autoindex_room_1"),
    ] {
        let plan = sqlx::query(sqlx::AssertSqlSafe(format!("EXPLAIN QUERY PLAN {sql}"))).fetch_all(&mut connection);
        let plan: Vec<String> = plan.await.unwrap().iter().map(|row| row.try_get("detail").unwrap()).collect();
        assert!(plan.iter().any(|step| step.contains(index)), "{sql}: {plan:?}");
    }
    connection.close().await.unwrap();
}
