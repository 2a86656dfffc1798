//! Announcing: everybody is told of what is severe, in one message on each platform that is edited as it goes on, up to how it ended.
//!
//! Never of a private incident; what was announced before it was made private is taken back. Follows from facts: the message before
//! and after a turn is compared. Knows no platform's rules.

use super::draft::Draft;
use super::effect::Effect;
use super::identity::Platform;
use super::incident::Incident;
use super::moment::span;
use super::phrase::{code, faint, line, ours, outside, party, section, strong, titled};
use super::policy::Policy;
use smokejumper_intents::reply::{Line, Reply, Span};
use smokejumper_intents::word::{Role, State};

/// Once severe enough, it is told how it goes on, also when it turned out less bad.
fn is_announced(incident: &Incident, policy: &Policy) -> bool {
    !incident.private && incident.worst.or(incident.severity).is_some_and(|worst| worst <= policy.rooms.announce_from)
}

/// What everybody on a platform is told of it now.
#[must_use]
pub fn announcement(incident: &Incident, policy: &Policy, platform: Platform) -> Reply {
    if incident.private {
        return titled(vec![faint("What was announced here is not for everybody any more, and was withdrawn.")]);
    }
    let mut message = titled(vec![
        Span::Incident(incident.id.0),
        ours(" · "),
        strong(incident.severity().label()),
        ours(" · "),
        strong(incident.state.0.label()),
        ours(" · "),
        outside(incident.title.clone()),
    ]);
    let mut lines = if incident.is_open() { going_on(incident, policy) } else { ended(incident, policy) };
    if let Some(href) = incident.rooms.get(&platform).and_then(|room| room.link.clone()) {
        let label = if incident.is_open() { "Go to its channel" } else { "Its channel" };
        lines.push(line(vec![Span::Link { label: label.to_owned(), href }]));
    }
    message.sections.push(section("", lines));
    message
}

fn commander(incident: &Incident, policy: &Policy) -> Line {
    let mut spans = vec![faint("Incident commander: ")];
    spans.push(incident.roles.get(&Role::Commander).map_or_else(|| ours("nobody yet"), |who| party(policy, who)));
    line(spans)
}

fn going_on(incident: &Incident, policy: &Policy) -> Vec<Line> {
    let mut since = vec![faint("Declared: "), Span::Time(incident.times.declared.0)];
    if let Some(service) = &incident.service {
        since.extend([ours(" on "), code(service.clone())]);
    }
    let mut lines = vec![line(since), commander(incident, policy)];
    if let Some(update) = &incident.update {
        lines.push(line(vec![faint("Last update: "), outside(update.conditions.clone())]));
    }
    lines
}

/// The public summary: what it was, what helped, how long it took, who led.
fn ended(incident: &Incident, policy: &Policy) -> Vec<Line> {
    let mut lines = Vec::new();
    match (incident.state.0, incident.merged_into) {
        (_, Some(into)) => {
            return vec![line(vec![ours("It is part of "), Span::Incident(into.0), ours(" now, and goes on there.")])];
        }
        (State::Declined, _) => return vec![line(vec![ours("It was no incident.")])],
        (State::Cancelled, _) => return vec![line(vec![ours("Nothing more happens here.")])],
        _ => {}
    }
    let known = |what: &str, value: &Option<String>| match value {
        Some(value) => line(vec![faint(what), outside(value.clone())]),
        None => line(vec![faint(what), ours("not known")]),
    };
    lines.extend([known("Cause: ", &incident.cause), known("What fixed it: ", &incident.fix)]);
    if let Some(resolved) = incident.times.resolved {
        let took = span(resolved.since(incident.times.declared));
        lines.push(line(vec![faint("It took: "), ours(took)]));
    }
    if incident.roles.contains_key(&Role::Commander) {
        lines.push(commander(incident, policy));
    }
    lines
}

/// After everything that was recorded in this turn: announcements that should read otherwise.
pub fn follow(draft: &mut Draft) {
    let policy = draft.policy;
    for id in draft.touched() {
        for platform in &policy.rooms.announce {
            let Some(incident) = draft.incident(id) else { continue };
            let told = |i: &&Incident| is_announced(i, policy);
            let before = draft.was(id).filter(told).map(|was| announcement(was, policy, *platform));
            let now = is_announced(incident, policy) || (incident.private && before.is_some());
            if now && before != Some(announcement(incident, policy, *platform)) {
                draft.effect(Effect::Announce { incident: id, platform: *platform });
            }
        }
    }
}
