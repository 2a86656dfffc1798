//! The demo's voice: at most 60 lines of 80 columns, one for what happens and one for what was seen.

use std::cell::Cell;
use std::io::{IsTerminal, Write};
use std::time::Instant;

/// Columns of a line.
const WIDTH: usize = 80;
/// Lines of the whole narration (the bound).
pub const LINES: usize = 60;

/// Tells the story; counts its lines.
#[derive(Debug)]
pub struct Narrator {
    start: Instant,
    lines: Cell<usize>,
    colour: bool,
    quiet: bool,
}

impl Narrator {
    #[must_use]
    pub fn new(quiet: bool) -> Self {
        let colour = std::io::stdout().is_terminal();
        Self { start: Instant::now(), lines: Cell::new(0), colour, quiet }
    }

    /// A step begins.
    pub fn step(&self, text: &str) {
        let seconds = self.start.elapsed().as_secs_f32();
        self.line(&format!("{seconds:5.1} s  "), text, "1");
    }

    /// What was observed of it.
    pub fn saw(&self, text: &str) {
        self.line("       ✓ ", text, "32");
    }

    /// More of what was observed.
    pub fn more(&self, text: &str) {
        self.line("         ", text, "2");
    }

    fn line(&self, lead: &str, text: &str, colour: &str) {
        if self.quiet || self.lines.get() >= LINES {
            return;
        }
        self.lines.set(self.lines.get() + 1);
        let room = WIDTH.saturating_sub(lead.chars().count());
        let mut text: String = text.chars().filter(|c| !c.is_control()).collect();
        if text.chars().count() > room {
            text = text.chars().take(room.saturating_sub(1)).chain(['…']).collect();
        }
        let mut out = std::io::stdout().lock();
        // A closed pipe is the reader's choice; the demo goes on.
        let _ = if self.colour {
            writeln!(out, "{lead}\x1b[{colour}m{text}\x1b[0m")
        } else {
            writeln!(out, "{lead}{text}")
        };
    }
}
