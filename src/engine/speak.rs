//! Speaking: rooms, cards, messages and announcements, to the chat platform they are for.
//!
//! What a card or an announcement says is rendered here, when it is sent. Messages that were to be said while a platform could not be
//! reached, or too many of them, become one (`flow::missed`). Knows no vendor.

use super::Engine;
use super::deliver::{Done, given_up};
use super::reach::vendor;
use crate::flow::announcing::announcement;
use crate::flow::card::card;
use crate::flow::effect::{CARD, Destination, Effect};
use crate::flow::event::Event;
use crate::flow::fact::{Room, RoomChange};
use crate::flow::identity::Platform;
use crate::flow::incident::Incident;
use crate::flow::missed::{Missed, Why, missed_post};
use crate::flow::moment::{At, MINUTE, SECOND};
use crate::flow::rooms;
use crate::ports::{Chat, Outgoing, Progress, StoreError, Undelivered};
use smokejumper_intents::reply::Reply;

/// A message that was to be said so long ago (ms) comes too late to be said as if nothing were.
const LATE: i64 = 2 * MINUTE;
/// Messages that may wait behind another; with more of them they become one.
const FEW: usize = 5;
/// Messages folded into one at a time, and how often: a room is not told more than that of one outage.
const FOLDED_AT_ONCE: u32 = 200;
const FOLDS: u32 = 10;

/// The store is not reached: that is no fault of the platform's.
fn unavailable(problem: &StoreError) -> Undelivered {
    Undelivered::NotYet { why: problem.to_string(), after_ms: Some(SECOND) }
}

impl Engine {
    /// Carries out what is for a chat platform.
    pub(super) async fn speak(
        &self,
        row: &Outgoing,
        incident: &Incident,
        platform: Platform,
    ) -> Result<Done, Undelivered> {
        let chat = self.ports.chats.get(&platform).ok_or_else(|| not_connected(platform))?.as_ref();
        let now = self.ports.clock.now();
        match &row.effect {
            Effect::OpenRoom { .. } => self.open_room(row, incident, chat).await,
            Effect::Card { .. } => {
                let room = room(incident, platform)?;
                let desk = self.ports.views.desk().await.map_err(|e| unavailable(&e))?;
                let card = card(incident, &desk, &self.policy(), now).bounded();
                let posted = self.posted(row).await.map_err(|e| unavailable(&e))?;
                let came = chat.card(&row.op, incident, room, &card, posted.as_deref()).await;
                let remote = self.heard(row, platform, came)?;
                Ok(Done::sent(remote.or(posted), Some(card)))
            }
            Effect::Furnish { .. } => {
                let room = room(incident, platform)?;
                let wanted = rooms::furnishing(incident, &self.policy(), platform);
                let problems = self.heard(row, platform, chat.furnish(incident, room, &wanted).await)?;
                for problem in problems {
                    tracing::warn!(incident = %incident.id, room = room.name, %problem, "the room is not quite as it should be");
                }
                if incident.upkeep.archived.contains(&platform) && !wanted.archived {
                    // What waited for that can be said there again.
                    let (incident, room, change) = (incident.id, room.id.clone(), RoomChange::Unarchived);
                    return Ok(Done::with(Event::RoomChanged { incident, platform, room, change }));
                }
                Ok(Done::sent(None, None))
            }
            Effect::CloseRoom { room, last, .. } => {
                let card = self.ports.outbox.last_posted(incident.id, Destination::Room(platform), CARD).await;
                let card = card.map_err(|e| unavailable(&e))?;
                self.heard(row, platform, chat.close_room(incident, room, last, card.as_deref()).await)?;
                Ok(Done::sent(None, None))
            }
            Effect::Announce { .. } => {
                let message = announcement(incident, &self.policy(), platform).bounded();
                let posted = self.posted(row).await.map_err(|e| unavailable(&e))?;
                if incident.private && posted.is_none() {
                    return Ok(Done::superseded("it is private, and nothing was announced before"));
                }
                let came = chat.announce(&row.op, incident, &message, posted.as_deref()).await;
                let remote = self.heard(row, platform, came)?;
                Ok(Done::sent(remote.or(posted), Some(message)))
            }
            Effect::Tell { to, .. } if !incident.admits(to) => Ok(Done::superseded("it is private now, without them")),
            Effect::Tell { to, message, .. } => {
                let message = message.as_ref().clone().bounded();
                let remote = self.heard(row, platform, chat.tell(&row.op, incident, to, &message).await)?;
                Ok(Done::sent(remote, Some(message)))
            }
            Effect::Say { .. } | Effect::SayMissed { .. } => {
                let room = room(incident, platform)?;
                let effect = self.folded(row, platform, now).await.map_err(|e| unavailable(&e))?;
                let Some(message) = said(effect.as_ref().unwrap_or(&row.effect), incident, platform, now) else {
                    return Ok(Done::superseded("nothing is said"));
                };
                let remote = self.heard(row, platform, chat.say(&row.op, incident, room, &message).await)?;
                Ok(Done::sent(remote, Some(message)))
            }
            _ => Ok(Done::superseded("it is for no platform")),
        }
    }

    async fn open_room(&self, row: &Outgoing, incident: &Incident, chat: &dyn Chat) -> Result<Done, Undelivered> {
        let platform = chat.platform();
        // The room of an earlier row may still wait in the inbox to become a fact: it was stored there before this row could be
        // claimed. Without it there would be a second room.
        while self.turns().await.map_err(|e| unavailable(&e))? > 0 {}
        let incident = self.incident(incident.id).await.map_err(|e| unavailable(&e))?;
        let Some(incident) = incident else { return Ok(Done::superseded("the incident is gone")) };
        if incident.rooms.contains_key(&platform) {
            return Ok(Done::superseded("there is one already"));
        }
        // Turns take their time.
        self.surely_ours()?;
        let came = chat.open_room(&row.op, &incident, &rooms::name(&incident)).await;
        Ok(opened(&incident, platform, self.heard(row, platform, came)?))
    }

    /// The platform's id of what earlier rows like this one made there.
    pub(super) async fn posted(&self, row: &Outgoing) -> Result<Option<String>, StoreError> {
        let Some(key) = row.effect.supersedes() else { return Ok(None) };
        self.ports.outbox.last_posted(row.effect.incident(), row.effect.destination(), &key).await
    }

    /// Whether it only brings up to date what is there already. Then it may be repeated when nothing can be looked for; else a look
    /// comes first all the same, since what was deleted by hand is made anew by the attempt that finds it gone.
    pub(super) async fn edits(&self, row: &Outgoing) -> Result<bool, StoreError> {
        let may = matches!(row.effect, Effect::Card { .. } | Effect::Announce { .. });
        Ok(may && self.posted(row).await?.is_some())
    }

    /// What this row says from now on, when it takes in the messages that wait behind it: because it is late itself, because they
    /// are many, or because it did so before. The console is never away, and shows everything.
    async fn folded(&self, row: &Outgoing, platform: Platform, now: At) -> Result<Option<Effect>, StoreError> {
        if vendor(row.effect.destination()).is_none() {
            return Ok(None);
        }
        let late = now.since(row.queued_at) > LATE || matches!(row.effect, Effect::SayMissed { .. });
        let why = match late {
            true if self.was_away(platform, row.queued_at) => Why::Away,
            true => Why::Late,
            false => Why::Much,
        };
        let mut effect = None;
        for _ in 0..FOLDS {
            let mut behind = self.ports.outbox.behind(row.id, FOLDED_AT_ONCE).await?;
            behind.retain(|other| matches!(other.effect, Effect::Say { .. } | Effect::SayMissed { .. }));
            if behind.is_empty() || !(late || effect.is_some() || behind.len() > FEW) {
                return Ok(effect);
            }
            let own = (row.queued_at, effect.as_ref().unwrap_or(&row.effect));
            let others = behind.iter().map(|other| (other.queued_at, &other.effect));
            let missed = Missed::of(std::iter::once(own).chain(others), why);
            tracing::info!(op = row.op, messages = missed.number(), "messages that waited become one");
            let one = Effect::SayMissed { incident: row.effect.incident(), platform, missed: Box::new(missed) };
            let rows: Vec<i64> = behind.iter().map(|other| other.id).collect();
            self.ports.outbox.fold(row.id, one.clone(), &rows).await?;
            effect = Some(one);
        }
        Ok(effect)
    }

    /// Nothing more is sent there; that the room was changed is a fact, once, and not a failure.
    pub(super) async fn no_room(&self, row: &Outgoing, change: RoomChange, why: String) -> Result<Done, StoreError> {
        let incident = row.effect.incident();
        if matches!(row.effect, Effect::CloseRoom { .. }) {
            // Nobody can read it any more: all that was wanted.
            return Ok(Done::superseded(&why));
        }
        let (Effect::Card { platform, .. }
        | Effect::Say { platform, .. }
        | Effect::SayMissed { platform, .. }
        | Effect::Furnish { platform, .. }) = row.effect
        else {
            return Ok(given_up(row, why));
        };
        let room = self.incident(incident).await?.and_then(|mut incident| incident.rooms.remove(&platform));
        let event = room.map(|room| Event::RoomChanged { incident, platform, room: room.id, change });
        Ok(Done { progress: Progress::Superseded { why }, event })
    }
}

/// What a message says. `None`: the effect says nothing.
pub(super) fn said(effect: &Effect, incident: &Incident, platform: Platform, now: At) -> Option<Reply> {
    match effect {
        Effect::Say { message, .. } | Effect::Tell { message, .. } => Some(message.as_ref().clone().bounded()),
        Effect::SayMissed { missed, .. } => Some(missed_post(missed, incident, platform, now).bounded()),
        _ => None,
    }
}

/// A room was made, or found.
pub(super) fn opened(incident: &Incident, platform: Platform, room: Room) -> Done {
    let remote = Some(room.id.clone());
    Done { event: Some(Event::RoomOpened { incident: incident.id, platform, room }), ..Done::sent(remote, None) }
}

/// Where the incident is talked about; a room that is being made comes with the next attempt.
fn room(incident: &Incident, platform: Platform) -> Result<&Room, Undelivered> {
    if let Some(why) = incident.lost_rooms.get(&platform) {
        return Err(Undelivered::NoRoom { change: RoomChange::Archived, why: why.clone() });
    }
    let not_yet = || Undelivered::NotYet { why: "the room is being opened".to_owned(), after_ms: Some(50) };
    incident.rooms.get(&platform).ok_or_else(not_yet)
}

fn not_connected(platform: Platform) -> Undelivered {
    Undelivered::Never { why: format!("{} is not connected", platform.label()) }
}
