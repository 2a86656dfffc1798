//! `backup`: the whole database at this moment, in one file. Beside a running smokejumper.

use super::exit::Exit;
use super::{Global, speak};
use crate::edges::clock::WallClock;
use crate::edges::store::backup;
use crate::edges::store::reader::Reader;
use crate::ports::{Clock as _, StoreError};
use std::path::PathBuf;
use std::sync::Arc;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// A new file, readable by you alone: gzip of JSON lines, the same for SQLite and Postgres
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Put the journal's key into it, too: then it is all a restore needs, and a secret
    #[arg(long)]
    with_key: bool,
}

pub async fn run(global: &Global, args: &Args) -> Exit {
    let location = match global.location() {
        Ok(location) => location,
        Err(why) => return Exit::failed(&why),
    };
    let taken = async {
        let reader = Reader::open(&location, Arc::new(WallClock)).await?;
        let taken = backup::take(&reader, &args.file, args.with_key, WallClock.now().0).await;
        reader.close().await;
        taken
    };
    match taken.await {
        Ok(manifest) => {
            if !global.quiet {
                let rows: u64 = manifest.tables.values().sum();
                speak::note(&format!("{}: {rows} rows, facts up to {}", args.file.display(), manifest.seq));
                speak::note(&if args.with_key {
                    "The journal's key is in it: whoever has this file could forge the journal. Keep it like a password.".to_owned()
                } else {
                    let key = location.dir.join("journal.key");
                    format!(
                        "All incidents are in it, private ones too: keep it as safe as the database. A restore needs {} \
                         besides: keep a copy of it elsewhere.",
                        key.display()
                    )
                });
            }
            Exit::Ok
        }
        Err(error) => told(&error),
    }
}

/// Trouble with storage, in an exit code.
pub fn told(error: &StoreError) -> Exit {
    speak::error(&error.to_string());
    if matches!(error, StoreError::Unavailable(_)) { Exit::Storage } else { Exit::Failed }
}
