//! Learning: an incident that ended, and what people said of it, becomes a labelled example.
//!
//! Learns from facts alone, never from today's index (ARCHITECTURE.md D8). Private incidents teach nothing.

use super::draft::Draft;
use super::effect::Effect;
use super::fact::Fact;
use super::identity::{Actor, Party, PersonId};
use super::incident::{Incident, IncidentId};
use super::policy::Policy;
use super::recollection::{Lesson, Opinion};
use super::triage::question;
use smokejumper_intents::word::{Role, State};

/// Records what an ended incident teaches, when it is more than was learned before, and has memory keep it.
pub fn learn(draft: &mut Draft, id: IncidentId) {
    let Some(incident) = draft.incident(id) else { return };
    let teaches = matches!(incident.state.0, State::Resolved | State::Postmortem | State::Closed);
    if incident.private || !teaches {
        return;
    }
    let lesson = lesson(draft.policy, incident);
    draft.record_by(Actor::Bot, id, Fact::Learned(lesson.clone()));
    draft.effect(Effect::Remember { incident: id, lesson: Box::new(lesson) });
}

/// The incident as a labelled example.
#[must_use]
pub fn lesson(policy: &Policy, incident: &Incident) -> Lesson {
    let known = question(incident, incident.times.declared);
    Lesson {
        case: known.case,
        opened_at: incident.times.declared,
        closed_at: incident.times.resolved,
        title: known.title,
        text: known.text,
        service: known.service,
        labels: known.labels,
        cause: incident.cause.clone(),
        resolution: incident.fix.clone(),
        responders: responders(policy, incident),
        runbooks: incident
            .runs
            .values()
            .filter_map(|r| r.verdict.as_ref().map(|v| (r.plan.runbook.clone(), v.passed)))
            .collect(),
        url: None,
        said: incident.suggestion.as_ref().filter(|_| !incident.learned).map(|s| Opinion {
            model: s.model.clone(),
            causes: s.causes.iter().chain(&s.withheld.causes).cloned().collect(),
            responders: s.responders.iter().chain(&s.withheld.responders).cloned().collect(),
            memo: s.withheld.memo.clone(),
        }),
    }
}

/// The last runbook that was verified to have worked, with its parameters.
#[must_use]
pub fn verified_fix(incident: &Incident) -> Option<String> {
    let worked = |r: &&super::incident::Run| r.verdict.as_ref().is_some_and(|v| v.passed);
    incident.runs.values().rev().find(worked).map(|r| {
        let params: Vec<String> = r.plan.params.iter().map(|(k, v)| format!("{k}={v}")).collect();
        format!("{} {}", r.plan.runbook, params.join(" ")).trim_end().to_owned()
    })
}

/// Who mattered: the commander, those who asked for and approved what worked, then everybody who acted. Persons only.
fn responders(policy: &Policy, incident: &Incident) -> Vec<String> {
    let linked = |i: &super::identity::Identity| policy.person(i).map(|p| p.id.clone());
    let mut people: Vec<PersonId> = Vec::new();
    match incident.roles.get(&Role::Commander) {
        Some(Party::Person(id)) => people.push(id.clone()),
        Some(Party::Account(identity)) => people.extend(linked(identity)),
        None => {}
    }
    for run in incident.runs.values().filter(|r| r.verdict.as_ref().is_some_and(|v| v.passed)) {
        if let Actor::Account(identity) = &run.requested_by {
            people.extend(linked(identity));
        }
        people.extend(run.approvals.iter().filter_map(linked));
    }
    people.extend(incident.involved.iter().filter_map(linked));
    let mut unique: Vec<String> = Vec::new();
    for person in people {
        if !unique.contains(&person.0) {
            unique.push(person.0);
        }
    }
    unique
}
