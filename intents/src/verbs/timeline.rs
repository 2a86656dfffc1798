//! `timeline`: what happened, in order.

use crate::args::Args;
use crate::intent::Intent;
use crate::misread::Misread;
use crate::verb::{Group, Kind, Scope, Verb};
use crate::word::Right;

pub const VERB: Verb = Verb {
    name: "timeline",
    aliases: &["log"],
    group: Group::Understand,
    usage: "",
    synopsis: "what happened, in order",
    example: "timeline",
    scope: Scope::Incident,
    needs: Right::Viewer,
    kind: Kind::Ask,
    parse,
};

// Every parser has this signature; this one has nothing to refuse.
#[allow(clippy::unnecessary_wraps)]
fn parse(_: &mut Args<'_>) -> Result<Intent, Misread> {
    Ok(Intent::Timeline)
}
