//! Backup and restore: the whole database at one moment, as text that either database can be filled from.
//!
//! A gzip of JSON lines: what it is, then table by table its columns and its rows, at the end how many there must be, where the
//! journal ends, a checksum, and the journal key's seal over that. Knows tables as lists of rows; knows nothing of what is in them.

mod restore;
mod take;

pub use self::restore::{Restored, restore};
pub use self::take::take;

use crate::ports::StoreError;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Raised when older programs can't read it any more.
const FORMAT: u32 = 1;
/// Bytes of one line: far above the largest snapshot, and a bound for what a damaged file can ask of memory.
const MAX_LINE: u64 = 256 * 1024 * 1024;

/// What a backup is, in its first line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// `backup`.
    pub smokejumper: String,
    pub format: u32,
    /// Of the program that made it.
    pub version: String,
    pub schema: usize,
    /// Epoch milliseconds.
    pub made_at: i64,
    /// The journal's key, hex, when it was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
}

/// What must be in it, in its last line.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// Rows by table.
    pub tables: BTreeMap<String, u64>,
    /// The journal's last entry and link.
    pub seq: i64,
    pub chain: String,
    /// Of every byte before this line.
    pub sha256: String,
}

/// Any line but the first.
#[derive(Debug, Serialize, Deserialize)]
#[serde(untagged)]
enum Line {
    Row(Vec<Cell>),
    Table { table: String, columns: Vec<String> },
    End { manifest: Manifest, seal: String },
}

/// A value of either of the two types there are, or none.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
enum Cell {
    Number(i64),
    Text(String),
    Nothing(()),
}

/// The manifest as it is sealed.
fn sealed(manifest: &Manifest) -> Result<String, StoreError> {
    super::pen::json(manifest)
}

fn damaged(what: &str) -> StoreError {
    StoreError::Unusable(format!("this backup is damaged or no backup: {what}; nothing was restored"))
}
