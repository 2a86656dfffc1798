//! What the flow tells about an incident, as the pages take it: the card, one line an entry, the postmortem's sentences.

use crate::flow::desk::Desk;
use crate::flow::fact::Entry;
use crate::flow::incident::Incident;
use crate::flow::moment::At;
use smokejumper_intents::reply::{Line, Reply};

/// The card as it is now.
pub type Card = Box<dyn Fn(&Incident, &Desk, At) -> Reply + Send + Sync>;
/// What an entry says, or nothing for one that is only for the record.
pub type Telling = Box<dyn Fn(&Entry) -> Option<Line> + Send + Sync>;
/// The draft of the postmortem; `None` while there is nothing to write it from.
pub type Draft = Box<dyn Fn(&Incident, &[Entry]) -> Option<Postmortem> + Send + Sync>;

pub struct Story {
    pub card: Card,
    pub telling: Telling,
    pub postmortem: Draft,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Postmortem {
    pub chapters: Vec<Chapter>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Chapter {
    /// Ours, never outside text.
    pub heading: String,
    pub sentences: Vec<Sentence>,
}

/// A sentence and the entries it rests on; without any it says what is not known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sentence {
    pub line: Line,
    pub entries: Vec<u32>,
}

impl std::fmt::Debug for Story {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Story").finish_non_exhaustive()
    }
}
