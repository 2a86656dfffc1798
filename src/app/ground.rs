//! What stands before anything else can: the port, and the database. A Postgres may be another process's for now; until it
//! is ours this process is a *standby*: `/livez` says yes, `/readyz` says why not, and whoever sends something is told to
//! come again, so that a balancer or Alertmanager's retry finds the one that works.

use super::loops::Loops;
use super::{StartError, location};
use crate::config::checked::Config;
use crate::config::secret::Secret;
use crate::edges::clock::WallClock;
use crate::edges::listen;
use crate::edges::monitor::{self, Reason, Watched};
use crate::edges::store::Store;
use crate::edges::store::standby::Standing;
use crate::ports::Clock;
use axum::Router;
use axum::http::StatusCode;
use axum::http::header::RETRY_AFTER;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::watch;

/// Seconds: a lease is over after ten, and whoever asks again meanwhile is told the same.
const COME_AGAIN: &str = "5";
/// Answers of a standby take no time; connections that are open are closed.
const DRAIN: Duration = Duration::from_secs(2);

/// The port and the database, both ours.
pub struct Ground {
    pub(super) listener: TcpListener,
    pub(super) address: SocketAddr,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) store: Store,
}

impl std::fmt::Debug for Ground {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ground").field("address", &self.address).finish_non_exhaustive()
    }
}

impl Ground {
    /// Takes the port, then the database, however long that takes with a Postgres. `standing_by` hears why it waits, each
    /// time that changes. May be dropped while it waits.
    ///
    /// # Errors
    /// The port is taken, the data directory or the database cannot be used.
    pub async fn gain(config: &Config, standing_by: impl Fn(SocketAddr, &Standing)) -> Result<Self, StartError> {
        let port = |source| StartError::Port { address: config.listen, source };
        let listener = TcpListener::bind(config.listen).await.map_err(port)?;
        let address = listener.local_addr().map_err(port)?;
        let clock: Arc<dyn Clock> = Arc::new(WallClock);
        let (said, mut heard) = watch::channel(None);
        let note = |standing: &Standing| {
            said.send_if_modified(|known| {
                let news = known.as_ref() != Some(standing);
                known.clone_from(&Some(standing.clone()));
                news
            });
        };
        let mut store = std::pin::pin!(Store::wait(location(config), Arc::clone(&clock), note));
        let mut door: Option<Loops> = None;
        let store = loop {
            tokio::select! {
                store = &mut store => break store?,
                Ok(()) = heard.changed() => {
                    let Some(standing) = heard.borrow_and_update().clone() else { continue };
                    standing_by(address, &standing);
                    if door.is_none() {
                        let (listener, standing) = (twin(&listener).map_err(port)?, heard.clone());
                        let router = closed(standing, config.operations.metrics_tokens.clone());
                        let serving = door.insert(Loops::new());
                        serving.start("standby", |stop| listen::serve(listener, router, stop));
                    }
                }
            }
        };
        if let Some(door) = door {
            // Connections that come meanwhile wait in the listener's queue.
            door.stop(DRAIN).await;
        }
        Ok(Self { listener, address, clock, store })
    }
}

/// Another handle of the same listening socket.
fn twin(listener: &TcpListener) -> std::io::Result<TcpListener> {
    use std::os::fd::AsFd as _;
    TcpListener::from_std(std::net::TcpListener::from(listener.as_fd().try_clone_to_owned()?))
}

/// What a standby answers.
fn closed(standing: watch::Receiver<Option<Standing>>, tokens: Vec<Secret>) -> Router {
    let reasons = move || {
        let standing = standing.borrow();
        standing.iter().map(|standing| Reason { what: standing.what(), why: standing.to_string() }).collect()
    };
    let watched = Watched {
        reasons: Arc::new(reasons),
        notes: Arc::new(Vec::new),
        metrics: Arc::new(|| ("text/plain; version=0.0.4", "smokejumper_ready 0\nsmokejumper_standby 1\n".to_owned())),
        tokens,
    };
    let later = || async {
        let what = "this smokejumper stands by for another one; send it there, or come again\n";
        (StatusCode::SERVICE_UNAVAILABLE, [(RETRY_AFTER, COME_AGAIN)], what)
    };
    monitor::router(watched).fallback(later)
}
