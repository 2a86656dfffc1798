//! `task`: something to be done while it goes on; and that it has been done.

use crate::args::Args;
use crate::bounds;
use crate::forms::{Field, Form, Kind as FieldKind, Values};
use crate::intent::Intent;
use crate::misread::Misread;
use crate::reply::Line;
use crate::token;
use crate::verb::{Group, Kind, Scope, Verb};
use crate::word::Right;

pub const VERB: Verb = Verb {
    name: "task",
    aliases: &["todo"],
    group: Group::Respond,
    usage: "<what to do> [owner:@person], or: done T-1",
    synopsis: "write down what is to be done now, or mark it as done",
    example: "task Drain node 3 owner:@bo",
    scope: Scope::Incident,
    needs: Right::Responder,
    kind: Kind::Act,
    parse,
};

pub const FORM: Form = Form {
    verb: VERB.name,
    title: "Task",
    submit: "Write it down",
    fields: &[
        Field {
            name: "task",
            label: "What to do now",
            hint: "",
            kind: FieldKind::Line(bounds::TITLE_MAX),
            needed: true,
        },
        Field { name: "owner", label: "Who does it", hint: "@ana", kind: FieldKind::Person, needed: false },
    ],
    fill: filled,
};

fn filled(values: &Values) -> Result<Intent, Misread> {
    Ok(Intent::Task { title: values.text("task", bounds::TITLE_MAX)?, owner: values.person("owner")? })
}

fn parse(args: &mut Args<'_>) -> Result<Intent, Misread> {
    if let Some(number) = args.done_number("t-") {
        let Some(number) = number else { return Err(args.misread(Line::from("Which task? They count from T-1."))) };
        return Ok(Intent::TaskDone { task: number });
    }
    let (title, [owner]) = args.line_and_options([&["owner", "assignee"]])?;
    let title = args.fits(title, "task", bounds::TITLE_MAX)?;
    if title.is_empty() {
        return Err(args.missing("what is to be done"));
    }
    let owner = match owner {
        None => None,
        Some(given) => Some(token::who(&given.value).ok_or_else(|| {
            let problem = Line::default().code(&given.value).and(" is not one person. Name one, like ");
            args.wrong(given.token, problem.code("owner:@ana"))
        })?),
    };
    Ok(Intent::Task { title, owner })
}

#[cfg(test)]
mod tests {
    use crate::intent::{Intent, Who};
    use crate::verbs::test::{intent, misread};

    fn task(title: &str, owner: Option<Who>) -> Intent {
        Intent::Task { title: title.to_owned(), owner }
    }

    #[test]
    fn what_and_who() {
        assert_eq!(intent("task Drain node 3 owner:@bo"), task("Drain node 3", Some(Who::Named("bo".to_owned()))));
        assert_eq!(intent("task owner:me Drain node 3"), task("Drain node 3", Some(Who::Me)));
        assert_eq!(intent("todo Tell them: it works"), task("Tell them: it works", None));
        assert_eq!(intent("task T-1 needs a second look"), task("T-1 needs a second look", None));
        assert_eq!(intent("task done with the cache? flush it"), task("done with the cache? flush it", None));
    }

    #[test]
    fn done() {
        for text in ["task done T-1", "task t-1 done", "task done t-1."] {
            assert_eq!(intent(text), Intent::TaskDone { task: 1 }, "{text}");
        }
        assert!(misread("task done").contains("Which task?"));
        assert!(misread("task done T-0").contains("count from T-1"));
        assert!(misread("task done T-1 T-2").contains("`T-2`"));
    }

    #[test]
    fn what_cannot_be_read_is_refused() {
        assert!(misread("task").contains("Say what is to be done"));
        assert!(misread("task owner:@bo").contains("Say what is to be done"));
        assert!(misread("task x owner:@here").contains("`@here` is not one person"));
        assert!(misread(&format!("task {}", "x".repeat(201))).contains("The task is 201 characters"));
    }
}
