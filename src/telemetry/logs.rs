//! Logs: one line an event on standard error, structured where the operator wants it so. Never holds a secret.
//!
//! Outside text stays inside its line: what could begin another one, or move a terminal's cursor, is written as its code.

use std::fmt::Write as _;
use std::io::{self, IsTerminal, Stderr, Write};
use tracing::Subscriber;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::{EnvFilter, Layer};

/// What is logged unless told otherwise.
const DEFAULT: &str = "warn,smokejumper=info";

/// A layer that writes log lines. `filter` is the operator's own, `json` for machines.
pub(super) fn layer<S>(filter: Option<&str>, json: bool) -> Box<dyn Layer<S> + Send + Sync>
where
    S: Subscriber + for<'s> LookupSpan<'s>,
{
    let filter = filter.and_then(|f| EnvFilter::try_new(f).ok()).unwrap_or_else(|| EnvFilter::new(DEFAULT));
    let colours = !json && io::stderr().is_terminal();
    let lines = Lines { json, colours };
    let layer = tracing_subscriber::fmt::layer().with_writer(lines).with_target(false);
    if json { layer.json().with_filter(filter).boxed() } else { layer.with_ansi(colours).with_filter(filter).boxed() }
}

/// Whether it can be read as a filter.
#[must_use]
pub fn is_filter(text: &str) -> bool {
    EnvFilter::try_new(text).is_ok()
}

/// Standard error, an event a line.
#[derive(Clone, Copy, Debug)]
struct Lines {
    json: bool,
    /// Our own colours go through; tracing-subscriber has written those of outside text as codes already.
    colours: bool,
}

struct Line {
    to: Stderr,
    how: Lines,
}

impl<'a> MakeWriter<'a> for Lines {
    type Writer = Line;

    fn make_writer(&'a self) -> Line {
        Line { to: io::stderr(), how: *self }
    }
}

impl Write for Line {
    /// Gets one whole event at a time.
    fn write(&mut self, event: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(event);
        self.to.write_all(inert(&text, self.how).as_bytes())?;
        Ok(event.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}

/// One line, whatever is in it.
fn inert(event: &str, how: Lines) -> String {
    let body = event.strip_suffix('\n').unwrap_or(event);
    let mut line = String::with_capacity(event.len() + 1);
    for c in body.chars() {
        let goes = (!c.is_control() || c == '\t' && !how.json || c == '\u{1b}' && how.colours) && !moves(c);
        if goes {
            line.push(c);
        } else if how.json {
            // Such characters stand inside strings only, where JSON reads this.
            let _ = write!(line, "\\u{:04x}", u32::from(c));
        } else {
            let _ = write!(line, "{}", c.escape_default());
        }
    }
    line.push('\n');
    line
}

/// Ends a line for some readers, or turns the direction of what follows.
const fn moves(c: char) -> bool {
    matches!(c, '\u{2028}' | '\u{2029}' | '\u{200e}' | '\u{200f}' | '\u{061c}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outside_text_begins_no_line_and_moves_no_cursor() {
        let hostile = "why=down\n2026-11-20T10:00:00Z ERROR forged\r\u{1b}[2J\u{9b}31m\u{202e}txt\u{2028}x\n";
        let text = Lines { json: false, colours: false };
        let line = inert(hostile, text);
        assert_eq!(line.matches('\n').count(), 1, "{line:?}");
        assert_eq!(line, "why=down\\n2026-11-20T10:00:00Z ERROR forged\\r\\u{1b}[2J\\u{9b}31m\\u{202e}txt\\u{2028}x\n");
        let coloured = inert("\u{1b}[32m INFO\u{1b}[0m a\nb\n", Lines { colours: true, ..text });
        assert_eq!(coloured, "\u{1b}[32m INFO\u{1b}[0m a\\nb\n");
    }

    #[test]
    fn json_stays_json() {
        let event = format!("{}\n", serde_json::json!({"why": "a\u{9b}b\u{202e}c\u{2028}\nd"}));
        let line = inert(&event, Lines { json: true, colours: false });
        assert!(line.is_ascii() && line.matches('\n').count() == 1, "{line:?}");
        let read: serde_json::Value = serde_json::from_str(&line).expect("JSON");
        assert_eq!(read["why"], "a\u{9b}b\u{202e}c\u{2028}\nd");
    }
}
