//! `silence`: alerts that match are listed only, for a while.

use crate::args::Args;
use crate::bounds;
use crate::forms::{Field, Form, Kind as FieldKind, Values};
use crate::inert;
use crate::intent::Intent;
use crate::misread::Misread;
use crate::reply::Line;
use crate::token;
use crate::verb::{Group, Kind, Scope, Verb};
use crate::word::Right;

pub const VERB: Verb = Verb {
    name: "silence",
    aliases: &["silences", "mute"],
    group: Group::Start,
    usage: "<matchers> <duration> [why], or: list, or: end S-1",
    synopsis: "keep matching alerts from opening or joining incidents for a while",
    example: "silence service=\"checkout\", severity=\"warning\" 2h deploying v42",
    scope: Scope::Lobby,
    needs: Right::Responder,
    kind: Kind::Act,
    parse,
};

pub const FORM: Form = Form {
    verb: VERB.name,
    title: "Silence",
    submit: "Silence them",
    fields: &[
        Field {
            name: "matchers",
            label: "Which alerts",
            hint: "service=\"checkout\", severity=\"warning\"",
            kind: FieldKind::Line(bounds::PARAGRAPH_MAX),
            needed: true,
        },
        Field { name: "length", label: "For how long", hint: "30m, 2h or 1d", kind: FieldKind::Length, needed: true },
        Field { name: "why", label: "Why", hint: "", kind: FieldKind::Line(bounds::TITLE_MAX), needed: false },
    ],
    fill: filled,
};

fn filled(values: &Values) -> Result<Intent, Misread> {
    let length = |text: &str| token::minutes(&text.to_lowercase()).filter(|n| *n <= bounds::SILENCE_MINUTES_MAX);
    Ok(Intent::Silence {
        matchers: values.text("matchers", bounds::PARAGRAPH_MAX)?,
        minutes: values.must("length", "2h", length)?,
        comment: values.fitting("why", bounds::TITLE_MAX)?,
        anyway: false,
    })
}

/// Said before the matchers by whoever was asked whether they mean it.
pub(crate) const ANYWAY: &str = "anyway";

/// The matchers reach up to the first word that is a duration; what they mean is read where alerts are known.
fn parse(args: &mut Args<'_>) -> Result<Intent, Misread> {
    let Some(first) = args.peek() else {
        return if args.called == "silences" {
            Ok(Intent::Silences)
        } else {
            Err(args.missing("which alerts, and for how long,"))
        };
    };
    match first.word().as_str() {
        "list" => {
            args.take();
            return Ok(Intent::Silences);
        }
        "end" => {
            args.take();
            let Some(number) = args.take() else { return Err(args.missing("end and which one, like S-1,")) };
            let silence = token::numbered(&number.word(), "s-").flatten();
            let problem = || Line::default().code(number.raw).and(" is no silence. They count from ").code("S-1");
            return silence.map(|silence| Intent::EndSilence { silence }).ok_or_else(|| args.wrong(number, problem()));
        }
        _ => {}
    }
    let anyway = first.word() == ANYWAY;
    if anyway {
        args.take();
    }
    let mut matchers: Vec<&str> = Vec::new();
    while let Some(word) = args.take() {
        let Some(minutes) = token::minutes(&word.word()) else {
            matchers.push(word.raw);
            continue;
        };
        if matchers.is_empty() {
            return Err(args.wrong(word, Line::from("Say which alerts before ").code(word.raw)));
        }
        if minutes > bounds::SILENCE_MINUTES_MAX {
            let problem =
                Line::default().code(word.raw).and(" is longer than 30 days; write a route that never opens instead");
            return Err(args.wrong(word, problem));
        }
        let matchers = args.fits(inert::line(&matchers.join(" ")), "condition", bounds::PARAGRAPH_MAX)?;
        let comment = args.text("reason", bounds::TITLE_MAX)?.map(|text| inert::line(&text));
        return Ok(Intent::Silence { matchers, minutes, comment, anyway });
    }
    Err(args.missing("for how long, like 30m or 2h,"))
}

#[cfg(test)]
mod tests {
    use crate::intent::Intent;
    use crate::verbs::test::{asked, intent, misread};

    fn silence(matchers: &str, minutes: u32, comment: Option<&str>) -> Intent {
        Intent::Silence { matchers: matchers.to_owned(), minutes, comment: comment.map(str::to_owned), anyway: false }
    }

    #[test]
    fn which_and_how_long_and_why() {
        assert_eq!(intent("silence service=checkout 2h"), silence("service=checkout", 120, None));
        assert_eq!(
            intent("silence {service=\"check out\", severity!~\"warn.*\"} 1h30m deploying 2h more"),
            silence("{service=\"check out\", severity!~\"warn.*\"}", 90, Some("deploying 2h more"))
        );
        assert_eq!(intent("mute a=b 1d"), silence("a=b", 1_440, None));
        assert_eq!(asked("silence a=b 1d").incident, None, "it is of no incident");
    }

    #[test]
    fn whoever_was_asked_says_it_again() {
        let Intent::Silence { matchers, anyway, .. } = intent("silence anyway alertname=~\".+\" 2h") else { panic!() };
        assert_eq!((matchers.as_str(), anyway), ("alertname=~\".+\"", true));
        assert!(misread("silence anyway").contains("for how long"));
        assert!(misread("silence anyway 2h").contains("which alerts before `2h`"));
    }

    #[test]
    fn the_list_and_the_end() {
        for text in ["silence list", "silences", "silences list"] {
            assert_eq!(intent(text), Intent::Silences, "{text}");
        }
        assert_eq!(intent("silence end S-3"), Intent::EndSilence { silence: 3 });
        assert!(misread("silence end").contains("which one"));
        assert!(misread("silence end S-0").contains("`S-0` is no silence"));
        assert!(misread("silence end 3").contains("`3` is no silence"));
        assert!(misread("silence list all").contains("`all`"));
    }

    #[test]
    fn nothing_is_guessed() {
        assert!(misread("silence").contains("which alerts"));
        assert!(misread("silence service=checkout").contains("for how long"));
        assert!(misread("silence 2h").contains("which alerts before `2h`"));
        assert!(misread("silence a=b 5w").contains("longer than 30 days"));
        assert!(misread("silence a=b 0m").contains("for how long"));
    }
}
