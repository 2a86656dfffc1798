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
mod tests {
    use super::*;
    use crate::intent::{Ask, When};
    use crate::say::say;
    use crate::text;
    use crate::verb;
    use crate::word::{Milestone, State};
    use proptest::prelude::*;

    fn filled(verb: &str, sent: &[(&str, &str)]) -> Result<Intent, String> {
        let form = find(verb).unwrap();
        let sent: Vec<_> = sent.iter().map(|(n, t)| ((*n).to_owned(), (*t).to_owned())).collect();
        let values = Values::of(form, &sent).ok_or("not its fields")?;
        (form.fill)(&values).map_err(|misread| text::render(&misread.to_reply(), 200))
    }

    #[test]
    fn each_form_belongs_to_a_verb_and_has_fields_of_its_own() {
        for form in FORMS {
            assert!(verb::find(form.verb).is_some_and(|verb| verb.name == form.verb), "{}", form.verb);
            let mut names: Vec<_> = form.fields.iter().map(|field| field.name).collect();
            names.sort_unstable();
            names.dedup();
            assert_eq!(names.len(), form.fields.len(), "{}", form.verb);
            assert_eq!(FORMS.iter().filter(|other| other.verb == form.verb).count(), 1);
        }
    }

    #[test]
    fn a_form_says_what_the_words_say() {
        let said = Some("x".to_owned());
        for (verb, sent, intent) in [
            (
                "update",
                vec![("conditions", "1 in 3\n fails"), ("needs", "x")],
                Intent::Update { conditions: "1 in 3 fails".to_owned(), actions: None, needs: said.clone() },
            ),
            (
                "task",
                vec![("task", "drain it"), ("owner", "@bo")],
                Intent::Task { title: "drain it".to_owned(), owner: Some(Who::Named("bo".to_owned())) },
            ),
            (
                "assign",
                vec![("person", "me"), ("item", "f-2")],
                Intent::Assign { item: Some(Item::FollowUp(2)), who: Who::Me },
            ),
            ("merge", vec![("into", "INC-12")], Intent::Merge { into: 12 }),
            (
                "correct",
                vec![("moment", "impact"), ("time", "20m ago")],
                Intent::Correct { milestone: Milestone::ImpactStarted, when: When::Ago { minutes: 20 } },
            ),
            ("private", vec![], Intent::MakePrivate),
            ("close", vec![("why", "x")], Intent::SetState { state: State::Closed, note: said.clone() }),
            ("reopen", vec![], Intent::SetState { state: State::Investigating, note: None }),
            ("resolve", vec![("fix", "x"), ("cause", "")], Intent::Resolve { cause: None, fix: said.clone() }),
            (
                "silence",
                vec![("matchers", "a=b"), ("length", "2h"), ("why", "x")],
                Intent::Silence { matchers: "a=b".to_owned(), minutes: 120, comment: said },
            ),
        ] {
            assert_eq!(filled(verb, &sent), Ok(intent), "{verb}");
        }
    }

    #[test]
    fn what_is_wrong_is_said_by_its_field() {
        for (verb, sent, said) in [
            ("update", vec![("conditions", " ")], "Fill in \"conditions\""),
            ("assign", vec![("person", "@here")], "In \"person\" I can't read `@here`"),
            ("merge", vec![("into", "12")], "like `INC-12`"),
            ("correct", vec![("moment", "detected"), ("time", "25:00")], "can't read `25:00`"),
            ("silence", vec![("matchers", "a=b"), ("length", "5w")], "can't read `5w`"),
        ] {
            let shown = filled(verb, &sent).unwrap_err();
            assert!(shown.contains(said), "{verb}: {shown}");
        }
        assert_eq!(filled("update", &[("admin", "1")]), Err("not its fields".to_owned()));
        assert_eq!(filled("update", &[("needs", "1"), ("needs", "2")]), Err("not its fields".to_owned()));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(500))]

        #[test]
        fn whatever_is_filled_in_keeps_to_the_bounds(which in 0..FORMS.len(), texts in proptest::collection::vec(any::<String>(), 4)) {
            let form = FORMS[which];
            let sent: Vec<_> = form.fields.iter().zip(texts).map(|(f, text)| (f.name.to_owned(), text)).collect();
            if let Ok(intent) = (form.fill)(&Values::of(form, &sent).unwrap()) {
                let ask = Ask { incident: Some(3), intent };
                prop_assert!(bounds::within(&ask), "{:?}", ask);
                let lobby = matches!(ask.intent, Intent::Silence { .. });
                let ask = Ask { incident: ask.incident.filter(|_| !lobby), ..ask };
                // What a form holds can nearly always be shown as a command; a reason or matchers may be written so that it cannot.
                let loose = matches!(ask.intent, Intent::Silence { .. } | Intent::SetState { .. } | Intent::Resolve { .. } | Intent::FollowUp { .. });
                prop_assert!(loose || say(&ask).is_some(), "{:?}", ask);
            }
        }
    }
}
