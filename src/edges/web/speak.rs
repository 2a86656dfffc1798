//! What people say and press. Words are read by `intents`, buttons carry an ask; both go through the door, and the answer is
//! shown to whoever asked, after a redirect, so that reloading a page repeats nothing.

use super::WebState;
use super::forms::{Filled, Posted, Ticket};
use super::login::Answer;
use super::page::{self, Number};
use super::routes::Signed;
use super::trouble::Trouble;
use crate::flow::incident::IncidentId;
use crate::flow::refusal::{Refusal, is_refusal};
use crate::ports::StoreError;
use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use smokejumper_intents::button;
use smokejumper_intents::confirm::confirmation;
use smokejumper_intents::intent::{Ask, Intent};
use smokejumper_intents::reply::{Reply, Span};
use smokejumper_intents::say::say as words_of;
use smokejumper_intents::utterance::{Place, Utterance};
use smokejumper_intents::verb::{self, Scope};
use smokejumper_intents::{Reading, bounds, read};
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
        Ok(ask) => perform(&web, &signed, posted, ask, None).await,
        Err(why) => {
            let why = format!("The button could not be read: {why}.");
            Trouble::Unreadable { status: StatusCode::UNPROCESSABLE_ENTITY, why }.into_response()
        }
    }
}

/// A form is the words it could be, once it is filled in: asked first, refused and sent again like them.
pub async fn fill(State(web): State<WebState>, Extension(signed): Extension<Signed>, filled: Filled) -> Response {
    let Filled { mut posted, form, values } = filled;
    let typed = values.words(form);
    let intent = match (form.fill)(&values) {
        Ok(intent) => intent,
        Err(misread) => {
            return show(&web, &signed, posted.page, Answer { reply: misread.to_reply(), typed: Some(typed) });
        }
    };
    let about_one = verb::find(form.verb).is_some_and(|verb| verb.scope != Scope::Lobby);
    let ask = Ask { incident: posted.page.filter(|_| about_one), intent };
    if !bounds::within(&ask) || about_one && ask.incident.is_none() {
        let why = "The form could not be read: it is not one of ours.".to_owned();
        return Trouble::Unreadable { status: StatusCode::UNPROCESSABLE_ENTITY, why }.into_response();
    }
    if let Some(because) = ask.intent.confirm() {
        return show(&web, &signed, posted.page, Answer { reply: confirmation(&ask, because), typed: None });
    }
    match words_of(&ask) {
        Some(words) => posted.text = words,
        None => posted.ask = button::encode_within(&ask, button::DECODE_MAX).unwrap_or_default(),
    }
    let again = Some(posted.text.clone()).filter(|words| !words.is_empty()).or(Some(typed));
    perform(&web, &signed, posted, ask, again).await
}

async fn say(web: &WebState, signed: &Signed, posted: Posted, place: Place) -> Response {
    match read(&Utterance { text: posted.text.clone(), place }) {
        Reading::Clear(ask) => perform(web, signed, posted, ask, None).await,
        Reading::Confirm { ask, because } => {
            let reply = confirmation(&ask, &because);
            show(web, signed, posted.page, Answer { reply, typed: Some(posted.text) })
        }
        Reading::Misread(misread) => {
            show(web, signed, posted.page, Answer { reply: misread.to_reply(), typed: Some(posted.text) })
        }
    }
}

/// `again`: what is put back for correcting when it is refused.
async fn perform(web: &WebState, signed: &Signed, posted: Posted, ask: Ask, again: Option<String>) -> Response {
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
    let typed = again.filter(|_| is_refusal(&reply));
    show(web, signed, page, Answer { reply, typed })
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
