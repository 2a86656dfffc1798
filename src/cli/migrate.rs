//! `migrate`: brings the database's schema up to date before a new version serves it, or only says what that would do.

use super::exit::Exit;
use super::{Global, speak};
use crate::edges::clock::WallClock;
use crate::edges::store::upgrade::Schema;
use crate::ports::StoreError;
use std::sync::Arc;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// Change nothing: exit code 0 when there is nothing to do, 1 when something is pending or this version cannot read it
    #[arg(long)]
    check: bool,
}

pub async fn run(global: &Global, args: &Args) -> Exit {
    let location = match global.location() {
        Ok(location) => location,
        Err(why) => return Exit::failed(&why),
    };
    let looked =
        if args.check { Schema::look(&location).await } else { Schema::migrate(&location, Arc::new(WallClock)).await };
    let schema = match looked {
        Ok(schema) => schema,
        Err(error) => {
            speak::error(&error.to_string());
            return if matches!(error, StoreError::Unavailable(_)) { Exit::Storage } else { Exit::Failed };
        }
    };
    let (found, known, names) = (schema.found, Schema::known(), schema.pending.join(", "));
    let (said, exit) = match (schema.pending.is_empty(), args.check) {
        (true, _) => (format!("schema {found} of {known}: nothing to do"), Exit::Ok),
        (false, true) => {
            (format!("schema {found} of {known}: pending {names}; this version can read it"), Exit::Failed)
        }
        (false, false) => (format!("schema {known}, brought up to date from {found}: {names}"), Exit::Ok),
    };
    if !global.quiet {
        super::say(&said);
    }
    exit
}
