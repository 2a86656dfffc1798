//! Remediation: requested -> approved -> started -> finished -> verified. The only place that can make an [`Approved`].
//!
//! Knows plans, people and phases; knows neither processes nor files: what is true of them comes in as [`Fresh`].

use super::draft::Draft;
use super::effect::{Effect, Timer};
use super::event::Fresh;
use super::fact::{Ended, Fact, RunOutcome, Verdict};
use super::identity::{Actor, Identity, PersonId};
use super::incident::{Incident, IncidentId, Phase, Run};
use super::learning;
use super::moment::{At, span};
use super::phrase::{account, code, count, ours, outside, section, strong, titled};
use super::plan::Plan;
use super::policy::Policy;
use super::refusal::Refusal;
use super::render::{refusal, render};
use super::standing::{check_line, decision_buttons, last_lines, plan_lines};
use smokejumper_intents::reply::Line;
use smokejumper_intents::word::{Right, State};
use std::collections::BTreeSet;

/// Hex digits of a plan's SHA-256 that a button carries and a person reads.
pub const SHORT: usize = 12;
/// Requests in one incident; a loop that wants more has gone wrong.
pub const MAX_RUNS: usize = 50;

/// Proof that this plan may run now: minted from fresh membership and digests, used once, never stored (ARCHITECTURE.md D6).
/// It has no `Clone`, no serde, and no public constructor.
#[derive(Debug)]
pub struct Approved {
    incident: IncidentId,
    request: u32,
    plan: Plan,
    sha256: String,
}

impl Approved {
    #[must_use]
    pub const fn incident(&self) -> IncidentId {
        self.incident
    }

    /// The run's number in its incident.
    #[must_use]
    pub const fn request(&self) -> u32 {
        self.request
    }

    #[must_use]
    pub const fn plan(&self) -> &Plan {
        &self.plan
    }

    #[must_use]
    pub fn sha256(&self) -> &str {
        &self.sha256
    }
}

/// Somebody wants a runbook run.
///
/// # Errors
/// Unknown runbook, parameters that do not fit, a loop, or one like it already on its way.
pub fn request(
    draft: &mut Draft,
    by: &Identity,
    id: IncidentId,
    name: &str,
    params: Vec<(String, String)>,
    dry: bool,
) -> Result<(), Refusal> {
    let policy = draft.policy;
    let Some(runbook) = policy.runbooks.get(name) else {
        let known: Vec<_> = policy.runbooks.keys().take(10).cloned().collect();
        let known = if known.is_empty() { "none are configured".to_owned() } else { known.join(", ") };
        return Err(Refusal::new(format!("there is no runbook \"{name}\". Known: {known}.")).or_try("runbooks"));
    };
    let Some(incident) = draft.incident(id) else { return Err(Refusal::new(format!("there is no {id}."))) };
    if !incident.is_open() {
        return Err(Refusal::new(format!(
            "{id} is {}; remediation belongs to open incidents.",
            incident.state.0.label()
        )));
    }
    let params = with_service(incident, runbook, params);
    let plan = render(runbook, id, &params, &policy.services).map_err(|e| refusal(runbook, &e))?;
    let sha256 = plan.sha256();
    let shown = plan_lines(&plan);
    if dry {
        let mut reply = titled(vec![strong("Dry run: "), ours("nothing was requested. This would run:")]);
        reply.sections.push(section("", shown));
        draft.reply(reply);
        return Ok(());
    }
    if runbook.approvals > 0 && policy.person(by).is_none() {
        let why = "your account is linked to nobody, so nobody could tell whether somebody else approves.";
        return Err(Refusal::new(why).or_try(format!("note please run {name}")));
    }
    guard(incident, &plan, policy.approval.max_ineffective)?;
    let number = incident.runs.keys().next_back().map_or(1, |n| n + 1);
    let (needs, expires_at) = (runbook.approvals, draft.now.plus(policy.approval.expires_after));
    let short: String = sha256.chars().take(SHORT).collect();
    draft.record(id, Fact::RunRequested { request: number, plan, sha256, needs, expires_at });
    let mut message = titled(vec![
        account(policy, by),
        ours(format!(" asks to run #{number} ")),
        code(name),
        ours(format!(" ({} risk). ", runbook.risk.label())),
        ours(match needs {
            0 => "No approval needed.".to_owned(),
            n => format!(
                "Needs {} by somebody else within {}.",
                count(n.into(), "approval"),
                span(policy.approval.expires_after)
            ),
        }),
    ]);
    message.sections.push(section("What will run, exactly", shown));
    if needs == 0 {
        draft.effect(Effect::Run { incident: id, request: number });
    } else {
        message.buttons = decision_buttons(id, number, &short);
        draft.effect(Effect::Wake { incident: id, at: expires_at, timer: Timer::Expiry { request: number } });
    }
    draft.say(id, &message);
    draft.reply(message);
    Ok(())
}

/// The incident's own service for a `service` parameter that was left out.
fn with_service(
    incident: &Incident,
    runbook: &super::runbook::Runbook,
    mut params: Vec<(String, String)>,
) -> Vec<(String, String)> {
    let wanted = runbook.params.iter().any(|p| p.name == "service" && p.default.is_none());
    if let Some(service) = incident.service.as_ref().filter(|_| wanted && !params.iter().any(|(n, _)| n == "service")) {
        params.push(("service".to_owned(), service.clone()));
    }
    params
}

/// No loops: one like it must not be on its way, nor have been without effect too often.
fn guard(incident: &Incident, plan: &Plan, max_ineffective: u32) -> Result<(), Refusal> {
    let alike = |r: &&Run| r.plan.runbook == plan.runbook && r.plan.params == plan.params;
    if incident.runs.len() >= MAX_RUNS {
        return Err(Refusal::new(format!("{MAX_RUNS} runs were requested here; that is where I stop.")));
    }
    if let Some((n, _)) = incident.runs.iter().find(|(_, r)| alike(r) && !r.phase.is_terminal()) {
        return Err(Refusal::new(format!("run #{n} is the same and is not finished.")));
    }
    let in_vain = incident.runs.values().filter(alike).filter(|r| ineffective(r)).count();
    if in_vain >= usize::try_from(max_ineffective).unwrap_or(usize::MAX) {
        return Err(Refusal::new(format!(
            "{} with these parameters ran {} here without effect; once more would not help.",
            plan.runbook,
            count(in_vain as u64, "time"),
        ))
        .or_try("runbooks"));
    }
    Ok(())
}

fn ineffective(run: &Run) -> bool {
    let failed = run.outcome.as_ref().is_some_and(|o| matches!(o.ended, Ended::Failed { .. } | Ended::TimedOut { .. }));
    failed || run.verdict.as_ref().is_some_and(|v| !v.passed)
}

/// The request that is meant: the one named, or the only one that waits.
fn meant(incident: &Incident, request: Option<u32>) -> Result<(u32, &Run), Refusal> {
    let number = match request {
        Some(n) => n,
        None => match incident.awaiting().as_slice() {
            [one] => *one,
            [] => return Err(Refusal::new("nothing waits for approval here.")),
            many => {
                let list: Vec<_> = many.iter().map(|n| format!("#{n}")).collect();
                return Err(Refusal::new(format!("several wait: {}. Say which.", list.join(", "))).or_try("approve 2"));
            }
        },
    };
    let run = incident.runs.get(&number).ok_or_else(|| Refusal::new(format!("there is no run #{number} here.")))?;
    match run.phase {
        Phase::Requested => Ok((number, run)),
        Phase::Approved | Phase::Started => Err(Refusal::new(format!("run #{number} was approved already."))),
        Phase::Finished => Err(Refusal::new(format!("run #{number} has already run."))),
        Phase::Denied => Err(Refusal::new(format!("run #{number} was denied."))),
        Phase::Expired => Err(Refusal::new(format!("run #{number} expired; ask for it again."))),
        Phase::Voided => Err(Refusal::new(format!("run #{number} became void; ask for it again."))),
    }
}

/// An approver says yes.
///
/// # Errors
/// Not linked to a person, the requester's own, expired, decided, approved by the same person already, or another plan.
pub fn approve(
    draft: &mut Draft,
    by: &Identity,
    id: IncidentId,
    request: Option<u32>,
    plan: Option<&str>,
) -> Result<(), Refusal> {
    let policy = draft.policy;
    let Some(incident) = draft.incident(id) else { return Err(Refusal::new(format!("there is no {id}."))) };
    let (number, run) = meant(incident, request)?;
    let me = policy.person(by).map(|p| &p.id);
    let Some(me) = me else {
        return Err(Refusal::new("your account is linked to nobody, and only known people approve."));
    };
    if run.requested_by == Actor::Account(by.clone()) || requester(policy, run).is_some_and(|r| r == me) {
        return Err(Refusal::new("you asked for it yourself; somebody else must approve."));
    }
    if run.approvals.iter().filter_map(|a| policy.person(a)).any(|p| &p.id == me) {
        return Err(Refusal::new(format!("you approved run #{number} already; it needs somebody else too.")));
    }
    if plan.is_some_and(|short| short.len() < SHORT || !run.sha256.starts_with(short)) {
        return Err(Refusal::new("what you approved is not what would run; look at the plan again."));
    }
    if draft.now >= run.expires_at {
        return Err(Refusal::new(format!("run #{number} expired; ask for it again.")));
    }
    let name = run.plan.runbook.clone();
    draft.record(id, Fact::RunApproved { request: number, by: by.clone() });
    let (have, needs, ready) = draft
        .incident(id)
        .and_then(|i| i.runs.get(&number))
        .map_or((0, 0, false), |r| (r.approvals.len(), usize::from(r.needs), r.phase == Phase::Approved));
    let then = if ready { "It starts now.".to_owned() } else { format!("{have} of {needs} approvals.") };
    let message = titled(vec![
        account(policy, by),
        ours(format!(" approved run #{number} ")),
        code(name),
        ours(format!(". {then}")),
    ]);
    if ready {
        draft.effect(Effect::Run { incident: id, request: number });
    }
    draft.say(id, &message);
    draft.reply(message);
    Ok(())
}

/// Whether this account may say yes or no to a request that waits: an approver who is known, did not ask for it, and has not spoken yet.
#[must_use]
pub fn may_decide(policy: &Policy, by: &Identity, run: &Run, now: At) -> bool {
    let Some(me) = policy.person(by).filter(|_| policy.right(by) >= Right::Approver).map(|p| &p.id) else {
        return false;
    };
    let spoken = run.approvals.iter().filter_map(|a| policy.person(a)).any(|p| &p.id == me);
    run.phase == Phase::Requested && now < run.expires_at && requester(policy, run) != Some(me) && !spoken
}

/// The person behind the request, if linked.
fn requester<'p>(policy: &'p Policy, run: &Run) -> Option<&'p PersonId> {
    match &run.requested_by {
        Actor::Account(identity) => policy.person(identity).map(|p| &p.id),
        Actor::Bot | Actor::Source(_) => None,
    }
}

/// An approver says no, or the requester takes it back. One no is enough.
///
/// # Errors
/// It is decided already.
pub fn deny(
    draft: &mut Draft,
    by: &Identity,
    id: IncidentId,
    request: Option<u32>,
    reason: Option<String>,
) -> Result<(), Refusal> {
    let Some(incident) = draft.incident(id) else { return Err(Refusal::new(format!("there is no {id}."))) };
    let waiting =
        request.and_then(|n| incident.runs.get(&n).map(|r| (n, r))).filter(|(_, r)| r.phase == Phase::Approved);
    let (number, run) = waiting.map_or_else(|| meant(incident, request), Ok)?;
    if run.requested_by != Actor::Account(by.clone()) && draft.policy.right(by) < Right::Approver {
        return Err(Refusal::new("only an approver, or who asked for it, can deny a run."));
    }
    let mut spans = vec![
        account(draft.policy, by),
        ours(format!(" denied run #{number} ")),
        code(run.plan.runbook.clone()),
        ours("."),
    ];
    if let Some(reason) = &reason {
        spans.extend([ours(" Reason: "), outside(reason.clone())]);
    }
    draft.record(id, Fact::RunDenied { request: number, reason });
    let message = titled(spans);
    draft.say(id, &message);
    draft.reply(message);
    Ok(())
}

/// The request's time is over.
pub fn expire(draft: &mut Draft, id: IncidentId, request: u32) {
    let Some(run) = draft.incident(id).and_then(|i| i.runs.get(&request)) else { return };
    if run.phase != Phase::Requested {
        return;
    }
    if draft.now < run.expires_at {
        // The clock was ahead when the timer fired.
        draft.effect(Effect::Wake { incident: id, at: run.expires_at, timer: Timer::Expiry { request } });
        return;
    }
    let name = run.plan.runbook.clone();
    draft.record(id, Fact::RunExpired { request });
    draft.say(
        id,
        &titled(vec![ours(format!("Run #{request} ")), code(name), ours(" expired: nobody decided in time.")]),
    );
    draft.show(id);
}

/// Requests that nobody decided end with the incident.
pub fn void_open(draft: &mut Draft, id: IncidentId, why: &str) {
    let open: Vec<u32> = draft
        .incident(id)
        .map(|i| {
            i.runs
                .iter()
                .filter(|(_, r)| matches!(r.phase, Phase::Requested | Phase::Approved))
                .map(|(n, _)| *n)
                .collect()
        })
        .unwrap_or_default();
    for request in open {
        draft.record_by(Actor::Bot, id, Fact::RunVoided { request, why: why.to_owned() });
    }
}

/// An approved request is about to run: mint the leave, or say why not.
pub fn poised(draft: &mut Draft, id: IncidentId, request: u32, fresh: &Fresh) {
    let Some(run) = draft.incident(id).and_then(|i| i.runs.get(&request)) else { return };
    if run.phase != Phase::Approved {
        return;
    }
    if let Err(why) = still_good(draft, run, fresh) {
        let name = run.plan.runbook.clone();
        let fact = if draft.now >= run.expires_at {
            Fact::RunExpired { request }
        } else {
            Fact::RunVoided { request, why: why.clone() }
        };
        draft.record(id, fact);
        let spans = vec![strong(format!("Run #{request} ")), code(name), ours(" did not start: "), outside(why)];
        draft.say(id, &titled(spans));
        draft.show(id);
        return;
    }
    let approved = Approved { incident: id, request, plan: run.plan.clone(), sha256: run.sha256.clone() };
    draft.record(id, Fact::RunStarted { request });
    draft.show(id);
    draft.go(approved);
}

/// Everything that was true when it was approved is true now (I15, I16, I17).
fn still_good(draft: &Draft, run: &Run, fresh: &Fresh) -> Result<(), String> {
    let policy = draft.policy;
    if draft.now >= run.expires_at {
        return Err("its time was over".to_owned());
    }
    if !draft.incident(run.plan.incident).is_some_and(Incident::is_open) {
        return Err("the incident is over".to_owned());
    }
    if run.plan.sha256() != run.sha256 {
        return Err("its plan is not the one that was approved".to_owned());
    }
    if policy.runbooks.get(&run.plan.runbook).is_none_or(|r| r.revision != run.plan.revision) {
        return Err(format!("the runbook {} changed since", run.plan.runbook));
    }
    let requester = requester(policy, run);
    if run.needs > 0 && requester.is_none() {
        return Err("who asked for it is linked to nobody".to_owned());
    }
    let approvers: BTreeSet<&PersonId> = run
        .approvals
        .iter()
        .filter_map(|a| policy.person(a))
        .filter(|p| p.right >= Right::Approver && fresh.approvers.contains(&p.id))
        .map(|p| &p.id)
        .filter(|p| Some(*p) != requester)
        .collect();
    if approvers.len() < usize::from(run.needs) {
        return Err("who approved may not approve it any more".to_owned());
    }
    let changed = run.plan.files.iter().find(|f| !fresh.files.contains(f));
    changed.map_or(Ok(()), |f| Err(format!("{} is not the file that was approved", f.path)))
}

/// A run ended.
pub fn ran(draft: &mut Draft, id: IncidentId, request: u32, outcome: RunOutcome) {
    let Some(run) = draft.incident(id).and_then(|i| i.runs.get(&request)) else { return };
    if run.phase == Phase::Approved {
        not_begun(draft, id, request, &outcome.ended);
        return;
    }
    if run.phase != Phase::Started {
        return;
    }
    let (name, verify) = (run.plan.runbook.clone(), !run.plan.verify.is_empty());
    let mut spans = vec![strong(format!("Run #{request} ")), code(name)];
    let took = span(outcome.duration_ms);
    match &outcome.ended {
        Ended::Succeeded if verify => spans.push(ours(format!(" ended after {took}; checking whether it worked."))),
        Ended::Succeeded => spans.push(ours(format!(" ended after {took}; nothing checks whether it worked."))),
        Ended::Failed { step, why } => {
            spans.extend([ours(format!(" failed at step {step} after {took}: ")), outside(why.clone())]);
        }
        Ended::TimedOut { step } => spans.push(ours(format!(" was stopped at step {step}: it took too long."))),
        Ended::NotStarted { why } => spans.extend([ours(" was not started: "), outside(why.clone())]),
        Ended::Unknown { why } => spans.extend([
            ours(" was interrupted, and nobody knows how far it got. I will not repeat it; look, then decide. "),
            outside(why.clone()),
        ]),
    }
    let mut message = titled(spans);
    let output: Vec<Line> = outcome.steps.iter().flat_map(|s| last_lines(&s.output)).collect();
    if !output.is_empty() {
        message.sections.push(section("Output", output));
    }
    let check = verify && outcome.ended == Ended::Succeeded;
    draft.record(id, Fact::RunFinished { request, outcome });
    if check {
        draft.effect(Effect::Verify { incident: id, request });
    }
    draft.say(id, &message);
    draft.show(id);
}

/// It was given up before it began: the request ends, so that it can be made again.
fn not_begun(draft: &mut Draft, id: IncidentId, request: u32, ended: &Ended) {
    let why = super::timeline::ended(ended);
    draft.record(id, Fact::RunVoided { request, why: why.clone() });
    draft.say(id, &titled(vec![strong(format!("Run #{request} ")), ours("did not start: "), outside(why)]));
    draft.show(id);
}

/// It was checked whether a run worked.
pub fn verified(draft: &mut Draft, id: IncidentId, request: u32, verdict: Verdict) {
    let Some(run) = draft.incident(id).and_then(|i| i.runs.get(&request)) else { return };
    if run.phase != Phase::Finished || run.verdict.is_some() {
        return;
    }
    let (name, passed) = (run.plan.runbook.clone(), verdict.passed);
    let said = if passed { "worked, verified" } else { "did not help" };
    let mut message = titled(vec![strong(format!("Run #{request} ")), code(name), strong(format!(" {said}."))]);
    message.sections.push(section("Checked", verdict.checks.iter().map(check_line).collect()));
    draft.record(id, Fact::RunVerified { request, verdict });
    if passed && draft.incident(id).is_some_and(|i| i.state.0 < State::Mitigated) {
        draft
            .record(id, Fact::StateSet { state: State::Mitigated, note: Some(format!("run #{request} was verified")) });
    }
    if draft.incident(id).is_some_and(|i| !i.is_open()) {
        learning::learn(draft, id);
    }
    draft.say(id, &message);
    draft.show(id);
}
