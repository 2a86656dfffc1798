//! THE HEARTBEAT: takes events in, has the flow decide, stores what follows, carries effects out. The only orchestration.
//!
//! Thin and async; knows ports and flow, no edge. Every step can be called alone, so that a simulator can stop between
//! any two of them.

mod aside;
mod ask;
mod beat;
mod deliver;
mod explain;
mod intake;
mod reach;
mod reconcile;
mod said;
mod settle;
mod speak;
mod track;
mod turn;

pub use deliver::MAX_ATTEMPTS;

use crate::flow::State;
use crate::flow::identity::Platform;
use crate::flow::incident::{Incident, IncidentId};
use crate::flow::policy::Policy;
use crate::ports::{
    Chat, Clock, Directory, Inbox, Journal, Memory, Observer, Outbox, Pager, Rules, Runner, StoreError, Tracker,
    Unobserved, Views,
};
use smokejumper_intents::reply::Reply;
use smokejumper_intents::word::Severity;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex};
use tokio::sync::{Notify, oneshot};

/// Everything the engine speaks to.
#[derive(Clone)]
pub struct Ports {
    pub inbox: Arc<dyn Inbox>,
    pub journal: Arc<dyn Journal>,
    pub outbox: Arc<dyn Outbox>,
    pub views: Arc<dyn Views>,
    pub chats: BTreeMap<Platform, Arc<dyn Chat>>,
    pub memory: Arc<dyn Memory>,
    pub runner: Arc<dyn Runner>,
    pub directory: Arc<dyn Directory>,
    /// `None`: follow-ups stay here.
    pub tracker: Option<Arc<dyn Tracker>>,
    /// `None`: people are asked in the room alone.
    pub pager: Option<Arc<dyn Pager>>,
    pub clock: Arc<dyn Clock>,
}

/// The engine of one process. State in memory is a cache of what is stored: after any failed commit it is read anew.
pub struct Engine {
    ports: Ports,
    rules: Rules,
    state: tokio::sync::Mutex<Cache>,
    /// People who wait for the reply to what they asked, by (source, key).
    waiting: Mutex<HashMap<(String, String), oneshot::Sender<Reply>>>,
    /// Outbox rows under way, and outcomes that wait to be stored.
    hands: Mutex<settle::Hands>,
    reach: Mutex<reach::Reach>,
    observer: Arc<dyn Observer>,
    /// Something is in the inbox.
    arrived: Notify,
    /// Something is in the outbox.
    queued: Notify,
}

#[derive(Default)]
struct Cache {
    /// `None`: must be read from the store before it is used.
    state: Option<State>,
    refusals: aside::Refusals,
}

impl std::fmt::Debug for Ports {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ports").field("chats", &self.chats.keys()).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engine").finish_non_exhaustive()
    }
}

impl Engine {
    /// Reads the state, and deals with what a former process left half done.
    ///
    /// # Errors
    /// The store cannot be read or written.
    pub async fn start(ports: Ports, rules: impl Into<Rules>) -> Result<Self, StoreError> {
        let engine = Self {
            ports,
            rules: rules.into(),
            state: tokio::sync::Mutex::default(),
            waiting: Mutex::default(),
            hands: Mutex::default(),
            reach: Mutex::default(),
            observer: Arc::new(Unobserved),
            arrived: Notify::new(),
            queued: Notify::new(),
        };
        engine.recover().await?;
        let state = engine.ports.journal.restore().await?;
        engine.state.lock().await.state = Some(state);
        Ok(engine)
    }

    /// Does something to what is stored while no turn is decided; what follows is decided on what is stored then.
    pub async fn aside<T>(&self, work: impl Future<Output = T> + Send) -> T {
        let mut cache = self.state.lock().await;
        let done = work.await;
        cache.state = None;
        done
    }

    /// Has somebody count what it does.
    #[must_use]
    pub fn observed_by(mut self, observer: Arc<dyn Observer>) -> Self {
        self.observer = observer;
        self
    }

    /// Open incidents by severity, without private ones: those do not exist for who is not in them (I27).
    pub async fn open_by_severity(&self) -> BTreeMap<Option<Severity>, u64> {
        let mut open = BTreeMap::new();
        let cache = self.state.lock().await;
        let incidents = cache.state.iter().flat_map(|state| state.incidents.values());
        for incident in incidents.filter(|incident| incident.is_open() && !incident.private) {
            *open.entry(incident.severity).or_default() += 1;
        }
        open
    }

    /// Looks for work now: somebody else may have put some there.
    pub fn wake(&self) {
        self.arrived.notify_one();
        self.queued.notify_one();
    }

    /// The rules in force.
    #[must_use]
    pub fn policy(&self) -> Arc<Policy> {
        self.rules.current()
    }

    /// New rules, from the next event on.
    pub fn set_policy(&self, policy: Policy) {
        self.rules.replace(policy);
    }

    /// The incident as it is now, from memory or from the store.
    async fn incident(&self, id: IncidentId) -> Result<Option<Incident>, StoreError> {
        {
            let cache = self.state.lock().await;
            if let Some(incident) = cache.state.as_ref().and_then(|s| s.incidents.get(&id)) {
                return Ok(Some(incident.clone()));
            }
        }
        self.ports.journal.load(id).await
    }
}
