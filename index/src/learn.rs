//! What memory learnt from outcomes, beyond the cases themselves: who and what is probable, and how sure to be.
//!
//! In reading order: an incident as features (`input`), counts that fade (`decay`), a linear model over words and labels
//! (`linear`), all features of all candidates (`panel`), what each is worth (`combine`), and one `student` for each
//! target. Nothing here looks at the index or the clock, and nothing depends on the order of a hash map: the same
//! outcomes in the same order give the same model, to the bit.

pub(crate) mod bytes;
pub(crate) mod combine;
pub(crate) mod decay;
pub(crate) mod input;
pub(crate) mod linear;
pub(crate) mod panel;
pub(crate) mod student;

use crate::case::CaseId;
use bytes::{In, Out};
use input::Input;
use panel::{Kept, Panel};
use student::{Student, Vote};

/// Probable causes that say something about the responder.
const CAUSES: usize = 8;
/// Raised when the bytes mean something else.
const FORMAT: u32 = 1;

/// What a question is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    Cause,
    Responder,
}

/// What was said of both targets, as it is kept for learning.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Said {
    pub cause: Kept,
    pub responder: Kept,
}

/// How a case turned out, as far as that is news.
#[derive(Clone, Debug)]
pub(crate) struct News<'a> {
    pub case: &'a CaseId,
    pub at: i64,
    /// The cause, and whether it was known before.
    pub cause: Option<(&'a str, bool)>,
    pub responder: Option<(&'a str, bool)>,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Model {
    causes: Student,
    responders: Student,
    /// Outcomes learnt, ever.
    learnt: u64,
}

impl Model {
    pub fn learnt(&self) -> u64 {
        self.learnt
    }

    pub fn of(&self, target: Target) -> &Student {
        match target {
            Target::Cause => &self.causes,
            Target::Responder => &self.responders,
        }
    }

    /// Causes, then responders.
    pub fn ask(&self, input: &Input, votes: [&[Vote]; 2], at: i64) -> [Panel; 2] {
        let [of_causes, of_responders] = votes;
        let causes = self.causes.ask(input, of_causes, &[], at);
        let first = causes.order.iter().take(CAUSES);
        let probable: Vec<(u32, f64)> =
            first.filter_map(|row| Some((u32::try_from(*row).ok()?, *causes.p.get(*row)?))).collect();
        let responders = self.responders.ask(input, of_responders, &probable, at);
        [causes, responders]
    }

    /// What is kept of an answer.
    pub fn keep(&self, [causes, responders]: &[Panel; 2]) -> Said {
        Said {
            cause: causes.keep(|row| self.causes.name(row)),
            responder: responders.keep(|row| self.responders.name(row)),
        }
    }

    /// Learns what is news. `said` is what was said of it when it opened; without it nothing is learnt of how much each
    /// kind of evidence is worth.
    pub fn learn(&mut self, input: &Input, news: &News<'_>, said: Option<&Said>) {
        if let Some((cause, true)) = news.cause {
            self.causes.learn(input, cause, news.case, said.map(|s| &s.cause), None, news.at);
        }
        if let Some((responder, true)) = news.responder {
            let cause = news.cause.and_then(|(cause, _)| self.causes.class(cause));
            self.responders.learn(input, responder, news.case, said.map(|s| &s.responder), cause, news.at);
        }
        self.learnt += 1;
    }

    /// A model that knows no case, but still what each kind of evidence is worth, which names nobody.
    pub fn without_cases(&self) -> Self {
        let (causes, responders) = (self.causes.without_cases(), self.responders.without_cases());
        Self { causes, responders, learnt: self.learnt }
    }

    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Out::default();
        out.u32(FORMAT);
        out.u64(self.learnt);
        self.causes.write(&mut out);
        self.responders.write(&mut out);
        out.0
    }

    /// None if these are no bytes of a model.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let mut input = In(bytes);
        if input.u32()? != FORMAT {
            return None;
        }
        let learnt = input.u64()?;
        let (causes, responders) = (Student::read(&mut input)?, Student::read(&mut input)?);
        input.0.is_empty().then_some(Self { causes, responders, learnt })
    }
}

impl Said {
    /// As text that a journal can hold.
    pub fn to_text(&self) -> String {
        let mut out = Out::default();
        self.cause.write(&mut out);
        self.responder.write(&mut out);
        panel::to_text(&out.0)
    }

    /// What [`Said::to_text`] wrote; `None` for anything else.
    pub fn from_text(text: &str) -> Option<Self> {
        let bytes = panel::from_text(text)?;
        let mut input = In(&bytes);
        let said = Self { cause: Kept::read(&mut input)?, responder: Kept::read(&mut input)? };
        input.0.is_empty().then_some(said)
    }
}

#[cfg(test)]
mod tests;
