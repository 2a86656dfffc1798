//! After something could not be stored: what was asked, ready to be sent again. It has its old nonce: twice is once.

use super::{Frame, address};
use crate::edges::web::WebState;
use crate::edges::web::forms::{Posted, Ticket};
use crate::edges::web::routes::Signed;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use maud::html;

pub fn show(web: &WebState, signed: &Signed, again: &Ticket, posted: &Posted) -> Response {
    let action = match (posted.ask.is_empty(), posted.page) {
        (false, _) => "/press".to_owned(),
        (true, Some(number)) => format!("/incidents/{number}/say"),
        (true, None) => "/say".to_owned(),
    };
    let content = html! {
        div.reading {
            h1 { "Not stored yet" }
            p { "Storage did not answer, so nobody knows yet whether this happened. Send it again in a few seconds: it counts once, however often you send it." }
            form.composer method="post" action=(action) {
                (again.hidden())
                @if posted.ask.is_empty() {
                    label for="say" { "What you said" }
                    textarea #say name="text" rows="3" readonly { (posted.text) }
                } @else {
                    input type="hidden" name="ask" value=(posted.ask);
                }
                div.composer-foot {
                    a href=(address(posted.page)) { "Back, without sending" }
                    button.primary type="submit" { "Send again" }
                }
            }
        }
    };
    let now = web.clock.now();
    let page = Frame { title: "Not stored yet", live: None, search: "", now }.around(signed, again, &content);
    let mut response = (StatusCode::SERVICE_UNAVAILABLE, page).into_response();
    response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("3"));
    response
}
