//! `run`: asks for a runbook to be run. What it will do exactly is shown, and approved, afterwards.

use crate::args::Args;
use crate::bounds;
use crate::intent::Intent;
use crate::misread::Misread;
use crate::reply::Line;
use crate::token::Token;
use crate::verb::{Group, Kind, Scope, Verb};
use crate::word::Right;

pub const VERB: Verb = Verb {
    name: "run",
    aliases: &[],
    group: Group::Repair,
    usage: "<runbook> [name=value ...] [--dry]",
    synopsis: "ask for a runbook to be run; --dry only shows what it would do",
    example: "run restart-deployment service=checkout",
    scope: Scope::Incident,
    needs: Right::Responder,
    kind: Kind::Act,
    parse,
};

fn parse(args: &mut Args<'_>) -> Result<Intent, Misread> {
    let Some(first) = args.take() else {
        return Err(args.missing("which runbook").suggest("runbooks"));
    };
    let runbook = first.raw.to_owned();
    if !bounds::name(&runbook) || first.fenced {
        return Err(args
            .wrong(first, Line::default().code(first.raw).and(" is not the name of a runbook."))
            .suggest("runbooks"));
    }
    let (mut params, mut dry): (Vec<(String, String)>, bool) = (Vec::new(), false);
    while let Some(token) = args.take() {
        // Phones and word processors make a dash of two hyphens.
        if matches!(token.raw, "--dry" | "--dry-run" | "—dry" | "—dry-run" | "dry") {
            dry = true;
            continue;
        }
        let (key, value) = parameter(args, token)?;
        if params.iter().any(|(known, _)| *known == key) {
            return Err(args.wrong(token, Line::from("This parameter is given twice: ").code(key)));
        }
        if params.len() == bounds::PARAMS_MAX {
            return Err(
                args.wrong(token, Line::ours(format!("A run takes at most {} parameters.", bounds::PARAMS_MAX)))
            );
        }
        params.push((key, value));
    }
    Ok(Intent::Run { runbook, params, dry })
}

fn parameter(args: &Args<'_>, token: &Token<'_>) -> Result<(String, String), Misread> {
    let Some(pair) = token.pair() else {
        let problem = Line::from("A parameter is written ").code("name=value").and(", unlike ").code(token.raw);
        return Err(args.wrong(token, problem));
    };
    if !bounds::name(pair.key) {
        let problem = Line::default().code(pair.key).and(" cannot be the name of a parameter.");
        return Err(args.wrong(token, problem));
    }
    Ok((pair.key.to_owned(), args.value(token, pair.value)?))
}

#[cfg(test)]
mod tests {
    use crate::intent::Intent;
    use crate::verbs::test::{intent, misread};

    fn run(text: &str) -> (String, Vec<(String, String)>, bool) {
        match intent(text) {
            Intent::Run { runbook, params, dry } => (runbook, params, dry),
            other => panic!("{other:?}"),
        }
    }

    fn params(of: &[(&str, &str)]) -> Vec<(String, String)> {
        of.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn parameters_keep_their_order_and_their_characters() {
        let (runbook, given, dry) = run(
            "run restart-deployment service=checkout note=\"two words; $(rm -rf /)\" url=http://a/?b=c image:v1.2:x empty=",
        );
        assert_eq!((runbook.as_str(), dry), ("restart-deployment", false));
        let expected = [
            ("service", "checkout"),
            ("note", "two words; $(rm -rf /)"),
            ("url", "http://a/?b=c"),
            ("image", "v1.2:x"),
            ("empty", ""),
        ];
        assert_eq!(given, params(&expected));
    }

    #[test]
    fn dry_runs() {
        for text in ["run x --dry a=b", "run x a=b dry", "run x --dry-run a=b", "run x a=b —dry"] {
            assert_eq!(run(text), ("x".to_owned(), params(&[("a", "b")]), true), "{text}");
        }
        assert!(!run("run dry").2);
    }

    #[test]
    fn what_cannot_be_read_is_refused() {
        for (text, said) in [
            ("run", "Say which runbook"),
            ("run --force", "not the name of a runbook"),
            ("run ../../etc/passwd", "not the name of a runbook"),
            ("run x service", "`name=value`"),
            ("run x a=1 a=2", "given twice"),
            ("run x --yes=1", "`--yes` cannot be the name"),
            ("run x a=\"b", "not closed"),
            ("run x a=\"b\"c", "not closed"),
            ("run x a=b\u{202e}c", "a character nobody can see"),
            ("run x a=\"b\u{0}c\"", "a character nobody can see"),
            ("run x a=\"b\nc\"", "a character nobody can see"),
            ("run x ```a=b```", "`name=value`"),
            ("run ```x```", "not the name of a runbook"),
        ] {
            let shown = misread(text);
            assert!(shown.contains(said), "{text}: {shown}");
        }
    }

    #[test]
    fn there_are_bounds() {
        let many: Vec<String> = (0..17).map(|n| format!("p{n}=1")).collect();
        assert_eq!(run(&format!("run x {}", many.get(..16).unwrap().join(" "))).1.len(), 16);
        assert!(misread(&format!("run x {}", many.join(" "))).contains("at most 16"));
        assert_eq!(run(&format!("run x a={}", "é".repeat(256))).1.len(), 1);
        assert!(misread(&format!("run x a={}", "é".repeat(257))).contains("256 characters"));
    }
}
