//! An ask as the command a person would type: for terminals, and where a button has no room.

use crate::hear::{Reading, read};
use crate::intent::{Ask, Due, Intent, Item, Who};
use crate::token;
use crate::utterance::{Place, Utterance};
use crate::verbs::silence;
use crate::word::{Role, Severity};

/// The command, with its incident's number, so that it works anywhere. `None` when no command says exactly this (a cause
/// that contains `fix:`, an ask out of bounds): it is read back, and must come out the same.
#[must_use]
pub fn say(ask: &Ask) -> Option<String> {
    // Titles are tried as they are, then quoted, so that nothing in them is taken for an option.
    [false, true].into_iter().map(|quoted| command(ask, quoted)).find(|text| {
        let said = Utterance { text: text.clone(), place: Place::Lobby };
        matches!(read(&said), Reading::Clear(heard) | Reading::Confirm { ask: heard, .. } if heard == *ask)
    })
}

fn command(ask: &Ask, quoted: bool) -> String {
    let title = |title: &str| if quoted { quote(title) } else { title.to_owned() };
    let (verb, rest) = match &ask.intent {
        Intent::Declare { title: text, severity, service } => {
            let severity = severity.map(|severity| format!("sev:{}", digit(severity)));
            ("declare", vec![Some(title(text)), severity, labelled("service:", service.as_deref())])
        }
        Intent::Acknowledge => ("ack", vec![]),
        Intent::TakeRole { role: Role::Commander, who } => ("lead", vec![person(who)]),
        Intent::TakeRole { role, who } => ("role", vec![Some(role_word(*role).to_owned()), person(who)]),
        Intent::SetSeverity { severity } => ("sev", vec![Some(digit(*severity).to_owned())]),
        Intent::SetState { state, note } => ("status", vec![Some(state.label().to_owned()), note.clone()]),
        Intent::Note { text } => ("note", vec![Some(text.clone())]),
        Intent::Page { who, message } => {
            let who = match who {
                Who::Me => "me".to_owned(),
                Who::Named(name) => format!("@{name}"),
            };
            ("page", vec![Some(who), message.clone()])
        }
        Intent::Snooze { minutes } => {
            ("snooze", vec![Some(minutes.map_or_else(|| "stop".to_owned(), |m| format!("{m}m")))])
        }
        Intent::Run { runbook, params, dry } => {
            let mut words = vec![Some(runbook.clone())];
            words.extend(params.iter().map(|(key, value)| Some(format!("{key}={}", quote_if_needed(value)))));
            words.push(dry.then(|| "--dry".to_owned()));
            ("run", words)
        }
        Intent::Approve { request, plan } => ("approve", vec![number(*request), labelled("plan:", plan.as_deref())]),
        Intent::Deny { request, reason } => ("deny", vec![number(*request), reason.clone()]),
        Intent::Resolve { cause, fix } => {
            ("resolve", vec![labelled("cause: ", cause.as_deref()), labelled("fix: ", fix.as_deref())])
        }
        Intent::Feedback { right, cause } => {
            ("feedback", vec![Some(if *right { "right" } else { "wrong" }.to_owned()), cause.clone()])
        }
        Intent::FollowUp { title: text, owner, due, link } => {
            let owner = owner.as_ref().map(owned);
            let due = due.map(|due| format!("due:{}", day(due)));
            ("follow-up", vec![Some(title(text)), owner, due, labelled("link:", link.as_deref())])
        }
        Intent::FollowUpDone { follow_up } => ("follow-up", vec![Some(format!("done F-{follow_up}"))]),
        Intent::Rename { title: text } => ("rename", vec![Some(title(text))]),
        Intent::Update { conditions, actions, needs } => {
            let part = |label: &str, text: &Option<String>| text.as_ref().map(|text| format!("{label}{}", title(text)));
            ("update", vec![Some(title(conditions)), part("actions: ", actions), part("needs: ", needs)])
        }
        Intent::Task { title: text, owner } => ("task", vec![Some(title(text)), owner.as_ref().map(owned)]),
        Intent::TaskDone { task } => ("task", vec![Some(format!("done T-{task}"))]),
        Intent::Assign { item, who } => {
            let item = item.map(|item| match item {
                Item::Task(number) => format!("T-{number}"),
                Item::FollowUp(number) => format!("F-{number}"),
            });
            ("assign", vec![Some(person(who).unwrap_or_else(|| "me".to_owned())), item])
        }
        Intent::Merge { into } => ("merge", vec![Some(format!("INC-{into}"))]),
        Intent::Correct { milestone, when } => {
            ("correct", vec![Some(token::milestone_word(*milestone).to_owned()), Some(token::when_text(*when))])
        }
        Intent::MakePrivate => ("private", vec![]),
        Intent::Silence { matchers, minutes, comment, anyway } => {
            let anyway = anyway.then(|| silence::ANYWAY.to_owned());
            ("silence", vec![anyway, Some(matchers.clone()), Some(token::minutes_text(*minutes)), comment.clone()])
        }
        Intent::EndSilence { silence } => ("silence", vec![Some(format!("end S-{silence}"))]),
        // Only the message itself says this.
        Intent::Keep { .. } => ("", vec![]),
        Intent::Mine => ("mine", vec![]),
        Intent::List { closed } => ("list", vec![closed.then(|| "closed".to_owned())]),
        Intent::Search { query } => ("search", vec![Some(query.clone())]),
        Intent::Card => ("card", vec![]),
        Intent::Why => ("why", vec![]),
        Intent::Similar => ("similar", vec![]),
        Intent::WhoToCall => ("who", vec![]),
        Intent::OnCall { of } => ("on-call", vec![of.clone()]),
        Intent::Explain { alert } => ("explain", vec![alert.clone()]),
        Intent::Runbooks => ("runbooks", vec![]),
        Intent::Postmortem => ("postmortem", vec![]),
        Intent::Timeline => ("timeline", vec![]),
        Intent::CatchUp => ("catch-up", vec![]),
        Intent::Silences => ("silence", vec![Some("list".to_owned())]),
        Intent::Help { verb } => ("help", vec![verb.clone()]),
    };
    let mut words = vec![verb.to_owned()];
    words.extend(ask.incident.map(|number| format!("INC-{number}")));
    words.extend(rest.into_iter().flatten());
    words.join(" ")
}

fn labelled(label: &str, text: Option<&str>) -> Option<String> {
    text.map(|text| format!("{label}{text}"))
}

fn number(request: Option<u32>) -> Option<String> {
    request.map(|number| number.to_string())
}

fn person(who: &Who) -> Option<String> {
    match who {
        Who::Me => None,
        Who::Named(name) => Some(format!("@{name}")),
    }
}

fn owned(who: &Who) -> String {
    match who {
        Who::Me => "owner:me".to_owned(),
        Who::Named(name) => format!("owner:@{name}"),
    }
}

fn quote(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

fn quote_if_needed(value: &str) -> String {
    let plain = !value.contains(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '“' | '”' | '`' | '\\'));
    if plain { value.to_owned() } else { quote(value) }
}

const fn digit(severity: Severity) -> &'static str {
    match severity {
        Severity::Sev1 => "1",
        Severity::Sev2 => "2",
        Severity::Sev3 => "3",
        Severity::Sev4 => "4",
    }
}

const fn role_word(role: Role) -> &'static str {
    match role {
        Role::Commander => "commander",
        Role::Scribe => "scribe",
        Role::Communications => "comms",
        Role::Operations => "ops",
    }
}

fn day(due: Due) -> String {
    match due {
        Due::On { year, month, day } => format!("{year:04}-{month:02}-{day:02}"),
        Due::InDays(days) => format!("{days}d"),
    }
}

#[cfg(test)]
mod tests;
