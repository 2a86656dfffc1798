//! What a stopped server left on disk, read as anybody may read it: by `smokejumper export` and the storage's own reader.

use super::bot::Bot;
use super::{command, err, out};
use crate::world::postgres::connect;
use crate::world::wait::seen;
use smokejumper::edges::clock::WallClock;
use smokejumper::edges::store::audit::Verified;
use smokejumper::edges::store::export::{Exported, ExportedEffect};
use smokejumper::edges::store::reader::Reader;
use smokejumper::flow::desk::AlertState;
use smokejumper::flow::effect::{Destination, Effect};
use smokejumper::flow::fact::Fact;
use smokejumper::flow::incident::IncidentId;
use smokejumper::flow::signal::AlertStatus;
use smokejumper_intents::text::render;
use sqlx::{Connection as _, Row as _};
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

/// Everything on disk.
pub struct Books {
    pub incidents: Vec<Exported>,
    /// Alerts without an incident.
    pub loose: Vec<AlertState>,
    pub dead_letters: u64,
}

/// Beside the running server, or after it.
pub async fn reader(bot: &Bot) -> Reader {
    Reader::open(bot.location(), Arc::new(WallClock)).await.unwrap()
}

/// Waits until every delivery has had its turn and every effect but timers is settled.
pub async fn settled(bot: &Bot, patience: Duration) {
    let reader = reader(bot).await;
    let left = Left::default();
    seen("everything is settled", patience, || async {
        let waiting = reader.counts().await.unwrap().waiting;
        *left.0.borrow_mut() = format!("{waiting} deliveries wait");
        let (mut after, mut settled) = (IncidentId(0), waiting == 0);
        while let Some(exported) = reader.exported(after).await.unwrap() {
            after = exported.incident.id;
            if let Some(row) = exported.outbox.iter().find(|row| is_under_way(row)) {
                settled = false;
                *left.0.borrow_mut() = format!("{waiting} deliveries wait; {row:?}");
            }
        }
        settled.then_some(())
    })
    .await;
    reader.close().await;
}

/// Alerts without an incident, also those that are over, which no view shows any more.
async fn loose(bot: &Bot) -> Vec<AlertState> {
    let sqlite = || format!("sqlite://{}?mode=rw", bot.data().join("smokejumper.db").display());
    let mut connection = connect(&bot.database().map_or_else(sqlite, |database| database.url.clone())).await;
    let sql = "SELECT body FROM alerts WHERE incident IS NULL";
    let rows = sqlx::query(sql).fetch_all(&mut connection).await.unwrap();
    connection.close().await.unwrap();
    rows.iter().map(|row| serde_json::from_str(&row.get::<String, _>(0)).unwrap()).collect()
}

/// What was still to be done when a test gave up waiting.
#[derive(Default)]
struct Left(RefCell<String>);

impl Drop for Left {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("not settled: {}", self.0.borrow());
        }
    }
}

fn is_timer(effect: &Effect) -> bool {
    effect.destination() == Destination::Clock
}

/// A timer is not waited for.
fn is_under_way(row: &ExportedEffect) -> bool {
    ["pending", "sending", "unknown"].contains(&row.state.as_str()) && !is_timer(&row.effect)
}

impl Books {
    /// Of a server that has ended: the export, and an unbroken chain.
    pub async fn of(bot: &Bot) -> Self {
        let mut export = command(&bot.path(""), &["export", "--data-dir", "data", "--quiet"]);
        let output = export.envs(bot.environment()).output().unwrap();
        assert!(output.status.success(), "{}", err(&output));
        let incidents = out(&output).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let reader = reader(bot).await;
        let verified = reader.verify_chain().await.unwrap();
        assert!(matches!(verified, Verified::Whole { .. }), "{verified:?}");
        let dead_letters = reader.counts().await.unwrap().dead_letters;
        reader.close().await;
        Self { incidents, loose: loose(bot).await, dead_letters }
    }

    pub fn alerts(&self) -> impl Iterator<Item = &AlertState> {
        self.incidents.iter().flat_map(|i| &i.alerts).chain(&self.loose)
    }

    /// One of each (I7), and the incident's own counts agree with its alerts: none was taken twice, none is in two.
    pub fn assert_one_of_each(&self) {
        let (mut ops, mut services, mut keys) = (BTreeSet::new(), BTreeMap::new(), BTreeSet::new());
        for (exported, number) in self.incidents.iter().zip(1..) {
            let incident = &exported.incident;
            let id = incident.id;
            assert_eq!(id, IncidentId(number), "numbers are given once, without gaps");
            if let Some(service) = &incident.service {
                let other = services.insert(service.clone(), id);
                assert_eq!(other, None, "two incidents for {service}: {id}");
            }
            let count = |what: &dyn Fn(&Fact) -> bool| exported.entries.iter().filter(|e| what(&e.fact)).count();
            assert_eq!(count(&|f| matches!(f, Fact::Declared { .. })), 1, "{id}");
            assert_eq!(count(&|f| matches!(f, Fact::RoomOpened { .. })), 1, "{id}");
            assert_eq!(incident.rooms.len(), 1, "{id}");

            let mut said = BTreeSet::new();
            for row in &exported.outbox {
                assert!(ops.insert(row.op.clone()), "{id}: operation {} is there twice", row.op);
                assert!(!is_under_way(row) && row.state != "dead", "{id}: {row:?}");
                if let (Effect::Say { message, .. }, true) = (&row.effect, row.state != "superseded") {
                    assert!(said.insert(render(message, 200)), "{id}: said twice: {message:?}");
                }
            }
            let sent = |what: &dyn Fn(&Effect) -> bool| {
                exported.outbox.iter().filter(|r| what(&r.effect) && r.state != "superseded").count()
            };
            assert_eq!(sent(&|e| matches!(e, Effect::OpenRoom { .. })), 1, "{id}: one room");
            assert!(sent(&|e| matches!(e, Effect::Card { .. })) >= 1, "{id}: a card");
            let cards: BTreeSet<_> = exported
                .outbox
                .iter()
                .filter(|r| matches!(r.effect, Effect::Card { .. }))
                .filter_map(|r| r.remote.as_ref())
                .collect();
            assert!(cards.len() <= 1, "{id}: one card, edited: {cards:?}");

            for alert in &exported.alerts {
                assert!(keys.insert(&alert.key), "{:?} is in two incidents", alert.key);
                assert_eq!(alert.incident, Some(id));
            }
            let total: u32 = incident.groups.values().map(|g| g.total).sum();
            assert_eq!(total as usize, exported.alerts.len(), "{id}: alerts that joined, and alerts it has");
            let firing = exported.alerts.iter().filter(|a| a.status == AlertStatus::Firing).count();
            assert_eq!(incident.firing() as usize, firing, "{id}: alerts that fire, counted and kept");
        }
    }
}
