//! `who`: whom to call, and why them.

use crate::args::Args;
use crate::intent::Intent;
use crate::misread::Misread;
use crate::verb::{Group, Kind, Scope, Verb};
use crate::word::Right;

pub const VERB: Verb = Verb {
    name: "who",
    aliases: &["whom"],
    group: Group::Understand,
    usage: "",
    synopsis: "who can help best, and why",
    example: "who",
    scope: Scope::Incident,
    needs: Right::Viewer,
    kind: Kind::Ask,
    parse,
};

// Every parser has this signature; this one has nothing to refuse.
#[allow(clippy::unnecessary_wraps)]
fn parse(args: &mut Args<'_>) -> Result<Intent, Misread> {
    // Questions come in sentences: `why is checkout down?`
    while args.take().is_some() {}
    Ok(Intent::WhoToCall)
}
