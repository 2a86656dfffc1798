//! `sev`: how bad it is.

use crate::args::Args;
use crate::intent::Intent;
use crate::misread::Misread;
use crate::reply::Line;
use crate::token::Token;
use crate::verb::{Group, Kind, Scope, Verb};
use crate::word::{Right, Severity};

/// `sev2` in one word is an alias: the word itself says the severity.
pub const VERB: Verb = Verb {
    name: "sev",
    aliases: &["severity", "sev1", "sev2", "sev3", "sev4"],
    group: Group::Respond,
    usage: "<1-4>",
    synopsis: "set the severity; 1 is the worst",
    example: "sev 2",
    scope: Scope::Incident,
    needs: Right::Responder,
    kind: Kind::Act,
    parse,
};

fn parse(args: &mut Args<'_>) -> Result<Intent, Misread> {
    if let Some(severity) = args.called.strip_prefix("sev").and_then(numbered) {
        return Ok(Intent::SetSeverity { severity });
    }
    let Some(word) = args.take() else { return Err(args.missing("a severity from 1 to 4")) };
    Ok(Intent::SetSeverity { severity: severity(args, word, &word.word())? })
}

/// `2`, `sev2`, `SEV-2`, `p2`, or a word: critical, major (high), minor (medium), low.
pub fn severity(args: &Args<'_>, token: &Token<'_>, given: &str) -> Result<Severity, Misread> {
    let word = given.to_lowercase();
    let digit = word.strip_prefix("sev").map(|rest| rest.trim_start_matches('-')).or_else(|| word.strip_prefix('p'));
    let named = match word.as_str() {
        "critical" => Some(Severity::Sev1),
        "major" | "high" => Some(Severity::Sev2),
        "minor" | "medium" => Some(Severity::Sev3),
        "low" => Some(Severity::Sev4),
        _ => None,
    };
    named.or_else(|| numbered(digit.unwrap_or(&word))).ok_or_else(|| {
        let problem = Line::from("A severity is 1 (the worst), 2, 3 or 4, not ").code(given);
        args.wrong(token, problem)
    })
}

/// `1` to `4`.
pub fn numbered(digit: &str) -> Option<Severity> {
    match digit {
        "1" => Some(Severity::Sev1),
        "2" => Some(Severity::Sev2),
        "3" => Some(Severity::Sev3),
        "4" => Some(Severity::Sev4),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use crate::intent::Intent;
    use crate::verbs::test::{asked, intent, misread};
    use crate::word::Severity;

    #[test]
    fn many_ways_to_say_it() {
        for text in ["sev 2", "sev2", "SEV2", "severity 2", "sev sev2", "sev SEV-2", "Sev p2", "sev major", "sev high."]
        {
            assert_eq!(intent(text), Intent::SetSeverity { severity: Severity::Sev2 }, "{text}");
        }
        assert_eq!(intent("sev critical"), Intent::SetSeverity { severity: Severity::Sev1 });
        assert_eq!(asked("sev1 INC-12").incident, Some(12));
    }

    #[test]
    fn others_are_refused() {
        assert!(misread("sev").contains("Say a severity from 1 to 4"));
        for (text, wrong) in
            [("sev 5", "`5`"), ("sev 0", "`0`"), ("sev ---2", "`---2`"), ("sev １", "`１`"), ("sev pp2", "`pp2`")]
        {
            assert!(misread(text).contains(wrong), "{text}");
        }
        assert!(misread("sev2 3").contains("Nothing more"));
    }
}
