//! What can be said, and how it is said.

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
        (about(Intent::Task { title: "drain it".to_owned(), owner: Some(Who::Me) }), "task INC-12 drain it owner:me"),
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
                    anyway: false,
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
