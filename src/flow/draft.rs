//! A turn in the making: facts are folded in as they are recorded, so that the next decision sees them.
//!
//! Knows how facts, desk and effects go together; knows no chapter of the story.

use super::desk::{AlertState, Desk};
use super::effect::{Effect, Timer};
use super::fact::{Entry, Fact};
use super::identity::{Actor, Platform};
use super::incident::{Incident, IncidentId};
use super::matcher;
use super::moment::At;
use super::policy::{Matcher, Policy};
use super::signal::{AlertKey, AlertStatus};
use super::{State, Turn};
use smokejumper_intents::reply::Reply;
use std::cell::OnceCell;
use std::collections::BTreeMap;

#[derive(Debug)]
pub struct Draft<'a> {
    before: &'a State,
    pub policy: &'a Policy,
    pub now: At,
    pub by: Actor,
    /// The desk as it is after what was recorded so far; its alerts are in `alerts` and, beneath, in `before`.
    pub desk: Desk,
    alerts: BTreeMap<AlertKey, AlertState>,
    changed: BTreeMap<IncidentId, Incident>,
    turn: Turn,
    /// Matchers of `desk.silences`, in their order, once somebody asked.
    hushes: OnceCell<Vec<Vec<Matcher>>>,
}

impl<'a> Draft<'a> {
    #[must_use]
    pub fn new(before: &'a State, policy: &'a Policy, now: At, by: Actor) -> Self {
        Self {
            before,
            policy,
            now,
            by,
            desk: before.desk.without_alerts(),
            alerts: BTreeMap::new(),
            changed: BTreeMap::new(),
            turn: Turn::default(),
            hushes: OnceCell::new(),
        }
    }

    /// The incident as it is after what was recorded so far.
    #[must_use]
    pub fn incident(&self, id: IncidentId) -> Option<&Incident> {
        self.changed.get(&id).or_else(|| self.before.incidents.get(&id)).filter(|i| i.entries > 0)
    }

    /// The incident as it was before this turn.
    #[must_use]
    pub fn was(&self, id: IncidentId) -> Option<&Incident> {
        self.before.incidents.get(&id).filter(|i| i.entries > 0)
    }

    /// Incidents that something was recorded of in this turn.
    #[must_use]
    pub fn touched(&self) -> Vec<IncidentId> {
        self.changed.keys().copied().collect()
    }

    /// Open incidents, oldest first.
    pub fn open(&self) -> impl Iterator<Item = &Incident> {
        self.desk.open.keys().filter_map(|id| self.incident(*id)).filter(|i| i.is_open())
    }

    #[must_use]
    pub fn alert(&self, key: &AlertKey) -> Option<&AlertState> {
        self.alerts.get(key).or_else(|| self.before.desk.alerts.get(key))
    }

    /// Every alert as it is after what was noted so far.
    pub fn alerts(&self) -> impl Iterator<Item = &AlertState> {
        let untouched = self.before.desk.alerts.values().filter(|a| !self.alerts.contains_key(&a.key));
        untouched.chain(self.alerts.values())
    }

    /// Alerts that fire and belong to no open incident: listed ones, and those whose incident ended over their heads. None of a private one.
    #[must_use]
    pub fn loose(&self) -> Vec<AlertState> {
        let over = |id| !self.desk.open.contains_key(&id) && !self.desk.private.contains(&id);
        let alone = |a: &&AlertState| a.status == AlertStatus::Firing && a.incident.is_none_or(over);
        self.alerts().filter(alone).cloned().collect()
    }

    /// What the desk's silences match, in their order; one that can't be read matches nothing.
    pub fn hushes(&self) -> &[Vec<Matcher>] {
        let read = || self.desk.silences.iter().map(|s| matcher::parse(&s.matchers).unwrap_or_default()).collect();
        self.hushes.get_or_init(read)
    }

    pub fn note_alert(&mut self, alert: AlertState) {
        self.alerts.insert(alert.key.clone(), alert);
    }

    /// Records a fact by whoever caused this turn.
    pub fn record(&mut self, id: IncidentId, fact: Fact) {
        self.record_by(self.by.clone(), id, fact);
    }

    /// Records a fact of the house itself: a silence, a change, other rules.
    pub fn record_own(&mut self, fact: Fact) {
        let n = self.desk.house.saturating_add(1);
        let entry = Entry { incident: IncidentId::HOUSE, n, at: self.now, by: self.by.clone(), fact };
        self.desk.apply_own(&entry);
        self.hushes.take();
        self.turn.facts.push(entry);
    }

    /// Records a fact by somebody else, usually the bot itself.
    pub fn record_by(&mut self, by: Actor, id: IncidentId, fact: Fact) {
        let incident = self
            .changed
            .entry(id)
            .or_insert_with(|| self.before.incidents.get(&id).cloned().unwrap_or_else(|| Incident::new(id)));
        let entry = Entry { incident: id, n: incident.entries.saturating_add(1), at: self.now, by, fact };
        incident.apply(&entry);
        self.desk.apply(&entry, incident);
        self.turn.facts.push(entry);
    }

    pub fn effect(&mut self, effect: Effect) {
        self.turn.effects.push(effect);
    }

    /// Comes back at `at`; the newest such wish of a turn counts.
    pub fn wake(&mut self, id: IncidentId, at: At, timer: Timer) {
        let wake = Effect::Wake { incident: id, at, timer };
        let key = wake.supersedes();
        let older = |e: &Effect| matches!(e, Effect::Wake { .. }) && e.incident() == id && e.supersedes() == key;
        self.turn.effects.retain(|e| !older(e));
        self.effect(wake);
    }

    /// Brings the incident's cards up to date, once a turn.
    pub fn show(&mut self, id: IncidentId) {
        let open = |i: &Incident| i.rooms.keys().copied().filter(|p| i.speaks_on(*p)).collect();
        let rooms: Vec<_> = self.incident(id).map(open).unwrap_or_default();
        for platform in rooms {
            let card = Effect::Card { incident: id, platform };
            if !self.turn.effects.contains(&card) {
                self.effect(card);
            }
        }
    }

    /// Says something in every room of the incident in which anything can be said.
    pub fn say(&mut self, id: IncidentId, message: &Reply) {
        for platform in self.policy.platforms.clone() {
            self.say_on(id, platform, message);
        }
    }

    /// Says something in one of its rooms.
    pub fn say_on(&mut self, id: IncidentId, platform: Platform, message: &Reply) {
        if self.incident(id).is_none_or(|i| i.speaks_on(platform)) {
            self.effect(Effect::Say { incident: id, platform, message: Box::new(message.clone()) });
        }
    }

    /// Has a room opened, once a turn.
    pub fn open_room(&mut self, id: IncidentId, platform: Platform) {
        let open = Effect::OpenRoom { incident: id, platform };
        if !self.turn.effects.contains(&open) {
            self.effect(open);
        }
    }

    /// Asks memory again, once a turn.
    pub fn recall(&mut self, id: IncidentId) {
        let recall = Effect::Recall { incident: id };
        if !self.turn.effects.contains(&recall) {
            self.effect(recall);
        }
    }

    pub fn reply(&mut self, reply: Reply) {
        self.turn.reply = Some(reply);
    }

    pub fn go(&mut self, approved: super::remediation::Approved) {
        self.turn.go = Some(approved);
    }

    #[must_use]
    pub fn finish(mut self) -> Turn {
        self.turn.alerts = self.alerts.into_values().collect();
        self.turn
    }
}
