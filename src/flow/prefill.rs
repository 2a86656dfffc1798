//! What a form about an incident is filled in with before anybody types: what is known already is read over, not typed again.
//!
//! The same on a page and in a dialog. Knows neither.

use super::incident::Incident;
use super::learning::verified_fix;
use smokejumper_intents::forms::{Form, Values};
use smokejumper_intents::inert;

/// Known values of a form's fields; a field of which nothing is known is left empty.
#[must_use]
pub fn prefill(form: &'static Form, incident: &Incident) -> Values {
    let known: Vec<(&str, Option<String>)> = match form.verb {
        "resolve" => vec![("cause", cause(incident)), ("fix", incident.fix.clone().or_else(|| verified_fix(incident)))],
        "rename" => vec![("title", Some(incident.title.clone()))],
        _ => Vec::new(),
    };
    let fits = |name: &str, text: &str| {
        let most = form.fields.iter().find(|field| field.name == name)?.kind.most();
        Some((name.to_owned(), inert::shorten(&inert::line(text), most)))
    };
    let known: Vec<_> = known.into_iter().filter_map(|(name, text)| fits(name, &text?)).collect();
    Values::of(form, &known).unwrap_or_default()
}

/// What people said it was; before that what was suggested, unless they said that it is wrong.
fn cause(incident: &Incident) -> Option<String> {
    let wrong = incident.judged.as_ref().is_some_and(|judged| !judged.right);
    let suggested = || incident.suggestion.as_ref()?.causes.first().map(|cause| cause.value.clone());
    incident.cause.clone().or_else(|| suggested().filter(|_| !wrong))
}
