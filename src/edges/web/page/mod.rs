//! The pages, one file each, and what they share: the frame around them and the composer.

mod filling;
pub mod incident;
pub mod incidents;
pub mod login;
pub mod postmortem;
pub mod retry;
pub mod search;
pub mod timeline;

use super::forms::Ticket;
use super::login::Answer;
use super::routes::Signed;
use super::trouble::Trouble;
use super::{WebState, assets, render};
use crate::flow::incident::{Incident, IncidentId};
use crate::flow::moment::At;
use axum::extract::rejection::QueryRejection;
use axum::extract::{FromRequestParts, Path, Query};
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use maud::{DOCTYPE, Markup, html};
use serde::Deserialize;
use smokejumper_intents::bounds;
use smokejumper_intents::inert;
use smokejumper_intents::word::Severity;

/// Where an incident's page is; `None`: the list.
#[must_use]
pub fn address(page: Option<u32>) -> String {
    page.map_or_else(|| "/".to_owned(), |number| format!("/incidents/{number}"))
}

/// The incident's number in the address.
#[derive(Clone, Copy, Debug)]
pub struct Number(pub IncidentId);

impl<S: Send + Sync> FromRequestParts<S> for Number {
    type Rejection = Trouble;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Trouble> {
        let Path(number): Path<u32> =
            Path::from_request_parts(parts, state).await.map_err(|_| Trouble::NoSuchIncident)?;
        // The house has a number and no page.
        Some(IncidentId(number)).filter(|id| *id != IncidentId::HOUSE).map(Self).ok_or(Trouble::NoSuchIncident)
    }
}

/// The name of an answer to show, when the page is one that was come to by saying something.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Shown {
    #[serde(default)]
    answer: String,
}

impl Shown {
    fn of(query: Result<Query<Self>, QueryRejection>, web: &WebState, signed: &Signed) -> Option<Answer> {
        let Query(shown) = query.ok()?;
        web.logins.answer(&signed.guest.session, &shown.answer)
    }
}

/// A page with an answer on it right away, for answers that are refusals.
pub async fn answered(web: &WebState, signed: &Signed, page: Option<u32>, answer: &Answer) -> Response {
    let made = match page {
        Some(number) => incident::page(web, signed, IncidentId(number), Some(answer)).await,
        None => incidents::page(web, signed, Some(answer)).await,
    };
    made.map_or_else(Trouble::into_response, IntoResponse::into_response)
}

/// What the frame needs to know of a page.
struct Frame<'a> {
    title: &'a str,
    /// Where it listens for changes, when it does.
    live: Option<String>,
    search: &'a str,
    /// When it was made, for the script's clock.
    now: At,
}

impl Frame<'_> {
    fn around(&self, signed: &Signed, ticket: &Ticket, content: &Markup) -> Markup {
        html! {
            (DOCTYPE)
            html lang="en" {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    meta name="color-scheme" content="light dark";
                    title { (inert::line(self.title)) " · Smokejumper" }
                    link rel="stylesheet" href=(assets::STYLE.address);
                    link rel="icon" href=(assets::ICON.address);
                    script src=(assets::SCRIPT.address) defer {}
                }
                body data-live=[self.live.as_deref()] data-now=(self.now.0) {
                    a.skip href="#main" { "Skip to content" }
                    header.top {
                        a.brand href="/" accesskey="l" { "Smokejumper" }
                        form.search role="search" method="get" action="/search" {
                            input type="search" name="q" value=(self.search) placeholder="Search past incidents" aria-label="Search past incidents" accesskey="s" maxlength=(bounds::QUERY_MAX);
                        }
                        form.who method="post" action="/logout" {
                            (ticket.hidden())
                            span title={ "signed in as " (signed.right.label()) } { (inert::line(&signed.name)) }
                            button.quiet type="submit" { "Sign out" }
                        }
                    }
                    main #main tabindex="-1" { (content) }
                    footer.keys {
                        span.link-state data-link-state="" { }
                        span { kbd { "/" } " say something" }
                        span { kbd { "s" } " search" }
                        span { kbd { "g" } " incidents" }
                        span { kbd { "Ctrl" } "+" kbd { "Enter" } " send" }
                    }
                }
            }
        }
    }
}

/// Where people say things. `hint` are our words.
fn composer(action: &str, ticket: &Ticket, typed: Option<&str>, hint: &Markup) -> Markup {
    html! {
        form.composer method="post" action=(action) {
            (ticket.hidden())
            label for="say" { "Say or ask" }
            textarea #say name="text" rows="2" maxlength=(bounds::UTTERANCE_MAX) accesskey="c" autocomplete="off" spellcheck="false" required aria-describedby="say-hint" {
                (typed.unwrap_or_default())
            }
            div.composer-foot {
                p #say-hint .hint { (hint) }
                button.primary type="submit" { "Send" }
            }
        }
    }
}

/// An answer only its asker sees.
fn answer(answer: Option<&Answer>, ticket: &Ticket, now: At) -> Markup {
    html! {
        @if let Some(answer) = answer {
            section.answer #answer role="status" tabindex="-1" {
                p.only { "Only you see this" }
                (render::reply(&answer.reply, render::Setting { ticket: Some(ticket), now }))
            }
        }
    }
}

/// Severity by word, by shape and by colour.
fn severity(severity: Severity) -> Markup {
    let class = match severity {
        Severity::Sev1 => "sev1",
        Severity::Sev2 => "sev2",
        Severity::Sev3 => "sev3",
        Severity::Sev4 => "sev4",
    };
    html! { span.sev .(class) { (severity.label()) } }
}

/// `INC-12 checkout returns 500s`
fn heading(incident: &Incident) -> String {
    format!("{} {}", incident.id, inert::line(&incident.title))
}
