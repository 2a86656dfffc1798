//! Escalation: nobody acknowledges, so the next on call is asked; what became of a page; and when all of it stops.
//!
//! An incident that an alert opened pages the first level at once: nobody may have seen the alert. One that a person declared, or
//! made worse by hand, gives them the severity's time first: somebody is there, and can `page` whom they want.
//! What comes next, and when, follows from facts alone: a timer that comes late, early or twice changes nothing, and the
//! minute's tick finds what a timer missed. Knows the rota and the severity's time; knows no pager.

use super::draft::Draft;
use super::effect::{Effect, Timer};
use super::fact::{Answered, Fact, Origin};
use super::identity::{Actor, Identity, Party, PersonId};
use super::incident::{Incident, IncidentId, MAX_PAGES, Page};
use super::moment::{At, MINUTE, span};
use super::phrase::{button, code, ours, outside, party, person, strong, titled};
use super::policy::Policy;
use super::refusal::Refusal;
use super::response::whom;
use super::rota::OnCall;
use super::{direct, ringing};
use smokejumper_intents::intent::{Intent, Who};
use smokejumper_intents::reply::{Reply, Style};
use smokejumper_intents::word::Role;

/// People asked at once on one level: more would each think that another goes.
pub const MAX_AT_ONCE: usize = 5;
/// A step that seems to have been done this far in the future: the clock was set back, and nobody is to wait for that.
const CLOCK_SET_BACK: i64 = MINUTE;

/// A person whose phone rings is not paged again by hand within this time (ms).
const AGAIN_AFTER: i64 = MINUTE;

/// The deduplication key of a page, at most 255 characters of ASCII: the incident, the page, and the moment it was decided, so that
/// no other Smokejumper with the same account, and no other database, has the same.
#[must_use]
pub fn key(id: IncidentId, number: u32, page: &Page) -> String {
    format!("smokejumper/{id}/{number}/{}", page.at.0)
}

/// Incident and page of such a key.
#[must_use]
pub fn read_key(key: &str) -> Option<(IncidentId, u32)> {
    let mut parts = key.strip_prefix("smokejumper/INC-")?.split('/');
    let (id, number) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
    parts.next()?.parse::<i64>().ok()?;
    parts.next().is_none().then_some((IncidentId(id), number))
}

/// Somebody is to be asked until they are there: it is open, its severity has a time, and nobody acknowledged or leads it.
#[must_use]
pub fn wanted(incident: &Incident, policy: &Policy) -> bool {
    incident.is_open()
        && incident.times.acknowledged.is_none()
        && !incident.roles.contains_key(&Role::Commander)
        && policy.escalation.after.contains_key(&incident.severity())
}

/// On call for the incident now, level by level.
#[must_use]
pub fn levels(incident: &Incident, policy: &Policy, now: At) -> Vec<Vec<OnCall>> {
    let mut levels: Vec<Vec<OnCall>> = Vec::new();
    for on_call in policy.on_call(incident.service.as_deref(), now) {
        match levels.last_mut().filter(|l| l.first().is_some_and(|o| o.level == on_call.level)) {
            Some(level) => level.push(on_call),
            None => levels.push(vec![on_call]),
        }
    }
    levels
}

/// When the next step is due; `None`: none is.
fn next(incident: &Incident, policy: &Policy, levels: usize) -> Option<At> {
    let after = *policy.escalation.after.get(&incident.severity())?;
    let climb = &incident.climb;
    if !wanted(incident, policy) || climb.unanswered.is_some() || levels == 0 {
        return None;
    }
    let by_hand = incident.severity_by_hand || matches!(incident.origin, Some(Origin::Person) | None);
    let refused = || {
        let mut last = incident.pages.values().filter(|p| p.level == climb.level).peekable();
        last.peek().is_some() && last.all(|p| matches!(p.answered, Some(Answered::Failed { .. })))
    };
    let at_once = match climb.level {
        0 => !by_hand,
        // Nobody's phone rang, and there is somebody else: no need to wait.
        level => usize::from(level) < levels && refused(),
    };
    Some(if at_once { climb.from } else { climb.from.plus(after) })
}

/// After everything that was recorded in this turn: starts, times anew, or stops.
pub fn follow(draft: &mut Draft) {
    for id in draft.touched() {
        let Some(incident) = draft.incident(id) else { continue };
        let was = draft.was(id);
        let waits = wanted(incident, draft.policy);
        let waited = was.is_some_and(|i| wanted(i, draft.policy));
        if waits && (!waited || was.is_some_and(|i| i.climb != incident.climb || i.pages != incident.pages)) {
            due(draft, id);
        } else if !waits && (waited || !incident.is_open() || incident.pages.values().any(Page::rings)) {
            let came = incident.times.acknowledged.is_some() && was.is_some_and(|i| i.times.acknowledged.is_none());
            stop(draft, id, waited || came);
        }
    }
    ringing::follow(draft);
}

/// Somebody is there, or it is over: phones stop ringing. `all`: it has just become so; a page that a person asked for after that
/// rings until its own answer, or the end.
fn stop(draft: &mut Draft, id: IncidentId, all: bool) {
    let Some(incident) = draft.incident(id) else { return };
    let over = !incident.is_open();
    let ended = |p: &Page| p.rings() && (over || all);
    let ending: Vec<u32> = incident.pages.iter().filter(|(_, p)| ended(p)).map(|(n, _)| *n).collect();
    // Acknowledged on the phone, it stays so there until it is over.
    let was_open = draft.was(id).is_some_and(Incident::is_open);
    let acknowledged = |p: &Page| matches!(p.answered, Some(Answered::Acknowledged { .. })) && over && was_open;
    let closing: Vec<u32> = incident.pages.iter().filter(|(_, p)| acknowledged(p)).map(|(n, _)| *n).collect();
    if !draft.policy.escalation.phones || (ending.is_empty() && closing.is_empty()) {
        return;
    }
    for page in &ending {
        draft.record_by(Actor::Bot, id, Fact::PageAnswered { page: *page, answered: Answered::Ended });
    }
    for page in ending.into_iter().chain(closing) {
        draft.effect(Effect::EndPage { incident: id, page });
    }
    draft.show(id);
}

/// A minute has passed: steps that are due although no timer said so.
pub fn look(draft: &mut Draft) {
    let waiting: Vec<IncidentId> = draft.open().filter(|i| wanted(i, draft.policy)).map(|i| i.id).collect();
    for id in waiting {
        if draft.incident(id).is_some_and(|i| is_due(i, draft.policy, draft.now)) {
            due(draft, id);
        }
    }
}

fn is_due(incident: &Incident, policy: &Policy, now: At) -> bool {
    let set_back = now.plus(CLOCK_SET_BACK) < incident.climb.from;
    next(incident, policy, levels(incident, policy, now).len()).is_some_and(|at| at <= now || set_back)
}

/// Does the next step when its time has come; otherwise comes back then.
pub fn due(draft: &mut Draft, id: IncidentId) {
    let Some(incident) = draft.incident(id) else { return };
    let levels = levels(incident, draft.policy, draft.now);
    let Some(at) = next(incident, draft.policy, levels.len()) else { return };
    let level = incident.climb.level.saturating_add(1);
    if !is_due(incident, draft.policy, draft.now) {
        draft.wake(id, at, Timer::Escalate { level });
        return;
    }
    let after = draft.policy.escalation.after.get(&incident.severity()).copied().unwrap_or_default();
    let last = levels.len().saturating_add(usize::from(draft.policy.escalation.again));
    let asked_before = incident.climb.level > 0;
    let of = usize::from(level).min(levels.len());
    match levels.into_iter().nth(of.saturating_sub(1)).filter(|_| usize::from(level) <= last) {
        Some(group) => ask(draft, id, &group, level, asked_before.then_some(after)),
        None => nobody(draft, id),
    }
}

/// One step: everybody on a level whose phone is free.
fn ask(draft: &mut Draft, id: IncidentId, group: &[OnCall], level: u8, waited: Option<i64>) {
    let Some(incident) = draft.incident(id) else { return };
    let free = |o: &&OnCall| ringing::may_ring(draft, incident, &o.who);
    let (storm, free) = (ringing::in_storm(draft, incident), group.iter().filter(free).take(MAX_AT_ONCE));
    let group: Vec<OnCall> = free.filter(|_| storm.is_none()).cloned().collect();
    if group.is_empty() {
        return ringing::hold(draft, id, storm.unwrap_or_else(ringing::busy));
    }
    if !incident.has_rings_left(group.len()) {
        return nobody(draft, id);
    }
    let severity = incident.severity();
    let service = incident.service.clone();
    for on_call in &group {
        let because = match (waited, &service) {
            (Some(waited), _) => format!("nobody acknowledged within {}", span(waited)),
            (None, Some(service)) => format!("on call for {service}"),
            (None, None) => "on call".to_owned(),
        };
        page(draft, id, &on_call.who, because, level);
    }
    let mut spans = vec![strong(if draft.policy.escalation.phones { "Paging " } else { "Asking " })];
    for (n, on_call) in group.iter().enumerate() {
        if n > 0 {
            spans.push(ours(", "));
        }
        spans.push(person(draft.policy, &on_call.who));
    }
    let why = waited.map_or_else(
        || format!(" ({}): please acknowledge.", group.first().map_or("", |o| o.schedule.as_str())),
        |waited| format!(": nobody acknowledged within {}.", span(waited)),
    );
    spans.push(ours(why));
    draft.say(id, &with_acknowledge(titled(spans), id));
    let after = draft.policy.escalation.after.get(&severity).copied().unwrap_or_default();
    draft.wake(id, draft.now.plus(after), Timer::Escalate { level: level.saturating_add(1) });
    draft.show(id);
}

/// Everybody was asked, and nobody came: said as loudly as a room allows, once.
fn nobody(draft: &mut Draft, id: IncidentId) {
    let Some(incident) = draft.incident(id) else { return };
    let asked = incident.pages.values().filter(|p| p.level > 0).count();
    let first = incident.pages.values().filter(|p| p.level > 0).map(|p| p.at).min().unwrap_or(draft.now);
    let because = format!("{asked} times asked within {}, and nobody acknowledged", span(draft.now.since(first)));
    draft.record_by(Actor::Bot, id, Fact::Unanswered { because: because.clone() });
    let mut spans = vec![strong("NOBODY ANSWERS. "), ours(format!("{because}. I stop asking now: "))];
    spans.extend([ours("whoever reads this, please acknowledge, or call somebody with "), code("page @name")]);
    draft.say(id, &with_acknowledge(titled(spans), id));
    draft.show(id);
}

pub(super) fn with_acknowledge(mut message: Reply, id: IncidentId) -> Reply {
    message.buttons.push(button("Acknowledge", Style::Primary, id.0, Intent::Acknowledge));
    message
}

/// Has a person's phone ring. In a private incident whoever is called in may see it from now on.
pub fn page(draft: &mut Draft, id: IncidentId, who: &PersonId, because: String, level: u8) {
    let Some(incident) = draft.incident(id) else { return };
    let number = incident.pages.keys().next_back().map_or(1, |n| n.saturating_add(1));
    let private = incident.private;
    let by = if level > 0 { Actor::Bot } else { draft.by.clone() };
    if private {
        let members = draft.policy.person_by_id(who).map(|p| p.identities.clone()).unwrap_or_default();
        draft.record_by(by.clone(), id, Fact::MadePrivate { members });
    }
    direct::called(draft, id, who, &because);
    draft.record_by(by, id, Fact::Paged { page: number, who: Party::Person(who.clone()), because, level });
    if draft.policy.escalation.phones {
        draft.effect(Effect::Page { incident: id, page: number });
    }
}

/// Somebody wants somebody's phone to ring.
///
/// # Errors
/// Nobody of that name, nobody of that team is on call, or their phone rings already.
pub fn call(draft: &mut Draft, by: &Identity, id: IncidentId, who: &Who, message: Option<&str>) -> Result<(), Refusal> {
    let people = whom_to_call(draft, by, who)?;
    let Some(incident) = draft.incident(id) else { return Err(Refusal::new(format!("there is no {id}."))) };
    if !incident.is_open() {
        return Err(Refusal::new(format!("{id} is over; nobody is called for it any more.")).or_try("reopen"));
    }
    let ringing = |p: &Page| {
        p.rings() && draft.now.since(p.at) < AGAIN_AFTER && matches!(&p.who, Party::Person(w) if people.contains(w))
    };
    if let Some(page) = incident.pages.values().rev().find(|p| ringing(p)) {
        let ago = span(draft.now.since(page.at));
        return Err(Refusal::new(format!("they were paged {ago} ago; again in a minute, if need be.")));
    }
    if !incident.has_rings_left(people.len().min(MAX_AT_ONCE)) {
        let why = format!("{MAX_PAGES} phones ring for {id} already, and nobody answers: another will not help.");
        return Err(Refusal::new(why).or_try("ack"));
    }
    let asker = draft.policy.person(by).map_or_else(|| by.id.clone(), |p| p.name.clone());
    let because = match message {
        Some(message) => format!("{asker} asks: {message}"),
        None => format!("{asker} asks for them"),
    };
    for person in people.iter().take(MAX_AT_ONCE) {
        page(draft, id, person, because.clone(), 0);
    }
    let mut spans = vec![strong(if draft.policy.escalation.phones { "Paging " } else { "Asking " })];
    for (n, who) in people.iter().take(MAX_AT_ONCE).enumerate() {
        spans.extend((n > 0).then(|| ours(", ")));
        spans.push(person(draft.policy, who));
    }
    spans.extend([ours(" — "), outside(because)]);
    let message = titled(spans);
    draft.say(id, &message);
    let mut reply = message;
    if !draft.policy.escalation.phones {
        reply.title.spans.push(ours(". No pager is connected, so this is said in the room alone."));
    }
    draft.reply(reply);
    Ok(())
}

/// A person, or those on the first level of a team that stand on it now.
fn whom_to_call(draft: &Draft, by: &Identity, who: &Who) -> Result<Vec<PersonId>, Refusal> {
    if let Who::Named(name) = who
        && draft.policy.person_called(name).is_none()
        && draft.policy.people.iter().any(|p| p.teams.iter().any(|t| t.eq_ignore_ascii_case(name)))
    {
        let on_call = draft.policy.team_on_call(name, draft.now);
        let level = on_call.first().map(|o| o.level);
        let first: Vec<PersonId> = on_call.into_iter().filter(|o| Some(o.level) == level).map(|o| o.who).collect();
        if first.is_empty() {
            let team = draft.policy.people.iter().filter(|p| p.teams.iter().any(|t| t.eq_ignore_ascii_case(name)));
            let team: Vec<_> = team.take(MAX_AT_ONCE).map(|p| format!("page @{}", p.id.0)).collect();
            return Err(Refusal::new(format!("nobody of {name} is on call now.")).or_try(team.join(", or ")));
        }
        return Ok(first);
    }
    match whom(draft, by, who)? {
        Party::Person(person) => Ok(vec![person]),
        Party::Account(_) => Err(Refusal::new("your account is linked to nobody, so I don't know your phone.")),
    }
}

/// What became of a page. `key`: under which key somebody outside speaks of it; `account`: whose they are there.
pub fn answered(
    draft: &mut Draft,
    id: IncidentId,
    number: u32,
    answered: Answered,
    said_key: Option<&str>,
    account: Option<Identity>,
) {
    let Some(incident) = draft.incident(id) else { return };
    let Some(page) = incident.pages.get(&number) else { return };
    if said_key.is_some_and(|said| said != key(id, number, page)) || !follows(page.answered.as_ref(), &answered) {
        return;
    }
    let who = page.who.clone();
    let first = incident.is_open() && incident.times.acknowledged.is_none();
    draft.record(id, Fact::PageAnswered { page: number, answered: answered.clone() });
    match answered {
        Answered::Acknowledged { by } => {
            // Only an account that is linked to a person speaks for one; of anybody else we have the pager's word.
            let linked = account.filter(|a| draft.policy.person(a).is_some());
            let mut spans = match &linked {
                Some(account) => vec![super::phrase::account(draft.policy, account)],
                None => vec![outside(by)],
            };
            spans.push(ours(" acknowledged on the phone."));
            if first {
                let actor = linked.map_or_else(|| Actor::Source("pager".to_owned()), Actor::Account);
                draft.record_by(actor, id, Fact::Acknowledged);
            }
            draft.say(id, &titled(spans));
        }
        Answered::Failed { why } => {
            let mut spans = vec![strong("Could not reach "), party(draft.policy, &who), strong(" by phone: ")];
            spans.extend([outside(why), ours(". Please call them another way.")]);
            draft.say(id, &titled(spans));
        }
        Answered::Accepted { .. } | Answered::Ended => {}
    }
    draft.show(id);
}

/// Somebody acknowledges again, here, because their phone rings: theirs stops. `false`: it does not ring.
pub fn answered_here(draft: &mut Draft, by: &Identity, id: IncidentId) -> bool {
    let Some(person) = draft.policy.person(by) else { return false };
    let theirs = |p: &Page| p.rings() && p.who == Party::Person(person.id.clone());
    let pages: Vec<u32> = draft
        .incident(id)
        .map(|i| i.pages.iter().filter(|(_, p)| theirs(p)).map(|(n, _)| *n).collect())
        .unwrap_or_default();
    for page in &pages {
        let answered = Answered::Acknowledged { by: person.name.clone() };
        draft.record(id, Fact::PageAnswered { page: *page, answered });
        if draft.policy.escalation.phones {
            draft.effect(Effect::EndPage { incident: id, page: *page });
        }
    }
    !pages.is_empty()
}

/// Whether an answer still says something new: what people did counts more than what the pager's machines say, and an end is one.
fn follows(known: Option<&Answered>, new: &Answered) -> bool {
    match known {
        None => true,
        // A page that was given up here may have rung all the same.
        Some(Answered::Accepted { .. } | Answered::Failed { .. }) => matches!(new, Answered::Acknowledged { .. }),
        Some(Answered::Acknowledged { .. } | Answered::Ended) => false,
    }
}
