//! COMPOSITION ROOT: the only file that names concrete edges. Puts them around the engine, serves, and drains.

use crate::config::checked::Config;
use crate::edges::alerts;
use crate::edges::chat::console::{self, Console};
use crate::edges::clock::WallClock;
use crate::edges::directory::ConfiguredDirectory;
use crate::edges::listen;
use crate::edges::memory::IndexedMemory;
use crate::edges::runner::redact::Redactor;
use crate::edges::runner::{Hands, Settings};
use crate::edges::socket::{self, Socket};
use crate::edges::store::Store;
use crate::edges::web::{self, LoginDesk, Origins, Parts, Web, WebState};
use crate::engine::{Engine, Ports};
use crate::flow::identity::{Identity, Platform};
use crate::flow::policy::Policy;
use crate::ports::{Chat, Clock, Door, StoreError, Views};
use axum::Router;
use axum::http::StatusCode;
use axum::routing::get;
use smokejumper_index::Opened;
use smokejumper_index::case::Case;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;

/// What memory learned is written to disk this often; until then it is searched from memory, and the journal has it anyway.
const FLUSH_EVERY: Duration = Duration::from_secs(30);

/// Memory's folder in the data directory.
const INDEX: &str = "index";
/// How soon a storage that must not be used any more is noticed.
const LOOK_EVERY: Duration = Duration::from_secs(1);

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

/// A running Smokejumper.
pub struct App {
    pub address: SocketAddr,
    pub engine: Arc<Engine>,
    pub store: Store,
    pub memory: IndexedMemory,
    pub clock: Arc<dyn Clock>,
    logins: Arc<LoginDesk>,
    web: WebState,
    stop: watch::Sender<bool>,
    tasks: JoinSet<()>,
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
        let listener = TcpListener::bind(config.listen)
            .await
            .map_err(|source| StartError::Port { address: config.listen, source })?;
        let address = listener.local_addr().map_err(|e| StartError::Other(e.to_string()))?;
        let clock: Arc<dyn Clock> = Arc::new(WallClock);
        let store = Store::open(&config.data_dir, Arc::clone(&clock)).await?;
        let memory = remember(&config.data_dir.join(INDEX), &store, taught).await?;
        let socket = socket::bind(&config.data_dir).map_err(|e| StartError::Other(e.to_string()))?;
        let changes = console::changes();
        let base = format!("http://{address}");
        let console: Arc<dyn Chat> = Arc::new(Console::new(changes.clone(), &base));
        let policy = Arc::new(config.policy.clone());
        let limits = alerts::Limits::default();
        let ports = Ports {
            inbox: Arc::new(store.clone()),
            journal: Arc::new(store.clone()),
            outbox: Arc::new(store.clone()),
            views: Arc::new(store.clone()),
            chats: BTreeMap::from([(Platform::Console, console)]),
            memory: Arc::new(memory.clone()),
            runner: Arc::new(hands(&config)?),
            directory: Arc::new(ConfiguredDirectory::new(Arc::clone(&policy))),
            clock: Arc::clone(&clock),
        };
        let engine = Arc::new(Engine::start(ports, config.policy.clone()).await?);
        let door: Arc<dyn Door> = engine.clone();
        let logins = Arc::new(LoginDesk::new(Arc::clone(&clock)));
        let views: Arc<dyn Views> = Arc::new(store.clone());
        let web = Web::new(Parts {
            door: Arc::clone(&door),
            views,
            memory: Arc::new(memory.clone()),
            clock: Arc::clone(&clock),
            policy: Arc::clone(&policy),
            logins: Arc::clone(&logins),
            changes,
            origins: origins(address, &config.hosts),
            sign_in_hint: "Whoever started Smokejumper finds a login link in its terminal.".to_owned(),
        });
        let redactor = redactor(&config);
        let scrub: alerts::Scrub = Arc::new(move |text| redactor.redact(text));
        let alerts = alerts::router(&config.sources, Arc::clone(&door), Arc::clone(&clock), scrub, limits)
            .map_err(|e| StartError::Other(e.to_string()))?;
        let app = web::router(&web).merge(alerts).merge(health(&store));
        let (stop, stopped) = watch::channel(false);
        let mut tasks = JoinSet::new();
        tasks.spawn(Arc::clone(&engine).run_until(stopped.clone()));
        tasks.spawn(listen::serve(listener, app, stopped.clone()));
        tasks.spawn(keep_flushing(memory.clone(), stopped.clone()));
        tasks.spawn(answer_terminals(socket, door, stopped));
        Ok(Self { address, engine, store, memory, clock, logins, web, stop, tasks })
    }

    /// A one-time login link for a person of the console.
    ///
    /// # Errors
    /// The machine has no randomness.
    pub fn login_url(&self, identity: Identity) -> Result<String, StartError> {
        let token = self.logins.mint(identity).map_err(|e| StartError::Other(e.to_string()))?;
        Ok(format!("http://{}/login?token={token}", self.address))
    }

    /// Returns when storage says that this process must not go on.
    pub async fn broken(&self) -> StoreError {
        loop {
            if let Some(broken) = self.store.broken() {
                return broken.clone();
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// Takes nothing more in, finishes what is under way, and lets go of the data directory.
    pub async fn stop(mut self) {
        self.web.hang_up();
        self.stop.send_replace(true);
        while self.tasks.join_next().await.is_some() {}
        if let Err(problem) = self.memory.flush(None).await {
            tracing::warn!(%problem, "memory not written; it is rebuilt from the journal");
        }
        self.store.close().await;
    }
}

/// Builds memory anew from the journal; how many past incidents it then holds. Takes the data directory for itself, so no
/// server can be using the index that is thrown away.
///
/// # Errors
/// The data directory is in use or cannot be used.
pub async fn reindex(data_dir: &Path) -> Result<u64, StartError> {
    let store = Store::open(data_dir, Arc::new(WallClock)).await?;
    let index = data_dir.join(INDEX);
    match std::fs::remove_dir_all(&index) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => {
            return Err(StartError::Other(format!("{} cannot be removed: {e}", index.display())));
        }
        _ => {}
    }
    let memory = remember(&index, &store, Vec::new()).await?;
    let cases = memory.cases().await;
    store.close().await;
    Ok(cases)
}

/// A person of the console.
#[must_use]
pub fn console_identity(person: &str) -> Identity {
    Identity { platform: Platform::Console, workspace: "local".to_owned(), id: person.to_owned() }
}

/// Whom the first login link is for: the first administrator of the configuration, or the only person there is.
#[must_use]
pub fn first_administrator(policy: &Policy) -> Identity {
    use smokejumper_intents::word::Right;
    let admin = policy.people.iter().find(|p| p.right == Right::Admin).or_else(|| policy.people.first());
    let identity = admin.and_then(|p| p.identities.iter().find(|i| i.platform == Platform::Console));
    identity.cloned().unwrap_or_else(|| console_identity("operator"))
}

/// Behind a proxy that serves it over https, or on this machine.
fn origins(address: SocketAddr, hosts: &[String]) -> Origins {
    if hosts.is_empty() { Origins::loopback(address.port()) } else { Origins::https(hosts.iter().cloned()) }
}

/// Knows the shapes of secrets, and those of the configuration.
fn redactor(config: &Config) -> Redactor {
    Redactor::new(config.secrets.values().map(|s| s.expose().to_owned()))
}

fn hands(config: &Config) -> Result<Hands, StartError> {
    // Stays this very binary even when the file is replaced by an upgrade.
    let binary = PathBuf::from("/proc/self/exe");
    let settings = Settings {
        binary,
        data: absolute(&config.data_dir),
        protect: std::iter::once(&config.data_dir).chain(&config.file).map(|path| absolute(path)).collect(),
        redactor: redactor(config),
        secrets: {
            let secrets = config.secrets.clone();
            Arc::new(move |name| secrets.get(name).cloned())
        },
    };
    Hands::new(settings).map_err(StartError::Other)
}

/// The supervisor starts in `/`, where a path as somebody wrote it leads nowhere: nothing would be protected, and nothing run.
fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

/// Opens memory and teaches it what it misses. A damaged index is rebuilt from the journal; one that cannot be opened is
/// replaced, for the time being, by one without a directory: triage is a help, never a reason not to start (I29).
async fn remember(dir: &Path, store: &Store, taught: Vec<Case>) -> Result<IndexedMemory, StartError> {
    let (memory, since) = match IndexedMemory::open(dir) {
        Ok((memory, Opened::Ready { mark, .. })) => (memory, mark),
        Ok((memory, Opened::Fresh { because })) => {
            tracing::info!(because, "memory is built from the journal");
            (memory, 0)
        }
        Err(trouble) => {
            tracing::error!(%trouble, "the index cannot be opened; until the next start memory is not kept on disk");
            let memory = IndexedMemory::volatile().map_err(|e| StartError::Other(e.to_string()))?;
            (memory, 0)
        }
    };
    let lessons = store.reader().lessons(since).await?;
    let mark = lessons.iter().map(|(seq, _)| *seq).max().unwrap_or(since);
    memory.teach(taught).await.map_err(|e| StartError::Other(e.to_string()))?;
    for (_, lesson) in lessons {
        if let Err(problem) = crate::ports::Memory::remember(&memory, lesson).await {
            tracing::warn!(%problem, "a lesson was not remembered");
        }
    }
    if let Err(problem) = memory.flush(Some(mark)).await {
        tracing::warn!(%problem, "memory not written; it is rebuilt from the journal");
    }
    Ok(memory)
}

/// `/livez`: the process runs. `/readyz`: it can take alerts in.
fn health(store: &Store) -> Router {
    let store = store.clone();
    let ready = move || {
        let store = store.clone();
        async move {
            let trouble = match store.broken() {
                Some(broken) => Some(broken.to_string()),
                None => store.reader().counts().await.err().map(|e| e.to_string()),
            };
            match trouble {
                None => (StatusCode::OK, "ready\n".to_owned()),
                Some(trouble) => (StatusCode::SERVICE_UNAVAILABLE, format!("{trouble}\n")),
            }
        }
    };
    Router::new().route("/livez", get(|| async { "alive\n" })).route("/readyz", get(ready))
}

async fn answer_terminals(socket: Socket, door: Arc<dyn Door>, mut stopped: watch::Receiver<bool>) {
    let stop = async move {
        let _ = stopped.wait_for(|stop| *stop).await;
    };
    if let Err(problem) = socket.serve(door, stop).await {
        tracing::error!(%problem, "terminals are not answered any more");
    }
}

async fn keep_flushing(memory: IndexedMemory, mut stopped: watch::Receiver<bool>) {
    while !*stopped.borrow() {
        tokio::select! {
            () = tokio::time::sleep(FLUSH_EVERY) => {
                if let Err(problem) = memory.flush(None).await {
                    tracing::warn!(%problem, "memory not written; it stays searchable");
                }
            }
            _ = stopped.changed() => {}
        }
    }
}
