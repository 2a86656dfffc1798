//! The console's pages: the war room in a browser. Reads projections, writes only by sending what people ask to the door.
//!
//! Everything works without JavaScript; the one small script makes pages live and adds keys. Every route is a row of
//! [`routes::Route`], which says who may use it. Knows the ports and the flow's types; knows no storage and no other edge:
//! that something changed reaches it as a number on a channel.

mod assets;
mod forms;
mod front;
mod guard;
mod live;
pub mod login;
mod names;
mod page;
mod render;
pub mod routes;
mod secret;
mod speak;
mod time;
mod trouble;

pub use front::Origins;
pub use login::LoginDesk;
pub use secret::NoEntropy;

use crate::flow::incident::IncidentId;
use crate::flow::policy::Policy;
use crate::ports::{Clock, Door, Memory, Rules, Views};
use std::sync::Arc;
use tokio::sync::{Semaphore, broadcast, watch};

/// What the pages are made of.
pub struct Parts {
    pub door: Arc<dyn Door>,
    pub views: Arc<dyn Views>,
    pub memory: Arc<dyn Memory>,
    pub clock: Arc<dyn Clock>,
    pub rules: Rules,
    pub logins: Arc<LoginDesk>,
    /// Which incident changed, whenever one did.
    pub changes: broadcast::Sender<IncidentId>,
    pub origins: Origins,
    /// How to get a login link here, in plain words.
    pub sign_in_hint: String,
}

/// The parts, and what is counted while serving.
pub struct Web {
    parts: Parts,
    seats: Arc<Semaphore>,
    /// True once live pages should let go.
    closing: watch::Sender<bool>,
}

pub type WebState = Arc<Web>;

impl Web {
    #[must_use]
    pub fn new(parts: Parts) -> WebState {
        let seats = Arc::new(Semaphore::new(live::CONNECTIONS));
        Arc::new(Self { parts, seats, closing: watch::Sender::new(false) })
    }

    /// The rules in force.
    #[must_use]
    pub fn policy(&self) -> Arc<Policy> {
        self.rules.current()
    }

    /// Ends every live connection, so that a graceful shutdown is not kept waiting by open pages.
    pub fn hang_up(&self) {
        self.closing.send_replace(true);
    }
}

impl std::ops::Deref for Web {
    type Target = Parts;
    fn deref(&self) -> &Parts {
        &self.parts
    }
}

impl std::fmt::Debug for Web {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Web").field("seats", &self.seats.available_permits()).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Parts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Parts").field("origins", &self.origins).finish_non_exhaustive()
    }
}

/// All pages, with their own not-found page. To be served over HTTP/1.1 with a header read timeout by the caller.
pub fn router(web: &WebState) -> axum::Router {
    front::around(routes::all(web), web)
}
