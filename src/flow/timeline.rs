//! The timeline: every fact as one line a person can read. Read from the journal; nothing is kept for it.

use super::fact::{Answered, Entry, Fact, GroupChange, Item, RoomChange};
use super::identity::{Actor, Identity};
use super::incident::IncidentId;
use super::moment::At;
use super::phrase::{account, actor, code, count, line, ours, outside, party, person, strong, titled};
use super::policy::Policy;
use super::remediation::SHORT;
use super::suspects;
use smokejumper_intents::quoted::{Keep, Quoted};
use smokejumper_intents::reply::{Line, Reply, Section, Span};

/// A line of the timeline, and the entry it tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    pub n: u32,
    pub at: At,
    pub line: Line,
}

/// All entries a person would want to read, oldest first. A message that was kept stands where it was written, not where somebody
/// marked it.
#[must_use]
pub fn timeline(entries: &[Entry], policy: &Policy) -> Vec<Told> {
    let (mut told, mut kept) = (Vec::new(), Vec::new());
    for entry in entries {
        let Some(spans) = tell(entry, policy) else { continue };
        let line = line(spans);
        match &entry.fact {
            Fact::Kept { message, .. } => kept.push(Told { n: entry.n, at: At(message.at), line }),
            _ => told.push(Told { n: entry.n, at: entry.at, line }),
        }
    }
    // By time and not by sorting: where a clock was set back, entries stand in the order in which they happened.
    kept.sort_by_key(|one| one.at);
    for one in kept {
        let after = told.iter().rposition(|known| known.at <= one.at).map_or(0, |at| at + 1);
        told.insert(after, one);
    }
    told
}

/// What somebody wrote, with their name when they are known, and where it stands.
#[must_use]
fn written(message: &Quoted, policy: &Policy) -> Vec<Span> {
    let author = message.author.as_deref().and_then(Identity::parse);
    let known = author.filter(|author| policy.person(author).is_some());
    let mut spans = vec![known.map_or_else(|| ours("somebody"), |author| account(policy, &author))];
    spans.extend([ours(" wrote: "), outside(message.text.clone())]);
    spans.extend(message.link.iter().flat_map(|link| message_link(link)));
    spans
}

/// The way to a message that was kept.
pub(super) fn message_link(link: &str) -> [Span; 2] {
    [ours(" "), Span::Link { label: "message".to_owned(), href: link.to_owned() }]
}

/// As a reply, for chat and terminal: the last `limit` lines.
#[must_use]
pub fn reply(id: IncidentId, entries: &[Entry], policy: &Policy, limit: usize) -> Reply {
    let told = timeline(entries, policy);
    let skipped = told.len().saturating_sub(limit);
    let mut lines = Vec::new();
    if skipped > 0 {
        lines.push(line(vec![Span::Faint(format!(
            "{} before",
            count(skipped as u64, "entry").replace("entrys", "entries")
        ))]));
    }
    lines.extend(told.into_iter().skip(skipped).map(|t| {
        let mut spans = vec![Span::Time(t.at.0), ours(" ")];
        spans.extend(t.line.spans);
        line(spans)
    }));
    let mut reply = titled(vec![strong("Timeline of "), Span::Incident(id.0)]);
    reply.sections.push(Section { lines, ..Section::default() });
    reply
}

/// `None`: for machines only.
#[allow(clippy::too_many_lines)] // one arm per kind of fact, read best in one place
fn tell(entry: &Entry, policy: &Policy) -> Option<Vec<Span>> {
    let by = || actor(policy, &entry.by);
    Some(match &entry.fact {
        Fact::Declared { title, severity, .. } => {
            vec![by(), ours(format!(" declared it {}: ", severity.label())), outside(title.clone())]
        }
        Fact::AlertsChanged { groups, because, .. } => alerts(groups, because),
        Fact::Acknowledged => vec![by(), ours(" acknowledged")],
        Fact::RoleTaken { role, who } => vec![party(policy, who), ours(format!(" became {}", role.label()))],
        Fact::SeveritySet { severity } => vec![by(), ours(format!(" set the severity to {}", severity.label()))],
        Fact::StateSet { state, note } => {
            let mut spans = vec![by(), ours(format!(" set the state to {}", state.label()))];
            if let Some(note) = note {
                spans.extend([ours(": "), outside(note.clone())]);
            }
            spans
        }
        Fact::Noted { text } => vec![by(), ours(" noted: "), outside(text.clone())],
        Fact::RoomOpened { platform, room } => {
            vec![ours(format!("Room opened on {}: ", platform.label())), code(room.name.clone())]
        }
        Fact::RoomChanged { platform, change, .. } => {
            let on = platform.label();
            match change {
                RoomChange::Renamed(name) => vec![ours(format!("The room on {on} is called ")), code(name.clone())],
                RoomChange::Archived => vec![ours(format!("The room on {on} was archived"))],
                RoomChange::Unarchived => vec![ours(format!("The room on {on} is open again"))],
                RoomChange::Gone { why } => {
                    vec![ours(format!("The room on {on} is gone: ")), outside(why.clone())]
                }
            }
        }
        Fact::Kept { message, what } => {
            let mut spans = written(message, policy);
            spans.push(ours(match what {
                Keep::Timeline => " (kept by ",
                Keep::Task => " (made a task by ",
            }));
            spans.extend([by(), ours(")")]);
            spans
        }
        Fact::RoomLeft { platform, .. } => {
            vec![ours(format!("The room on {} was left: it goes on privately", platform.label()))]
        }
        Fact::RoomsArchived => vec![ours("Its rooms on chat platforms were archived")],
        Fact::RoomsWaived { because } => vec![ours("No room on a chat platform: "), outside(because.clone())],
        Fact::Undelivered { what, why } => vec![strong(format!("Could not {what}: ")), outside(why.clone())],
        Fact::Suggested(s) => match s.causes.first() {
            Some(best) => vec![
                ours("Suggested cause: "),
                outside(best.value.clone()),
                ours(", "),
                Span::Percent(super::phrase::percent(best.p)),
            ],
            None => vec![ours("Knew no probable cause, and said so")],
        },
        Fact::Judged { right, cause } => {
            let verdict = if *right { " judged the suggestion right" } else { " judged the suggestion wrong" };
            let mut spans = vec![by(), ours(verdict)];
            if let Some(cause) = cause {
                spans.extend([ours(": "), outside(cause.clone())]);
            }
            spans
        }
        Fact::RunRequested { request, plan, sha256, .. } => vec![
            by(),
            ours(format!(" asked to run #{request} ")),
            code(plan.runbook.clone()),
            Span::Faint(format!(" (plan {})", sha256.chars().take(SHORT).collect::<String>())),
        ],
        Fact::RunApproved { request, by } => vec![account(policy, by), ours(format!(" approved run #{request}"))],
        Fact::RunDenied { request, reason } => {
            let mut spans = vec![by(), ours(format!(" denied run #{request}"))];
            if let Some(reason) = reason {
                spans.extend([ours(": "), outside(reason.clone())]);
            }
            spans
        }
        Fact::RunExpired { request } => vec![ours(format!("Run #{request} expired"))],
        Fact::RunVoided { request, why } => vec![ours(format!("Run #{request} became void: ")), outside(why.clone())],
        Fact::RunStarted { request } => vec![ours(format!("Run #{request} started"))],
        Fact::RunFinished { request, outcome } => {
            vec![ours(format!("Run #{request} ended: ")), outside(ended(&outcome.ended))]
        }
        Fact::RunVerified { request, verdict } => {
            let said = if verdict.passed { "worked, verified" } else { "did not help" };
            vec![ours(format!("Run #{request} {said}"))]
        }
        Fact::Resolved { cause, fix } => {
            let mut spans = vec![by(), strong(" resolved it")];
            if let Some(cause) = cause {
                spans.extend([ours("; cause: "), outside(cause.clone())]);
            }
            if let Some(fix) = fix {
                spans.extend([ours("; fixed by: "), outside(fix.clone())]);
            }
            spans
        }
        Fact::FollowUpOpened { id, title, owner, .. } => {
            let mut spans = vec![by(), ours(format!(" opened follow-up F-{id}: ")), outside(title.clone())];
            if let Some(owner) = owner {
                spans.extend([ours(", owned by "), person(policy, owner)]);
            }
            spans
        }
        // By nobody here: somebody closed or reopened its issue.
        Fact::FollowUpDone { id, .. } if entry.by == Actor::Bot => {
            vec![ours(format!("Follow-up F-{id} is done: its issue was closed"))]
        }
        Fact::FollowUpReopened { id, .. } if entry.by == Actor::Bot => {
            vec![ours(format!("Follow-up F-{id} is open again: its issue was reopened"))]
        }
        Fact::FollowUpDone { id, .. } => vec![by(), ours(format!(" did follow-up F-{id}"))],
        Fact::PostmortemDrafted { .. } => vec![ours("Postmortem drafted")],
        Fact::Redacted { n } => vec![ours(format!("Entry {n} was erased on request"))],
        Fact::FollowUpReopened { id, .. } => vec![by(), ours(format!(" reopened follow-up F-{id}"))],
        Fact::IssueAsked { follow_up, repository } => {
            vec![ours(format!("Follow-up F-{follow_up} is to become an issue of ")), code(repository.clone())]
        }
        Fact::IssueFiled { follow_up, issue, .. } => vec![
            ours(format!("Follow-up F-{follow_up} became ")),
            Span::Link { label: format!("{}#{}", issue.repository, issue.number), href: issue.url.clone() },
        ],
        Fact::Renamed { title } => vec![by(), ours(" renamed it: "), outside(title.clone())],
        Fact::Updated { conditions, actions, needs } => {
            let mut spans = vec![by(), ours(" gave an update: "), outside(conditions.clone())];
            for (what, said) in [("; being done: ", actions), ("; needed: ", needs)] {
                if let Some(said) = said {
                    spans.extend([ours(what), outside(said.clone())]);
                }
            }
            spans
        }
        Fact::TaskOpened { id, title, owner, link } => {
            let mut spans = vec![by(), ours(format!(" opened task T-{id}: ")), outside(title.clone())];
            if let Some(owner) = owner {
                spans.extend([ours(", for "), party(policy, owner)]);
            }
            spans.extend(link.iter().flat_map(|link| message_link(link)));
            spans
        }
        Fact::TaskDone { id } => vec![by(), ours(format!(" did task T-{id}"))],
        Fact::Assigned { item, who } => {
            let what = match item {
                Some(Item::Task(id)) => format!(" assigned task T-{id} to "),
                Some(Item::FollowUp(id)) => format!(" assigned follow-up F-{id} to "),
                None => " brought in ".to_owned(),
            };
            vec![by(), ours(what), party(policy, who)]
        }
        Fact::Merged { into } => vec![by(), ours(" merged it into "), Span::Incident(into.0)],
        Fact::Absorbed { other, title } => {
            vec![by(), ours(" merged "), Span::Incident(other.0), ours(" into this one: "), outside(title.clone())]
        }
        Fact::Corrected { milestone, from, to } => {
            let was = from.map_or_else(|| "not known".to_owned(), At::rfc3339);
            vec![by(), ours(format!(" corrected \"{}\" to {} (was {was})", milestone.label(), to.rfc3339()))]
        }
        Fact::MadePrivate { .. } => vec![by(), ours(" made it private")],
        Fact::Paged { who, because, .. } => {
            vec![ours("Paged "), party(policy, who), ours(": "), outside(because.clone())]
        }
        Fact::PageAnswered { page, answered } => match answered {
            Answered::Accepted { by } => vec![ours(format!("Page {page} was taken by ")), outside(by.clone())],
            Answered::Acknowledged { by } => vec![outside(by.clone()), ours(format!(" acknowledged page {page}"))],
            Answered::Failed { why } => vec![strong(format!("Page {page} reached nobody: ")), outside(why.clone())],
            Answered::Ended => return None,
        },
        Fact::PageHeld { because } => vec![ours("No phone rang for it yet: "), ours(because.clone())],
        Fact::Unanswered { because } => vec![strong("Nobody answers: "), outside(because.clone())],
        Fact::NudgesSnoozed { until: Some(until) } => {
            vec![by(), ours(format!(" asked not to be reminded of updates before {}", until.rfc3339()))]
        }
        Fact::NudgesSnoozed { until: None } => vec![by(), ours(" asked not to be reminded of updates any more")],
        Fact::ChangeSeen { change } => {
            let mut spans = vec![ours("Changed at "), Span::Time(change.at.0), ours(": ")];
            spans.extend(suspects::told(change));
            if let Some(service) = &change.service {
                spans.extend([ours(" ("), code(service.clone()), ours(")")]);
            }
            spans
        }
        Fact::Silenced { silence, matchers, until, .. } => {
            vec![by(), ours(format!(" set silence {silence} until {}: ", until.rfc3339())), code(matchers.clone())]
        }
        Fact::SilenceEnded { silence } => vec![by(), ours(format!(" ended silence {silence}"))],
        Fact::Rewritten { entries } => {
            vec![ours(format!("Somebody was taken out of {} entries, on request", entries.len()))]
        }
        Fact::RulesChanged { what, .. } => vec![ours("Other rules are in force: "), outside(what.join("; "))],
        Fact::Learned(_) | Fact::Reminded { .. } => return None,
    })
}

fn alerts(groups: &[GroupChange], because: &str) -> Vec<Span> {
    let sum = |f: fn(&GroupChange) -> u32| groups.iter().map(|g| u64::from(f(g))).sum::<u64>();
    let (joined, again, resolved) = (sum(|g| g.joined), sum(|g| g.fired_again), sum(|g| g.resolved));
    let mut parts = Vec::new();
    if joined > 0 {
        parts.push(format!("{} joined", count(joined, "alert")));
    }
    if again > 0 {
        parts.push(format!("{} fired again", count(again, "alert")));
    }
    if resolved > 0 {
        parts.push(format!("{} resolved", count(resolved, "alert")));
    }
    let names: Vec<&str> = groups.iter().take(3).map(|g| g.name.as_str()).collect();
    let mut spans = vec![ours(format!("{}: ", parts.join(", "))), code(names.join(", "))];
    if joined > 0 && !because.is_empty() {
        spans.push(Span::Faint(format!(" ({because})")));
    }
    spans
}

/// How a run ended, in a few words.
#[must_use]
pub fn ended(ended: &super::fact::Ended) -> String {
    use super::fact::Ended;
    match ended {
        Ended::Succeeded => "every step did what was expected".to_owned(),
        Ended::Failed { step, why } => format!("step {step} failed: {why}"),
        Ended::TimedOut { step } => format!("step {step} took too long and was stopped"),
        Ended::NotStarted { why } => format!("not started: {why}"),
        Ended::Unknown { why } => format!("nobody knows: {why}"),
    }
}
