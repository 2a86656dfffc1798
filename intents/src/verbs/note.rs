//! `note`: words for the timeline.

use crate::args::Args;
use crate::bounds;
use crate::intent::Intent;
use crate::misread::Misread;
use crate::verb::{Group, Kind, Scope, Verb};
use crate::word::Right;

pub const VERB: Verb = Verb {
    name: "note",
    aliases: &[],
    group: Group::Respond,
    usage: "<text>",
    synopsis: "put something on the timeline",
    example: "note the errors began with the 10:02 deploy",
    scope: Scope::Incident,
    needs: Right::Responder,
    kind: Kind::Act,
    parse,
};

fn parse(args: &mut Args<'_>) -> Result<Intent, Misread> {
    let text = args.text("note", bounds::NOTE_MAX)?;
    text.map(|text| Intent::Note { text }).ok_or_else(|| args.missing("what to note"))
}

#[cfg(test)]
mod tests {
    use crate::intent::Intent;
    use crate::verbs::test::{asked, intent, misread};

    #[test]
    fn the_text_stays_as_written() {
        let note = |text: &str| Intent::Note { text: text.to_owned() };
        assert_eq!(
            intent("note: a \"quote\",  two spaces\n```\nack\n```"),
            note("a \"quote\",  two spaces\n```\nack\n```")
        );
        assert_eq!(intent("note \u{1b}[31mred\u{202e} x"), note("red x"));
        assert!(misread("note").contains("Say what to note"));
        assert!(misread("note \u{202e}").contains("Say what to note"));
    }

    #[test]
    fn a_number_in_front_makes_a_second_one_text() {
        assert_eq!(asked("note INC-12 same cause").incident, Some(12));
        let ask = asked("INC-3 note INC-12 has the same cause");
        assert_eq!(
            (ask.incident, ask.intent),
            (Some(3), Intent::Note { text: "INC-12 has the same cause".to_owned() })
        );
    }
}
