//! What to say when something was not understood: what is wrong, where, what is near, how it is done right.

use crate::inert;
use crate::reply::{Line, Reply, Section, Span};
use std::ops::Range;

/// How much of the person's own words a suggestion repeats.
const ECHO_MAX: usize = 120;

/// Something that could not be read. Never an answer of silence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Misread {
    /// What is wrong, in a sentence.
    pub problem: Line,
    /// Where in the utterance, in characters; `None` when something is missing at its end.
    pub at: Option<Range<usize>>,
    /// Whole commands that may have been meant, the likeliest first. May repeat outside text.
    pub try_instead: Vec<String>,
    /// A command that works.
    pub example: Option<&'static str>,
    /// The verb whose form would ask for what is missing; a platform with dialogs may offer it ([`crate::forms::find`]).
    pub form: Option<&'static str>,
}

impl Misread {
    /// What the problem quotes of the person's own words is shortened.
    #[must_use]
    pub fn new(mut problem: Line) -> Self {
        for span in &mut problem.spans {
            if let Span::Code(text) | Span::Outside(text) = span {
                *text = inert::shorten(text, ECHO_MAX);
            }
        }
        Self { problem, at: None, try_instead: Vec::new(), example: None, form: None }
    }

    #[must_use]
    pub fn at(mut self, at: Range<usize>) -> Self {
        self.at = Some(at);
        self
    }

    #[must_use]
    pub fn example(mut self, command: &'static str) -> Self {
        self.example = Some(command);
        self
    }

    #[must_use]
    pub fn form(mut self, verb: &'static str) -> Self {
        self.form = Some(verb);
        self
    }

    /// Adds a command that may have been meant; one that is there already is not repeated.
    #[must_use]
    pub fn suggest(mut self, command: &str) -> Self {
        let command = inert::shorten(&inert::line(command), ECHO_MAX);
        if !self.try_instead.contains(&command) {
            self.try_instead.push(command);
        }
        self
    }

    /// As the person sees it.
    #[must_use]
    pub fn to_reply(&self) -> Reply {
        let mut reply = Reply::titled(Line::from("I did not understand that"));
        let mut lines = vec![self.problem.clone()];
        if let Some(example) = self.example {
            lines.push(Line::from("Example: ").code(example));
        }
        reply = reply.section(Section::plain(lines));
        if !self.try_instead.is_empty() {
            let lines = self.try_instead.iter().map(|command| Line::default().code(command)).collect();
            reply = reply.section(Section::headed("Did you mean", lines));
        }
        reply.bounded()
    }
}
