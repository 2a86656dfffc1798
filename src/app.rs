//! COMPOSITION ROOT: the only room that names concrete edges. Puts them around the engine, serves, and drains.

mod doors;
mod erasing;
mod ground;
mod health;
mod heartbeat;
mod learn;
mod logins;
mod loops;
mod reload;
mod slack;
mod tracking;

pub use erasing::erase_alone;
pub use ground::Ground;
pub use loops::Ended;
pub use reload::{Load, Loaded, read_files};

use self::doors::Doors;
use self::erasing::Eraser;
use self::health::Health;
use self::heartbeat::Heart;
use self::loops::Loops;
use self::reload::Reload;
use self::slack::Talk;
use crate::config::checked::Config;
use crate::config::database;
use crate::config::secret::Secret;
use crate::edges::alerts;
use crate::edges::chat::console::{self, Console};
use crate::edges::clock::WallClock;
use crate::edges::listen;
use crate::edges::memory::IndexedMemory;
use crate::edges::monitor;
use crate::edges::pager::Phones;
use crate::edges::runner::redact::Redactor;
use crate::edges::runner::{Hands, Settings};
use crate::edges::socket::{self, Erasing, LoginLink, Logins, Socket};
use crate::edges::store::Store;
use crate::edges::store::bell::Bell;
use crate::edges::store::location::Location;
use crate::edges::web::{self, LoginDesk, Origins, Parts, Web, WebState};
use crate::engine::{Engine, Ports};
use crate::flow::identity::{Actor, Identity, Platform};
use crate::ports::{Chat, Clock, Door, Observer, Outbox as _, Pager, Rules, StoreError, Tracker, Views};
use axum::middleware::from_fn_with_state;
use smokejumper_index::case::Case;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;
use tokio::sync::watch;

/// Memory's folder in the data directory.
pub const INDEX: &str = "index";
/// How soon a storage that must not be used any more is noticed.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// What is under way at the end gets this long (ARCHITECTURE.md: SIGTERM drains within 20 s); the next start looks after the rest.
const DRAIN: Duration = Duration::from_secs(20);
/// And then, writing down what is left to write, this long.
const LAST_WORDS: Duration = Duration::from_secs(5);

/// Why it did not start, for the person who started it.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error("{address} is taken: {source}. Stop what listens there, or set another `listen` under [server].")]
    Port { address: SocketAddr, source: std::io::Error },
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("{0}")]
    Other(String),
}

/// Why it must not go on.
#[derive(Debug, thiserror::Error)]
pub enum Broken {
    /// Storage says so; what to do about it is in its words.
    #[error(transparent)]
    Store(StoreError),
    /// A fault of ours: without this part it would look alive and do nothing.
    #[error(transparent)]
    Part(Ended),
}

/// A running Smokejumper.
pub struct App {
    pub address: SocketAddr,
    pub engine: Arc<Engine>,
    pub store: Store,
    pub memory: IndexedMemory,
    pub clock: Arc<dyn Clock>,
    /// Where people find the console.
    pub console: String,
    logins: Logins,
    web: WebState,
    health: Arc<Health>,
    linger: Duration,
    /// Taken by whoever follows the configuration.
    reload: Option<Reload>,
    loops: Loops,
}

impl std::fmt::Debug for App {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("App").field("address", &self.address).finish_non_exhaustive()
    }
}

impl App {
    /// Puts everything together and serves. `taught` is what memory knows besides the journal.
    ///
    /// # Errors
    /// The port is taken, the data directory cannot be used, a source's kind is unknown.
    pub async fn start(config: Config, taught: Vec<Case>) -> Result<Self, StartError> {
        let ground = Ground::gain(&config, |_, standing| tracing::info!(%standing, "waiting")).await?;
        Self::start_on(ground, config, taught).await
    }

    /// The same where port and database are ours already.
    ///
    /// # Errors
    /// The data directory cannot be used, a source's kind is unknown.
    pub async fn start_on(ground: Ground, mut config: Config, taught: Vec<Case>) -> Result<Self, StartError> {
        let Ground { listener, address, clock, store } = ground;
        let heart = config.operations.heartbeat.clone().map(Heart::new).transpose()?;
        // What the journal taught follows while alerts are taken in already: a long history must not keep them waiting.
        let (memory, learnt) = learn::open(&config.data_dir.join(INDEX))?;
        memory.teach(taught).await.map_err(|e| StartError::Other(e.to_string()))?;
        let socket = socket::bind(&config.data_dir).map_err(|e| StartError::Other(e.to_string()))?;
        let edited = console::changes();
        let base = base(address, &config.hosts);
        let console: Arc<dyn Chat> = Arc::new(Console::new(edited.clone(), &base));
        let github = tracking::connect(&mut config, &clock).map_err(StartError::Other)?;
        let talk = Talk::connect(&config, &clock)?;
        let rules = Rules::new(config.policy.clone());
        let redactor = redactor(&config);
        let secrets: reload::Secrets = Arc::new(RwLock::new(config.secrets.clone()));
        let ports = Ports {
            inbox: Arc::new(store.clone()),
            journal: Arc::new(store.clone()),
            outbox: Arc::new(store.clone()),
            views: Arc::new(store.clone()),
            chats: talk.chats(console),
            memory: Arc::new(memory.clone()),
            runner: Arc::new(hands(&config, redactor.clone(), Arc::clone(&secrets), store.clone())?),
            directory: talk.directory(&rules),
            tracker: github.clone().map(|github| Arc::new(github) as Arc<dyn Tracker>),
            pager: pager(&config, &base, &clock)?,
            clock: Arc::clone(&clock),
        };
        let health = talk.watched_by(Health::new(store.clone(), Arc::clone(&clock), &config));
        let engine = Engine::start(ports, rules.clone()).await?;
        let engine = Arc::new(engine.observed_by(Arc::clone(health.meters()) as Arc<dyn Observer>));
        let door: Arc<dyn Door> = engine.clone();
        let desk = Arc::new(LoginDesk::new(Arc::clone(&clock)));
        let logins = logins::logins(Arc::clone(&desk), rules.clone(), base.clone());
        let views: Arc<dyn Views> = Arc::new(store.clone());
        let web = Web::new(Parts {
            door: Arc::clone(&door),
            views,
            memory: Arc::new(memory.clone()),
            clock: Arc::clone(&clock),
            rules: rules.clone(),
            logins: Arc::clone(&desk),
            changes: edited,
            origins: origins(address, &config.hosts),
            sign_in_hint: "Whoever runs Smokejumper makes a login link on its machine: smokejumper login PERSON."
                .to_owned(),
        });
        let scrubbing = redactor.clone();
        let scrub: alerts::Scrub = Arc::new(move |text| scrubbing.redact(text));
        let unfit = |e: alerts::Unfit| StartError::Other(e.to_string());
        let hooks = tracking::routes(&config, &door, &clock, Arc::clone(&scrub)).map_err(unfit)?;
        let ear = talk.ear(&door, Arc::new(store.clone()), &rules, &scrub)?;
        let doors = Doors::new(&config, Arc::clone(&door), Arc::clone(&clock), scrub)?;
        let monitor = monitor::router(health.watched(config.operations.metrics_tokens.clone(), rules.clone()));
        let counting = from_fn_with_state(Arc::clone(&health), health::counted);
        let app =
            web::router(&web).merge(doors.router()).merge(hooks).merge(ear.routes()).merge(monitor).layer(counting);
        let mut loops = Loops::new();
        loops.start("watch", |stop| Arc::clone(&health).keep_watch(Arc::clone(&engine), stop));
        loops.start("engine", |stop| Arc::clone(&engine).run_until(stop));
        if let Some(bell) = store.bell() {
            loops.start("database's bell", |stop| answer_bell(bell, Arc::clone(&engine), stop));
        }
        loops.start("http server", |stop| listen::serve(listener, app, stop));
        let (gaps_in, told_to) = (Arc::new(store.clone()), Arc::clone(&door));
        loops.start("github", |stop| tracking::mind_gaps(github, gaps_in, told_to, stop));
        loops.start("slack", |stop| ear.listen(stop));
        let own = Some(Arc::clone(&engine));
        let eraser = Eraser { store: store.clone(), memory: memory.clone(), engine: own, rules: rules.clone() };
        if let Some(keep) = config.operations.keep_incidents_ms {
            let (eraser, clock) = (eraser.clone(), Arc::clone(&clock));
            loops.start("retention", |stop| eraser.keep(keep, clock, stop));
        }
        let socket = socket.with_logins(Arc::clone(&logins)).with_erasing(erasing(eraser));
        let for_terminals = Arc::clone(&door);
        loops.start("command line's socket", |stop| answer_terminals(socket, for_terminals, stop));
        loops.start("memory", |stop| learn::keep(memory.clone(), store.clone(), learnt, stop));
        if let Some(heart) = heart {
            loops.start("heartbeat", |stop| heart.beat(Arc::clone(&health), stop));
        }
        let linger = config.operations.linger;
        let (began_with, sessions, at) = (config.clone(), desk, Arc::clone(&clock));
        let reload = Reload { config, began_with, rules, doors, secrets, redactor, sessions, door, clock: at };
        Ok(Self {
            reload: Some(reload),
            address,
            engine,
            store,
            memory,
            clock,
            console: base,
            logins,
            web,
            health,
            linger,
            loops,
        })
    }

    /// From now on the configuration is read again when somebody asks (SIGHUP) or one of its files changes.
    pub fn follow(&mut self, load: Load) {
        if let Some(reload) = self.reload.take() {
            self.loops.start("configuration", |stop| reload.keep(load, stop));
        }
    }

    /// A one-time login link for a person of the configuration; `None`: for the first administrator.
    ///
    /// # Errors
    /// There is no such person on the console, or the machine has no randomness.
    pub fn login_link(&self, person: Option<&str>) -> Result<LoginLink, StartError> {
        (self.logins)(person).map_err(StartError::Other)
    }

    /// Returns when this process must not go on. May be dropped and asked again.
    pub async fn broken(&mut self) -> Broken {
        loop {
            if let Some(broken) = self.store.broken() {
                return Broken::Store(broken);
            }
            tokio::select! {
                ended = self.loops.ended() => return Broken::Part(ended),
                () = tokio::time::sleep(LOOK_EVERY) => {}
            }
        }
    }

    /// Says that it is not ready, takes nothing more in, finishes what is under way, and lets go of the data directory.
    /// Takes `[server] linger`, `DRAIN` and `LAST_WORDS` at most.
    ///
    /// A process that must not write any more finishes nothing: what it has begun another may be looking after, so its effects
    /// end where they are, and the supervisors of its runs, whose pipes close, end those.
    pub async fn stop(self) {
        if let Some(problem) = self.store.broken() {
            tracing::error!(%problem, "what was under way is ended as it is");
            self.health.drain();
            self.loops.end(LAST_WORDS).await;
            return;
        }
        // First it says so: whoever sends requests its way has a moment to hear it, while they are still answered.
        self.health.drain();
        tokio::time::sleep(self.linger).await;
        self.web.hang_up();
        let deaf = self.loops.stop(DRAIN).await;
        if !deaf.is_empty() {
            tracing::warn!(parts = deaf.join(", "), "still at work after {DRAIN:?}, and ended");
        }
        let last_words = async {
            if let Err(problem) = self.memory.flush().await {
                tracing::warn!(%problem, "memory not written; it is rebuilt from the journal");
            }
            self.store.close().await;
        };
        if tokio::time::timeout(LAST_WORDS, last_words).await.is_err() {
            tracing::warn!(
                "the disk takes longer than {LAST_WORDS:?}; the next start looks after what was not written"
            );
        }
    }
}

/// Builds memory anew from the journal; how many past incidents it then holds. Takes the data directory for itself, so no
/// server can be using the index that is thrown away.
///
/// # Errors
/// The data directory is in use or cannot be used.
pub async fn reindex(config: &Config) -> Result<u64, StartError> {
    let store = Store::open(&location(config), Arc::new(WallClock)).await?;
    let index = config.data_dir.join(INDEX);
    match std::fs::remove_dir_all(&index) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => {
            return Err(StartError::Other(format!("{} cannot be removed: {e}", index.display())));
        }
        _ => {}
    }
    let (memory, learnt) = learn::open(&index)?;
    let (_never, stopped) = watch::channel(false);
    learn::catch_up(&memory, &store, learnt, &stopped).await?;
    let cases = memory.cases().await;
    store.close().await;
    Ok(cases)
}

/// Where this configuration keeps its data.
#[must_use]
pub fn location(config: &Config) -> Location {
    Location::new(&config.data_dir, config.database.clone())
}

/// A person of the console.
#[must_use]
pub fn console_identity(person: &str) -> Identity {
    Identity { platform: Platform::Console, workspace: "local".to_owned(), id: person.to_owned() }
}

/// Where people find the console: by its name behind the proxy, or on this machine.
fn base(address: SocketAddr, hosts: &[String]) -> String {
    match hosts.first() {
        Some(host) => format!("https://{host}"),
        None if address.ip().is_unspecified() => format!("http://127.0.0.1:{}", address.port()),
        None => format!("http://{address}"),
    }
}

fn pager(config: &Config, base: &str, clock: &Arc<dyn Clock>) -> Result<Option<Arc<dyn Pager>>, StartError> {
    let phones = Phones::new(&config.pagers, base, clock).map_err(|e| StartError::Other(e.to_string()))?;
    Ok(phones.map(|phones| Arc::new(phones) as Arc<dyn Pager>))
}

fn erasing(eraser: Eraser) -> Erasing {
    Arc::new(move |by, request| {
        let eraser = eraser.clone();
        Box::pin(async move { eraser.erase(request, Actor::Account(by)).await })
    })
}

/// Behind a proxy that serves it over https, or on this machine.
fn origins(address: SocketAddr, hosts: &[String]) -> Origins {
    if hosts.is_empty() { Origins::loopback(address.port()) } else { Origins::https(hosts.iter().cloned()) }
}

/// Knows the shapes of secrets, and those of the configuration.
fn redactor(config: &Config) -> Redactor {
    let urls = config.database.iter().map(Secret::expose);
    let passwords = urls.clone().filter_map(database::password);
    Redactor::new(config.secrets.values().map(Secret::expose).chain(urls).chain(passwords).map(str::to_owned))
}

fn hands(config: &Config, redactor: Redactor, secrets: reload::Secrets, store: Store) -> Result<Hands, StartError> {
    // Stays this very binary even when the file is replaced by an upgrade.
    let binary = PathBuf::from("/proc/self/exe");
    let settings = Settings {
        binary,
        data: absolute(&config.data_dir),
        protect: std::iter::once(&config.data_dir).chain(&config.file).map(|path| absolute(path)).collect(),
        redactor,
        secrets: Arc::new(move |name| secrets.read().unwrap_or_else(PoisonError::into_inner).get(name).cloned()),
        may_act: Arc::new(move || store.may_act()),
    };
    Hands::new(settings).map_err(StartError::Other)
}

/// The supervisor starts in `/`, where a path as somebody wrote it leads nowhere: nothing would be protected, and nothing run.
fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

/// The engine looks when another process rings.
async fn answer_bell(bell: Bell, engine: Arc<Engine>, mut stopped: watch::Receiver<bool>) {
    tokio::select! {
        () = bell.listen(|| engine.wake()) => {}
        _ = stopped.wait_for(|stop| *stop) => {}
    }
}

async fn answer_terminals(socket: Socket, door: Arc<dyn Door>, mut stopped: watch::Receiver<bool>) {
    let stop = async move {
        let _ = stopped.wait_for(|stop| *stop).await;
    };
    if let Err(problem) = socket.serve(door, stop).await {
        tracing::error!(%problem, "terminals are not answered any more");
    }
}
