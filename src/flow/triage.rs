//! Triage: what memory says becomes a suggestion, or an honest "I don't know". Changes of mind are said aloud.
//!
//! Policy over memory's ranking; knows nothing of how memory ranks.

use super::draft::Draft;
use super::fact::{Fact, Suggestion, Withheld};
use super::identity::{Actor, Party, PersonId};
use super::incident::{Incident, IncidentId};
use super::phrase::{code, line, ours, outside, percent, section, strong, titled};
use super::privacy;
use super::recollection::{Candidate, Question, Recollection};
use smokejumper_intents::reply::{Line, Span};
use smokejumper_intents::word::Role;
use std::collections::BTreeMap;

/// Characters of alerts, summaries and notes that a question to memory holds.
pub const MAX_QUESTION: usize = 4_000;

/// Share of an incident's telling words that makes a past one worth a look.
const NEAR: f64 = 0.1;
/// And one much the same.
const ALIKE: f64 = 0.3;

/// The incident as a question: what is known now, and nothing that only its end will tell.
#[must_use]
pub fn question(incident: &Incident, now: super::moment::At) -> Question {
    let mut text = String::new();
    for (name, group) in &incident.groups {
        text.push_str(name);
        text.push(' ');
        text.push_str(group.summary.as_deref().unwrap_or_default());
        text.push('\n');
    }
    if let Some(update) = &incident.update {
        text.push_str(&update.conditions);
        text.push('\n');
    }
    for note in &incident.notes {
        text.push_str(note);
        text.push('\n');
    }
    Question {
        case: incident.id.to_string(),
        at: now,
        title: incident.title.clone(),
        text: text.chars().take(MAX_QUESTION).collect(),
        service: incident.service.clone(),
        labels: incident.labels.clone(),
    }
}

/// Memory answered.
pub fn recalled(draft: &mut Draft, id: IncidentId, mut said: Recollection) {
    let Some(incident) = draft.incident(id) else { return };
    if !incident.is_open() {
        return;
    }
    privacy::veil_recollection(&mut said, &draft.desk.private);
    let rules = &draft.policy.triage;
    let (threshold, shown, notable) = (rules.threshold, rules.shown, rules.notable_change);
    let (causes, doubtful_causes) = split(said.causes, threshold, shown);
    let (mut responders, doubtful_responders) = split(said.responders, threshold, shown);
    for candidate in &mut responders {
        circumstances(draft, id, candidate);
    }
    let named = |case: &String| causes.iter().chain(&responders).any(|c| c.evidence.iter().any(|(e, _)| e == case));
    let similar: Vec<_> = said.similar.into_iter().filter(|s| s.similarity >= NEAR || named(&s.case)).collect();
    // A follow-up is only held against those who had really seen it coming.
    let cited: Vec<String> = similar.iter().filter(|s| s.similarity >= ALIKE).map(|s| s.case.clone()).collect();
    let owed = draft.desk.owed.iter().filter(|o| cited.contains(&o.incident.to_string())).cloned().collect();
    let suggestion = Suggestion {
        model: said.model,
        causes,
        responders,
        similar,
        seen: said.seen,
        of: said.of,
        since: said.since,
        owed,
        withheld: Withheld { causes: doubtful_causes, responders: doubtful_responders, memo: said.memo },
    };
    let before = incident.suggestion.as_ref();
    if before.is_some_and(|b| same(b, &suggestion, notable)) {
        return;
    }
    let news = before.map(|b| changes(&b.causes, &suggestion.causes, notable)).unwrap_or_default();
    draft.record_by(Actor::Bot, id, Fact::Suggested(suggestion));
    if !news.is_empty() {
        let mut message = titled(vec![strong("My suggestion changed")]);
        message.sections.push(section("", news));
        draft.say(id, &message);
    }
    draft.show(id);
}

/// Those to be named, best first, and those not sure enough or too many. Nothing is named without evidence.
fn split(candidates: Vec<Candidate>, threshold: f64, shown: usize) -> (Vec<Candidate>, Vec<Candidate>) {
    let (mut sure, mut rest): (Vec<_>, Vec<_>) =
        candidates.into_iter().partition(|c| c.p >= threshold && !c.evidence.is_empty());
    let surplus = sure.split_off(shown.min(sure.len()));
    rest.splice(0..0, surplus);
    (sure, rest)
}

/// Load and duty of a suggested person, kept with the suggestion as named features.
fn circumstances(draft: &Draft, id: IncidentId, candidate: &mut Candidate) {
    let person = PersonId(candidate.value.clone());
    let leads = |i: &&Incident| {
        i.id != id && !i.private && i.roles.get(&Role::Commander) == Some(&Party::Person(person.clone()))
    };
    let other_open = draft.open().filter(leads).count();
    let service = draft.incident(id).and_then(|i| i.service.as_deref());
    let on_call = draft.policy.on_call(service, draft.now).iter().any(|o| o.who == person);
    candidate.features.push(("open_incidents".to_owned(), other_open as f64));
    candidate.features.push(("on_call".to_owned(), if on_call { 1.0 } else { 0.0 }));
}

fn by_value(candidates: &[Candidate]) -> BTreeMap<&str, f64> {
    candidates.iter().map(|c| (c.value.as_str(), c.p)).collect()
}

/// Nothing in it that a person would want to be told of again.
fn same(before: &Suggestion, after: &Suggestion, notable: f64) -> bool {
    let close = |a: &[Candidate], b: &[Candidate]| {
        let (a, b) = (by_value(a), by_value(b));
        a.len() == b.len() && a.iter().all(|(v, p)| b.get(v).is_some_and(|q| (p - q).abs() < notable))
    };
    let cases = |s: &Suggestion| s.similar.iter().map(|c| c.case.clone()).collect::<Vec<_>>();
    close(&before.causes, &after.causes)
        && close(&before.responders, &after.responders)
        && cases(before) == cases(after)
        && before.owed == after.owed
}

/// Stronger, weaker, new or withdrawn: a line each.
fn changes(before: &[Candidate], after: &[Candidate], notable: f64) -> Vec<Line> {
    let (old, new) = (by_value(before), by_value(after));
    let mut lines = Vec::new();
    for (value, p) in &new {
        let was = old.get(value).copied();
        let word = match was {
            None => "New",
            Some(q) if p - q >= notable => "Stronger",
            Some(q) if q - p >= notable => "Weaker",
            Some(_) => continue,
        };
        let mut spans = vec![ours(format!("{word}: ")), outside(*value), ours(", "), Span::Percent(percent(*p))];
        if let Some(q) = was {
            spans.extend([ours(" (was "), Span::Percent(percent(q)), ours(")")]);
        }
        lines.push(line(spans));
    }
    for value in old.keys().filter(|v| !new.contains_key(*v)) {
        lines.push(line(vec![ours("Withdrawn: "), outside(*value)]));
    }
    lines
}

/// Why a candidate is believed, as lines under it.
#[must_use]
pub fn reasons(suggestion: &Suggestion, candidate: &Candidate, shown: usize) -> Vec<Line> {
    candidate
        .evidence
        .iter()
        .take(shown)
        .map(|(name, _)| {
            let Some(past) = suggestion.similar.iter().find(|s| &s.case == name) else {
                return super::phrase::under(vec![code(name.clone())]);
            };
            let mut spans = vec![case(past)];
            spans.push(ours(format!(" ({}) ", past.opened_at.day())));
            spans.push(outside(past.title.clone()));
            if !past.shared.is_empty() {
                spans.push(ours("; shares "));
                spans.push(code(past.shared.iter().take(4).cloned().collect::<Vec<_>>().join(", ")));
            }
            if let Some(fix) = &past.resolution {
                spans.extend([ours("; fixed by "), outside(fix.chars().take(160).collect::<String>())]);
            }
            super::phrase::under(spans)
        })
        .collect()
}

/// A past incident's name, linked where it can be.
#[must_use]
pub fn case(past: &super::recollection::PastIncident) -> Span {
    if let Some(n) = past.case.strip_prefix("INC-").and_then(|n| n.parse().ok()) {
        return Span::Incident(n);
    }
    match &past.url {
        Some(url) => Span::Link { label: past.case.clone(), href: url.clone() },
        None => code(past.case.clone()),
    }
}
