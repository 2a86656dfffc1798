//! Explaining alerts to somebody: from the state of this moment, as far as they may see.
//!
//! Knows who may see what; what is said about an alert is the flow's.

use super::Engine;
use crate::flow::State;
use crate::flow::desk::AlertState;
use crate::flow::explain::{explain, is_meant};
use crate::flow::identity::Identity;
use crate::flow::incident::IncidentId;
use crate::flow::signal::AlertStatus;
use crate::ports::StoreError;
use smokejumper_intents::reply::Reply;
use std::collections::BTreeSet;

/// Alerts one answer speaks of; a larger storm is asked about in parts.
const EXPLAINED: usize = 20_000;

impl Engine {
    /// Why alerts are where they are: those of an incident, or, in the lobby, the loose ones; or the one that is asked for,
    /// wherever it is. Turns wait meanwhile, for some milliseconds.
    ///
    /// # Errors
    /// The store cannot be read.
    pub(super) async fn explain(
        &self,
        by: &Identity,
        incident: Option<IncidentId>,
        asked: Option<&str>,
    ) -> Result<Reply, StoreError> {
        let concerned: BTreeSet<IncidentId> = {
            let mut cache = self.state.lock().await;
            let state = self.loaded(&mut cache, incident).await?;
            chosen(state, incident, asked).filter_map(|a| a.incident).collect()
        };
        // What is not known to be visible is not told: alerts of an incident that came up since then are left out.
        let mut visible = BTreeSet::new();
        for id in concerned {
            if self.ports.views.incident(by, id).await?.is_some() {
                visible.insert(id);
            }
        }
        let policy = self.policy();
        let now = self.ports.clock.now();
        let mut cache = self.state.lock().await;
        let state = self.loaded(&mut cache, incident).await?;
        let seen = chosen(state, incident, asked).filter(|a| a.incident.is_none_or(|id| visible.contains(&id)));
        let found: Vec<AlertState> = seen.take(EXPLAINED).cloned().collect();
        Ok(explain(&found, asked, state, &policy, now))
    }
}

fn chosen<'s>(
    state: &'s State,
    incident: Option<IncidentId>,
    asked: Option<&'s str>,
) -> impl Iterator<Item = &'s AlertState> {
    let open = |id: &IncidentId| state.desk.open.contains_key(id);
    state.desk.alerts.values().filter(move |a| match (incident, asked) {
        (Some(id), None) => a.incident == Some(id),
        (Some(id), Some(asked)) => a.incident == Some(id) && is_meant(a, asked),
        (None, Some(asked)) => is_meant(a, asked),
        (None, None) => a.status == AlertStatus::Firing && !a.incident.as_ref().is_some_and(open),
    })
}
