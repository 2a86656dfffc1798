//! `list`: the open incidents, or the closed ones.

use crate::args::Args;
use crate::intent::Intent;
use crate::misread::Misread;
use crate::reply::Line;
use crate::verb::{Group, Kind, Scope, Verb};
use crate::word::Right;

pub const VERB: Verb = Verb {
    name: "list",
    aliases: &["ls", "incidents"],
    group: Group::Start,
    usage: "[closed]",
    synopsis: "the open incidents, or the closed ones",
    example: "list closed",
    scope: Scope::Lobby,
    needs: Right::Viewer,
    kind: Kind::Ask,
    parse,
};

fn parse(args: &mut Args<'_>) -> Result<Intent, Misread> {
    let Some(which) = args.take() else { return Ok(Intent::List { closed: false }) };
    match which.word().as_str() {
        "open" => Ok(Intent::List { closed: false }),
        "closed" => Ok(Intent::List { closed: true }),
        _ => {
            let problem = Line::from("I can list ").code("open").and(" or ").code("closed").and(" incidents, not ");
            Err(args.wrong(which, problem.code(which.raw)))
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::intent::Intent;
    use crate::verbs::test::{intent, misread};

    #[test]
    fn open_unless_said_otherwise() {
        assert_eq!(intent("list"), Intent::List { closed: false });
        assert_eq!(intent("List Open"), Intent::List { closed: false });
        assert_eq!(intent("list closed"), Intent::List { closed: true });
        assert!(misread("list all").contains("not `all`"));
        assert!(misread("list closed please").contains("`please`"));
    }
}
