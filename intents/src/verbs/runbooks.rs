//! `runbooks`: what can be run, with its record.

use crate::args::Args;
use crate::intent::Intent;
use crate::misread::Misread;
use crate::verb::{Group, Kind, Scope, Verb};
use crate::word::Right;

pub const VERB: Verb = Verb {
    name: "runbooks",
    aliases: &["actions"],
    group: Group::Repair,
    usage: "",
    synopsis: "the runbooks, and how often each one worked",
    example: "runbooks",
    scope: Scope::Both,
    needs: Right::Viewer,
    kind: Kind::Ask,
    parse,
};

// Every parser has this signature; this one has nothing to refuse.
#[allow(clippy::unnecessary_wraps)]
fn parse(_: &mut Args<'_>) -> Result<Intent, Misread> {
    Ok(Intent::Runbooks)
}
