//! What the bot and the supervisor say to each other: one order in, a few reports out, each a line of JSON.
//!
//! Values of secrets travel in an order, over a pipe, and nowhere else; so an order has no `Debug`.

use crate::flow::plan::FileDigest;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// Longest order in bytes: Linux takes 128 KiB an argument and a few MiB in all, and our plans are far smaller.
pub const MAX_ORDER: u64 = 1024 * 1024;
/// All reports of one supervisor in bytes; it writes three lines.
pub const MAX_REPORTS: u64 = 64 * 1024;

/// One process to start.
#[derive(Serialize, Deserialize)]
pub struct Order {
    /// `argv[0]` is the program: an absolute path that `files` lists.
    pub argv: Vec<String>,
    /// The whole environment, secrets filled in.
    pub env: Vec<(String, String)>,
    pub cwd: String,
    pub timeout_ms: u64,
    /// Digests that were approved. An argument that is one of these paths is replaced by the very bytes that were hashed.
    pub files: Vec<FileDigest>,
    /// Folders and files the process must not reach, where the kernel can hold it to that.
    pub protect: Vec<PathBuf>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Report {
    /// Nothing was started, and nothing will be.
    Refused {
        why: String,
    },
    Started {
        pid: i32,
        /// The kernel keeps it out of the protected folders.
        confined: bool,
    },
    Ended(End),
}

/// How it ended, after every descendant was ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct End {
    pub how: How,
    /// Exit code of the program itself.
    pub code: Option<i32>,
    /// Signal that ended it, when one did.
    pub signal: Option<i32>,
    /// Processes it left behind and that were ended.
    pub leftovers: usize,
    /// Processes that could not be ended (stuck in the kernel).
    pub survivors: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum How {
    Exited,
    TimedOut,
    /// The bot asked for it, or is gone.
    Cancelled,
    /// It made more processes than are allowed.
    TooMany,
}
