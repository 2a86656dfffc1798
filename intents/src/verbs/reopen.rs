//! `reopen`: it is not over after all.

use super::status;
use crate::args::Args;
use crate::forms::{Form, WHY};
use crate::intent::Intent;
use crate::misread::Misread;
use crate::verb::{Group, Kind, Scope, Verb};
use crate::word::{Right, State};

pub const VERB: Verb = Verb {
    name: "reopen",
    aliases: &[],
    group: Group::Finish,
    usage: "[why]",
    synopsis: "say that it is not over after all",
    example: "reopen the errors are back",
    scope: Scope::Incident,
    needs: Right::Responder,
    kind: Kind::Act,
    parse,
};

pub const FORM: Form = Form {
    verb: VERB.name,
    title: "Reopen",
    submit: "Open it again",
    fields: WHY,
    fill: |values| status::filled(values, State::Investigating),
};

fn parse(args: &mut Args<'_>) -> Result<Intent, Misread> {
    status::enter(args, State::Investigating)
}

#[cfg(test)]
mod tests {
    use crate::intent::Intent;
    use crate::verbs::test::intent;
    use crate::word::State;

    #[test]
    fn with_or_without_a_reason() {
        assert_eq!(intent("reopen"), Intent::SetState { state: State::Investigating, note: None });
        let note = Some("the errors are back".to_owned());
        assert_eq!(intent("reopen the errors are back"), Intent::SetState { state: State::Investigating, note });
    }
}
