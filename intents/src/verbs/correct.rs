//! `correct`: a moment was not when we thought.

use crate::args::Args;
use crate::forms::{Field, Form, Kind as FieldKind, Values};
use crate::intent::Intent;
use crate::misread::Misread;
use crate::reply::Line;
use crate::token;
use crate::verb::{Group, Kind, Scope, Verb};
use crate::word::{Milestone, Right};

pub const VERB: Verb = Verb {
    name: "correct",
    aliases: &[],
    group: Group::Finish,
    usage: "<impact|detected|declared|acknowledged|identified|mitigated|resolved> <time>",
    synopsis: "correct when something happened; times are UTC",
    example: "correct detected 09:58",
    scope: Scope::Incident,
    needs: Right::Responder,
    kind: Kind::Act,
    parse,
};

pub const FORM: Form = Form {
    verb: VERB.name,
    title: "Correct a time",
    submit: "Correct it",
    fields: &[
        Field { name: "moment", label: "Which moment", hint: "", kind: FieldKind::Choice(MOMENTS), needed: true },
        Field {
            name: "time",
            label: "When it really was (UTC)",
            hint: "09:58, 2026-11-20 09:58 or 20m ago",
            kind: FieldKind::When,
            needed: true,
        },
    ],
    fill: filled,
};

/// The moments, in their order.
const MOMENTS: &[(&str, &str)] = &[
    ("impact", "impact started"),
    ("detected", "detected"),
    ("declared", "declared"),
    ("acknowledged", "acknowledged"),
    ("identified", "identified"),
    ("mitigated", "mitigated"),
    ("resolved", "resolved"),
];

fn filled(values: &Values) -> Result<Intent, Misread> {
    Ok(Intent::Correct {
        milestone: values.must("moment", "detected", token::milestone)?,
        when: values.must("time", "09:58", token::when)?,
    })
}

fn parse(args: &mut Args<'_>) -> Result<Intent, Misread> {
    let Some(word) = args.take() else { return Err(args.missing("which moment, like detected,")) };
    let Some(milestone) = token::milestone(&word.word()) else {
        let known = Milestone::ALL.map(token::milestone_word).join(", ");
        let problem = Line::from("There is no moment ").code(word.raw).and(format!(". They are {known}."));
        return Err(args.wrong(word, problem));
    };
    let filler = |word: &str| matches!(word, "started" | "at" | "to");
    while args.peek().is_some_and(|next| filler(&next.word())) {
        args.take();
    }
    let Some(first) = args.take() else { return Err(args.missing("a time, like 09:58 or 20m ago,")) };
    let mut text = first.raw.to_owned();
    while let Some(next) = args.take() {
        text.push(' ');
        text.push_str(next.raw);
    }
    let when = token::when(&text).ok_or_else(|| {
        let problem = Line::default().code(&text).and(" is no time I know. Write ").code("09:58").and(" (UTC), ");
        args.wrong(first, problem.code("2026-11-20 09:58").and(" or ").code("20m ago").and("."))
    })?;
    Ok(Intent::Correct { milestone, when })
}

#[cfg(test)]
mod tests {
    use crate::intent::{Intent, When};
    use crate::verbs::test::{intent, misread};
    use crate::word::Milestone;

    #[test]
    fn a_moment_and_a_time() {
        let detected = |when| Intent::Correct { milestone: Milestone::Detected, when };
        let day = When::On { year: 2026, month: 11, day: 20, hour: 9, minute: 58 };
        for (text, when) in [
            ("correct detected 09:58", When::Clock { hour: 9, minute: 58 }),
            ("correct Detected to 9:58 UTC", When::Clock { hour: 9, minute: 58 }),
            ("correct detected 2026-11-20 09:58", day),
            ("correct detected at 2026-11-20T09:58Z", day),
            ("correct detected 2026-11-20T09:58:31", day),
            ("correct detected 20m ago", When::Ago { minutes: 20 }),
            ("correct detected 1h 30m ago", When::Ago { minutes: 90 }),
            ("correct detected 1h30m ago", When::Ago { minutes: 90 }),
            ("correct detected now", When::Ago { minutes: 0 }),
        ] {
            assert_eq!(intent(text), detected(when), "{text}");
        }
        let impact = Intent::Correct { milestone: Milestone::ImpactStarted, when: When::Clock { hour: 0, minute: 5 } };
        assert_eq!(intent("correct impact started 00:05"), impact);
        assert_eq!(intent("correct impact 00:05"), impact);
    }

    #[test]
    fn what_is_no_time_is_refused() {
        assert!(misread("correct").contains("which moment"));
        assert!(misread("correct start 09:58").contains("no moment `start`"));
        assert!(misread("correct detected").contains("a time"));
        for wrong in [
            "24:00",
            "09:60",
            "2026-02-30 09:58",
            "1999-01-01 09:58",
            "yesterday",
            "20 ago",
            "9m",
            "9:5",
            "999w ago",
            "+9:58",
        ] {
            let shown = misread(&format!("correct detected {wrong}"));
            assert!(shown.contains("is no time I know"), "{wrong}: {shown}");
        }
    }
}
