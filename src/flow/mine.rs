//! What somebody has to do, across incidents: those they lead or are in, their tasks, and what waits for their approval.
//!
//! Knows nothing of where it is shown.

use super::identity::{Identity, Party};
use super::incident::{Incident, Phase};
use super::moment::{At, span};
use super::phrase::{line, ours, outside, section, strong, titled};
use super::policy::Policy;
use smokejumper_intents::reply::{Line, Reply, Span};
use smokejumper_intents::word::Right;

/// What waits for whoever asks, of these open incidents.
#[must_use]
pub fn mine(incidents: &[Incident], policy: &Policy, by: &Identity, now: At) -> Reply {
    let person = policy.person(by).map(|person| &person.id);
    let is_me = |party: &Party| match party {
        Party::Person(id) => person == Some(id),
        Party::Account(account) => account == by,
    };
    let in_it = |i: &&Incident| i.roles.values().chain(&i.assigned).any(is_me);
    let own: Vec<Line> = incidents.iter().filter(in_it).map(|i| heading(i, now)).collect();
    let mut tasks = Vec::new();
    let mut approvals = Vec::new();
    for incident in incidents {
        for (number, task) in incident.tasks.iter().filter(|(_, t)| t.done_at.is_none()) {
            if task.owner.as_ref().is_some_and(is_me) {
                let spans =
                    vec![Span::Incident(incident.id.0), ours(format!(" T-{number} ")), outside(task.title.clone())];
                tasks.push(line(spans));
            }
        }
        let waits = incident.runs.iter().filter(|(_, run)| run.phase == Phase::Requested);
        for (number, run) in waits.filter(|_| policy.right(by) >= Right::Approver) {
            let spans = vec![
                Span::Incident(incident.id.0),
                ours(format!(" run #{number} ")),
                outside(run.plan.runbook.clone()),
            ];
            approvals.push(line(spans));
        }
    }
    let mut reply = titled(vec![strong("What you have to do")]);
    for (name, lines) in [("Your incidents", own), ("Your tasks", tasks), ("Waiting for an approval", approvals)] {
        if !lines.is_empty() {
            reply.sections.push(section(name, lines));
        }
    }
    if reply.sections.is_empty() {
        reply.sections.push(section("", vec![line(vec![ours("Nothing waits for you.")])]));
    }
    reply
}

fn heading(incident: &Incident, now: At) -> Line {
    let age = span(now.since(incident.times.declared));
    line(vec![
        Span::Incident(incident.id.0),
        ours(" "),
        strong(incident.severity().label()),
        ours(format!(" · {} · {age} · ", incident.state.0.label())),
        outside(incident.title.clone()),
    ])
}
