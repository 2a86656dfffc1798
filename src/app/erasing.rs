//! Erasing: purging ended incidents and forgetting people, in the right order: first from what is derived, then from what is true.
//!
//! Done beside a running engine, which then reads its state anew; or without one. Says what remains.

use crate::config::checked::Config;
use crate::edges::memory::IndexedMemory;
use crate::edges::socket::{EraseRequest, Erased};
use crate::edges::store::Store;
use crate::edges::store::chain::random;
use crate::engine::Engine;
use crate::flow::erasing::Forgotten;
use crate::flow::identity::{Actor, Identity, PersonId};
use crate::flow::incident::IncidentId;
use crate::ports::{Clock, Memory as _, Rules, StoreError, Undelivered};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// Between two looks for what is old enough.
const LOOK_EVERY: Duration = Duration::from_hours(1);
/// Incidents purged at one look: each takes the writer for a moment.
const AT_ONCE: usize = 50;

/// Who erases.
#[derive(Clone)]
pub struct Eraser {
    pub store: Store,
    pub memory: IndexedMemory,
    /// `None`: nobody decides anything meanwhile.
    pub engine: Option<Arc<Engine>>,
    pub rules: Rules,
}

impl std::fmt::Debug for Eraser {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Eraser").finish_non_exhaustive()
    }
}

impl Eraser {
    /// # Errors
    /// In words for whoever asked.
    pub async fn erase(&self, request: EraseRequest, by: Actor) -> Result<Erased, String> {
        match request {
            EraseRequest::Purge { incident } => self.purge(IncidentId(incident), by).await,
            EraseRequest::Forget { person, accounts, name } => self.forget(person, &accounts, name, by).await,
        }
    }

    async fn purge(&self, id: IncidentId, by: Actor) -> Result<Erased, String> {
        // The index first: should this end in between, it lacks a case that the journal still has, and not the other way round.
        self.memory.forget(&id.to_string()).await.map_err(|e| e.to_string())?;
        let entries = self.aside(self.store.purge(id, by)).await.map_err(|e| e.to_string())?;
        tracing::info!(incident = %id, entries, "purged");
        Ok(Erased { entries, incidents: vec![id.0], tombstone: None })
    }

    async fn forget(
        &self,
        person: String,
        accounts: &[String],
        name: Option<String>,
        by: Actor,
    ) -> Result<Erased, String> {
        let policy = self.rules.current();
        let known = policy.people.iter().find(|p| p.id.0 == person);
        let mut identities = known.map(|p| p.identities.clone()).unwrap_or_default();
        for account in accounts {
            let identity = Identity::parse(account);
            identities.push(identity.ok_or_else(|| format!("`{account}` is not platform/workspace/id"))?);
        }
        if identities.is_empty() {
            return Err(format!(
                "there is no {person} in the configuration, so nobody knows their accounts: name each of them with \
                 --account platform/workspace/id, and what messages call them with --name; nobody was forgotten"
            ));
        }
        let letters = random::<6>().ok_or("the system gives no random numbers")?;
        let who = Forgotten {
            name: name.or_else(|| known.map(|p| p.name.clone())).filter(|name| *name != person),
            identities,
            person: PersonId(person),
            tombstone: format!("forgotten-{}", hex::encode(letters)),
        };
        let failed = |e: StoreError| e.to_string();
        let concerned = self.store.reader().named(&who).await.map_err(failed)?;
        let (mut entries, mut incidents) = (0, Vec::new());
        for id in concerned {
            let rewritten = self.aside(self.store.forget_person(id, who.clone(), by.clone())).await.map_err(failed)?;
            entries += rewritten;
            if rewritten > 0 && id != IncidentId::HOUSE {
                incidents.push(id.0);
            }
        }
        self.teach_again(&incidents).await.map_err(failed)?;
        tracing::info!(entries, tombstone = who.tombstone, "a person was forgotten");
        Ok(Erased { entries, incidents, tombstone: Some(who.tombstone) })
    }

    /// What these incidents taught, as the journal has it now.
    async fn teach_again(&self, incidents: &[u32]) -> Result<(), StoreError> {
        let cases: Vec<String> = incidents.iter().map(|id| IncidentId(*id).to_string()).collect();
        let lessons = self.store.reader().lessons(0).await?.into_iter().map(|(_, lesson)| lesson);
        let last: BTreeMap<String, _> =
            lessons.filter(|l| cases.contains(&l.case)).map(|l| (l.case.clone(), l)).collect();
        let unavailable = |e: Undelivered| StoreError::Unavailable(e.to_string());
        for lesson in last.into_values() {
            self.memory.forget(&lesson.case).await.map_err(unavailable)?;
            self.memory.remember(lesson).await.map_err(unavailable)?;
        }
        self.memory.flush().await.map_err(unavailable)
    }

    async fn aside<T>(&self, work: impl Future<Output = T> + Send) -> T {
        match &self.engine {
            Some(engine) => engine.aside(work).await,
            None => work.await,
        }
    }

    /// Purges what ended longer ago than it is kept, until told to stop.
    pub async fn keep(self, keep_ms: i64, clock: Arc<dyn Clock>, mut stop: watch::Receiver<bool>) {
        while !*stop.borrow() {
            let old = self.store.reader().ended_before(clock.now().plus(-keep_ms), AT_ONCE).await.unwrap_or_default();
            for incident in old {
                if let Err(problem) = self.purge(incident.id, Actor::Bot).await {
                    tracing::warn!(incident = %incident.id, problem, "not purged; it is tried again");
                }
            }
            tokio::select! {
                () = tokio::time::sleep(LOOK_EVERY) => {}
                _ = stop.changed() => {}
            }
        }
    }
}

/// Without a server: opens the data directory for itself.
///
/// # Errors
/// It is in use, or see `Eraser::erase`.
pub async fn erase_alone(config: &Config, requests: Vec<EraseRequest>, by: Actor) -> Result<Vec<Erased>, String> {
    let clock = Arc::new(crate::edges::clock::WallClock);
    let store = Store::open(super::location(config), clock).await.map_err(|e| e.to_string())?;
    let (memory, learnt) = super::learn::open(&config.data_dir.join(super::INDEX)).map_err(|e| e.to_string())?;
    let (_never, stopped) = watch::channel(false);
    super::learn::catch_up(&memory, &store, learnt, &stopped).await.map_err(|e| e.to_string())?;
    let eraser = Eraser { store: store.clone(), memory, engine: None, rules: Rules::new(config.policy.clone()) };
    let mut all = Vec::with_capacity(requests.len());
    for request in requests {
        match eraser.erase(request, by.clone()).await {
            Ok(done) => all.push(done),
            Err(why) => {
                store.close().await;
                return Err(why);
            }
        }
    }
    store.close().await;
    Ok(all)
}
