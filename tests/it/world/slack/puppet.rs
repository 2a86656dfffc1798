//! People in front of Slack: they type, press, fill in, mark and leave, and see what their screens show.

use super::chat;
use super::deliver::What;
use super::rooms;
use super::shown;
use super::truth::{APP, BOT, BOT_ID, Kind, Message, TEAM, Truth, escaped};
use super::views;
use super::{FakeSlack, VERIFICATION};
use serde_json::{Map, Value, json};

#[derive(Clone)]
pub struct Person {
    pub(super) fake: FakeSlack,
    pub id: String,
    pub name: String,
}

/// Where a button is.
enum Spot {
    Message { channel: String, ts: String },
    Modal(String),
    Home,
}

/// A button, select or menu, and the option chosen in it.
struct Found {
    spot: Spot,
    block_id: String,
    element: Value,
    option: Option<Value>,
}

impl Person {
    fn user(&self) -> Value {
        json!({ "id": self.id, "username": self.name, "name": self.name, "team_id": TEAM })
    }

    fn channel(&self, name: &str) -> String {
        self.fake.with(|truth| {
            if name == "@smokejumper" {
                let now = self.fake.now();
                return truth.direct(&self.id, now);
            }
            let channel = truth.channel_named(name).unwrap_or_else(|| panic!("there is no channel {name}"));
            let visible = channel.kind == Kind::Public || channel.members.contains(&self.id);
            assert!(visible, "{} cannot see {name}", self.name);
            channel.id.clone()
        })
    }

    /// Types into a channel: a command if it begins with a slash, else a message. `@smokejumper`: the conversation with the bot.
    pub async fn types(&self, text: &str, channel: &str) -> &Self {
        if text.starts_with('/') {
            self.commands(text, channel).await;
        } else {
            self.says(text, channel, None);
        }
        self
    }

    /// A slash command. `false`: Slack told them that the app did not respond.
    pub async fn commands(&self, text: &str, channel: &str) -> bool {
        let id = self.channel(channel);
        let (command, rest) = text.split_once(' ').unwrap_or((text, ""));
        let now = self.fake.now();
        let url = self.fake.url.clone();
        let payload = self.fake.with(|truth| {
            assert!(truth.commands.contains(command), "{command} is not a valid command");
            let channel = &truth.channels[&id];
            let channel_name = match channel.kind {
                Kind::Public => channel.name.clone(),
                Kind::Private => "privategroup".to_owned(),
                Kind::Direct => "directmessage".to_owned(),
            };
            let trigger = truth.trigger(&self.id, None, now);
            let hook = truth.hook(&url, &self.id, &id, None, now);
            json!({
                "token": VERIFICATION, "team_id": TEAM, "team_domain": "acme", "channel_id": id, "channel_name": channel_name,
                "user_id": self.id, "user_name": self.name, "command": command, "text": linked(truth, rest.trim()),
                "api_app_id": APP, "is_enterprise_install": "false", "response_url": hook, "trigger_id": trigger,
            })
        });
        match self.fake.ask(What::Command, &payload).await {
            Ok(answer) => {
                if let Some(answer) = answer {
                    self.fake
                        .with(|truth| chat::answered(truth, "the acknowledgement", &answer, &self.id, &id, None, now));
                }
                true
            }
            Err(why) => {
                self.notice(format!("{command} failed with the error \"dispatch_failed\" ({why})"));
                false
            }
        }
    }

    fn notice(&self, what: String) {
        self.fake.with(|truth| truth.notices.entry(self.id.clone()).or_default().push(what));
    }

    /// A message; its timestamp.
    pub fn says(&self, text: &str, channel: &str, thread: Option<&str>) -> String {
        let id = self.channel(channel);
        let now = self.fake.now();
        let (message, kind, called) = self.fake.with(|truth| {
            let ts = truth.ts(now);
            let text = linked(truth, text);
            let called = text.contains(&format!("<@{BOT}>"));
            let mut message = Message::new(ts, &self.id, text);
            message.thread_ts = thread.map(str::to_owned);
            let channel = truth.channels.get_mut(&id).unwrap();
            assert!(!channel.archived, "{} is archived", channel.name);
            if channel.kind == Kind::Public {
                channel.members.insert(self.id.clone());
            }
            channel.messages.push(message.clone());
            (message, channel.kind, called)
        });
        let mut shown = message.shown(false);
        shown["client_msg_id"] = json!(format!("c0ffee-{}", message.ts));
        self.fake.tell(chat::said(&shown, &id, kind));
        if called && kind != Kind::Direct {
            let mut event = shown;
            (event["type"], event["channel"]) = (json!("app_mention"), json!(id));
            self.fake.tell(event);
        }
        message.ts
    }

    pub fn replies(&self, text: &str, channel: &str, thread: &str) -> String {
        self.says(text, channel, Some(thread))
    }

    /// Presses the newest button with this label that they see, or chooses this option of a menu.
    pub async fn clicks(&self, label: &str) -> &Self {
        self.presses(label, None).await
    }

    /// The same, among what is in one channel.
    pub async fn clicks_in(&self, channel: &str, label: &str) -> &Self {
        let id = self.channel(channel);
        self.presses(label, Some(id)).await
    }

    /// Whether a button with this label is to be seen.
    pub fn can_click(&self, label: &str) -> bool {
        self.fake.with(|truth| self.find(truth, label, None).is_some())
    }

    /// The same, among what is in one channel that they are in.
    pub fn can_click_in(&self, channel: &str, label: &str) -> bool {
        let id = self.channel(channel);
        self.fake.with(|truth| self.find(truth, label, Some(&id)).is_some())
    }

    async fn presses(&self, label: &str, within: Option<String>) -> &Self {
        let found = self.fake.with(|truth| self.find(truth, label, within.as_deref()));
        let found = found.unwrap_or_else(|| panic!("{} sees no {label:?} in\n{}", self.name, self.sees()));
        self.acts(found).await;
        self
    }

    /// Chooses in a menu outside of a form: what it is called (its placeholder or text beside it), and the option.
    pub async fn chooses(&self, menu: &str, option: &str) -> &Self {
        let found = self.fake.with(|truth| {
            let mut all = self.elements(truth, None);
            all.reverse();
            all.into_iter().find_map(|(spot, block_id, element)| {
                let called = element["placeholder"]["text"].as_str().unwrap_or_default() == menu
                    || element["action_id"].as_str().unwrap_or_default() == menu;
                let chosen = options(&element).into_iter().find(|o| o["text"]["text"] == option);
                (called && chosen.is_some()).then_some(Found { spot, block_id, element, option: chosen })
            })
        });
        let found = found.unwrap_or_else(|| panic!("{} sees no {option:?} in {menu:?} in\n{}", self.name, self.sees()));
        self.acts(found).await;
        self
    }

    /// Everything that can be pressed, what is on top last.
    fn elements(&self, truth: &Truth, within: Option<&str>) -> Vec<(Spot, String, Value)> {
        let mut all = Vec::new();
        let mut gather = |spot: &dyn Fn() -> Spot, blocks: &Value| {
            for block in blocks.as_array().into_iter().flatten() {
                let id = block["block_id"].as_str().unwrap_or_default().to_owned();
                let accessory = std::iter::once(&block["accessory"]).filter(|a| a["action_id"].is_string());
                let elements =
                    block["elements"].as_array().into_iter().flatten().filter(|e| e["action_id"].is_string());
                for element in accessory.chain(elements) {
                    all.push((spot(), id.clone(), element.clone()));
                }
            }
        };
        if let Some(home) = truth.homes.get(&self.id) {
            gather(&|| Spot::Home, &home.content["blocks"]);
        }
        let mut messages: Vec<(&str, &Message)> = Vec::new();
        for channel in truth.channels.values().filter(|c| c.members.contains(&self.id) && !c.deleted) {
            if within.is_none_or(|id| id == channel.id) {
                let seen =
                    channel.messages.iter().filter(|m| !m.deleted && m.only_for.as_ref().is_none_or(|u| *u == self.id));
                messages.extend(seen.map(|m| (channel.id.as_str(), m)));
            }
        }
        messages.sort_by(|a, b| a.1.ts.cmp(&b.1.ts));
        for (channel, message) in messages {
            let spot = || Spot::Message { channel: channel.to_owned(), ts: message.ts.clone() };
            gather(&spot, &message.blocks);
        }
        if within.is_none()
            && let Some(top) = truth.stacks.get(&self.id).and_then(|s| s.last())
        {
            gather(&|| Spot::Modal(top.clone()), &truth.views[top].content["blocks"]);
        }
        all
    }

    fn find(&self, truth: &Truth, label: &str, within: Option<&str>) -> Option<Found> {
        let mut all = self.elements(truth, within);
        all.reverse();
        all.into_iter().find_map(|(spot, block_id, element)| {
            if element["type"] == "button" && element["text"]["text"] == label {
                return Some(Found { spot, block_id, element, option: None });
            }
            if element["type"] == "overflow" {
                let option = options(&element).into_iter().find(|o| o["text"]["text"] == label)?;
                return Some(Found { spot, block_id, element, option: Some(option) });
            }
            None
        })
    }

    async fn acts(&self, found: Found) {
        let now = self.fake.now();
        let url = self.fake.url.clone();
        let (payload, clicked) = self.fake.with(|truth| {
            let mut action = json!({
                "action_id": found.element["action_id"], "block_id": found.block_id, "type": found.element["type"],
                "action_ts": truth.ts(now),
            });
            match found.element["type"].as_str() {
                Some("button") => {
                    action["text"] = found.element["text"].clone();
                    if let Some(value) = found.element.get("value") {
                        action["value"] = value.clone();
                    }
                }
                _ => action["selected_option"] = found.option.clone().unwrap_or_default(),
            }
            let from = if let Spot::Modal(id) = &found.spot { Some(id.as_str()) } else { None };
            let trigger = truth.trigger(&self.id, from, now);
            let mut payload = json!({
                "type": "block_actions", "user": self.user(), "api_app_id": APP, "token": VERIFICATION, "trigger_id": trigger,
                "team": { "id": TEAM, "domain": "acme" }, "enterprise": null, "is_enterprise_install": false,
                "actions": [action],
            });
            let clicked = match &found.spot {
                Spot::Message { channel, ts } => {
                    let hook = truth.hook(&url, &self.id, channel, Some(ts), now);
                    let message = truth.message(channel, ts).unwrap().clone();
                    let alone = message.only_for.is_some();
                    payload["container"] = json!({
                        "type": "message", "message_ts": ts, "channel_id": channel, "is_ephemeral": alone,
                    });
                    payload["channel"] = json!({ "id": channel, "name": channel_name(truth, channel) });
                    // What one person sees alone is not kept anywhere.
                    if !alone {
                        payload["message"] = message.shown(true);
                    }
                    payload["state"] = json!({ "values": {} });
                    payload["response_url"] = json!(hook);
                    Some((channel.clone(), ts.clone()))
                }
                Spot::Modal(id) => {
                    payload["container"] = json!({ "type": "view", "view_id": id });
                    let state = state(truth, id);
                    payload["view"] = truth.views[id].shown(Some(state));
                    None
                }
                Spot::Home => {
                    let home = &truth.homes[&self.id];
                    payload["container"] = json!({ "type": "view", "view_id": home.id });
                    payload["view"] = home.shown(None);
                    None
                }
            };
            (payload, clicked)
        });
        match self.fake.ask(What::Interaction, &payload).await {
            Ok(None) => {}
            Ok(Some(answer)) => match clicked {
                // Slack ignores it; whoever sends it believes that it does something.
                Some(_) | None => {
                    self.fake.with(|truth| truth.violation(format!("a click was acknowledged with {answer}")));
                }
            },
            Err(why) => self.notice(format!("that didn't work, try again ({why})")),
        }
    }

    /// Fills a field of the form on top: what it is called, and text, an option's text, or `@somebody`.
    pub fn fills(&self, label: &str, value: &str) -> &Self {
        self.fake.with(|truth| {
            let top = truth.stacks.get(&self.id).and_then(|s| s.last()).cloned();
            let top = top.unwrap_or_else(|| panic!("{} has no form open", self.name));
            let blocks = truth.views[&top].content["blocks"].as_array().cloned().unwrap_or_default();
            let block = blocks.iter().find(|b| b["type"] == "input" && b["label"]["text"] == label);
            let Some(block) = block else { panic!("there is no field {label:?} in {blocks:#?}") };
            let filled = filled(truth, &block["element"], value);
            let id = block["block_id"].as_str().unwrap_or_default().to_owned();
            truth.drafts.entry(top).or_default().insert(id, filled);
        });
        self
    }

    /// Sends the form on top off; the errors that are shown, by field.
    pub async fn submits(&self) -> Vec<(String, String)> {
        let now = self.fake.now();
        let (id, payload, labels) = self.fake.with(|truth| {
            let id = truth.stacks.get(&self.id).and_then(|s| s.last()).cloned();
            let id = id.unwrap_or_else(|| panic!("{} has no form open", self.name));
            let view = truth.views[&id].clone();
            assert!(view.content["submit"].is_object(), "this form cannot be sent off");
            let state = state(truth, &id);
            let mut labels = Map::new();
            for block in view.content["blocks"].as_array().into_iter().flatten().filter(|b| b["type"] == "input") {
                let name = block["block_id"].as_str().unwrap_or_default();
                let action = block["element"]["action_id"].as_str().unwrap_or_default();
                labels.insert(name.to_owned(), block["label"]["text"].clone());
                let optional = block["optional"] == true;
                assert!(optional || is_filled(&state[name][action]), "{} must be filled", block["label"]["text"]);
            }
            let trigger = truth.trigger(&self.id, Some(&id), now);
            let payload = json!({
                "type": "view_submission", "team": { "id": TEAM, "domain": "acme" }, "user": self.user(), "api_app_id": APP,
                "token": VERIFICATION, "trigger_id": trigger, "view": view.shown(Some(state)), "response_urls": [],
                "is_enterprise_install": false, "enterprise": null,
            });
            (id, payload, labels)
        });
        match self.fake.ask(What::Interaction, &payload).await {
            Ok(answer) => {
                let errors = self.fake.with(|truth| views::submitted(truth, &id, answer.as_ref(), now));
                let label = |block: String| labels.get(&block).and_then(Value::as_str).unwrap_or_default().to_owned();
                errors.into_iter().map(|(block, error)| (label(block), error)).collect()
            }
            Err(why) => {
                self.notice(format!("we had some trouble connecting, try again ({why})"));
                Vec::new()
            }
        }
    }

    /// Puts the form on top away.
    pub async fn dismisses(&self) {
        let payload = self.fake.with(|truth| {
            let id = truth.stacks.get_mut(&self.id).and_then(Vec::pop)?;
            let view = truth.views.remove(&id)?;
            (view.content["notify_on_close"] == true).then(|| {
                json!({
                    "type": "view_closed", "team": { "id": TEAM, "domain": "acme" }, "user": self.user(), "api_app_id": APP,
                    "token": VERIFICATION, "view": view.shown(None), "is_cleared": false, "is_enterprise_install": false,
                    "enterprise": null,
                })
            })
        });
        if let Some(payload) = payload {
            let _ = self.fake.ask(What::Interaction, &payload).await;
        }
    }

    /// Marks a message with an emoji, without colons.
    pub fn reacts(&self, channel: &str, ts: &str, emoji: &str) -> &Self {
        self.marks(channel, ts, emoji, "reaction_added");
        self
    }

    pub fn unreacts(&self, channel: &str, ts: &str, emoji: &str) -> &Self {
        self.marks(channel, ts, emoji, "reaction_removed");
        self
    }

    fn marks(&self, channel: &str, ts: &str, emoji: &str, kind: &str) {
        let id = self.channel(channel);
        let author = self.fake.with(|truth| {
            let message = truth.message(&id, ts).expect("the message is there");
            let reaction = (emoji.to_owned(), self.id.clone());
            if kind == "reaction_added" {
                message.reactions.push(reaction);
            } else {
                message.reactions.retain(|r| *r != reaction);
            }
            message.user.clone()
        });
        self.fake.tell(json!({
            "type": kind, "user": self.id, "reaction": emoji, "item_user": author,
            "item": { "type": "message", "channel": id, "ts": ts },
        }));
    }

    pub fn joins(&self, channel: &str) -> &Self {
        let id = self.channel(channel);
        let now = self.fake.now();
        let kind = self.fake.with(|truth| {
            let channel = truth.channels.get_mut(&id).unwrap();
            assert!(channel.members.insert(self.id.clone()), "{} is in {} already", self.name, channel.name);
            let kind = if channel.kind == Kind::Private { "G" } else { "C" };
            truth.note(&id, &self.id, "channel_join", format!("<@{}> has joined the channel", self.id), now);
            kind
        });
        self.fake.tell(json!({
            "type": "member_joined_channel", "user": self.id, "channel": id, "channel_type": kind, "team": TEAM,
        }));
        self
    }

    pub fn leaves(&self, channel: &str) -> &Self {
        let id = self.channel(channel);
        let kind = self.fake.with(|truth| {
            let channel = truth.channels.get_mut(&id).unwrap();
            channel.members.remove(&self.id);
            if channel.kind == Kind::Private { "G" } else { "C" }
        });
        self.fake.tell(json!({
            "type": "member_left_channel", "user": self.id, "channel": id, "channel_type": kind, "team": TEAM,
        }));
        self
    }

    pub fn opens_home(&self) -> &Self {
        let now = self.fake.now();
        let (channel, view) = self.fake.with(|truth| {
            let view = truth.homes.get(&self.id).map(|home| home.shown(None));
            (truth.direct(&self.id, now), view)
        });
        let mut event = json!({ "type": "app_home_opened", "user": self.id, "channel": channel, "tab": "home" });
        if let Some(view) = view {
            event["view"] = view;
        }
        self.fake.tell(event);
        self
    }

    /// Chooses from the menu of a message.
    pub async fn message_shortcut(&self, channel: &str, ts: &str, menu: &str) -> &Self {
        let id = self.channel(channel);
        let now = self.fake.now();
        let url = self.fake.url.clone();
        let payload = self.fake.with(|truth| {
            let known = truth.shortcuts.clone();
            let callback = known.get(menu).unwrap_or_else(|| panic!("{menu:?} is not in the menu: {known:?}"));
            let trigger = truth.trigger(&self.id, None, now);
            let hook = truth.hook(&url, &self.id, &id, Some(ts), now);
            let message = truth.message(&id, ts).expect("the message is there").shown(false);
            json!({
                "type": "message_action", "token": VERIFICATION, "action_ts": truth.ts(now),
                "team": { "id": TEAM, "domain": "acme" }, "user": self.user(),
                "channel": { "id": id, "name": channel_name(truth, &id) }, "is_enterprise_install": false, "enterprise": null,
                "callback_id": callback, "trigger_id": trigger, "response_url": hook, "message_ts": ts, "message": message,
            })
        });
        if let Err(why) = self.fake.ask(What::Interaction, &payload).await {
            self.notice(format!("that didn't work, try again ({why})"));
        }
        self
    }

    // What people do to channels by hand.

    pub fn renames(&self, channel: &str, name: &str) -> &Self {
        let id = self.channel(channel);
        let event = self.fake.with(|truth| {
            let channel = truth.channels.get_mut(&id).unwrap();
            let before = std::mem::replace(&mut channel.name, name.to_owned());
            channel.former_names.insert(0, before);
            rooms::renamed(channel)
        });
        self.fake.tell(event);
        self
    }

    pub fn archives(&self, channel: &str) -> &Self {
        let id = self.channel(channel);
        let kind = self.fake.with(|truth| {
            let channel = truth.channels.get_mut(&id).unwrap();
            channel.archived = true;
            if channel.kind == Kind::Private { "group_archive" } else { "channel_archive" }
        });
        self.fake.tell(json!({ "type": kind, "channel": id, "user": self.id, "is_moved": 0 }));
        self
    }

    pub fn unarchives(&self, channel: &str) -> &Self {
        let id = self.channel(channel);
        let kind = self.fake.with(|truth| {
            let channel = truth.channels.get_mut(&id).unwrap();
            channel.archived = false;
            if channel.kind == Kind::Private { "group_unarchive" } else { "channel_unarchive" }
        });
        self.fake.tell(json!({ "type": kind, "channel": id, "user": self.id }));
        self
    }

    pub fn deletes(&self, channel: &str) -> &Self {
        let id = self.channel(channel);
        let kind = self.fake.with(|truth| {
            let channel = truth.channels.get_mut(&id).unwrap();
            channel.deleted = true;
            if channel.kind == Kind::Private { "group_deleted" } else { "channel_deleted" }
        });
        self.fake.tell(json!({ "type": kind, "channel": id }));
        self
    }

    /// `/remove @smokejumper`
    pub fn removes_bot(&self, channel: &str) -> &Self {
        let id = self.channel(channel);
        let kind = self.fake.with(|truth| {
            let channel = truth.channels.get_mut(&id).unwrap();
            channel.members.remove(BOT);
            if channel.kind == Kind::Private { "group_left" } else { "channel_left" }
        });
        self.fake.tell(json!({ "type": kind, "channel": id, "actor_id": self.id }));
        self
    }

    /// Deletes a message, of whomever.
    pub fn deletes_message(&self, channel: &str, ts: &str) -> &Self {
        let id = self.channel(channel);
        self.fake.with(|truth| truth.message(&id, ts).expect("the message is there").deleted = true);
        self
    }

    /// What is on their screen, as text.
    pub fn sees(&self) -> String {
        self.fake.with(|truth| shown::screen(truth, &self.id))
    }

    /// One channel as they see it.
    pub fn sees_in(&self, channel: &str) -> String {
        let id = self.channel(channel);
        self.fake.with(|truth| shown::channel(truth, &self.id, &id))
    }

    /// What everybody reads in a channel: messages and answers, without what one person alone was told or Slack noted.
    pub fn reads(&self, channel: &str) -> String {
        let id = self.channel(channel);
        self.fake.with(|truth| shown::said(truth, &self.id, &id))
    }

    /// The messages that are pinned in it.
    pub fn sees_pinned(&self, channel: &str) -> String {
        let id = self.channel(channel);
        self.fake.with(|truth| shown::pinned(truth, &id))
    }

    /// What they alone were told, anywhere, the newest last.
    pub fn was_told(&self) -> Vec<String> {
        self.fake.with(|truth| shown::alone(truth, &self.id))
    }

    /// The form on top.
    pub fn sees_form(&self) -> Option<String> {
        self.fake.with(|truth| shown::form(truth, &self.id))
    }

    pub fn sees_home(&self) -> Option<String> {
        self.fake.with(|truth| shown::home(truth, &self.id))
    }

    /// What Slack told them in passing: that something did not work.
    pub fn notices(&self) -> Vec<String> {
        self.fake.with(|truth| truth.notices.get(&self.id).cloned().unwrap_or_default())
    }
}

fn channel_name(truth: &Truth, id: &str) -> String {
    match &truth.channels[id] {
        channel if channel.kind == Kind::Direct => "directmessage".to_owned(),
        channel if channel.kind == Kind::Private => "privategroup".to_owned(),
        channel => channel.name.clone(),
    }
}

/// As Slack hands text on: people and channels by id, the rest escaped.
fn linked(truth: &Truth, text: &str) -> String {
    let word = |word: &str| {
        let (bare, end) = word.split_at(word.trim_end_matches([',', '.', '?', '!', ':']).len());
        if let Some(user) = bare.strip_prefix('@').and_then(|name| truth.user_named(name)) {
            return format!("<@{}>{end}", user.id);
        }
        if let Some(group) = bare.strip_prefix('@').and_then(|n| truth.groups.values().find(|g| g.handle == n)) {
            return format!("<!subteam^{}>{end}", group.id);
        }
        if let Some(channel) = bare.strip_prefix('#').and_then(|name| truth.channel_named(name)) {
            return format!("<#{}|{}>{end}", channel.id, channel.name);
        }
        if bare.starts_with("https://") || bare.starts_with("http://") {
            return format!("<{}>{end}", escaped(bare));
        }
        escaped(word)
    };
    text.split(' ').map(word).collect::<Vec<_>>().join(" ")
}

fn options(element: &Value) -> Vec<Value> {
    let groups = element["option_groups"].as_array().into_iter().flatten();
    let grouped = groups.flat_map(|g| g["options"].as_array().cloned().unwrap_or_default());
    element["options"].as_array().cloned().into_iter().flatten().chain(grouped).collect()
}

fn filled(truth: &Truth, element: &Value, value: &str) -> Value {
    let kind = element["type"].as_str().unwrap_or_default();
    let option = |text: &str| {
        let found = options(element).into_iter().find(|o| o["text"]["text"] == text || o["value"] == text);
        found.unwrap_or_else(|| panic!("{text:?} is none of {:#?}", options(element)))
    };
    let who = |name: &str| {
        let user = truth.user_named(name.trim_start_matches('@'));
        user.unwrap_or_else(|| panic!("there is no {name}")).id.clone()
    };
    match kind {
        "plain_text_input" => {
            let count = value.chars().count() as u64;
            let most = element["max_length"].as_u64().unwrap_or(3_000);
            let least = element["min_length"].as_u64().unwrap_or(0);
            assert!((least..=most).contains(&count), "{count} characters do not fit into {element}");
            assert!(element["multiline"] == true || !value.contains('\n'), "one line only: {element}");
            json!({ "type": kind, "value": value })
        }
        "number_input" | "email_text_input" | "url_text_input" => json!({ "type": kind, "value": value }),
        "static_select" | "radio_buttons" => json!({ "type": kind, "selected_option": option(value) }),
        "multi_static_select" | "checkboxes" => {
            let chosen: Vec<Value> = value.split(", ").filter(|v| !v.is_empty()).map(option).collect();
            json!({ "type": kind, "selected_options": chosen })
        }
        "users_select" => json!({ "type": kind, "selected_user": who(value) }),
        "multi_users_select" => {
            json!({ "type": kind, "selected_users": value.split(", ").map(who).collect::<Vec<_>>() })
        }
        "datepicker" => json!({ "type": kind, "selected_date": value }),
        "timepicker" => json!({ "type": kind, "selected_time": value }),
        "datetimepicker" => json!({ "type": kind, "selected_date_time": value.parse::<i64>().unwrap() }),
        "conversations_select" => json!({ "type": kind, "selected_conversation": value }),
        "channels_select" => json!({ "type": kind, "selected_channel": value }),
        other => panic!("nobody taught people to fill in {other}"),
    }
}

/// What a field holds before anybody touches it.
fn initial(element: &Value) -> Value {
    let kind = element["type"].as_str().unwrap_or_default();
    let (name, from) = match kind {
        "static_select" | "radio_buttons" | "external_select" => ("selected_option", "initial_option"),
        "multi_static_select" | "checkboxes" => ("selected_options", "initial_options"),
        "users_select" => ("selected_user", "initial_user"),
        "multi_users_select" => ("selected_users", "initial_users"),
        "datepicker" => ("selected_date", "initial_date"),
        "timepicker" => ("selected_time", "initial_time"),
        "datetimepicker" => ("selected_date_time", "initial_date_time"),
        "conversations_select" => ("selected_conversation", "initial_conversation"),
        "channels_select" => ("selected_channel", "initial_channel"),
        _ => ("value", "initial_value"),
    };
    let usual = if name.ends_with('s') { json!([]) } else { Value::Null };
    json!({ "type": kind, name: element.get(from).cloned().unwrap_or(usual) })
}

/// The fields of a form as they stand, as Slack sends them: by block, then by action.
fn state(truth: &Truth, view: &str) -> Value {
    let mut values = Map::new();
    let drafts = truth.drafts.get(view);
    for block in truth.views[view].content["blocks"].as_array().into_iter().flatten() {
        let id = block["block_id"].as_str().unwrap_or_default();
        if block["type"] != "input" {
            continue;
        }
        let action = block["element"]["action_id"].as_str().unwrap_or_default();
        let draft = drafts.and_then(|d| d.get(id)).cloned();
        let value = draft.unwrap_or_else(|| initial(&block["element"]));
        values.insert(id.to_owned(), json!({ action: value }));
    }
    Value::Object(values)
}

fn is_filled(value: &Value) -> bool {
    let fields = value.as_object().into_iter().flatten().filter(|(key, _)| *key != "type");
    fields.map(|(_, v)| v).any(|v| match v {
        Value::Null => false,
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => !items.is_empty(),
        _ => true,
    })
}

/// Another program says something, and may call ours by its name.
pub fn other_bot(fake: &FakeSlack, channel: &str, text: &str) -> String {
    let now = fake.now();
    let (id, kind, message) = fake.with(|truth| {
        let id = truth.channel_named(channel).expect("it is there").id.clone();
        let ts = truth.ts(now);
        let mut message = Message::new(ts, "UOTHERBOT", linked(truth, text));
        message.subtype = Some("bot_message");
        let channel = truth.channels.get_mut(&id).unwrap();
        channel.messages.push(message.clone());
        (id, channel.kind, message)
    });
    let mut shown = message.shown(false);
    shown["bot_id"] = json!(BOT_ID.replace('1', "9"));
    fake.tell(chat::said(&shown, &id, kind));
    if message.text.contains(&format!("<@{BOT}>")) {
        (shown["type"], shown["channel"]) = (json!("app_mention"), json!(id));
        fake.tell(shown);
    }
    message.ts
}
