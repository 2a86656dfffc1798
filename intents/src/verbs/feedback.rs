//! `feedback`: whether the suggested cause was right, and what it was. The memory learns from it.

use crate::args::Args;
use crate::bounds;
use crate::intent::Intent;
use crate::misread::Misread;
use crate::reply::Line;
use crate::verb::{Group, Kind, Scope, Verb};
use crate::word::Right;

pub const VERB: Verb = Verb {
    name: "feedback",
    aliases: &[],
    group: Group::Finish,
    usage: "<right|wrong> [what it was]",
    synopsis: "say whether the suggested cause was right",
    example: "feedback wrong it was an expired certificate",
    scope: Scope::Incident,
    needs: Right::Responder,
    kind: Kind::Act,
    parse,
};

fn parse(args: &mut Args<'_>) -> Result<Intent, Misread> {
    let Some(word) = args.take() else { return Err(args.missing("right or wrong")) };
    let right = match word.word().as_str() {
        "right" | "yes" | "correct" | "good" => true,
        "wrong" | "no" | "incorrect" | "bad" => false,
        _ => {
            let problem = Line::from("Say ").code("right").and(" or ").code("wrong").and(", not ").code(word.raw);
            return Err(args.wrong(word, problem));
        }
    };
    // `cause:` is how `resolve` has it; people will write it here too.
    if args.peek().is_some_and(|next| matches!(next.raw.to_lowercase().as_str(), "cause:" | "cause")) {
        args.take();
    }
    let cause = args.text("cause", bounds::PARAGRAPH_MAX)?;
    let cause = cause.map(|text| text.strip_prefix("cause:").map(str::to_owned).unwrap_or(text));
    Ok(Intent::Feedback { right, cause: cause.filter(|text| !text.is_empty()) })
}

#[cfg(test)]
mod tests {
    use crate::intent::Intent;
    use crate::verbs::test::{intent, misread};

    #[test]
    fn right_or_wrong_and_what_it_was() {
        let feedback = |right, cause: Option<&str>| Intent::Feedback { right, cause: cause.map(str::to_owned) };
        for text in ["feedback right", "feedback YES", "feedback correct!"] {
            assert_eq!(intent(text), feedback(true, None), "{text}");
        }
        for text in [
            "feedback wrong expired cert",
            "feedback no cause: expired cert",
            "feedback no, cause:expired cert",
            "feedback no cause expired cert",
        ] {
            assert_eq!(intent(text), feedback(false, Some("expired cert")), "{text}");
        }
        assert!(misread("feedback").contains("right or wrong"));
        assert!(misread("feedback maybe").contains("not `maybe`"));
    }
}
