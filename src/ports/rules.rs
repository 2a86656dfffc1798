//! The rules in force: one policy that everybody asks for at the moment of use, and that is replaced while everything runs.

use crate::flow::policy::Policy;
use std::sync::{Arc, PoisonError, RwLock};

/// The rules in force. Asked for at the moment of use: they are replaced as a whole while everything runs.
#[derive(Clone, Debug, Default)]
pub struct Rules(Arc<RwLock<InForce>>);

#[derive(Debug, Default)]
struct InForce {
    policy: Arc<Policy>,
    refused: Option<String>,
}

impl Rules {
    #[must_use]
    pub fn new(policy: impl Into<Arc<Policy>>) -> Self {
        Self(Arc::new(RwLock::new(InForce { policy: policy.into(), refused: None })))
    }

    #[must_use]
    pub fn current(&self) -> Arc<Policy> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner).policy)
    }

    /// From the next event, request or click on.
    pub fn replace(&self, policy: Policy) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).policy = Arc::new(policy);
    }

    /// Changes a part of them; what is replaced meanwhile is not lost.
    pub fn amend(&self, change: impl FnOnce(&mut Policy)) {
        change(Arc::make_mut(&mut self.0.write().unwrap_or_else(PoisonError::into_inner).policy));
    }

    /// Why newer rules are not in force, and where they are wrong.
    #[must_use]
    pub fn refused(&self) -> Option<String> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).refused.clone()
    }

    pub fn refuse(&self, why: Option<String>) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).refused = why;
    }
}

impl From<Arc<Policy>> for Rules {
    fn from(policy: Arc<Policy>) -> Self {
        Self::new(policy)
    }
}

impl From<Policy> for Rules {
    fn from(policy: Policy) -> Self {
        Self::new(policy)
    }
}
