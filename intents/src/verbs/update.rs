//! `update`: how it stands, for everybody who waits for word.

use crate::args::Args;
use crate::bounds;
use crate::forms::{Field, Form, Kind as FieldKind, Values};
use crate::intent::Intent;
use crate::misread::Misread;
use crate::verb::{Group, Kind, Scope, Verb};
use crate::word::Right;

pub const VERB: Verb = Verb {
    name: "update",
    aliases: &[],
    group: Group::Respond,
    usage: "<how it stands> [actions: <text>] [needs: <text>]",
    synopsis: "tell everybody how it stands, what is being done, and what is needed",
    example: "update one in three payments fails actions: rolling back v41 needs: somebody from payments",
    scope: Scope::Incident,
    needs: Right::Responder,
    kind: Kind::Act,
    parse,
};

pub const FORM: Form = Form {
    verb: VERB.name,
    title: "Update",
    submit: "Tell everybody",
    fields: &[
        Field {
            name: "conditions",
            label: "How it stands",
            hint: "",
            kind: FieldKind::Paragraph(bounds::PARAGRAPH_MAX),
            needed: true,
        },
        Field {
            name: "actions",
            label: "What is being done",
            hint: "",
            kind: FieldKind::Line(bounds::PARAGRAPH_MAX),
            needed: false,
        },
        Field {
            name: "needs",
            label: "What is needed",
            hint: "",
            kind: FieldKind::Line(bounds::PARAGRAPH_MAX),
            needed: false,
        },
    ],
    fill: filled,
};

fn filled(values: &Values) -> Result<Intent, Misread> {
    Ok(Intent::Update {
        conditions: values.text("conditions", bounds::PARAGRAPH_MAX)?,
        actions: values.fitting("actions", bounds::PARAGRAPH_MAX)?,
        needs: values.fitting("needs", bounds::PARAGRAPH_MAX)?,
    })
}

/// Text before the first label is the conditions; they may also be labelled themselves.
fn parse(args: &mut Args<'_>) -> Result<Intent, Misread> {
    let found = args.labelled([&["conditions", "condition"], &["actions", "action"], &["needs", "need"]])?;
    let [labelled, actions, needs] = found.parts;
    let conditions = match (found.before, labelled) {
        (Some((_, before)), None) => Some(before),
        (None, labelled) => labelled,
        (Some((token, _)), Some(_)) => {
            let problem =
                crate::reply::Line::from("How it stands is said twice: before and after ").code("conditions:");
            return Err(args.wrong(token, problem));
        }
    };
    let Some(conditions) = conditions else { return Err(args.missing("how it stands")) };
    let part = |text: Option<String>, what| text.map(|text| args.part(&text, what, bounds::PARAGRAPH_MAX)).transpose();
    Ok(Intent::Update {
        conditions: args.part(&conditions, "update", bounds::PARAGRAPH_MAX)?,
        actions: part(actions, "actions")?,
        needs: part(needs, "needs")?,
    })
}

#[cfg(test)]
mod tests {
    use crate::intent::Intent;
    use crate::verbs::test::{intent, misread};

    fn update(conditions: &str, actions: Option<&str>, needs: Option<&str>) -> Intent {
        let text = |text: Option<&str>| text.map(str::to_owned);
        Intent::Update { conditions: conditions.to_owned(), actions: text(actions), needs: text(needs) }
    }

    #[test]
    fn its_parts_in_any_order() {
        let all = update("1 in 3 fails", Some("rolling back"), Some("somebody from payments"));
        assert_eq!(intent("update 1 in 3 fails actions: rolling back needs: somebody from payments"), all);
        assert_eq!(intent("update 1 in 3 fails NEED:somebody from payments actions: rolling back"), all);
        assert_eq!(intent("update: actions: rolling back conditions: 1 in 3 fails needs: somebody from payments"), all);
        assert_eq!(intent("update all is well"), update("all is well", None, None));
        assert_eq!(intent("update \"it needs: more\""), update("it needs: more", None, None));
    }

    #[test]
    fn nothing_is_guessed() {
        assert!(misread("update").contains("Say how it stands"));
        assert!(misread("update needs: help").contains("Say how it stands"));
        assert!(misread("update fine needs:").contains("nothing after needs:"));
        assert!(misread("update fine conditions: bad").contains("said twice"));
        assert!(misread("update fine needs: a needs: b").contains("given twice"));
        assert!(misread(&format!("update {}", "x".repeat(1001))).contains("The update is 1001 characters"));
    }
}
