//! Remediation: requested -> approved -> started -> finished -> verified. The only place that can make an [`Approved`].

use super::incident::IncidentId;
use super::plan::Plan;

/// Proof that this plan may run now: minted from fresh membership and digests, used once, never stored (DESIGN.md 10).
/// It has no `Clone`, no serde, and no public constructor.
#[derive(Debug)]
pub struct Approved {
    incident: IncidentId,
    request: u32,
    plan: Plan,
    sha256: String,
}

impl Approved {
    #[must_use]
    pub const fn incident(&self) -> IncidentId {
        self.incident
    }

    /// The run's number in its incident.
    #[must_use]
    pub const fn request(&self) -> u32 {
        self.request
    }

    #[must_use]
    pub const fn plan(&self) -> &Plan {
        &self.plan
    }

    #[must_use]
    pub fn sha256(&self) -> &str {
        &self.sha256
    }
}
