//! Looking for what may or may not have been said or opened on a chat platform, by the operation it was done under.

use super::Engine;
use super::deliver::Done;
use super::reconcile::Seen;
use crate::flow::effect::Effect;
use crate::flow::event::Event;
use crate::flow::rooms;
use crate::ports::{Found, Outgoing, Sought, StoreError, Undelivered};

impl Engine {
    pub(super) async fn find_said(&self, row: &Outgoing) -> Result<Seen, Undelivered> {
        let unavailable = |e: StoreError| Undelivered::NotYet { why: e.to_string(), after_ms: None };
        let pointless = |why: &str| Ok(Seen::Pointless(why.to_owned()));
        let id = row.effect.incident();
        let Some(incident) = self.incident(id).await.map_err(unavailable)? else {
            return pointless("the incident is gone");
        };
        let (platform, to) = match &row.effect {
            Effect::OpenRoom { platform, .. }
            | Effect::Card { platform, .. }
            | Effect::Say { platform, .. }
            | Effect::Announce { platform, .. } => (*platform, None),
            Effect::Tell { to, .. } => (to.platform, Some(to)),
            _ => return pointless("nothing was said"),
        };
        let Some(chat) = self.ports.chats.get(&platform) else {
            return pointless("the platform is not connected any more");
        };
        let room = incident.rooms.get(&platform);
        let name = rooms::name(&incident);
        let sought = match (&row.effect, room, to) {
            (Effect::OpenRoom { .. }, _, _) => Sought::Room { name: &name },
            (Effect::Announce { .. }, _, _) => Sought::Announcement,
            (_, _, Some(to)) => Sought::Told { to },
            (_, Some(room), _) => Sought::Message { room },
            (_, None, _) => return pointless("there is no room"),
        };
        self.surely_ours()?;
        Ok(match chat.find(&row.op, &incident, sought, row.queued_at).await? {
            None => Seen::NotThere,
            Some(Found::Room(room)) => {
                let remote = Some(room.id.clone());
                let event = Event::RoomOpened { incident: id, platform, room };
                Seen::There(Done { event: Some(event), ..Done::sent(remote, None) })
            }
            Some(Found::Message(message)) => {
                let said = match &row.effect {
                    Effect::Say { message, .. } | Effect::Tell { message, .. } => Some(message.as_ref().clone()),
                    _ => None,
                };
                Seen::There(Done::sent(Some(message), said))
            }
        })
    }
}
