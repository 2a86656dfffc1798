//! Forms: what is asked field by field, where a page or a dialog is better than a line of words. Platform-free; each edge draws
//! them at its best.
//!
//! A form names its verb and lives in the verb's file; filled in, it is the same intent that the words would be.

use crate::bounds;
use crate::inert;
use crate::intent::Intent;
use crate::intent::{Item, Who};
use crate::misread::Misread;
use crate::reply::Line;
use crate::token;
use crate::verbs;
use std::collections::BTreeMap;

/// What a verb can be filled in with.
#[derive(Debug)]
pub struct Form {
    /// The verb's name.
    pub verb: &'static str,
    /// What it is called where forms are offered: one or two words.
    pub title: &'static str,
    /// What the button says that sends it.
    pub submit: &'static str,
    pub fields: &'static [Field],
    pub fill: fn(&Values) -> Result<Intent, Misread>,
}

#[derive(Debug)]
pub struct Field {
    /// In lower case; unique in its form.
    pub name: &'static str,
    pub label: &'static str,
    /// An example, or what form it has; may be empty.
    pub hint: &'static str,
    pub kind: Kind,
    pub needed: bool,
}

/// What a field holds, and how much of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// One line of at most so many characters.
    Line(usize),
    /// A paragraph of at most so many characters.
    Paragraph(usize),
    /// One of these words, each with how it is shown.
    Choice(&'static [(&'static str, &'static str)]),
    /// A person's handle.
    Person,
    /// An open task or follow-up of the incident: `T-1`, `F-1`.
    Item,
    /// Another open incident: `INC-12`.
    Incident,
    /// A moment: see [`token::when`].
    When,
    /// A length of time: see [`token::minutes`].
    Length,
    /// A day: see [`token::due`].
    Day,
}

impl Kind {
    /// The most characters it may have.
    #[must_use]
    pub const fn most(self) -> usize {
        match self {
            Self::Line(max) | Self::Paragraph(max) => max,
            Self::Person => bounds::HANDLE_MAX + 1,
            Self::Choice(_) | Self::Item | Self::Incident | Self::When | Self::Length | Self::Day => bounds::NAME_MAX,
        }
    }
}

/// Every form, in the order of an incident's life.
pub const FORMS: &[&Form] = &[
    &verbs::declare::FORM,
    &verbs::update::FORM,
    &verbs::task::FORM,
    &verbs::assign::FORM,
    &verbs::follow_up::FORM,
    &verbs::resolve::FORM,
    &verbs::close::FORM,
    &verbs::reopen::FORM,
    &verbs::correct::FORM,
    &verbs::rename::FORM,
    &verbs::merge::FORM,
    &verbs::private::FORM,
    &verbs::decline::FORM,
    &verbs::cancel::FORM,
    &verbs::silence::FORM,
];

/// The form of a verb.
#[must_use]
pub fn find(verb: &str) -> Option<&'static Form> {
    FORMS.iter().copied().find(|form| form.verb == verb)
}

/// What somebody filled in, by the field's name: on one line, without what cannot be seen.
#[derive(Clone, Debug, Default)]
pub struct Values(BTreeMap<&'static str, String>);

impl Values {
    /// What was sent, held to the form's fields. `None`: there is a field that the form has not, or one twice.
    #[must_use]
    pub fn of(form: &'static Form, sent: &[(String, String)]) -> Option<Self> {
        let mut values = BTreeMap::new();
        for (name, text) in sent {
            let field = form.fields.iter().find(|field| field.name == name)?;
            if values.insert(field.name, inert::line(text)).is_some() {
                return None;
            }
        }
        Some(Self(values))
    }

    /// Everything that was filled in, in the form's order, for correcting by hand.
    #[must_use]
    pub fn words(&self, form: &Form) -> String {
        let filled = form.fields.iter().filter_map(|field| self.optional(field.name));
        std::iter::once(form.verb.to_owned()).chain(filled).collect::<Vec<_>>().join(" ")
    }

    #[must_use]
    pub fn optional(&self, name: &str) -> Option<String> {
        self.0.get(name).filter(|text| !text.is_empty()).cloned()
    }

    /// A text that must be there and fits.
    pub fn text(&self, name: &'static str, max: usize) -> Result<String, Misread> {
        match self.fitting(name, max)? {
            Some(text) => Ok(text),
            None => Err(Misread::new(Line::ours(format!("Fill in \"{name}\".")))),
        }
    }

    /// A text that may be left out.
    pub fn fitting(&self, name: &'static str, max: usize) -> Result<Option<String>, Misread> {
        let text = self.optional(name);
        match text.as_ref().map(|text| text.chars().count()).filter(|length| *length > max) {
            Some(length) => {
                let problem = format!("\"{name}\" is {length} characters long; {max} is the most.");
                Err(Misread::new(Line::ours(problem)))
            }
            None => Ok(text),
        }
    }

    /// Something read from a text that may be left out; `like` is an example of what can be read.
    pub fn read<T>(
        &self,
        name: &'static str,
        like: &str,
        read: impl Fn(&str) -> Option<T>,
    ) -> Result<Option<T>, Misread> {
        let Some(text) = self.optional(name) else { return Ok(None) };
        let value = read(&text).ok_or_else(|| {
            let problem = Line::ours(format!("In \"{name}\" I can't read ")).code(&text).and(". Write it like ");
            Misread::new(problem.code(like).and("."))
        })?;
        Ok(Some(value))
    }

    /// The same, where it must be there.
    pub fn must<T>(&self, name: &'static str, like: &str, read: impl Fn(&str) -> Option<T>) -> Result<T, Misread> {
        self.read(name, like, read)?
            .ok_or_else(|| Misread::new(Line::ours(format!("Fill in \"{name}\", like ")).code(like).and(".")))
    }

    pub fn person(&self, name: &'static str) -> Result<Option<Who>, Misread> {
        self.read(name, "@ana", token::who)
    }

    pub fn item(&self, name: &'static str) -> Result<Option<Item>, Misread> {
        self.read(name, "T-1", |text| {
            let word = text.to_lowercase();
            let task = token::numbered(&word, "t-").flatten().map(Item::Task);
            task.or_else(|| token::numbered(&word, "f-").flatten().map(Item::FollowUp))
        })
    }
}

/// The one field of a form that only asks why.
pub const WHY: &[Field] =
    &[Field { name: "why", label: "Why", hint: "", kind: Kind::Line(bounds::PARAGRAPH_MAX), needed: false }];

#[cfg(test)]
mod tests;
