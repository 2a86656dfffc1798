//! How the verbs' tests speak: inside incident 3.

use crate::intent::{Ask, Intent};
use crate::text;
use crate::utterance::{Place, Utterance};
use crate::{Reading, read};

pub fn said(text: &str, place: Place) -> Reading {
    read(&Utterance { text: text.to_owned(), place })
}

/// What is asked by this, at once or after a confirmation.
pub fn asked(text: &str) -> Ask {
    match said(text, Place::Incident(3)) {
        Reading::Clear(ask) | Reading::Confirm { ask, .. } => ask,
        Reading::Misread(other) => panic!("{text}: {other:?}"),
    }
}

pub fn intent(text: &str) -> Intent {
    asked(text).intent
}

/// How the misreading of this is shown, on one very wide page.
pub fn misread(text: &str) -> String {
    shown(text, Place::Incident(3))
}

pub fn shown(said_text: &str, place: Place) -> String {
    match said(said_text, place) {
        Reading::Misread(misread) => text::render(&misread.to_reply(), 1_000),
        other => panic!("{said_text}: {other:?}"),
    }
}
