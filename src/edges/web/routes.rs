//! The table of routes and who may use them. A route that is not here does not exist; one without a row for its access
//! does not compile. What somebody may *do* with a route that takes words is judged again for each intent.

use super::{WebState, assets, guard, live, page, speak};
use crate::flow::identity::Identity;
use axum::Router;
use axum::http::Method;
use axum::middleware;
use axum::routing::{MethodRouter, get, post};
use smokejumper_intents::word::Right;

/// Everything that answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Route {
    Incidents,
    Live,
    Say,
    Press,
    Fill,
    Incident,
    IncidentLive,
    IncidentSay,
    Timeline,
    Postmortem,
    Search,
    LoginPage,
    Login,
    Logout,
    Asset,
}

/// Who may use a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Nothing here is anybody's secret, or the request itself is the proof (a login link).
    Anyone,
    /// Whoever is signed in with at least this right.
    SignedIn(Right),
}

impl Access {
    /// Deny by default: nobody (`None`) gets what needs a right.
    #[must_use]
    pub fn allows(self, right: Option<Right>) -> bool {
        match self {
            Self::Anyone => true,
            Self::SignedIn(needed) => right.is_some_and(|right| right >= needed),
        }
    }
}

impl Route {
    pub const ALL: [Self; 15] = [
        Self::Incidents,
        Self::Live,
        Self::Say,
        Self::Press,
        Self::Fill,
        Self::Incident,
        Self::IncidentLive,
        Self::IncidentSay,
        Self::Timeline,
        Self::Postmortem,
        Self::Search,
        Self::LoginPage,
        Self::Login,
        Self::Logout,
        Self::Asset,
    ];

    #[must_use]
    pub const fn path(self) -> &'static str {
        match self {
            Self::Incidents => "/",
            Self::Live => "/live",
            Self::Say => "/say",
            Self::Press => "/press",
            Self::Fill => "/form",
            Self::Incident => "/incidents/{number}",
            Self::IncidentLive => "/incidents/{number}/live",
            Self::IncidentSay => "/incidents/{number}/say",
            Self::Timeline => "/incidents/{number}/timeline",
            Self::Postmortem => "/incidents/{number}/postmortem",
            Self::Search => "/search",
            Self::LoginPage | Self::Login => "/login",
            Self::Logout => "/logout",
            Self::Asset => "/assets/{file}",
        }
    }

    /// What may change something is a POST, and no POST is answered without a look at where it comes from.
    #[must_use]
    pub fn method(self) -> Method {
        match self {
            Self::Say | Self::Press | Self::Fill | Self::IncidentSay | Self::Login | Self::Logout => Method::POST,
            Self::Incidents
            | Self::Live
            | Self::Incident
            | Self::IncidentLive
            | Self::Timeline
            | Self::Postmortem
            | Self::Search
            | Self::LoginPage
            | Self::Asset => Method::GET,
        }
    }

    /// Words, buttons and forms are open to viewers, because asking is; each act needs its own right besides (`Intent::needs`).
    #[must_use]
    pub const fn access(self) -> Access {
        match self {
            Self::LoginPage | Self::Login | Self::Asset => Access::Anyone,
            Self::Incidents
            | Self::Live
            | Self::Say
            | Self::Press
            | Self::Fill
            | Self::Incident
            | Self::IncidentLive
            | Self::IncidentSay
            | Self::Timeline
            | Self::Postmortem
            | Self::Search
            | Self::Logout => Access::SignedIn(Right::Viewer),
        }
    }

    fn handler(self) -> MethodRouter<WebState> {
        match self {
            Self::Incidents => get(page::incidents::show),
            Self::Live => get(live::lobby),
            Self::Say => post(speak::in_lobby),
            Self::Press => post(speak::press),
            Self::Fill => post(speak::fill),
            Self::Incident => get(page::incident::show),
            Self::IncidentLive => get(live::incident),
            Self::IncidentSay => post(speak::in_incident),
            Self::Timeline => get(page::timeline::show),
            Self::Postmortem => get(page::postmortem::show),
            Self::Search => get(page::search::show),
            Self::LoginPage => get(page::login::show),
            Self::Login => post(page::login::redeem),
            Self::Logout => post(page::login::sign_out),
            Self::Asset => get(assets::serve),
        }
    }
}

/// The person behind a request that passed the guard.
#[derive(Clone, Debug)]
pub struct Signed {
    pub guest: super::login::Guest,
    pub right: Right,
    pub name: String,
}

impl Signed {
    #[must_use]
    pub const fn identity(&self) -> &Identity {
        &self.guest.identity
    }
}

/// The router of the table, each route behind its guard.
pub(super) fn all(web: &WebState) -> Router {
    Route::ALL
        .into_iter()
        .fold(Router::new(), |router, route| {
            let guarded = middleware::from_fn_with_state((web.clone(), route), guard::admit);
            router.route(route.path(), route.handler().route_layer(guarded))
        })
        .with_state(web.clone())
}
