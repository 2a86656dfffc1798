//! `why`: the probable cause, with its evidence.

use crate::args::Args;
use crate::intent::Intent;
use crate::misread::Misread;
use crate::verb::{Group, Kind, Scope, Verb};
use crate::word::Right;

pub const VERB: Verb = Verb {
    name: "why",
    aliases: &[],
    group: Group::Understand,
    usage: "",
    synopsis: "the probable cause, with its evidence",
    example: "why",
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
    Ok(Intent::Why)
}
