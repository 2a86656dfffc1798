//! `lead`: who is the incident commander.

use super::role;
use crate::args::Args;
use crate::intent::Intent;
use crate::misread::Misread;
use crate::verb::{Group, Kind, Scope, Verb};
use crate::word::{Right, Role};

pub const VERB: Verb = Verb {
    name: "lead",
    aliases: &["claim"],
    group: Group::Respond,
    usage: "[@person]",
    synopsis: "take the lead, or give it to somebody",
    example: "lead @ana",
    scope: Scope::Incident,
    needs: Right::Responder,
    kind: Kind::Act,
    parse,
};

fn parse(args: &mut Args<'_>) -> Result<Intent, Misread> {
    Ok(Intent::TakeRole { role: Role::Commander, who: role::person(args)? })
}

#[cfg(test)]
mod tests {
    use crate::intent::{Intent, Who};
    use crate::verbs::test::{intent, misread};
    use crate::word::Role;

    #[test]
    fn me_unless_somebody_is_named() {
        let lead = |who| Intent::TakeRole { role: Role::Commander, who };
        assert_eq!(intent("lead"), lead(Who::Me));
        assert_eq!(intent("lead me"), lead(Who::Me));
        assert_eq!(intent("claim <@U02|ana>"), lead(Who::Named("U02".to_owned())));
        assert!(misread("lead @here").contains("`@here` is not one person"));
        assert!(misread("lead time is high").contains("Nothing more can follow"));
    }
}
