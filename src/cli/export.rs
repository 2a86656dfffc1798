//! `export`: every incident with its facts, alerts and effects, one JSON object a line. Private incidents stay.
//!
//! Reads beside a running smokejumper; writes nothing but the export.

use super::exit::Exit;
use super::{Global, speak};
use crate::edges::clock::WallClock;
use crate::edges::store::location::Location;
use crate::edges::store::reader::Reader;
use crate::ports::StoreError;
use std::os::fd::AsFd as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::fs::{File, OpenOptions};

#[derive(Debug, clap::Args)]
pub struct Args {
    /// Write to this new file, readable by you alone, instead of standard output
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

pub async fn run(global: &Global, args: &Args) -> Exit {
    let location = match global.location() {
        Ok(location) => location,
        Err(why) => return Exit::failed(&why),
    };
    match export(&location, args.output.as_deref()).await {
        Ok(number) => {
            if !global.quiet {
                speak::note(&format!("{number} {} exported", if number == 1 { "incident" } else { "incidents" }));
            }
            Exit::Ok
        }
        Err(Trouble::Store(error)) => {
            speak::error(&error.to_string());
            if matches!(error, StoreError::Unavailable(_)) { Exit::Storage } else { Exit::Failed }
        }
        Err(Trouble::File(path, error)) => {
            speak::error(&format!("{} cannot be written: {error}", path.display()));
            Exit::Failed
        }
    }
}

enum Trouble {
    Store(StoreError),
    File(PathBuf, std::io::Error),
}

async fn export(location: &Location, output: Option<&Path>) -> Result<u64, Trouble> {
    let reader = Reader::open(location, Arc::new(WallClock)).await.map_err(Trouble::Store)?;
    let Some(path) = output else {
        let stdout = std::io::stdout().as_fd().try_clone_to_owned();
        let stdout = stdout.map_err(|error| Trouble::File(PathBuf::from("standard output"), error))?;
        return reader.export(&mut File::from_std(stdout.into())).await.map_err(Trouble::Store);
    };
    let failed = |error| Trouble::File(path.to_owned(), error);
    // Alerts and facts are not for everybody on this machine; an older export is not overwritten.
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).await.map_err(failed)?;
    let written = match reader.export(&mut file).await {
        Ok(number) => file.sync_all().await.map(|()| number).map_err(failed),
        Err(error) => Err(Trouble::Store(error)),
    };
    if written.is_err() {
        // Half an export must not pass for a whole one.
        let _ = tokio::fs::remove_file(path).await;
    }
    written
}
