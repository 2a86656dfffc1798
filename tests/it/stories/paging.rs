//! Somebody is woken, and who it is depends on who answers. The real engine and edges, PagerDuty over real HTTP, and a clock that
//! only the test moves.

use crate::world::ledger::{Ledger, Standing};
use crate::world::pagerduty::{ANSWERS, FakePagerDuty, HOOK, Severity as Urgency, Status, Trouble, signed};
use crate::world::town::{self, START, account, delivery, firing};
use crate::world::watch::Watch;
use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use smokejumper::config::{Config, Environment, Given, check};
use smokejumper::edges::chat::console::{self, Console};
use smokejumper::edges::directory::ConfiguredDirectory;
use smokejumper::edges::memory::IndexedMemory;
use smokejumper::edges::pager::{Phones, answers};
use smokejumper::edges::runner::redact::Redactor;
use smokejumper::edges::runner::{Hands, Settings};
use smokejumper::engine::{Engine, Ports};
use smokejumper::flow::event::Event;
use smokejumper::flow::fact::Fact;
use smokejumper::flow::identity::{Actor, Identity, PersonId, Platform};
use smokejumper::flow::incident::{Incident, IncidentId};
use smokejumper::flow::moment::{At, DAY, HOUR, MINUTE};
use smokejumper::flow::policy::Policy;
use smokejumper::flow::rota::{Schedule, Shifts};
use smokejumper::ports::{Arrival, Chat, Clock, Door, Journal as _, Pager, Views as _};
use smokejumper_intents::intent::{Ask, Intent, Who};
use smokejumper_intents::reply::Reply;
use smokejumper_intents::text::render;
use smokejumper_intents::word::{Role, Severity};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tower::ServiceExt as _;

const BEN: &str = "benbenbenbenbenbenbenbenbenbenbe";
const EVA: &str = "evaevaevaevaevaevaevaevaevaevaev";
const ALL: &str = "allallallallallallallallallallal";
const INC: IncidentId = IncidentId(1);

/// A team at work, and its phones.
struct Ward {
    engine: Arc<Engine>,
    ledger: Ledger,
    watch: Arc<Watch>,
    phones: FakePagerDuty,
    config: Config,
    policy: Policy,
    folder: tempfile::TempDir,
    keys: u32,
}

fn variable(name: &str) -> Option<String> {
    let value = match name {
        "BEN" => BEN,
        "EVA" => EVA,
        "ALL" => ALL,
        "ANSWERS" => ANSWERS,
        "HOOK" => HOOK,
        _ => return None,
    };
    Some(value.to_owned())
}

fn config(url: &str) -> Config {
    let text = format!(
        r#"
[secrets]
ben = {{ env = "BEN" }}
eva = {{ env = "EVA" }}
all = {{ env = "ALL" }}
answers = {{ env = "ANSWERS" }}
hook = {{ env = "HOOK" }}

[[person]]
id = "ben"
right = "admin"
pagerduty = "acme/PBEN"
[[person]]
id = "eva"

[[pager]]
name = "pagerduty"
kind = "pagerduty"
api_url = "{url}"
routing_key = "all"
people = {{ ben = "ben", eva = "eva" }}
answers = "answers"

[[pager]]
name = "siren"
kind = "webhook"
url = "{url}/hook"
secret = "hook"
"#
    );
    checked(&text)
}

fn checked(text: &str) -> Config {
    let given = Given::default();
    let checked = check(given, &Environment { variable: &variable, uid: 1000 }, None, text);
    checked.usable().unwrap_or_else(|problems| panic!("{problems:#?}")).0
}

/// Whose phone rings is told by the service alone.
fn by_service(url: &str) -> Config {
    checked(&format!(
        "[secrets]\nall = {{ env = \"ALL\" }}\n[[service]]\nname = \"checkout\"\n[[pager]]\nname = \"pagerduty\"\n\
         kind = \"pagerduty\"\napi_url = \"{url}\"\nservices = {{ checkout = \"all\" }}\n"
    ))
}

fn always(who: &str) -> Shifts {
    Shifts::Always(vec![PersonId(who.to_owned())])
}

fn rules(config: &Config) -> Policy {
    let mut policy = town::policy();
    policy.rota = vec![Schedule {
        name: "primary".to_owned(),
        levels: vec![always("ben"), always("eva")],
        ..Schedule::default()
    }];
    policy.escalation = config.policy.escalation.clone();
    let phone = config.policy.people.iter().flat_map(|p| &p.identities).find(|i| i.platform == Platform::Pagerduty);
    let ben = policy.people.iter_mut().find(|p| p.id.0 == "ben").unwrap();
    ben.identities.push(phone.unwrap().clone());
    policy
}

impl Ward {
    async fn open() -> Self {
        Self::with(|_| {}, |_| {}).await
    }

    async fn with(rule: impl FnOnce(&mut Policy), phones: impl FnOnce(&mut Config)) -> Self {
        let fake = FakePagerDuty::open().await;
        let mut config = config(&fake.url());
        phones(&mut config);
        let mut policy = rules(&config);
        rule(&mut policy);
        let watch = Arc::new(Watch::at(START));
        let ledger = Ledger::new(watch.clone());
        let folder = tempfile::tempdir().unwrap();
        let engine = engine(&ledger, &watch, &config, &policy, folder.path()).await;
        Self { engine, ledger, watch, phones: fake, config, policy, folder, keys: 0 }
    }

    /// The process dies, and another one starts.
    async fn restart(&mut self) {
        self.ledger = self.ledger.crash();
        self.engine = engine(&self.ledger, &self.watch, &self.config, &self.policy, self.folder.path()).await;
        self.settle().await;
    }

    /// Everything that can be done now is done.
    async fn settle(&self) {
        loop {
            let mut worked = self.engine.turns().await.unwrap() > 0;
            for row in self.engine.claim().await.unwrap() {
                worked = true;
                self.engine.carry(row).await.unwrap();
            }
            if !worked {
                return;
            }
        }
    }

    async fn happens(&mut self, event: Event) {
        self.keys += 1;
        let key = format!("k{}", self.keys);
        let arrival = Arrival { source: "test".to_owned(), key, at: self.watch.now(), event };
        self.engine.take(vec![arrival]).await.unwrap();
        self.settle().await;
    }

    async fn alert(&mut self) {
        self.happens(delivery(vec![firing("HighErrorRate", "checkout", 0, START)])).await;
    }

    /// `who` says something, and is answered.
    async fn says(&mut self, who: usize, intent: Intent) -> String {
        self.keys += 1;
        let (ask, key) = (Ask { incident: Some(1), intent }, format!("a{}", self.keys));
        let engine = Arc::clone(&self.engine);
        let asking = async move { engine.ask(account(who), ask, key).await.unwrap() };
        let turning = async { while self.engine.turns().await.unwrap() == 0 {} };
        let (reply, ()) = tokio::join!(asking, turning);
        self.settle().await;
        render(&reply, 200)
    }

    /// Time passes, in steps at which everything due is done, as in the life of a process.
    async fn later(&self, ms: i64) {
        let end = self.watch.now().plus(ms);
        loop {
            self.settle().await;
            match self.ledger.backlog(self.watch.now()).next.filter(|due| *due <= end) {
                Some(due) => self.watch.set(due),
                None => break,
            }
        }
        self.watch.set(end);
        self.settle().await;
    }

    /// PagerDuty posts to us.
    async fn posted(&self, request: Request<Body>) -> StatusCode {
        let door: Arc<dyn Door> = self.engine.clone();
        let clock: Arc<dyn Clock> = self.watch.clone();
        let router: Router = answers::router(&self.config.pagers, door, clock, Arc::new(str::to_owned)).unwrap();
        let status = router.oneshot(request).await.unwrap().status();
        self.settle().await;
        status
    }

    async fn incident(&self) -> Incident {
        self.ledger.load(INC).await.unwrap().unwrap()
    }

    async fn card(&self) -> String {
        let incident = self.incident().await;
        let desk = self.ledger.desk().await.unwrap();
        render(&smokejumper::flow::card::card(&incident, &desk, &self.policy, self.watch.now()), 200)
    }

    /// What was said in the room, oldest first.
    fn said(&self) -> Vec<String> {
        let said = |reply: &Reply| render(reply, 200);
        let says = self.ledger.posted().into_iter().filter_map(|row| match (row.effect, row.standing) {
            (smokejumper::flow::effect::Effect::Say { message, .. }, Standing::Sent) => Some(message),
            _ => None,
        });
        says.map(|message| said(&message)).collect()
    }

    fn heard(&self, words: &str) -> usize {
        self.said().iter().filter(|s| s.contains(words)).count()
    }

    fn rings(&self) -> (u32, u32) {
        (self.phones.rings(BEN), self.phones.rings(EVA))
    }
}

async fn engine(ledger: &Ledger, watch: &Arc<Watch>, config: &Config, policy: &Policy, data: &Path) -> Arc<Engine> {
    let store = Arc::new(ledger.clone());
    let clock: Arc<dyn Clock> = watch.clone();
    let settings = Settings {
        binary: PathBuf::from(env!("CARGO_BIN_EXE_smokejumper")),
        data: data.to_owned(),
        protect: vec![data.to_owned()],
        secrets: Arc::new(|_| None),
        may_act: Arc::new(|| true),
        redactor: Redactor::new(Vec::new()),
    };
    let console: Arc<dyn Chat> = Arc::new(Console::new(console::changes(), "http://127.0.0.1:7911"));
    let phones = Phones::new(&config.pagers, "http://127.0.0.1:7911", &clock).unwrap();
    let ports = Ports {
        inbox: store.clone(),
        journal: store.clone(),
        outbox: store.clone(),
        views: store,
        chats: BTreeMap::from([(Platform::Console, console)]),
        memory: Arc::new(IndexedMemory::volatile().unwrap()),
        runner: Arc::new(Hands::new(settings).unwrap()),
        directory: Arc::new(ConfiguredDirectory::new(Arc::new(policy.clone()))),
        tracker: None,
        pager: phones.map(|p| Arc::new(p) as Arc<dyn Pager>),
        clock,
    };
    Arc::new(Engine::start(ports, policy.clone()).await.unwrap())
}

#[tokio::test]
async fn nobody_acknowledges_so_the_next_on_call_is_asked_and_then_it_is_said_loudly() {
    let mut ward = Ward::open().await;
    ward.alert().await;
    assert_eq!(ward.rings(), (1, 0), "an alert opened it: the first is paged at once");
    assert!(
        ward.card().await.contains("paged ben 0 ms ago, taken by pagerduty, not acknowledged yet"),
        "{}",
        ward.card().await
    );
    let alarms = ward.phones.alarms();
    let alarm = alarms.values().next().unwrap();
    assert_eq!((alarm.summary.as_str(), alarm.severity), ("INC-1 SEV2: HighErrorRate on checkout", Urgency::Error));
    ward.later(10 * MINUTE - 1).await;
    assert_eq!(ward.rings(), (1, 0));
    ward.later(1).await;
    assert_eq!(ward.rings(), (1, 1), "the time of a SEV2 is over");
    assert_eq!(ward.heard("Paging eva: nobody acknowledged within 10 min."), 1);
    ward.later(30 * MINUTE).await;
    assert_eq!(ward.rings(), (1, 4), "the last is asked three times more");
    assert_eq!(ward.heard("NOBODY ANSWERS"), 0);
    ward.later(10 * MINUTE).await;
    assert_eq!(ward.heard("NOBODY ANSWERS"), 1, "{:#?}", ward.said());
    ward.later(DAY).await;
    assert_eq!((ward.rings(), ward.heard("NOBODY ANSWERS")), ((1, 4), 1), "and then it is quiet");
    assert!(ward.card().await.contains("Nobody answers: 5 times asked within 50 min"), "{}", ward.card().await);
    ward.says(3, Intent::Acknowledge).await;
    assert!(ward.phones.alarms().values().all(|a| a.status == Status::Resolved), "whoever comes ends the ringing");
}

#[tokio::test]
async fn acknowledged_on_the_phone_is_acknowledged_here() {
    let mut ward = Ward::open().await;
    ward.alert().await;
    let key = ward.phones.key(BEN);
    let press =
        |delivery: &str, key: &str| ward.phones.pressed("incident.acknowledged", key, delivery, ("PBEN", "Ben B."));
    let strange = press("01F", &key.replace("/INC-1/1/", "/INC-1/1/9"));
    assert_eq!(
        ward.posted(strange).await,
        StatusCode::OK,
        "another Smokejumper's page: no business of ours, and no error"
    );
    let body = "{\"event\":{}}";
    assert_eq!(ward.posted(signed(body, "somebody else's")).await, StatusCode::UNAUTHORIZED);
    assert!(ward.incident().await.times.acknowledged.is_none());
    ward.watch.set(START.plus(3 * MINUTE));
    for _ in 0..2 {
        assert_eq!(ward.posted(press("01G", &key)).await, StatusCode::OK);
    }
    let incident = ward.incident().await;
    assert_eq!(incident.times.acknowledged, Some(START.plus(3 * MINUTE)));
    let acknowledged: Vec<_> = ward.ledger.journal().into_iter().filter(|e| e.fact == Fact::Acknowledged).collect();
    let ben = Identity { platform: Platform::Pagerduty, workspace: "acme".to_owned(), id: "PBEN".to_owned() };
    assert_eq!(acknowledged.iter().map(|e| &e.by).collect::<Vec<_>>(), [&Actor::Account(ben)]);
    assert_eq!(ward.heard("ben acknowledged on the phone."), 1, "{:#?}", ward.said());
    assert!(ward.card().await.contains("acknowledged on the phone by Ben B."), "{}", ward.card().await);
    ward.later(2 * HOUR).await;
    assert_eq!(ward.rings(), (1, 0), "nobody else is woken");
    assert_eq!(ward.phones.alarms()[&(BEN.to_owned(), key.clone())].status, Status::Acknowledged);
    ward.says(2, Intent::Resolve { cause: None, fix: None }).await;
    assert_eq!(ward.phones.alarms()[&(BEN.to_owned(), key)].status, Status::Resolved, "over here, over there");
}

#[tokio::test]
async fn acknowledged_here_nobody_is_woken_any_more() {
    let mut ward = Ward::open().await;
    ward.alert().await;
    ward.later(10 * MINUTE).await;
    assert_eq!(ward.rings(), (1, 1));
    ward.says(4, Intent::Acknowledge).await;
    assert!(ward.phones.alarms().values().all(|a| a.status == Status::Resolved));
    ward.later(DAY).await;
    assert_eq!(ward.rings(), (1, 1));
}

#[tokio::test]
async fn a_lost_answer_and_a_restart_in_between_lose_nothing_and_ring_once() {
    let mut ward = Ward::open().await;
    ward.config.pagers.list.truncate(1);
    ward.restart().await;
    ward.phones.trouble(&[Trouble::LostAnswer]);
    ward.alert().await;
    ward.restart().await;
    ward.later(MINUTE).await;
    assert_eq!(ward.rings(), (1, 0), "the same page under the same key");
    assert!(ward.phones.requests() > 1, "it was sent again");
    ward.restart().await;
    ward.later(9 * MINUTE).await;
    assert_eq!(ward.rings(), (1, 1), "the timer is a row, not a thought");
}

#[tokio::test]
async fn a_pager_that_fails_lets_the_page_fall_through_and_people_hear_of_it() {
    let mut ward = Ward::open().await;
    ward.phones.trouble(&[Trouble::Broken]);
    ward.alert().await;
    assert_eq!(ward.rings(), (0, 0));
    let hooks = ward.phones.hooks();
    assert_eq!(hooks.len(), 1);
    assert_eq!((&hooks[0]["action"], &hooks[0]["person"]), (&"page".into(), &"ben".into()));
    assert!(hooks[0]["link"].as_str().unwrap().ends_with("/incidents/1"), "{}", hooks[0]);
    assert!(ward.card().await.contains("taken by siren, after pagerduty: it answered 500"), "{}", ward.card().await);
    ward.says(2, Intent::Acknowledge).await;
    assert_eq!(ward.phones.hooks()[1]["action"], "end");
    assert_eq!(ward.phones.hooks()[1]["id"], hooks[0]["id"], "the same page");
}

#[tokio::test]
async fn pagers_that_are_all_down_are_tried_again_then_people_are_told_and_the_next_is_asked() {
    let mut ward = Ward::with(|_| {}, |config| config.pagers.list.truncate(1)).await;
    ward.phones.trouble(&[Trouble::Busy]);
    ward.alert().await;
    ward.later(19_000).await;
    assert_eq!(ward.phones.requests(), 1, "Retry-After is heeded");
    ward.later(2_000).await;
    assert_eq!(ward.rings(), (1, 0), "429 was not for ever");
    ward.phones.down(Some(Trouble::Broken));
    ward.later(20 * MINUTE).await;
    assert!(ward.heard("Could not reach eva by phone: pagerduty: it answered 500") >= 1, "{:#?}", ward.said());
    ward.phones.down(None);
    ward.later(10 * MINUTE).await;
    assert_eq!(ward.rings().0, 1);
    assert!(ward.rings().1 >= 1, "the next attempt reaches her");
}

#[tokio::test]
async fn a_page_that_is_refused_for_good_goes_to_the_next_on_call_at_once() {
    let mut ward = Ward::with(|_| {}, |config| config.pagers.list.truncate(1)).await;
    ward.phones.trouble(&[Trouble::Refused]);
    ward.alert().await;
    assert_eq!(ward.rings(), (0, 1), "no need to wait for a phone that never rings");
    assert_eq!(ward.heard("Could not reach ben by phone: pagerduty: it answered 400: Event object is invalid"), 1);
    assert!(!format!("{:?}", ward.ledger.journal()).contains(BEN), "a routing key is a secret");
}

#[tokio::test]
async fn one_that_a_person_declared_gives_people_time_first() {
    let mut ward = Ward::open().await;
    let declare = Intent::Declare {
        title: "checkout is slow".to_owned(),
        severity: Some(Severity::Sev1),
        service: Some("checkout".to_owned()),
    };
    ward.happens(town::asked(0, None, declare)).await;
    assert_eq!(ward.rings(), (0, 0));
    ward.later(5 * MINUTE).await;
    assert_eq!(ward.rings(), (1, 0));
    ward.says(0, Intent::SetSeverity { severity: Severity::Sev2 }).await;
    ward.later(9 * MINUTE).await;
    assert_eq!(ward.rings(), (1, 0), "another severity, another time, from now");
    ward.later(MINUTE).await;
    assert_eq!(ward.rings(), (1, 1));
    ward.says(0, Intent::SetSeverity { severity: Severity::Sev4 }).await;
    assert!(ward.phones.alarms().values().all(|a| a.status == Status::Resolved), "nobody need be woken for a SEV4");
    ward.later(DAY).await;
    assert_eq!(ward.rings(), (1, 1));
}

#[tokio::test]
async fn a_person_is_paged_by_name_and_answers_here() {
    let mut ward = Ward::open().await;
    ward.alert().await;
    ward.says(4, Intent::Acknowledge).await;
    let page = |who: &str| Intent::Page { who: Who::Named(who.to_owned()), message: Some("the database".to_owned()) };
    assert!(ward.says(4, page("eva")).await.contains("Paging eva — kim asks: the database"));
    assert!(ward.says(0, page("eva")).await.starts_with("No: "), "her phone rings already");
    assert!(ward.says(0, page("nobody")).await.contains("I know nobody called"));
    assert_eq!(ward.rings(), (1, 1));
    assert!(ward.says(3, Intent::Acknowledge).await.contains("You answered the page"), "{:#?}", ward.said());
    assert!(ward.phones.alarms().values().all(|a| a.status == Status::Resolved));
}

#[tokio::test]
async fn a_clock_that_jumps_wakes_nobody_late() {
    let mut ward = Ward::open().await;
    ward.alert().await;
    ward.watch.set(START.plus(-DAY));
    ward.happens(Event::Tick).await;
    assert_eq!(ward.rings(), (1, 1), "set back by a day, the next is asked within a minute rather than tomorrow");
    ward.watch.set(START.plus(10 * DAY));
    ward.settle().await;
    ward.happens(Event::Tick).await;
    assert_eq!(ward.rings(), (1, 2), "set ahead, one step is done, not all of them");
}

#[tokio::test]
async fn with_nobody_on_call_the_card_says_so_and_whoever_comes_on_call_is_asked() {
    let mut ward = Ward::with(|policy| policy.rota.clear(), |_| {}).await;
    ward.alert().await;
    assert!(ward.card().await.contains("Nobody is on call for checkout"), "{}", ward.card().await);
    assert_eq!(ward.rings(), (0, 0));
    ward.policy = rules(&ward.config);
    ward.engine.set_policy(ward.policy.clone());
    ward.happens(Event::Tick).await;
    assert_eq!(ward.rings(), (1, 0));
}

#[tokio::test]
async fn updates_are_asked_for_once_an_interval_of_whoever_leads_and_not_for_ever() {
    let mut ward = Ward::open().await;
    ward.alert().await;
    let asks = |ward: &Ward| ward.heard("how does it stand?");
    ward.says(2, Intent::Acknowledge).await;
    ward.says(2, Intent::TakeRole { role: Role::Commander, who: Who::Me }).await;
    ward.later(30 * MINUTE - 1).await;
    assert_eq!(asks(&ward), 0);
    ward.later(1).await;
    assert_eq!(ward.heard("ben, how does it stand?"), 1, "{:#?}", ward.said());
    for _ in 0..3 {
        ward.happens(Event::Tick).await;
    }
    assert_eq!(asks(&ward), 1, "never twice in an interval");
    ward.says(2, Intent::Snooze { minutes: Some(90) }).await;
    ward.later(89 * MINUTE).await;
    assert_eq!(asks(&ward), 1);
    ward.later(MINUTE).await;
    assert_eq!(asks(&ward), 2);
    ward.later(20 * MINUTE).await;
    ward.says(2, Intent::Note { text: "it is the database, failing over".to_owned() }).await;
    ward.later(29 * MINUTE).await;
    assert_eq!(asks(&ward), 2, "somebody said how it stands");
    ward.later(DAY).await;
    assert_eq!(asks(&ward), 2 + 4, "after four that nobody heeds it is let be");
    ward.says(2, Intent::Note { text: "still failing over, slowly".to_owned() }).await;
    ward.says(2, Intent::Snooze { minutes: None }).await;
    ward.later(DAY).await;
    assert_eq!(asks(&ward), 6, "told to stop, it stops");
}

#[tokio::test]
async fn what_is_owed_is_reminded_of_in_working_hours() {
    let mut ward = Ward::open().await;
    ward.alert().await;
    ward.says(2, Intent::Acknowledge).await;
    ward.says(2, Intent::Resolve { cause: None, fix: None }).await;
    let closing = |ward: &Ward| ward.heard("is not closed yet");
    // A Friday. A day later it is Saturday.
    ward.later(2 * DAY).await;
    assert_eq!(closing(&ward), 0);
    let monday_nine = At(START.0 + 3 * DAY - HOUR);
    ward.later(monday_nine.since(ward.watch.now())).await;
    assert_eq!(closing(&ward), 1, "{:#?}", ward.said());
    ward.later(DAY).await;
    assert_eq!(closing(&ward), 2, "once a working day");
    ward.says(2, Intent::SetState { state: smokejumper_intents::word::State::Closed, note: None }).await;
    ward.later(10 * DAY).await;
    assert_eq!(closing(&ward), 2, "closed is closed");
}

#[tokio::test]
async fn a_private_incident_rings_by_its_service_and_does_not_name_it() {
    let by_service = |config: &mut Config| config.pagers = by_service(&config.pagers.list[0].url).pagers;
    // Private before its page, and after it.
    let mut ward = Ward::with(|_| {}, by_service).await;
    let declare = Intent::Declare {
        title: "someone reads the cards".to_owned(),
        severity: Some(Severity::Sev1),
        service: Some("checkout".to_owned()),
    };
    ward.happens(town::asked(0, None, declare)).await;
    ward.says(0, Intent::MakePrivate).await;
    ward.later(5 * MINUTE).await;
    assert_eq!(ward.phones.rings(ALL), 1, "{:#?}", ward.said());
    let alarm = |ward: &Ward| ward.phones.alarms().into_values().next().unwrap();
    assert_eq!(alarm(&ward).component, None);
    assert!(!alarm(&ward).summary.contains("cards"), "{}", alarm(&ward).summary);
    ward.says(0, Intent::Acknowledge).await;
    assert_eq!(alarm(&ward).status, Status::Resolved, "it ends where it began");

    let mut ward = Ward::with(|_| {}, by_service).await;
    ward.alert().await;
    assert_eq!((ward.phones.rings(ALL), alarm(&ward).component.as_deref()), (1, Some("checkout")));
    ward.says(2, Intent::MakePrivate).await;
    ward.says(2, Intent::Acknowledge).await;
    assert_eq!(alarm(&ward).status, Status::Resolved);
}
