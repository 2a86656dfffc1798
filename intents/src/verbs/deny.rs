//! `deny`: refuses a requested run, with the reason if one is given.

use super::approve;
use crate::args::Args;
use crate::bounds;
use crate::intent::Intent;
use crate::misread::Misread;
use crate::verb::{Group, Kind, Scope, Verb};
use crate::word::Right;

pub const VERB: Verb = Verb {
    name: "deny",
    aliases: &["reject"],
    group: Group::Repair,
    usage: "[number of the request] [reason]",
    synopsis: "refuse a requested run",
    example: "deny 2 the database is still recovering",
    scope: Scope::Incident,
    needs: Right::Responder,
    kind: Kind::Act,
    parse,
};

/// A number right after the verb is the request's, even when it was meant as the beginning of the reason.
fn parse(args: &mut Args<'_>) -> Result<Intent, Misread> {
    let request = args.peek().and_then(approve::number);
    if request.is_some() {
        args.take();
    }
    Ok(Intent::Deny { request, reason: args.text("reason", bounds::PARAGRAPH_MAX)? })
}

#[cfg(test)]
mod tests {
    use crate::intent::Intent;
    use crate::verbs::test::{intent, misread};

    #[test]
    fn number_and_reason_are_both_optional() {
        let deny = |request, reason: Option<&str>| Intent::Deny { request, reason: reason.map(str::to_owned) };
        assert_eq!(intent("deny"), deny(None, None));
        assert_eq!(intent("deny 2"), deny(Some(2), None));
        assert_eq!(intent("deny 2 wrong service, try 3"), deny(Some(2), Some("wrong service, try 3")));
        assert_eq!(intent("reject too risky"), deny(None, Some("too risky")));
        assert!(misread(&format!("deny {}", "x".repeat(1001))).contains("1000 is the most"));
    }
}
