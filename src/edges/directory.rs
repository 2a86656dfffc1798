//! Who may approve now, read from the configuration. A directory outside (a group of the chat platform) is another edge.

use crate::flow::identity::PersonId;
use crate::ports::{Directory, Rules, Undelivered};
use smokejumper_intents::word::Right;
use std::collections::BTreeSet;

/// The people of the configuration that is in force.
#[derive(Clone, Debug)]
pub struct ConfiguredDirectory {
    rules: Rules,
}

impl ConfiguredDirectory {
    #[must_use]
    pub fn new(rules: impl Into<Rules>) -> Self {
        Self { rules: rules.into() }
    }
}

#[async_trait::async_trait]
impl Directory for ConfiguredDirectory {
    async fn approvers(&self) -> Result<BTreeSet<PersonId>, Undelivered> {
        let may = |right: Right| right >= Right::Approver;
        let policy = self.rules.current();
        Ok(policy.people.iter().filter(|person| may(person.right)).map(|person| person.id.clone()).collect())
    }
}
