//! What people say and press. Words are read by `intents`, buttons carry an ask; both go through the door, and the answer is
//! shown to whoever asked, after a redirect, so that reloading a page repeats nothing.

use super::WebState;
use super::forms::{Posted, Ticket};
use super::login::Answer;
use super::page::{self, Number};
use super::routes::Signed;
use super::trouble::Trouble;
use crate::flow::incident::IncidentId;
use crate::flow::refusal::Refusal;
use crate::ports::StoreError;
use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use smokejumper_intents::button;
use smokejumper_intents::confirm::confirmation;
use smokejumper_intents::intent::{Ask, Intent};
use smokejumper_intents::reply::{Reply, Span};
use smokejumper_intents::utterance::{Place, Utterance};
use smokejumper_intents::{Reading, read};
use std::time::Duration;

/// An answer takes two seconds at most by design (ARCHITECTURE.md D7); past this the person is told that nobody knows yet.
const DOOR_WITHIN: Duration = Duration::from_secs(8);

pub async fn in_lobby(State(web): State<WebState>, Extension(signed): Extension<Signed>, posted: Posted) -> Response {
    say(&web, &signed, posted.on(None), Place::Lobby).await
}

pub async fn in_incident(
    State(web): State<WebState>,
    Extension(signed): Extension<Signed>,
    Number(id): Number,
    posted: Posted,
) -> Response {
    say(&web, &signed, posted.on(Some(id.0)), Place::Incident(id.0)).await
}

pub async fn press(State(web): State<WebState>, Extension(signed): Extension<Signed>, posted: Posted) -> Response {
    match button::decode(&posted.ask) {
        Ok(ask) => perform(&web, &signed, posted, ask).await,
        Err(why) => {
            let why = format!("The button could not be read: {why}.");
            Trouble::Unreadable { status: StatusCode::UNPROCESSABLE_ENTITY, why }.into_response()
        }
    }
}

async fn say(web: &WebState, signed: &Signed, posted: Posted, place: Place) -> Response {
    match read(&Utterance { text: posted.text.clone(), place }) {
        Reading::Clear(ask) => perform(web, signed, posted, ask).await,
        Reading::Confirm { ask, because } => {
            let reply = confirmation(&ask, &because);
            show(web, signed, posted.page, Answer { reply, typed: Some(posted.text) })
        }
        Reading::Misread(misread) => {
            show(web, signed, posted.page, Answer { reply: misread.to_reply(), typed: Some(posted.text) })
        }
    }
}

async fn perform(web: &WebState, signed: &Signed, posted: Posted, ask: Ask) -> Response {
    match visible(web, signed, &ask).await {
        Ok(true) => {}
        Ok(false) => return Trouble::NoSuchIncident.into_response(),
        Err(error) => return unanswered(web, signed, &posted, &error),
    }
    if signed.right < ask.intent.needs() {
        let refusal = Refusal::new(format!(
            "that needs the right of {}, and yours is {}.",
            ask.intent.needs().label(),
            signed.right.label()
        ));
        let page = page::answered(web, signed, posted.page, &Answer { reply: refusal.to_reply(), typed: None }).await;
        return (StatusCode::FORBIDDEN, page).into_response();
    }
    let declares = matches!(ask.intent, Intent::Declare { .. });
    let asked = web.door.ask(signed.identity().clone(), ask, posted.key(signed));
    let reply = match tokio::time::timeout(DOOR_WITHIN, asked).await {
        Ok(Ok(reply)) => reply,
        Ok(Err(error)) => return unanswered(web, signed, &posted, &error),
        Err(_) => return unanswered(web, signed, &posted, &StoreError::Unavailable("no answer in time".to_owned())),
    };
    let page = if declares { opened(&reply).or(posted.page) } else { posted.page };
    show(web, signed, page, Answer { reply, typed: None })
}

/// Whether the incident an ask is about exists for this person.
async fn visible(web: &WebState, signed: &Signed, ask: &Ask) -> Result<bool, StoreError> {
    match ask.incident {
        None => Ok(true),
        Some(number) => Ok(web.views.incident(signed.identity(), IncidentId(number)).await?.is_some()),
    }
}

/// The incident a declaration opened, as its answer names it first.
fn opened(reply: &Reply) -> Option<u32> {
    let lines = std::iter::once(&reply.title).chain(reply.sections.iter().flat_map(|section| &section.lines));
    lines.flat_map(|line| &line.spans).find_map(|span| match span {
        Span::Incident(number) => Some(*number),
        _ => None,
    })
}

/// Keeps the answer and goes to the page that shows it.
fn show(web: &WebState, signed: &Signed, page: Option<u32>, answer: Answer) -> Response {
    match web.logins.keep(&signed.guest.session, answer) {
        Ok(name) => Redirect::to(&format!("{}?answer={name}#answer", page::address(page))).into_response(),
        Err(error) => {
            tracing::error!(%error, "an answer could not be kept");
            Redirect::to(&page::address(page)).into_response()
        }
    }
}

/// Recorded, or refused aloud: the form comes back with what was typed and its old nonce, so pressing again is the same act.
fn unanswered(web: &WebState, signed: &Signed, posted: &Posted, error: &StoreError) -> Response {
    tracing::error!(%error, "an ask was not answered");
    let again = Ticket::again(signed, posted);
    page::retry::show(web, signed, &again, posted).into_response()
}
