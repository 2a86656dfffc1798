//! The closed vocabularies people use: severities, lifecycle states, roles, rights.
//!
//! Knows nothing of how a word is parsed or what follows from it.

use serde::{Deserialize, Serialize};

/// How bad it is. `Sev1` is the worst.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    Sev1,
    Sev2,
    Sev3,
    Sev4,
}

/// Where an incident stands. The first eight are walked in order (any may be skipped); the last three end it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    Triage,
    Investigating,
    Identified,
    Mitigated,
    Monitoring,
    Resolved,
    Postmortem,
    Closed,
    Declined,
    Merged,
    Cancelled,
}

/// What somebody does in an incident.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    Commander,
    Scribe,
    Communications,
    Operations,
}

/// A moment of an incident that can be corrected afterwards.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Milestone {
    ImpactStarted,
    Detected,
    Declared,
    Acknowledged,
    Identified,
    Mitigated,
    Resolved,
}

/// What somebody is allowed to do. Each right includes the ones before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Right {
    Viewer,
    Responder,
    Approver,
    Admin,
}

impl Severity {
    pub const ALL: [Self; 4] = [Self::Sev1, Self::Sev2, Self::Sev3, Self::Sev4];

    /// As shown: `SEV1`.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Sev1 => "SEV1",
            Self::Sev2 => "SEV2",
            Self::Sev3 => "SEV3",
            Self::Sev4 => "SEV4",
        }
    }
}

impl State {
    pub const ALL: [Self; 11] = [
        Self::Triage,
        Self::Investigating,
        Self::Identified,
        Self::Mitigated,
        Self::Monitoring,
        Self::Resolved,
        Self::Postmortem,
        Self::Closed,
        Self::Declined,
        Self::Merged,
        Self::Cancelled,
    ];

    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Triage => "triage",
            Self::Investigating => "investigating",
            Self::Identified => "identified",
            Self::Mitigated => "mitigated",
            Self::Monitoring => "monitoring",
            Self::Resolved => "resolved",
            Self::Postmortem => "postmortem",
            Self::Closed => "closed",
            Self::Declined => "declined",
            Self::Merged => "merged",
            Self::Cancelled => "cancelled",
        }
    }

    /// Still somebody's problem: before `resolved`.
    #[must_use]
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Triage | Self::Investigating | Self::Identified | Self::Mitigated | Self::Monitoring)
    }

    /// Ended for good: nothing leads out of it.
    #[must_use]
    pub const fn is_absorbing(self) -> bool {
        matches!(self, Self::Declined | Self::Merged | Self::Cancelled)
    }
}

impl Milestone {
    pub const ALL: [Self; 7] = [
        Self::ImpactStarted,
        Self::Detected,
        Self::Declared,
        Self::Acknowledged,
        Self::Identified,
        Self::Mitigated,
        Self::Resolved,
    ];

    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::ImpactStarted => "impact started",
            Self::Detected => "detected",
            Self::Declared => "declared",
            Self::Acknowledged => "acknowledged",
            Self::Identified => "identified",
            Self::Mitigated => "mitigated",
            Self::Resolved => "resolved",
        }
    }
}

impl Role {
    pub const ALL: [Self; 4] = [Self::Commander, Self::Scribe, Self::Communications, Self::Operations];

    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Commander => "incident commander",
            Self::Scribe => "scribe",
            Self::Communications => "communications lead",
            Self::Operations => "operations lead",
        }
    }
}

impl Right {
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Responder => "responder",
            Self::Approver => "approver",
            Self::Admin => "administrator",
        }
    }
}
