//! What must survive the database: how far the journal had come, and which runs were ever started.
//!
//! Both are small fsynced files beside the database. A database that is older than its anchor was restored from a copy:
//! it delivers and runs nothing until a person confirms. Knows files and seals, no SQL.

use super::chain::ChainKey;
use super::pen::Head;
use crate::ports::StoreError;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

/// How far the database had come when this was written.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Anchor {
    pub seq: i64,
    pub chain: String,
    pub epoch: i64,
    pub generation: i64,
    /// The last ids given, which no copy may give again.
    pub inbox: i64,
    pub outbox: i64,
}

#[derive(Serialize, Deserialize)]
struct Sealed {
    anchor: Anchor,
    seal: String,
}

impl Anchor {
    #[must_use]
    pub fn of(head: &Head, epoch: i64) -> Self {
        let Head { seq, chain, inbox, outbox, generation, .. } = head.clone();
        Self { seq, chain, epoch, generation, inbox, outbox }
    }
}

/// The anchor's file.
#[derive(Clone, Debug)]
pub struct AnchorFile(pub PathBuf);

/// What the file says.
#[derive(Debug)]
pub enum Found {
    Nothing,
    /// There, but not as this key sealed it.
    Unreadable,
    Anchor(Anchor),
}

impl AnchorFile {
    pub fn read(&self, key: &ChainKey) -> Result<Found, StoreError> {
        let text = match fs::read_to_string(&self.0) {
            Ok(text) => text,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Found::Nothing),
            Err(e) if e.kind() == std::io::ErrorKind::InvalidData => return Ok(Found::Unreadable),
            Err(e) => return Err(StoreError::Unusable(format!("cannot read {}: {e}", self.0.display()))),
        };
        let Ok(sealed) = serde_json::from_str::<Sealed>(&text) else { return Ok(Found::Unreadable) };
        let same = seal(&sealed.anchor, key).is_some_and(|seal| seal == sealed.seal);
        Ok(if same { Found::Anchor(sealed.anchor) } else { Found::Unreadable })
    }

    /// Durable when it returns: a new file takes the old one's place whole.
    pub fn write(&self, anchor: &Anchor, key: &ChainKey) -> std::io::Result<()> {
        let seal = seal(anchor, key).unwrap_or_default();
        let text = serde_json::to_string(&Sealed { anchor: anchor.clone(), seal })?;
        let fresh = self.0.with_extension("anchor.new");
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&fresh)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&fresh, &self.0)?;
        sync_dir(&self.0)
    }
}

fn seal(anchor: &Anchor, key: &ChainKey) -> Option<String> {
    serde_json::to_string(anchor).ok().map(|text| key.seal(&text))
}

/// The runs that were ever started here, by their operation id, one a line. A line without its end was never promised.
#[derive(Debug)]
pub struct Starts {
    path: PathBuf,
    ops: BTreeSet<String>,
}

impl Starts {
    pub fn read(path: PathBuf) -> Result<Self, StoreError> {
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => String::new(),
            Err(e) => {
                let what = format!("cannot read {}: {e}; it holds which runs were started", path.display());
                return Err(StoreError::Unusable(what));
            }
        };
        let whole = text.rfind('\n').map_or("", |end| text.get(..end).unwrap_or_default());
        let ops = whole.lines().map(str::to_owned).collect();
        Ok(Self { path, ops })
    }

    #[must_use]
    pub fn contains(&self, op: &str) -> bool {
        self.ops.contains(&line(op))
    }

    /// Durable when it returns.
    pub fn add(&mut self, ops: &[String]) -> std::io::Result<()> {
        let mut file = OpenOptions::new().append(true).create(true).mode(0o600).open(&self.path)?;
        // A line that was torn by a crash must not swallow the next one.
        let mut text = String::from("\n");
        for op in ops {
            text.push_str(&line(op));
            text.push('\n');
        }
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        sync_dir(&self.path)?;
        self.ops.extend(ops.iter().map(|op| line(op)));
        Ok(())
    }
}

/// An operation id as it fits on one line.
fn line(op: &str) -> String {
    op.chars().filter(|c| !c.is_control()).collect()
}

/// Makes a file's name as durable as its content.
pub fn sync_dir(file: &Path) -> std::io::Result<()> {
    match file.parent() {
        Some(dir) => File::open(dir)?.sync_all(),
        None => Ok(()),
    }
}
