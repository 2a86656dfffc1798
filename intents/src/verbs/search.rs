//! `search`: past and present incidents by words.

use crate::args::Args;
use crate::bounds;
use crate::inert;
use crate::intent::Intent;
use crate::misread::Misread;
use crate::verb::{Group, Kind, Scope, Verb};
use crate::word::Right;

pub const VERB: Verb = Verb {
    name: "search",
    aliases: &["find"],
    group: Group::Start,
    usage: "<words>",
    synopsis: "find past incidents by words",
    example: "search connection pool exhausted",
    scope: Scope::Lobby,
    needs: Right::Viewer,
    kind: Kind::Ask,
    parse,
};

fn parse(args: &mut Args<'_>) -> Result<Intent, Misread> {
    let text = args.text("search", bounds::UTTERANCE_MAX)?.unwrap_or_default();
    let query = args.fits(inert::line(&text), "search", bounds::QUERY_MAX)?;
    if query.is_empty() { Err(args.missing("what to look for")) } else { Ok(Intent::Search { query }) }
}

#[cfg(test)]
mod tests {
    use crate::intent::Intent;
    use crate::verbs::test::{intent, misread};

    #[test]
    fn words_stay_as_they_are() {
        let query = "\"connection pool\" INC-4 -redis".to_owned();
        assert_eq!(intent("search  \"connection pool\" INC-4\n-redis"), Intent::Search { query });
        assert!(misread("search").contains("Say what to look for"));
        assert!(misread(&format!("search {}", "x ".repeat(200))).contains("300 is the most"));
    }
}
