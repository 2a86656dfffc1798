//! Suspects: what was changed on purpose shortly before or while an incident went on.
//!
//! A change is never an alert and never a verdict: it is shown with its distance in time, and people judge.

use super::draft::Draft;
use super::fact::Fact;
use super::incident::{Incident, IncidentId, MAX_CHANGES};
use super::moment::{At, HOUR, MINUTE, span};
use super::phrase::{code, count, faint, line, ours, outside, section, strong, under};
use super::policy::Policy;
use super::signal::{Change, ChangeStatus};
use smokejumper_intents::reply::{Line, Section, Span};

/// A change is a suspect this long (ms) before an incident began: most faults of a change show within minutes, some with the
/// first busy hour.
pub const SUSPECT_FOR: i64 = 2 * HOUR;

/// What takes longer (ms) than this waited in between, for an approval or a window.
const MAX_ROLLOUT: i64 = HOUR;

/// Changes on a card; the answer to `why` has all that are kept.
pub const SHOWN_CHANGES: usize = 3;
/// Names of an environment are the same when one begins with the other and has this many letters: `prod`, `production`.
const MIN_ENVIRONMENT: usize = 3;
/// Labels that name the environment, best first.
const ENVIRONMENT_LABELS: [&str; 4] = ["environment", "env", "stage", "deployment_environment"];

/// Something was changed: the house remembers it, and every open incident it may have caused is told.
pub fn changed(draft: &mut Draft, change: &Change) {
    let change = &since_it_began(draft, change);
    if draft.desk.changes.contains(change) {
        return;
    }
    let policy = draft.policy;
    let concerned: Vec<IncidentId> =
        draft.open().filter(|i| is_suspect(i, change, policy) && has_room(i, change)).map(|i| i.id).collect();
    draft.record_own(Fact::ChangeSeen { change: change.clone() });
    for id in concerned {
        draft.record(id, Fact::ChangeSeen { change: change.clone() });
        draft.show(id);
    }
}

/// Faults come with the first new machine, not with the last: a rollout whose end is told keeps the moment it began.
fn since_it_began(draft: &Draft, change: &Change) -> Change {
    let known = draft.desk.changes.iter().find(|c| (&c.source, &c.id) == (&change.source, &change.id));
    let began = known.filter(|c| c.at < change.at && change.at.since(c.at) <= MAX_ROLLOUT).map(|c| c.at);
    Change { at: began.unwrap_or(change.at), ..change.clone() }
}

/// An incident opened, or began earlier than was thought: what was changed before is told to it, the newest if there is much.
pub fn gather(draft: &mut Draft, id: IncidentId) {
    let Some(incident) = draft.incident(id) else { return };
    let known = |c: &Change| incident.changes.iter().any(|k| (&k.source, &k.id) == (&c.source, &c.id));
    let suspects = draft.desk.changes.iter().rev().filter(|c| is_suspect(incident, c, draft.policy) && !known(c));
    let room = MAX_CHANGES.saturating_sub(incident.changes.len());
    let mut found: Vec<Change> = suspects.take(room).cloned().collect();
    found.reverse();
    for change in found {
        draft.record(id, Fact::ChangeSeen { change });
    }
}

/// When it began, as far as is known: distances in time are counted from here.
fn began(incident: &Incident) -> At {
    incident.times.impact_started.or(incident.times.detected).unwrap_or(incident.times.declared)
}

/// Of the incident's service, of one it depends on, or of everything; not known to be of another environment; and not too
/// long before it began.
fn is_suspect(incident: &Incident, change: &Change, policy: &Policy) -> bool {
    let concerns = match (&change.service, &incident.service) {
        (None, _) => true,
        (Some(_), None) => false,
        (Some(changed), Some(own)) => touches(changed, own, policy),
    };
    let elsewhere = match (&change.environment, environment(incident)) {
        (Some(one), Some(other)) => !same_environment(one, other),
        _ => false,
    };
    concerns && !elsewhere && change.at >= began(incident).plus(-SUSPECT_FOR)
}

/// Whether what was changed is this service, or one it depends on.
pub(super) fn touches(changed: &str, own: &str, policy: &Policy) -> bool {
    let needed = policy.services.get(own).into_iter().flat_map(|own| &own.depends_on);
    std::iter::once(own).chain(needed.map(String::as_str)).any(|service| means(changed, service, policy))
}

/// Sources name a service as the catalogue does, or by its repository: `owner/name`, which several may share.
fn means(changed: &str, service: &str, policy: &Policy) -> bool {
    if changed == service {
        return true;
    }
    let Some((_, name)) = changed.split_once('/') else { return false };
    match policy.services.get(service).and_then(|known| known.repository.as_deref()) {
        Some(repository) => {
            let repository = repository.trim_end_matches('/').trim_end_matches(".git").to_lowercase();
            let changed = changed.to_lowercase();
            repository == changed || repository.ends_with(&format!("/{changed}"))
        }
        None => name == service,
    }
}

/// A pipeline gone wild fills no incident: news of what is known is told, and as much that is new as is kept.
fn has_room(incident: &Incident, change: &Change) -> bool {
    let known = |c: &Change| (&c.source, &c.id) == (&change.source, &change.id);
    incident.changes.len() < MAX_CHANGES || incident.changes.iter().any(known)
}

fn environment(incident: &Incident) -> Option<&str> {
    let named = ENVIRONMENT_LABELS.iter().find_map(|label| incident.labels.get(*label));
    named.map(String::as_str).filter(|name| !name.is_empty())
}

fn same_environment(one: &str, other: &str) -> bool {
    let (one, other) = (one.to_lowercase(), other.to_lowercase());
    let (short, long) = if one.len() <= other.len() { (&one, &other) } else { (&other, &one) };
    short == long || (short.len() >= MIN_ENVIRONMENT && long.starts_with(short.as_str()))
}

/// The closest before it began first, then what was changed since: at most `limit`, and how many more there are.
#[must_use]
pub fn lines(incident: &Incident, limit: usize) -> Vec<Line> {
    let began = began(incident);
    let mut changes: Vec<&Change> = incident.changes.iter().collect();
    changes.sort_by_key(|c| (c.at > began, c.at.0.abs_diff(began.0)));
    let mut lines: Vec<Line> = changes.iter().take(limit).map(|c| line(suspect(incident, c))).collect();
    if changes.len() > limit {
        let more = count((changes.len() - limit) as u64, "change");
        lines.push(under(vec![faint(format!("and {} (`why` shows them)", more.replacen(' ', " more ", 1)))]));
    }
    lines
}

/// What may have caused it, for `why`; nothing when nothing was changed.
#[must_use]
pub fn all(incident: &Incident) -> Section {
    section("What was changed", lines(incident, MAX_CHANGES))
}

/// "Deploy v41 by ana, 12 min before".
fn suspect(incident: &Incident, change: &Change) -> Vec<Span> {
    let began = began(incident);
    let distance = change.at.0.abs_diff(began.0);
    let distance = i64::try_from(distance).unwrap_or(i64::MAX);
    let when = match (distance < MINUTE, change.at <= began) {
        (true, _) => "as it began".to_owned(),
        (false, true) => format!("{} before", span(distance)),
        (false, false) => format!("{} after it began", span(distance)),
    };
    let mut spans = vec![faint("changed: ")];
    spans.extend(told(change));
    spans.extend([ours(", "), strong(when)]);
    match &change.service {
        // By its repository: what it is called is in the summary of most.
        Some(own) if own.contains('/') => spans.extend([ours(" ("), code(own.clone()), ours(")")]),
        Some(other) if Some(other) != incident.service.as_ref() => {
            spans.extend([ours(" ("), code(other.clone()), ours(", which it depends on)")]);
        }
        None => spans.push(ours(" (of no service in particular)")),
        Some(_) => {}
    }
    if let Some(link) = &change.link {
        spans.extend([ours(" "), Span::Link { label: "change".to_owned(), href: link.clone() }]);
    }
    spans
}

/// What was changed, by whom, and how that went if it is not simply done.
#[must_use]
pub fn told(change: &Change) -> Vec<Span> {
    let mut spans = vec![outside(change.summary.clone())];
    if let Some(by) = &change.by {
        spans.extend([ours(" by "), outside(by.clone())]);
    }
    match change.status {
        ChangeStatus::Succeeded => {}
        ChangeStatus::InProgress => spans.push(ours(", in progress")),
        ChangeStatus::Failed => spans.push(strong(", failed")),
    }
    spans
}
