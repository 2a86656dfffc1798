//! `help`: what can be said, or all about one verb.

use crate::args::Args;
use crate::help::unknown_verb;
use crate::intent::Intent;
use crate::misread::Misread;
use crate::verb::{self, Group, Kind, Scope, Verb};
use crate::word::Right;

pub const VERB: Verb = Verb {
    name: "help",
    aliases: &["?", "commands"],
    group: Group::Help,
    usage: "[command]",
    synopsis: "what you can do here, or all about one command",
    example: "help run",
    scope: Scope::Both,
    needs: Right::Viewer,
    kind: Kind::Ask,
    parse,
};

fn parse(args: &mut Args<'_>) -> Result<Intent, Misread> {
    let Some(given) = args.take() else { return Ok(Intent::Help { verb: None }) };
    let word = given.word();
    match verb::find(&word) {
        Some(verb) => Ok(Intent::Help { verb: Some(verb.name.to_owned()) }),
        None => Err(unknown_verb(&word).at(given.at.clone())),
    }
}

#[cfg(test)]
mod tests {
    use crate::intent::Intent;
    use crate::verbs::test::{intent, misread};

    #[test]
    fn an_alias_is_known_by_its_name() {
        assert_eq!(intent("help"), Intent::Help { verb: None });
        assert_eq!(intent("?"), Intent::Help { verb: None });
        assert_eq!(intent("help followup"), Intent::Help { verb: Some("follow-up".to_owned()) });
        let said = misread("help reslove");
        assert!(said.contains("no command `reslove`") && said.contains("`help resolve`"), "{said}");
    }
}
