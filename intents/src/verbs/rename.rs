//! `rename`: a better title.

use crate::args::Args;
use crate::bounds;
use crate::forms::{Field, Form, Kind as FieldKind, Values};
use crate::intent::Intent;
use crate::misread::Misread;
use crate::verb::{Group, Kind, Scope, Verb};
use crate::word::Right;

pub const VERB: Verb = Verb {
    name: "rename",
    aliases: &["title"],
    group: Group::Respond,
    usage: "<title>",
    synopsis: "give it a better title",
    example: "rename Checkout answers 500 to one in three",
    scope: Scope::Incident,
    needs: Right::Responder,
    kind: Kind::Act,
    parse,
};

pub const FORM: Form = Form {
    verb: VERB.name,
    title: "Rename",
    submit: "Rename",
    fields: &[Field {
        name: "title",
        label: "Title",
        hint: "",
        kind: FieldKind::Line(bounds::TITLE_MAX),
        needed: true,
    }],
    fill: filled,
};

fn filled(values: &Values) -> Result<Intent, Misread> {
    Ok(Intent::Rename { title: values.text("title", bounds::TITLE_MAX)? })
}

fn parse(args: &mut Args<'_>) -> Result<Intent, Misread> {
    let (title, []) = args.line_and_options([])?;
    let title = args.fits(title, "title", bounds::TITLE_MAX)?;
    if title.is_empty() {
        return Err(args.missing("the new title"));
    }
    Ok(Intent::Rename { title })
}

#[cfg(test)]
mod tests {
    use crate::intent::Intent;
    use crate::verbs::test::{intent, misread};

    #[test]
    fn one_line() {
        let rename = |title: &str| Intent::Rename { title: title.to_owned() };
        assert_eq!(intent("rename Checkout: 500s"), rename("Checkout: 500s"));
        assert_eq!(intent("rename \"INC-4 again\""), rename("INC-4 again"));
        assert_eq!(intent("title a\n\u{202e}b"), rename("a b"));
        assert!(misread("rename").contains("Say the new title"));
        assert!(misread(&format!("rename {}", "x".repeat(201))).contains("The title is 201 characters"));
    }
}
