//! `close`: nothing is left to do.

use super::status;
use crate::args::Args;
use crate::forms::{Form, WHY};
use crate::intent::Intent;
use crate::misread::Misread;
use crate::verb::{Group, Kind, Scope, Verb};
use crate::word::{Right, State};

pub const VERB: Verb = Verb {
    name: "close",
    aliases: &[],
    group: Group::Finish,
    usage: "[why]",
    synopsis: "say that nothing is left to do",
    example: "close postmortem is written",
    scope: Scope::Incident,
    needs: Right::Responder,
    kind: Kind::Act,
    parse,
};

pub const FORM: Form = Form {
    verb: VERB.name,
    title: "Close",
    submit: "Close it",
    fields: WHY,
    fill: |values| status::filled(values, State::Closed),
};

fn parse(args: &mut Args<'_>) -> Result<Intent, Misread> {
    status::enter(args, State::Closed)
}

#[cfg(test)]
mod tests {
    use crate::intent::Intent;
    use crate::verbs::test::intent;
    use crate::word::State;

    #[test]
    fn with_or_without_a_reason() {
        assert_eq!(intent("close"), Intent::SetState { state: State::Closed, note: None });
        let note = Some("postmortem is written".to_owned());
        assert_eq!(intent("close postmortem is written"), Intent::SetState { state: State::Closed, note });
    }
}
