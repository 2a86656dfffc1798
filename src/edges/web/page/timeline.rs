//! Every entry of an incident in order, each with a number that other pages link to.

use super::{Frame, Number, heading};
use crate::edges::web::forms::Ticket;
use crate::edges::web::routes::Signed;
use crate::edges::web::trouble::Trouble;
use crate::edges::web::{WebState, render};
use crate::flow::incident::IncidentId;
use crate::flow::moment::At;
use crate::flow::timeline::{Told, timeline};
use axum::Extension;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use maud::{Markup, html};
use serde::Deserialize;
use smokejumper_intents::inert;

/// Entries on one page: quick to draw on a phone, and most incidents fit.
const PAGE: u32 = 500;

#[derive(Clone, Debug, Default, Deserialize)]
pub struct From {
    /// The first entry's number.
    #[serde(default)]
    from: u32,
}

/// Where entry `n` is found.
#[must_use]
pub fn address(id: IncidentId, n: u32) -> String {
    let first = n.saturating_sub(1) / PAGE * PAGE + 1;
    if first == 1 {
        format!("/incidents/{}/timeline#e{n}", id.0)
    } else {
        format!("/incidents/{}/timeline?from={first}#e{n}", id.0)
    }
}

pub async fn show(
    State(web): State<WebState>,
    Extension(signed): Extension<Signed>,
    Number(id): Number,
    query: Result<Query<From>, QueryRejection>,
) -> Result<Markup, Trouble> {
    let incident = web.views.incident(signed.identity(), id).await?.ok_or(Trouble::NoSuchIncident)?;
    let entries = web.views.entries(signed.identity(), id).await?;
    let now = web.clock.now();
    let ticket = Ticket::new(&signed, Some(id.0))?;
    let from = query.map_or(1, |Query(query)| query.from.max(1));
    let last = entries.last().map_or(0, |entry| entry.n);
    let page = entries.iter().filter(|entry| (from..from.saturating_add(PAGE)).contains(&entry.n));
    let told = timeline(&page.cloned().collect::<Vec<_>>(), &web.policy());
    let content = html! {
        div.reading {
            p.crumbs {
                a href={ "/incidents/" (id.0) } { (incident.id) }
                a href={ "/incidents/" (id.0) "/postmortem" } { "Postmortem" }
            }
            h1 { "Timeline of " bdi { (inert::line(&incident.title)) } }
            div #timeline data-live-part="" {
                (days(&told, now))
                p.hint {
                    @if from > 1 { a href={ "?from=" (from.saturating_sub(PAGE).max(1)) } { "Earlier" } " " }
                    @if from.saturating_add(PAGE) <= last { a href={ "?from=" (from.saturating_add(PAGE)) } { "Later" } }
                }
            }
        }
    };
    let title = format!("Timeline of {}", heading(&incident));
    let frame = Frame { title: &title, live: Some(format!("/incidents/{}/live", id.0)), search: "", now };
    Ok(frame.around(&signed, &ticket, &content))
}

fn days(told: &[Told], now: At) -> Markup {
    html! {
        @if told.is_empty() { p.empty { "Nothing happened yet." } }
        @for day in told.chunk_by(|a, b| a.at.day() == b.at.day()) {
            @if let Some(first) = day.first() { h2.day { (first.at.day()) span.faint { " UTC" } } }
            ol.timeline {
                @for told in day {
                    li #{ "e" (told.n) } {
                        a.anchor href={ "#e" (told.n) } title={ "entry " (told.n) ", " (told.at.rfc3339()) } {
                            time datetime=(told.at.rfc3339()) { (told.at.hm()) }
                        }
                        span.words { (render::spans(&told.line.spans, now)) }
                    }
                }
            }
        }
    }
}
