//! How a follow-up reads as an issue: title, body, where, for whom. Whatever others wrote is shown as code, where GitHub makes
//! no mention, reference, link, comment or markup of it.
//!
//! Knows nothing of how it gets there, nor of the hidden marker that the tracker adds.

use super::identity::PersonId;
use super::incident::{FollowUp, Incident};
use super::moment::span;
use super::phrase::count;
use super::policy::{Person, Policy};
use smokejumper_intents::inert::{line, shorten};

/// Characters of a title (GitHub: 256), with room for what keeps a mention from being one.
const MAX_TITLE: usize = 200;
/// Characters of one piece of outside text: with all of them a body stays far below the 65,536 GitHub takes.
const MAX_PIECE: usize = 1_000;
/// Alert names that are told.
const MAX_NAMES: usize = 5;
/// Stands behind a character that would make a mention or a reference of what follows, and is not seen.
const BREAK: char = '\u{200b}';

/// An issue as it is to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Issue {
    /// `owner/name`.
    pub repository: String,
    pub title: String,
    pub body: String,
    pub labels: Vec<String>,
    pub assignees: Vec<String>,
}

/// What the issue of a follow-up says. `None`: there is to be none (no tracker or repository, private, no such follow-up).
#[must_use]
pub fn of(incident: &Incident, number: u32, policy: &Policy) -> Option<Issue> {
    let tracking = policy.tracking.as_ref()?;
    let follow_up = incident.follow_ups.get(&number).filter(|_| !incident.private)?;
    Some(Issue {
        repository: match &follow_up.asked {
            Some(asked) => asked.repository.clone(),
            None => repository(incident, policy)?,
        },
        title: title(&follow_up.title),
        body: body(incident, number, follow_up, policy),
        labels: tracking.labels.clone(),
        assignees: assignees(follow_up, policy).unwrap_or_default(),
    })
}

/// Where the follow-ups of an incident go: to its service's repository, or to the usual one.
#[must_use]
pub fn repository(incident: &Incident, policy: &Policy) -> Option<String> {
    let tracking = policy.tracking.as_ref()?;
    let service = incident.service.as_ref().and_then(|name| policy.services.get(name));
    service.and_then(|s| s.repository.clone()).or_else(|| tracking.repository.clone())
}

/// Who should have it there; `None`: nobody we know by their login, so it is left as it is.
#[must_use]
pub fn assignees(follow_up: &FollowUp, policy: &Policy) -> Option<Vec<String>> {
    Some(vec![login(follow_up.owner.as_ref()?, policy)?])
}

/// A person's login in the tracker.
#[must_use]
pub fn login(person: &PersonId, policy: &Policy) -> Option<String> {
    policy.person_by_id(person)?.github.clone()
}

/// The person behind a login, which has no upper or lower case.
#[must_use]
pub fn person<'p>(login: &str, policy: &'p Policy) -> Option<&'p Person> {
    policy.people.iter().find(|p| p.github.as_ref().is_some_and(|own| own.eq_ignore_ascii_case(login)))
}

/// One line without mentions, references, or code.
fn title(text: &str) -> String {
    let mut title = String::new();
    for c in shorten(&line(text), MAX_TITLE).chars() {
        match c {
            '@' | '#' => title.extend([c, BREAK]),
            '`' => title.push('\''),
            c => title.push(c),
        }
    }
    // Every third character could have been one of those.
    if title.is_empty() { "Follow-up".to_owned() } else { shorten(&title, MAX_TITLE + MAX_TITLE / 4) }
}

/// As code: between more backticks than it has in a row.
fn code(text: &str) -> String {
    let text = shorten(&line(text), MAX_PIECE);
    if text.is_empty() {
        return "nothing".to_owned();
    }
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest + 1);
    if longest == 0 { format!("{fence}{text}{fence}") } else { format!("{fence} {text} {fence}") }
}

fn body(incident: &Incident, number: u32, follow_up: &FollowUp, policy: &Policy) -> String {
    let service = incident.service.as_ref().map(|s| format!(" on {}", code(s))).unwrap_or_default();
    let opened = follow_up.opened_at.day();
    let severity = incident.severity().label();
    let mut lines = vec![
        format!("Follow-up F-{number} of **{}** ({severity}){service}, written down on {opened}.", incident.id),
        String::new(),
        format!("- **What happened:** {}", what_happened(incident)),
    ];
    if !incident.groups.is_empty() {
        lines.push(format!("- **Alerts:** {}", alerts(incident)));
    }
    let known = |text: &Option<String>| text.as_ref().map_or("not known".to_owned(), |t| code(t));
    lines.push(format!("- **Cause:** {}", known(&incident.cause)));
    lines.push(format!("- **What fixed it:** {}", known(&incident.fix)));
    if let Some(owner) = &follow_up.owner {
        let name = policy.person_by_id(owner).map_or(owner.0.as_str(), |p| p.name.as_str());
        lines.push(format!("- **Owner:** {}", code(name)));
    }
    if let Some(due) = &follow_up.due {
        lines.push(format!("- **Due:** {}", code(due)));
    }
    if let Some(given) = &follow_up.link {
        lines.push(format!("- **Given with it:** {}", code(given)));
    }
    if let Some(base) = policy.tracking.as_ref().and_then(|t| t.console.as_ref()) {
        let incident = format!("{base}/incidents/{}", incident.id.0);
        lines.push(format!("- **See:** [the incident]({incident}), [the postmortem]({incident}/postmortem)"));
    }
    lines.push(String::new());
    lines.push(
        "Filed by Smokejumper. Closing this issue marks the follow-up as done there, and the other way round."
            .to_owned(),
    );
    lines.join("\n")
}

fn what_happened(incident: &Incident) -> String {
    let times = &incident.times;
    let start = times.detected.unwrap_or(times.declared);
    let end = match (times.resolved, times.mitigated) {
        (Some(at), _) => format!("resolved after {}", span(at.since(start))),
        (None, Some(at)) => format!("mitigated after {}", span(at.since(start))),
        (None, None) => "not resolved when this was written".to_owned(),
    };
    format!("{}, from {} {} UTC on; {end}.", code(&incident.title), start.day(), start.hm())
}

fn alerts(incident: &Incident) -> String {
    let total = incident.groups.values().map(|g| u64::from(g.total)).sum();
    let names: Vec<String> = incident.groups.keys().take(MAX_NAMES).map(|name| code(name)).collect();
    let more = incident.groups.len().saturating_sub(MAX_NAMES);
    let more = if more == 0 { String::new() } else { format!(" and {}", count(more as u64, "other name")) };
    format!("{}: {}{more}", count(total, "alert"), names.join(", "))
}

#[cfg(test)]
mod tests;
