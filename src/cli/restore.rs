//! `restore`: fills an empty data directory and database from a backup. What comes of it delivers and runs nothing until a
//! person confirms.

use super::backup::told;
use super::exit::Exit;
use super::{Global, speak};
use crate::edges::store::backup;
use crate::edges::store::chain::unhex;
use std::path::{Path, PathBuf};

/// Bytes of a key's file.
const MAX_KEY_FILE: u64 = 1024;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// What `smokejumper backup` made
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The journal's key: a copy of journal.key. Not needed when it is in the backup, or in the data directory already
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
}

pub async fn run(global: &Global, args: &Args) -> Exit {
    let location = match global.location() {
        Ok(location) => location,
        Err(why) => return Exit::failed(&why),
    };
    let key = match args.key.as_deref().map(read_key).transpose() {
        Ok(key) => key,
        Err(why) => return Exit::failed(&why),
    };
    match backup::restore(&location, &args.file, key).await {
        Ok(restored) => {
            if !global.quiet {
                let rows: u64 = restored.manifest.tables.values().sum();
                let (dir, seq) = (location.dir.display(), restored.manifest.seq);
                speak::note(&format!("restored into {dir}: {rows} rows, facts up to {seq}; the journal is whole"));
                speak::note(
                    "It starts in restored mode: alerts are taken in, nothing is delivered and nothing runs. When you have looked and \
                     the old one is stopped for good: smokejumper serve --confirm-restored",
                );
            }
            Exit::Ok
        }
        Err(error) => told(&error),
    }
}

fn read_key(file: &Path) -> Result<[u8; 32], String> {
    let cannot = |why: String| format!("the key {} cannot be used: {why}", file.display());
    let size = std::fs::metadata(file).map_err(|e| cannot(e.to_string()))?.len();
    if size > MAX_KEY_FILE {
        return Err(cannot("it is too large to be one".to_owned()));
    }
    let text = std::fs::read_to_string(file).map_err(|e| cannot(e.to_string()))?;
    unhex(text.trim()).ok_or_else(|| cannot("it is not a journal.key".to_owned()))
}
