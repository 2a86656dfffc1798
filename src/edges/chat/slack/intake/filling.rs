//! Forms: opened within three seconds of the click that allows it, filled in, sent. Filled in they are the same asks that words
//! would be; what is wrong with them is shown in the form, with everything typed still there.

use super::read::{OnMessage, Submitted};
use super::replies::Back;
use super::{Intake, Seat, Taken, failed};
use crate::edges::chat::slack::modal::{self, Held, Offered};
use crate::flow::identity::Identity;
use crate::flow::incident::{Incident, IncidentId};
use crate::flow::prefill::prefill;
use crate::flow::refusal::{Refusal, is_refusal};
use serde_json::{Value, json};
use smokejumper_intents::bounds;
use smokejumper_intents::confirm::confirmation;
use smokejumper_intents::forms::{self, Form, Values};
use smokejumper_intents::inert;
use smokejumper_intents::intent::{Ask, Intent};
use smokejumper_intents::misread::Misread;
use smokejumper_intents::quoted::{Keep, Quoted};
use smokejumper_intents::reply::{Line, Reply, Span};
use smokejumper_intents::utterance::Place;
use smokejumper_intents::verb::{self, Scope};
use std::collections::VecDeque;
use std::sync::{Arc, PoisonError};
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::time::timeout;

/// The shortcuts, by their `callback_id`: the verb that is meant. Declaring belongs to a message or to none.
pub const DECLARE: &str = "declare";
pub const ADD_TO_TIMELINE: &str = "note";
pub const MAKE_FOLLOW_UP: &str = "follow-up";

/// How long a form waits for what came of it, before it says that the answer follows.
const ANSWER_WITHIN: Duration = Duration::from_millis(400);
/// Open incidents offered for choosing: more are found by typing their number.
const OTHERS: u32 = 100;
/// Messages remembered from which a form to declare was opened.
const MAX_SOURCES: usize = 256;

/// Messages from which forms were opened, by the form: what is kept is what Slack signed, not what comes back with the form.
#[derive(Debug, Default)]
pub struct Sources(VecDeque<(String, Quoted)>);

impl Sources {
    fn remember(&mut self, view: String, message: Quoted) {
        self.0.push_back((view, message));
        if self.0.len() > MAX_SOURCES {
            self.0.pop_front();
        }
    }

    fn take(&mut self, view: &str) -> Option<Quoted> {
        let at = self.0.iter().position(|(known, _)| known == view)?;
        self.0.remove(at).map(|(_, message)| message)
    }
}

/// A form that is to be opened.
pub struct Opening {
    pub form: &'static Form,
    pub incident: Option<u32>,
    pub known: Values,
    /// The message it is about.
    pub source: Option<Quoted>,
}

/// The form that is meant by a verb alone, or by nothing at all outside of incidents.
pub fn meant(text: &str, place: Place) -> Option<Opening> {
    let words: Vec<String> = text.split_whitespace().map(str::to_lowercase).collect();
    let number = |word: &str| word.strip_prefix("inc-").and_then(|n| n.parse::<u32>().ok()).filter(|n| *n > 0);
    let (named, words): (Vec<_>, Vec<_>) = words.iter().partition(|word| number(word).is_some());
    let here = match place {
        Place::Incident(number) => Some(number),
        Place::Lobby => None,
    };
    let incident = named.first().and_then(|word| number(word)).or(here);
    let verb = match (named.len(), words.as_slice()) {
        (0, []) if here.is_none() => verb::find(DECLARE)?,
        (0 | 1, [word]) => verb::find(word)?,
        (0 | 1, [first, second]) => verb::find(&format!("{first}-{second}"))?,
        _ => return None,
    };
    let about_one = verb.scope != Scope::Lobby;
    // `silence INC-3` is no form, and neither is `resolve` said nowhere.
    if about_one && incident.is_none() || !about_one && !named.is_empty() {
        return None;
    }
    let form = forms::find(verb.name)?;
    Some(Opening { form, incident: incident.filter(|_| about_one), known: Values::default(), source: None })
}

impl Intake {
    /// Opens a form; the acknowledgement need not wait for it.
    pub(super) fn open(self: &Arc<Self>, seat: Seat, back: Back, trigger: String, opening: Opening) -> Taken {
        let intake = Arc::clone(self);
        tokio::spawn(async move {
            let _seat = seat;
            let Opening { form, incident, mut known, source } = opening;
            if let Some(id) = incident.map(IncidentId).filter(|_| source.is_none() && known.words(form) == form.verb)
                && let Ok(Some(incident)) = intake.views.incident(&back.to, id).await
            {
                known = prefill(form, &incident);
            }
            let offered = intake.offered(&back.to, form, incident).await;
            let held = Held { verb: form.verb.to_owned(), incident, channel: back.channel.clone(), message: None };
            match intake.slack.views_open(&trigger, &modal::view(form, &held, &offered, &known)).await {
                Ok(shown) => {
                    if let Some(source) = source {
                        intake.sources.lock().unwrap_or_else(PoisonError::into_inner).remember(shown.id, source);
                    }
                }
                Err(trouble) => {
                    tracing::warn!(%trouble, verb = form.verb, "a form was not opened");
                    intake.replies.send(&back, &unopened(form)).await;
                }
            }
        });
        Taken::Done(None)
    }

    /// What there is to choose from, as far as it can be read: what is not offered can be written.
    async fn offered(&self, by: &Identity, form: &Form, incident: Option<u32>) -> Offered {
        let has = |kind: forms::Kind| form.fields.iter().any(|field| field.kind == kind);
        let mut offered = Offered::default();
        if has(forms::Kind::Item)
            && let Some(id) = incident.map(IncidentId)
            && let Ok(Some(incident)) = self.views.incident(by, id).await
        {
            offered.items = items(&incident);
        }
        if has(forms::Kind::Incident)
            && let Ok(others) = self.views.list(by, false, OTHERS).await
        {
            let others = others.into_iter().filter(|other| Some(other.id.0) != incident);
            offered.incidents =
                others.map(|other| (other.id.to_string(), titled(&other.id.to_string(), &other.title))).collect();
        }
        offered
    }

    /// A form came back.
    pub(super) async fn submitted(self: &Arc<Self>, seat: Seat, submitted: Submitted) -> Taken {
        let Submitted { by, mut view, id, key } = submitted;
        self.name_people(&by.workspace, &mut view);
        let Some((form, held, values)) = modal::read(&view) else {
            tracing::info!("a form that is none of ours");
            return Taken::Done(None);
        };
        let wrong = |misread: &Misread| Taken::Done(Some(modal::errors(form, misread)));
        let intent = match (form.fill)(&values) {
            Ok(intent) => intent,
            Err(misread) => {
                self.lately().forget(&key);
                return wrong(&misread);
            }
        };
        // The form is still open after a refusal: sent again as it was, it is meant again.
        let again = self.lately().was_refused(&key).then(|| format!("{key}:again:{}", self.now().0));
        let about_one = verb::find(form.verb).is_some_and(|verb| verb.scope != Scope::Lobby);
        let ask = Ask { incident: held.incident.filter(|_| about_one), intent };
        if !bounds::within(&ask) || about_one && ask.incident.is_none() {
            self.lately().forget(&key);
            return wrong(&Misread::new(Line::from("This form could not be read. Write the command instead.")));
        }
        let back = Back { channel: held.channel.filter(|c| is_channel(c)), ..Back::to(by) };
        // The form itself said what cannot be undone, where it could.
        let was_said = (form.fill)(&Values::default()).is_ok_and(|intent| intent.confirm().is_some());
        if let Some(because) = ask.intent.confirm().filter(|_| !was_said) {
            let question = confirmation(&ask, because);
            return Taken::Done(Some(
                json!({ "response_action": "update", "view": modal::told(form.title, &question) }),
            ));
        }
        self.fill(seat, back, form, (ask, again.unwrap_or(key)), id).await
    }

    /// Performs what a form asks for; the form closes, or shows what came of it.
    async fn fill(
        self: &Arc<Self>,
        seat: Seat,
        back: Back,
        form: &'static Form,
        (ask, key): (Ask, String),
        view: String,
    ) -> Taken {
        let ((stored_in, stored), (early_in, early)) = (oneshot::channel(), oneshot::channel());
        let (intake, own_key) = (Arc::clone(self), key.clone());
        tokio::spawn(async move {
            let _seat = seat;
            let declares = matches!(ask.intent, Intent::Declare { .. });
            let reply = match intake.door.ask_noting(back.to.clone(), ask, key, Some(stored_in)).await {
                Ok(reply) => reply,
                Err(error) => failed(&error),
            };
            let source = intake.sources.lock().unwrap_or_else(PoisonError::into_inner).take(&view).filter(|_| declares);
            if let Some((source, incident)) = source.zip(opened(&reply)) {
                intake.keep_source(&back, source, incident).await;
            }
            match early_in.send(reply) {
                // Whoever acknowledges closes the form, or shows it there.
                Ok(()) => {}
                Err(reply) => {
                    let told = intake.slack.views_update(&view, None, &modal::told(form.title, &reply)).await;
                    if let Err(trouble) = told {
                        tracing::info!(%trouble, "a form was closed already");
                        intake.replies.send(&back, &reply).await;
                    }
                }
            }
        });
        if stored.await.is_err() {
            // The form stays as it is, with everything in it.
            let why =
                Line::from("This was not stored: Smokejumper's storage does not work just now. Try again in a moment.");
            return Taken::Not(Some(modal::errors(form, &Misread::new(why))));
        }
        let update = |view: Value| Taken::Done(Some(json!({ "response_action": "update", "view": view })));
        match timeout(ANSWER_WITHIN, early).await {
            Ok(Ok(reply)) if is_refusal(&reply) && !form.fields.is_empty() => {
                // Corrected it is another one; tried again as it is, too.
                self.lately().refuse(&own_key);
                Taken::Done(Some(modal::errors(form, &Misread::new(reply.title))))
            }
            Ok(Ok(reply)) => update(modal::told(form.title, &reply)),
            _ => update(modal::waiting(form.title)),
        }
    }

    /// The message an incident was declared from is the first line of its story.
    async fn keep_source(&self, back: &Back, source: Quoted, incident: u32) {
        let key = format!("slack:{}:source:{}", back.to.workspace, source.id);
        let intent = Intent::Keep { message: source, what: Keep::Timeline };
        if let Err(error) = self.door.ask(back.to.clone(), Ask { incident: Some(incident), intent }, key).await {
            tracing::error!(%error, "the message an incident was declared from was not kept");
        }
    }

    /// A shortcut on a message.
    pub(super) async fn on_message(self: &Arc<Self>, seat: Seat, on: OnMessage) -> Taken {
        let OnMessage { by, name, channel, team, message, trigger, response_url, key } = on;
        let back = Back { channel: Some(channel.clone()), response_url, ..Back::to(by) };
        let Some(quoted) = self.quoted(&team, &channel, &message).await else {
            return self.answer(
                seat,
                back,
                Refusal::new("there is no text in this message that could be kept.").to_reply(),
            );
        };
        let known = |form: &'static Form, fields: &[(&str, Option<&str>)]| {
            let fits = |name: &str, text: &str| {
                let most = form.fields.iter().find(|field| field.name == name)?.kind.most();
                Some((name.to_owned(), inert::shorten(&inert::line(text), most)))
            };
            let known: Vec<_> = fields.iter().filter_map(|(name, text)| fits(name, (*text)?)).collect();
            Values::of(form, &known).unwrap_or_default()
        };
        let title = quoted.text.lines().find(|line| !line.trim().is_empty()).map(str::to_owned);
        if name == DECLARE {
            let Some(form) = forms::find(DECLARE) else { return Taken::Done(None) };
            let known = known(form, &[("title", title.as_deref())]);
            let opening = Opening { form, incident: None, known, source: Some(quoted) };
            return self.open(seat, back, trigger, opening);
        }
        let incident = match self.incident_of(&channel).await {
            Ok(Some(incident)) => incident.0,
            Ok(None) => {
                let no = Refusal::new(
                    "this channel belongs to no incident. Use it in an incident's channel, or declare from the message.",
                );
                return self.answer(seat, back, no.to_reply());
            }
            Err(error) => return self.answer(seat, back, failed(&error)),
        };
        match name.as_str() {
            ADD_TO_TIMELINE => {
                let ask =
                    Ask { incident: Some(incident), intent: Intent::Keep { message: quoted, what: Keep::Timeline } };
                self.perform(seat, back, ask, key).await
            }
            MAKE_FOLLOW_UP => {
                let Some(form) = forms::find(MAKE_FOLLOW_UP) else { return Taken::Done(None) };
                let known = known(form, &[("todo", title.as_deref()), ("link", quoted.link.as_deref())]);
                self.open(seat, back, trigger, Opening { form, incident: Some(incident), known, source: None })
            }
            _ => Taken::Done(None),
        }
    }

    /// A form to declare, from anywhere.
    pub(super) fn declare(self: &Arc<Self>, seat: Seat, back: Back, trigger: String) -> Taken {
        let Some(opening) = meant("", Place::Lobby) else { return Taken::Done(None) };
        self.open(seat, back, trigger, opening)
    }

    /// Accounts that were chosen, as they are called in commands.
    fn name_people(&self, workspace: &str, view: &mut Value) {
        let blocks = view.pointer_mut("/state/values").and_then(Value::as_object_mut);
        for fields in blocks.into_iter().flat_map(|blocks| blocks.values_mut()) {
            for filled in fields.as_object_mut().into_iter().flat_map(|fields| fields.values_mut()) {
                let Some(user) = filled.get("selected_user").and_then(Value::as_str) else { continue };
                let name = self.name_of(workspace, user).unwrap_or_else(|| user.to_owned());
                *filled = json!({ "value": format!("@{name}") });
            }
        }
    }
}

fn unopened(form: &Form) -> Reply {
    let example = verb::find(form.verb).map_or("help", |verb| verb.example);
    Refusal::new("the form could not be opened: Slack allows it for three seconds after a click.")
        .or_try(format!("/incident {example}"))
        .to_reply()
}

/// Open tasks and follow-ups, as they are named and as they are shown.
fn items(incident: &Incident) -> Vec<(String, String)> {
    let tasks = incident.to_do().map(|(id, task)| (format!("T-{id}"), task.title.clone()));
    let owed = incident.follow_ups.iter().filter(|(_, follow_up)| follow_up.done_at.is_none());
    let owed = owed.map(|(id, follow_up)| (format!("F-{id}"), follow_up.title.clone()));
    tasks.chain(owed).map(|(name, title)| (name.clone(), titled(&name, &title))).collect()
}

fn titled(name: &str, title: &str) -> String {
    format!("{name} {}", inert::line(title))
}

/// The incident a declaration opened, as its answer names it first.
fn opened(reply: &Reply) -> Option<u32> {
    let lines = std::iter::once(&reply.title).chain(reply.sections.iter().flat_map(|section| &section.lines));
    lines.flat_map(|line| &line.spans).find_map(|span| match span {
        Span::Incident(number) => Some(*number),
        _ => None,
    })
}

/// It was at the client: only the shape of an id becomes part of a request.
fn is_channel(text: &str) -> bool {
    (1..=32).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric())
}
