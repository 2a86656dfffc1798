//! When a page cannot be given: what happened and what to do about it, for the person; the cause goes to the log.

use super::assets;
use crate::ports::{StoreError, Undelivered};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use maud::{DOCTYPE, html};

#[derive(Debug)]
pub enum Trouble {
    NoSuchPage,
    WrongMethod,
    /// No such incident, or none this viewer may know of: the same answer, so that it tells nothing.
    NoSuchIncident,
    SignedOut {
        hint: String,
    },
    NotAllowed,
    /// A form that no page of ours sent.
    Foreign,
    StrangeHost,
    /// A form we cannot read.
    Unreadable {
        status: StatusCode,
        why: String,
    },
    Storage(StoreError),
    Memory(Undelivered),
    TooManyPages,
    Ours,
}

impl From<StoreError> for Trouble {
    fn from(error: StoreError) -> Self {
        Self::Storage(error)
    }
}

impl Trouble {
    fn status(&self) -> StatusCode {
        match self {
            Self::NoSuchPage | Self::NoSuchIncident => StatusCode::NOT_FOUND,
            Self::WrongMethod => StatusCode::METHOD_NOT_ALLOWED,
            Self::SignedOut { .. } => StatusCode::UNAUTHORIZED,
            Self::NotAllowed | Self::Foreign => StatusCode::FORBIDDEN,
            Self::StrangeHost => StatusCode::MISDIRECTED_REQUEST,
            Self::Unreadable { status, .. } => *status,
            Self::Storage(_) | Self::Memory(_) | Self::TooManyPages => StatusCode::SERVICE_UNAVAILABLE,
            Self::Ours => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    fn words(&self) -> (&'static str, String) {
        match self {
            Self::NoSuchPage => ("Nothing here", "This address leads to no page.".to_owned()),
            Self::WrongMethod => ("Not like this", "This address is not used that way.".to_owned()),
            Self::NoSuchIncident => ("No such incident", "There is no incident with this number that you can see.".to_owned()),
            Self::SignedOut { hint } => ("Sign in", hint.clone()),
            Self::NotAllowed => ("Not yours to see", "Your role does not include this page. An administrator can change that.".to_owned()),
            Self::Foreign => (
                "Not sent from here",
                "This form did not come from a current page of this console, so nothing was done. Open the page again and repeat it there.".to_owned(),
            ),
            Self::StrangeHost => (
                "Unknown name",
                "This console does not answer to the name in the address bar. Use the address it was started with.".to_owned(),
            ),
            Self::Unreadable { why, .. } => ("That form was not readable", format!("Nothing was done. {why}")),
            Self::Storage(_) => ("Storage does not answer", "Nothing is lost. Try again in a few seconds; if it stays, run the doctor.".to_owned()),
            Self::Memory(_) => ("Memory does not answer", "Past incidents cannot be searched now. Incidents go on; try again later.".to_owned()),
            Self::TooManyPages => ("Too many live pages", "Close one, or go on without live updates.".to_owned()),
            Self::Ours => ("That was our fault", "The page could not be made. What you did before is kept.".to_owned()),
        }
    }
}

impl IntoResponse for Trouble {
    fn into_response(self) -> Response {
        match &self {
            Self::Storage(error) => tracing::error!(%error, "a page could not be read from storage"),
            Self::Memory(error) => tracing::warn!(%error, "memory did not answer a search"),
            Self::Ours => tracing::error!("a page could not be made"),
            _ => {}
        }
        let (heading, advice) = self.words();
        let signed_out = matches!(self, Self::SignedOut { .. });
        let page = html! {
            (DOCTYPE)
            html lang="en" {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    title { (heading) " · Smokejumper" }
                    link rel="stylesheet" href=(assets::STYLE.address);
                    link rel="icon" href=(assets::ICON.address);
                }
                body.alone {
                    main.sheet {
                        p.brand { "Smokejumper" }
                        h1 { (heading) }
                        p { (advice) }
                        @if !signed_out { p { a href="/" { "All incidents" } } }
                    }
                }
            }
        };
        let mut response = (self.status(), page).into_response();
        if self.status() == StatusCode::SERVICE_UNAVAILABLE {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("5"));
        }
        response
    }
}

impl From<super::secret::NoEntropy> for Trouble {
    fn from(error: super::secret::NoEntropy) -> Self {
        tracing::error!(%error, "no page can be made");
        Self::Ours
    }
}
