//! `merge`: this incident is part of another.

use crate::args::Args;
use crate::forms::{Field, Form, Kind as FieldKind, Values};
use crate::intent::Intent;
use crate::misread::Misread;
use crate::reply::Line;
use crate::token;
use crate::verb::{Group, Kind, Scope, Verb};
use crate::word::Right;

/// The one verb with a number of its own behind it: `merge INC-12` inside an incident, `merge INC-3 INC-12` anywhere.
pub const VERB: Verb = Verb {
    name: "merge",
    aliases: &["duplicate"],
    group: Group::Respond,
    usage: "<INC-n>",
    synopsis: "make this incident a part of another one",
    example: "merge INC-12",
    scope: Scope::Incident,
    needs: Right::Responder,
    kind: Kind::Act,
    parse,
};

pub const FORM: Form = Form {
    verb: VERB.name,
    title: "Merge",
    submit: "Make it a part of that one",
    fields: &[Field { name: "into", label: "It is part of", hint: "INC-12", kind: FieldKind::Incident, needed: true }],
    fill: filled,
};

fn filled(values: &Values) -> Result<Intent, Misread> {
    let number = |text: &str| token::numbered(&text.to_lowercase(), "inc-").flatten();
    Ok(Intent::Merge { into: values.must("into", "INC-12", number)? })
}

fn parse(args: &mut Args<'_>) -> Result<Intent, Misread> {
    let Some(other) = args.take() else {
        let problem = Line::from("Say which incident is part of which, like ").code("merge INC-3 INC-12");
        return Err(args.misread(problem.and(": INC-3 becomes part of INC-12.")));
    };
    match other.incident() {
        Some(Some(into)) => Ok(Intent::Merge { into }),
        _ => Err(args
            .wrong(other, Line::from("Name the other incident, like ").code("INC-12").and(", not ").code(other.raw))),
    }
}

#[cfg(test)]
mod tests {
    use crate::Reading;
    use crate::intent::{Ask, Intent};
    use crate::utterance::Place;
    use crate::verbs::test::{asked, misread, said, shown};

    #[test]
    fn the_last_number_is_the_other_incident() {
        let merge = |from, into| Ask { incident: Some(from), intent: Intent::Merge { into } };
        assert_eq!(asked("merge INC-12"), merge(3, 12));
        assert_eq!(asked("merge INC-4 INC-12"), merge(4, 12));
        assert_eq!(asked("INC-4 merge inc-12"), merge(4, 12));
        let lobby = said("duplicate INC-4 INC-12", Place::Lobby);
        assert!(matches!(lobby, Reading::Confirm { ask, .. } if ask == merge(4, 12)));
    }

    #[test]
    fn it_is_asked_first_and_never_guessed() {
        assert!(
            matches!(said("merge INC-12", Place::Incident(3)), Reading::Confirm { because, .. } if because.contains("cannot be undone"))
        );
        assert!(misread("merge").contains("INC-3 becomes part of INC-12"));
        assert!(misread("merge 12").contains("not `12`"));
        assert!(misread("merge INC-4 INC-5 INC-6").contains("`INC-6`"));
        assert!(shown("merge INC-12", Place::Lobby).contains("which incident is part of which"));
    }
}
