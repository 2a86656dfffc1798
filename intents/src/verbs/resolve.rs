//! `resolve`: the incident is over, because of this, by that.

use crate::args::Args;
use crate::bounds;
use crate::forms::{Field, Form, Kind as FieldKind, Values};
use crate::intent::Intent;
use crate::misread::Misread;
use crate::reply::Line;
use crate::verb::{Group, Kind, Scope, Verb};
use crate::word::Right;

pub const VERB: Verb = Verb {
    name: "resolve",
    aliases: &["resolved"],
    group: Group::Finish,
    usage: "[cause: <text>] [fix: <text>]",
    synopsis: "say that it is over, and what it was",
    example: "resolve cause: connection pool too small fix: raised it to 50",
    scope: Scope::Incident,
    needs: Right::Responder,
    kind: Kind::Act,
    parse,
};

pub const FORM: Form = Form {
    verb: VERB.name,
    title: "Resolve",
    submit: "Resolve",
    fields: &[
        Field {
            name: "cause",
            label: "What caused it",
            hint: "",
            kind: FieldKind::Line(bounds::PARAGRAPH_MAX),
            needed: false,
        },
        Field {
            name: "fix",
            label: "What fixed it",
            hint: "",
            kind: FieldKind::Line(bounds::PARAGRAPH_MAX),
            needed: false,
        },
    ],
    fill: filled,
};

fn filled(values: &Values) -> Result<Intent, Misread> {
    let part = |name| values.fitting(name, bounds::PARAGRAPH_MAX);
    Ok(Intent::Resolve { cause: part("cause")?, fix: part("fix")? })
}

/// Text before both labels is refused rather than guessed at.
fn parse(args: &mut Args<'_>) -> Result<Intent, Misread> {
    let found = args.labelled([&["cause"], &["fix"]])?;
    if let Some((token, _)) = found.before {
        let problem =
            Line::from("Say which it is, ").code("cause:").and(" or ").code("fix:").and(", before ").code(token.raw);
        return Err(args.wrong(token, problem));
    }
    let [cause, fix] = found.parts;
    let part = |text: Option<String>, what| text.map(|text| args.part(&text, what, bounds::PARAGRAPH_MAX)).transpose();
    Ok(Intent::Resolve { cause: part(cause, "cause")?, fix: part(fix, "fix")? })
}

#[cfg(test)]
mod tests {
    use crate::intent::Intent;
    use crate::verbs::test::{intent, misread};

    fn resolved(cause: Option<&str>, fix: Option<&str>) -> Intent {
        Intent::Resolve { cause: cause.map(str::to_owned), fix: fix.map(str::to_owned) }
    }

    #[test]
    fn cause_and_fix_in_any_order() {
        let both = resolved(Some("pool too small"), Some("raised it to 50"));
        assert_eq!(intent("resolve cause: pool too small fix: raised it to 50"), both);
        assert_eq!(intent("resolve fix:raised it to 50 Cause=\"pool too small\""), both);
        assert_eq!(intent("resolve cause: error: 500 at 10:02"), resolved(Some("error: 500 at 10:02"), None));
        assert_eq!(intent("resolve"), resolved(None, None));
        assert_eq!(intent("resolved!"), resolved(None, None));
    }

    #[test]
    fn nothing_is_guessed() {
        assert!(misread("resolve the problem is gone").contains("before `the`"));
        assert!(misread("resolve cause: fix: x").contains("nothing after cause:"));
        assert!(misread("resolve fix: a fix: b").contains("given twice"));
        assert!(misread(&format!("resolve cause: {}", "x".repeat(1001))).contains("The cause is 1001 characters"));
    }
}
