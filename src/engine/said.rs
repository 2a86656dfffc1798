//! Looking for what may or may not have been said or opened on a chat platform, by the operation it was done under.

use super::Engine;
use super::deliver::Done;
use super::reconcile::Seen;
use super::speak::{opened, said};
use crate::flow::effect::Effect;
use crate::flow::rooms;
use crate::ports::{Found, Outgoing, Sought, StoreError, Undelivered};

impl Engine {
    pub(super) async fn find_said(&self, row: &Outgoing) -> Result<Seen, Undelivered> {
        let unavailable = |e: StoreError| Undelivered::NotYet { why: e.to_string(), after_ms: None };
        let pointless = |why: &str| Ok(Seen::Pointless(why.to_owned()));
        let Some(incident) = self.incident(row.effect.incident()).await.map_err(unavailable)? else {
            return pointless("the incident is gone");
        };
        let Some(platform) = row.effect.destination().platform() else { return pointless("nothing was said") };
        let Some(chat) = self.ports.chats.get(&platform) else {
            return Err(Undelivered::NotYet {
                why: "the platform is not connected any more".to_owned(),
                after_ms: None,
            });
        };
        let name = rooms::name(&incident);
        let sought = match (&row.effect, incident.rooms.get(&platform)) {
            (Effect::OpenRoom { .. }, _) => Sought::Room { name: &name },
            (Effect::Announce { .. }, _) => Sought::Announcement,
            (Effect::Tell { to, .. }, _) => Sought::Told { to },
            (_, Some(room)) => Sought::Message { room },
            // Nothing is said before the room is a fact; or that room is gone, and it can be said in the one in its place.
            (_, None) => return Ok(Seen::NotThere),
        };
        self.surely_ours()?;
        let came = chat.find(&row.op, &incident, sought, row.queued_at).await;
        Ok(match self.heard(row, platform, came)? {
            None => Seen::NotThere,
            Some(Found::Room(room)) => Seen::There(opened(&incident, platform, room)),
            Some(Found::Message(message)) => {
                let said = said(&row.effect, &incident, platform, self.ports.clock.now());
                Seen::There(Done::sent(Some(message), said))
            }
        })
    }
}
