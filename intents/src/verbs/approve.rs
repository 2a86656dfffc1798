//! `approve`: lets a requested run go ahead. Only somebody else than its requester may, which is judged elsewhere.

use crate::args::Args;
use crate::bounds;
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
    usage: "[number of the request] [plan:<hash>]",
    synopsis: "let a requested run go ahead",
    example: "approve 2",
    scope: Scope::Incident,
    needs: Right::Approver,
    kind: Kind::Act,
    parse,
};

/// With `plan:` (the first digits of the plan's hash, as shown with the request) it holds for that plan only.
fn parse(args: &mut Args<'_>) -> Result<Intent, Misread> {
    let (mut request, mut plan) = (None, None);
    while let Some(given) = args.take() {
        if let Some(hash) = given.pair().filter(|pair| pair.key.eq_ignore_ascii_case("plan") && plan.is_none()) {
            let digits = hash.value.to_lowercase();
            if !bounds::plan(&digits) {
                let problem = format!("A plan is named by {} hexadecimal digits, unlike ", bounds::PLAN_DIGITS);
                return Err(args.wrong(given, Line::ours(problem).code(hash.value)));
            }
            plan = Some(digits);
        } else if let Some(number) = number(given).filter(|_| request.is_none()) {
            request = Some(number);
        } else {
            let problem = Line::from("A request has one number, like 2, unlike ").code(given.raw);
            return Err(args.wrong(given, problem));
        }
    }
    Ok(Intent::Approve { request, plan })
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
        let bound = Intent::Approve { request: Some(2), plan: Some("0123456789ab".to_owned()) };
        assert_eq!(intent("approve 2 plan:0123456789AB"), bound);
        assert!(misread("approve 2 plan:xyz").contains("12 hexadecimal digits, unlike `xyz`"));
        for wrong in ["approve 0", "approve it", "approve -1", "approve 99999999999", "approve 2 3"] {
            misread(wrong);
        }
    }
}
