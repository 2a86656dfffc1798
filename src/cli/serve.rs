//! `serve`: runs until told to stop.

use super::exit::Exit;
use crate::app::{App, Broken, Ground, Load};
use crate::config::checked::Config;
use crate::edges::store::standby::Standing;
use clap::Args;
use std::path::Path;
use tokio::signal::unix::{Signal, SignalKind, signal};

#[derive(Debug, Args)]
pub struct ServeArgs {
    /// The database was restored from a copy, and a person has looked: deliver again. Runs that waited are given up.
    #[arg(long)]
    confirm_restored: bool,
}

/// Serves until SIGTERM or Ctrl-C, then finishes what is under way.
pub async fn run(config: Config, args: &ServeArgs, again: Load, quiet: bool) -> Exit {
    let mut signals = Signals::listen();
    let sources: Vec<String> = config.sources.iter().map(|source| source.name.clone()).collect();
    let data_dir = std::path::absolute(&config.data_dir).unwrap_or_else(|_| config.data_dir.clone());
    let standing_by = |address, standing: &Standing| {
        tracing::warn!(%standing, "standing by");
        if !quiet {
            super::say(&format!("standby   http://{address}  {standing}"));
        }
    };
    let ground = tokio::select! {
        ground = Ground::gain(&config, standing_by) => ground,
        // Nothing is under way that would have to be finished.
        () = signals.told_to_stop() => return Exit::Ok,
    };
    let started = match ground {
        Ok(ground) => App::start_on(ground, config, Vec::new()).await,
        Err(problem) => Err(problem),
    };
    let mut app = match started {
        Ok(app) => app,
        Err(problem) => return Exit::failed(&problem.to_string()),
    };
    app.follow(again);
    if args.confirm_restored
        && let Err(problem) = app.store.confirm_restored().await
    {
        return Exit::failed(&problem.to_string());
    }
    if !quiet {
        welcome(&app, &data_dir, &sources);
    }
    if let Some(why) = app.store.is_restored() {
        tracing::warn!(why, "this database is a copy: nothing is delivered or run until `serve --confirm-restored`");
    }
    tracing::info!(address = %app.address, "ready");
    let exit = until_stopped(&mut app, &mut signals).await;
    tracing::info!("stopping");
    app.stop().await;
    exit
}

/// Where it can be reached, and how to get in.
fn welcome(app: &App, data_dir: &Path, sources: &[String]) {
    super::say(&format!("console   {}", app.console));
    let more = format!("smokejumper login [PERSON] --data-dir {}", data_dir.display());
    match app.login_link(None) {
        Ok(link) => {
            super::say(&format!("sign in   {}", link.url));
            super::say(&format!("          as {}, once, within {} minutes; again: {more}", link.person, link.minutes));
        }
        Err(problem) => super::say(&format!("sign in   {problem}; then: {more}")),
    }
    for source in sources {
        super::say(&format!("alerts    http://{}/alerts/{source}", app.address));
    }
}

/// Waits for SIGTERM, Ctrl-C, or a reason not to go on; how the process is to end.
pub async fn until_stopped(app: &mut App, signals: &mut Signals) -> Exit {
    let broken = tokio::select! {
        () = signals.told_to_stop() => return Exit::Ok,
        broken = app.broken() => broken,
    };
    match broken {
        Broken::Store(problem) => Exit::failed(&problem.to_string()),
        Broken::Part(ended) => {
            tracing::error!(
                part = ended.part,
                why = ended.why,
                "a part ended that must not: this process stops, to be started again"
            );
            Exit::Internal
        }
    }
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
