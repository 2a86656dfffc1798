//! Who may approve now, read from the configuration. A directory outside (a group of the chat platform) is another edge.

use crate::flow::identity::PersonId;
use crate::flow::policy::Policy;
use crate::ports::{Directory, Undelivered};
use smokejumper_intents::word::Right;
use std::collections::BTreeSet;
use std::sync::Arc;

/// The people of the configuration that is in force.
#[derive(Clone, Debug)]
pub struct ConfiguredDirectory {
    policy: Arc<Policy>,
}

impl ConfiguredDirectory {
    #[must_use]
    pub const fn new(policy: Arc<Policy>) -> Self {
        Self { policy }
    }
}

#[async_trait::async_trait]
impl Directory for ConfiguredDirectory {
    async fn approvers(&self) -> Result<BTreeSet<PersonId>, Undelivered> {
        let may = |right: Right| right >= Right::Approver;
        Ok(self.policy.people.iter().filter(|person| may(person.right)).map(|person| person.id.clone()).collect())
    }
}
