//! `serve`: runs until told to stop.

use super::exit::Exit;
use crate::app::{App, first_administrator};
use crate::config::checked::Config;
use crate::flow::identity::Platform;
use tokio::signal::unix::{SignalKind, signal};

/// Serves until SIGTERM or Ctrl-C, then finishes what is under way.
pub async fn run(config: Config, quiet: bool) -> Exit {
    let admin = first_administrator(&config.policy);
    let app = match App::start(config, Vec::new()).await {
        Ok(app) => app,
        Err(problem) => return Exit::failed(&problem.to_string()),
    };
    if !quiet && admin.platform == Platform::Console {
        match app.login_url(admin) {
            Ok(url) => super::say(&format!("console   http://{}\nsign in   {url}", app.address)),
            Err(problem) => tracing::error!(%problem, "no login link"),
        }
        super::say(&format!("alerts    http://{}/alerts/alertmanager", app.address));
    }
    tracing::info!(address = %app.address, "ready");
    told_to_stop().await;
    tracing::info!("stopping");
    app.stop().await;
    Exit::Ok
}

/// SIGTERM or SIGINT.
pub async fn told_to_stop() {
    let mut term = signal(SignalKind::terminate()).ok();
    let terminated = async {
        match term.as_mut() {
            Some(term) => {
                term.recv().await;
            }
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        () = terminated => {}
        _ = tokio::signal::ctrl_c() => {}
    }
}
