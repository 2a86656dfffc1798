//! A chat platform of others, in memory: it remembers what it was told, and fails as a test wants it to.

use super::{Ledger, engine_at};
use crate::world::watch::Watch;
use async_trait::async_trait;
use smokejumper::engine::Engine;
use smokejumper::flow::effect::Effect;
use smokejumper::flow::fact::{Room, RoomChange};
use smokejumper::flow::identity::{Identity, Platform};
use smokejumper::flow::incident::Incident;
use smokejumper::flow::moment::At;
use smokejumper::flow::rooms::Furnishing;
use smokejumper::ports::{Chat, Clock as _, Commit, Found, Journal as _, Sought, Undelivered};
use smokejumper_intents::reply::Reply;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex};

/// What it does with a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mood {
    Well,
    /// Certainly not reached.
    Away,
    /// The answer is lost, after the effect or without one.
    Lost {
        done: bool,
    },
    /// The answer never comes.
    Hangs,
    /// Says when to come again (ms).
    Busy(i64),
    /// The room was archived by hand.
    Archived,
}

/// What it was asked to do, whatever came of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    pub at: At,
    pub what: &'static str,
    pub op: String,
    pub posted: Option<String>,
}

#[derive(Default)]
pub struct Seen {
    pub calls: Vec<Call>,
    /// What is there, by operation; made in this order.
    pub made: Vec<(&'static str, String, u32, Option<Reply>)>,
    /// What somebody deleted by hand, by its id.
    pub deleted: Vec<String>,
    /// How often it was looked for each.
    pub looked: Vec<String>,
}

pub struct Vendor {
    pub platform: Platform,
    pub watch: Arc<Watch>,
    pub mood: Mutex<Mood>,
    /// Whether its history may be read.
    pub can_look: Mutex<bool>,
    pub seen: Mutex<Seen>,
}

impl Vendor {
    pub fn new(platform: Platform, watch: &Arc<Watch>) -> Arc<Self> {
        let (mood, can_look) = (Mutex::new(Mood::Well), Mutex::new(true));
        Arc::new(Self { platform, watch: Arc::clone(watch), mood, can_look, seen: Mutex::default() })
    }

    pub fn is(&self, mood: Mood) {
        *self.mood.lock().unwrap() = mood;
    }

    /// Operations of what was made of a kind.
    pub fn made(&self, what: &str) -> Vec<String> {
        self.seen.lock().unwrap().made.iter().filter(|made| made.0 == what).map(|made| made.1.clone()).collect()
    }

    pub fn calls(&self) -> usize {
        self.seen.lock().unwrap().calls.len()
    }

    /// Messages posted in an incident's room.
    pub fn said(&self, incident: u32) -> Vec<Reply> {
        let seen = self.seen.lock().unwrap();
        let says = seen.made.iter().filter(|made| made.0 == "say" && made.2 == incident);
        says.filter_map(|made| made.3.clone()).collect()
    }

    async fn call(
        &self,
        what: &'static str,
        op: &str,
        incident: &Incident,
        said: Option<&Reply>,
        posted: Option<&str>,
    ) -> Result<String, Undelivered> {
        let mood = *self.mood.lock().unwrap();
        let call = Call { at: self.watch.now(), what, op: op.to_owned(), posted: posted.map(str::to_owned) };
        self.seen.lock().unwrap().calls.push(call);
        let why = || "the vendor of this test".to_owned();
        // One that was deleted by hand is made anew.
        let posted = posted.filter(|posted| !self.seen.lock().unwrap().deleted.iter().any(|id| id == posted));
        let id = posted.map_or_else(|| format!("{what} {op}"), str::to_owned);
        if posted.is_none() && matches!(mood, Mood::Well | Mood::Lost { done: true }) {
            self.seen.lock().unwrap().made.push((what, op.to_owned(), incident.id.0, said.cloned()));
        }
        match mood {
            Mood::Well => Ok(id),
            Mood::Away => Err(Undelivered::NotYet { why: why(), after_ms: None }),
            Mood::Lost { .. } => Err(Undelivered::Unknown { why: why() }),
            Mood::Hangs => std::future::pending().await,
            Mood::Busy(ms) => Err(Undelivered::NotYet { why: why(), after_ms: Some(ms) }),
            Mood::Archived => Err(Undelivered::NoRoom { change: RoomChange::Archived, why: why() }),
        }
    }
}

fn room(op: &str, name: &str) -> Room {
    Room { id: format!("room {op}"), name: name.to_owned(), link: None, private: false }
}

#[async_trait]
impl Chat for Vendor {
    fn platform(&self) -> Platform {
        self.platform
    }

    async fn open_room(&self, op: &str, incident: &Incident, name: &str) -> Result<Room, Undelivered> {
        self.call("room", op, incident, None, None).await?;
        Ok(room(op, name))
    }

    async fn card(
        &self,
        op: &str,
        incident: &Incident,
        _: &Room,
        card: &Reply,
        posted: Option<&str>,
    ) -> Result<Option<String>, Undelivered> {
        self.call("card", op, incident, Some(card), posted).await.map(Some)
    }

    async fn say(&self, op: &str, incident: &Incident, _: &Room, said: &Reply) -> Result<Option<String>, Undelivered> {
        self.call("say", op, incident, Some(said), None).await.map(Some)
    }

    async fn furnish(&self, incident: &Incident, _: &Room, _: &Furnishing) -> Result<Vec<String>, Undelivered> {
        self.call("furnish", "", incident, None, None).await.map(|_| Vec::new())
    }

    async fn tell(
        &self,
        op: &str,
        incident: &Incident,
        _: &Identity,
        said: &Reply,
    ) -> Result<Option<String>, Undelivered> {
        self.call("tell", op, incident, Some(said), None).await.map(Some)
    }

    async fn announce(
        &self,
        op: &str,
        incident: &Incident,
        said: &Reply,
        posted: Option<&str>,
    ) -> Result<Option<String>, Undelivered> {
        self.call("announce", op, incident, Some(said), posted).await.map(Some)
    }

    async fn find(&self, op: &str, _: &Incident, sought: Sought<'_>, _: At) -> Result<Option<Found>, Undelivered> {
        if !*self.can_look.lock().unwrap() {
            return Err(Undelivered::Never { why: "missing_scope".to_owned() });
        }
        if *self.mood.lock().unwrap() == Mood::Away {
            return Err(Undelivered::NotYet { why: "away".to_owned(), after_ms: None });
        }
        let what = match sought {
            Sought::Room { .. } => "room",
            Sought::Message { .. } => "",
            Sought::Told { .. } => "tell",
            Sought::Announcement => "announce",
        };
        let mut seen = self.seen.lock().unwrap();
        seen.looked.push(op.to_owned());
        let mut made = seen.made.iter();
        let found =
            made.find(|made| made.1 == op && (made.0 == what || what.is_empty() && ["card", "say"].contains(&made.0)));
        Ok(found.map(|made| match sought {
            Sought::Room { name } => Found::Room(room(op, name)),
            _ => Found::Message(format!("{} {op}", made.0)),
        }))
    }
}

/// An engine with the console and Slack, at a time the test sets.
pub struct House {
    pub engine: Engine,
    pub ledger: Ledger,
    pub watch: Arc<Watch>,
    pub slack: Arc<Vendor>,
    pub console: Arc<Vendor>,
    queued: std::cell::Cell<u32>,
}

impl House {
    pub async fn new(data: &Path) -> Self {
        let watch = Arc::new(Watch::at(crate::world::town::START));
        let (slack, console) = (Vendor::new(Platform::Slack, &watch), Vendor::new(Platform::Console, &watch));
        let chats = BTreeMap::from([
            (Platform::Slack, slack.clone() as Arc<dyn Chat>),
            (Platform::Console, console.clone() as Arc<dyn Chat>),
        ]);
        let (engine, ledger) = engine_at(data, |ledger| Arc::new(ledger), chats, watch.clone(), |_| ()).await;
        Self { engine, ledger, watch, slack, console, queued: std::cell::Cell::new(0) }
    }

    /// With so many incidents, whose rooms are open and whose cards are posted.
    pub async fn with_incidents(data: &Path, number: u32) -> Self {
        let house = Self::new(data).await;
        for n in 0..number {
            super::answered(&house.engine, super::declare(), &format!("declare {n}")).await;
        }
        for _ in 0..40 {
            house.beat().await;
        }
        house
    }

    /// One round of the engine: turns, a claim and what it gave, a look.
    pub async fn beat(&self) -> usize {
        while self.engine.turns().await.unwrap() > 0 {}
        let rows = self.engine.claim().await.unwrap();
        let number = rows.len();
        for row in rows {
            self.engine.carry(row).await.unwrap();
        }
        number + self.engine.reconcile().await.unwrap()
    }

    /// Beats for so long (ms), every half second.
    pub async fn pass(&self, ms: i64) {
        let until = self.watch.now().plus(ms);
        while self.watch.now() < until {
            while self.beat().await > 0 {}
            self.watch.set(self.watch.now().plus(500).min(until));
        }
    }

    pub async fn queue(&self, effects: impl IntoIterator<Item = Effect>) -> Vec<String> {
        let op = || {
            self.queued.set(self.queued.get() + 1);
            format!("q{}", self.queued.get())
        };
        let effects: Vec<_> = effects.into_iter().map(|effect| (op(), effect)).collect();
        let ops = effects.iter().map(|(op, _)| op.clone()).collect();
        self.ledger.commit(vec![Commit { effects, ..Commit::default() }]).await.unwrap();
        ops
    }
}
