//! Before a route's handler: is the sender one of our own pages, is somebody signed in, may they be here?

use super::routes::{Access, Route, Signed};
use super::trouble::Trouble;
use super::{WebState, front, names};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};

/// Name of the session's cookie. No `__Host-` prefix: that needs HTTPS, and on loopback there is none.
pub const COOKIE: &str = "smokejumper_session";
/// Sent by the script when a page refreshes itself: nobody asked, so it does not keep a session from going idle.
pub const BY_ITSELF: &str = "smokejumper-live";

pub async fn admit(State((web, route)): State<(WebState, Route)>, mut request: Request, next: Next) -> Response {
    if request.method() == Method::POST && !front::from_our_page(&web.origins, request.headers()) {
        tracing::warn!(route = route.path(), "a form came from somewhere else and was refused");
        return Trouble::Foreign.into_response();
    }
    let signed = signed(&web, route, request.headers());
    if !route.access().allows(signed.as_ref().map(|s| s.right)) {
        return match signed {
            None => Trouble::SignedOut { hint: web.sign_in_hint.clone() }.into_response(),
            Some(_) => Trouble::NotAllowed.into_response(),
        };
    }
    match (route.access(), signed) {
        (Access::SignedIn(_), Some(signed)) => {
            request.extensions_mut().insert(signed);
            next.run(request).await
        }
        // A page for anyone never learns who is asking.
        (Access::Anyone, _) => next.run(request).await,
        (Access::SignedIn(_), None) => Trouble::SignedOut { hint: web.sign_in_hint.clone() }.into_response(),
    }
}

fn signed(web: &WebState, route: Route, headers: &HeaderMap) -> Option<Signed> {
    let by_itself = matches!(route, Route::Live | Route::IncidentLive) || headers.contains_key(BY_ITSELF);
    let guest = web.logins.guest(cookie(headers)?, !by_itself)?;
    let right = web.policy().right(&guest.identity);
    let name = names::account(&web.policy(), &guest.identity);
    Some(Signed { guest, right, name })
}

/// The session's cookie; none when there are two, because then one of them was planted.
fn cookie(headers: &HeaderMap) -> Option<&str> {
    let mut found = headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .filter(|(name, _)| *name == COOKIE)
        .map(|(_, value)| value);
    match (found.next(), found.next()) {
        (Some(value), None) => Some(value),
        _ => None,
    }
}
