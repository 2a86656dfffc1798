//! What a verb is, and how one is found. The table [`VERBS`] is what help and did-you-mean are made from, and what the
//! platforms' manifests can be.

use crate::args::Args;
use crate::intent::Intent;
use crate::misread::Misread;
use crate::near;
use crate::utterance::Place;
use crate::word::Right;

pub use crate::verbs::VERBS;

/// One verb: everything there is to know about it. Each lives in its own file under `verbs/`.
#[derive(Debug)]
pub struct Verb {
    /// In lower case, letters and `-`; unique among names and aliases.
    pub name: &'static str,
    pub aliases: &'static [&'static str],
    pub group: Group,
    /// What follows the name: `<needed>`, `[optional]`. Empty when nothing does.
    pub usage: &'static str,
    /// What it does, in at most 100 characters (Discord's limit for a description), without a full stop.
    pub synopsis: &'static str,
    /// A whole command that works inside an incident.
    pub example: &'static str,
    pub scope: Scope,
    pub needs: Right,
    pub kind: Kind,
    pub parse: fn(&mut Args<'_>) -> Result<Intent, Misread>,
}

/// What a verb is about, and so where it may be said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// No incident, or all of them. May be said anywhere.
    Lobby,
    /// One incident: said inside it, or with its number.
    Incident,
    /// The incident it is said in or with, or else everything.
    Both,
}

/// Acts change something and are journalled; asks only read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Act,
    Ask,
}

/// A heading of help, in the order of an incident's life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Group {
    Start,
    Respond,
    Understand,
    Repair,
    Finish,
    Help,
}

impl Group {
    pub const ALL: [Self; 6] = [Self::Start, Self::Respond, Self::Understand, Self::Repair, Self::Finish, Self::Help];

    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Start => "Start and find",
            Self::Respond => "Respond",
            Self::Understand => "Understand",
            Self::Repair => "Repair",
            Self::Finish => "Finish and learn",
            Self::Help => "Help",
        }
    }
}

impl Verb {
    /// The name and what follows it: `run <runbook> [name=value ...]`.
    #[must_use]
    pub fn synopsis_of_use(&self) -> String {
        if self.usage.is_empty() { self.name.to_owned() } else { format!("{} {}", self.name, self.usage) }
    }

    /// May be said here without naming an incident.
    #[must_use]
    pub fn works_in(&self, place: Place) -> bool {
        self.scope != Scope::Incident || matches!(place, Place::Incident(_))
    }
}

/// The verb with this name or alias (in lower case).
#[must_use]
pub fn find(word: &str) -> Option<&'static Verb> {
    VERBS.iter().copied().find(|verb| verb.name == word || verb.aliases.contains(&word))
}

/// The verbs whose name or alias is near an unknown word, the nearest first.
#[must_use]
pub fn nearest(word: &str) -> Vec<&'static Verb> {
    let words = VERBS.iter().flat_map(|verb| std::iter::once(verb.name).chain(verb.aliases.iter().copied()));
    let mut found: Vec<&'static Verb> = Vec::new();
    for verb in near::nearest(word, words).into_iter().filter_map(find) {
        if !found.iter().any(|known| known.name == verb.name) {
            found.push(verb);
        }
    }
    found
}

#[cfg(test)]
mod tests;
