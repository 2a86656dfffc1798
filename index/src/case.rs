//! Plain data of the memory: past incidents, the incident at hand, and what memory says about it.
//!
//! Knows nothing of chats, SQL or tantivy.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Names a case: `INC-12`, or the id of an imported one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct CaseId(pub String);

/// A past incident, as far as it is known. Targets (`cause`, `responders`, `resolution`, `runbooks`) may be missing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Case {
    pub id: CaseId,
    /// Epoch milliseconds UTC.
    pub opened_at: i64,
    pub closed_at: Option<i64>,
    pub title: String,
    pub text: String,
    pub service: Option<String>,
    pub labels: BTreeMap<String, String>,
    pub cause: Option<String>,
    pub resolution: Option<String>,
    /// Opaque ids of persons or teams, the one who mattered most first.
    pub responders: Vec<String>,
    pub runbooks: Vec<RunbookOutcome>,
    /// Where to read more.
    pub url: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunbookOutcome {
    pub runbook: String,
    /// Verified to have worked.
    pub worked: bool,
}

/// The incident at hand: only what is known now.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Probe {
    /// Epoch milliseconds UTC: what is later than this is not used.
    pub at: i64,
    pub title: String,
    pub text: String,
    pub service: Option<String>,
    pub labels: BTreeMap<String, String>,
    /// The case of this same incident, never its own evidence.
    pub exclude: Option<CaseId>,
}

/// A similar past incident, with why it was found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Recalled {
    pub case: Case,
    /// Share of the probe's term weight found in the case, 0..=1.
    pub similarity: f64,
    /// Raw retrieval score; comparable within one answer only.
    pub score: f64,
    /// The terms and labels they share, most telling first, at most 8.
    pub shared: Vec<String>,
    /// The passage that matched best, at most 240 characters; plain text.
    pub snippet: String,
}

/// A candidate answer with its calibrated probability and its reasons. Never without evidence.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Ranked {
    pub value: String,
    /// Calibrated probability that this is the right one, 0..=1.
    pub p: f64,
    /// What counted: log-odds that each kind of evidence gave it beyond the others, the strongest first, at most 6.
    pub features: Vec<(String, f64)>,
    /// Cases that voted for it, strongest first, at most 5, each with its share of the vote (0..=1).
    pub evidence: Vec<(CaseId, f64)>,
}

/// Everything memory says about a probe.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Answer {
    /// Version of the model that ranked: name and generation.
    pub model: String,
    /// Most similar first, at most 10.
    pub similar: Vec<Recalled>,
    /// Best first, at most 5.
    pub causes: Vec<Ranked>,
    /// Best first, at most 5.
    pub responders: Vec<Ranked>,
    /// How many past cases are alike enough to count as "seen before".
    pub seen: u32,
    /// Cases in memory when this was answered.
    pub of: u64,
    /// Opening time of the oldest case in memory (epoch ms), for "in 2 years of history".
    pub since: Option<i64>,
    /// All features of the first candidates as they were now, for [`crate::Memory::learn`] (ARCHITECTURE.md D8). Opaque
    /// text of about 4 KiB, without names; only the model that wrote it reads it.
    pub memo: String,
}
