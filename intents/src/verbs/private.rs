//! `private`: only those in it may know of it.

use crate::args::Args;
use crate::forms::Form;
use crate::intent::Intent;
use crate::misread::Misread;
use crate::verb::{Group, Kind, Scope, Verb};
use crate::word::Right;

pub const VERB: Verb = Verb {
    name: "private",
    aliases: &[],
    group: Group::Respond,
    usage: "",
    synopsis: "hide it from everybody who is not in it; there is no way back",
    example: "private",
    scope: Scope::Incident,
    needs: Right::Responder,
    kind: Kind::Act,
    parse,
};

pub const FORM: Form = Form {
    verb: VERB.name,
    title: "Make private",
    submit: "Make it private",
    fields: &[],
    fill: |_| Ok(Intent::MakePrivate),
};

// Every parser has this signature; this one has nothing to refuse.
#[allow(clippy::unnecessary_wraps)]
fn parse(_: &mut Args<'_>) -> Result<Intent, Misread> {
    Ok(Intent::MakePrivate)
}

#[cfg(test)]
mod tests {
    use crate::Reading;
    use crate::intent::Intent;
    use crate::utterance::Place;
    use crate::verbs::test::{misread, said};

    #[test]
    fn it_is_asked_first() {
        let Reading::Confirm { ask, because } = said("private", Place::Incident(3)) else { panic!() };
        assert_eq!((ask.incident, ask.intent), (Some(3), Intent::MakePrivate));
        assert!(because.contains("cannot be undone"));
        assert!(misread("private please").contains("`please`"));
    }
}
