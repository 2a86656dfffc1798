//! What memory says about an incident, in the flow's own words. Filled in by the edge that wraps the index.

use super::moment::At;
use serde::{Deserialize, Serialize};

/// The incident at hand, as a question to memory: only what is known now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Question {
    /// This incident's own name, never its own evidence: `INC-12`.
    pub case: String,
    pub at: At,
    pub title: String,
    pub text: String,
    pub service: Option<String>,
    pub labels: std::collections::BTreeMap<String, String>,
}

/// Memory's answer. Bounded: at most 10 past incidents, 5 causes, 5 responders.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Recollection {
    /// Version of the model that ranked.
    pub model: String,
    pub similar: Vec<PastIncident>,
    pub causes: Vec<Candidate>,
    pub responders: Vec<Candidate>,
    /// Past incidents alike enough to count as "seen before".
    pub seen: u32,
    /// Past incidents in memory.
    pub of: u64,
    /// When the oldest of them opened.
    pub since: Option<At>,
    /// What memory needs to learn from this later: its own business, without names.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub memo: String,
}

/// A past incident that resembles this one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PastIncident {
    /// `INC-12`, or the id of an imported one.
    pub case: String,
    pub title: String,
    pub opened_at: At,
    pub cause: Option<String>,
    pub resolution: Option<String>,
    pub responders: Vec<String>,
    pub url: Option<String>,
    /// Share of this incident's telling words found in it, 0..=1.
    pub similarity: f64,
    /// What they share, most telling first.
    pub shared: Vec<String>,
    /// The passage that matched best.
    pub snippet: String,
}

/// An answer with its probability, the features that made it, and the past incidents that spoke for it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Candidate {
    pub value: String,
    /// Calibrated, 0..=1.
    pub p: f64,
    pub features: Vec<(String, f64)>,
    /// Past incidents and their share of the vote.
    pub evidence: Vec<(String, f64)>,
}

/// What is to be remembered of an incident that ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Lesson {
    pub case: String,
    pub opened_at: At,
    pub closed_at: Option<At>,
    pub title: String,
    pub text: String,
    pub service: Option<String>,
    pub labels: std::collections::BTreeMap<String, String>,
    pub cause: Option<String>,
    pub resolution: Option<String>,
    /// Opaque person ids, the one who mattered most first.
    pub responders: Vec<String>,
    /// Runbook and whether it was verified to have worked.
    pub runbooks: Vec<(String, bool)>,
    pub url: Option<String>,
    /// What memory had said of it, to learn how sure to be; only with the first lesson of an incident.
    pub said: Option<Opinion>,
}

/// Every candidate memory named, with its features as they were then.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Opinion {
    pub model: String,
    pub causes: Vec<Candidate>,
    pub responders: Vec<Candidate>,
    /// [`Recollection::memo`] of then.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub memo: String,
}
