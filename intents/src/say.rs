//! An ask as the command a person would type: for terminals, and where a button has no room.

use crate::hear::{Reading, read};
use crate::intent::{Ask, Due, Intent, Item, Who};
use crate::token;
use crate::utterance::{Place, Utterance};
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
        Intent::Silence { matchers, minutes, comment } => {
            ("silence", vec![Some(matchers.clone()), Some(token::minutes_text(*minutes)), comment.clone()])
        }
        Intent::EndSilence { silence } => ("silence", vec![Some(format!("end S-{silence}"))]),
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
mod tests {
    use super::*;
    use crate::button;
    use crate::inert;
    use crate::intent::When;
    use crate::word::{Milestone, State};
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
            (
                about(Intent::Update {
                    conditions: "1 in 3 fails".to_owned(),
                    actions: None,
                    needs: Some("somebody".to_owned()),
                }),
                "update INC-12 1 in 3 fails needs: somebody",
            ),
            (
                about(Intent::Task { title: "drain it".to_owned(), owner: Some(Who::Me) }),
                "task INC-12 drain it owner:me",
            ),
            (about(Intent::Assign { item: Some(Item::Task(1)), who: Who::Me }), "assign INC-12 me T-1"),
            (about(Intent::Merge { into: 3 }), "merge INC-12 INC-3"),
            (
                about(Intent::Correct { milestone: Milestone::Detected, when: When::Ago { minutes: 20 } }),
                "correct INC-12 detected 20m ago",
            ),
            (
                Ask {
                    incident: None,
                    intent: Intent::Silence {
                        matchers: "a=b".to_owned(),
                        minutes: 120,
                        comment: Some("why".to_owned()),
                    },
                },
                "silence a=b 2h why",
            ),
            (Ask { incident: None, intent: Intent::Silences }, "silence list"),
            (about(Intent::SetState { state: State::Cancelled, note: None }), "status INC-12 cancelled"),
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

        // What a form holds can be shown as a command again, whatever was typed into it.
        #[test]
        fn an_update_and_a_task_can_always_be_said(words in "[ -~é漢“”]{1,40}", other in "[a-z\"\\\\:]{1,6}( needs: x)?") {
            let (words, other) = (inert::line(&words), inert::line(&other));
            prop_assume!(!words.is_empty() && !other.is_empty());
            let update = Intent::Update { conditions: words.clone(), actions: Some(other.clone()), needs: Some(other) };
            prop_assert!(say(&about(update.clone())).is_some(), "{:?}", update);
            for intent in [Intent::Task { title: words.clone(), owner: None }, Intent::Rename { title: words }] {
                prop_assert!(say(&about(intent.clone())).is_some(), "{:?}", intent);
            }
        }
    }
}
