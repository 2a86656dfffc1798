//! An ask as the command a person would type: for terminals, and where a button has no room.

use crate::hear::{Reading, read};
use crate::intent::{Ask, Due, Intent, Who};
use crate::utterance::{Place, Utterance};
use crate::word::{Role, Severity};

/// The command, with its incident's number, so that it works anywhere. `None` when no command says exactly this (a cause
/// that contains `fix:`, an ask out of bounds): it is read back, and must come out the same.
#[must_use]
pub fn say(ask: &Ask) -> Option<String> {
    // Titles are tried as they are, then quoted, so that nothing in them is taken for an option.
    [false, true].into_iter().map(|quoted| command(ask, quoted)).find(|text| {
        let said = Utterance { text: text.clone(), place: Place::Lobby };
        matches!(read(&said), Reading::Clear(heard) if heard == *ask)
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
            let owner = owner.as_ref().map(|who| match who {
                Who::Me => "owner:me".to_owned(),
                Who::Named(name) => format!("owner:@{name}"),
            });
            let due = due.map(|due| format!("due:{}", day(due)));
            ("follow-up", vec![Some(title(text)), owner, due, labelled("link:", link.as_deref())])
        }
        Intent::FollowUpDone { follow_up } => ("follow-up", vec![Some(format!("done F-{follow_up}"))]),
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
mod tests {
    use super::*;
    use crate::button;
    use proptest::prelude::*;

    fn about(intent: Intent) -> Ask {
        Ask { incident: Some(12), intent }
    }

    #[test]
    fn commands_as_people_type_them() {
        let params = vec![("service".to_owned(), "checkout".to_owned()), ("why".to_owned(), "two words".to_owned())];
        for (ask, command) in [
            (about(Intent::Acknowledge), "ack INC-12"),
            (about(Intent::TakeRole { role: Role::Commander, who: Who::Me }), "lead INC-12"),
            (
                about(Intent::Run { runbook: "restart".to_owned(), params, dry: true }),
                "run INC-12 restart service=checkout why=\"two words\" --dry",
            ),
            (
                about(Intent::Approve { request: Some(2), plan: Some("0123456789ab".to_owned()) }),
                "approve INC-12 2 plan:0123456789ab",
            ),
            (about(Intent::Deny { request: None, reason: Some("too risky".to_owned()) }), "deny INC-12 too risky"),
            (Ask { incident: None, intent: Intent::List { closed: true } }, "list closed"),
        ] {
            assert_eq!(say(&ask).as_deref(), Some(command));
        }
    }

    #[test]
    fn a_title_with_an_option_in_it_is_quoted() {
        let title = "say due:3d in \"quotes\"".to_owned();
        let ask = about(Intent::FollowUp { title, owner: None, due: None, link: None });
        assert_eq!(say(&ask).unwrap(), r#"follow-up INC-12 "say due:3d in \"quotes\"""#);
    }

    #[test]
    fn what_cannot_be_said_is_not_said() {
        let ask = about(Intent::Resolve { cause: Some("no fix: yet".to_owned()), fix: Some("none".to_owned()) });
        assert_eq!(say(&ask), None);
        assert_eq!(say(&Ask { incident: None, intent: Intent::Acknowledge }), None);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(1_000))]

        // What can be said is heard the same by definition; this holds that nearly everything can be said.
        #[test]
        fn a_run_can_always_be_said(
            values in proptest::collection::vec("[ -~é漢“”]{0,20}", 0..4),
            dry in any::<bool>(),
        ) {
            let params = values.into_iter().enumerate().map(|(at, value)| (format!("p{at}"), value)).collect();
            let ask = about(Intent::Run { runbook: "restart".to_owned(), params, dry });
            prop_assert!(say(&ask).is_some(), "{:?}", ask);
            prop_assert!(button::encode_within(&ask, button::DECODE_MAX).is_some());
        }
    }
}
