//! A reply as plain text, for a terminal or wherever nothing better can be shown.
//!
//! Every span is stripped of what a terminal would obey or a reader could not see. Knows no clock and no time zone: moments
//! are UTC, dated when their day differs from the one shown before.

use crate::inert;
use crate::reply::{Button, Line, Reply, Span};
use crate::say::say;
use jiff::tz::TimeZone;
use jiff::{Timestamp, civil};

/// Narrower than this nothing can be wrapped sensibly.
pub const WIDTH_MIN: usize = 20;
/// Deeper evidence is not indented further.
const DEPTH_MAX: u8 = 4;

/// The reply in lines of at most `width` columns (at least [`WIDTH_MIN`]), wrapped between words; a longer word is broken.
/// Ends with a newline unless the reply is empty.
#[must_use]
pub fn render(reply: &Reply, width: usize) -> String {
    let mut page = Page { width: width.max(WIDTH_MIN), out: String::new(), day: None };
    page.line(&reply.title, "", "");
    for section in &reply.sections {
        page.gap();
        let heading = inert::line(&section.heading);
        if !heading.is_empty() {
            page.wrap(&heading, "", "");
        }
        for line in &section.lines {
            let indent = "  ".repeat(usize::from(line.depth.min(DEPTH_MAX)) + 1);
            let bullet = if line.depth == 0 { indent.clone() } else { format!("{indent}- ") };
            page.line(line, &bullet, &format!("{indent}  "));
        }
        page.buttons(&section.buttons, "  ");
    }
    if !reply.buttons.is_empty() {
        page.gap();
        page.buttons(&reply.buttons, "");
    }
    page.out
}

/// One line as plain text, without wrapping; for topics, fallbacks and notifications.
#[must_use]
pub fn line(line: &Line) -> String {
    inert::line(&plain(line, &mut None))
}

struct Page {
    width: usize,
    out: String,
    /// The day of the moment shown last.
    day: Option<civil::Date>,
}

impl Page {
    fn line(&mut self, line: &Line, first: &str, indent: &str) {
        let text = plain(line, &mut self.day);
        self.wrap(&text, first, indent);
    }

    /// Nothing can be clicked here: each button is the command that does the same.
    fn buttons(&mut self, buttons: &[Button], indent: &str) {
        for button in buttons {
            let label = inert::line(&button.label);
            let text = match say(&button.ask) {
                Some(command) => format!("[{label}] `{}`", inert::line(&command)),
                None => format!("[{label}]"),
            };
            self.wrap(&text, indent, &format!("{indent}  "));
        }
    }

    fn gap(&mut self) {
        if !self.out.is_empty() {
            self.out.push('\n');
        }
    }

    fn wrap(&mut self, text: &str, first: &str, indent: &str) {
        let mut row = first.to_owned();
        let mut used = columns(&row);
        let mut empty = true;
        for word in text.split_whitespace() {
            if !empty && used + 1 + columns(word) > self.width {
                self.flush(&mut row, indent);
                (used, empty) = (columns(&row), true);
            }
            if !empty {
                row.push(' ');
                used += 1;
            }
            for c in word.chars() {
                if !empty && used + column(c) > self.width {
                    self.flush(&mut row, indent);
                    used = columns(&row);
                }
                row.push(c);
                used += column(c);
                empty = false;
            }
        }
        if !empty {
            self.flush(&mut row, "");
        }
    }

    fn flush(&mut self, row: &mut String, next: &str) {
        self.out.push_str(row.trim_end());
        self.out.push('\n');
        row.clear();
        row.push_str(next);
    }
}

fn plain(line: &Line, day: &mut Option<civil::Date>) -> String {
    let mut out = String::new();
    for span in &line.spans {
        match span {
            Span::Ours(text) | Span::Strong(text) | Span::Faint(text) | Span::Outside(text) | Span::Person(text) => {
                out.push_str(&inert::stretch(text));
            }
            Span::Code(text) => out.extend(["`", &inert::stretch(text), "`"]),
            Span::Incident(number) => out.extend(["INC-", &number.to_string()]),
            Span::Link { label, href } if href.is_empty() || label == href => out.push_str(&inert::stretch(label)),
            Span::Link { label, href } => out.extend([&inert::stretch(label), " (", &inert::stretch(href), ")"]),
            Span::Time(epoch_ms) => out.push_str(&moment(*epoch_ms, day)),
            Span::Percent(percent) => out.extend([&percent.to_string(), "%"]),
        }
    }
    out
}

/// `2026-11-20 10:02 UTC`, or `10:05 UTC` when `shown` is the same day.
fn moment(epoch_ms: i64, shown: &mut Option<civil::Date>) -> String {
    let Ok(at) = Timestamp::from_millisecond(epoch_ms) else { return "(no such time)".to_owned() };
    let at = at.to_zoned(TimeZone::UTC).datetime();
    let (date, time) = (at.date(), at.time());
    let clock = format!("{:02}:{:02} UTC", time.hour(), time.minute());
    if shown.replace(date) == Some(date) { clock } else { format!("{date} {clock}") }
}

fn columns(s: &str) -> usize {
    s.chars().map(column).sum()
}

/// Columns of a character in a terminal: 0 for combining marks, 2 for the wide East Asian blocks and emoji, else 1. An
/// approximation of UAX #11 by blocks, good enough for wrapping.
const fn column(c: char) -> usize {
    match c {
        '\u{300}'..='\u{36f}' | '\u{fe00}'..='\u{fe0f}' | '\u{1f3fb}'..='\u{1f3ff}' => 0,
        '\u{1100}'..='\u{115f}'
        | '\u{2e80}'..='\u{303e}'
        | '\u{3041}'..='\u{a4cf}'
        | '\u{ac00}'..='\u{d7a3}'
        | '\u{f900}'..='\u{faff}'
        | '\u{fe30}'..='\u{fe6f}'
        | '\u{ff00}'..='\u{ff60}'
        | '\u{ffe0}'..='\u{ffe6}'
        | '\u{1f300}'..='\u{1f64f}'
        | '\u{1f680}'..='\u{1f6ff}'
        | '\u{1f900}'..='\u{1faff}'
        | '\u{20000}'..='\u{3fffd}' => 2,
        _ => 1,
    }
}

#[cfg(test)]
mod tests;
