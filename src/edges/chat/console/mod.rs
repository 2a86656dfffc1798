//! The console as a chat platform: the built-in web war room, there when every vendor is down.
//!
//! A room here is a page, and the page reads the journal: so opening a room, bringing a card up to date and saying something
//! come down to telling live pages that there is something new. Everything is deterministic: doing it twice is doing it once.
//! Knows no storage, no HTTP and no HTML; what pages look like is the web edge's.

use crate::flow::fact::Room;
use crate::flow::identity::Platform;
use crate::flow::incident::{Incident, IncidentId};
use crate::ports::{Chat, Undelivered};
use async_trait::async_trait;
use smokejumper_intents::reply::Reply;
use tokio::sync::broadcast;

/// Changes kept for a live page that is slow to listen. One that misses some is told to look again, so none is lost.
pub const CHANGES: usize = 256;

/// The way changes reach live pages: which incident changed, never what.
pub type Changes = broadcast::Sender<IncidentId>;

/// A channel of changes with room for [`CHANGES`].
#[must_use]
pub fn changes() -> Changes {
    broadcast::Sender::new(CHANGES)
}

#[derive(Clone, Debug)]
pub struct Console {
    changes: Changes,
    /// `http://127.0.0.1:8080`, without a slash at its end: how other platforms link to the pages.
    base: String,
}

impl Console {
    #[must_use]
    pub fn new(changes: Changes, base: &str) -> Self {
        Self { changes, base: base.trim_end_matches('/').to_owned() }
    }

    /// Live pages look again. Nobody listening is a normal state.
    fn tell(&self, incident: IncidentId) {
        let _ = self.changes.send(incident);
    }
}

#[async_trait]
impl Chat for Console {
    fn platform(&self) -> Platform {
        Platform::Console
    }

    /// The name is always had as wanted: pages are found by number.
    async fn open_room(&self, _op: &str, incident: &Incident, name: &str) -> Result<Room, Undelivered> {
        self.tell(incident.id);
        Ok(Room {
            id: format!("incident-{}", incident.id.0),
            name: name.to_owned(),
            link: Some(format!("{}/incidents/{}", self.base, incident.id.0)),
            private: incident.private,
        })
    }

    async fn card(
        &self,
        _op: &str,
        incident: &Incident,
        room: &Room,
        _card: &Reply,
        _posted: Option<&str>,
    ) -> Result<Option<String>, Undelivered> {
        self.tell(incident.id);
        Ok(Some(format!("{}#card", room.id)))
    }

    /// The message is kept by whoever stores the outcome (`Progress::Sent { said }`) and read back by its operation.
    async fn say(
        &self,
        op: &str,
        incident: &Incident,
        room: &Room,
        _message: &Reply,
    ) -> Result<Option<String>, Undelivered> {
        self.tell(incident.id);
        Ok(Some(format!("{}#{op}", room.id)))
    }
}
