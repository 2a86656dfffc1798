//! `similar`: past incidents like this one.

use crate::args::Args;
use crate::intent::Intent;
use crate::misread::Misread;
use crate::verb::{Group, Kind, Scope, Verb};
use crate::word::Right;

pub const VERB: Verb = Verb {
    name: "similar",
    aliases: &[],
    group: Group::Understand,
    usage: "",
    synopsis: "past incidents like this one, and what fixed them",
    example: "similar",
    scope: Scope::Incident,
    needs: Right::Viewer,
    kind: Kind::Ask,
    parse,
};

// Every parser has this signature; this one has nothing to refuse.
#[allow(clippy::unnecessary_wraps)]
fn parse(_: &mut Args<'_>) -> Result<Intent, Misread> {
    Ok(Intent::Similar)
}
