//! How GitHub is connected, when it is configured: the tracker, the webhook's route, and the look for what webhooks missed.

use crate::config::checked::Config;
use crate::edges::alerts::{Scrub, Unfit};
use crate::edges::github;
use crate::edges::github::{Gaps, GitHub};
use crate::ports::{Clock, Door, Views};
use axum::Router;
use std::sync::Arc;
use tokio::sync::watch;

/// Connects, and tells the rules where issues and rooms may link to.
pub fn connect(config: &mut Config, clock: &Arc<dyn Clock>) -> Result<Option<GitHub>, String> {
    tell_console(config);
    config.github.as_ref().map(|configured| GitHub::new(configured, Arc::clone(clock))).transpose()
}

/// Tells the rules where issues and rooms may link to: only where others can reach the console.
pub fn tell_console(config: &mut Config) {
    let base = config.hosts.first().map(|host| format!("https://{host}"));
    config.policy.rooms.console.clone_from(&base);
    if let Some(tracking) = &mut config.policy.tracking {
        tracking.console = base;
    }
}

/// Where GitHub posts; nowhere without a secret to sign with.
///
/// # Errors
/// A machine without randomness.
pub fn routes(config: &Config, door: &Arc<dyn Door>, clock: &Arc<dyn Clock>, scrub: Scrub) -> Result<Router, Unfit> {
    match &config.github {
        Some(configured) if !configured.webhook.is_empty() => {
            github::router(&configured.webhook, Arc::clone(door), Arc::clone(clock), scrub)
        }
        _ => Ok(Router::new()),
    }
}

/// Looks for gaps until told to stop; without GitHub there are none.
pub async fn mind_gaps(
    github: Option<GitHub>,
    views: Arc<dyn Views>,
    door: Arc<dyn Door>,
    mut stop: watch::Receiver<bool>,
) {
    match github {
        Some(github) => Gaps::new(github, views, door).keep(stop).await,
        None => {
            let _ = stop.wait_for(|stop| *stop).await;
        }
    }
}
