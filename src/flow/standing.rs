//! How remediation is shown: the plan as the approver must see it, the buttons bound to it, how a run stands and ended.
//!
//! Words only; what may happen is decided in `remediation.rs`.

use super::fact::{CheckResult, Ended, Output};
use super::identity::Actor;
use super::incident::{IncidentId, Phase, Run};
use super::phrase::{account, button, code, count, line, ours, outside};
use super::plan::Plan;
use super::policy::Policy;
use super::remediation::SHORT;
use smokejumper_intents::intent::Intent;
use smokejumper_intents::reply::{Button, Line, Span, Style};

/// Approve and deny, bound to the plan that was shown.
#[must_use]
pub fn decision_buttons(id: IncidentId, request: u32, short: &str) -> Vec<Button> {
    let approve = Intent::Approve { request: Some(request), plan: Some(short.to_owned()) };
    let deny = Intent::Deny { request: Some(request), reason: None };
    vec![
        button(format!("Approve #{request}"), Style::Primary, id.0, approve),
        button(format!("Deny #{request}"), Style::Danger, id.0, deny),
    ]
}

/// The plan as the approver must see it: the exact commands, escaped.
#[must_use]
pub fn plan_lines(plan: &Plan) -> Vec<Line> {
    let mut lines: Vec<Line> = plan.shown().into_iter().map(|c| line(vec![code(c)])).collect();
    lines.push(line(vec![Span::Faint(format!("plan {}", plan.sha256().chars().take(SHORT).collect::<String>()))]));
    lines
}

/// The last lines of a process's output, enough to see what happened.
#[must_use]
pub fn last_lines(output: &Output) -> Vec<Line> {
    const SHOWN: usize = 5;
    let text = if output.tail.is_empty() { &output.head } else { &output.tail };
    let lines: Vec<&str> = text.lines().filter(|l| !l.trim().is_empty()).collect();
    let from = lines.len().saturating_sub(SHOWN);
    lines.into_iter().skip(from).map(|l| line(vec![code(l.chars().take(200).collect::<String>())])).collect()
}

/// One check of a verification, and what was seen.
#[must_use]
pub fn check_line(check: &CheckResult) -> Line {
    let mark = if check.passed { "yes: " } else { "no: " };
    let mut spans = vec![ours(mark), code(check.what.clone())];
    if !check.passed {
        spans.extend([ours(", saw "), outside(check.saw.clone())]);
    }
    line(spans)
}

/// How a request stands, as one line of the card.
#[must_use]
pub fn standing(policy: &Policy, number: u32, run: &Run) -> Line {
    let mut spans = vec![ours(format!("#{number} ")), code(run.plan.runbook.clone())];
    let by: Vec<Span> = run.approvals.iter().map(|a| account(policy, a)).collect();
    let text = match (&run.phase, &run.outcome, &run.verdict) {
        (Phase::Requested, _, _) => {
            let missing = usize::from(run.needs).saturating_sub(run.approvals.len());
            format!(" waits for {}", count(missing as u64, "approval"))
        }
        (Phase::Approved, _, _) => " is approved".to_owned(),
        (Phase::Started, _, _) => " is running".to_owned(),
        (Phase::Denied, _, _) => " was denied".to_owned(),
        (Phase::Expired, _, _) => " expired".to_owned(),
        (Phase::Voided, _, _) => " became void".to_owned(),
        (Phase::Finished, _, Some(v)) if v.passed => " worked, verified".to_owned(),
        (Phase::Finished, _, Some(_)) => " did not help".to_owned(),
        (Phase::Finished, Some(o), None) => match &o.ended {
            Ended::Succeeded if run.plan.verify.is_empty() => " ended, not verified".to_owned(),
            Ended::Succeeded => " ended, being checked".to_owned(),
            Ended::Failed { .. } => " failed".to_owned(),
            Ended::TimedOut { .. } => " timed out".to_owned(),
            Ended::NotStarted { .. } => " was not started".to_owned(),
            Ended::Unknown { .. } => " was interrupted: outcome unknown".to_owned(),
        },
        (Phase::Finished, None, None) => " ended".to_owned(),
    };
    spans.push(ours(text));
    if let Actor::Account(identity) = &run.requested_by {
        spans.extend([ours("; asked by "), account(policy, identity)]);
    }
    for person in by {
        spans.extend([ours(", approved by "), person]);
    }
    line(spans)
}
