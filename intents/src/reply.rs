//! What the bot can say: title, sections of lines, buttons. Platform-free; each edge renders it at its best.
//!
//! Outside text (alerts, chat, process output) is always a [`Span::Outside`] or [`Span::Code`]: an edge shows it as
//! inert text, never as markup, mention or link.

use crate::intent::Ask;
use serde::{Deserialize, Serialize};

/// A message or a card.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reply {
    pub title: Line,
    pub sections: Vec<Section>,
    /// Buttons under everything.
    pub buttons: Vec<Button>,
}

/// A headed block. `heading` is ours, never outside text.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Section {
    pub heading: String,
    pub lines: Vec<Line>,
    pub buttons: Vec<Button>,
}

/// One line (or list item) of spans. `depth` 0 is a plain line; 1 is evidence under the line before it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    pub spans: Vec<Span>,
    #[serde(default)]
    pub depth: u8,
}

/// A stretch of text and where it comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Span {
    /// Our own words.
    Ours(String),
    /// Our own words, emphasised.
    Strong(String),
    /// Our own words, less important.
    Faint(String),
    /// Text from outside: shown inert.
    Outside(String),
    /// A command, a value, a label: monospaced, inert.
    Code(String),
    /// A person's display name (from the configuration; still inert).
    Person(String),
    /// `INC-n`, linked where the platform can.
    Incident(u32),
    /// An address an edge may link when it is `https://` or loopback `http://`; otherwise shown as text.
    Link { label: String, href: String },
    /// A moment, in epoch milliseconds UTC; shown in the reader's zone where the platform can.
    Time(i64),
    /// A probability, 0..=100.
    Percent(u8),
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Button {
    pub label: String,
    pub style: Style,
    pub ask: Ask,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Style {
    Primary,
    Plain,
    Danger,
}
