//! A reply as Block Kit, within every limit of Slack's. Text is only ever in rich-text or plain-text elements, where nothing in it
//! is markup, a mention or a link; links are made of [`Span::Link`] alone.

use super::text::{self, fit, size};
use serde_json::{Value, json};
use smokejumper_intents::button::encode_within;
use smokejumper_intents::inert;
use smokejumper_intents::reply::{Button, Line, Reply, Section, Span, Style, may_be_linked};
use smokejumper_intents::say::say;

/// How an `action_id` begins whose value is an ask.
pub const ASK: &str = "ask";
/// Characters of a button's value.
pub const MAX_VALUE: usize = 2_000;
/// Characters of a button's or an option's label.
pub const MAX_LABEL: usize = 75;
const MAX_HEADER: usize = 150;
/// Characters of one block.
const MAX_BLOCK: usize = 3_000;
/// Characters of one line: what is longer belongs behind a command.
const MAX_LINE: usize = 1_500;
const MAX_URL: usize = 3_000;

/// What there is room for.
#[derive(Clone, Copy, Debug)]
pub struct Most {
    pub blocks: usize,
    /// Characters of all blocks together.
    pub text: usize,
}

/// A message: 50 blocks; Slack refuses somewhat above 13,200 characters (`msg_blocks_too_long`).
pub const MESSAGE: Most = Most { blocks: 50, text: 12_500 };
/// A form or the App Home: 100 blocks, 250 KB.
pub const VIEW: Most = Most { blocks: 100, text: 25_000 };

/// A reply as the arguments `text` and `blocks` of a message.
#[must_use]
pub fn message(reply: &Reply) -> Value {
    json!({ "text": text::fallback(reply), "blocks": blocks(reply, MESSAGE) })
}

/// Never empty.
#[must_use]
pub fn blocks(reply: &Reply, most: Most) -> Vec<Value> {
    let reply = reply.clone().bounded();
    let mut page = Page::of(&reply, most);
    if is_heading(&reply) {
        let title = inert::line(&text::line(&reply.title));
        page.push(json!({ "type": "header", "text": plain(&fit(&title, MAX_HEADER)) }));
    } else if !reply.title.spans.is_empty() {
        page.lines("", std::slice::from_ref(&reply.title));
    }
    for section in &reply.sections {
        page.section(section);
    }
    page.buttons(&reply.buttons);
    page.end()
}

/// A title of words alone over sections; what is linked or monospaced would be lost in a header.
fn is_heading(reply: &Reply) -> bool {
    let words = |span: &Span| !matches!(span, Span::Link { .. } | Span::Code(_) | Span::Time(_));
    let title = inert::line(&text::line(&reply.title));
    !reply.sections.is_empty() && !title.is_empty() && reply.title.spans.iter().all(words)
}

/// `emoji: false`: `:fire:` of outside text stays as it is.
#[must_use]
pub fn plain(text: &str) -> Value {
    json!({ "type": "plain_text", "text": text, "emoji": false })
}

/// Blocks in the making.
struct Page {
    blocks: Vec<Value>,
    most: Most,
    /// Characters left for lines: those of titles and labels are set aside.
    left: usize,
    /// Lines that found no room.
    cut: usize,
    /// The incident it is about, for the command that shows the rest.
    incident: Option<u32>,
    /// So that each `action_id` is unique.
    actions: usize,
}

impl Page {
    fn of(reply: &Reply, most: Most) -> Self {
        let every = || reply.sections.iter().flat_map(|s| &s.buttons).chain(&reply.buttons);
        let labels: usize = every().map(|button| size(&button.label).min(MAX_LABEL)).sum();
        let named = reply.title.spans.iter().find_map(|span| match span {
            Span::Incident(number) => Some(*number),
            _ => None,
        });
        let incident = named.or_else(|| every().find_map(|button| button.ask.incident));
        let left = most.text.saturating_sub(labels + MAX_HEADER);
        Self { blocks: Vec::new(), most, left, cut: 0, incident, actions: 0 }
    }

    /// Room for the last row of buttons and for what is said of the rest is kept.
    fn is_full(&self) -> bool {
        self.blocks.len() + 2 >= self.most.blocks
    }

    fn push(&mut self, block: Value) {
        self.blocks.push(block);
    }

    fn section(&mut self, section: &Section) {
        self.lines(&inert::line(&section.heading), &section.lines);
        self.buttons(&section.buttons);
    }

    /// Lines under a heading, in as many blocks as they need.
    fn lines(&mut self, heading: &str, lines: &[Line]) {
        let mut block = Rich::default();
        if !heading.is_empty() && self.cut == 0 && !self.is_full() && size(heading) < self.left {
            self.left -= size(heading) + 1;
            block.line(vec![styled(heading, &["bold"])], 0, size(heading));
        }
        for line in lines {
            let (elements, length) = inline(line);
            if elements.is_empty() {
                continue;
            }
            // One that is too long for what is left must not let shorter ones overtake it.
            if self.cut > 0 || length >= self.left || self.is_full() {
                self.cut += 1;
                continue;
            }
            self.left -= length + 1;
            if block.size + length > MAX_BLOCK {
                self.rich(std::mem::take(&mut block));
            }
            block.line(elements, line.depth, length);
        }
        self.rich(block);
    }

    fn rich(&mut self, block: Rich) {
        let elements = block.finished();
        if elements.is_empty() {
            return;
        }
        if self.is_full() {
            self.cut += 1;
            return;
        }
        self.push(json!({ "type": "rich_text", "elements": elements }));
    }

    /// One row; an ask that has no room in a button is said as the command.
    fn buttons(&mut self, buttons: &[Button]) {
        let (mut row, mut spoken) = (Vec::new(), Vec::new());
        for button in buttons {
            let label = fit(&inert::line(&button.label), MAX_LABEL);
            match encode_within(&button.ask, MAX_VALUE) {
                Some(value) if !label.is_empty() && size(&value) <= MAX_VALUE => {
                    let mut element = json!({
                        "type": "button",
                        "action_id": format!("{ASK}-{}", self.actions),
                        "text": plain(&label),
                        "value": value,
                    });
                    self.actions += 1;
                    match button.style {
                        Style::Primary => element["style"] = json!("primary"),
                        Style::Danger => element["style"] = json!("danger"),
                        Style::Plain => {}
                    }
                    row.push(element);
                }
                _ => {
                    if let Some(command) = say(&button.ask) {
                        let line = Line::default().outside(label).and(": ").code(format!("/incident {command}"));
                        spoken.push(line);
                    }
                }
            }
        }
        self.lines("", &spoken);
        if row.is_empty() {
            return;
        }
        // The last row has its place kept (`is_full`).
        if self.blocks.len() + 1 >= self.most.blocks {
            self.cut += 1;
            return;
        }
        self.push(
            json!({ "type": "actions", "block_id": format!("{ASK}-row-{}", self.blocks.len()), "elements": row }),
        );
    }

    fn end(mut self) -> Vec<Value> {
        let rest = match (self.cut, self.incident) {
            (0, _) => None,
            (cut, Some(incident)) => Some(
                Line::default().faint(format!("… and {cut} more: ")).code(format!("/incident timeline INC-{incident}")),
            ),
            (cut, None) => Some(Line::default().faint(format!("… and {cut} more"))),
        };
        let nothing = self.blocks.is_empty().then(|| Line::from("Nothing to show."));
        for line in rest.into_iter().chain(nothing) {
            let (elements, _) = inline(&line);
            self.push(json!({
                "type": "rich_text",
                "elements": [{ "type": "rich_text_section", "elements": elements }],
            }));
        }
        self.blocks
    }
}

/// Lines of one rich-text block: plain ones joined into sections, evidence into lists.
#[derive(Default)]
struct Rich {
    elements: Vec<Value>,
    section: Vec<Value>,
    list: Vec<Value>,
    size: usize,
}

impl Rich {
    fn line(&mut self, mut elements: Vec<Value>, depth: u8, length: usize) {
        self.size += length + 1;
        if depth > 0 {
            self.end_section();
            self.list.push(json!({ "type": "rich_text_section", "elements": elements }));
        } else {
            self.end_list();
            if !self.section.is_empty() {
                self.section.push(json!({ "type": "text", "text": "\n" }));
            }
            self.section.append(&mut elements);
        }
    }

    fn end_section(&mut self) {
        if !self.section.is_empty() {
            let elements = std::mem::take(&mut self.section);
            self.elements.push(json!({ "type": "rich_text_section", "elements": elements }));
        }
    }

    fn end_list(&mut self) {
        if !self.list.is_empty() {
            let elements = std::mem::take(&mut self.list);
            self.elements.push(json!({ "type": "rich_text_list", "style": "bullet", "elements": elements }));
        }
    }

    fn finished(mut self) -> Vec<Value> {
        self.end_section();
        self.end_list();
        self.elements
    }
}

/// A line as rich-text elements, and their characters.
fn inline(line: &Line) -> (Vec<Value>, usize) {
    let (mut elements, mut length) = (Vec::new(), 0);
    for span in &line.spans {
        let words = text::words(span);
        if words.is_empty() {
            continue;
        }
        let room = MAX_LINE.saturating_sub(length);
        if room < 2 {
            elements.push(styled("…", &[]));
            length += 1;
            break;
        }
        let words = fit(&words, room);
        length += size(&words);
        elements.push(element(span, &words));
    }
    (elements, length)
}

fn element(span: &Span, words: &str) -> Value {
    match span {
        Span::Strong(_) => styled(words, &["bold"]),
        Span::Faint(_) => styled(words, &["italic"]),
        Span::Code(_) => styled(words, &["code"]),
        Span::Link { href, .. } if may_be_linked(href) && size(href) <= MAX_URL => {
            json!({ "type": "link", "url": href, "text": words })
        }
        // In the reader's zone; the text for those whose client can't.
        Span::Time(ms) => json!({
            "type": "date",
            "timestamp": ms.div_euclid(1_000),
            "format": "{date_short_pretty} {time}",
            "fallback": words,
        }),
        _ => styled(words, &[]),
    }
}

fn styled(text: &str, styles: &[&str]) -> Value {
    let mut element = json!({ "type": "text", "text": text });
    for style in styles {
        element["style"][*style] = json!(true);
    }
    element
}

#[cfg(test)]
mod tests;
