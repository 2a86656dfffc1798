//! `ack`: somebody is on it.

use crate::args::Args;
use crate::intent::Intent;
use crate::misread::Misread;
use crate::verb::{Group, Kind, Scope, Verb};
use crate::word::Right;

pub const VERB: Verb = Verb {
    name: "ack",
    aliases: &["acknowledge", "acked"],
    group: Group::Respond,
    usage: "",
    synopsis: "say that you are on it",
    example: "ack",
    scope: Scope::Incident,
    needs: Right::Responder,
    kind: Kind::Act,
    parse,
};

// Every parser has this signature; this one has nothing to refuse.
#[allow(clippy::unnecessary_wraps)]
fn parse(_: &mut Args<'_>) -> Result<Intent, Misread> {
    Ok(Intent::Acknowledge)
}
