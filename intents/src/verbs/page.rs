//! `page`: has somebody's phone ring.

use crate::args::Args;
use crate::bounds;
use crate::intent::Intent;
use crate::misread::Misread;
use crate::reply::Line;
use crate::token;
use crate::verb::{Group, Kind, Scope, Verb};
use crate::word::Right;

pub const VERB: Verb = Verb {
    name: "page",
    aliases: &[],
    group: Group::Respond,
    usage: "<@person|team> [message]",
    synopsis: "reach a person, or whoever of a team is on call, by phone",
    example: "page @bo the database is full",
    scope: Scope::Incident,
    needs: Right::Responder,
    kind: Kind::Act,
    parse,
};

fn parse(args: &mut Args<'_>) -> Result<Intent, Misread> {
    let Some(named) = args.take() else { return Err(args.missing("whom")) };
    let Some(who) = token::who(named.raw) else {
        let problem =
            Line::default().code(named.raw).and(" is neither one person nor a team. Name one, like ").code("@ana");
        return Err(args.wrong(named, problem));
    };
    Ok(Intent::Page { who, message: args.text("message", bounds::PARAGRAPH_MAX)? })
}

#[cfg(test)]
mod tests {
    use crate::intent::{Intent, Who};
    use crate::verbs::test::{intent, misread};

    #[test]
    fn a_person_or_a_team_with_or_without_words() {
        let page = |who: &str, message: Option<&str>| Intent::Page {
            who: Who::Named(who.to_owned()),
            message: message.map(str::to_owned),
        };
        assert_eq!(intent("page @bo"), page("bo", None));
        assert_eq!(intent("page payments"), page("payments", None));
        assert_eq!(intent("page @bo the database is full"), page("bo", Some("the database is full")));
        assert_eq!(intent("page me"), Intent::Page { who: Who::Me, message: None });
    }

    #[test]
    fn nobody_and_everybody_are_refused() {
        assert!(misread("page").contains("Say whom"));
        assert!(misread("page @here wake up").contains("neither one person nor a team"));
        assert!(misread(&format!("page @bo {}", "x".repeat(1001))).contains("1000 is the most"));
    }
}
