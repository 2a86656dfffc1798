//! Ports: what the engine and the edges may ask of each other, as small as our use.
//!
//! Knows the flow's types; knows neither engine nor edges.

mod rules;

pub use rules::Rules;

use crate::flow::State;
use crate::flow::desk::{AlertState, Desk};
use crate::flow::effect::{Destination, Effect};
use crate::flow::event::Event;
use crate::flow::fact::{Ended, Entry, Issue, Room, RoomChange, RunOutcome, Verdict};
use crate::flow::identity::{Identity, PersonId, Platform};
use crate::flow::incident::{Incident, IncidentId};
use crate::flow::moment::At;
use crate::flow::plan::{FileDigest, Plan};
use crate::flow::recollection::{Lesson, PastIncident, Question, Recollection};
use crate::flow::remediation::Approved;
use crate::flow::rooms::Furnishing;
use async_trait::async_trait;
use smokejumper_intents::intent::Ask;
use smokejumper_intents::reply::Reply;
use smokejumper_intents::word::Severity;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use tokio::sync::oneshot;

// ---- storage ---------------------------------------------------------------------------------------------------

/// An event as an edge hands it in. `key` is unique within `source`: delivering it again changes nothing.
#[derive(Clone, Debug, PartialEq)]
pub struct Arrival {
    pub source: String,
    pub key: String,
    pub at: At,
    pub event: Event,
}

/// An event that waits for its turn.
#[derive(Clone, Debug, PartialEq)]
pub struct Waiting {
    pub id: i64,
    pub arrival: Arrival,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Accepted {
    /// Durable under this inbox id.
    New(i64),
    /// Was there already, under this id.
    Known(i64),
}

/// A delivery nobody could read: counted, and a bounded sample kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeadLetter {
    pub source: String,
    pub at: At,
    pub why: String,
    pub sample: String,
}

#[async_trait]
pub trait Inbox: Send + Sync {
    /// All or none; durable when it returns.
    async fn accept(&self, arrivals: Vec<Arrival>) -> Result<Vec<Accepted>, StoreError>;
    /// Unprocessed events in order of arrival.
    async fn waiting(&self, limit: u32) -> Result<Vec<Waiting>, StoreError>;
    async fn bury(&self, letter: DeadLetter) -> Result<(), StoreError>;
}

/// One turn, to be stored whole or not at all.
#[derive(Debug, Default)]
pub struct Commit {
    /// The inbox row this turn processed.
    pub processed: Option<i64>,
    pub entries: Vec<Entry>,
    pub alerts: Vec<AlertState>,
    /// With an operation id each: unique for ever, the deduplication key at the vendor.
    pub effects: Vec<(String, Effect)>,
    /// Incidents after this turn: snapshots for views and restarts.
    pub incidents: Vec<Incident>,
    /// The desk after this turn; its `version` is one more than the stored one, or the commit is refused.
    pub desk: Option<Desk>,
    /// What became of an outbox row, in the same transaction.
    pub outbox: Vec<(i64, Progress)>,
}

#[async_trait]
pub trait Journal: Send + Sync {
    /// All commits in one transaction, in order. On any error none of them happened.
    async fn commit(&self, commits: Vec<Commit>) -> Result<(), StoreError>;
    /// The desk with its alerts, and every open incident.
    async fn restore(&self) -> Result<State, StoreError>;
    /// `None`, too, for [`IncidentId::HOUSE`]: it has entries, and is no incident.
    async fn load(&self, id: IncidentId) -> Result<Option<Incident>, StoreError>;
}

/// An effect on its way.
#[derive(Clone, Debug, PartialEq)]
pub struct Outgoing {
    pub id: i64,
    pub op: String,
    pub effect: Effect,
    /// Attempts begun before this one.
    pub attempts: u32,
    pub queued_at: At,
}

/// What became of an outbox row.
#[derive(Clone, Debug, PartialEq)]
pub enum Progress {
    /// A process is about to start (class run only; all else is marked by `claim`).
    Sending,
    /// `remote`: the platform's id of what was made; `said`: what a room was told, for the console and for editing.
    Sent { remote: Option<String>, said: Option<Reply> },
    /// Certainly had no effect: again at `at`.
    Again { at: At, why: String },
    /// May or may not have had an effect, and only people can find out.
    Unknown { why: String },
    /// May or may not have had an effect: it is looked for, not before `at`.
    Look { at: At, why: String },
    /// Not wanted any more.
    Superseded { why: String },
    /// Given up; visible.
    Dead { why: String },
}

/// How many rows of a platform may be taken; of one that is not named, as many as there are.
pub type Shares = BTreeMap<Platform, u32>;

#[async_trait]
pub trait Outbox: Send + Sync {
    /// Rows that are due, pages and timers before the rest, for up to half of `limit`, and the rest by their priority; in each
    /// (incident, destination) by priority and then first in first out, at most one in flight there. All but class run are
    /// durably `sending` when it returns; a row of class run stays `pending` until a commit moves it.
    async fn claim_within(&self, now: At, limit: u32, shares: &Shares) -> Result<Vec<Outgoing>, StoreError>;
    /// The same, of all platforms.
    async fn claim(&self, now: At, limit: u32) -> Result<Vec<Outgoing>, StoreError> {
        self.claim_within(now, limit, &Shares::new()).await
    }
    /// Likewise, but only what must not wait behind slow work: pages and timers.
    async fn claim_urgent(&self, now: At, limit: u32) -> Result<Vec<Outgoing>, StoreError>;
    /// Stores what became of a row together with the event it caused.
    async fn settle(&self, id: i64, progress: Progress, event: Option<Arrival>) -> Result<(), StoreError>;
    /// Rows a former process left in `sending` or `unknown`.
    async fn interrupted(&self) -> Result<Vec<Outgoing>, StoreError>;
    /// Rows this process has marked as `sending`: what it carries, and what it lost when a claim or an outcome was not stored.
    async fn sending(&self) -> Result<Vec<Outgoing>, StoreError>;
    /// Rows of unknown outcome that may be looked for now, the longest overdue first; none of class run.
    async fn doubtful(&self, now: At, limit: u32) -> Result<Vec<Outgoing>, StoreError>;
    /// Pending rows of the same incident and destination as this one, in the order of queueing.
    async fn behind(&self, id: i64, limit: u32) -> Result<Vec<Outgoing>, StoreError>;
    /// A row that is being sent says this from now on, and it says what these pending rows of its incident and destination said: they
    /// are superseded. All or nothing.
    async fn fold(&self, id: i64, effect: Effect, rows: &[i64]) -> Result<(), StoreError>;
    /// What of these still waits is due now: for another attempt, or for a look.
    async fn hurry(&self, rows: &[i64]) -> Result<(), StoreError>;
    /// Whether this process is surely still the one that acts on the world for this database. Asked directly before what cannot be
    /// taken back or repeated: `false` is no proof that another has taken over, `true` that none has. Returns at once.
    fn may_act(&self) -> bool;
    /// The platform's id of what the newest delivered row of this incident and destination with this key (`Effect::supersedes`)
    /// made: the card, the announcement.
    async fn last_posted(
        &self,
        incident: IncidentId,
        destination: Destination,
        key: &str,
    ) -> Result<Option<String>, StoreError>;
    /// When the next row that could be claimed is due, without those of platforms that may get none.
    async fn next_due_within(&self, shares: &Shares) -> Result<Option<At>, StoreError>;
    /// The same, of all platforms.
    async fn next_due(&self) -> Result<Option<At>, StoreError> {
        self.next_due_within(&Shares::new()).await
    }
}

/// What a room shows of what was said in it, at most: more than anybody scrolls back; what happened is in the timeline.
pub const MAX_SAID: usize = 500;

/// Something the bot said in a room.
#[derive(Clone, Debug, PartialEq)]
pub struct Said {
    pub op: String,
    pub at: At,
    pub message: Reply,
}

/// Reading, with the viewer's rights: a private incident does not exist for those who are not in it.
#[async_trait]
pub trait Views: Send + Sync {
    /// Newest first.
    async fn list(&self, viewer: &Identity, closed: bool, limit: u32) -> Result<Vec<Incident>, StoreError>;
    async fn incident(&self, viewer: &Identity, id: IncidentId) -> Result<Option<Incident>, StoreError>;
    /// All facts of an incident, oldest first.
    async fn entries(&self, viewer: &Identity, id: IncidentId) -> Result<Vec<Entry>, StoreError>;
    async fn alerts(&self, viewer: &Identity, id: IncidentId, limit: u32) -> Result<Vec<AlertState>, StoreError>;
    /// Alerts that fire now and belong to no incident, or to one that has ended; newest first. None of a private incident.
    async fn loose(&self, viewer: &Identity, limit: u32) -> Result<Vec<AlertState>, StoreError>;
    /// The last [`MAX_SAID`] messages, oldest first, without the card.
    async fn said(&self, viewer: &Identity, id: IncidentId, platform: Platform) -> Result<Vec<Said>, StoreError>;
    /// The desk without its alerts.
    async fn desk(&self) -> Result<Desk, StoreError>;
    /// The incident whose room this is or was, whoever asks: it only says which one is meant, not what it is about.
    async fn incident_of_room(&self, platform: Platform, room: &str) -> Result<Option<IncidentId>, StoreError>;
}

#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum StoreError {
    /// For now: locked, full, gone. Senders are told to come again.
    #[error("storage is unavailable for now: {0}")]
    Unavailable(String),
    /// Another process or turn was faster; load again.
    #[error("storage moved on: {0}")]
    Conflict(String),
    /// Damaged or written by a newer version: a person must act.
    #[error("storage cannot be used: {0}")]
    Unusable(String),
}

// ---- the door, for edges ---------------------------------------------------------------------------------------

/// How edges hand things in. Implemented by the engine.
#[async_trait]
pub trait Door: Send + Sync {
    /// Takes deliveries in; durable when it returns.
    async fn take(&self, arrivals: Vec<Arrival>) -> Result<(), StoreError>;
    /// Somebody asked; acts are stored first, asks are only answered. `key` makes a repeated click one act.
    async fn ask(&self, by: Identity, ask: Ask, key: String) -> Result<Reply, StoreError> {
        self.ask_noting(by, ask, key, None).await
    }
    /// The same; tells on `stored` as soon as nothing of it can be lost any more, before the reply is there. Vendors want to hear
    /// of that within three seconds. Dropped without a word: it was not stored, and the error says why.
    async fn ask_noting(
        &self,
        by: Identity,
        ask: Ask,
        key: String,
        stored: Option<oneshot::Sender<()>>,
    ) -> Result<Reply, StoreError>;
    async fn bury(&self, letter: DeadLetter) -> Result<(), StoreError>;
}

// ---- the world -------------------------------------------------------------------------------------------------

/// Why an effect did not happen.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Undelivered {
    /// Certainly no effect; `after_ms`: not before (Retry-After), if the vendor said so. `None` from a chat platform means that it could
    /// not be reached: a few in a row, and it is only tried now and then.
    #[error("not delivered yet: {why}")]
    NotYet { why: String, after_ms: Option<i64> },
    /// Sent, answer lost: must be looked for before it is repeated.
    #[error("outcome unknown: {why}")]
    Unknown { why: String },
    /// It will never work; a person must act.
    #[error("cannot be delivered: {why}")]
    Never { why: String },
    /// Certainly no effect: the room it was meant for was archived or deleted by hand. No fault of anybody's.
    #[error("the room is not there: {why}")]
    NoRoom { change: RoomChange, why: String },
}

/// What is looked for, of what may or may not have had an effect.
#[derive(Clone, Copy, Debug)]
pub enum Sought<'a> {
    Room {
        name: &'a str,
    },
    /// A card or a message.
    Message {
        room: &'a Room,
    },
    Told {
        to: &'a Identity,
    },
    Announcement,
}

/// What was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    Room(Room),
    /// The platform's id of it.
    Message(String),
}

#[async_trait]
pub trait Chat: Send + Sync {
    fn platform(&self) -> Platform;
    /// `name` is wanted; the room says how it was really named.
    async fn open_room(&self, op: &str, incident: &Incident, name: &str) -> Result<Room, Undelivered>;
    /// Makes the card, or edits the one that was `posted`; gives the platform's id of it. One that is not there any more, or that
    /// is in another room, is made anew.
    async fn card(
        &self,
        op: &str,
        incident: &Incident,
        room: &Room,
        card: &Reply,
        posted: Option<&str>,
    ) -> Result<Option<String>, Undelivered>;
    async fn say(
        &self,
        op: &str,
        incident: &Incident,
        room: &Room,
        message: &Reply,
    ) -> Result<Option<String>, Undelivered>;

    /// Brings the room to how it should be; doing it twice is the same as once. Gives what could not be done, in words for people.
    /// A platform whose rooms have nothing but messages does nothing.
    async fn furnish(&self, _: &Incident, _: &Room, _: &Furnishing) -> Result<Vec<String>, Undelivered> {
        Ok(Vec::new())
    }

    /// Takes leave of a room that is not the incident's any more: the card in it becomes this (without one that is said), and the
    /// room is archived. Doing it twice is the same as once. The newest card of the incident may be in another room by now: that
    /// one stays as it is.
    async fn close_room(&self, _: &Incident, _: &Room, _: &Reply, _: Option<&str>) -> Result<(), Undelivered> {
        Ok(())
    }

    /// Says something to one person alone; gives the platform's id of it.
    async fn tell(&self, _op: &str, _: &Incident, _to: &Identity, _: &Reply) -> Result<Option<String>, Undelivered> {
        Err(Undelivered::Never { why: format!("nobody is written to alone on {}", self.platform().label()) })
    }

    /// Tells everybody, or edits what was `posted`; gives the platform's id of it.
    async fn announce(
        &self,
        _op: &str,
        _: &Incident,
        _: &Reply,
        _posted: Option<&str>,
    ) -> Result<Option<String>, Undelivered> {
        Err(Undelivered::Never { why: format!("{} has no place for announcements", self.platform().label()) })
    }

    /// What was made under `op` at `since` or later. `Ok(None)` is certain: nothing was. A platform where everything may be
    /// repeated is never asked.
    async fn find(&self, _op: &str, _: &Incident, _: Sought<'_>, _since: At) -> Result<Option<Found>, Undelivered> {
        Err(Undelivered::Never { why: format!("nothing can be looked for on {}", self.platform().label()) })
    }
}

#[async_trait]
pub trait Memory: Send + Sync {
    async fn recall(&self, question: Question) -> Result<Recollection, Undelivered>;
    async fn remember(&self, lesson: Lesson) -> Result<(), Undelivered>;
    /// The case of this name (`INC-12`) is found and told no more, also after a restart. Not knowing it is fine.
    async fn forget(&self, case: &str) -> Result<(), Undelivered>;
    async fn search(&self, text: &str, limit: usize) -> Result<Vec<PastIncident>, Undelivered>;
}

#[async_trait]
pub trait Runner: Send + Sync {
    /// Digests of the plan's files as they are now.
    async fn freshen(&self, plan: &Plan) -> Vec<FileDigest>;
    /// Runs it, once. Ends within the plan's timeouts whatever the processes do.
    async fn run(&self, approved: Approved) -> RunOutcome;
    async fn verify(&self, plan: &Plan) -> Verdict;
}

/// A follow-up as the tracker is to hold it. All of it is outside text; the edge makes it inert.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IssueDraft {
    pub incident: IncidentId,
    pub follow_up: u32,
    /// `owner/name`.
    pub repository: String,
    pub title: String,
    /// Markdown of ours, with outside text in it made inert.
    pub body: String,
    pub labels: Vec<String>,
    /// Logins there.
    pub assignees: Vec<String>,
}

/// How an issue should stand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IssueWanted {
    pub closed: bool,
    /// `None`: leave them as they are.
    pub assignees: Option<Vec<String>>,
}

/// Where follow-ups become issues.
#[async_trait]
pub trait Tracker: Send + Sync {
    /// Makes an issue that bears `op` as a hidden marker; gives it, and the assignees and labels the tracker did not know.
    async fn file(&self, op: &str, draft: &IssueDraft) -> Result<(Issue, Vec<String>), Undelivered>;
    /// The issue of ours that bears `op`, made at `since` or later, as `file` would have given it. `Ok(None)` is certain:
    /// nothing was made.
    async fn find(&self, op: &str, draft: &IssueDraft, since: At) -> Result<Option<(Issue, Vec<String>)>, Undelivered>;
    /// Brings an issue to how it should stand; doing it twice is the same as once. Gives the assignees that are not known there.
    async fn bring(&self, issue: &Issue, wanted: &IssueWanted) -> Result<Vec<String>, Undelivered>;
}

/// Somebody is to be woken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    pub incident: IncidentId,
    pub page: u32,
    pub who: PersonId,
    pub title: String,
    pub severity: Severity,
    /// Whose phones, where that is told by service; the same for a page's end as for its beginning.
    pub service: Option<String>,
    /// The service is for choosing the phone alone, and never shown: the incident is private.
    pub hidden: bool,
    /// Why, in our words.
    pub because: String,
    /// Where to look and acknowledge.
    pub link: Option<String>,
}

impl Call {
    /// The service, where it may be shown.
    #[must_use]
    pub fn shown_service(&self) -> Option<&str> {
        self.service.as_deref().filter(|_| !self.hidden)
    }
}

/// Reaches phones.
#[async_trait]
pub trait Pager: Send + Sync {
    /// Wakes them; `op` is the deduplication key, so doing it twice rings once. Gives the name of the pager that took it.
    async fn page(&self, op: &str, call: &Call) -> Result<String, Undelivered>;
    /// Nobody need be woken for the page that was sent under `op` any more.
    async fn end(&self, op: &str, call: &Call) -> Result<(), Undelivered>;
}

#[async_trait]
pub trait Directory: Send + Sync {
    /// Everybody who may approve now. An error means nobody.
    async fn approvers(&self) -> Result<BTreeSet<PersonId>, Undelivered>;
}

/// The only way to learn the time.
pub trait Clock: Send + Sync {
    fn now(&self) -> At;
}

/// Who watches the engine, to count and to time. Returns at once, and changes nothing.
pub trait Observer: Send + Sync {
    /// Something from outside is durable: an alert source's delivery, a person's ask.
    fn arrived(&self, source: &str, at: At);
    /// One event was decided.
    fn decided(&self, took: Duration);
    /// `turns` were stored in one transaction, and with them the end of these runs.
    fn committed(&self, took: Duration, turns: usize, runs: &[Ended]);
    /// What one attempt to carry out an effect came to.
    fn carried(&self, destination: Destination, progress: &Progress);
}

/// Nobody watches.
#[derive(Clone, Copy, Debug, Default)]
pub struct Unobserved;

impl Observer for Unobserved {
    fn arrived(&self, _: &str, _: At) {}
    fn decided(&self, _: Duration) {}
    fn committed(&self, _: Duration, _: usize, _: &[Ended]) {}
    fn carried(&self, _: Destination, _: &Progress) {}
}
