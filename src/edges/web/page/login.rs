//! Signing in and out.
//!
//! A login link is opened with GET, and link previews, prefetchers and virus scanners open links too: so GET only shows whom
//! the link is for, and the button, a POST from that page, uses it up.

use crate::edges::web::forms;
use crate::edges::web::guard::COOKIE;
use crate::edges::web::login::SESSION_LIFE;
use crate::edges::web::routes::Signed;
use crate::edges::web::trouble::Trouble;
use crate::edges::web::{WebState, assets, names, secret};
use crate::flow::moment::SECOND;

use axum::extract::rejection::{FormRejection, QueryRejection};
use axum::extract::{Query, State};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::{Extension, Form};
use maud::{DOCTYPE, Markup, html};
use serde::Deserialize;
use smokejumper_intents::inert;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Link {
    #[serde(default)]
    token: String,
}

pub async fn show(State(web): State<WebState>, query: Result<Query<Link>, QueryRejection>) -> Result<Markup, Trouble> {
    let token = query.map(|Query(link)| link.token).unwrap_or_default();
    let Some(identity) = usable(&token).and_then(|token| web.logins.peek(token)) else { return Err(spent(&web)) };
    let name = inert::line(&names::account(&web.policy(), &identity));
    Ok(html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { "Sign in · Smokejumper" }
                link rel="stylesheet" href=(assets::STYLE.address);
                link rel="icon" href=(assets::ICON.address);
            }
            body.alone {
                main.sheet {
                    p.brand { "Smokejumper" }
                    h1 { "Sign in as " bdi { (name) } }
                    p { "What you do here is recorded in that name. This link works once." }
                    form method="post" action="/login" {
                        input type="hidden" name="token" value=(token);
                        button.primary type="submit" autofocus { "Sign in" }
                    }
                }
            }
        }
    })
}

pub async fn redeem(State(web): State<WebState>, form: Result<Form<Link>, FormRejection>) -> Result<Response, Trouble> {
    let Form(link) = form.map_err(|why| forms::unreadable(&why))?;
    let opened = match usable(&link.token) {
        Some(token) => web.logins.redeem(token)?,
        None => None,
    };
    let opened = opened.ok_or_else(|| spent(&web))?;
    tracing::info!(platform = opened.identity.platform.label(), person = %opened.identity.id, "signed in");
    let secure = if web.origins.is_secure() { "; Secure" } else { "" };
    let life = SESSION_LIFE / SECOND;
    let cookie = format!("{COOKIE}={}; Path=/; HttpOnly; SameSite=Lax; Max-Age={life}{secure}", opened.cookie);
    with_cookie(Redirect::to("/").into_response(), &cookie)
}

pub async fn sign_out(
    State(web): State<WebState>,
    Extension(signed): Extension<Signed>,
    _ours: forms::Posted,
) -> Result<Response, Trouble> {
    web.logins.sign_out(&signed.guest.session);
    let secure = if web.origins.is_secure() { "; Secure" } else { "" };
    let gone = format!("{COOKIE}=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0{secure}");
    with_cookie(Redirect::to("/").into_response(), &gone)
}

fn with_cookie(mut response: Response, cookie: &str) -> Result<Response, Trouble> {
    let value = HeaderValue::from_str(cookie).map_err(|_| Trouble::Ours)?;
    response.headers_mut().insert(header::SET_COOKIE, value);
    Ok(response)
}

/// Only what could be one of our tokens is looked up.
fn usable(token: &str) -> Option<&str> {
    (token.len() == secret::TOKEN_CHARS).then_some(token)
}

fn spent(web: &WebState) -> Trouble {
    let hint = format!("This link was used already, or is too old. {}", web.sign_in_hint);
    Trouble::SignedOut { hint }
}
