//! `resolve`: the incident is over, because of this, by that.

use crate::args::Args;
use crate::bounds;
use crate::inert;
use crate::intent::Intent;
use crate::misread::Misread;
use crate::reply::Line;
use crate::verb::{Group, Kind, Scope, Verb};
use crate::word::Right;

pub const VERB: Verb = Verb {
    name: "resolve",
    aliases: &["resolved"],
    group: Group::Finish,
    usage: "[cause: <text>] [fix: <text>]",
    synopsis: "say that it is over, and what it was",
    example: "resolve cause: connection pool too small fix: raised it to 50",
    scope: Scope::Incident,
    needs: Right::Responder,
    kind: Kind::Act,
    parse,
};

/// `cause:` and `fix:` each reach up to the other or to the end. Text before both is refused rather than guessed at.
fn parse(args: &mut Args<'_>) -> Result<Intent, Misread> {
    let (mut cause, mut fix): (Option<String>, Option<String>) = (None, None);
    let mut part = None;
    while let Some(token) = args.take() {
        let labelled = token.pair().and_then(|pair| match pair.key.to_lowercase().as_str() {
            "cause" => Some((false, pair.value)),
            "fix" => Some((true, pair.value)),
            _ => None,
        });
        let words = match labelled {
            None => token.raw,
            Some((of_fix, value)) => {
                if if of_fix { &fix } else { &cause }.is_some() {
                    return Err(args.wrong(token, Line::from("This is given twice: ").code(token.raw)));
                }
                part = Some(of_fix);
                value
            }
        };
        let Some(of_fix) = part else {
            let problem = Line::from("Say which it is, ")
                .code("cause:")
                .and(" or ")
                .code("fix:")
                .and(", before ")
                .code(token.raw);
            return Err(args.wrong(token, problem));
        };
        let text = if of_fix { &mut fix } else { &mut cause }.get_or_insert_default();
        if !text.is_empty() {
            text.push(' ');
        }
        text.push_str(words);
    }
    Ok(Intent::Resolve { cause: said(args, cause, "cause")?, fix: said(args, fix, "fix")? })
}

/// The text on one line, without its quotes if it is quoted as a whole.
fn said(args: &Args<'_>, text: Option<String>, what: &'static str) -> Result<Option<String>, Misread> {
    let Some(text) = text else { return Ok(None) };
    let text = inert::line(&crate::token::unquote(&text).unwrap_or(text));
    if text.is_empty() {
        return Err(args.misread(Line::ours(format!("There is nothing after {what}:"))));
    }
    args.fits(text, what, bounds::PARAGRAPH_MAX).map(Some)
}

#[cfg(test)]
mod tests {
    use crate::intent::Intent;
    use crate::verbs::test::{intent, misread};

    fn resolved(cause: Option<&str>, fix: Option<&str>) -> Intent {
        Intent::Resolve { cause: cause.map(str::to_owned), fix: fix.map(str::to_owned) }
    }

    #[test]
    fn cause_and_fix_in_any_order() {
        let both = resolved(Some("pool too small"), Some("raised it to 50"));
        assert_eq!(intent("resolve cause: pool too small fix: raised it to 50"), both);
        assert_eq!(intent("resolve fix:raised it to 50 Cause=\"pool too small\""), both);
        assert_eq!(intent("resolve cause: error: 500 at 10:02"), resolved(Some("error: 500 at 10:02"), None));
        assert_eq!(intent("resolve"), resolved(None, None));
        assert_eq!(intent("resolved!"), resolved(None, None));
    }

    #[test]
    fn nothing_is_guessed() {
        assert!(misread("resolve the problem is gone").contains("before `the`"));
        assert!(misread("resolve cause: fix: x").contains("nothing after cause:"));
        assert!(misread("resolve fix: a fix: b").contains("given twice"));
        assert!(misread(&format!("resolve cause: {}", "x".repeat(1001))).contains("The cause is 1001 characters"));
    }
}
