//! `follow-up`: what must be done so that it does not happen again; and that it has been done.

use crate::args::{Args, Given};
use crate::bounds;
use crate::forms::{Field, Form, Kind as FieldKind, Values};
use crate::intent::{Due, Intent, Who};
use crate::misread::Misread;
use crate::reply::Line;
use crate::token;
use crate::verb::{Group, Kind, Scope, Verb};
use crate::word::Right;

pub const VERB: Verb = Verb {
    name: "follow-up",
    aliases: &["followup"],
    group: Group::Finish,
    usage: "<what to do> [owner:@person] [due:<day>] [link:<url>], or: done F-1",
    synopsis: "write down what prevents the next one, or mark it as done",
    example: "follow-up Add a pool-size alert owner:@ana due:2026-12-01",
    scope: Scope::Incident,
    needs: Right::Responder,
    kind: Kind::Act,
    parse,
};

pub const FORM: Form = Form {
    verb: VERB.name,
    title: "Follow-up",
    submit: "Write it down",
    fields: &[
        Field {
            name: "todo",
            label: "What prevents the next one",
            hint: "",
            kind: FieldKind::Line(bounds::TITLE_MAX),
            needed: true,
        },
        Field { name: "owner", label: "Who does it", hint: "@ana", kind: FieldKind::Person, needed: false },
        Field { name: "due", label: "Until when", hint: "2026-12-01 or 2w", kind: FieldKind::Day, needed: false },
        Field { name: "link", label: "Link", hint: "https://", kind: FieldKind::Line(bounds::LINK_MAX), needed: false },
    ],
    fill: filled,
};

fn filled(values: &Values) -> Result<Intent, Misread> {
    Ok(Intent::FollowUp {
        title: values.text("todo", bounds::TITLE_MAX)?,
        owner: values.person("owner")?,
        due: values.read("due", "2026-12-01", token::due)?,
        link: values.read("link", "https://example.org/1", |url| bounds::link(url).then(|| url.to_owned()))?,
    })
}

fn parse(args: &mut Args<'_>) -> Result<Intent, Misread> {
    if let Some(number) = args.done_number("f-") {
        let problem = Line::from("Which follow-up? They count from F-1.");
        let follow_up = number.ok_or_else(|| args.misread(problem))?;
        return Ok(Intent::FollowUpDone { follow_up });
    }
    let (title, [owner, due, link]) =
        args.line_and_options([&["owner", "assignee"], &["due", "by"], &["link", "url"]])?;
    let title = args.fits(title, "follow-up", bounds::TITLE_MAX)?;
    if title.is_empty() {
        return Err(args.missing("what is to be done"));
    }
    Ok(Intent::FollowUp {
        title,
        owner: owner.map(|given| person(args, &given)).transpose()?,
        due: due.map(|given| day(args, &given)).transpose()?,
        link: link.map(|given| address(args, &given)).transpose()?,
    })
}

fn person(args: &Args<'_>, given: &Given<'_>) -> Result<Who, Misread> {
    token::who(&given.value).ok_or_else(|| {
        args.wrong(
            given.token,
            Line::default().code(&given.value).and(" is not one person. Name one, like ").code("owner:@ana"),
        )
    })
}

fn day(args: &Args<'_>, given: &Given<'_>) -> Result<Due, Misread> {
    token::due(&given.value).ok_or_else(|| {
        let problem = Line::default().code(&given.value).and(" is no day I know. Write ").code("due:2026-12-01");
        args.wrong(
            given.token,
            problem.and(", or days or weeks from now, ").code("due:3d").and(", ").code("due:2w").and("."),
        )
    })
}

/// Slack writes a link as `<https://x>` or `<https://x|label>`.
fn address(args: &Args<'_>, given: &Given<'_>) -> Result<String, Misread> {
    let bare = given.value.strip_prefix('<').and_then(|inner| inner.strip_suffix('>'));
    let url = bare.map_or(given.value.as_str(), |inner| inner.split('|').next().unwrap_or_default());
    if bounds::link(url) {
        return Ok(url.to_owned());
    }
    let problem =
        Line::default().code(&given.value).and(" is not a link. It starts with https:// and holds no password.");
    Err(args.wrong(given.token, problem))
}

#[cfg(test)]
mod tests {
    use crate::intent::{Due, Intent, Who};
    use crate::verbs::test::{intent, misread};

    fn plain(title: &str) -> Intent {
        Intent::FollowUp { title: title.to_owned(), owner: None, due: None, link: None }
    }

    #[test]
    fn all_its_options() {
        let expected = Intent::FollowUp {
            title: "Add a pool-size alert".to_owned(),
            owner: Some(Who::Named("ana".to_owned())),
            due: Some(Due::On { year: 2026, month: 12, day: 1 }),
            link: Some("https://x.example/1?a=b".to_owned()),
        };
        for text in [
            "follow-up Add a pool-size alert owner:@ana due:2026-12-01 link:https://x.example/1?a=b",
            "followup owner=ana Add a pool-size due=2026-12-01 alert link=<https://x.example/1?a=b|here>",
            "follow up owner: @ana due: 2026-12-01 link: https://x.example/1?a=b \"Add a pool-size alert\"",
        ] {
            assert_eq!(intent(text), expected, "{text}");
        }
        assert_eq!(intent("follow-up Tell them: it works"), plain("Tell them: it works"));
    }

    #[test]
    fn days_from_now() {
        for (text, days) in [("3d", 3), ("2w", 14), ("tomorrow", 1)] {
            let due = match intent(&format!("follow-up x due:{text}")) {
                Intent::FollowUp { due, .. } => due,
                other => panic!("{other:?}"),
            };
            assert_eq!(due, Some(Due::InDays(days)));
        }
    }

    #[test]
    fn done() {
        for text in ["follow-up done F-1", "follow-up f-1 done", "follow-up done f-1."] {
            assert_eq!(intent(text), Intent::FollowUpDone { follow_up: 1 }, "{text}");
        }
        assert_eq!(intent("follow-up done with the old pool"), plain("done with the old pool"));
        assert_eq!(intent("follow-up F-1 needs a test"), plain("F-1 needs a test"));
        assert!(misread("follow-up done").contains("Which follow-up?"));
        assert!(misread("follow-up done F-0").contains("count from F-1"));
        assert!(misread("follow-up done F-1 F-2").contains("`F-2`"));
    }

    #[test]
    fn what_cannot_be_read_is_refused() {
        for (text, said) in [
            ("follow-up", "Say what is to be done"),
            ("follow-up owner:@ana", "Say what is to be done"),
            ("follow-up x owner:@here", "`@here` is not one person"),
            ("follow-up x due:2026-02-30", "`2026-02-30` is no day"),
            ("follow-up x due:someday", "`someday` is no day"),
            ("follow-up x link:javascript:alert(1)", "is not a link"),
            ("follow-up x link:https://user:secret@x.example/", "is not a link"),
            ("follow-up x link:https://", "is not a link"),
            ("follow-up x due:1d due:2d", "given twice"),
        ] {
            let shown = misread(text);
            assert!(shown.contains(said), "{text}: {shown}");
        }
    }
}
