//! Merging: an incident turns out to be a part of another. Its alerts move, its open runs become void, its roles stay.
//!
//! A person decides it, and nothing leads back.

use super::draft::Draft;
use super::effect::Effect;
use super::fact::Fact;
use super::identity::{Identity, Party};
use super::incident::{Incident, IncidentId, Task};
use super::phrase::{count, line, ours, outside, section, titled};
use super::refusal::Refusal;
use super::{placing, privacy, remediation, tasks};
use smokejumper_intents::reply::{Reply, Span};

/// Incidents that one may take in; more are a storm, and have an incident of their own.
pub const MAX_ABSORBED: usize = 100;

/// `id` becomes a part of `into`.
///
/// # Errors
/// Either is over, they are the same, one is private and the other is not, or a remediation is running.
pub fn merge(draft: &mut Draft, by: &Identity, id: IncidentId, into: IncidentId) -> Result<(), Refusal> {
    possible(draft, by, id, into)?;
    let Some(source) = draft.incident(id) else { return Ok(()) };
    let (title, learned, private) = (source.title.clone(), source.learned, source.private);
    let in_it: Vec<Identity> = source.members.iter().chain(&source.involved).cloned().collect();
    let to_do: Vec<Task> = source.to_do().map(|(_, task)| task.clone()).collect();
    let follow_ups = source.owed().len() as u64;
    draft.record(id, Fact::Merged { into });
    remediation::void_open(draft, id, &format!("{id} became part of {into}"));
    if learned {
        // It teaches through the other one only.
        draft.effect(Effect::Forget { incident: id });
    }
    draft.record(into, Fact::Absorbed { other: id, title: title.clone() });
    if private {
        for account in in_it {
            privacy::bring_in(draft, into, &Party::Account(account))?;
        }
    }
    placing::adopt(draft, id, into);
    let moved = to_do.len() as u64;
    for task in to_do {
        tasks::carry_over(draft, into, task);
    }
    draft.recall(into);
    let mut message = titled(vec![
        Span::Incident(id.0),
        ours(" is part of "),
        Span::Incident(into.0),
        ours(" now: "),
        outside(title),
    ]);
    let mut lines = Vec::new();
    if moved > 0 {
        lines.push(line(vec![ours(format!("{} moved there.", count(moved, "open task")))]));
    }
    if follow_ups > 0 {
        let stay = if follow_ups == 1 { "stays" } else { "stay" };
        lines.push(line(vec![
            ours(format!("{} {stay} with ", count(follow_ups, "open follow-up"))),
            Span::Incident(id.0),
            ours("."),
        ]));
    }
    if !lines.is_empty() {
        message.sections.push(section("", lines));
    }
    tell(draft, id, into, message);
    Ok(())
}

fn tell(draft: &mut Draft, id: IncidentId, into: IncidentId, message: Reply) {
    for each in [id, into] {
        draft.say(each, &message);
        draft.show(each);
    }
    draft.reply(message);
}

fn possible(draft: &Draft, by: &Identity, id: IncidentId, into: IncidentId) -> Result<(), Refusal> {
    let state = |incident: &Incident| incident.state.0.label();
    if id == into {
        return Err(Refusal::new(format!("{id} can't be part of itself.")).or_try("merge INC-12"));
    }
    let Some(source) = draft.incident(id) else { return Err(Refusal::new(format!("there is no {id}."))) };
    let Some(target) = draft.incident(into).filter(|i| i.admits(by)) else {
        return Err(Refusal::new(format!("there is no {into}.")).or_try("list"));
    };
    if let Some(further) = target.merged_into {
        let why = format!("{into} is part of {further} itself.");
        let refusal = Refusal::new(why);
        return Err(if further == id { refusal } else { refusal.or_try(format!("merge {id} {further}")) });
    }
    if !source.is_open() {
        return Err(Refusal::new(format!(
            "{id} is {}; only an open incident can become part of another.",
            state(source)
        )));
    }
    if !target.is_open() {
        return Err(Refusal::new(format!("{into} is {}; only an open incident can take another in.", state(target)))
            .or_try(format!("reopen {into}")));
    }
    if source.private != target.private {
        let (hidden, seen) = if source.private { (id, into) } else { (into, id) };
        let why = format!("{hidden} is private and {seen} is not: merged, one would show what the other hides.");
        return Err(Refusal::new(why).or_try(format!("private {seen}")));
    }
    if source.is_running() {
        return Err(Refusal::new("a remediation is still running; merge when it has ended."));
    }
    if target.absorbed.len() >= MAX_ABSORBED {
        return Err(Refusal::new(format!("{into} has taken in {MAX_ABSORBED} incidents already.")));
    }
    Ok(())
}
