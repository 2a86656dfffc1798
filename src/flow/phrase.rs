//! Short ways to say things in replies. Ours is ours, outside text stays outside text.

use super::identity::{Actor, Identity, Party, PersonId};
use super::policy::Policy;
use smokejumper_intents::intent::{Ask, Intent};
use smokejumper_intents::reply::{Button, Line, Reply, Section, Span, Style};

pub fn ours(text: impl Into<String>) -> Span {
    Span::Ours(text.into())
}

pub fn strong(text: impl Into<String>) -> Span {
    Span::Strong(text.into())
}

pub fn faint(text: impl Into<String>) -> Span {
    Span::Faint(text.into())
}

pub fn outside(text: impl Into<String>) -> Span {
    Span::Outside(text.into())
}

pub fn code(text: impl Into<String>) -> Span {
    Span::Code(text.into())
}

#[must_use]
pub const fn line(spans: Vec<Span>) -> Line {
    Line { spans, depth: 0 }
}

/// Evidence, under the line before it.
#[must_use]
pub const fn under(spans: Vec<Span>) -> Line {
    Line { spans, depth: 1 }
}

#[must_use]
pub fn titled(spans: Vec<Span>) -> Reply {
    Reply { title: line(spans), ..Reply::default() }
}

#[must_use]
pub fn section(heading: &str, lines: Vec<Line>) -> Section {
    Section { heading: heading.to_owned(), lines, buttons: Vec::new() }
}

pub fn button(label: impl Into<String>, style: Style, incident: u32, intent: Intent) -> Button {
    Button { label: label.into(), style, ask: Ask { incident: Some(incident), intent } }
}

/// A probability in whole percent.
#[must_use]
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // clamped to 0..=100 first
pub fn percent(p: f64) -> u8 {
    if p.is_finite() { (p * 100.0).round().clamp(0.0, 100.0) as u8 } else { 0 }
}

/// A person's display name, or the id that is all we have.
#[must_use]
pub fn person(policy: &Policy, id: &PersonId) -> Span {
    Span::Person(policy.person_by_id(id).map_or_else(|| id.0.clone(), |p| p.name.clone()))
}

#[must_use]
pub fn account(policy: &Policy, identity: &Identity) -> Span {
    Span::Person(policy.person(identity).map_or_else(|| identity.id.clone(), |p| p.name.clone()))
}

#[must_use]
pub fn party(policy: &Policy, party: &Party) -> Span {
    match party {
        Party::Person(id) => person(policy, id),
        Party::Account(identity) => account(policy, identity),
    }
}

#[must_use]
pub fn actor(policy: &Policy, actor: &Actor) -> Span {
    match actor {
        Actor::Bot => ours("Smokejumper"),
        Actor::Source(name) => code(name.clone()),
        Actor::Account(identity) => account(policy, identity),
    }
}

/// `1 alert`, `3 alerts`.
#[must_use]
pub fn count(n: u64, noun: &str) -> String {
    if n == 1 { format!("1 {noun}") } else { format!("{n} {noun}s") }
}
