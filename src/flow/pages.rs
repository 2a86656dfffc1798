//! What the card says of whom we asked: who was paged and what became of it, or that there is nobody to ask.

use super::desk::Desk;
use super::escalation::{levels, wanted};
use super::fact::Answered;
use super::incident::{Incident, Page};
use super::moment::{At, span};
use super::phrase::{faint, line, ours, outside, party, strong};
use super::policy::Policy;
use super::ringing;
use smokejumper_intents::reply::{Line, Span};

/// Pages shown, newest first: the timeline has them all.
const SHOWN: usize = 3;

/// Nothing when nobody was asked and nobody need be.
#[must_use]
pub fn lines(incident: &Incident, desk: &Desk, policy: &Policy, now: At) -> Vec<Line> {
    if !incident.is_open() {
        return Vec::new();
    }
    let waits = wanted(incident, policy);
    let mut lines = Vec::new();
    if let Some(because) = incident.climb.unanswered.as_ref().filter(|_| waits) {
        lines.push(line(vec![strong("Nobody answers: "), ours(because.clone())]));
    } else if waits && levels(incident, policy, now).is_empty() {
        let whose = incident.service.as_ref().map_or_else(String::new, |s| format!(" for {s}"));
        lines.push(line(vec![strong("Nobody is on call"), outside(whose), ours(", so nobody was asked to come.")]));
    }
    if let Some(because) = incident.climb.held.as_ref().filter(|_| waits) {
        lines.push(line(vec![strong("No phone rings for this yet: "), ours(because.clone())]));
    }
    let ended = |p: &&Page| p.answered != Some(Answered::Ended);
    let shown = incident.pages.values().rev().filter(ended).filter(|p| waits || !p.rings() || p.level == 0);
    lines.extend(shown.take(SHOWN).map(|p| told(p, policy, now)));
    let own = usize::from(desk.open.get(&incident.id).is_some_and(|s| s.waits));
    let ringing = waits && incident.pages.values().any(Page::rings);
    let more = ringing::more(desk.waiting().saturating_sub(own)).filter(|_| ringing);
    lines.extend(more.map(|more| line(vec![strong(more)])));
    lines
}

/// "paged Bo 2 min ago, taken by pagerduty, not acknowledged yet"
fn told(page: &Page, policy: &Policy, now: At) -> Line {
    let verb = if policy.escalation.phones { "paged " } else { "asked " };
    let mut spans: Vec<Span> = vec![faint(verb), party(policy, &page.who)];
    spans.push(ours(format!(" {} ago", span(now.since(page.at)))));
    match &page.answered {
        Some(Answered::Accepted { by }) => {
            spans.extend([ours(", taken by "), outside(by.clone()), ours(", not acknowledged yet")]);
        }
        Some(Answered::Acknowledged { by }) => {
            spans.extend([ours(", acknowledged on the phone by "), outside(by.clone())]);
        }
        Some(Answered::Failed { why }) => spans.extend([strong(", reached nobody: "), outside(why.clone())]),
        None => spans.push(ours(", not acknowledged yet")),
        Some(Answered::Ended) => {}
    }
    line(spans)
}
