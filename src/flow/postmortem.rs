//! The postmortem draft: every sentence is linked to the timeline entries it is made of; what is not known says so.
//!
//! Blameless: it tells what happened, and names people only as those who owe a follow-up.

use super::fact::{Ended, Entry, Fact};
use super::incident::Incident;
use super::moment::{At, span};
use super::phrase::{code, count, faint, line, ours, outside, person, strong, titled};
use super::policy::Policy;
use super::timeline::{Told, message_link, timeline};
use smokejumper_intents::reply::{Reply, Section, Span};
use smokejumper_intents::word::{Milestone, Severity, State};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Postmortem {
    pub title: String,
    pub sections: Vec<Chapter>,
    pub timeline: Vec<Told>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chapter {
    pub heading: &'static str,
    pub sentences: Vec<Sentence>,
}

/// A sentence and the entries it is made of. No entries: it says that something is not known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sentence {
    pub spans: Vec<Span>,
    pub from: Vec<u32>,
}

/// Drafts it from the facts.
#[must_use]
pub fn draft(incident: &Incident, entries: &[Entry], policy: &Policy) -> Postmortem {
    let sections = vec![
        Chapter { heading: "What happened", sentences: what_happened(incident, entries) },
        Chapter { heading: "Impact and times", sentences: times(incident, entries) },
        Chapter { heading: "Cause", sentences: cause(incident, entries) },
        Chapter { heading: "What was done", sentences: remediation(entries) },
        Chapter { heading: "Tasks", sentences: tasks(incident, entries) },
        Chapter { heading: "What was told", sentences: entries.iter().filter_map(told).collect() },
        Chapter { heading: "What was noted", sentences: notes(entries) },
        Chapter { heading: "Follow-ups", sentences: follow_ups(incident, entries, policy) },
        Chapter {
            heading: "Lessons",
            sentences: vec![unknown("what went well, what went badly, and what was luck; people write that.")],
        },
    ];
    let sections = sections.into_iter().filter(|c| !c.sentences.is_empty()).collect();
    Postmortem { title: format!("{}: {}", incident.id, incident.title), sections, timeline: timeline(entries, policy) }
}

fn said(spans: Vec<Span>, from: Vec<u32>) -> Sentence {
    Sentence { spans, from }
}

fn unknown(text: &str) -> Sentence {
    said(vec![strong("Not known: "), ours(text)], Vec::new())
}

fn numbers(entries: &[Entry], wanted: impl Fn(&Fact) -> bool) -> Vec<u32> {
    entries.iter().filter(|e| wanted(&e.fact)).map(|e| e.n).collect()
}

fn what_happened(incident: &Incident, entries: &[Entry]) -> Vec<Sentence> {
    let mut sentences = Vec::new();
    let declared = numbers(entries, |f| {
        matches!(f, Fact::Declared { .. } | Fact::Corrected { milestone: Milestone::Declared, .. })
    });
    let mut spans = vec![
        ours(format!("On {} at {} UTC ", incident.times.declared.day(), incident.times.declared.hm())),
        outside(incident.title.clone()),
        ours(format!(" was declared as {}", first_severity(incident, entries).label())),
    ];
    if let Some(service) = &incident.service {
        spans.extend([ours(" on "), code(service.clone())]);
    }
    spans.push(ours("."));
    sentences.push(said(spans, declared));
    let changed = numbers(entries, |f| matches!(f, Fact::SeveritySet { .. }));
    if !changed.is_empty() {
        sentences.push(said(vec![ours(format!("Its severity became {}.", incident.severity().label()))], changed));
    }
    let alerts = numbers(entries, |f| matches!(f, Fact::AlertsChanged { .. }));
    if alerts.is_empty() {
        sentences.push(unknown("no alert told of it."));
    } else {
        let total: u64 = incident.groups.values().map(|g| u64::from(g.total)).sum();
        let names = incident.groups.keys().take(5).cloned().collect::<Vec<_>>().join(", ");
        let more = match incident.groups.len().saturating_sub(5) {
            0 => ".".to_owned(),
            more => format!(" and {}.", count(more as u64, "other name")),
        };
        let told = format!("{} told of it: ", count(total, "alert"));
        sentences.push(said(vec![ours(told), code(names), ours(more)], alerts));
    }
    for entry in entries {
        match &entry.fact {
            Fact::Absorbed { other, title } => {
                let spans = vec![
                    Span::Incident(other.0),
                    ours(" turned out to be a part of it: "),
                    outside(title.clone()),
                    ours("."),
                ];
                sentences.push(said(spans, vec![entry.n]));
            }
            Fact::Merged { into } => {
                let spans =
                    vec![ours("It turned out to be a part of "), Span::Incident(into.0), ours(", where it went on.")];
                sentences.push(said(spans, vec![entry.n]));
            }
            _ => {}
        }
    }
    sentences
}

/// How bad it was said to be at first.
fn first_severity(incident: &Incident, entries: &[Entry]) -> Severity {
    let declared = entries.iter().find_map(|e| match &e.fact {
        Fact::Declared { severity, .. } => Some(*severity),
        _ => None,
    });
    declared.unwrap_or_else(|| incident.severity())
}

fn times(incident: &Incident, entries: &[Entry]) -> Vec<Sentence> {
    let start = incident.times.detected.unwrap_or(incident.times.declared);
    let mut sentences = Vec::new();
    // A duration is made of both its ends, and of who said later when they really were.
    let first = if incident.times.detected.is_some() { Milestone::Detected } else { Milestone::Declared };
    let at = |milestone: Milestone, is: fn(&Fact) -> bool| {
        let corrected = |f: &Fact| matches!(f, Fact::Corrected { milestone: m, .. } if *m == milestone || *m == first);
        numbers(entries, |f| is(f) || corrected(f))
    };
    if let Some(began) = incident.times.impact_started {
        let before = start.since(began);
        let text = if before > 0 {
            format!("It began at {} UTC, {} before the first sign.", began.minute(), span(before))
        } else {
            format!("It began at {} UTC.", began.minute())
        };
        sentences.push(said(vec![ours(text)], at(Milestone::ImpactStarted, |_| false)));
    }
    let acknowledged = at(Milestone::Acknowledged, |f| matches!(f, Fact::Acknowledged));
    match incident.times.acknowledged {
        Some(at) => {
            sentences.push(said(
                vec![ours(format!("Somebody acknowledged {} after the first sign.", span(at.since(start))))],
                acknowledged,
            ));
        }
        None => sentences.push(unknown("nobody acknowledged it here.")),
    }
    let mitigated = at(Milestone::Mitigated, |f| matches!(f, Fact::StateSet { state: State::Mitigated, .. }));
    if let Some(at) = incident.times.mitigated {
        sentences.push(said(vec![ours(format!("It was mitigated after {}.", span(at.since(start))))], mitigated));
    }
    let resolved = at(Milestone::Resolved, |f| matches!(f, Fact::Resolved { .. }));
    match incident.times.resolved {
        Some(at) => {
            sentences.push(said(vec![ours(format!("It was resolved after {}.", span(at.since(start))))], resolved));
        }
        None => sentences.push(unknown("it is not resolved.")),
    }
    sentences.push(unknown("how many users were affected."));
    sentences
}

fn cause(incident: &Incident, entries: &[Entry]) -> Vec<Sentence> {
    let mut sentences = Vec::new();
    let stated = entries.iter().rev().find_map(|e| match &e.fact {
        Fact::Resolved { cause: Some(cause), .. } | Fact::Judged { cause: Some(cause), .. } => Some((cause, e.n)),
        _ => None,
    });
    match stated {
        Some((cause, n)) => {
            sentences.push(said(vec![ours("The cause, as stated: "), outside(cause.clone()), ours(".")], vec![n]));
        }
        None => sentences.push(unknown("the cause was not stated.")),
    }
    let suggested = numbers(entries, |f| matches!(f, Fact::Suggested(s) if !s.causes.is_empty()));
    if let Some(best) = incident.suggestion.as_ref().and_then(|s| s.causes.first()) {
        let verdict = match incident.judged.as_ref().map(|j| j.right) {
            Some(true) => "people judged that right",
            Some(false) => "people judged that wrong",
            None => "nobody judged it",
        };
        let spans = vec![
            ours("Smokejumper suggested "),
            outside(best.value.clone()),
            ours(" ("),
            Span::Percent(super::phrase::percent(best.p)),
            ours(format!("); {verdict}.")),
        ];
        let judged = numbers(entries, |f| matches!(f, Fact::Judged { .. }));
        sentences.push(said(spans, suggested.into_iter().chain(judged).collect()));
    }
    sentences
}

fn remediation(entries: &[Entry]) -> Vec<Sentence> {
    let mut sentences = Vec::new();
    for entry in entries {
        let Fact::RunRequested { request, plan, .. } = &entry.fact else { continue };
        let mut from = vec![entry.n];
        let mut text = " was asked for".to_owned();
        for later in entries {
            match &later.fact {
                Fact::RunApproved { request: r, .. } if r == request => {
                    text.push_str(", approved");
                    from.push(later.n);
                }
                Fact::RunDenied { request: r, .. } if r == request => {
                    text.push_str(", denied");
                    from.push(later.n);
                }
                Fact::RunExpired { request: r } if r == request => {
                    text.push_str(", and expired");
                    from.push(later.n);
                }
                Fact::RunVoided { request: r, .. } if r == request => {
                    text.push_str(", and became void");
                    from.push(later.n);
                }
                Fact::RunFinished { request: r, outcome } if r == request => {
                    let began = !matches!(outcome.ended, Ended::NotStarted { .. });
                    text.push_str(if began { ", and ran (" } else { ", and did not run (" });
                    text.push_str(&super::timeline::ended(&outcome.ended));
                    text.push(')');
                    from.push(later.n);
                }
                Fact::RunVerified { request: r, verdict } if r == request => {
                    text.push_str(if verdict.passed {
                        "; it was verified to have worked"
                    } else {
                        "; it did not help"
                    });
                    from.push(later.n);
                }
                _ => {}
            }
        }
        sentences.push(said(vec![code(plan.runbook.clone()), outside(text), ours(".")], from));
    }
    let fixed = entries.iter().rev().find_map(|e| match &e.fact {
        Fact::Resolved { fix: Some(fix), .. } => Some((fix, e.n)),
        _ => None,
    });
    match fixed {
        Some((fix, n)) => sentences.push(said(vec![ours("What fixed it: "), outside(fix.clone()), ours(".")], vec![n])),
        None => sentences.push(unknown("what fixed it was not stated.")),
    }
    sentences
}

fn tasks(incident: &Incident, entries: &[Entry]) -> Vec<Sentence> {
    let mut sentences = Vec::new();
    for entry in entries {
        let Fact::TaskOpened { id, title, .. } = &entry.fact else { continue };
        let done = numbers(entries, |f| matches!(f, Fact::TaskDone { id: d } if d == id));
        let state = match incident.tasks.get(id).and_then(|t| t.done_at) {
            Some(at) => format!(", done after {}", span(at.since(entry.at))),
            None => ", not done".to_owned(),
        };
        let spans = vec![strong(format!("T-{id} ")), outside(title.clone()), ours(state)];
        sentences.push(said(spans, std::iter::once(entry.n).chain(done).collect()));
    }
    sentences
}

/// An update, as everybody got it.
fn told(entry: &Entry) -> Option<Sentence> {
    let Fact::Updated { conditions, actions, needs } = &entry.fact else { return None };
    let mut spans = vec![ours(format!("{} UTC: ", entry.at.hm())), outside(conditions.clone())];
    for (what, part) in [("; being done: ", actions), ("; needed: ", needs)] {
        if let Some(part) = part {
            spans.extend([ours(what), outside(part.clone())]);
        }
    }
    Some(said(spans, vec![entry.n]))
}

/// What people wrote down, and messages that were kept, in the order in which they were written.
fn notes(entries: &[Entry]) -> Vec<Sentence> {
    let told = |entry: &Entry| match &entry.fact {
        Fact::Noted { text } => Some((entry.at, vec![outside(text.clone())], entry.n)),
        Fact::Kept { message, .. } => {
            let link = message.link.iter().flat_map(|link| message_link(link));
            let spans = std::iter::once(outside(message.text.clone())).chain(link).collect();
            Some((At(message.at), spans, entry.n))
        }
        _ => None,
    };
    let mut notes: Vec<(At, Vec<Span>, u32)> = entries.iter().filter_map(told).collect();
    notes.sort_by_key(|(at, _, n)| (*at, *n));
    let sentence = |(at, spans, n): (At, Vec<Span>, u32)| {
        said(std::iter::once(ours(format!("{} UTC: ", at.hm()))).chain(spans).collect(), vec![n])
    };
    notes.into_iter().map(sentence).collect()
}

fn follow_ups(incident: &Incident, entries: &[Entry], policy: &Policy) -> Vec<Sentence> {
    let mut sentences = Vec::new();
    for entry in entries {
        let Fact::FollowUpOpened { id, title, owner, due, link } = &entry.fact else { continue };
        let mut spans = vec![strong(format!("F-{id} "))];
        let filed = incident.follow_ups.get(id).and_then(|f| f.issue.as_ref()).map(|issue| &issue.url);
        match filed.or(link.as_ref()) {
            Some(link) => spans.push(Span::Link { label: title.clone(), href: link.clone() }),
            None => spans.push(outside(title.clone())),
        }
        match owner {
            Some(owner) => spans.extend([ours(", owned by "), person(policy, owner)]),
            None => spans.push(faint(", owned by nobody yet")),
        }
        if let Some(due) = due {
            spans.push(ours(format!(", due {due}")));
        }
        if incident.follow_ups.get(id).is_some_and(|f| f.done_at.is_some()) {
            spans.push(ours(", done"));
        }
        sentences.push(said(spans, vec![entry.n]));
    }
    if sentences.is_empty() {
        sentences.push(unknown("no follow-up was agreed on."));
    }
    sentences
}

impl Postmortem {
    /// For chat and terminal: entry numbers stand behind each sentence.
    #[must_use]
    pub fn reply(&self) -> Reply {
        let mut reply = titled(vec![strong("Postmortem "), outside(self.title.clone())]);
        for chapter in &self.sections {
            let lines = chapter.sentences.iter().map(|s| {
                let mut spans = s.spans.clone();
                if !s.from.is_empty() {
                    let refs: Vec<_> = s.from.iter().map(|n| format!("#e{n}")).collect();
                    spans.push(faint(format!(" [{}]", refs.join(" "))));
                }
                line(spans)
            });
            reply.sections.push(Section {
                heading: chapter.heading.to_owned(),
                lines: lines.collect(),
                buttons: Vec::new(),
            });
        }
        reply
    }
}
