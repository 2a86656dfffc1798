//! The draft of the postmortem: each sentence with the entries it rests on, and what is not known said so.

use super::{Frame, Number, heading, timeline};
use crate::edges::web::forms::Ticket;
use crate::edges::web::routes::Signed;
use crate::edges::web::trouble::Trouble;
use crate::edges::web::{WebState, render};
use crate::flow::incident::IncidentId;
use crate::flow::moment::At;
use crate::flow::postmortem::{Postmortem, Sentence, draft};
use axum::Extension;
use axum::extract::State;
use maud::{Markup, html};
use smokejumper_intents::inert;

pub async fn show(
    State(web): State<WebState>,
    Extension(signed): Extension<Signed>,
    Number(id): Number,
) -> Result<Markup, Trouble> {
    let incident = web.views.incident(signed.identity(), id).await?.ok_or(Trouble::NoSuchIncident)?;
    let entries = web.views.entries(signed.identity(), id).await?;
    let now = web.clock.now();
    let ticket = Ticket::new(&signed, Some(id.0))?;
    let draft = draft(&incident, &entries, &web.policy());
    let content = html! {
        div.reading {
            p.crumbs {
                a href={ "/incidents/" (id.0) } { (incident.id) }
                a href={ "/incidents/" (id.0) "/timeline" } { "Timeline" }
            }
            h1 { "Postmortem of " bdi { (inert::line(&incident.title)) } }
            div #postmortem data-live-part="" {
                @if incident.is_open() {
                    p.note { "The incident is not over. This is what would be written now." }
                }
                (chapters(id, &draft, now))
            }
        }
    };
    let title = format!("Postmortem of {}", heading(&incident));
    let frame = Frame { title: &title, live: Some(format!("/incidents/{}/live", id.0)), search: "", now };
    Ok(frame.around(&signed, &ticket, &content))
}

fn chapters(id: IncidentId, draft: &Postmortem, now: At) -> Markup {
    let known = draft.sections.iter().flat_map(|chapter| &chapter.sentences);
    let (known, unknown): (Vec<_>, Vec<_>) = known.partition(|sentence| !sentence.from.is_empty());
    html! {
        p.hint {
            (known.len()) " sentences, each with the timeline entries it rests on; "
            (unknown.len()) " " @if unknown.len() == 1 { "thing is" } @else { "things are" } " not known and marked so."
        }
        @for chapter in &draft.sections {
            h2 { (chapter.heading) }
            ul.sentences { @for sentence in &chapter.sentences { (self::sentence(id, sentence, now)) } }
        }
    }
}

fn sentence(id: IncidentId, sentence: &Sentence, now: At) -> Markup {
    html! {
        li.unknown[sentence.from.is_empty()] {
            (render::spans(&sentence.spans, now))
            @for n in &sentence.from {
                " " a.cite href=(timeline::address(id, *n)) title={ "timeline entry " (n) } { (n) }
            }
        }
    }
}
