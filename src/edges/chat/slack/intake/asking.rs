//! Words and clicks: read into the same asks as anywhere else, and performed in the name of whoever signed them.

use super::filling::meant;
use super::read::{Pressed, Said, Within};
use super::replies::{Back, ephemeral};
use super::{Intake, Seat, Taken, failed};
use crate::edges::chat::slack::home;
use smokejumper_intents::confirm::confirmation;
use smokejumper_intents::misread::Misread;
use smokejumper_intents::reply::{Line, Reply};
use smokejumper_intents::utterance::{Place, Utterance};
use smokejumper_intents::{Reading, button, read};
use std::sync::Arc;

impl Intake {
    /// A command, or a mention.
    pub(super) async fn said(self: &Arc<Self>, seat: Seat, said: Said) -> Taken {
        let Said { by, channel, thread, text, trigger, response_url, key } = said;
        // Of a command the answer may come with the acknowledgement.
        let at_once = trigger.is_some();
        let place = match self.incident_of(&channel).await {
            Ok(incident) => incident.map_or(Place::Lobby, |id| Place::Incident(id.0)),
            Err(error) if at_once => return Taken::Not(Some(ephemeral(&failed(&error)))),
            Err(error) => {
                tracing::error!(%error, "a mention waits until storage works");
                return Taken::Not(None);
            }
        };
        let text = text.plain(|user| self.name_of(&by.workspace, user));
        let back = Back { to: by, channel: Some(channel), thread, view: None, response_url, replaces: false };
        if let Some(trigger) = &trigger
            && let Some(opening) = meant(&text, place)
        {
            return self.open(seat, back, trigger.clone(), opening);
        }
        let reply = match read(&Utterance { text, place }) {
            Reading::Clear(ask) => return self.perform(seat, back, ask, key).await,
            Reading::Confirm { ask, because } => confirmation(&ask, &because),
            Reading::Misread(misread) => misread.to_reply(),
        };
        if at_once { Taken::Done(Some(ephemeral(&reply))) } else { self.answer(seat, back, reply) }
    }

    /// A button, or a choice. Its value proves nothing: it is read like anybody's words, and judged by who pressed it.
    pub(super) async fn pressed(self: &Arc<Self>, seat: Seat, pressed: Pressed) -> Taken {
        let Pressed { by, channel, thread, alone, view, action, value, trigger, response_url, key } = pressed;
        let at_home = view == Within::Home;
        let view = if let Within::Modal(id) = view { Some(id) } else { None };
        let back = Back { to: by, channel, thread, view, response_url, replaces: alone };
        if action == home::DECLARE {
            return self.declare(seat, back, trigger);
        }
        let Some(value) = value else { return Taken::Done(None) };
        match button::decode(&value) {
            Ok(ask) => {
                let (intake, by) = (Arc::clone(self), back.to.clone());
                let taken = self.perform(seat, back, ask, key).await;
                // What waits for them is another thing now.
                if let Some(seat) = intake.seat().filter(|_| at_home) {
                    intake.home(seat, by);
                }
                taken
            }
            Err(why) => {
                tracing::info!(%why, "a button that is none of ours");
                self.answer(seat, back, unreadable(why))
            }
        }
    }
}

fn unreadable(why: button::Unreadable) -> Reply {
    Misread::new(Line::ours(format!("{why}."))).example("help").to_reply()
}
