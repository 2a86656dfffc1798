//! `audit`: is the journal as it was written, and what is in it, for other systems. Run on the machine: whoever may read the data
//! directory may read this.

use super::backup::told;
use super::exit::Exit;
use super::{Global, speak};
use crate::edges::clock::WallClock;
use crate::edges::store::audit::Verified;
use crate::edges::store::reader::Reader;
use crate::edges::store::trail::Trail;
use crate::ports::StoreError;
use clap::{Subcommand, ValueEnum};
use serde_json::{Value, json};
use std::fs::OpenOptions;
use std::io::{BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Entries read at a time.
const PAGE: u32 = 500;

#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Check every link of the chain and the anchor outside the database. Exit code 1: somebody changed the journal
    Verify,
    /// Write every entry, in the order of the chain
    Export(Export),
}

#[derive(Debug, clap::Args)]
struct Export {
    #[arg(long, value_enum, default_value_t = Format::Json)]
    format: Format,
    /// Entries of private incidents, too
    #[arg(long)]
    private: bool,
    /// Write to this new file, readable by you alone, instead of standard output
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Format {
    /// One object a line
    Json,
    /// For spreadsheets: no cell is taken for a formula
    Csv,
}

pub async fn run(global: &Global, args: &Args) -> Exit {
    let location = match global.location() {
        Ok(location) => location,
        Err(why) => return Exit::failed(&why),
    };
    let reader = match Reader::open(&location, Arc::new(WallClock)).await {
        Ok(reader) => reader,
        Err(error) => return told(&error),
    };
    let exit = match &args.what {
        What::Verify => verify(&reader, global.quiet).await,
        What::Export(export) => write(&reader, export).await,
    };
    reader.close().await;
    exit
}

async fn verify(reader: &Reader, quiet: bool) -> Exit {
    match reader.verify_chain().await {
        Ok(Verified::Whole { entries, redacted, chain }) => {
            if !quiet {
                let erased =
                    if redacted > 0 { format!(", {redacted} of them erased on record") } else { String::new() };
                speak::out(&format!("whole: {entries} entries{erased}; the last link is {chain}\n"));
            }
            Exit::Ok
        }
        Ok(Verified::Tampered { seq, what }) => {
            speak::error(&format!(
                "the journal was changed: the first bad entry is {seq}: {what}. Keep a copy, and restore a backup"
            ));
            Exit::Failed
        }
        Err(error) => told(&error),
    }
}

enum Trouble {
    Store(StoreError),
    File(std::io::Error),
}

async fn write(reader: &Reader, export: &Export) -> Exit {
    let written = match &export.output {
        None => lines(reader, export, &mut std::io::stdout()).await,
        Some(path) => to_file(reader, export, path).await,
    };
    match written {
        Ok(()) => Exit::Ok,
        Err(Trouble::Store(error)) => told(&error),
        // Who reads our output has gone.
        Err(Trouble::File(e)) if e.kind() == std::io::ErrorKind::BrokenPipe => Exit::Ok,
        Err(Trouble::File(e)) => Exit::failed(&format!("the export cannot be written: {e}")),
    }
}

async fn to_file(reader: &Reader, export: &Export, path: &Path) -> Result<(), Trouble> {
    let mut open = OpenOptions::new();
    let file = open.write(true).create_new(true).mode(0o600).open(path).map_err(Trouble::File)?;
    let mut out = BufWriter::new(file);
    let written = lines(reader, export, &mut out).await;
    let synced = written.and_then(|()| out.get_ref().sync_all().map_err(Trouble::File));
    if synced.is_err() {
        // Half an export must not pass for a whole one.
        let _ = std::fs::remove_file(path);
    }
    synced
}

async fn lines(reader: &Reader, export: &Export, out: &mut (dyn Write + Send)) -> Result<(), Trouble> {
    if matches!(export.format, Format::Csv) {
        out.write_all(b"seq,incident,entry,at,actor,kind,body,chain\r\n").map_err(Trouble::File)?;
    }
    let mut after = 0;
    loop {
        let page = reader.trail(after, PAGE, export.private).await.map_err(Trouble::Store)?;
        let Some(last) = page.last() else { break };
        after = last.seq;
        for entry in &page {
            let line = match export.format {
                Format::Json => as_json(entry),
                Format::Csv => as_csv(entry),
            };
            out.write_all(line.as_bytes()).map_err(Trouble::File)?;
        }
    }
    out.flush().map_err(Trouble::File)
}

fn moment(entry: &Trail) -> String {
    jiff::Timestamp::from_millisecond(entry.at.0).map(|at| format!("{at:.3}")).unwrap_or_default()
}

fn as_json(entry: &Trail) -> String {
    let parsed = |text: &str| serde_json::from_str::<Value>(text).unwrap_or_else(|_| json!(text));
    let line = json!({
        "seq": entry.seq, "incident": entry.incident, "n": entry.n, "at": moment(entry), "actor": parsed(&entry.actor),
        "kind": entry.kind, "body": entry.body.as_deref().map(parsed), "erased": entry.body.is_none(), "chain": entry.chain,
    });
    format!("{line}\n")
}

fn as_csv(entry: &Trail) -> String {
    let cells = [
        entry.seq.to_string(),
        entry.incident.to_string(),
        entry.n.to_string(),
        moment(entry),
        entry.actor.clone(),
        entry.kind.clone(),
        entry.body.clone().unwrap_or_else(|| "(erased)".to_owned()),
        entry.chain.clone(),
    ];
    format!("{}\r\n", cells.map(|text| cell(&text)).join(","))
}

/// In quotes, on one line; what a spreadsheet would calculate begins with an apostrophe.
fn cell(text: &str) -> String {
    let plain: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let formula = plain.trim_start().starts_with(['=', '+', '-', '@', '\u{ff1d}', '\u{ff0b}', '\u{ff0d}', '\u{ff20}']);
    let number = !plain.is_empty() && plain.bytes().all(|b| b.is_ascii_digit());
    let guard = if formula { "'" } else { "" };
    if number { plain } else { format!("\"{guard}{}\"", plain.replace('"', "\"\"")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_is_a_formula_and_no_text_leaves_its_cell() {
        for (text, written) in [
            ("=cmd|' /C calc'!A0", "\"'=cmd|' /C calc'!A0\""),
            ("\t=1+1", "\"' =1+1\""),
            ("+1", "\"'+1\""),
            ("-1", "\"'-1\""),
            ("@SUM(A1)", "\"'@SUM(A1)\""),
            ("a,\"b\"\r\n=c", "\"a,\"\"b\"\"  =c\""),
            ("12", "12"),
            ("", "\"\""),
        ] {
            assert_eq!(cell(text), written, "{text:?}");
        }
    }
}
