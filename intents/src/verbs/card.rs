//! `card`: where the incident stands, all in one place.

use crate::args::Args;
use crate::intent::Intent;
use crate::misread::Misread;
use crate::verb::{Group, Kind, Scope, Verb};
use crate::word::Right;

pub const VERB: Verb = Verb {
    name: "card",
    aliases: &["show"],
    group: Group::Understand,
    usage: "",
    synopsis: "where it stands, all in one place",
    example: "card",
    scope: Scope::Incident,
    needs: Right::Viewer,
    kind: Kind::Ask,
    parse,
};

// Every parser has this signature; this one has nothing to refuse.
#[allow(clippy::unnecessary_wraps)]
fn parse(args: &mut Args<'_>) -> Result<Intent, Misread> {
    while args.take().is_some() {}
    Ok(Intent::Card)
}
