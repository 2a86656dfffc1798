//! `on-call`: who is on call now, until when, and who is next.

use crate::args::Args;
use crate::bounds;
use crate::inert;
use crate::intent::Intent;
use crate::misread::Misread;
use crate::verb::{Group, Kind, Scope, Verb};
use crate::word::Right;

pub const VERB: Verb = Verb {
    name: "on-call",
    aliases: &["oncall"],
    group: Group::Understand,
    usage: "[service, @person or schedule]",
    synopsis: "who is on call now, until when, and who is next",
    example: "on-call checkout",
    scope: Scope::Both,
    needs: Right::Viewer,
    kind: Kind::Ask,
    parse,
};

fn parse(args: &mut Args<'_>) -> Result<Intent, Misread> {
    let text = args.text("name", bounds::UTTERANCE_MAX)?.unwrap_or_default();
    let of = args.fits(inert::line(&text), "name", bounds::QUERY_MAX)?;
    Ok(Intent::OnCall { of: Some(of).filter(|of| !of.is_empty()) })
}

#[cfg(test)]
mod tests {
    use crate::intent::{Ask, Intent};
    use crate::verbs::test::{asked, intent};

    #[test]
    fn of_everything_or_of_something() {
        assert_eq!(intent("on-call"), Intent::OnCall { of: None });
        assert_eq!(intent("oncall @ana"), Intent::OnCall { of: Some("@ana".to_owned()) });
        assert_eq!(intent("on call checkout"), Intent::OnCall { of: Some("checkout".to_owned()) });
        let of = Ask { incident: Some(4), intent: Intent::OnCall { of: None } };
        assert_eq!(asked("on-call INC-4"), of);
    }
}
