//! `decline`: it never was an incident.

use super::status;
use crate::args::Args;
use crate::forms::{Form, WHY};
use crate::intent::Intent;
use crate::misread::Misread;
use crate::verb::{Group, Kind, Scope, Verb};
use crate::word::{Right, State};

pub const VERB: Verb = Verb {
    name: "decline",
    aliases: &[],
    group: Group::Finish,
    usage: "[why]",
    synopsis: "say that it never was an incident; there is no way back",
    example: "decline a planned load test",
    scope: Scope::Incident,
    needs: Right::Responder,
    kind: Kind::Act,
    parse,
};

pub const FORM: Form = Form {
    verb: VERB.name,
    title: "Decline",
    submit: "It was no incident",
    fields: WHY,
    fill: |values| status::filled(values, State::Declined),
};

fn parse(args: &mut Args<'_>) -> Result<Intent, Misread> {
    status::enter(args, State::Declined)
}

#[cfg(test)]
mod tests {
    use crate::intent::Intent;
    use crate::verbs::test::intent;
    use crate::word::State;

    #[test]
    fn with_or_without_a_reason() {
        assert_eq!(intent("decline"), Intent::SetState { state: State::Declined, note: None });
        let note = Some("a planned load test".to_owned());
        assert_eq!(intent("decline a planned load test"), Intent::SetState { state: State::Declined, note });
    }
}
