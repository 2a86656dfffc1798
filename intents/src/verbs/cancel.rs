//! `cancel`: it was opened by mistake.

use super::status;
use crate::args::Args;
use crate::forms::{Form, WHY};
use crate::intent::Intent;
use crate::misread::Misread;
use crate::verb::{Group, Kind, Scope, Verb};
use crate::word::{Right, State};

pub const VERB: Verb = Verb {
    name: "cancel",
    aliases: &[],
    group: Group::Finish,
    usage: "[why]",
    synopsis: "say that it was opened by mistake; there is no way back",
    example: "cancel opened twice",
    scope: Scope::Incident,
    needs: Right::Responder,
    kind: Kind::Act,
    parse,
};

pub const FORM: Form = Form {
    verb: VERB.name,
    title: "Cancel",
    submit: "It was a mistake",
    fields: WHY,
    fill: |values| status::filled(values, State::Cancelled),
};

fn parse(args: &mut Args<'_>) -> Result<Intent, Misread> {
    status::enter(args, State::Cancelled)
}

#[cfg(test)]
mod tests {
    use crate::intent::Intent;
    use crate::verbs::test::intent;
    use crate::word::State;

    #[test]
    fn with_or_without_a_reason() {
        assert_eq!(intent("cancel"), Intent::SetState { state: State::Cancelled, note: None });
        let note = Some("opened twice".to_owned());
        assert_eq!(intent("cancel opened twice"), Intent::SetState { state: State::Cancelled, note });
    }
}
