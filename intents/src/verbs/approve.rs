//! `approve`: lets a requested run go ahead. Only somebody else than its requester may, which is judged elsewhere.

use crate::args::Args;
use crate::intent::Intent;
use crate::misread::Misread;
use crate::reply::Line;
use crate::token::{self, Token};
use crate::verb::{Group, Kind, Scope, Verb};
use crate::word::Right;

pub const VERB: Verb = Verb {
    name: "approve",
    aliases: &["approved"],
    group: Group::Repair,
    usage: "[number of the request]",
    synopsis: "let a requested run go ahead",
    example: "approve 2",
    scope: Scope::Incident,
    needs: Right::Approver,
    kind: Kind::Act,
    parse,
};

fn parse(args: &mut Args<'_>) -> Result<Intent, Misread> {
    let request = match args.take() {
        None => None,
        Some(given) => Some(number(given).ok_or_else(|| {
            let problem = Line::from("A request has a number, like 2, unlike ").code(given.raw);
            args.wrong(given, problem)
        })?),
    };
    Ok(Intent::Approve { request, plan: None })
}

/// `2` or `#2`.
pub fn number(token: &Token<'_>) -> Option<u32> {
    let word = token.word();
    token::numbered(&word, "#").or_else(|| token::numbered(&word, ""))?
}

#[cfg(test)]
mod tests {
    use crate::intent::Intent;
    use crate::verbs::test::{asked, intent, misread};

    #[test]
    fn with_and_without_a_number() {
        let approve = |request| Intent::Approve { request, plan: None };
        assert_eq!(intent("approve"), approve(None));
        assert_eq!(intent("approve 2"), approve(Some(2)));
        assert_eq!(intent("approve #2."), approve(Some(2)));
        let ask = asked("approve INC-12 2");
        assert_eq!((ask.incident, ask.intent), (Some(12), approve(Some(2))));
        for wrong in ["approve 0", "approve it", "approve -1", "approve 99999999999", "approve 2 3"] {
            misread(wrong);
        }
    }
}
