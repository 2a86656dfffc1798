//! A [`Reply`] as HTML. Outside text is inert whatever it holds: escaped by maud, without characters that cannot be seen
//! or that turn text around, set apart in its direction, and never a link.

use super::forms::{self, Ticket};
use super::time;
use crate::flow::moment::At;
use maud::{Markup, html};
use smokejumper_intents::inert;
use smokejumper_intents::reply::{Button, Reply, Section, Span, Style, may_be_linked};

/// What forms in it need, and when it is read.
#[derive(Clone, Copy, Debug)]
pub struct Setting<'a> {
    /// `None`: buttons are not offered (in what was said long ago).
    pub ticket: Option<&'a Ticket>,
    pub now: At,
}

/// Title, sections, buttons.
pub fn reply(reply: &Reply, setting: Setting<'_>) -> Markup {
    html! {
        @if !reply.title.spans.is_empty() { p.reply-title { (spans(&reply.title.spans, setting.now)) } }
        (body(reply, setting))
    }
}

/// All but the title, for where the page has its own.
pub fn body(reply: &Reply, setting: Setting<'_>) -> Markup {
    html! { (sections(reply, setting)) (buttons(&reply.buttons, setting)) }
}

pub fn sections(reply: &Reply, setting: Setting<'_>) -> Markup {
    html! { @for section in &reply.sections { (self::section(section, setting)) } }
}

/// A section with something to decide now.
pub fn waits(section: &Section) -> bool {
    section.buttons.iter().any(|button| button.style == Style::Primary)
}

fn section(section: &Section, setting: Setting<'_>) -> Markup {
    html! {
        section.part.waits[waits(section)] {
            @if !section.heading.is_empty() { h3 { (inert::line(&section.heading)) } }
            @if !section.lines.is_empty() {
                ul.lines {
                    @for line in &section.lines {
                        li.evidence[line.depth > 0] { (spans(&line.spans, setting.now)) }
                    }
                }
            }
            (buttons(&section.buttons, setting))
        }
    }
}

pub fn buttons(buttons: &[Button], setting: Setting<'_>) -> Markup {
    html! {
        @if let Some(ticket) = setting.ticket && !buttons.is_empty() {
            div.buttons { @for button in buttons { (forms::press(button, ticket)) } }
        }
    }
}

/// The class of a button; its words say what it does, so colour only repeats it.
pub const fn style(style: Style) -> &'static str {
    match style {
        Style::Primary => "primary",
        Style::Plain => "plain",
        Style::Danger => "danger",
    }
}

pub fn spans(spans: &[Span], now: At) -> Markup {
    html! { @for span in spans { (self::span(span, now)) } }
}

fn span(span: &Span, now: At) -> Markup {
    html! {
        @match span {
            Span::Ours(text) => (inert::stretch(text)),
            Span::Strong(text) => strong { (inert::stretch(text)) },
            Span::Faint(text) => span.faint { (inert::stretch(text)) },
            Span::Outside(text) => bdi.outside { (many_lines(text)) },
            Span::Code(text) => code { (many_lines(text)) },
            Span::Person(name) => bdi.person { (inert::line(name)) },
            Span::Incident(number) => a href={ "/incidents/" (number) } { "INC-" (number) },
            Span::Link { label, href } => (link(label, href)),
            Span::Time(ms) => (time::clock(At(*ms), now)),
            Span::Percent(percent) => span.percent { (percent) " %" },
        }
    }
}

/// Lines stay lines (the style sheet keeps them); all other unseen characters go.
fn many_lines(text: &str) -> String {
    text.split('\n').map(inert::stretch).collect::<Vec<_>>().join("\n")
}

/// A link when the address may be one, else both as text.
pub fn link(label: &str, address: &str) -> Markup {
    let label = inert::line(label);
    html! {
        @if may_be_linked(address) {
            a.away href=(address) title=(address) rel="noreferrer noopener nofollow" { (label) }
        } @else {
            bdi.outside.faint { (label) " (" (inert::line(address)) ")" }
        }
    }
}
