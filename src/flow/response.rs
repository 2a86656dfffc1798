//! What people do in an incident: declare, acknowledge, take a role, say how bad it is and how it stands, write down, resolve.
//!
//! Knows rights and the lifecycle; what takes more than a few lines has a chapter of its own.

use super::decide::declare;
use super::draft::Draft;
use super::fact::{Fact, Origin};
use super::identity::{Actor, Identity, Party, Platform};
use super::incident::{Incident, IncidentId};
use super::phrase::{account, actor, count, faint, line, ours, outside, party, section, strong, titled};
use super::refusal::Refusal;
use super::{
    correction, escalation, followup, keeping, learning, merging, nudging, placing, privacy, remediation, silence,
    tasks,
};
use smokejumper_intents::intent::{Ask, Intent, Item, Who};
use smokejumper_intents::reply::{Reply, Section, Span};
use smokejumper_intents::word::{Role, Severity, State};
use std::collections::BTreeMap;

/// Notes kept of one incident's people are unbounded in the journal; one note is not.
pub const MAX_NOTE: usize = 4_000;

/// Does what a person asked for.
///
/// # Errors
/// Missing right, unknown incident or person, or a state in which it makes no sense.
pub fn asked(draft: &mut Draft, by: &Identity, ask: Ask) -> Result<(), Refusal> {
    let right = draft.policy.right(by);
    let needs = ask.intent.needs();
    if right < needs {
        return Err(Refusal::new(format!(
            "this needs the right \"{}\", and you are a {}.",
            needs.label(),
            right.label()
        )));
    }
    if ask.intent.needs_person() && draft.policy.person(by).is_none() {
        return Err(unknown(by));
    }
    if let Intent::Declare { title, severity, service } = ask.intent {
        return declared(draft, by, title, severity, service);
    }
    if let Intent::Silence { matchers, minutes, comment, anyway } = ask.intent {
        return silence::set(draft, right, silence::Wish { matchers, minutes, comment, anyway });
    }
    if let Intent::EndSilence { silence } = ask.intent {
        return silence::end(draft, silence);
    }
    let Some(number) = ask.incident else {
        return Err(
            Refusal::new("this is not an incident's room, so I don't know which one you mean.").or_try("ack INC-12")
        );
    };
    let id = IncidentId(number);
    // Asked for while it was there for them, perhaps; decided when it is not any more.
    let Some(incident) = draft.incident(id).filter(|i| id != IncidentId::HOUSE && i.admits(by)) else {
        return Err(Refusal::new(format!("there is no {id}.")).or_try("list"));
    };
    if let (Intent::MakePrivate, Some(into), false) = (&ask.intent, incident.merged_into, incident.private) {
        let why = format!("{id} is part of {into} now, which tells all of it; {into} hides both.");
        return Err(Refusal::new(why).or_try(format!("private {into}")));
    }
    if incident.state.0.is_absorbing() && !outlives(&ask.intent) {
        return Err(over(incident, &ask.intent));
    }
    match ask.intent {
        Intent::Acknowledge => acknowledge(draft, by, id)?,
        Intent::TakeRole { role, who } => take_role(draft, by, id, role, &who)?,
        Intent::SetSeverity { severity } => set_severity(draft, id, severity)?,
        Intent::SetState { state, note } => set_state(draft, id, state, note)?,
        Intent::Note { text } => {
            draft.record(id, Fact::Noted { text: text.chars().take(MAX_NOTE).collect() });
            // What people see is what memory lacks most.
            draft.recall(id);
            draft.reply(titled(vec![ours("Noted in the timeline of "), Span::Incident(id.0), ours(".")]));
        }
        Intent::Keep { message, what } => keeping::keep(draft, by, id, message, what)?,
        Intent::Page { who, message } => escalation::call(draft, by, id, &who, message.as_deref())?,
        Intent::Snooze { minutes } => nudging::snooze(draft, id, minutes)?,
        Intent::Run { runbook, params, dry } => remediation::request(draft, by, id, &runbook, params, dry)?,
        Intent::Approve { request, plan } => remediation::approve(draft, by, id, request, plan.as_deref())?,
        Intent::Deny { request, reason } => remediation::deny(draft, by, id, request, reason)?,
        Intent::Resolve { cause, fix } => resolve(draft, id, cause, fix)?,
        Intent::Feedback { right, cause } => feedback(draft, id, right, cause)?,
        Intent::FollowUp { title, owner, due, link } => followup::open(draft, by, id, title, owner, due, link)?,
        Intent::FollowUpDone { follow_up } => followup::done(draft, id, follow_up)?,
        Intent::Rename { title } => rename(draft, id, title)?,
        Intent::Update { conditions, actions, needs } => update(draft, id, conditions, actions, needs)?,
        Intent::Task { title, owner } => tasks::open(draft, by, id, title, owner, None)?,
        Intent::TaskDone { task } => tasks::done(draft, id, task)?,
        Intent::Assign { item, who } => tasks::assign(draft, by, id, item, &who)?,
        Intent::Merge { into } => merging::merge(draft, by, id, IncidentId(into))?,
        Intent::Correct { milestone, when } => correction::correct(draft, id, milestone, when)?,
        Intent::MakePrivate => privacy::make(draft, by, id)?,
        // Done above; asks are answered from views and never reach the flow.
        Intent::Declare { .. }
        | Intent::Silence { .. }
        | Intent::EndSilence { .. }
        | Intent::Silences
        | Intent::CatchUp
        | Intent::List { .. }
        | Intent::Mine
        | Intent::Search { .. }
        | Intent::Card
        | Intent::Why
        | Intent::Similar
        | Intent::WhoToCall
        | Intent::OnCall { .. }
        | Intent::Explain { .. }
        | Intent::Runbooks
        | Intent::Postmortem
        | Intent::Timeline
        | Intent::Help { .. } => {}
    }
    draft.show(id);
    Ok(())
}

/// Anyone may declare, claim and note; the rest needs somebody who can be asked about it afterwards.
fn unknown(by: &Identity) -> Refusal {
    let account = match by.platform {
        Platform::Cli => format!("cli = {}", by.id),
        Platform::Console => format!("id = \"{}\"", by.id),
        platform => format!("{} = \"{}/{}\"", platform.label(), by.workspace, by.id),
    };
    let why = "this takes somebody I know. Link your account first: an administrator writes it to your [[person]] in the configuration.";
    Refusal::new(why).or_try(account)
}

/// What may still be done where nothing more happens: what was owed before, and who may know of it.
const fn outlives(intent: &Intent) -> bool {
    matches!(
        intent,
        Intent::MakePrivate
            | Intent::Assign { item: None | Some(Item::FollowUp(_)), .. }
            | Intent::FollowUpDone { .. }
            | Intent::TaskDone { .. }
    )
}

/// Why nothing more happens here, and where it goes on.
fn over(incident: &Incident, intent: &Intent) -> Refusal {
    let (id, state) = (incident.id, incident.state.0.label());
    let reopens = matches!(intent, Intent::SetState { state, .. } if state.is_open());
    match (incident.merged_into, reopens) {
        (Some(into), true) => {
            Refusal::new(format!("{id} is part of {into} now, and can't be opened again; it goes on there."))
                .or_try(format!("card {into}"))
        }
        (Some(into), false) => Refusal::new(format!("{id} is part of {into} now; nothing more happens here."))
            .or_try(format!("card {into}")),
        (None, true) => Refusal::new(format!("{id} was {state}, and that is final: it can't be opened again."))
            .or_try(format!("declare {}", incident.title)),
        (None, false) => Refusal::new(format!("{id} was {state}; nothing more happens there.")),
    }
}

fn declared(
    draft: &mut Draft,
    by: &Identity,
    title: String,
    severity: Option<Severity>,
    service: Option<String>,
) -> Result<(), Refusal> {
    if title.trim().is_empty() {
        return Err(Refusal::new("an incident needs a title.").or_try("declare checkout returns 500s"));
    }
    // A service of the catalogue that the title names is meant; anything else would be a guess.
    let named =
        || draft.policy.services.keys().find(|s| title.split_whitespace().any(|w| w.eq_ignore_ascii_case(s))).cloned();
    let service = service.or_else(named);
    let labels = service.iter().map(|s| ("service".to_owned(), s.clone())).collect::<BTreeMap<_, _>>();
    let severity = severity.unwrap_or(Severity::Sev3);
    let id = declare(draft, title.clone(), severity, service, labels, Origin::Person);
    draft.reply(titled(vec![
        strong("Declared "),
        Span::Incident(id.0),
        ours(format!(" ({}): ", severity.label())),
        outside(title),
        ours(" by "),
        account(draft.policy, by),
    ]));
    Ok(())
}

fn incident<'d>(draft: &'d Draft, id: IncidentId) -> Result<&'d Incident, Refusal> {
    draft.incident(id).ok_or_else(|| Refusal::new(format!("there is no {id}.")))
}

fn acknowledge(draft: &mut Draft, by: &Identity, id: IncidentId) -> Result<(), Refusal> {
    if incident(draft, id)?.times.acknowledged.is_some() {
        if escalation::answered_here(draft, by, id) {
            draft.say(id, &titled(vec![account(draft.policy, by), ours(" answered the page.")]));
            draft.reply(titled(vec![ours("You answered the page of "), Span::Incident(id.0), ours(".")]));
            return Ok(());
        }
        draft.reply(titled(vec![Span::Incident(id.0), ours(" was acknowledged already.")]));
        return Ok(());
    }
    draft.record(id, Fact::Acknowledged);
    draft.say(id, &titled(vec![account(draft.policy, by), ours(" acknowledged.")]));
    draft.reply(titled(vec![ours("You acknowledged "), Span::Incident(id.0), ours(".")]));
    Ok(())
}

/// Whoever is meant by `who`.
///
/// # Errors
/// Nobody of that name is known.
pub fn whom(draft: &Draft, by: &Identity, who: &Who) -> Result<Party, Refusal> {
    match who {
        Who::Me => {
            Ok(draft.policy.person(by).map_or_else(|| Party::Account(by.clone()), |p| Party::Person(p.id.clone())))
        }
        Who::Named(handle) => {
            if let Some(person) = draft.policy.person_called(handle) {
                return Ok(Party::Person(person.id.clone()));
            }
            let known: Vec<_> = draft.policy.people.iter().take(8).map(|p| format!("@{}", p.id.0)).collect();
            Err(Refusal::new(format!("I know nobody called \"{handle}\". Known: {}.", known.join(", "))))
        }
    }
}

fn take_role(draft: &mut Draft, by: &Identity, id: IncidentId, role: Role, who: &Who) -> Result<(), Refusal> {
    let who = whom(draft, by, who)?;
    if incident(draft, id)?.roles.get(&role) == Some(&who) {
        draft.reply(titled(vec![party(draft.policy, &who), ours(format!(" is {} already.", role.label()))]));
        return Ok(());
    }
    let message = titled(vec![party(draft.policy, &who), ours(format!(" is {} now.", role.label()))]);
    privacy::bring_in(draft, id, &who)?;
    draft.record(id, Fact::RoleTaken { role, who });
    draft.say(id, &message);
    draft.reply(message);
    Ok(())
}

fn set_severity(draft: &mut Draft, id: IncidentId, severity: Severity) -> Result<(), Refusal> {
    let old = incident(draft, id)?.severity();
    if old != severity {
        draft.record(id, Fact::SeveritySet { severity });
        draft.say(id, &titled(vec![ours(format!("Severity is {} now (was {}).", severity.label(), old.label()))]));
    }
    draft.reply(titled(vec![Span::Incident(id.0), ours(format!(" is {}.", severity.label()))]));
    Ok(())
}

fn set_state(draft: &mut Draft, id: IncidentId, state: State, note: Option<String>) -> Result<(), Refusal> {
    let before = incident(draft, id)?;
    let old = before.state.0;
    match state {
        State::Merged => {
            return Err(Refusal::new("merging needs to know into which incident.").or_try(format!("merge {id} INC-12")));
        }
        State::Resolved => return resolved(draft, id, None, note),
        _ if !state.is_open() && before.is_running() => {
            return Err(Refusal::new("a remediation is still running; end the incident when it has ended."));
        }
        State::Declined | State::Cancelled if !before.is_open() => {
            let why = format!(
                "{id} is {}: what happened stays. Only an open incident can be {}.",
                old.label(),
                state.label()
            );
            return Err(Refusal::new(why).or_try("close"));
        }
        _ => {}
    }
    if old == state && note.is_none() {
        draft.reply(titled(vec![Span::Incident(id.0), ours(format!(" is {} already.", state.label()))]));
        return Ok(());
    }
    let mut spans = vec![ours(moved(old, state))];
    if let Some(note) = &note {
        spans.extend([ours(" "), outside(note.clone())]);
    }
    let mut message = titled(spans);
    if state == State::Closed {
        message.sections.extend(left_over(before));
    }
    draft.record(id, Fact::StateSet { state, note });
    if !state.is_open() {
        remediation::void_open(draft, id, "the incident ended");
    } else if !old.is_open() {
        placing::recount(draft, id);
    }
    draft.say(id, &message);
    draft.reply(message);
    if state == State::Closed {
        learning::learn(draft, id);
    }
    Ok(())
}

fn moved(old: State, state: State) -> String {
    let (now, was) = (state.label(), old.label());
    match state {
        State::Closed => format!("Closed (was {was})."),
        State::Declined => "Declined: this was no incident.".to_owned(),
        State::Cancelled => "Cancelled: nothing more happens here.".to_owned(),
        _ if state.is_open() && !old.is_open() => format!("Reopened: state is {now} now (was {was})."),
        _ => format!("State is {now} now (was {was})."),
    }
}

/// What is left undone when it is closed.
fn left_over(incident: &Incident) -> Option<Section> {
    let tasks = incident.to_do().map(|(id, task)| line(vec![strong(format!("T-{id} ")), outside(task.title.clone())]));
    let owed = incident.owed();
    let follow_ups = owed.iter().map(|f| line(vec![strong(format!("F-{} ", f.id)), outside(f.title.clone())]));
    let lines: Vec<_> = tasks.chain(follow_ups).collect();
    (!lines.is_empty()).then(|| section("Still to be done", lines))
}

fn rename(draft: &mut Draft, id: IncidentId, title: String) -> Result<(), Refusal> {
    let before = incident(draft, id)?;
    let (old, over) = (before.title.clone(), !before.is_open());
    if title.trim().is_empty() {
        return Err(Refusal::new("an incident needs a title.").or_try("rename checkout returns 500s"));
    }
    if old == title {
        draft.reply(titled(vec![Span::Incident(id.0), ours(" is called that already.")]));
        return Ok(());
    }
    draft.record(id, Fact::Renamed { title: title.clone() });
    if over {
        learning::learn(draft, id);
    } else {
        draft.recall(id);
    }
    let message = titled(vec![
        Span::Incident(id.0),
        ours(" is called "),
        outside(title),
        ours(" now (was "),
        outside(old),
        ours(")."),
    ]);
    draft.say(id, &message);
    draft.reply(message);
    Ok(())
}

fn update(
    draft: &mut Draft,
    id: IncidentId,
    conditions: String,
    actions: Option<String>,
    needs: Option<String>,
) -> Result<(), Refusal> {
    if conditions.trim().is_empty() {
        return Err(Refusal::new("say how it stands.").or_try("update one in three payments fails"));
    }
    incident(draft, id)?;
    let mut message = titled(vec![strong("Update: "), outside(conditions.clone())]);
    let said = [("Being done: ", &actions), ("Needed: ", &needs)];
    let lines = said.into_iter().filter_map(|(what, said)| Some(line(vec![faint(what), outside(said.clone()?)])));
    let lines: Vec<_> = lines.chain([line(vec![faint("by "), actor(draft.policy, &draft.by)])]).collect();
    message.sections.push(section("", lines));
    draft.record(id, Fact::Updated { conditions, actions, needs });
    // What people see is what memory lacks most.
    draft.recall(id);
    draft.say(id, &message);
    draft.reply(message);
    Ok(())
}

fn resolve(draft: &mut Draft, id: IncidentId, cause: Option<String>, fix: Option<String>) -> Result<(), Refusal> {
    if !incident(draft, id)?.is_open() && cause.is_none() && fix.is_none() {
        draft.reply(titled(vec![Span::Incident(id.0), ours(" is resolved already.")]));
        return Ok(());
    }
    resolved(draft, id, cause, fix)
}

/// Resolves; what was not said is taken from what was found out and what was verified.
fn resolved(draft: &mut Draft, id: IncidentId, cause: Option<String>, fix: Option<String>) -> Result<(), Refusal> {
    let before = incident(draft, id)?;
    if before.is_running() {
        return Err(Refusal::new("a remediation is still running; resolve when it has ended."));
    }
    let cause = cause.or_else(|| before.cause.clone());
    let fix = fix.or_else(|| before.fix.clone()).or_else(|| learning::verified_fix(before));
    let firing = u64::from(before.firing());
    let ends = before.is_open();
    draft.record(id, Fact::Resolved { cause: cause.clone(), fix: fix.clone() });
    if ends {
        remediation::void_open(draft, id, "the incident was resolved");
        let through = draft.incident(id).map_or(0, |i| i.entries);
        draft.record_by(Actor::Bot, id, Fact::PostmortemDrafted { through });
    }
    learning::learn(draft, id);
    let title = if ends { "Resolved. " } else { "Recorded how it ended. " };
    let mut message: Reply = titled(vec![strong(title), Span::Incident(id.0)]);
    let known = |what: &str, value: Option<String>| match value {
        Some(v) => line(vec![faint(format!("{what}: ")), outside(v)]),
        None => line(vec![faint(format!("{what}: ")), ours("not known")]),
    };
    let mut lines = vec![known("Cause", cause), known("What fixed it", fix)];
    if firing > 0 {
        lines.push(line(vec![strong(format!("{} still firing.", count(firing, "alert")))]));
    }
    if ends {
        lines.push(line(vec![ours("The postmortem is drafted; what I learned will be offered next time.")]));
    }
    message.sections.push(section("", lines));
    draft.say(id, &message);
    draft.reply(message);
    Ok(())
}

fn feedback(draft: &mut Draft, id: IncidentId, right: bool, cause: Option<String>) -> Result<(), Refusal> {
    let before = incident(draft, id)?;
    let suggested = before.suggestion.as_ref().is_some_and(|s| !s.causes.is_empty());
    if !suggested && cause.is_none() {
        return Err(
            Refusal::new("I suggested no cause, so there is nothing to judge.").or_try("feedback wrong bad config")
        );
    }
    let closed = !before.is_open();
    // What was right is what was shown at that moment, whatever is suggested later.
    let shown = || before.suggestion.as_ref().and_then(|s| s.causes.first()).map(|c| c.value.clone());
    let cause = cause.or_else(|| shown().filter(|_| right));
    draft.record(id, Fact::Judged { right, cause: cause.clone() });
    if closed {
        learning::learn(draft, id);
    }
    let text = match (right, cause) {
        (true, _) => "Thank you: remembered as right.",
        (false, Some(_)) => "Thank you: remembered as wrong, with the cause you gave.",
        (false, None) => "Thank you: remembered as wrong.",
    };
    draft.reply(titled(vec![ours(text)]));
    Ok(())
}
