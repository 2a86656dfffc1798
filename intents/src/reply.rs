//! What the bot can say: title, sections of lines, buttons. Platform-free; each edge renders it at its best.
//!
//! Outside text (alerts, chat, process output) is always a [`Span::Outside`] or [`Span::Code`]: an edge shows it as
//! inert text, never as markup, mention or link.

use crate::bounds;
use crate::inert;
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

/// Sections of one reply: Slack shows at most 50 blocks, and a section needs up to two.
pub const SECTIONS_MAX: usize = 20;
/// Lines of one section; edges with less room page or cut further.
pub const LINES_MAX: usize = 60;
/// Spans of one line.
pub const SPANS_MAX: usize = 40;
/// Characters of one span, one heading and one address: a paragraph.
pub const SPAN_MAX: usize = 1_000;
/// Buttons in one row: Discord allows five.
pub const BUTTONS_MAX: usize = 5;
/// Characters on a button: Slack allows 75, Discord 80.
pub const LABEL_MAX: usize = 75;

impl Reply {
    #[must_use]
    pub fn titled(title: impl Into<Line>) -> Self {
        Self { title: title.into(), ..Self::default() }
    }

    #[must_use]
    pub fn section(mut self, section: Section) -> Self {
        self.sections.push(section);
        self
    }

    #[must_use]
    pub fn button(mut self, button: Button) -> Self {
        self.buttons.push(button);
        self
    }

    /// Keeps to the bounds of this module; what is left out is counted in a line of its own. Applying it twice changes nothing.
    #[must_use]
    pub fn bounded(mut self) -> Self {
        bound_line(&mut self.title);
        if self.sections.len() > SECTIONS_MAX {
            let left_out = self.sections.len() - (SECTIONS_MAX - 1);
            self.sections.truncate(SECTIONS_MAX - 1);
            self.sections.push(Section::plain(vec![and_more(left_out, "sections")]));
        }
        for section in &mut self.sections {
            shorten(&mut section.heading);
            if section.lines.len() > LINES_MAX {
                let left_out = section.lines.len() - (LINES_MAX - 1);
                section.lines.truncate(LINES_MAX - 1);
                section.lines.push(and_more(left_out, "lines"));
            }
            section.lines.iter_mut().for_each(bound_line);
            bound_buttons(&mut section.buttons);
        }
        bound_buttons(&mut self.buttons);
        self
    }
}

impl Section {
    /// Lines under a heading of ours.
    #[must_use]
    pub fn headed(heading: impl Into<String>, lines: Vec<Line>) -> Self {
        Self { heading: heading.into(), lines, buttons: Vec::new() }
    }

    /// Lines without a heading.
    #[must_use]
    pub fn plain(lines: Vec<Line>) -> Self {
        Self::headed("", lines)
    }

    #[must_use]
    pub fn button(mut self, button: Button) -> Self {
        self.buttons.push(button);
        self
    }
}

/// A line is begun with our own words (`Line::from("literal")`, [`Line::ours`]) or empty, and goes on span by span.
impl Line {
    /// Our own words, made at run time (a count, a label of ours); never outside text.
    #[must_use]
    pub fn ours(text: impl Into<String>) -> Self {
        Self::from(Span::Ours(text.into()))
    }

    #[must_use]
    pub fn span(mut self, span: Span) -> Self {
        self.spans.push(span);
        self
    }

    /// Goes on in our own words.
    #[must_use]
    pub fn and(self, text: impl Into<String>) -> Self {
        self.span(Span::Ours(text.into()))
    }

    #[must_use]
    pub fn strong(self, text: impl Into<String>) -> Self {
        self.span(Span::Strong(text.into()))
    }

    #[must_use]
    pub fn faint(self, text: impl Into<String>) -> Self {
        self.span(Span::Faint(text.into()))
    }

    #[must_use]
    pub fn outside(self, text: impl Into<String>) -> Self {
        self.span(Span::Outside(text.into()))
    }

    #[must_use]
    pub fn code(self, text: impl Into<String>) -> Self {
        self.span(Span::Code(text.into()))
    }

    #[must_use]
    pub fn person(self, name: impl Into<String>) -> Self {
        self.span(Span::Person(name.into()))
    }

    #[must_use]
    pub fn incident(self, number: u32) -> Self {
        self.span(Span::Incident(number))
    }

    #[must_use]
    pub fn link(self, label: impl Into<String>, href: impl Into<String>) -> Self {
        self.span(Span::Link { label: label.into(), href: href.into() })
    }

    /// A moment, in epoch milliseconds UTC.
    #[must_use]
    pub fn time(self, epoch_ms: i64) -> Self {
        self.span(Span::Time(epoch_ms))
    }

    /// A probability from 0 to 1, rounded; what is outside becomes the nearer end, what is not a number 0.
    #[must_use]
    pub fn probability(self, p: f64) -> Self {
        // In range by the clamp; a NaN casts to 0.
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let percent = (p.clamp(0.0, 1.0) * 100.0).round() as u8;
        self.span(Span::Percent(percent))
    }

    /// Puts the line under the one before it, as its evidence.
    #[must_use]
    pub fn under(mut self) -> Self {
        self.depth = self.depth.saturating_add(1);
        self
    }
}

/// A literal: outside text is never `'static`, so it cannot become our words by accident.
impl From<&'static str> for Line {
    fn from(text: &'static str) -> Self {
        Self::ours(text)
    }
}

impl From<Span> for Line {
    fn from(span: Span) -> Self {
        Self { spans: vec![span], depth: 0 }
    }
}

impl Button {
    #[must_use]
    pub fn new(label: impl Into<String>, style: Style, ask: Ask) -> Self {
        Self { label: label.into(), style, ask }
    }
}

/// `https://` anywhere, `http://` on this machine. The host is plain ASCII without credentials, so that what is shown
/// is where it leads; nothing unseen, no quote, no backslash anywhere.
#[must_use]
pub fn may_be_linked(address: &str) -> bool {
    let (secure, rest) = match (address.strip_prefix("https://"), address.strip_prefix("http://")) {
        (Some(rest), _) => (true, rest),
        (None, Some(rest)) => (false, rest),
        (None, None) => return false,
    };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let (host, port) = match authority.strip_prefix('[').and_then(|v6| v6.split_once(']')) {
        Some((v6, port)) => (v6, port.strip_prefix(':').unwrap_or(port)),
        None => authority.split_once(':').unwrap_or((authority, "")),
    };
    let host_is_plain = !host.is_empty()
        && host.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_' | b':'))
        && port.len() <= 5
        && port.bytes().all(|b| b.is_ascii_digit());
    let local = host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback());
    let clean = !address
        .chars()
        .any(|c| inert::is_unseen(c) || c.is_whitespace() || matches!(c, '"' | '\'' | '<' | '>' | '\\' | '`'));
    host_is_plain && clean && (secure || local)
}

fn and_more(count: usize, what: &str) -> Line {
    Line::default().faint(format!("… and {count} more {what}"))
}

fn bound_line(line: &mut Line) {
    if line.spans.len() > SPANS_MAX {
        line.spans.truncate(SPANS_MAX - 1);
        line.spans.push(Span::Faint("…".to_owned()));
    }
    for span in &mut line.spans {
        match span {
            Span::Ours(text)
            | Span::Strong(text)
            | Span::Faint(text)
            | Span::Outside(text)
            | Span::Code(text)
            | Span::Person(text) => shorten(text),
            Span::Link { label, href } => {
                shorten(label);
                // Half an address leads somewhere else.
                if bounds::longer(href, SPAN_MAX) {
                    href.clear();
                }
            }
            Span::Percent(percent) => *percent = (*percent).min(100),
            Span::Incident(_) | Span::Time(_) => {}
        }
    }
}

fn bound_buttons(buttons: &mut Vec<Button>) {
    buttons.truncate(BUTTONS_MAX);
    for button in buttons {
        button.label = inert::shorten(&button.label, LABEL_MAX);
    }
}

fn shorten(text: &mut String) {
    if bounds::longer(text, SPAN_MAX) {
        *text = inert::shorten(text, SPAN_MAX);
    }
}

#[cfg(test)]
mod tests;
