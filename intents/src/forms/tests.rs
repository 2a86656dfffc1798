//! Forms say what the words say, and nothing that is out of bounds.

use super::*;
use crate::intent::{Ask, When};
use crate::say::say;
use crate::text;
use crate::verb;
use crate::word::{Milestone, Severity, State};
use proptest::prelude::*;

fn filled(verb: &str, sent: &[(&str, &str)]) -> Result<Intent, String> {
    let form = find(verb).unwrap();
    let sent: Vec<_> = sent.iter().map(|(n, t)| ((*n).to_owned(), (*t).to_owned())).collect();
    let values = Values::of(form, &sent).ok_or("not its fields")?;
    (form.fill)(&values).map_err(|misread| text::render(&misread.to_reply(), 200))
}

#[test]
fn each_form_belongs_to_a_verb_and_has_fields_of_its_own() {
    for form in FORMS {
        assert!(verb::find(form.verb).is_some_and(|verb| verb.name == form.verb), "{}", form.verb);
        let mut names: Vec<_> = form.fields.iter().map(|field| field.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), form.fields.len(), "{}", form.verb);
        assert_eq!(FORMS.iter().filter(|other| other.verb == form.verb).count(), 1);
    }
}

#[test]
fn a_form_says_what_the_words_say() {
    let said = Some("x".to_owned());
    for (verb, sent, intent) in [
        (
            "declare",
            vec![("title", "checkout is down"), ("severity", "2"), ("service", "")],
            Intent::Declare { title: "checkout is down".to_owned(), severity: Some(Severity::Sev2), service: None },
        ),
        (
            "update",
            vec![("conditions", "1 in 3\n fails"), ("needs", "x")],
            Intent::Update { conditions: "1 in 3 fails".to_owned(), actions: None, needs: said.clone() },
        ),
        (
            "task",
            vec![("task", "drain it"), ("owner", "@bo")],
            Intent::Task { title: "drain it".to_owned(), owner: Some(Who::Named("bo".to_owned())) },
        ),
        (
            "assign",
            vec![("person", "me"), ("item", "f-2")],
            Intent::Assign { item: Some(Item::FollowUp(2)), who: Who::Me },
        ),
        ("merge", vec![("into", "INC-12")], Intent::Merge { into: 12 }),
        (
            "correct",
            vec![("moment", "impact"), ("time", "20m ago")],
            Intent::Correct { milestone: Milestone::ImpactStarted, when: When::Ago { minutes: 20 } },
        ),
        ("private", vec![], Intent::MakePrivate),
        ("close", vec![("why", "x")], Intent::SetState { state: State::Closed, note: said.clone() }),
        ("reopen", vec![], Intent::SetState { state: State::Investigating, note: None }),
        ("resolve", vec![("fix", "x"), ("cause", "")], Intent::Resolve { cause: None, fix: said.clone() }),
        (
            "silence",
            vec![("matchers", "a=b"), ("length", "2h"), ("why", "x")],
            Intent::Silence { matchers: "a=b".to_owned(), minutes: 120, comment: said, anyway: false },
        ),
    ] {
        assert_eq!(filled(verb, &sent), Ok(intent), "{verb}");
    }
}

#[test]
fn what_is_wrong_is_said_by_its_field() {
    for (verb, sent, said) in [
        ("update", vec![("conditions", " ")], "Fill in \"conditions\""),
        ("declare", vec![("title", "x"), ("service", "a/b")], "In \"service\" I can't read `a/b`"),
        ("assign", vec![("person", "@here")], "In \"person\" I can't read `@here`"),
        ("merge", vec![("into", "12")], "like `INC-12`"),
        ("correct", vec![("moment", "detected"), ("time", "25:00")], "can't read `25:00`"),
        ("silence", vec![("matchers", "a=b"), ("length", "5w")], "can't read `5w`"),
    ] {
        let shown = filled(verb, &sent).unwrap_err();
        assert!(shown.contains(said), "{verb}: {shown}");
    }
    assert_eq!(filled("update", &[("admin", "1")]), Err("not its fields".to_owned()));
    assert_eq!(filled("update", &[("needs", "1"), ("needs", "2")]), Err("not its fields".to_owned()));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn whatever_is_filled_in_keeps_to_the_bounds(which in 0..FORMS.len(), texts in proptest::collection::vec(any::<String>(), 4)) {
        let form = FORMS[which];
        let sent: Vec<_> = form.fields.iter().zip(texts).map(|(f, text)| (f.name.to_owned(), text)).collect();
        if let Ok(intent) = (form.fill)(&Values::of(form, &sent).unwrap()) {
            let ask = Ask { incident: Some(3), intent };
            prop_assert!(bounds::within(&ask), "{:?}", ask);
            let lobby = matches!(ask.intent, Intent::Silence { .. } | Intent::Declare { .. });
            let ask = Ask { incident: ask.incident.filter(|_| !lobby), ..ask };
            // What a form holds can nearly always be shown as a command; a reason or matchers may be written so that it cannot.
            let loose = matches!(ask.intent, Intent::Silence { .. } | Intent::SetState { .. } | Intent::Resolve { .. } | Intent::FollowUp { .. } | Intent::Declare { .. });
            prop_assert!(loose || say(&ask).is_some(), "{:?}", ask);
        }
    }
}
