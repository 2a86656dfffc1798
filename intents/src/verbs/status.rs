//! `status`: where the incident stands.

use crate::args::Args;
use crate::bounds;
use crate::forms::Values;
use crate::intent::Intent;
use crate::misread::Misread;
use crate::near;
use crate::reply::Line;
use crate::verb::{Group, Kind, Scope, Verb};
use crate::word::{Right, State};

pub const VERB: Verb = Verb {
    name: "status",
    aliases: &["state"],
    group: Group::Respond,
    usage: "<state> [why]",
    synopsis: "say where it stands: investigating, identified, mitigated, monitoring, and so on",
    example: "status identified bad config",
    scope: Scope::Incident,
    needs: Right::Responder,
    kind: Kind::Act,
    parse,
};

/// Every state but `merged`, which needs to say into which incident.
fn sayable() -> impl Iterator<Item = State> {
    State::ALL.into_iter().filter(|state| *state != State::Merged)
}

fn parse(args: &mut Args<'_>) -> Result<Intent, Misread> {
    let Some(given) = args.take() else { return Err(args.missing("a state")) };
    let word = given.word();
    let Some(state) =
        sayable().find(|state| state.label() == word || (*state == State::Cancelled && word == "canceled"))
    else {
        let problem = Line::from("There is no state ").code(given.raw).and(". They are ");
        let misread =
            args.wrong(given, problem.and(sayable().map(State::label).collect::<Vec<_>>().join(", ")).and("."));
        let near = near::nearest(&word, sayable().map(State::label));
        return Err(near.into_iter().fold(misread, |misread, state| misread.suggest(&format!("status {state}"))));
    };
    enter(args, state)
}

/// A form that asks why.
pub fn filled(values: &Values, state: State) -> Result<Intent, Misread> {
    Ok(Intent::SetState { state, note: values.fitting("why", bounds::PARAGRAPH_MAX)? })
}

/// What is left is why.
pub fn enter(args: &mut Args<'_>, state: State) -> Result<Intent, Misread> {
    let note = args.text("explanation", bounds::PARAGRAPH_MAX)?;
    Ok(Intent::SetState { state, note })
}

#[cfg(test)]
mod tests {
    use crate::intent::Intent;
    use crate::verbs::test::{intent, misread};
    use crate::word::State;

    #[test]
    fn a_state_and_why() {
        let note = Some("bad config".to_owned());
        assert_eq!(intent("status identified bad config"), Intent::SetState { state: State::Identified, note });
        assert_eq!(intent("status: Monitoring"), Intent::SetState { state: State::Monitoring, note: None });
        assert_eq!(intent("status canceled"), Intent::SetState { state: State::Cancelled, note: None });
    }

    #[test]
    fn a_wrong_state_names_the_right_ones() {
        assert!(misread("status").contains("Say a state"));
        let said = misread("status identfied x");
        assert!(said.contains("no state `identfied`") && said.contains("`status identified`"), "{said}");
        assert!(misread("status merged").contains("no state `merged`"));
    }
}
