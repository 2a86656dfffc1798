//! What Slack says to us: by a socket or by requests, read alike, stored before it is acknowledged, answered afterwards.
//!
//! Knows the door, views and the rules; what is answered it leaves to whoever knows incidents. Commands, clicks and forms become
//! the same asks as anywhere else.

mod asking;
mod filling;
mod http;
mod noticing;
pub mod payload;
pub mod read;
mod replies;
mod signature;
mod socket;
mod standing;
mod wording;

pub use self::http::router;
pub use self::socket::Sockets;
pub use self::standing::{Standing, State};

use self::filling::Sources;
use self::read::{Heard, Kind, Unreadable};
use self::replies::{Back, Replies};
use super::Slack;
use crate::flow::identity::{Identity, Platform};
use crate::flow::incident::IncidentId;
use crate::flow::moment::At;
use crate::flow::refusal::Refusal;
use crate::ports::{DeadLetter, Door, Rules, StoreError, Views};
use serde_json::Value;
use smokejumper_intents::inert;
use smokejumper_intents::intent::Ask;
use smokejumper_intents::reply::Reply;
use std::collections::{BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};
use tokio::time::timeout;

/// Things taken in at once, their answers included: far above what people in one workspace do.
const SEATS: u32 = 128;
/// Slack waits three seconds for the acknowledgement. What takes longer is not acknowledged: it comes again, or Slack tells whoever asked.
const ACKNOWLEDGE_WITHIN: Duration = Duration::from_millis(2_500);
/// At the end what was acknowledged is done in this time; the rest is stored, and the next start looks after it.
const FINISH_WITHIN: Duration = Duration::from_secs(5);
/// Keys remembered, so that what comes again is not answered again. What is forgotten is still one act by its key in the inbox.
const LATELY: usize = 4_096;
/// Bytes of a sample.
const MAX_SAMPLE: usize = 4 * 1024;
/// As it is in the inbox and among dead letters.
pub const SOURCE: &str = "slack";

/// Takes the configuration's secrets out of a text.
pub type Scrub = Arc<dyn Fn(&str) -> String + Send + Sync>;

/// What the intake works with.
pub struct Parts {
    pub slack: Slack,
    pub door: Arc<dyn Door>,
    pub views: Arc<dyn Views>,
    pub rules: Rules,
    pub scrub: Scrub,
    pub standing: Standing,
}

impl std::fmt::Debug for Parts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Parts").field("slack", &self.slack).finish_non_exhaustive()
    }
}

/// Where everything from Slack comes together.
pub struct Intake {
    slack: Slack,
    door: Arc<dyn Door>,
    views: Arc<dyn Views>,
    rules: Rules,
    scrub: Scrub,
    standing: Standing,
    replies: Replies,
    seats: Arc<Semaphore>,
    lately: Mutex<Lately>,
    sources: Mutex<Sources>,
}

impl std::fmt::Debug for Intake {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Intake").field("slack", &self.slack).finish_non_exhaustive()
    }
}

/// A place among the things that are taken in; left when it is dropped.
#[derive(Debug)]
pub struct Seat {
    _place: OwnedSemaphorePermit,
}

/// What became of a delivery.
#[derive(Clone, Debug, PartialEq)]
pub enum Taken {
    /// Nothing of it can be lost any more; and what is to be shown with the acknowledgement.
    Done(Option<Value>),
    /// Not stored. With something to show it is acknowledged all the same, because whoever asked is told; otherwise it is not,
    /// and comes again.
    Not(Option<Value>),
}

impl Intake {
    /// # Errors
    /// The address, for whoever wrote it.
    pub fn new(parts: Parts) -> Result<Self, String> {
        let Parts { slack, door, views, rules, scrub, standing } = parts;
        let replies = Replies::new(slack.clone())?;
        let seats = Arc::new(Semaphore::new(SEATS as usize));
        Ok(Self {
            slack,
            door,
            views,
            rules,
            scrub,
            standing,
            replies,
            seats,
            lately: Mutex::default(),
            sources: Mutex::default(),
        })
    }

    #[must_use]
    pub const fn standing(&self) -> &Standing {
        &self.standing
    }

    #[must_use]
    pub const fn slack(&self) -> &Slack {
        &self.slack
    }

    /// `None`: too much is being taken in already.
    #[must_use]
    pub fn seat(&self) -> Option<Seat> {
        let place = Arc::clone(&self.seats).try_acquire_owned();
        if place.is_err() {
            tracing::warn!(at_once = SEATS, "more comes from Slack than can be taken in; it will come again");
        }
        place.ok().map(|place| Seat { _place: place })
    }

    /// Takes a delivery in. Its answer follows by itself.
    pub async fn take(self: &Arc<Self>, seat: Seat, kind: Kind, json: &str) -> Taken {
        match read::read(kind, json) {
            Ok(heard) => self.hear(seat, heard).await,
            Err(unreadable) => self.bury(unreadable, json).await,
        }
    }

    /// The same of what was read.
    pub async fn hear(self: &Arc<Self>, seat: Seat, heard: Heard) -> Taken {
        self.standing.heard(self.now());
        let key = heard.key().map(str::to_owned);
        if key.as_deref().is_some_and(|key| !self.lately().is_new(key)) {
            return Taken::Done(None);
        }
        let taken = timeout(ACKNOWLEDGE_WITHIN, self.attend(seat, heard)).await.unwrap_or(Taken::Not(None));
        if matches!(taken, Taken::Not(_))
            && let Some(key) = key
        {
            self.lately().forget(&key);
        }
        taken
    }

    async fn attend(self: &Arc<Self>, seat: Seat, heard: Heard) -> Taken {
        match heard {
            Heard::Said(said) => self.said(seat, said).await,
            Heard::Pressed(pressed) => self.pressed(seat, pressed).await,
            Heard::Marked { by, what, channel, ts, key } => self.marked(seat, by, what, &channel, &ts, key).await,
            Heard::Joined { by, channel, key } => self.joined(seat, by, channel, key).await,
            Heard::Room { channel, change, key } => self.room_changed(channel, change, key).await,
            Heard::Removed(why) => {
                tracing::error!(why, "Smokejumper is not in the workspace any more");
                self.standing.removed(why);
                Taken::Done(None)
            }
            Heard::Nothing(why) => {
                tracing::debug!(why, "nothing to do");
                Taken::Done(None)
            }
            Heard::Submitted(submitted) => self.submitted(seat, submitted).await,
            Heard::OnMessage(on) => self.on_message(seat, on).await,
            Heard::Shortcut { by, name, trigger, .. } if name == filling::DECLARE => {
                self.declare(seat, Back::to(by), trigger)
            }
            Heard::Shortcut { .. } => Taken::Done(None),
            Heard::Home { by } => self.home(seat, by),
        }
    }

    /// Keeps a sample of what nobody can read.
    pub async fn bury(&self, why: Unreadable, text: &str) -> Taken {
        tracing::warn!(why = why.0, "a delivery from Slack could not be read");
        self.standing.unreadable();
        let sample = (self.scrub)(&text.chars().take(MAX_SAMPLE).collect::<String>());
        let sample = inert::shorten(&inert::prose(&sample), MAX_SAMPLE);
        let letter = DeadLetter { source: SOURCE.to_owned(), at: self.now(), why: why.0, sample };
        match self.door.bury(letter).await {
            Ok(()) => Taken::Done(None),
            Err(error) => {
                tracing::error!(%error, "the sample could not be kept");
                Taken::Not(None)
            }
        }
    }

    /// Asks, and answers when there is an answer; returns as soon as nothing can be lost.
    async fn perform(self: &Arc<Self>, seat: Seat, back: Back, ask: Ask, key: String) -> Taken {
        let (stored_in, stored) = oneshot::channel();
        let (intake, by) = (Arc::clone(self), back.to.clone());
        tokio::spawn(async move {
            let _seat = seat;
            let reply = match intake.door.ask_noting(by, ask, key, Some(stored_in)).await {
                Ok(reply) => reply,
                Err(error) => failed(&error),
            };
            intake.replies.send(&back, &reply).await;
        });
        match stored.await {
            Ok(()) => Taken::Done(None),
            Err(_) => Taken::Not(None),
        }
    }

    /// Answers without asking anybody; after the acknowledgement.
    fn answer(self: &Arc<Self>, seat: Seat, back: Back, reply: Reply) -> Taken {
        let intake = Arc::clone(self);
        tokio::spawn(async move {
            let _seat = seat;
            intake.replies.send(&back, &reply).await;
        });
        Taken::Done(None)
    }

    /// The incident whose channel this is.
    async fn incident_of(&self, channel: &str) -> Result<Option<IncidentId>, StoreError> {
        self.views.incident_of_room(Platform::Slack, channel).await
    }

    /// What somebody is called in commands, by their account's id in this workspace.
    fn name_of(&self, workspace: &str, user: &str) -> Option<String> {
        let account = Identity { platform: Platform::Slack, workspace: workspace.to_owned(), id: user.to_owned() };
        self.rules.current().person(&account).map(|person| person.id.0.clone())
    }

    /// Everything that is under way is given its time; nothing new comes.
    pub async fn finish(&self) {
        if timeout(FINISH_WITHIN, self.seats.acquire_many(SEATS)).await.is_err() {
            tracing::info!("answers that were still on their way to Slack were left");
        }
    }

    fn lately(&self) -> std::sync::MutexGuard<'_, Lately> {
        self.lately.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> At {
        self.slack.clock().now()
    }
}

/// What somebody is told whose ask was not stored.
fn failed(error: &StoreError) -> Reply {
    tracing::error!(%error, "an ask from Slack was not stored");
    Refusal::new("this was not stored, and nothing was done: Smokejumper's storage does not work just now.")
        .or_try("again in a moment; whoever runs Smokejumper sees why in its log")
        .to_reply()
}

fn refused(key: &str) -> String {
    format!("refused {key}")
}

/// Keys that were seen.
#[derive(Debug, Default)]
struct Lately {
    order: VecDeque<String>,
    known: BTreeSet<String>,
}

impl Lately {
    fn is_new(&mut self, key: &str) -> bool {
        if !self.known.insert(key.to_owned()) {
            return false;
        }
        self.order.push_back(key.to_owned());
        if self.order.len() > LATELY
            && let Some(oldest) = self.order.pop_front()
        {
            self.known.remove(&oldest);
        }
        true
    }

    /// Tried again it is not the same any more.
    fn refuse(&mut self, key: &str) {
        self.forget(key);
        let _ = self.is_new(&refused(key));
    }

    fn was_refused(&self, key: &str) -> bool {
        self.known.contains(&refused(key))
    }

    fn forget(&mut self, key: &str) {
        self.known.remove(key);
        self.order.retain(|known| known != key);
    }
}
