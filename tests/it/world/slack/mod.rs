//! A Slack that holds the truth and is strict about it: real HTTP and WebSocket, its limits by a clock, people who type and
//! press, a script of faults.
//!
//! What it refuses or sees broken it counts in `violations`, which fail the test when the fake that was started goes out of
//! scope; a test that lets it see something wrong on purpose says so with [`FakeSlack::forgive`].

mod blocks;
mod call;
mod chat;
pub mod deliver;
pub mod faults;
mod front;
mod inert;
mod limits;
mod marks;
mod methods;
mod people;
pub mod puppet;
mod rooms;
mod shown;
mod socket;
pub mod spec;
mod tests;
pub mod truth;
mod views;

pub use deliver::Way;
pub use faults::{Fault, Mishap, Outage};
pub use puppet::Person;
pub use socket::Order;
pub use truth::{BOT, Kind};

use serde_json::Value;
use smokejumper::flow::moment::At;
use smokejumper::ports::Clock;
use socket::Switchboard;
use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::net::TcpListener;
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;
use truth::{Account, Channel, Group, Truth, User};

/// What the bot and the app are known by.
pub const TOKEN: &str = "xoxb-000000000-the-bots-own";
pub const APP_TOKEN: &str = "xapp-1-A00000001-the-apps-own";
pub const SIGNING_SECRET: &str = "slack-signs-with-this";
const VERIFICATION: &str = "of-old";

/// What an app like ours is installed with, until its manifest says otherwise.
const SCOPES: &[&str] = &[
    "app_mentions:read",
    "bookmarks:read",
    "bookmarks:write",
    "channels:history",
    "channels:join",
    "channels:manage",
    "channels:read",
    "chat:write",
    "commands",
    "groups:history",
    "groups:read",
    "groups:write",
    "im:history",
    "im:read",
    "im:write",
    "pins:read",
    "pins:write",
    "reactions:read",
    "usergroups:read",
    "users:read",
];
const EVENTS: &[&str] = &[
    "app_home_opened",
    "app_mention",
    "app_uninstalled",
    "channel_archive",
    "channel_deleted",
    "channel_left",
    "channel_rename",
    "channel_unarchive",
    "group_archive",
    "group_deleted",
    "group_left",
    "group_rename",
    "group_unarchive",
    "member_joined_channel",
    "member_left_channel",
    "message.channels",
    "message.groups",
    "message.im",
    "reaction_added",
    "tokens_revoked",
];
const SHORTCUTS: &[(&str, &str)] =
    &[("Declare from this", "declare"), ("Add to timeline", "note"), ("Make follow-up", "follow-up")];

struct Inner {
    truth: Mutex<Truth>,
    clock: Arc<dyn Clock>,
    board: Switchboard,
    way: Mutex<Way>,
    /// Sockets that were made deaf or cut on purpose.
    broken: Mutex<BTreeSet<u64>>,
    /// All connections end.
    over: watch::Sender<bool>,
    late: Notify,
    address: SocketAddr,
    serving: Mutex<Option<JoinHandle<()>>>,
    client: reqwest::Client,
}

pub struct FakeSlack {
    pub url: String,
    inner: Arc<Inner>,
    /// The one that was started looks at the violations in the end.
    judge: bool,
}

impl Clone for FakeSlack {
    fn clone(&self) -> Self {
        Self { url: self.url.clone(), inner: Arc::clone(&self.inner), judge: false }
    }
}

impl Drop for FakeSlack {
    fn drop(&mut self) {
        if !self.judge || std::thread::panicking() {
            return;
        }
        let violations = self.violations();
        assert!(violations.is_empty(), "{} violations:\n{}", violations.len(), violations.join("\n"));
    }
}

impl FakeSlack {
    /// Listens on this machine, with Ana, Bo, Cleo and Dan, and the channels `general` and `incidents`.
    pub async fn start(clock: Arc<dyn Clock>) -> Self {
        Self::start_at("127.0.0.1:0", clock).await
    }

    /// The same at an address somebody knows.
    pub async fn start_at(address: &str, clock: Arc<dyn Clock>) -> Self {
        let listener = TcpListener::bind(address).await.unwrap();
        let address = listener.local_addr().unwrap();
        let _ = rustls::crypto::ring::default_provider().install_default();
        let inner = Inner {
            truth: Mutex::default(),
            clock,
            board: Switchboard::default(),
            way: Mutex::new(Way::Socket),
            broken: Mutex::default(),
            over: watch::channel(false).0,
            late: Notify::new(),
            address,
            serving: Mutex::default(),
            client: reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap(),
        };
        let fake = Self { url: format!("http://{address}"), inner: Arc::new(inner), judge: true };
        fake.furnish();
        fake.listen(listener);
        fake
    }

    fn furnish(&self) {
        let now = self.now();
        self.with(|truth| {
            let texts = |all: &[&str]| all.iter().map(|t| (*t).to_owned()).collect::<BTreeSet<String>>();
            truth.scopes = texts(SCOPES);
            truth.app_scopes = texts(&["connections:write"]);
            truth.events = texts(EVENTS);
            truth.commands = texts(&["/incident"]);
            truth.shortcuts = SHORTCUTS.iter().map(|(menu, id)| ((*menu).to_owned(), (*id).to_owned())).collect();
            let bot = User {
                id: BOT.to_owned(),
                name: "smokejumper".to_owned(),
                real_name: "Smokejumper".to_owned(),
                email: String::new(),
                deactivated: false,
                account: Account::Bot,
            };
            truth.users.insert(bot.id.clone(), bot);
            for (name, real_name) in
                [("ana", "Ana Ruiz"), ("bo", "Bo Lind"), ("cleo", "Cleo Park"), ("dan", "Dan Okoye")]
            {
                truth.person(name, real_name);
            }
            let everybody: BTreeSet<String> = truth.users.keys().filter(|id| *id != BOT).cloned().collect();
            for name in ["general", "incidents"] {
                let id = truth.id("C");
                let channel = Channel::new(&id, name, Kind::Public, "UANA00001", now, everybody.clone());
                truth.channels.insert(id, channel);
            }
        });
    }

    fn listen(&self, listener: TcpListener) {
        self.inner.over.send_replace(false);
        let serving = tokio::spawn(front::serve(self.clone(), listener));
        *self.inner.serving.lock().unwrap() = Some(serving);
    }

    pub fn with<T>(&self, work: impl FnOnce(&mut Truth) -> T) -> T {
        // A person who could not do what a test said has panicked with it.
        work(&mut self.inner.truth.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub fn now(&self) -> At {
        self.inner.clock.now()
    }

    /// For `[slack] api_url`.
    pub fn api(&self) -> String {
        format!("{}/api", self.url)
    }

    /// A `[slack]` section in Socket Mode.
    pub fn config(&self) -> String {
        format!("[slack]\napi_url = \"{}\"\nbot_token = \"{TOKEN}\"\napp_token = \"{APP_TOKEN}\"\n", self.api())
    }

    /// The same in HTTP mode, with the secret it is signed with. [`FakeSlack::posts_to`] says where the bot is.
    pub fn config_http(&self) -> String {
        format!(
            "[secrets]\nslack = \"{SIGNING_SECRET}\"\n[slack]\nmode = \"http\"\napi_url = \"{}\"\nbot_token = \"{TOKEN}\"\n\
             signing_secret = \"slack\"\n",
            self.api()
        )
    }

    /// From now on everything is posted below this address.
    pub fn posts_to(&self, base: &str) {
        *self.inner.way.lock().unwrap() = Way::Http(base.to_owned());
    }

    /// Takes on what an app's manifest (as JSON) asks for: scopes, events, commands, shortcuts.
    pub fn install(&self, manifest: &Value) {
        let texts = |value: &Value| -> BTreeSet<String> {
            value.as_array().into_iter().flatten().filter_map(|v| v.as_str().map(str::to_owned)).collect()
        };
        let features = &manifest["features"];
        self.with(|truth| {
            truth.scopes = texts(&manifest["oauth_config"]["scopes"]["bot"]);
            truth.events = texts(&manifest["settings"]["event_subscriptions"]["bot_events"]);
            let commands = features["slash_commands"].as_array().into_iter().flatten();
            truth.commands = commands.filter_map(|c| c["command"].as_str().map(str::to_owned)).collect();
            let shortcuts = features["shortcuts"].as_array().into_iter().flatten().filter(|s| s["type"] == "message");
            let pair = |s: &Value| Some((s["name"].as_str()?.to_owned(), s["callback_id"].as_str()?.to_owned()));
            truth.shortcuts = shortcuts.filter_map(pair).collect();
        });
    }

    /// Somebody of the workspace.
    pub fn user(&self, name: &str) -> Person {
        let id = self.with(|truth| truth.user_named(name).unwrap_or_else(|| panic!("there is no {name}")).id.clone());
        Person { fake: self.clone(), id, name: name.to_owned() }
    }

    /// The id of a channel.
    pub fn channel(&self, name: &str) -> String {
        self.with(|truth| truth.channel_named(name).unwrap_or_else(|| panic!("there is no channel {name}")).id.clone())
    }

    /// Channels beside those that were there.
    pub fn incident_channels(&self) -> Vec<Channel> {
        self.with(|truth| {
            truth.channels.values().filter(|c| c.creator == BOT && c.kind != Kind::Direct).cloned().collect()
        })
    }

    /// The newest message in a channel with these words in it, in its text or its blocks: its timestamp.
    pub fn message_with(&self, channel: &str, words: &str) -> Option<String> {
        self.with(|truth| {
            let channel = truth.channel_named(channel)?;
            let has =
                |m: &&truth::Message| !m.deleted && (m.text.contains(words) || m.blocks.to_string().contains(words));
            channel.messages.iter().rev().find(has).map(|m| m.ts.clone())
        })
    }

    /// A user group.
    pub fn group(&self, id: &str, handle: &str, members: &[&str]) {
        self.with(|truth| {
            let members =
                members.iter().map(|name| truth.user_named(name).expect("they are there").id.clone()).collect();
            let group = Group { id: id.to_owned(), handle: handle.to_owned(), members };
            truth.groups.insert(id.to_owned(), group);
        });
    }

    /// The next `times` calls of this method are befallen by this.
    pub fn fault(&self, method: &str, times: usize, fault: Fault) {
        self.with(|truth| truth.faults.planned.push((Some(method.to_owned()), times, fault)));
    }

    /// The next `times` calls, of whatever.
    pub fn fault_any(&self, times: usize, fault: Fault) {
        self.with(|truth| truth.faults.planned.push((None, times, fault)));
    }

    /// This befalls the next deliveries to the app, in turn.
    pub fn mishaps(&self, mishaps: &[Mishap]) {
        self.with(|truth| truth.faults.mishaps.extend(mishaps));
    }

    /// Sends what was held back.
    pub fn release(&self) {
        self.inner.late.notify_waiters();
    }

    async fn released(&self) {
        self.inner.late.notified().await;
    }

    /// All of Slack is unwell. Sockets end, too, but for a [`Outage::Blackhole`]: there they go deaf.
    pub async fn down(&self, outage: Outage) {
        self.with(|truth| truth.faults.outage = Some(outage));
        match outage {
            Outage::Blackhole => self.deafen(),
            Outage::Refused => {
                let serving = self.inner.serving.lock().unwrap().take();
                if let Some(serving) = serving {
                    serving.abort();
                    let _ = serving.await;
                }
                self.cut();
                self.inner.over.send_replace(true);
            }
            _ => self.cut(),
        }
    }

    /// It is well again.
    pub async fn up(&self) {
        let was = self.with(|truth| truth.faults.outage.take());
        // What was held for ever is dropped.
        self.cut();
        self.inner.over.send_replace(true);
        self.inner.over.send_replace(false);
        if was == Some(Outage::Refused) {
            let listener = TcpListener::bind(self.inner.address).await.unwrap();
            self.listen(listener);
        }
    }

    fn outage(&self) -> Option<Outage> {
        self.with(|truth| truth.faults.outage)
    }

    /// Tells every socket, or the oldest, why it will end soon: `warning`, `refresh_requested`, `link_disabled`.
    pub fn disconnects(&self, reason: &str, all: bool) {
        let lines = self.inner.board.lines();
        for line in lines.into_iter().take(if all { usize::MAX } else { 1 }) {
            self.inner.board.order(line, Order::Send(socket::disconnect(reason)));
        }
    }

    /// Closes the oldest socket in order, as Slack does some time after it said so.
    pub fn closes_oldest(&self) {
        if let Some(line) = self.inner.board.lines().first() {
            self.inner.board.order(*line, Order::Close);
        }
    }

    /// All sockets are gone without a word.
    pub fn cut(&self) {
        for line in self.inner.board.lines() {
            self.inner.broken.lock().unwrap().insert(line);
            self.inner.board.order(line, Order::Cut);
        }
    }

    /// All sockets are half open: nothing is read, nothing is answered.
    pub fn deafen(&self) {
        for line in self.inner.board.lines() {
            self.inner.broken.lock().unwrap().insert(line);
            self.inner.board.order(line, Order::Deaf);
        }
    }

    /// A frame as it is, over every socket.
    pub fn sends_raw(&self, text: &str) {
        for line in self.inner.board.lines() {
            self.inner.board.order(line, Order::Raw(text.to_owned()));
        }
    }

    /// Sockets that are connected now.
    pub fn sockets(&self) -> usize {
        self.with(|truth| truth.connections.live)
    }

    fn board(&self) -> &Switchboard {
        &self.inner.board
    }

    fn is_broken(&self, line: u64) -> bool {
        self.inner.broken.lock().unwrap().contains(&line)
    }

    fn way(&self) -> Way {
        self.inner.way.lock().unwrap().clone()
    }

    fn over(&self) -> watch::Receiver<bool> {
        self.inner.over.subscribe()
    }

    fn client(&self) -> &reqwest::Client {
        &self.inner.client
    }

    /// How often a method was called, whatever came of it.
    pub fn asked(&self, method: &str) -> usize {
        self.with(|truth| truth.requests.iter().filter(|r| r.method == method).count())
    }

    /// What it saw that it should not have seen.
    pub fn violations(&self) -> Vec<String> {
        self.with(|truth| truth.violations.clone())
    }

    /// Those were on purpose.
    pub fn forgive(&self) -> Vec<String> {
        self.with(|truth| std::mem::take(&mut truth.violations))
    }

    /// These strings come from outside: they may never be markup, links or emphasis.
    pub fn hostile(&self, strings: &[&str]) {
        self.with(|truth| truth.hostile.extend(strings.iter().map(|s| (*s).to_owned())));
    }
}
