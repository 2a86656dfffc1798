//! `snooze`: no reminders of updates for a while, or none any more.

use crate::args::Args;
use crate::bounds;
use crate::intent::Intent;
use crate::misread::Misread;
use crate::reply::Line;
use crate::verb::{Group, Kind, Scope, Verb};
use crate::word::Right;

pub const VERB: Verb = Verb {
    name: "snooze",
    aliases: &[],
    group: Group::Respond,
    usage: "<30m|60m|90m|stop>",
    synopsis: "be left alone with reminders of updates for a while, or from now on",
    example: "snooze 60m",
    scope: Scope::Incident,
    needs: Right::Responder,
    kind: Kind::Act,
    parse,
};

fn parse(args: &mut Args<'_>) -> Result<Intent, Misread> {
    let Some(word) = args.take() else { return Err(args.missing("how long, like 30m, or stop")) };
    let said = word.word();
    if matches!(said.as_str(), "stop" | "off") {
        return Ok(Intent::Snooze { minutes: None });
    }
    let minutes = minutes(&said).filter(|m| bounds::SNOOZE_MINUTES.contains(m));
    minutes.map(|minutes| Intent::Snooze { minutes: Some(minutes) }).ok_or_else(|| {
        let problem = Line::default().code(word.raw).and(" is neither stop nor from 5m to 8h, like ").code("30m");
        args.wrong(word, problem)
    })
}

/// `30`, `30m`, `2h`, in minutes.
fn minutes(said: &str) -> Option<u16> {
    let digits = said.find(|c: char| !c.is_ascii_digit()).unwrap_or(said.len());
    let (number, unit) = said.split_at_checked(digits)?;
    let number: u16 = number.parse().ok()?;
    match unit {
        "" | "m" | "min" => Some(number),
        "h" => number.checked_mul(60),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use crate::intent::Intent;
    use crate::verbs::test::{intent, misread};

    #[test]
    fn for_a_while_or_for_good() {
        for (text, minutes) in [
            ("snooze 30m", Some(30)),
            ("snooze 60m", Some(60)),
            ("snooze 90", Some(90)),
            ("snooze 1h", Some(60)),
            ("snooze stop", None),
            ("snooze OFF", None),
        ] {
            assert_eq!(intent(text), Intent::Snooze { minutes }, "{text}");
        }
    }

    #[test]
    fn others_are_refused() {
        assert!(misread("snooze").contains("Say how long"));
        for text in ["snooze 4m", "snooze 9h", "snooze 0", "snooze 65535h", "snooze soon", "snooze m", "snooze -5m"] {
            assert!(misread(text).contains("is neither stop nor from 5m to 8h"), "{text}");
        }
        assert!(misread("snooze 30m please").contains("Nothing more"));
    }
}
