//! The doors for machines: alerts, changes, and what pagers answer. Made anew when their configuration changes; requests that
//! are under way end at the door they came through.

use super::StartError;
use crate::config::checked::Config;
use crate::edges::alerts::{self, Limits, Scrub, Unfit};
use crate::edges::changes;
use crate::edges::pager::answers;
use crate::ports::{Clock, Door};
use axum::Router;
use axum::extract::Request;
use axum::response::Response;
use axum::routing::any;
use std::sync::{Arc, PoisonError, RwLock};
use tower::ServiceExt as _;

/// What stands before the name of a source in an address.
const COUNTERS: [&str; 3] = [alerts::COUNTER.name, changes::COUNTER.name, answers::COUNTER.name];

/// The doors as they are now.
#[derive(Clone)]
pub struct Doors {
    door: Arc<dyn Door>,
    clock: Arc<dyn Clock>,
    scrub: Scrub,
    now: Arc<RwLock<Router>>,
}

impl Doors {
    /// # Errors
    /// A kind of source there is not, or a machine without randomness.
    pub fn new(config: &Config, door: Arc<dyn Door>, clock: Arc<dyn Clock>, scrub: Scrub) -> Result<Self, StartError> {
        let doors = Self { door, clock, scrub, now: Arc::default() };
        doors.set(config)?;
        Ok(doors)
    }

    /// From the next request on these.
    ///
    /// # Errors
    /// As with [`Doors::new`]; they stay as they were.
    pub fn set(&self, config: &Config) -> Result<(), StartError> {
        let made = self.made(config).map_err(|e| StartError::Other(e.to_string()))?;
        *self.now.write().unwrap_or_else(PoisonError::into_inner) = made;
        Ok(())
    }

    fn made(&self, config: &Config) -> Result<Router, Unfit> {
        let (door, clock, scrub) = (|| Arc::clone(&self.door), || Arc::clone(&self.clock), || Arc::clone(&self.scrub));
        let limits = Limits::default();
        let alerts = alerts::router(&config.sources, door(), clock(), scrub(), limits)?;
        let changes = changes::router(&config.change_sources, door(), clock(), scrub(), limits)?;
        Ok(alerts.merge(changes).merge(answers::router(&config.pagers, door(), clock(), scrub())?))
    }

    /// To be merged into the server's.
    pub fn router(&self) -> Router {
        COUNTERS.into_iter().fold(Router::new(), |router, counter| {
            let doors = self.clone();
            let through = move |request: Request| doors.clone().through(request);
            router.route(&format!("/{counter}/{{source}}"), any(through))
        })
    }

    async fn through(self, mut request: Request) -> Response {
        let now = self.now.read().unwrap_or_else(PoisonError::into_inner).clone();
        // What the outer route noted of the address would be counted twice by the inner one.
        request.extensions_mut().clear();
        match now.oneshot(request).await {
            Ok(response) => response,
            Err(never) => match never {},
        }
    }
}
