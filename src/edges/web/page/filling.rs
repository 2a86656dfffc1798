//! Forms of fields, folded away until somebody opens one: `<details>`, so that they work without a script and by keyboard.
//!
//! What there is to fill in is the table of `intents::forms`; which of them make sense here is for each page to say.

use crate::edges::web::forms::Ticket;
use crate::edges::web::names;
use crate::flow::incident::Incident;
use crate::flow::policy::Policy;
use crate::flow::prefill::prefill;
use maud::{Markup, html};
use smokejumper_intents::forms::{self, Field, Form, Kind};
use smokejumper_intents::inert;
use smokejumper_intents::word::{Right, State};

/// People offered in a list while typing: more are found by typing on.
const PEOPLE: usize = 200;
/// Other incidents offered for merging.
const OTHERS: usize = 50;

/// What the fields may be filled in with.
pub struct Choices<'a> {
    pub policy: &'a Policy,
    pub incident: Option<&'a Incident>,
    /// Open incidents that the viewer may see.
    pub others: &'a [Incident],
}

/// The verbs that make sense in an incident as it stands.
pub fn fitting(incident: &Incident) -> Vec<&'static str> {
    let state = incident.state.0;
    let mut verbs: Vec<&'static str> = Vec::new();
    if state.is_open() {
        verbs.extend(["update", "task", "assign", "follow-up", "resolve", "correct", "rename", "merge"]);
    } else if !state.is_absorbing() {
        verbs.extend(["update", "assign", "follow-up", "correct", "rename"]);
        verbs.extend((state != State::Closed).then_some("close"));
        verbs.push("reopen");
    }
    verbs.extend((!incident.private && incident.merged_into.is_none()).then_some("private"));
    if state.is_open() {
        verbs.extend(["decline", "cancel"]);
    }
    verbs
}

/// The forms of these verbs, for whoever may use them.
pub fn forms(verbs: &[&str], right: Right, ticket: &Ticket, choices: &Choices<'_>) -> Markup {
    let offered: Vec<&'static Form> = forms::FORMS.iter().copied().filter(|form| verbs.contains(&form.verb)).collect();
    html! {
        @if right >= Right::Responder && !offered.is_empty() {
            div.forms {
                @for form in &offered { (folded(form, ticket, choices)) }
            }
            datalist #people {
                @for person in choices.policy.people.iter().take(PEOPLE) {
                    option value={ "@" (inert::line(&person.id.0)) } { (inert::line(&person.name)) }
                }
            }
        }
    }
}

fn folded(form: &'static Form, ticket: &Ticket, choices: &Choices<'_>) -> Markup {
    let known = choices.incident.map(|incident| prefill(form, incident)).unwrap_or_default();
    html! {
        details name="form" {
            summary { (form.title) }
            form method="post" action="/form" aria-label=(form.title) {
                (ticket.hidden())
                input type="hidden" name="verb" value=(form.verb);
                @for field in form.fields { (self::field(form, field, known.optional(field.name).as_deref(), choices)) }
                @if let Some(because) = because(form) { p.hint { (because) } }
                button.primary type="submit" { (form.submit) }
            }
        }
    }
}

/// What is said before somebody even begins, of what cannot be taken back.
fn because(form: &Form) -> Option<&'static str> {
    (form.fill)(&forms::Values::default()).ok().and_then(|intent| intent.confirm())
}

/// `known`: what it is filled in with already.
fn field(form: &Form, field: &Field, known: Option<&str>, choices: &Choices<'_>) -> Markup {
    let id = format!("{}-{}", form.verb, field.name);
    html! {
        label for=(id) { (field.label) @if !field.needed { " " span.faint { "(optional)" } } }
        @match field.kind {
            Kind::Paragraph(max) => {
                textarea id=(id) name=(field.name) rows="2" maxlength=(max) required[field.needed] placeholder=(field.hint) { (known.unwrap_or_default()) }
            }
            Kind::Choice(words) => {
                select id=(id) name=(field.name) required[field.needed] {
                    @for (word, shown) in words { option value=(word) { (shown) } }
                }
            }
            Kind::Item => {
                select id=(id) name=(field.name) required[field.needed] {
                    option value="" { (field.hint) }
                    @for (value, shown) in items(choices.incident) { option value=(value) { (shown) } }
                }
            }
            Kind::Incident => {
                select id=(id) name=(field.name) required[field.needed] {
                    option value="" { "choose one" }
                    @for other in others(choices) {
                        option value=(other.id) { (other.id) " " (inert::shorten(&inert::line(&other.title), 80)) }
                    }
                }
            }
            Kind::Person => {
                input id=(id) type="text" name=(field.name) maxlength=(field.kind.most()) required[field.needed]
                    placeholder=(field.hint) list="people" autocomplete="off" spellcheck="false";
            }
            Kind::Line(_) | Kind::When | Kind::Length | Kind::Day => {
                input id=(id) type="text" name=(field.name) maxlength=(field.kind.most()) required[field.needed]
                    placeholder=(field.hint) value=[known] autocomplete="off" spellcheck="false";
            }
        }
    }
}

/// Open tasks and follow-ups, as they are named and as they are shown.
fn items(incident: Option<&Incident>) -> Vec<(String, String)> {
    let Some(incident) = incident else { return Vec::new() };
    let shown = |name: String, title: &str| {
        let text = format!("{name} {}", inert::shorten(&inert::line(title), 80));
        (name, text)
    };
    let tasks = incident.to_do().map(|(id, task)| shown(format!("T-{id}"), &task.title));
    let follow_ups = incident.follow_ups.iter().filter(|(_, f)| f.done_at.is_none());
    tasks.chain(follow_ups.map(|(id, f)| shown(format!("F-{id}"), &f.title))).collect()
}

fn others<'c>(choices: &'c Choices<'_>) -> impl Iterator<Item = &'c Incident> {
    let own = choices.incident;
    let fits = move |other: &&Incident| own.is_none_or(|own| other.id != own.id && other.private == own.private);
    choices.others.iter().filter(fits).take(OTHERS)
}

/// Everybody who is in it: brought in, or heard of; each once, by name.
pub fn in_it(incident: &Incident, policy: &Policy) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let assigned = incident.assigned.iter().map(|who| names::party(policy, who));
    let heard = incident.involved.iter().map(|who| names::account(policy, who));
    for name in assigned.chain(heard) {
        if !found.contains(&name) {
            found.push(name);
        }
    }
    found
}
