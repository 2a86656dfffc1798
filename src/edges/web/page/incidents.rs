//! The list: what is open, what ended lately, and alerts that belong to nothing.

use super::{Frame, Shown, answer, composer, filling};
use crate::edges::web::forms::{self, Ticket};
use crate::edges::web::login::Answer;
use crate::edges::web::routes::Signed;
use crate::edges::web::trouble::Trouble;
use crate::edges::web::{WebState, names, render, time};
use crate::flow::desk::AlertState;
use crate::flow::incident::Incident;
use crate::flow::moment::At;
use crate::flow::signal::AlertStatus;
use crate::flow::silence;
use axum::Extension;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use maud::{Markup, html};
use smokejumper_intents::inert;
use smokejumper_intents::intent::{Ask, Intent};
use smokejumper_intents::reply::{Button, Style};
use smokejumper_intents::word::Role;

/// Open incidents shown: more than anybody can work on; the count says if there are more.
const OPEN: u32 = 100;
/// Ended ones shown: the last shift or two.
const ENDED: u32 = 15;
/// Loose alerts shown.
const LOOSE: u32 = 30;

pub async fn show(
    State(web): State<WebState>,
    Extension(signed): Extension<Signed>,
    query: Result<Query<Shown>, QueryRejection>,
) -> Result<Markup, Trouble> {
    let said = Shown::of(query, &web, &signed);
    page(&web, &signed, said.as_ref()).await
}

pub async fn page(web: &WebState, signed: &Signed, said: Option<&Answer>) -> Result<Markup, Trouble> {
    let viewer = signed.identity();
    let now = web.clock.now();
    let mut open = web.views.list(viewer, false, OPEN).await?;
    // The worst first; of equals the newest, as they came.
    open.sort_by_key(Incident::severity);
    let ended = web.views.list(viewer, true, ENDED).await?;
    let loose = web.views.loose(viewer, LOOSE).await?;
    let silences = silence::list(&web.views.desk().await?, &web.policy(), now);
    let ticket = Ticket::new(signed, None)?;
    let choices = filling::Choices { policy: &web.policy(), incident: None, others: &[] };
    let hint = html! { code { "declare checkout returns 500s since 10:02" } " · " code { "search connection pool" } " · " code { "help" } };
    let content = html! {
        h1.sr { "Incidents" }
        @if let Some(why) = web.rules.refused() {
            section.notice role="alert" {
                p { strong { "The changed configuration is not in force." } " The rules stay as they were. " bdi { (inert::line(&why)) } }
            }
        }
        div.lobby {
            section.open #open data-live-part="" {
                h2 { "Open " span.count { (count(open.len(), OPEN)) } }
                (rows(web, &open, now))
                @if open.is_empty() { p.empty { "Nothing is burning." } }
            }
            div.talk {
                (answer(said, &ticket, now))
                div.buttons { (forms::press(&todo(), &ticket)) }
                (composer("/say", &ticket, said.and_then(|a| a.typed.as_deref()), &hint))
                section.loose #loose data-live-part="" {
                    h2 { "Alerts of no incident " span.count { (count(loose.len(), LOOSE)) } }
                    @if loose.is_empty() { p.empty { "None." } } @else { (alerts(&loose, now)) }
                }
                section.silences #silences data-live-part="" {
                    h2 { "Silences" }
                    (render::reply(&silences, render::Setting { ticket: Some(&ticket), now }))
                }
                (filling::forms(&["silence"], signed.right, &ticket, &choices))
            }
            section.ended #ended data-live-part="" {
                h2 { "Recently ended " span.count { (count(ended.len(), ENDED)) } }
                (rows(web, &ended, now))
                @if ended.is_empty() { p.empty { "None yet." } }
            }
        }
    };
    let frame = Frame { title: "Incidents", live: Some("/live".to_owned()), search: "", now };
    Ok(frame.around(signed, &ticket, &content))
}

/// What whoever looks has to do, over all incidents.
fn todo() -> Button {
    let ask = Ask { incident: None, intent: Intent::Mine };
    Button { label: "What I have to do".to_owned(), style: Style::Plain, ask }
}

/// What is shown, and whether there is more.
fn count(shown: usize, limit: u32) -> String {
    if u32::try_from(shown).unwrap_or(u32::MAX) >= limit { format!("{shown}+") } else { shown.to_string() }
}

fn rows(web: &WebState, incidents: &[Incident], now: At) -> Markup {
    html! {
        ol.incidents {
            @for incident in incidents {
                li {
                    a.row href={ "/incidents/" (incident.id.0) } {
                        (super::severity(incident.severity())) " "
                        span.what {
                            span.number { (incident.id) } " "
                            bdi.title { (inert::line(&incident.title)) }
                        }
                        " "
                        span.state .(incident.state.0.label()) { (incident.state.0.label()) }
                        " "
                        span.more {
                            @if let Some(service) = &incident.service { span { (inert::line(service)) } " " }
                            @if incident.firing() > 0 { span.firing { (incident.firing()) " firing" } " " }
                            span { (commander(web, incident)) } " "
                            span { (time::lasting(incident.times.declared, incident.times.resolved, now)) }
                        }
                    }
                }
            }
        }
    }
}

fn commander(web: &WebState, incident: &Incident) -> String {
    incident.roles.get(&Role::Commander).map_or_else(
        || if incident.is_open() { "no commander".to_owned() } else { String::new() },
        |party| inert::line(&names::party(&web.policy(), party)),
    )
}

fn alerts(alerts: &[AlertState], now: At) -> Markup {
    html! {
        ul.alerts {
            @for alert in alerts {
                li {
                    span.what {
                        @match &alert.link {
                            Some(link) => (render::link(&alert.name, link)),
                            None => bdi { (inert::line(&alert.name)) },
                        }
                    }
                    " "
                    @match alert.status {
                        AlertStatus::Firing => span.alert-status.firing { "firing" },
                        AlertStatus::Resolved => span.alert-status { "resolved" },
                    }
                    @if let Some(summary) = &alert.summary { p.more { bdi.outside { (inert::line(summary)) } } }
                    span.more {
                        span { (inert::line(&alert.because)) } " "
                        @if alert.count > 1 { span { "seen " (alert.count) " times" } " " }
                        span { (time::ago(alert.last_seen, now)) }
                    }
                }
            }
        }
    }
}
