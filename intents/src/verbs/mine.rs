//! `mine`: what whoever asks has to do. A platform with a page of one's own shows it there.

use crate::args::Args;
use crate::intent::Intent;
use crate::misread::Misread;
use crate::verb::{Group, Kind, Scope, Verb};
use crate::word::Right;

pub const VERB: Verb = Verb {
    name: "mine",
    aliases: &["my"],
    group: Group::Start,
    usage: "",
    synopsis: "your incidents and tasks, and what waits for your approval",
    example: "mine",
    scope: Scope::Lobby,
    needs: Right::Viewer,
    kind: Kind::Ask,
    parse,
};

// Every parser has this signature; this one has nothing to refuse.
#[allow(clippy::unnecessary_wraps)]
fn parse(_: &mut Args<'_>) -> Result<Intent, Misread> {
    Ok(Intent::Mine)
}
