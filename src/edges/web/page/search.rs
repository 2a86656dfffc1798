//! Past incidents that resemble some words.

use super::Frame;
use crate::edges::web::forms::Ticket;
use crate::edges::web::routes::Signed;
use crate::edges::web::trouble::Trouble;
use crate::edges::web::{WebState, render, time};
use crate::flow::moment::At;
use crate::flow::privacy::veil_found;
use crate::flow::recollection::PastIncident;
use axum::Extension;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::response::{IntoResponse as _, Redirect, Response};
use maud::{Markup, html};
use serde::Deserialize;
use smokejumper_intents::{bounds, inert};

/// Answers shown: past twenty nobody reads.
const FOUND: usize = 20;

#[derive(Clone, Debug, Default, Deserialize)]
pub struct Query_ {
    #[serde(default)]
    q: String,
}

pub async fn show(
    State(web): State<WebState>,
    Extension(signed): Extension<Signed>,
    query: Result<Query<Query_>, QueryRejection>,
) -> Result<Response, Trouble> {
    let asked = query.map(|Query(query)| query.q).unwrap_or_default();
    let words = inert::shorten(&inert::line(&asked), bounds::QUERY_MAX);
    if let Some(number) = number(&words) {
        return Ok(Redirect::to(&format!("/incidents/{number}")).into_response());
    }
    let mut found =
        if words.is_empty() { Vec::new() } else { web.memory.search(&words, FOUND).await.map_err(Trouble::Memory)? };
    // Made private a moment ago, and not forgotten yet.
    veil_found(&mut found, &web.views.desk().await?.private);
    let now = web.clock.now();
    let ticket = Ticket::new(&signed, None)?;
    let content = html! {
        div.reading {
            h1 { @if words.is_empty() { "Search" } @else { "Past incidents like " bdi { "“" (words) "”" } } }
            @if words.is_empty() {
                p.empty { "Type what you see: an error message, a symptom, a service." }
            } @else if found.is_empty() {
                p.empty { "Nothing like it in memory. Try fewer or other words." }
            }
            ol.found { @for past in &found { (past_incident(past, now)) } }
        }
    };
    let frame = Frame { title: "Search", live: None, search: &words, now };
    Ok(frame.around(&signed, &ticket, &content).into_response())
}

/// `INC-12` goes straight there.
fn number(words: &str) -> Option<u32> {
    let digits = words.get(..4).filter(|prefix| prefix.eq_ignore_ascii_case("inc-")).and_then(|_| words.get(4..))?;
    digits.parse().ok()
}

fn past_incident(past: &PastIncident, now: At) -> Markup {
    html! {
        li {
            p.found-title {
                @match (number(&past.case), &past.url) {
                    (Some(number), _) => a href={ "/incidents/" (number) } { (past.case) " " bdi { (inert::line(&past.title)) } },
                    (None, Some(url)) => (render::link(&past.title, url)),
                    (None, None) => bdi { (inert::line(&past.title)) },
                }
                " " span.faint { (time::clock(past.opened_at, now)) }
            }
            @if !past.snippet.is_empty() { p.snippet { bdi { (inert::line(&past.snippet)) } } }
            dl.known {
                @if let Some(cause) = &past.cause { dt { "Cause" } dd { bdi { (inert::line(cause)) } } }
                @if let Some(fix) = &past.resolution { dt { "What helped" } dd { bdi { (inert::line(fix)) } } }
                @if !past.shared.is_empty() {
                    dt { "Shares" } dd { @for shared in &past.shared { code { (inert::line(shared)) } " " } }
                }
            }
        }
    }
}
