//! One incident: what is known (the card), what was said and done (the thread), and where to say the next thing.

use super::{Frame, Number, Shown, answer, composer, filling, heading};
use crate::edges::web::forms::Ticket;
use crate::edges::web::login::Answer;
use crate::edges::web::routes::Signed;
use crate::edges::web::trouble::Trouble;
use crate::edges::web::{WebState, names, render, time};
use crate::flow::card::card;
use crate::flow::effort::belonging;
use crate::flow::fact::{Entry, Fact};
use crate::flow::identity::{Actor, Platform};
use crate::flow::incident::{Incident, IncidentId};
use crate::flow::moment::At;
use crate::flow::timeline::{Told, timeline};
use crate::ports::Said;
use axum::Extension;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use maud::{Markup, html};
use smokejumper_intents::inert;
use smokejumper_intents::reply::{Reply, Span};
use smokejumper_intents::word::{Role, State as Stage};

/// Posts and acts shown, the newest; the timeline has them all.
const THREAD: usize = 120;

/// Open incidents looked through for what this one may be a part of.
const OTHERS: u32 = 50;
/// People named of those in it.
const PEOPLE: usize = 8;

/// The way most incidents go; the rest is said in words.
const WAY: [Stage; 6] =
    [Stage::Triage, Stage::Investigating, Stage::Identified, Stage::Mitigated, Stage::Monitoring, Stage::Resolved];

pub async fn show(
    State(web): State<WebState>,
    Extension(signed): Extension<Signed>,
    Number(id): Number,
    query: Result<Query<Shown>, QueryRejection>,
) -> Result<Markup, Trouble> {
    let said = Shown::of(query, &web, &signed);
    page(&web, &signed, id, said.as_ref()).await
}

pub async fn page(web: &WebState, signed: &Signed, id: IncidentId, said: Option<&Answer>) -> Result<Markup, Trouble> {
    let viewer = signed.identity();
    let incident = web.views.incident(viewer, id).await?.ok_or(Trouble::NoSuchIncident)?;
    let entries = web.views.entries(viewer, id).await?;
    let posts = web.views.said(viewer, id, Platform::Console).await?;
    let desk = web.views.desk().await?;
    let others = web.views.list(viewer, false, OTHERS).await?;
    let now = web.clock.now();
    let ticket = Ticket::new(signed, Some(id.0))?;
    let setting = render::Setting { ticket: Some(&ticket), now };
    let card = arranged(card(&incident, &desk, &web.policy(), now));
    let hint = html! {
        code { "note …" } " · " code { "ack" } " · " code { "sev 2" } " · " code { "why" } " · " code { "who" } " · "
        code { "run …" } " · " code { "resolve" } " · " code { "help" }
    };
    let choices = filling::Choices { policy: &web.policy(), incident: Some(&incident), others: &others };
    let content = html! {
        div.room {
            div.head #head data-live-part="" {
                (head(web, &incident, now))
                (render::buttons(&card.buttons, setting))
            }
            section.card #card data-live-part="" aria-label="What is known" { (render::sections(&card, setting)) }
            div.talk {
                (answer(said, &ticket, now))
                (composer(&format!("/incidents/{}/say", id.0), &ticket, said.and_then(|a| a.typed.as_deref()), &hint))
                (filling::forms(&filling::fitting(&incident), signed.right, &ticket, &choices))
                section.thread #thread data-live-part="" {
                    h2 { "Thread" }
                    (thread(web, id, &entries, &posts, now))
                }
            }
        }
    };
    let title = heading(&incident);
    let frame = Frame { title: &title, live: Some(format!("/incidents/{}/live", id.0)), search: "", now };
    Ok(frame.around(signed, &ticket, &content))
}

/// Title, severity, state, duration, commander.
fn head(web: &WebState, incident: &Incident, now: At) -> Markup {
    let times = &incident.times;
    html! {
        p.crumbs {
            span.number { (incident.id) } " "
            @if let Some(service) = &incident.service { span { (inert::line(service)) } " " }
            a href={ "/incidents/" (incident.id.0) "/timeline" } { "Timeline" } " "
            a href={ "/incidents/" (incident.id.0) "/postmortem" } { "Postmortem" } " "
            a.narrow href="#say" { "Say something" }
        }
        h1 { (super::severity(incident.severity())) " " bdi { (inert::line(&incident.title)) } }
        ul.facts {
            li { span.key { "State" } " " span.state .(incident.state.0.label()) { (incident.state.0.label()) } }
            li { span.key { "Lasting" } " " (time::lasting(times.declared, times.resolved, now)) }
            li {
                span.key { "Commander" } " "
                @match incident.roles.get(&Role::Commander) {
                    Some(party) => bdi { (inert::line(&names::party(&web.policy(), party))) },
                    None => em { "nobody yet" },
                }
            }
            @for (role, party) in incident.roles.iter().filter(|(role, _)| **role != Role::Commander) {
                li { span.key { (role.label()) } " " bdi { (inert::line(&names::party(&web.policy(), party))) } }
            }
            li {
                span.key { "Acknowledged" } " "
                @match times.acknowledged { Some(at) => (time::ago(at, now)), None => em { "not yet" } }
            }
            @let people = filling::in_it(incident, &web.policy());
            @if !people.is_empty() {
                li {
                    span.key { "In it" } " "
                    @for (n, name) in people.iter().take(PEOPLE).enumerate() {
                        @if n > 0 { ", " }
                        bdi { (inert::line(name)) }
                    }
                    @if let Some(more) = people.len().checked_sub(PEOPLE).filter(|n| *n > 0) { " and " (more) " more" }
                }
            }
            @if !incident.groups.is_empty() {
                li {
                    span.key { "Alerts" } " "
                    span.firing[incident.firing() > 0] { (incident.firing()) " firing" }
                    span.faint { " of " (incident.groups.values().map(|g| g.total).sum::<u32>()) }
                }
            }
        }
        (way(incident))
        @for line in belonging(incident) {
            @let grave = matches!(line.spans.first(), Some(Span::Strong(_)));
            p.note[grave].hint[!grave] { (render::spans(&line.spans, now)) }
        }
        @if let Some(trouble) = incident.trouble.as_ref().filter(|_| incident.is_open()) {
            p.note role="alert" { strong { "Trouble: " } bdi.outside { (inert::line(trouble)) } }
        }
    }
}

fn way(incident: &Incident) -> Markup {
    let at = WAY.iter().position(|stage| *stage == incident.state.0);
    html! {
        @if let Some(at) = at {
            ol.way aria-label="Lifecycle" {
                @for (n, stage) in WAY.iter().enumerate() {
                    li.done[n < at].here[n == at] aria-current=[(n == at).then_some("step")] { (stage.label()) }
                }
            }
        }
    }
}

/// A line of the thread.
struct Item<'a> {
    at: At,
    /// Order among those of one moment: acts before what the bot says about them.
    rank: u32,
    what: What<'a>,
}

enum What<'a> {
    /// What an account did, and what it is called.
    Act(Told, String),
    Post(&'a Said),
}

/// People's acts and the bot's posts in one order, the newest first.
fn thread(web: &WebState, id: IncidentId, entries: &[Entry], posts: &[Said], now: At) -> Markup {
    let acts: Vec<Entry> = entries.iter().filter(|entry| is_told_by_itself(entry)).cloned().collect();
    let acts = timeline(&acts, &web.policy()).into_iter().map(|told| {
        let by = acts.iter().find(|entry| entry.n == told.n).map_or(&Actor::Bot, |entry| &entry.by);
        Item { at: told.at, rank: told.n, what: What::Act(told, names::actor(&web.policy(), by)) }
    });
    let posts = posts.iter().map(|said| Item { at: said.at, rank: u32::MAX, what: What::Post(said) });
    let mut items: Vec<Item<'_>> = acts.chain(posts).collect();
    items.sort_by_key(|item| (item.at, item.rank));
    let earlier = items.len().saturating_sub(THREAD);
    let newest = items.split_off(earlier);
    html! {
        @if newest.is_empty() { p.empty { "Nothing said yet." } }
        ol.posts {
            @for item in newest.iter().rev() { (self::item(item, now)) }
        }
        @if earlier > 0 {
            p.hint { (earlier) " earlier ones are in the " a href={ "/incidents/" (id.0) "/timeline" } { "timeline" } "." }
        }
    }
}

fn item(item: &Item<'_>, now: At) -> Markup {
    html! {
        @match &item.what {
            What::Act(told, by) => {
                li.post.act {
                    (badge(by))
                    p.words {
                        (render::spans(&told.line.spans, now)) " "
                        span.when { (time::ago(item.at, now)) }
                    }
                }
            }
            What::Post(said) => {
                li.post.bot {
                    span.badge.bot-badge title="Smokejumper" { "▲" }
                    div.words {
                        p.reply-title {
                            (render::spans(&said.message.title.spans, now)) " "
                            span.when { (time::ago(item.at, now)) }
                        }
                        (render::body(&said.message, render::Setting { ticket: None, now }))
                    }
                }
            }
        }
    }
}

/// What a person did and the bot says nothing about: notes, verdicts, the declaration. Of all else there is a post.
fn is_told_by_itself(entry: &Entry) -> bool {
    matches!(entry.by, Actor::Account(_))
        && matches!(entry.fact, Fact::Noted { .. } | Fact::Judged { .. } | Fact::Declared { .. })
}

/// The card for this page: without what the page's head says in its own way, and what waits for a decision first.
fn arranged(mut card: Reply) -> Reply {
    if card.sections.first().is_some_and(|first| first.heading.is_empty() && first.buttons.is_empty()) {
        card.sections.remove(0);
    }
    card.sections.sort_by_key(|section| !render::waits(section));
    card
}

/// The first letters of a name, in one of six colours of its own.
fn badge(name: &str) -> Markup {
    let letters: String =
        name.split_whitespace().filter_map(|word| word.chars().find(|c| c.is_alphanumeric())).take(2).collect();
    let hue = name.bytes().fold(0_u32, |sum, byte| sum.wrapping_mul(33).wrapping_add(u32::from(byte))) / 7 % 6;
    html! { span.badge .{ "hue" (hue) } aria-hidden="true" { (letters.to_uppercase()) } }
}
