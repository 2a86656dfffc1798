//! `role`: who does what.

use crate::args::Args;
use crate::intent::{Intent, Who};
use crate::misread::Misread;
use crate::reply::Line;
use crate::token;
use crate::verb::{Group, Kind, Scope, Verb};
use crate::word::{Right, Role};

pub const VERB: Verb = Verb {
    name: "role",
    aliases: &[],
    group: Group::Respond,
    usage: "<commander|comms|ops|scribe> [@person]",
    synopsis: "take a role, or give it to somebody",
    example: "role comms @bo",
    scope: Scope::Incident,
    needs: Right::Responder,
    kind: Kind::Act,
    parse,
};

fn parse(args: &mut Args<'_>) -> Result<Intent, Misread> {
    let Some(word) = args.take() else { return Err(args.missing("which role")) };
    let role = match word.word().as_str() {
        "commander" | "ic" | "lead" => Role::Commander,
        "comms" | "communications" | "communication" => Role::Communications,
        "ops" | "operations" => Role::Operations,
        "scribe" => Role::Scribe,
        _ => {
            let problem = Line::from("The roles are commander, comms, ops and scribe; there is no ").code(word.raw);
            return Err(args.wrong(word, problem));
        }
    };
    Ok(Intent::TakeRole { role, who: person(args)? })
}

/// The person named next; nobody named is the speaker.
pub fn person(args: &mut Args<'_>) -> Result<Who, Misread> {
    let Some(named) = args.take() else { return Ok(Who::Me) };
    token::who(named.raw).ok_or_else(|| {
        args.wrong(named, Line::default().code(named.raw).and(" is not one person. Name one, like ").code("@ana"))
    })
}

#[cfg(test)]
mod tests {
    use crate::intent::{Intent, Who};
    use crate::verbs::test::{intent, misread};
    use crate::word::Role;

    #[test]
    fn every_role_has_its_words() {
        let me = |role| Intent::TakeRole { role, who: Who::Me };
        assert_eq!(
            intent("role comms @bo"),
            Intent::TakeRole { role: Role::Communications, who: Who::Named("bo".to_owned()) }
        );
        assert_eq!(intent("role IC"), me(Role::Commander));
        assert_eq!(intent("role ops"), me(Role::Operations));
        assert_eq!(intent("role scribe me"), me(Role::Scribe));
        assert!(misread("role").contains("Say which role"));
        assert!(misread("role king @bo").contains("there is no `king`"));
    }
}
