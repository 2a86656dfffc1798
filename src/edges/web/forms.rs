//! Forms: what every one of ours carries, and the only way a posted one is read.
//!
//! `csrf` proves that a page of this session made it. `nonce` names the page as it was given out: the same form sent twice is
//! one act, because the door is asked with the same key. The key also covers what is asked, so that two different things
//! sent from one page (back button, restored tab) are two acts.

use super::WebState;
use super::render;
use super::routes::Signed;
use super::secret::{self, NoEntropy};
use super::trouble::Trouble;
use axum::Form;
use axum::extract::rejection::FormRejection;
use axum::extract::{FromRequest, Request};
use axum::http::StatusCode;
use maud::{Markup, html};
use serde::Deserialize;
use smokejumper_intents::forms::{self, Form as Fields, Values};
use smokejumper_intents::reply::Button;
use smokejumper_intents::{bounds, button, inert};

/// What every form of one page carries.
#[derive(Clone, Debug)]
pub struct Ticket {
    csrf: String,
    nonce: String,
    /// The incident's page it is on; `None`: the list.
    page: Option<u32>,
}

impl Ticket {
    pub fn new(signed: &Signed, page: Option<u32>) -> Result<Self, NoEntropy> {
        Ok(Self { csrf: signed.guest.csrf.clone(), nonce: secret::token()?, page })
    }

    /// The same page again, after something went wrong: sending it again is still the same act.
    #[must_use]
    pub fn again(signed: &Signed, posted: &Posted) -> Self {
        Self { csrf: signed.guest.csrf.clone(), nonce: posted.nonce.clone(), page: posted.page }
    }

    pub fn hidden(&self) -> Markup {
        html! {
            input type="hidden" name="csrf" value=(self.csrf);
            input type="hidden" name="nonce" value=(self.nonce);
            @if let Some(page) = self.page { input type="hidden" name="page" value=(page); }
        }
    }
}

/// A button is a form of its own: it works without a script, and its words are what it does. One whose ask has no compact
/// form is left out rather than shown dead.
pub fn press(pressed: &Button, ticket: &Ticket) -> Markup {
    html! {
        @if let Some(payload) = button::encode_within(&pressed.ask, button::DECODE_MAX) {
            form.press method="post" action="/press" {
                (ticket.hidden())
                input type="hidden" name="ask" value=(payload);
                button class=(render::style(pressed.style)) type="submit" { (inert::line(&pressed.label)) }
            }
        }
    }
}

/// A form that came from a page of this session.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Posted {
    csrf: String,
    nonce: String,
    pub page: Option<u32>,
    #[serde(default)]
    pub text: String,
    #[serde(default)]
    pub ask: String,
}

impl Posted {
    /// As if its page were this one: where words are sent says where they were said.
    #[must_use]
    pub fn on(self, page: Option<u32>) -> Self {
        Self { page, ..self }
    }

    /// Whether a page of this session made it.
    fn vouched(&self, signed: Option<&Signed>) -> Result<(), Trouble> {
        let signed = signed.ok_or(Trouble::NotAllowed)?;
        if !secret::same(&self.csrf, &signed.guest.csrf) {
            return Err(Trouble::Foreign);
        }
        if self.nonce.len() != secret::TOKEN_CHARS || self.ask.len() > button::DECODE_MAX {
            return Err(unreadable_because("It is not one of ours."));
        }
        Ok(())
    }

    /// Unique for what is asked from this page by this session; the same again for the same form.
    #[must_use]
    pub fn key(&self, signed: &Signed) -> String {
        secret::digest(&[&signed.guest.session.hex(), &self.nonce, &self.text, &self.ask]).hex()
    }
}

impl FromRequest<WebState> for Posted {
    type Rejection = Trouble;

    async fn from_request(request: Request, web: &WebState) -> Result<Self, Trouble> {
        let signed: Option<Signed> = request.extensions().get().cloned();
        let Form(posted): Form<Self> = Form::from_request(request, web).await.map_err(|why| unreadable(&why))?;
        posted.vouched(signed.as_ref())?;
        if bounds::longer(&posted.text, bounds::UTTERANCE_MAX) {
            return Err(unreadable_because("The text is longer than 4,000 characters."));
        }
        // Once, here: what is shown again, sent again and hashed is the same text.
        Ok(Self { text: inert::prose(&posted.text), ..posted })
    }
}

/// A form of fields that came from a page of this session: which one, and what it was filled in with.
#[derive(Clone, Debug)]
pub struct Filled {
    pub posted: Posted,
    pub form: &'static Fields,
    pub values: Values,
}

impl FromRequest<WebState> for Filled {
    type Rejection = Trouble;

    async fn from_request(request: Request, web: &WebState) -> Result<Self, Trouble> {
        let signed: Option<Signed> = request.extensions().get().cloned();
        let Form(sent): Form<Vec<(String, String)>> =
            Form::from_request(request, web).await.map_err(|why| unreadable(&why))?;
        let strange = || unreadable_because("It is not one of ours.");
        let (mut csrf, mut nonce, mut page, mut verb, mut fields) = (None, None, None, None, Vec::new());
        for (name, value) in sent {
            let own = match name.as_str() {
                "csrf" => &mut csrf,
                "nonce" => &mut nonce,
                "page" => &mut page,
                "verb" => &mut verb,
                _ => {
                    fields.push((name, value));
                    continue;
                }
            };
            if own.replace(value).is_some() {
                return Err(strange());
            }
        }
        let (Some(csrf), Some(nonce), Some(verb)) = (csrf, nonce, verb) else { return Err(strange()) };
        let page = page.map(|page| page.parse().map_err(|_| strange())).transpose()?;
        let posted = Posted { csrf, nonce, page, text: String::new(), ask: String::new() };
        posted.vouched(signed.as_ref())?;
        let form = forms::find(&verb).ok_or_else(strange)?;
        let values = Values::of(form, &fields).ok_or_else(strange)?;
        Ok(Self { posted, form, values })
    }
}

fn unreadable_because(why: &str) -> Trouble {
    Trouble::Unreadable { status: StatusCode::UNPROCESSABLE_ENTITY, why: why.to_owned() }
}

/// The library's words name fields and offsets; a person is told what to do, by the kind of it.
pub fn unreadable(rejection: &FormRejection) -> Trouble {
    let status = rejection.status();
    let why = match status {
        StatusCode::PAYLOAD_TOO_LARGE => "It is larger than 64 KiB.",
        StatusCode::UNSUPPORTED_MEDIA_TYPE => "It is not an ordinary form.",
        _ => "It is not one of ours.",
    };
    Trouble::Unreadable { status, why: why.to_owned() }
}
