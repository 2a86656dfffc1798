//! How Slack is connected, when it is configured: what it says to us, and whether it can. That it cannot be reached when we start
//! is a normal state: everything else works, and it is tried again.

use super::StartError;
use super::health::{Health, Heard};
use crate::config::checked::Config;
use crate::config::slack::Intake as Configured;
use crate::edges::alerts::Scrub;
use crate::edges::chat::slack::Slack;
use crate::edges::chat::slack::groups::{FRESH_FOR, WithGroups};
use crate::edges::chat::slack::intake::{self, Intake, Parts, Sockets, Standing, State};
use crate::edges::directory::ConfiguredDirectory;
use crate::flow::identity::Platform;
use crate::flow::moment::{At, SECOND};
use crate::ports::{Chat, Clock, Directory, Door, Rules, Views};
use crate::telemetry::gauges::Link;
use axum::Router;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::sleep;

/// Between two questions who we are there: soon after the start, then now and then, because a token may be revoked.
const ASK_SOON: Duration = Duration::from_secs(10);
const ASK_AGAIN: Duration = Duration::from_mins(10);

/// Slack, as the house has it; or not.
#[derive(Clone)]
pub struct Talk(Option<(Slack, Standing)>);

/// What takes in what Slack says; or nothing does.
#[derive(Clone)]
pub struct Ear(Option<(Arc<Intake>, Rules)>);

impl Talk {
    /// Must be called within a tokio runtime.
    pub fn connect(config: &Config, clock: &Arc<dyn Clock>) -> Result<Self, StartError> {
        let Some(configured) = &config.slack else { return Ok(Self(None)) };
        let slack = Slack::new(configured, Arc::clone(clock)).map_err(StartError::Other)?;
        Ok(Self(Some((slack, Standing::default()))))
    }

    /// Beside the console, which is always there.
    pub fn chats(&self, console: Arc<dyn Chat>) -> BTreeMap<Platform, Arc<dyn Chat>> {
        let slack = self.0.iter().map(|(slack, _)| (Platform::Slack, Arc::new(slack.clone()) as Arc<dyn Chat>));
        std::iter::once((Platform::Console, console)).chain(slack).collect()
    }

    /// Who may approve: by the configuration, and by user groups where some give the right.
    pub fn directory(&self, rules: &Rules) -> Arc<dyn Directory> {
        let configured: Arc<dyn Directory> = Arc::new(ConfiguredDirectory::new(rules.clone()));
        match &self.0 {
            Some((slack, _)) => Arc::new(WithGroups::new(slack.clone(), rules.clone(), configured)),
            None => configured,
        }
    }

    /// Shown with everything else's health.
    pub fn watched_by(&self, health: Health) -> Arc<Health> {
        let Self(Some((slack, standing))) = self.clone() else { return Arc::new(health) };
        let look = move |now| look(&slack, &standing, now);
        Arc::new(health.listening(Platform::Slack.label(), Arc::new(look)))
    }

    pub fn ear(
        &self,
        door: &Arc<dyn Door>,
        views: Arc<dyn Views>,
        rules: &Rules,
        scrub: &Scrub,
    ) -> Result<Ear, StartError> {
        let Self(Some((slack, standing))) = self.clone() else { return Ok(Ear(None)) };
        let (door, scrub, own) = (Arc::clone(door), Arc::clone(scrub), rules.clone());
        let parts = Parts { slack, door, views, rules: own, scrub, standing };
        let intake = Intake::new(parts).map_err(StartError::Other)?;
        Ok(Ear(Some((Arc::new(intake), rules.clone()))))
    }
}

impl Ear {
    /// Where Slack posts; nowhere in Socket Mode.
    pub fn routes(&self) -> Router {
        let Self(Some((intake, _))) = self else { return Router::new() };
        match &intake.slack().configured().intake {
            Configured::Http { signing } => intake::router(Arc::clone(intake), signing),
            Configured::Socket { .. } => Router::new(),
        }
    }

    /// Hears what Slack says until told to stop, and then finishes what is under way.
    pub async fn listen(self, mut stop: watch::Receiver<bool>) {
        let Self(Some((intake, rules))) = self else { return stopped(&mut stop).await };
        let mut told = stop.clone();
        let hear = async {
            if let Configured::Socket { .. } = intake.slack().configured().intake {
                match Sockets::new(Arc::clone(&intake)) {
                    Ok(sockets) => return sockets.keep(stop).await,
                    // Looked at before: the same address made the same client.
                    Err(why) => tracing::error!(%why, "Slack cannot be connected to"),
                }
            }
            stopped(&mut stop).await;
            intake.finish().await;
        };
        let know = async {
            tokio::select! {
                () = keep_in_touch(intake.slack()) => {}
                () = keep_members(intake.slack(), &rules) => {}
                () = stopped(&mut told) => {}
            }
        };
        tokio::join!(hear, know);
    }
}

async fn stopped(stop: &mut watch::Receiver<bool>) {
    let _ = stop.wait_for(|stop| *stop).await;
}

/// Asks now and then who we are there: what a person must mend shows by it, also when nobody says anything.
async fn keep_in_touch(slack: &Slack) {
    loop {
        let wait = match slack.auth_test().await {
            Ok(me) => {
                tracing::info!(workspace = me.workspace, url = me.url, "Slack knows us");
                ASK_AGAIN
            }
            Err(trouble) => {
                tracing::warn!(%trouble, "Slack does not know us yet");
                ASK_SOON
            }
        };
        sleep(wait).await;
    }
}

/// Whoever is put out of a user group loses its right soon.
async fn keep_members(slack: &Slack, rules: &Rules) {
    loop {
        slack.refresh_members(rules).await;
        sleep(FRESH_FOR).await;
    }
}

/// How Slack reaches us, for whoever watches. Asks nobody.
fn look(slack: &Slack, standing: &Standing, now: At) -> Heard {
    let state = standing.get();
    let seconds = |ms: i64| ms.max(0) as f64 / SECOND as f64;
    let link = Link {
        platform: Platform::Slack.label().to_owned(),
        connected: state.deaf_since.is_none() && state.removed.is_none(),
        deaf: state.deaf_since.map_or(0.0, |since| seconds(now.since(since))),
        reconnects: state.reconnects,
        skew: state.skew_ms.map_or(0.0, |ahead| seconds(ahead.abs())),
    };
    Heard { link, last_inbound: state.last_inbound, notes: notes(slack, &state, now) }
}

/// What a person should know, in words for those who run Smokejumper.
fn notes(slack: &Slack, state: &State, now: At) -> Vec<String> {
    let mut notes = slack.standing();
    if let Some(since) = state.deaf_since {
        let why = state.why.as_deref().unwrap_or("no connection");
        notes.push(format!("Slack has not been able to reach us for {} s: {why}", now.since(since) / SECOND));
    }
    if let Some(why) = state.removed {
        notes.push(format!("Slack: {why}; install it again under OAuth & Permissions (api.slack.com/apps)"));
    }
    if let Some(ahead) = state.skew_ms {
        let way = if ahead > 0 { "ahead of" } else { "behind" };
        notes.push(format!(
            "requests from Slack bear a time {} s {way} this machine's: set its clock (NTP), or somebody replays them",
            ahead.abs() / SECOND
        ));
    }
    notes
}
