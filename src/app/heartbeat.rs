//! The heartbeat: a call to a dead man's switch somewhere else, as long as all is well. Silence is the alarm.
//!
//! Knows whether it is well; the address may be a secret, and appears in no log.

use super::StartError;
use super::health::Health;
use crate::config::operations::Heartbeat;
use crate::egress::{Client, Failed, Limits, Outside, Terms};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{Instant, MissedTickBehavior, interval};

/// What a switch answers is not read.
const MAX_ANSWER: usize = 4 * 1024;
/// A switch that answers more slowly is as good as gone for this beat.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);
/// Such services redirect now and then (to https, to a region).
const MAX_HOPS: u8 = 2;
/// Failures are logged at most this often; they are counted each time.
const SAY_EVERY: Duration = Duration::from_mins(10);

/// A heart, ready to beat.
#[derive(Debug)]
pub struct Heart {
    client: Client,
    what: Heartbeat,
}

impl Heart {
    /// # Errors
    /// The address is not one that may be called.
    pub fn new(what: Heartbeat) -> Result<Self, StartError> {
        let limits = Limits { whole: ANSWER_WITHIN, body: MAX_ANSWER, hops: MAX_HOPS, ..Limits::default() };
        let outside = Outside::Vendor { allow_plaintext: what.allow_plaintext };
        let refused = |why: String| StartError::Other(format!("the url of [heartbeat] is not called: {why}"));
        outside.judge(what.url.expose()).map_err(|no| refused(no.why))?;
        let client = Client::new(outside, &Terms { limits, ..Terms::default() }).map_err(|no| refused(no.why))?;
        Ok(Self { client, what })
    }

    /// Beats while it is well, until told to stop.
    pub async fn beat(self, health: Arc<Health>, mut stop: watch::Receiver<bool>) {
        let mut ticks = interval(self.what.every);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut said: Option<Instant> = None;
        loop {
            tokio::select! {
                _ = ticks.tick() => {}
                _ = stop.changed() => return,
            }
            if !health.reasons().is_empty() {
                continue;
            }
            let why = match self.client.get(self.what.url.expose()).await {
                Ok(answer) if answer.is_success() => None,
                Ok(answer) => Some(format!("it answers {}", answer.status)),
                // In its words the address would appear.
                Err(Failed::Refused(no)) => Some(no.why),
                Err(failed) => Some(failed.to_string()),
            };
            health.meters().heartbeat(why.is_none());
            if let Some(why) = why.filter(|_| said.is_none_or(|at| at.elapsed() >= SAY_EVERY)) {
                tracing::warn!(why, "the heartbeat did not reach its switch, which will raise an alarm");
                said = Some(Instant::now());
            }
        }
    }
}
