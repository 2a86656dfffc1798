//! `declare`: opens an incident. Free text in the lobby is read the same way, and confirmed.

use super::sev;
use crate::args::{Args, Given};
use crate::bounds;
use crate::forms::{Field, Form, Kind as FieldKind, Values};
use crate::inert;
use crate::intent::Intent;
use crate::misread::Misread;
use crate::reply::Line;
use crate::verb::{Group, Kind, Scope, Verb};
use crate::word::Right;

pub const VERB: Verb = Verb {
    name: "declare",
    aliases: &[],
    group: Group::Start,
    usage: "<what is wrong> [sev:1-4] [service:<name>]",
    synopsis: "open an incident",
    example: "declare checkout returns 500s sev:1 service:checkout",
    scope: Scope::Lobby,
    needs: Right::Responder,
    kind: Kind::Act,
    parse,
};

pub const FORM: Form = Form {
    verb: VERB.name,
    title: "Declare an incident",
    submit: "Declare",
    fields: &[
        Field {
            name: "title",
            label: "What is wrong",
            hint: "checkout returns 500s",
            kind: FieldKind::Line(bounds::TITLE_MAX),
            needed: true,
        },
        Field {
            name: "severity",
            label: "How bad it is",
            hint: "as the service has it",
            kind: FieldKind::Choice(SEVERITIES),
            needed: false,
        },
        Field {
            name: "service",
            label: "Which service",
            hint: "checkout",
            kind: FieldKind::Line(bounds::NAME_MAX),
            needed: false,
        },
    ],
    fill: filled,
};

const SEVERITIES: &[(&str, &str)] =
    &[("1", "SEV1: critical"), ("2", "SEV2: major"), ("3", "SEV3: minor"), ("4", "SEV4: low")];

fn filled(values: &Values) -> Result<Intent, Misread> {
    let service = |text: &str| bounds::name(text).then(|| text.to_owned());
    Ok(Intent::Declare {
        title: values.text("title", bounds::TITLE_MAX)?,
        severity: values.read("severity", "1", sev::numbered)?,
        service: values.read("service", "checkout", service)?,
    })
}

fn parse(args: &mut Args<'_>) -> Result<Intent, Misread> {
    let (title, options) = options(args)?;
    let title = args.fits(title, "title", bounds::TITLE_MAX)?;
    declaration(args, title, options)
}

/// Like `declare`, but a long title is shortened (it will be confirmed); the flag says so.
pub fn from_free_text(args: &mut Args<'_>) -> Result<(Intent, bool), Misread> {
    let (title, options) = options(args)?;
    let shortened = bounds::longer(&title, bounds::TITLE_MAX);
    let title = inert::shorten(&title, bounds::TITLE_MAX);
    Ok((declaration(args, title, options)?, shortened))
}

type Options<'a> = [Option<Given<'a>>; 2];

fn options<'a>(args: &mut Args<'a>) -> Result<(String, Options<'a>), Misread> {
    args.line_and_options([&["sev", "severity"], &["service", "svc"]])
}

fn declaration(args: &Args<'_>, title: String, [severity, service]: Options<'_>) -> Result<Intent, Misread> {
    if title.is_empty() {
        return Err(args.missing("what is wrong"));
    }
    let severity = severity.map(|given| sev::severity(args, given.token, &given.value)).transpose()?;
    let service = match service {
        Some(given) if !bounds::name(&given.value) => {
            let problem = Line::from("A service's name has letters, digits, ").code("-._").and(" and no more, unlike ");
            return Err(args.wrong(given.token, problem.code(given.value)));
        }
        service => service.map(|given| given.value),
    };
    Ok(Intent::Declare { title, severity, service })
}

#[cfg(test)]
mod tests {
    use crate::verbs::test::{asked, intent, misread};
    use crate::{intent::Intent, word::Severity};

    fn declared(text: &str) -> (String, Option<Severity>, Option<String>) {
        match intent(text) {
            Intent::Declare { title, severity, service } => (title, severity, service),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn options_may_stand_anywhere() {
        let expected = ("checkout returns 500s".to_owned(), Some(Severity::Sev1), Some("checkout".to_owned()));
        assert_eq!(declared("declare checkout returns 500s sev:1 service:checkout"), expected);
        assert_eq!(declared("declare service=checkout SEV=sev1 checkout   returns 500s"), expected);
        assert_eq!(
            declared("declare sev: 1 \"checkout returns 500s\" service: checkout"),
            (expected.0.clone(), expected.1, expected.2)
        );
    }

    #[test]
    fn other_colons_are_text() {
        assert_eq!(
            declared("declare error: timeout at 10:02 see https://x.example/a").0,
            "error: timeout at 10:02 see https://x.example/a"
        );
    }

    #[test]
    fn belongs_to_no_incident_even_inside_one() {
        assert_eq!(asked("declare another thing").incident, None);
    }

    #[test]
    fn a_title_is_one_clean_line() {
        assert_eq!(declared("declare a\nb \u{202e}c \u{1b}[31md ```trace```").0, "a b c d");
    }

    #[test]
    fn what_is_wrong_is_said() {
        assert!(misread("declare").contains("Say what is wrong after `declare`."));
        assert!(misread("declare sev:1").contains("Say what is wrong"));
        assert!(misread("declare x sev:9").contains("`9`"));
        assert!(misread("declare x sev:1 sev:2").contains("given twice"));
        assert!(misread("declare x service:a/b").contains("`a/b`"));
        assert!(misread(&format!("declare {}", "x".repeat(201))).contains("201 characters long; 200 is the most"));
        assert!(misread("declare x service:\"a").contains("not closed"));
    }
}
