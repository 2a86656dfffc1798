//! `serve`: runs until told to stop.

use super::exit::Exit;
use crate::app::{App, first_administrator};
use crate::config::checked::Config;
use crate::flow::identity::Platform;
use clap::Args;
use tokio::signal::unix::{Signal, SignalKind, signal};

#[derive(Debug, Args)]
pub struct ServeArgs {
    /// The database was restored from a copy, and a person has looked: deliver again. Runs that waited are given up.
    #[arg(long)]
    confirm_restored: bool,
}

/// Serves until SIGTERM or Ctrl-C, then finishes what is under way.
pub async fn run(config: Config, args: &ServeArgs, quiet: bool) -> Exit {
    let mut signals = Signals::listen();
    let admin = first_administrator(&config.policy);
    let sources: Vec<String> = config.sources.iter().map(|source| source.name.clone()).collect();
    let app = match App::start(config, Vec::new()).await {
        Ok(app) => app,
        Err(problem) => return Exit::failed(&problem.to_string()),
    };
    if args.confirm_restored
        && let Err(problem) = app.store.confirm_restored().await
    {
        return Exit::failed(&problem.to_string());
    }
    if !quiet && admin.platform == Platform::Console {
        match app.login_url(admin) {
            Ok(url) => super::say(&format!("console   http://{}\nsign in   {url}", app.address)),
            Err(problem) => tracing::error!(%problem, "no login link"),
        }
        for source in &sources {
            super::say(&format!("alerts    http://{}/alerts/{source}", app.address));
        }
    }
    if let Some(why) = app.store.is_restored() {
        tracing::warn!(why, "this database is a copy: nothing is delivered or run until `serve --confirm-restored`");
    }
    tracing::info!(address = %app.address, "ready");
    let broken = tokio::select! {
        () = signals.told_to_stop() => None,
        broken = app.broken() => Some(broken),
    };
    tracing::info!("stopping");
    app.stop().await;
    broken.map_or(Exit::Ok, |broken| Exit::failed(&broken.to_string()))
}

/// SIGTERM and SIGINT. From when it is made they end nothing by themselves: what is being started is finished, then drained.
#[derive(Debug)]
pub struct Signals {
    term: Option<Signal>,
    int: Option<Signal>,
}

impl Signals {
    #[must_use]
    pub fn listen() -> Self {
        Self { term: signal(SignalKind::terminate()).ok(), int: signal(SignalKind::interrupt()).ok() }
    }

    /// Returns when somebody wants the process to end.
    pub async fn told_to_stop(&mut self) {
        tokio::select! {
            () = next(self.term.as_mut()) => {}
            () = next(self.int.as_mut()) => {}
        }
    }
}

async fn next(signal: Option<&mut Signal>) {
    match signal {
        Some(signal) => {
            signal.recv().await;
        }
        None => std::future::pending().await,
    }
}
