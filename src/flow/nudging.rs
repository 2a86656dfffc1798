//! Reminding: how does it stand? what is still owed? Quiet by design: once an interval, to whoever can act, and not for ever.
//!
//! As with escalation, what comes next follows from facts alone, so timers may come late, early or twice. Knows no clock and no
//! platform.

use super::direct;
use super::draft::Draft;
use super::effect::Timer;
use super::fact::{Fact, Reminder};
use super::identity::{Actor, PersonId};
use super::incident::{Incident, IncidentId};
use super::moment::{At, DAY, MINUTE, span};
use super::phrase::{button, code, count, line, ours, outside, party, person, section, strong, titled};
use super::policy::Policy;
use super::refusal::Refusal;
use smokejumper_intents::intent::Intent;
use smokejumper_intents::reply::{Line, Reply, Span, Style};
use smokejumper_intents::word::{Role, State};
use std::collections::BTreeSet;

/// Reminders of an update that nobody heeds, before it is let be until somebody says something: two hours by default.
pub const MAX_UNHEARD: u8 = 4;
/// Reminders of closing that nobody heeds: two weeks of working days.
pub const MAX_CLOSING: u8 = 10;
/// Follow-ups named in one reminder.
const SHOWN: usize = 5;
/// Offered on each reminder, in minutes.
const SNOOZES: [u16; 3] = [30, 60, 90];

// ---- updates ---------------------------------------------------------------------------------------------------

/// When an update is asked for next; `None`: it is not.
fn next(incident: &Incident, policy: &Policy) -> Option<At> {
    let every = *policy.nudges.every.get(&incident.severity())?;
    let nudges = &incident.nudges;
    let by_person = matches!(incident.declared_by, Some(Actor::Account(_)));
    // Where nobody is yet, nobody can tell: that is escalation's.
    let somebody = by_person || incident.times.acknowledged.is_some() || incident.roles.contains_key(&Role::Commander);
    if !incident.is_open() || !somebody || nudges.off || nudges.unheard >= MAX_UNHEARD || every <= 0 {
        return None;
    }
    let from = incident.times.acknowledged.map_or(nudges.from, |a| a.max(nudges.from));
    Some(nudges.snoozed_until.map_or(from.plus(every), |until| until.max(from.plus(every))))
}

/// After everything that was recorded in this turn: sets the timers that are needed.
pub fn follow(draft: &mut Draft) {
    for id in draft.touched() {
        let Some(incident) = draft.incident(id) else { continue };
        let at = next(incident, draft.policy);
        let was = draft.was(id).and_then(|i| next(i, draft.policy));
        let newly_over = owes(incident) && !draft.was(id).is_some_and(owes);
        let late = overdue(incident);
        let newly_late = late.is_some() && late != draft.was(id).and_then(overdue);
        if let Some(at) = at.filter(|at| was != Some(*at)) {
            draft.wake(id, at, Timer::Nudge);
        }
        if newly_over || newly_late {
            wake_nag(draft, id);
        }
    }
}

/// A minute has passed: reminders that are due although no timer said so.
pub fn look(draft: &mut Draft) {
    let now = draft.now;
    let is_due = |i: &&Incident| next(i, draft.policy).is_some_and(|at| at <= now);
    let ready: Vec<IncidentId> = draft.open().filter(is_due).map(|i| i.id).collect();
    for id in ready {
        due(draft, id);
    }
}

/// Asks for an update when its time has come; otherwise comes back then.
pub fn due(draft: &mut Draft, id: IncidentId) {
    let Some(incident) = draft.incident(id) else { return };
    let Some(at) = next(incident, draft.policy) else { return };
    if at > draft.now {
        draft.wake(id, at, Timer::Nudge);
        return;
    }
    let quiet = draft.now.since(incident.nudges.from);
    let last = incident.nudges.unheard.saturating_add(1) >= MAX_UNHEARD;
    let mut spans = match incident.roles.get(&Role::Commander) {
        Some(who) => vec![party(draft.policy, who), ours(", how does it stand? ")],
        None => vec![strong("How does it stand? ")],
    };
    spans.push(ours(format!("Nobody said so for {}. Write ", span(quiet))));
    spans.extend([code("update …"), ours(" or "), code("status …"), ours(".")]);
    if last {
        spans.push(ours(" I will not ask again until somebody says something."));
    }
    let mut message = titled(spans);
    if !last {
        message.buttons = SNOOZES.iter().map(|m| snooze_button(id, format!("Snooze {m} min"), Some(*m))).collect();
        message.buttons.push(snooze_button(id, "Stop asking".to_owned(), None));
    }
    draft.record_by(Actor::Bot, id, Fact::Reminded { of: Reminder::Update });
    draft.say(id, &message);
    draft.show(id);
}

fn snooze_button(id: IncidentId, label: String, minutes: Option<u16>) -> smokejumper_intents::reply::Button {
    button(label, Style::Plain, id.0, Intent::Snooze { minutes })
}

/// Somebody wants to be left alone for a while, or for good.
///
/// # Errors
/// Nobody would be reminded anyway.
pub fn snooze(draft: &mut Draft, id: IncidentId, minutes: Option<u16>) -> Result<(), Refusal> {
    let Some(incident) = draft.incident(id) else { return Err(Refusal::new(format!("there is no {id}."))) };
    if !incident.is_open() {
        return Err(Refusal::new(format!("{id} is over; nobody is asked for updates any more.")));
    }
    if !draft.policy.nudges.every.contains_key(&incident.severity()) {
        let severity = incident.severity().label();
        return Err(Refusal::new(format!("nobody is asked for updates of a {severity}.")));
    }
    let until = minutes.map(|m| draft.now.plus(i64::from(m) * MINUTE));
    if until.is_none() && incident.nudges.off {
        draft.reply(titled(vec![ours("I don't ask for updates here any more.")]));
        return Ok(());
    }
    draft.record(id, Fact::NudgesSnoozed { until });
    draft.reply(match until {
        Some(until) => titled(vec![ours("I won't ask for updates before "), Span::Time(until.0), ours(".")]),
        None => titled(vec![ours("I won't ask for updates of "), Span::Incident(id.0), ours(" any more.")]),
    });
    Ok(())
}

// ---- what is owed when it is over ------------------------------------------------------------------------------

/// It is over, and not closed yet.
fn owes(incident: &Incident) -> bool {
    matches!(incident.state.0, State::Resolved | State::Postmortem)
}

/// The first day on which a follow-up that is not done is overdue.
fn overdue(incident: &Incident) -> Option<At> {
    if incident.is_open() || incident.state.0.is_absorbing() {
        return None;
    }
    let open = incident.follow_ups.values().filter(|f| f.done_at.is_none());
    open.filter_map(|f| ends(f.due.as_deref()?)).min()
}

/// The end of a day `2026-12-01`, UTC.
pub(super) fn ends(day: &str) -> Option<At> {
    let date: jiff::civil::Date = day.parse().ok()?;
    let start = date.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp().as_millisecond();
    Some(At(start).plus(DAY))
}

/// When is reminded next of what is owed: (of closing, of what is overdue), before working hours are looked at.
fn nags(incident: &Incident, policy: &Policy) -> (Option<At>, Option<At>) {
    let (closing, late) = (policy.nudges.closing_every, policy.nudges.overdue_every);
    let ended = incident.times.resolved.unwrap_or(incident.times.declared);
    let close = (owes(incident) && closing > 0 && incident.nags.times < MAX_CLOSING)
        .then(|| incident.nags.closing.unwrap_or(ended).plus(closing));
    let overdue = overdue(incident)
        .filter(|_| late > 0)
        .map(|first| incident.nags.overdue.map_or(first, |asked| first.max(asked.plus(late))));
    (close, overdue)
}

fn wake_nag(draft: &mut Draft, id: IncidentId) {
    let Some(incident) = draft.incident(id) else { return };
    let (closing, overdue) = nags(incident, draft.policy);
    if let Some(at) = closing.into_iter().chain(overdue).min() {
        let at = working(draft.policy, at.max(draft.now));
        draft.wake(id, at, Timer::Nag);
    }
}

/// Reminds of what is owed when its time has come and people work; comes back later if anything is left.
pub fn nag(draft: &mut Draft, id: IncidentId) {
    let Some(incident) = draft.incident(id) else { return };
    let now = draft.now;
    let (closing, late) = nags(incident, draft.policy);
    let is_due = |at: Option<At>| at.is_some_and(|at| at <= now);
    if draft.policy.is_working(None, now) && (is_due(closing) || is_due(late)) {
        let message = reminder(incident, draft.policy, now, is_due(closing));
        let of_closing = is_due(closing);
        let late_owners = if is_due(late) { owners(incident, now) } else { Vec::new() };
        if of_closing {
            draft.record_by(Actor::Bot, id, Fact::Reminded { of: Reminder::Closing });
        }
        // One message names both: none of them is said twice in its interval.
        if is_due(late) {
            draft.record_by(Actor::Bot, id, Fact::Reminded { of: Reminder::Overdue });
        }
        draft.say(id, &message);
        direct::overdue(draft, id, &late_owners, &message);
        draft.show(id);
    }
    wake_nag(draft, id);
}

/// Who is late with something, each once.
fn owners(incident: &Incident, now: At) -> Vec<PersonId> {
    let open = incident.follow_ups.values().filter(|f| f.done_at.is_none());
    let late = open.filter(|f| f.due.as_deref().and_then(ends).is_some_and(|end| end <= now));
    let owners: BTreeSet<PersonId> = late.filter_map(|f| f.owner.clone()).collect();
    owners.into_iter().collect()
}

fn reminder(incident: &Incident, policy: &Policy, now: At, closing: bool) -> Reply {
    let id = incident.id;
    let open: Vec<_> = incident.follow_ups.iter().filter(|(_, f)| f.done_at.is_none()).collect();
    let mut spans = Vec::new();
    if closing {
        let since = incident.times.resolved.map_or(0, |at| now.since(at));
        spans.extend([Span::Incident(id.0), ours(format!(" was resolved {} ago and is not closed yet", span(since)))]);
        match open.len() {
            0 => spans.extend([ours(". When the postmortem is read: "), code("close"), ours(".")]),
            n => spans.push(ours(format!("; {} to do.", count(n as u64, "follow-up")))),
        }
    } else {
        spans.extend([strong("Overdue follow-ups of "), Span::Incident(id.0), ours(":")]);
    }
    let mut message = titled(spans);
    let lines: Vec<Line> = open
        .into_iter()
        .take(SHOWN)
        .map(|(number, f)| {
            let mut spans = vec![strong(format!("F-{number} ")), outside(f.title.clone())];
            if let Some(owner) = &f.owner {
                spans.extend([ours(", "), person(policy, owner)]);
            }
            if let Some(late) = f.due.as_deref().and_then(ends).filter(|end| *end <= now) {
                spans.push(strong(format!(", overdue for {}", span(now.since(late).max(DAY)))));
            }
            line(spans)
        })
        .collect();
    if !lines.is_empty() {
        message.sections.push(section("", lines));
    }
    message
}

/// The first moment from `at` on at which people work, to a quarter of an hour; a week later when they never do.
fn working(policy: &Policy, at: At) -> At {
    const STEP: i64 = 15 * MINUTE;
    const STEPS: i64 = 7 * DAY / STEP;
    if policy.is_working(None, at) {
        return at;
    }
    let quarter = at.0.div_euclid(STEP);
    let mut later = (1..=STEPS).map(|n| At(quarter.saturating_add(n).saturating_mul(STEP)));
    later.find(|at| policy.is_working(None, *at)).unwrap_or(at.plus(7 * DAY))
}
