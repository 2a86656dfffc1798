//! What an alert source says, after its edge has read it: bounded, plain, platform-free.

use super::moment::At;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Labels and annotations kept of one alert; Prometheus allows more, nobody reads more.
pub const MAX_LABELS: usize = 64;
/// Characters kept of a label's name or value (an Alertmanager label value can be a whole log line).
pub const MAX_LABEL_CHARS: usize = 256;
/// Characters kept of an annotation.
pub const MAX_ANNOTATION_CHARS: usize = 2_000;
/// Signals in one event; a larger delivery is cut into several before it is stored.
pub const MAX_SIGNALS: usize = 500;

/// Start of an alert whose source gave none that can be true (missing, year 1, in the far future). It sorts before every real
/// start, so such an alert can neither hide a later one nor outlive it; show it as "unknown".
pub const START_UNKNOWN: At = At(0);

/// Names an alert: the source it came from, and its fingerprint there.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct AlertKey {
    pub source: String,
    pub fingerprint: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AlertStatus {
    Firing,
    Resolved,
}

/// One alert in one delivery.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signal {
    pub key: AlertKey,
    pub status: AlertStatus,
    pub starts_at: At,
    pub ends_at: Option<At>,
    pub labels: BTreeMap<String, String>,
    pub annotations: BTreeMap<String, String>,
    /// Where the source shows it. Outside text.
    pub link: Option<String>,
}

/// What one delivery of a source said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delivery {
    pub source: String,
    /// The source's own grouping, when it has one (`groupKey`).
    pub group: Option<String>,
    pub signals: Vec<Signal>,
}

/// Characters kept of a change's summary and of who made it.
pub const MAX_CHANGE_CHARS: usize = 200;

/// Something was changed on purpose: a deployment, a configuration, a flag. A suspect, never an alert.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    pub source: String,
    /// Unique within the source; a repeated delivery updates the change.
    pub id: String,
    pub at: At,
    /// Whom it may have affected; `None`: everything.
    pub service: Option<String>,
    pub environment: Option<String>,
    /// In the source's words: `Deploy v41 to production`.
    pub summary: String,
    /// Who made it, in the source's words.
    pub by: Option<String>,
    pub link: Option<String>,
    pub status: ChangeStatus,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChangeStatus {
    InProgress,
    Succeeded,
    Failed,
}

impl Signal {
    /// What to call it: `alertname`, or the best other name it brings.
    #[must_use]
    pub fn name(&self) -> &str {
        ["alertname", "name", "rule", "title"]
            .iter()
            .find_map(|k| self.labels.get(*k))
            .map_or("alert without a name", String::as_str)
    }

    /// The one-line summary it brings, if any.
    #[must_use]
    pub fn summary(&self) -> Option<&str> {
        ["summary", "title", "message", "description"]
            .iter()
            .find_map(|k| self.annotations.get(*k))
            .map(String::as_str)
            .filter(|s| !s.trim().is_empty())
    }
}
