//! `assign`: who does what: a task, a follow-up, or the incident with the others.

use crate::args::Args;
use crate::forms::{Field, Form, Kind as FieldKind, Values};
use crate::intent::{Intent, Item};
use crate::misread::Misread;
use crate::reply::Line;
use crate::token;
use crate::verb::{Group, Kind, Scope, Verb};
use crate::word::Right;

pub const VERB: Verb = Verb {
    name: "assign",
    aliases: &["invite"],
    group: Group::Respond,
    usage: "<@person> [T-1 | F-1]",
    synopsis: "bring somebody in, or give them a task or follow-up",
    example: "assign @ana T-1",
    scope: Scope::Incident,
    needs: Right::Responder,
    kind: Kind::Act,
    parse,
};

pub const FORM: Form = Form {
    verb: VERB.name,
    title: "Assign",
    submit: "Assign",
    fields: &[
        Field { name: "person", label: "Who", hint: "@ana", kind: FieldKind::Person, needed: true },
        Field { name: "item", label: "What", hint: "the incident as a whole", kind: FieldKind::Item, needed: false },
    ],
    fill: filled,
};

fn filled(values: &Values) -> Result<Intent, Misread> {
    Ok(Intent::Assign { item: values.item("item")?, who: values.must("person", "@ana", token::who)? })
}

/// The person and the item in either order.
fn parse(args: &mut Args<'_>) -> Result<Intent, Misread> {
    let (mut who, mut item) = (None, None);
    while let Some(token) = args.take() {
        let word = token.word();
        let task = token::numbered(&word, "t-").map(|number| number.map(Item::Task));
        let follow_up = || token::numbered(&word, "f-").map(|number| number.map(Item::FollowUp));
        let taken = match task.or_else(follow_up) {
            Some(Some(found)) => item.replace(found).is_some(),
            Some(None) => {
                return Err(args.wrong(token, Line::from("They count from 1: ").code("T-1").and(", ").code("F-1")));
            }
            None => {
                let found = token::who(token.raw).ok_or_else(|| {
                    let problem = Line::default().code(token.raw).and(" is not one person. Name one, like ");
                    args.wrong(token, problem.code("@ana"))
                })?;
                who.replace(found).is_some()
            }
        };
        if taken {
            return Err(
                args.wrong(token, Line::from("One person and one item at a time; this is one more: ").code(token.raw))
            );
        }
    }
    who.map(|who| Intent::Assign { item, who }).ok_or_else(|| args.missing("whom, like @ana,"))
}

#[cfg(test)]
mod tests {
    use crate::intent::{Intent, Item, Who};
    use crate::verbs::test::{intent, misread};

    #[test]
    fn a_person_and_perhaps_an_item() {
        let ana = || Who::Named("ana".to_owned());
        assert_eq!(intent("assign @ana"), Intent::Assign { item: None, who: ana() });
        assert_eq!(intent("assign @ana T-1"), Intent::Assign { item: Some(Item::Task(1)), who: ana() });
        assert_eq!(intent("assign f-2 ana"), Intent::Assign { item: Some(Item::FollowUp(2)), who: ana() });
        assert_eq!(intent("assign me t-3"), Intent::Assign { item: Some(Item::Task(3)), who: Who::Me });
    }

    #[test]
    fn others_are_refused() {
        assert!(misread("assign").contains("Say whom"));
        assert!(misread("assign T-1").contains("Say whom"));
        assert!(misread("assign @here").contains("`@here` is not one person"));
        assert!(misread("assign @ana T-0").contains("count from 1"));
        assert!(misread("assign @ana @bo").contains("one more: `@bo`"));
        assert!(misread("assign @ana T-1 F-2").contains("one more: `F-2`"));
    }
}
