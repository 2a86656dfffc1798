//! What was said, and where: plain text or a button's payload. No platform types.

use serde::{Deserialize, Serialize};

/// Where it was said. Inside an incident's channel, verbs without a number mean that incident.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Place {
    /// Anywhere that belongs to no incident: the incident list, another channel, a terminal.
    Lobby,
    /// The channel of incident `INC-n`.
    Incident(u32),
}

/// One thing somebody said to the bot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Utterance {
    /// What follows `/incident` (or the mention, or `smokejumper incident`). Outside text: may hold anything.
    pub text: String,
    pub place: Place,
}
