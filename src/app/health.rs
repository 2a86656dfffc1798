//! Is it well? Looks every few seconds and writes a little now and then, so that a probe gets its answer at once and a scrape
//! costs no query. What is wrong is said by a word for machines and a sentence for people.

use crate::config::checked::Config;
use crate::config::secret::Secret;
use crate::edges::alerts::{Told, inbox_source};
use crate::edges::monitor::{Reason, Watched};
use crate::edges::store::Store;
use crate::edges::store::stock::Stock;
use crate::engine::Engine;
use crate::flow::effect::Destination;
use crate::flow::moment::{At, SECOND};
use crate::ports::{Clock, Observer as _, Rules};
use crate::telemetry::gauges::{Gauges, Lane, Link, Reading};
use crate::telemetry::meters::{Answered, CONTENT_TYPE, Meters};
use axum::extract::{MatchedPath, Request, State};
use axum::http::HeaderValue;
use axum::http::header::CONNECTION;
use axum::middleware::Next;
use axum::response::Response;
use smokejumper_intents::word::Severity;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{Instant, timeout};

/// Between two looks.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// A look that takes longer says that storage cannot be read.
const LOOK_WITHIN: Duration = Duration::from_secs(5);
/// Between two attempts to write. With the time such an attempt may take well below the 30 s in which trouble must show (I14).
const WRITE_EVERY: Duration = Duration::from_secs(10);
const WRITE_WITHIN: Duration = Duration::from_secs(10);
/// What has waited this long for its turn waits for more than its predecessors: turns take milliseconds.
const STUCK_AFTER_MS: i64 = 30 * SECOND;

/// States of effects that are counted.
const STATES: [&str; 4] = ["pending", "sending", "unknown", "dead"];
/// Who carries effects out besides chats.
const ELSEWHERE: [Destination; 5] = [
    Destination::Memory,
    Destination::Clock,
    Destination::Runner,
    Destination::Tracker,
    Destination::Pager { page: 0 },
];

/// How a chat platform reaches us, and what a person should know of it.
#[derive(Clone, Debug, Default)]
pub struct Heard {
    pub link: Link,
    pub last_inbound: Option<At>,
    pub notes: Vec<String>,
}

/// Looks at a chat platform. Must answer at once.
pub type Listener = Arc<dyn Fn(At) -> Heard + Send + Sync>;

/// What is known of this process's health.
pub struct Health {
    store: Store,
    clock: Arc<dyn Clock>,
    meters: Arc<Meters>,
    /// Names of the configuration: of sources as they are in the inbox, and of those who carry effects out.
    sources: Vec<String>,
    destinations: Vec<String>,
    listeners: Vec<(&'static str, Listener)>,
    draining: AtomicBool,
    /// What the last look and the last attempt to write found.
    unread: RwLock<Option<Reason>>,
    unwritten: RwLock<Option<Reason>>,
}

impl std::fmt::Debug for Health {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Health").finish_non_exhaustive()
    }
}

impl Health {
    #[must_use]
    pub fn new(store: Store, clock: Arc<dyn Clock>, config: &Config) -> Self {
        let meters = Arc::new(Meters::new(Gauges::default(), clock.now()));
        config.sources.iter().for_each(|source| meters.expect_source(&source.name));
        let sources = config.sources.iter().map(|source| inbox_source(&source.name)).collect();
        let rooms = config.policy.platforms.iter().map(|platform| Destination::Room(*platform));
        let destinations = rooms.chain(ELSEWHERE).map(Destination::label).collect();
        let (unread, unwritten) = (RwLock::default(), RwLock::default());
        let draining = AtomicBool::new(false);
        let listeners = Vec::new();
        Self { store, clock, meters, sources, destinations, listeners, draining, unread, unwritten }
    }

    /// Watches a chat platform, too. That it is deaf is said, and does not make us unready: the console goes on.
    #[must_use]
    pub fn listening(mut self, platform: &'static str, listener: Listener) -> Self {
        self.listeners.push((platform, listener));
        self
    }

    #[must_use]
    pub const fn meters(&self) -> &Arc<Meters> {
        &self.meters
    }

    /// From now on it is not ready: it is about to stop.
    pub fn drain(&self) {
        self.draining.store(true, Ordering::SeqCst);
    }

    /// Why it is not ready. Asks nobody who could keep it waiting.
    #[must_use]
    pub fn reasons(&self) -> Vec<Reason> {
        let mut reasons = Vec::new();
        let mut add = |what, why: String| reasons.push(Reason { what, why });
        if self.draining.load(Ordering::SeqCst) {
            add("draining", "it was told to stop, and finishes what is under way".to_owned());
        }
        if let Some(broken) = self.store.broken() {
            add("broken", broken.to_string());
        } else if let Some(failing) = self.store.failing() {
            add("unwritable", failing);
        } else if let Some(Reason { what, why }) = get(&self.unwritten) {
            add(what, why);
        }
        if let Some(Reason { what, why }) = get(&self.unread) {
            add(what, why);
        }
        if let Some(why) = self.store.is_restored() {
            add("restored", format!("{why}; nothing is delivered or run until `serve --confirm-restored`"));
        }
        reasons
    }

    /// For the routes.
    #[must_use]
    pub fn watched(self: &Arc<Self>, tokens: Vec<Secret>, rules: Rules) -> Watched {
        let (health, meters, listening) = (Arc::clone(self), Arc::clone(&self.meters), Arc::clone(self));
        Watched {
            reasons: Arc::new(move || health.reasons()),
            notes: Arc::new(move || {
                let refused = rules.refused().map(|why| Reason { what: "configuration", why });
                refused.into_iter().chain(listening.notes()).collect()
            }),
            metrics: Arc::new(move || (CONTENT_TYPE, meters.page())),
            tokens,
        }
    }

    fn notes(&self) -> Vec<Reason> {
        let now = self.clock.now();
        let said = |(what, listener): &(&'static str, Listener)| {
            let what = *what;
            listener(now).notes.into_iter().map(move |why| Reason { what, why })
        };
        self.listeners.iter().flat_map(said).collect()
    }

    /// Looks again and again until told to stop.
    pub async fn keep_watch(self: Arc<Self>, engine: Arc<Engine>, mut stop: watch::Receiver<bool>) {
        if let Ok(heard) = self.store.reader().last_heard().await {
            heard
                .iter()
                .filter(|(source, _)| is_outside(source))
                .for_each(|(source, at)| self.meters.arrived(source, *at));
        }
        let mut written = Instant::now();
        while !*stop.borrow() {
            self.look(&engine).await;
            if written.elapsed() >= WRITE_EVERY {
                self.write().await;
                written = Instant::now();
            }
            tokio::select! {
                () = tokio::time::sleep(LOOK_EVERY) => {}
                _ = stop.changed() => {}
            }
        }
    }

    async fn look(&self, engine: &Engine) {
        let taken = timeout(LOOK_WITHIN, self.store.reader().stock()).await;
        let unread = |why: String| Some(Reason { what: "unreadable", why });
        match taken {
            Ok(Ok(stock)) => {
                let waited = stock.oldest.map_or(0, |at| self.clock.now().since(at));
                set(&self.unread, (waited > STUCK_AFTER_MS).then(|| stuck(waited)));
                // The engine keeps its state to itself while it stores a batch: as long as storage takes.
                let open = timeout(LOOK_WITHIN, engine.open_by_severity()).await.unwrap_or_default();
                let all = [Severity::Sev1, Severity::Sev2, Severity::Sev3, Severity::Sev4];
                let all = all.map(Some).into_iter().chain([None]);
                let word = |s: Option<Severity>| s.map_or("unset", Severity::label).to_lowercase();
                let open = all.map(|s| (word(s), open.get(&s).copied().unwrap_or_default()));
                self.meters.gauges().set(self.reading(stock, open.collect()));
            }
            Ok(Err(problem)) => set(&self.unread, unread(problem.to_string())),
            Err(_) => set(&self.unread, unread(format!("storage was not read within {LOOK_WITHIN:?}"))),
        }
        if get(&self.unread).is_some() {
            let now = Reading { ready: false, ..self.meters.gauges().get() };
            self.meters.gauges().set(now);
        }
    }

    async fn write(&self) {
        let unwritten = match timeout(WRITE_WITHIN, self.store.probe()).await {
            Ok(Ok(())) => None,
            Ok(Err(problem)) => Some(problem.to_string()),
            Err(_) => Some(format!("nothing was written within {WRITE_WITHIN:?}: is the disk or the database stuck?")),
        };
        set(&self.unwritten, unwritten.map(|why| Reason { what: "unwritable", why }));
    }

    fn reading(&self, stock: Stock, open: Vec<(String, u64)>) -> Reading {
        let now = self.clock.now();
        let age = |at| now.since(at).max(0) as f64 / SECOND as f64;
        // What there is none of is a nothing, not a gap.
        let mut lanes = BTreeMap::new();
        for destination in &self.destinations {
            lanes.extend(STATES.map(|state| ((destination.clone(), state.to_owned()), (0, 0.0))));
        }
        for heap in stock.outbox {
            let oldest = if heap.state == "pending" { age(heap.oldest) } else { 0.0 };
            lanes.insert((heap.destination, heap.state), (heap.rows, oldest));
        }
        let lane = |((destination, state), (rows, oldest))| Lane { destination, state, rows, oldest };
        let heard: Vec<Heard> = self.listeners.iter().map(|(_, listener)| listener(now)).collect();
        for one in &heard {
            if let Some(at) = one.last_inbound {
                self.meters.arrived(&one.link.platform, at);
            }
        }
        let mut letters: BTreeMap<String, u64> = self.sources.iter().map(|source| (source.clone(), 0)).collect();
        letters.extend(stock.dead_letters);
        Reading {
            ready: self.reasons().is_empty(),
            restored: self.store.is_restored().is_some(),
            failing: self.store.failing().is_some() || self.store.broken().is_some(),
            inbox_waiting: stock.waiting,
            inbox_oldest: stock.oldest.map_or(0.0, age),
            outbox: lanes.into_iter().map(lane).collect(),
            dead_letters: letters.into_iter().collect(),
            journal_entries: stock.entries,
            writer_queue: self.store.queued() as u64,
            open,
            links: heard.into_iter().map(|one| one.link).collect(),
        }
    }
}

/// What comes from ourselves is no sign of life of anybody.
fn is_outside(source: &str) -> bool {
    !["clock", "effect", "store"].contains(&source)
}

fn stuck(waited_ms: i64) -> Reason {
    let why = format!("what came in is safe, but nobody works on it: the oldest has waited {} s", waited_ms / SECOND);
    Reason { what: "stuck", why }
}

fn get(reason: &RwLock<Option<Reason>>) -> Option<Reason> {
    reason.read().unwrap_or_else(PoisonError::into_inner).clone()
}

fn set(reason: &RwLock<Option<Reason>>, now: Option<Reason>) {
    *reason.write().unwrap_or_else(PoisonError::into_inner) = now;
}

/// Counts every answer, by its route as the code declares it; what alerts were told is in the answer itself. Who gets an
/// answer while it drains is told to connect anew next time, so that no request is on its way when connections are closed.
pub async fn counted(State(health): State<Arc<Health>>, request: Request, next: Next) -> Response {
    let meters = &health.meters;
    let route = request.extensions().get::<MatchedPath>().map_or("none".to_owned(), |path| path.as_str().to_owned());
    let mut response = next.run(request).await;
    if health.draining.load(Ordering::SeqCst) {
        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    }
    meters.http(&route, response.status().as_u16());
    if let Some(told) = response.extensions().get::<Told>() {
        meters.answered(&Answered {
            source: told.source.as_deref(),
            answer: told.answer,
            accepted: told.accepted,
            refused: told.refused,
            ahead_ms: told.ahead_ms,
        });
    }
    response
}
