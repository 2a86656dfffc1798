//! Ringing: how much may ring at once. Whose phone rings for enough already is not rung for one more, and in a storm only the
//! storm rings: a phone that never stops is switched off.
//!
//! Follows from what is open and from the storm budget, so a replay holds back the same. Knows no rota and no pager; what is held
//! back is looked at again with every minute's tick (`escalation::look`). The worst severity is never held back, and neither is
//! what a person asks for by name.

use super::draft::Draft;
use super::escalation::{wanted, with_acknowledge};
use super::fact::{Fact, Origin};
use super::identity::{Actor, Party, PersonId};
use super::incident::{Incident, IncidentId, Page};
use super::moment::{At, MINUTE};
use super::phrase::{count, ours, strong, titled};
use super::placing;
use smokejumper_intents::word::{Role, Severity};

/// Incidents a person's phone rings for at once: more, and nobody can tell any more which of them it is.
pub const RINGS_AT_ONCE: usize = 3;
/// A page that nobody answered counts as ringing for this long (ms): then whoever has it does not hear it, and what waits is tried.
pub const RINGS_FOR: i64 = 30 * MINUTE;

/// It waits for a phone to be free.
#[must_use]
pub fn waits(incident: &Incident) -> bool {
    let nobody_is_there = incident.times.acknowledged.is_none() && !incident.roles.contains_key(&Role::Commander);
    incident.is_open() && incident.climb.held.is_some() && nobody_is_there
}

/// Why no phone at all rings for it by itself now, if so.
#[must_use]
pub fn in_storm(draft: &Draft, incident: &Incident) -> Option<String> {
    if is_exempt(incident) { None } else { placing::over_budget(draft) }
}

/// Whether this phone may ring for it by itself now.
#[must_use]
pub fn may_ring(draft: &Draft, incident: &Incident, who: &PersonId) -> bool {
    let theirs = |p: &Page| p.who == Party::Person(who.clone()) && rings(p, draft.now);
    // Without phones nothing is ended when somebody comes; then nobody is asked there any more.
    let asks = |i: &&Incident| i.id != incident.id && (draft.policy.escalation.phones || wanted(i, draft.policy));
    is_exempt(incident) || draft.open().filter(asks).filter(|i| i.pages.values().any(theirs)).count() < RINGS_AT_ONCE
}

/// Why nobody may be rung who would be.
#[must_use]
pub fn busy() -> String {
    format!("whoever is on call is rung for {RINGS_AT_ONCE} other incidents and answered none of them yet")
}

/// The worst is worth any number of rings; a storm has one incident, which stands for all that is gathered in it.
fn is_exempt(incident: &Incident) -> bool {
    incident.severity() == Severity::Sev1 || incident.origin == Some(Origin::Storm)
}

fn rings(page: &Page, now: At) -> bool {
    page.rings() && (0..RINGS_FOR).contains(&now.since(page.at))
}

/// The step has to wait: said once.
pub fn hold(draft: &mut Draft, id: IncidentId, because: String) {
    if draft.incident(id).is_none_or(|i| i.climb.held.is_some()) {
        return;
    }
    draft.record_by(Actor::Bot, id, Fact::PageHeld { because: because.clone() });
    let waiting = draft.desk.waiting();
    let mut spans = vec![strong("No phone rings for this yet: "), ours(because)];
    spans.push(ours(match waiting {
        0 | 1 => ". It waits.".to_owned(),
        n => format!(". It waits with {} more.", n - 1),
    }));
    draft.say(id, &with_acknowledge(titled(spans), id));
    draft.show(id);
}

/// After everything else of a turn: where phones ring it is told how many more wait.
pub fn follow(draft: &mut Draft) {
    let changed = |id: &IncidentId| draft.incident(*id).is_some_and(waits) != draft.was(*id).is_some_and(waits);
    if !draft.touched().iter().any(changed) {
        return;
    }
    let ringing = |i: &&Incident| i.pages.values().any(|p| rings(p, draft.now));
    let ringing: Vec<IncidentId> = draft.open().filter(ringing).map(|i| i.id).collect();
    for id in ringing {
        draft.show(id);
    }
}

/// "2 more incidents wait", for the card of one that rings; nothing when none does.
#[must_use]
pub fn more(waiting: usize) -> Option<String> {
    let wait = if waiting == 1 { "waits" } else { "wait" };
    let more = count(waiting as u64, "incident").replacen(' ', " more ", 1);
    (waiting > 0).then(|| format!("{more} {wait} for a phone to be free"))
}
