//! The port `Chat` over Slack: one call that changes something for each effect that may be looked for again.

use super::Slack;
use super::method;
use super::pace::Lane;
use super::post::{Place, lane};
use super::trouble::Trouble;
use crate::flow::fact::Room;
use crate::flow::identity::{Identity, Platform};
use crate::flow::incident::Incident;
use crate::flow::moment::{At, MINUTE};
use crate::flow::rooms::Furnishing;
use crate::ports::{Chat, Found, Sought, Undelivered};
use async_trait::async_trait;
use serde_json::{Value, json};
use smokejumper_intents::reply::Reply;

/// Until somebody has invited the bot, or corrected the name (ms).
const MENDED_AFTER: i64 = 5 * MINUTE;

#[async_trait]
impl Chat for Slack {
    fn platform(&self) -> Platform {
        Platform::Slack
    }

    async fn open_room(&self, op: &str, incident: &Incident, name: &str) -> Result<Room, Undelivered> {
        self.make_room(op, incident, name).await
    }

    async fn card(
        &self,
        op: &str,
        incident: &Incident,
        room: &Room,
        card: &Reply,
        posted: Option<&str>,
    ) -> Result<Option<String>, Undelivered> {
        let place = Place { channel: &room.id, op, incident, lane: Lane::Chatter };
        let ts = match posted.and_then(|posted| within(room, posted)) {
            Some(ts) if self.edit(place, ts, card).await.map_err(Trouble::in_room)? => ts.to_owned(),
            // The first thing anybody sees of it.
            _ => self.post(Place { lane: Lane::Urgent, ..place }, card).await.map_err(Trouble::in_room)?,
        };
        self.pin(place, &ts).await;
        Ok(Some(format!("{}/{ts}", room.id)))
    }

    async fn say(
        &self,
        op: &str,
        incident: &Incident,
        room: &Room,
        message: &Reply,
    ) -> Result<Option<String>, Undelivered> {
        let place = Place { channel: &room.id, op, incident, lane: lane(message) };
        let ts = self.post(place, message).await.map_err(Trouble::in_room)?;
        Ok(Some(format!("{}/{ts}", room.id)))
    }

    async fn furnish(&self, incident: &Incident, room: &Room, wanted: &Furnishing) -> Result<Vec<String>, Undelivered> {
        self.bring(incident, room, wanted).await
    }

    async fn close_room(
        &self,
        incident: &Incident,
        room: &Room,
        last: &Reply,
        posted: Option<&str>,
    ) -> Result<(), Undelivered> {
        match self.take_leave(incident, room, last, posted).await {
            // Somebody was faster, by hand.
            Err(Undelivered::NoRoom { .. }) => Ok(()),
            outcome => outcome,
        }
    }

    async fn tell(
        &self,
        op: &str,
        incident: &Incident,
        to: &Identity,
        message: &Reply,
    ) -> Result<Option<String>, Undelivered> {
        let channel = self.channel_of(to).await?;
        let place = Place { channel: &channel, op, incident, lane: Lane::Urgent };
        let ts = self.post(place, message).await?;
        Ok(Some(format!("{channel}/{ts}")))
    }

    async fn announce(
        &self,
        op: &str,
        incident: &Incident,
        message: &Reply,
        posted: Option<&str>,
    ) -> Result<Option<String>, Undelivered> {
        let channel = self.announcements().await?;
        let place = Place { channel: &channel, op, incident, lane: Lane::Chatter };
        if let Some((there, ts)) = posted.and_then(|posted| posted.split_once('/'))
            && there == channel
            && self.edit(place, ts, message).await.map_err(|trouble| self.not_there(trouble))?
        {
            return Ok(posted.map(str::to_owned));
        }
        let ts = match self.post(place, message).await {
            Err(trouble) if trouble.is(&["not_in_channel"]) => {
                let turn = self.turn(&method::JOIN, None, Lane::Chatter, op);
                let joined = self.call_in::<Value>(turn, &json!({ "channel": channel })).await;
                joined.map_err(|trouble| self.not_there(trouble))?;
                self.post(place, message).await
            }
            outcome => outcome,
        };
        let ts = ts.map_err(|trouble| self.not_there(trouble))?;
        Ok(Some(format!("{channel}/{ts}")))
    }

    async fn find(
        &self,
        op: &str,
        incident: &Incident,
        sought: Sought<'_>,
        since: At,
    ) -> Result<Option<Found>, Undelivered> {
        let channel = match sought {
            Sought::Room { name } => return Ok(self.lost_room(incident, name, since).await?.map(Found::Room)),
            Sought::Message { room } => {
                let ts = self.posted(&room.id, op, since).await?;
                return Ok(ts.map(|ts| Found::Message(format!("{}/{ts}", room.id))));
            }
            Sought::Told { to } => self.channel_of(to).await?,
            Sought::Announcement => self.announcements().await?,
        };
        let ts = self.posted(&channel, op, since).await?;
        Ok(ts.map(|ts| Found::Message(format!("{channel}/{ts}"))))
    }
}

/// The time of a message in this room, from what [`Chat::card`] gave.
fn within<'p>(room: &Room, posted: &'p str) -> Option<&'p str> {
    posted.split_once('/').filter(|(channel, _)| *channel == room.id).map(|(_, ts)| ts)
}

impl Slack {
    async fn take_leave(
        &self,
        incident: &Incident,
        room: &Room,
        last: &Reply,
        posted: Option<&str>,
    ) -> Result<(), Undelivered> {
        if self.channel(&room.id).await.map_err(Trouble::in_room)?.is_archived {
            return Ok(());
        }
        let op = format!("leave:{}", room.id);
        let place = Place { channel: &room.id, op: &op, incident, lane: Lane::Chatter };
        let edited = match posted.and_then(|posted| within(room, posted)) {
            Some(ts) => self.edit(place, ts, last).await.map_err(Trouble::in_room)?,
            None => false,
        };
        if !edited && self.posted(&room.id, &op, incident.times.declared).await?.is_none() {
            self.post(place, last).await.map_err(Trouble::in_room)?;
        }
        let turn = self.turn(&method::ARCHIVE, None, Lane::Chatter, &room.id);
        match self.call_in::<Value>(turn, &json!({ "channel": room.id })).await {
            Err(trouble) if !trouble.is(&["already_archived"]) => Err(trouble.in_room()),
            _ => Ok(()),
        }
    }

    async fn channel_of(&self, to: &Identity) -> Result<String, Undelivered> {
        let me = self.me().await?;
        if to.platform != Platform::Slack || to.workspace != me.workspace {
            return Err(Undelivered::Never { why: "that account is of another workspace".to_owned() });
        }
        Ok(self.direct(&to.id).await?)
    }

    /// The channel for announcements, by the id or the name in the configuration.
    async fn announcements(&self) -> Result<String, Undelivered> {
        let Some(written) = &self.configured().announce else {
            let why = "no channel for announcements is configured ([slack] announce)".to_owned();
            return Err(Undelivered::Never { why });
        };
        let plain = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit();
        if written.len() >= 9 && written.starts_with(['C', 'G']) && written.chars().all(plain) {
            return Ok(written.clone());
        }
        let known = format!("{written} announce");
        if let Some(id) = self.noted(&known) {
            return Ok(id);
        }
        for (method, types) in [
            (&method::USERS_CONVERSATIONS, "public_channel,private_channel"),
            (&method::CONVERSATIONS_LIST, "public_channel"),
        ] {
            let arguments = json!({ "types": types, "exclude_archived": true, "limit": 200 });
            if let Some(found) = self.search(method, arguments, |channel| channel.name == *written).await? {
                self.note(known, found.id.clone());
                return Ok(found.id);
            }
        }
        let why =
            format!("[slack] announce: there is no channel `{written}` that Smokejumper can see; invite it there");
        Err(Undelivered::NotYet { why, after_ms: Some(MENDED_AFTER) })
    }

    /// The channel for announcements is everybody's: that it is gone is for the operator to mend.
    fn not_there(&self, trouble: Trouble) -> Undelivered {
        if trouble.room_change().is_none() && !trouble.is(&["method_not_supported_for_channel_type"]) {
            return trouble.into();
        }
        if let Some(written) = &self.configured().announce {
            self.forget(&format!("{written} announce"));
        }
        let why = format!("[slack] announce: {trouble}; invite Smokejumper to the channel, or name another");
        Undelivered::NotYet { why, after_ms: Some(MENDED_AFTER) }
    }
}
