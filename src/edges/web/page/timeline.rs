//! Every entry of an incident in order, each with a number that other pages link to.

use super::{Frame, Number, heading};
use crate::edges::web::forms::Ticket;
use crate::edges::web::routes::Signed;
use crate::edges::web::trouble::Trouble;
use crate::edges::web::{WebState, names, render};
use crate::flow::fact::Entry;
use crate::flow::identity::Actor;
use crate::flow::incident::IncidentId;
use crate::flow::moment::At;
use axum::Extension;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use maud::{Markup, html};
use serde::Deserialize;
use smokejumper_intents::inert;
use smokejumper_intents::reply::Line;

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
    let told: Vec<(&Entry, Line)> = entries
        .iter()
        .filter(|entry| (from..from.saturating_add(PAGE)).contains(&entry.n))
        .filter_map(|entry| Some((entry, (web.story.telling)(entry)?)))
        .collect();
    let content = html! {
        div.reading {
            p.crumbs {
                a href={ "/incidents/" (id.0) } { (incident.id) }
                a href={ "/incidents/" (id.0) "/postmortem" } { "Postmortem" }
            }
            h1 { "Timeline of " bdi { (inert::line(&incident.title)) } }
            div #timeline data-live-part="" {
                (days(&web, &told, now))
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

fn days(web: &WebState, told: &[(&Entry, Line)], now: At) -> Markup {
    let days = told.chunk_by(|(a, _), (b, _)| a.at.day() == b.at.day());
    html! {
        @if told.is_empty() { p.empty { "Nothing happened yet." } }
        @for day in days {
            @if let Some((first, _)) = day.first() {
                h2.day { (first.at.day()) span.faint { " UTC" } }
            }
            ol.timeline {
                @for (entry, line) in day {
                    li #{ "e" (entry.n) } {
                        a.anchor href={ "#e" (entry.n) } title={ "entry " (entry.n) } { time datetime=(entry.at.rfc3339()) title=(entry.at.rfc3339()) { (entry.at.hm()) } }
                        span.by.machine[!matches!(entry.by, Actor::Account(_))] { bdi { (inert::line(&names::actor(&web.policy, &entry.by))) } }
                        span.words { (render::spans(line, now)) }
                    }
                }
            }
        }
    }
}
