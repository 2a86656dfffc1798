//! User groups as roles: what their members may do, besides what the configuration says of each person. Asked for often enough
//! that who is put out of a group loses the right within a minute, and anew before anything runs.

use super::Slack;
use super::method;
use super::pace::Lane;
use super::trouble::Trouble;
use crate::flow::identity::{Identity, PersonId, Platform};
use crate::ports::{Directory, Rules, Undelivered};
use async_trait::async_trait;
use serde::Deserialize;
use serde_json::json;
use smokejumper_intents::word::Right;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

/// How old what is known of a group may be.
pub const FRESH_FOR: Duration = Duration::from_mins(1);

impl Slack {
    /// What members of the configured groups may do, by account; asked anew.
    ///
    /// # Errors
    /// A group could not be asked for: nobody has a right by any group then.
    pub async fn group_members(&self) -> Result<BTreeMap<Identity, Right>, Trouble> {
        #[derive(Deserialize)]
        struct Answer {
            #[serde(default)]
            users: Vec<String>,
        }
        let groups = &self.configured().groups;
        let mut members = BTreeMap::new();
        if groups.is_empty() {
            return Ok(members);
        }
        let workspace = self.me().await?.workspace;
        for (group, right) in groups {
            let turn = self.turn(&method::GROUP_MEMBERS, None, Lane::Urgent, "");
            let answer: Answer = self.call_in(turn, &json!({ "usergroup": group })).await?;
            for id in answer.users {
                let account = Identity { platform: Platform::Slack, workspace: workspace.clone(), id };
                let known = members.entry(account).or_insert(*right);
                *known = (*known).max(*right);
            }
        }
        Ok(members)
    }

    /// Brings the rules in force to who is in the groups now; to be called every [`FRESH_FOR`]. When they cannot be asked for,
    /// nobody has a right by them.
    pub async fn refresh_members(&self, rules: &Rules) {
        if self.configured().groups.is_empty() {
            return;
        }
        let members = self.group_members().await.unwrap_or_else(|trouble| {
            tracing::warn!(%trouble, "user groups give nobody a right until they can be asked for");
            BTreeMap::new()
        });
        if rules.current().members != members {
            rules.amend(|policy| policy.members = members);
        }
    }
}

/// Who may approve now: who another directory says, and members of groups that give the right.
pub struct WithGroups {
    slack: Slack,
    rules: Rules,
    others: Arc<dyn Directory>,
}

impl std::fmt::Debug for WithGroups {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("WithGroups").field("slack", &self.slack).finish_non_exhaustive()
    }
}

impl WithGroups {
    #[must_use]
    pub fn new(slack: Slack, rules: Rules, others: Arc<dyn Directory>) -> Self {
        Self { slack, rules, others }
    }
}

#[async_trait]
impl Directory for WithGroups {
    async fn approvers(&self) -> Result<BTreeSet<PersonId>, Undelivered> {
        let mut approvers = self.others.approvers().await?;
        match self.slack.group_members().await {
            Ok(members) => {
                let policy = self.rules.current();
                let may = members.iter().filter(|(_, right)| **right >= Right::Approver);
                // Known people alone: nobody else can be asked about it afterwards.
                approvers.extend(may.filter_map(|(account, _)| Some(policy.person(account)?.id.clone())));
            }
            Err(trouble) => tracing::warn!(%trouble, "nobody may approve by a user group: it cannot be asked for"),
        }
        Ok(approvers)
    }
}
