//! What follows a verb, and how its parser takes it: word by word, as options, or as free text.

use crate::bounds;
use crate::inert;
use crate::misread::Misread;
use crate::reply::Line;
use crate::token::{Token, numbered, unquote};
use crate::verb::Verb;

/// The words after a verb (and after the incident's number, if one followed it).
#[derive(Clone, Debug)]
pub struct Args<'a> {
    source: &'a str,
    tokens: &'a [Token<'a>],
    verb: &'static Verb,
    /// The word that named the verb: its name, an alias, in lower case.
    pub called: String,
}

/// An option given as `key:value` or `key=value`, unquoted and without unseen characters; may be empty.
#[derive(Debug)]
pub struct Given<'a> {
    pub token: &'a Token<'a>,
    pub value: String,
}

/// Free text, and what follows each label in it: see [`Args::labelled`].
#[derive(Debug)]
pub struct Labelled<'a, const N: usize> {
    /// What stands before the first label, and its first word.
    pub before: Option<(&'a Token<'a>, String)>,
    /// What follows each label, as written; may be empty.
    pub parts: [Option<String>; N],
}

impl<'a> Args<'a> {
    #[must_use]
    pub fn new(source: &'a str, tokens: &'a [Token<'a>], verb: &'static Verb, called: String) -> Self {
        Self { source, tokens, verb, called }
    }

    /// The next word, and steps over it.
    pub fn take(&mut self) -> Option<&'a Token<'a>> {
        let (first, rest) = self.tokens.split_first()?;
        self.tokens = rest;
        Some(first)
    }

    /// The next word.
    #[must_use]
    pub fn peek(&self) -> Option<&'a Token<'a>> {
        self.tokens.first()
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.tokens.is_empty()
    }

    /// All that is left, as written but without unseen characters; `None` when nothing is. Code fences stay.
    pub fn text(&mut self, what: &'static str, max: usize) -> Result<Option<String>, Misread> {
        let left = std::mem::take(&mut self.tokens);
        let Some(first) = left.first() else { return Ok(None) };
        let text = inert::prose(self.source.get(first.start..).unwrap_or_default());
        self.fits(text, what, max).map(|text| Some(text).filter(|text| !text.is_empty()))
    }

    /// All that is left, with the options among it taken out. Only the `known` keys are options (`error: x` stays text);
    /// each is a list of names for the same. An option's value may stand after a space (`sev: 1`).
    ///
    /// The text is one line, without code fences, and without its quotes when it is quoted as a whole.
    pub fn line_and_options<const N: usize>(
        &mut self,
        known: [&[&str]; N],
    ) -> Result<(String, [Option<Given<'a>>; N]), Misread> {
        let mut words: Vec<&str> = Vec::new();
        let mut options = [const { None }; N];
        while let Some(token) = self.take() {
            let option = token.pair().and_then(|pair| {
                let key = pair.key.to_lowercase();
                known.iter().position(|names| names.contains(&key.as_str())).map(|at| (at, pair.value))
            });
            let Some((at, value)) = option else {
                words.extend((!token.fenced).then_some(token.raw));
                continue;
            };
            let (token, value) = match self.peek().filter(|next| value.is_empty() && !next.fenced) {
                Some(next) => {
                    self.take();
                    (next, next.raw)
                }
                None => (token, value),
            };
            let given = Given { token, value: self.value(token, value)? };
            let Some(place) = options.get_mut(at) else { continue };
            if place.replace(given).is_some() {
                return Err(self.wrong(token, Line::from("This is given twice: ").code(token.raw)));
            }
        }
        let text = match words.as_slice() {
            [one] => unquote(one).unwrap_or_else(|| (*one).to_owned()),
            words => words.join(" "),
        };
        Ok((inert::line(&text), options))
    }

    /// All that is left, cut at its labels (`cause: …`): each part reaches up to the next label or to the end. A label is a list of
    /// names for the same.
    pub fn labelled<const N: usize>(&mut self, labels: [&[&str]; N]) -> Result<Labelled<'a, N>, Misread> {
        let mut found = Labelled { before: None, parts: [const { None }; N] };
        let mut part = None;
        while let Some(token) = self.take() {
            let labelled = token.pair().and_then(|pair| {
                let key = pair.key.to_lowercase();
                labels.iter().position(|names| names.contains(&key.as_str())).map(|at| (at, pair.value))
            });
            let words = match labelled {
                None => token.raw,
                Some((at, value)) => {
                    if found.parts.get(at).is_some_and(Option::is_some) {
                        return Err(self.wrong(token, Line::from("This is given twice: ").code(token.raw)));
                    }
                    part = Some(at);
                    value
                }
            };
            let text = match part.and_then(|at| found.parts.get_mut(at)) {
                Some(text) => text.get_or_insert_default(),
                None => &mut found.before.get_or_insert((token, String::new())).1,
            };
            if !text.is_empty() {
                text.push(' ');
            }
            text.push_str(words);
        }
        Ok(found)
    }

    /// A part of labelled text on one line, without its quotes if it is quoted as a whole.
    pub fn part(&self, text: &str, what: &'static str, max: usize) -> Result<String, Misread> {
        let text = inert::line(&unquote(text).unwrap_or_else(|| text.to_owned()));
        if text.is_empty() {
            return Err(self.misread(Line::ours(format!("There is nothing after {what}:"))));
        }
        self.fits(text, what, max)
    }

    /// `done T-1` or `T-1 done`, with the prefix `t-`: the number, or that there can be no such number or none is given. `None` when it
    /// is neither, and so words of its own.
    pub fn done_number(&mut self, prefix: &str) -> Option<Option<u32>> {
        let first = self.peek()?;
        let begins = first.word() == "done";
        let mut ahead = self.clone();
        ahead.take();
        let second = ahead.take();
        let number = match (begins, second) {
            (true, None) => Some(None),
            (true, Some(second)) => numbered(&second.word(), prefix),
            (false, Some(second)) if second.word() == "done" => numbered(&first.word(), prefix),
            (false, _) => None,
        };
        if number.is_some() {
            *self = ahead;
        }
        number
    }

    /// A parameter's value without its quotes: refused when a quote is open, when it is too long, or when it holds what
    /// cannot be seen.
    pub fn value(&self, token: &Token<'_>, raw: &str) -> Result<String, Misread> {
        let Some(value) = unquote(raw) else {
            return Err(self.wrong(token, Line::from("The quote is not closed in ").code(token.raw)));
        };
        if bounds::longer(&value, bounds::VALUE_MAX) {
            return Err(self.wrong(token, Line::ours(format!("A value may have {} characters.", bounds::VALUE_MAX))));
        }
        if value.chars().any(inert::is_unseen) {
            let problem =
                Line::from("There is a character nobody can see in ").code(token.raw).and(". Type it by hand.");
            return Err(self.wrong(token, problem));
        }
        Ok(value)
    }

    /// `text`, unless it is longer than `max` characters.
    pub fn fits(&self, text: String, what: &'static str, max: usize) -> Result<String, Misread> {
        if bounds::longer(&text, max) {
            let problem = format!("The {what} is {} characters long; {max} is the most.", text.chars().count());
            return Err(self.misread(Line::ours(problem)));
        }
        Ok(text)
    }

    /// Refuses words that the verb has no use for.
    pub fn done(&self) -> Result<(), Misread> {
        match self.peek() {
            None => Ok(()),
            Some(extra) => {
                let problem =
                    Line::from("Nothing more can follow ").code(self.verb.name).and(", but there is ").code(extra.raw);
                Err(self.wrong(extra, problem))
            }
        }
    }

    /// Something is missing at the end.
    #[must_use]
    pub fn missing(&self, what: &'static str) -> Misread {
        self.misread(Line::ours(format!("Say {what} after ")).code(self.verb.name).and("."))
    }

    /// This word is wrong.
    #[must_use]
    pub fn wrong(&self, token: &Token<'_>, problem: Line) -> Misread {
        self.misread(problem).at(token.at.clone())
    }

    /// Wrong as a whole.
    #[must_use]
    pub fn misread(&self, problem: Line) -> Misread {
        Misread::new(problem).example(self.verb.example)
    }
}
