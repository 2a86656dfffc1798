//! What people do without asking: marking a message, joining a channel, changing one by hand.

use super::payload::Message;
use super::replies::Back;
use super::{Intake, SOURCE, Seat, Taken, failed};
use crate::edges::chat::slack::home;
use crate::edges::chat::slack::method;
use crate::edges::chat::slack::trouble::Trouble;
use crate::flow::event::Event;
use crate::flow::fact::RoomChange;
use crate::flow::identity::{Identity, Platform};
use crate::ports::Arrival;
use serde::Deserialize;
use serde_json::{Value, json};
use smokejumper_intents::intent::{Ask, Intent};
use smokejumper_intents::quoted::{Keep, Quoted};
use std::sync::Arc;

/// What is used of a page of messages.
#[derive(Deserialize)]
struct Page {
    #[serde(default)]
    messages: Vec<Message>,
}

impl Intake {
    /// A message of an incident's channel is kept, at its own time, however often it is marked.
    pub(super) async fn marked(
        self: &Arc<Self>,
        seat: Seat,
        by: Identity,
        what: Keep,
        channel: &str,
        ts: &str,
        key: String,
    ) -> Taken {
        if !self.slack.configured().capture {
            return Taken::Done(None);
        }
        let incident = match self.incident_of(channel).await {
            Ok(Some(incident)) => incident,
            Ok(None) => return Taken::Done(None),
            Err(error) => {
                tracing::error!(%error, "a marked message waits until storage works");
                return Taken::Not(None);
            }
        };
        // Not acknowledged it comes again, up to three times.
        let message = match self.message(channel, ts).await {
            Ok(Some(message)) => message,
            Ok(None) => return Taken::Done(None),
            Err(trouble) => {
                tracing::warn!(%trouble, "a marked message could not be read");
                return if trouble.needs_a_person() { Taken::Done(None) } else { Taken::Not(None) };
            }
        };
        let team = by.workspace.clone();
        let Some(quoted) = self.quoted(&team, channel, &message).await else { return Taken::Done(None) };
        let ask = Ask { incident: Some(incident.0), intent: Intent::Keep { message: quoted, what } };
        let back = Back { channel: Some(channel.to_owned()), ..Back::to(by) };
        self.perform(seat, back, ask, key).await
    }

    /// A message as it is kept. `None`: nothing of it can be.
    pub(super) async fn quoted(&self, team: &str, channel: &str, message: &Message) -> Option<Quoted> {
        let text = message.said().plain(|user| self.name_of(team, user));
        let author = message.user.as_deref().map(|user| {
            let workspace = message.team.as_deref().unwrap_or(team);
            format!("{}/{workspace}/{user}", Platform::Slack.label())
        });
        let link = self.slack.me().await.ok().map(|me| me.message_link(channel, &message.ts));
        let id = format!("{team}/{channel}/{}", message.ts);
        Quoted::new(&id, &text, message.at_ms()?, author.as_deref(), link.as_deref())
    }

    /// The message with this time, in the channel or in one of its threads.
    async fn message(&self, channel: &str, ts: &str) -> Result<Option<Message>, Trouble> {
        let window = |more: Value| {
            let mut window = json!({ "channel": channel, "oldest": ts, "latest": ts, "inclusive": true, "limit": 1 });
            if let (Some(window), Value::Object(more)) = (window.as_object_mut(), more) {
                window.extend(more);
            }
            window
        };
        let found = |page: Page| page.messages.into_iter().find(|message| message.ts == ts);
        let top = self.slack.call(&method::HISTORY, &window(json!({}))).await.map(found)?;
        if top.is_some() {
            return Ok(top);
        }
        // Any message of a thread names it; its first comes with every page.
        let answer = self.slack.call(&method::REPLIES, &window(json!({ "ts": ts, "limit": 2 }))).await.map(found);
        match answer {
            Err(trouble) if trouble.is(&["thread_not_found", "message_not_found"]) => Ok(None),
            answer => answer,
        }
    }

    /// Whoever joins an incident's channel is told, alone, what happened so far.
    pub(super) async fn joined(self: &Arc<Self>, seat: Seat, by: Identity, channel: String, key: String) -> Taken {
        if !self.slack.configured().catch_up {
            return Taken::Done(None);
        }
        match self.incident_of(&channel).await {
            Ok(Some(incident)) => {
                let ask = Ask { incident: Some(incident.0), intent: Intent::CatchUp };
                let back = Back { channel: Some(channel), ..Back::to(by) };
                self.perform(seat, back, ask, key).await
            }
            Ok(None) => Taken::Done(None),
            Err(error) => {
                tracing::error!(%error, "whoever joined is not told what happened so far");
                Taken::Not(None)
            }
        }
    }

    /// Somebody looks at the App Home: they see what waits for them.
    pub(super) fn home(self: &Arc<Self>, seat: Seat, by: Identity) -> Taken {
        let intake = Arc::clone(self);
        tokio::spawn(async move {
            let _seat = seat;
            let ask = Ask { incident: None, intent: Intent::Mine };
            let mine = match intake.door.ask(by.clone(), ask, String::new()).await {
                Ok(mine) => mine,
                Err(error) => failed(&error),
            };
            if let Err(trouble) = intake.slack.views_publish(&by.id, &home::view(&mine)).await {
                tracing::warn!(%trouble, "an App Home was not shown");
            }
        });
        Taken::Done(None)
    }

    /// A channel was changed by hand. Only incidents' channels matter.
    pub(super) async fn room_changed(&self, channel: String, change: RoomChange, key: String) -> Taken {
        let arrival = match self.incident_of(&channel).await {
            Ok(Some(incident)) => {
                let event = Event::RoomChanged { incident, platform: Platform::Slack, room: channel, change };
                Arrival { source: SOURCE.to_owned(), key, at: self.now(), event }
            }
            Ok(None) => return Taken::Done(None),
            Err(error) => {
                tracing::error!(%error, "a changed channel waits until storage works");
                return Taken::Not(None);
            }
        };
        match self.door.take(vec![arrival]).await {
            Ok(()) => Taken::Done(None),
            Err(error) => {
                tracing::error!(%error, "a changed channel waits until storage works");
                Taken::Not(None)
            }
        }
    }
}
