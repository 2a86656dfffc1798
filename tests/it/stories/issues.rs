//! Follow-ups that become issues: the real engine, the real edge, and a strict GitHub whose answers get lost.

use crate::world::github::spec;
use crate::world::github::{FakeGitHub, Fault, HOOK_SECRET, Issue, Repository, TOKEN};
use crate::world::ledger::{Ledger, Standing};
use crate::world::town::{self, START, asked};
use crate::world::watch::Watch;
use futures::future::join_all;
use smokejumper::config::github::{Access, GitHub as Configured};
use smokejumper::config::secret::Secret;
use smokejumper::edges::directory::ConfiguredDirectory;
use smokejumper::edges::github::{Gaps, GitHub};
use smokejumper::edges::memory::IndexedMemory;
use smokejumper::edges::runner::redact::Redactor;
use smokejumper::edges::runner::{Hands, Settings};
use smokejumper::engine::{Engine, Ports};
use smokejumper::flow::effect::Effect;
use smokejumper::flow::event::Event;
use smokejumper::flow::fact::Fact;
use smokejumper::flow::identity::PersonId;
use smokejumper::flow::incident::{Incident, IncidentId};
use smokejumper::flow::moment::{DAY, MINUTE, SECOND};
use smokejumper::flow::policy::{Policy, Tracking};
use smokejumper::ports::{Arrival, Clock, Door as _, Journal as _};
use smokejumper_intents::intent::{Ask, Intent, Who};
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

/// Rounds after which a bench that has not come to rest never will.
const MAX_ROUNDS: usize = 20_000;

/// An engine at a desk of its own, with a clock that stands still, and GitHub over HTTP.
struct Bench {
    engine: Arc<Engine>,
    ledger: Ledger,
    watch: Arc<Watch>,
    github: FakeGitHub,
    edge: GitHub,
    keys: std::sync::atomic::AtomicU32,
    folder: tempfile::TempDir,
}

fn configured(url: &str) -> Configured {
    Configured {
        api_url: url.to_owned(),
        access: Access::Token(Secret::new(TOKEN)),
        webhook: vec![Secret::new(HOOK_SECRET)],
        allow_plaintext: false,
    }
}

fn policy(connected: bool) -> Policy {
    let mut policy = town::policy();
    policy.platforms.clear();
    for (person, login) in [("ana", "ana-gh"), ("ben", "ben-gh")] {
        policy.people.iter_mut().find(|p| p.id.0 == person).unwrap().github = Some(login.to_owned());
    }
    let labels = vec!["incident".to_owned()];
    policy.tracking = connected.then(|| Tracking { repository: Some("acme/ops".to_owned()), labels, console: None });
    policy
}

impl Bench {
    async fn new() -> Self {
        Self::with(policy(true)).await
    }

    async fn with(policy: Policy) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let watch = Arc::new(Watch::at(START));
        let clock: Arc<dyn Clock> = watch.clone();
        let ledger = Ledger::new(clock.clone());
        let github = FakeGitHub::start(clock.clone()).await;
        let edge = GitHub::new(&configured(&github.url), clock.clone()).unwrap();
        let engine = Self::engine(&ledger, &watch, &edge, policy, folder.path()).await;
        Self { engine, ledger, watch, github, edge, keys: 0.into(), folder }
    }

    async fn engine(
        ledger: &Ledger,
        watch: &Arc<Watch>,
        edge: &GitHub,
        policy: Policy,
        data: &std::path::Path,
    ) -> Arc<Engine> {
        let store = Arc::new(ledger.clone());
        let settings = Settings {
            binary: PathBuf::from(env!("CARGO_BIN_EXE_smokejumper")),
            data: data.to_owned(),
            protect: Vec::new(),
            secrets: Arc::new(|_| None),
            may_act: Arc::new(|| true),
            redactor: Redactor::new(Vec::new()),
        };
        let ports = Ports {
            inbox: store.clone(),
            journal: store.clone(),
            outbox: store.clone(),
            views: store,
            chats: BTreeMap::new(),
            memory: Arc::new(IndexedMemory::volatile().unwrap()),
            runner: Arc::new(Hands::new(settings).unwrap()),
            directory: Arc::new(ConfiguredDirectory::new(Arc::new(policy.clone()))),
            pager: None,
            tracker: Some(Arc::new(edge.clone())),
            clock: watch.clone(),
        };
        Arc::new(Engine::start(ports, policy).await.unwrap())
    }

    /// The process ends, whatever was under way, and another one starts.
    async fn restart(self) -> Self {
        let ledger = self.ledger.crash();
        let clock: Arc<dyn Clock> = self.watch.clone();
        let edge = GitHub::new(&configured(&self.github.url), clock).unwrap();
        let policy = self.engine.policy().as_ref().clone();
        let engine = Self::engine(&ledger, &self.watch, &edge, policy, self.folder.path()).await;
        Self { engine, ledger, edge, ..self }
    }

    async fn hand(&self, event: Event) {
        let n = self.keys.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let (source, key) = ("test".to_owned(), format!("k{n}"));
        self.engine.take(vec![Arrival { source, key, at: self.watch.now(), event }]).await.unwrap();
        while self.engine.turns().await.unwrap() > 0 {}
    }

    async fn ask(&self, incident: Option<u32>, intent: Intent) {
        self.hand(asked(0, incident, intent)).await;
    }

    async fn declare(&self, title: &str) {
        self.ask(
            None,
            Intent::Declare { title: title.to_owned(), severity: None, service: Some("checkout".to_owned()) },
        )
        .await;
    }

    async fn follow_up(&self, incident: u32, title: &str, owner: Option<&str>) {
        let owner = owner.map(|name| Who::Named(name.to_owned()));
        let intent = Intent::FollowUp { title: title.to_owned(), owner, due: None, link: None };
        self.ask(Some(incident), intent).await;
    }

    /// Whatever can be done now, at this very moment.
    async fn work(&self) {
        for _ in 0..MAX_ROUNDS {
            while self.engine.turns().await.unwrap() > 0 {}
            let rows = self.engine.claim().await.unwrap();
            let looked = self.engine.reconcile().await.unwrap();
            if rows.is_empty() && looked == 0 {
                return;
            }
            for carried in join_all(rows.into_iter().map(|row| self.engine.carry(row))).await {
                carried.unwrap();
            }
        }
        panic!("not at rest: {:?}", self.ledger.backlog(self.watch.now()));
    }

    /// Works, and lets time pass to whatever is due next, until nothing is.
    async fn rest(&self) {
        for _ in 0..MAX_ROUNDS {
            self.work().await;
            let Some(next) = self.ledger.backlog(self.watch.now()).next else { return };
            self.watch.set(next);
        }
        panic!("not at rest: {:?}", self.ledger.backlog(self.watch.now()));
    }

    fn later(&self, ms: i64) {
        self.watch.set(self.watch.now().plus(ms));
    }

    async fn incident(&self, id: u32) -> Incident {
        self.ledger.load(IncidentId(id)).await.unwrap().unwrap()
    }

    fn issues(&self) -> Vec<Issue> {
        self.github.issues("acme/ops")
    }

    fn facts(&self, is: impl Fn(&Fact) -> bool) -> usize {
        self.ledger.journal().iter().filter(|e| is(&e.fact)).count()
    }

    /// GitHub saw nothing it should not have seen, and one issue for each follow-up.
    fn assert_clean(&self) {
        assert_eq!(self.github.violations(), Vec::<String>::new());
        let mut seen = BTreeSet::new();
        for issue in self.issues() {
            let marker = issue.body.lines().last().unwrap().to_owned();
            let follow_up = marker.split_once(" incident=").unwrap().1.to_owned();
            assert!(seen.insert(follow_up), "a second issue: {marker}");
        }
    }
}

#[tokio::test]
async fn a_follow_up_becomes_an_issue_and_moves_both_ways() {
    let bench = Bench::new().await;
    bench.declare("checkout answers 500").await;
    bench.follow_up(1, "Add a pool-size alert @ops", Some("ana")).await;
    bench.rest().await;

    let issue = bench.issues().remove(0);
    assert_eq!(issue.title, "Add a pool-size alert @\u{200b}ops");
    assert_eq!(
        (issue.labels.as_slice(), issue.assignees.as_slice()),
        (["incident".to_owned()].as_slice(), ["ana-gh".to_owned()].as_slice())
    );
    assert!(issue.body.contains("`checkout answers 500`") && issue.body.contains("INC-1"), "{}", issue.body);
    let follow_up = bench.incident(1).await.follow_ups.remove(&1).unwrap();
    let url = "https://github.com/acme/ops/issues/1";
    assert_eq!((follow_up.link.as_deref(), follow_up.issue.map(|i| i.number)), (Some(url), Some(1)));

    // Shown on the card and in the postmortem.
    let incident = bench.incident(1).await;
    let shown = smokejumper::flow::card::card(
        &incident,
        &smokejumper::flow::desk::Desk::default(),
        &bench.engine.policy(),
        bench.watch.now(),
    );
    let mut over = incident.clone();
    over.entries += 1;
    let told = smokejumper::flow::postmortem::draft(&over, &bench.ledger.journal(), &bench.engine.policy()).reply();
    assert!(format!("{told:?}").contains(url));
    assert!(format!("{shown:?}").contains(url) || incident.is_open(), "{shown:?}");

    // Done here, closed there; and nothing comes back.
    bench.ask(Some(1), Intent::FollowUpDone { follow_up: 1 }).await;
    bench.rest().await;
    assert!(bench.issues()[0].closed_at.is_some());
    let entries = bench.ledger.written();
    let closed = Event::IssueMoved {
        incident: IncidentId(1),
        follow_up: 1,
        issue: smokejumper::flow::fact::Issue { repository: "acme/ops".to_owned(), number: 1, url: url.to_owned() },
        to: smokejumper::flow::event::IssueMove::Closed,
        by: "smokejumper-bot".to_owned(),
        changed: Some(bench.watch.now()),
    };
    bench.hand(closed).await;
    bench.rest().await;
    assert_eq!((bench.ledger.written(), bench.github.asked("PATCH")), (entries, 1), "no echo");
    bench.assert_clean();
    println!("held against GitHub's OpenAPI: {}", spec::is_here());
}

/// F10: whatever becomes of the answers, and however late lists show what was made.
#[tokio::test]
async fn a_hundred_lost_answers_make_exactly_a_hundred_issues() {
    let bench = Bench::new().await;
    let lost = [Fault::EffectThenLost, Fault::EffectThenBadGateway, Fault::EffectThenGarbage, Fault::EffectThenLost];
    bench.github.with(|truth| {
        truth.faults = (0..100).map(|n| lost[n % lost.len()]).collect();
        truth.lags = (0..100).map(|n| n * 30 * SECOND / 99).collect();
    });
    for n in 1..=20 {
        bench.declare(&format!("incident {n}")).await;
        for m in 1..=5 {
            bench.follow_up(n, &format!("mend {n}.{m}"), None).await;
        }
    }
    let began = bench.watch.now();
    bench.rest().await;
    assert_eq!(bench.issues().len(), 100);
    assert_eq!(bench.github.asked("POST /repos"), 100, "nothing was asked for twice");
    let posted = bench.ledger.posted();
    let filed = |standing| {
        posted.iter().filter(|p| matches!(p.effect, Effect::FileIssue { .. }) && p.standing == standing).count()
    };
    assert_eq!((filed(Standing::Reconciled), filed(Standing::Sent), filed(Standing::Dead)), (100, 0, 0));
    assert_eq!(bench.facts(|f| matches!(f, Fact::IssueFiled { .. })), 100);
    bench.assert_clean();
    println!("100 lost answers, 100 issues, in {} min of the bench's time", bench.watch.now().since(began) / MINUTE);
}

#[tokio::test]
async fn what_had_no_effect_is_sent_again_and_never_before_its_time() {
    let bench = Bench::new().await;
    // Certainly nothing, nobody knows, and asked to wait in all the ways there are.
    let faults = [
        Fault::Lost,
        Fault::BadGateway,
        Fault::Secondary(Some(7)),
        Fault::Secondary(None),
        Fault::TooMany(90),
        Fault::UsedUp(600),
        Fault::EffectThenLost,
    ];
    bench.github.with(|truth| truth.faults = (0..70).map(|n| faults[n % faults.len()]).collect());
    for n in 1..=10 {
        bench.declare(&format!("incident {n}")).await;
        for m in 1..=3 {
            bench.follow_up(n, &format!("mend {n}.{m}"), Some("ana")).await;
        }
    }
    bench.rest().await;
    assert_eq!(bench.issues().len(), 30);
    assert_eq!(bench.facts(|f| matches!(f, Fact::IssueFiled { .. })), 30);
    assert_eq!(bench.facts(|f| matches!(f, Fact::Undelivered { .. })), 0);
    bench.assert_clean();
}

/// More than an hour holds: they queue. None fails, none is asked for too soon.
#[tokio::test]
async fn six_hundred_follow_ups_keep_to_the_limits() {
    let bench = Bench::new().await;
    for n in 1..=12 {
        bench.declare(&format!("incident {n}")).await;
        for m in 1..=50 {
            bench.follow_up(n, &format!("mend {n}.{m}"), None).await;
        }
    }
    let began = bench.watch.now();
    bench.rest().await;
    assert_eq!(bench.issues().len(), 600);
    assert_eq!(bench.facts(|f| matches!(f, Fact::Undelivered { .. })), 0);
    bench.assert_clean();
    let took = bench.watch.now().since(began);
    assert!((60 * MINUTE..75 * MINUTE).contains(&took), "{} min", took / MINUTE);
}

#[tokio::test]
async fn a_crash_in_the_middle_makes_no_second_issue() {
    let mut bench = Bench::new().await;
    for n in 1..=10 {
        bench.declare(&format!("incident {n}")).await;
        bench.follow_up(n, "mend it", None).await;
    }
    for _ in 0..40 {
        // The answer came, and the process ended before it was stored.
        let rows = bench.engine.claim().await.unwrap();
        let filing: Vec<_> =
            rows.iter().filter(|row| matches!(row.effect, Effect::FileIssue { .. })).cloned().collect();
        bench.ledger.fail_at(1_000_000, crate::world::ledger::When::Before);
        for row in filing {
            let calls = bench.ledger.calls();
            let engine = Arc::clone(&bench.engine);
            let ledger = bench.ledger.clone();
            // Its first calls read; the one that settles it finds the ledger gone.
            let carried = async move { engine.carry(row).await };
            tokio::select! {
                biased;
                () = async { while ledger.calls() < calls + 1 { tokio::task::yield_now().await; } } => {}
                _ = carried => {}
            }
        }
        bench = bench.restart().await;
        bench.work().await;
        bench.later(20 * SECOND);
    }
    bench.rest().await;
    assert_eq!(bench.issues().len(), 10);
    assert_eq!(bench.facts(|f| matches!(f, Fact::IssueFiled { .. })), 10);
    bench.assert_clean();
}

#[tokio::test]
async fn what_is_refused_is_told_and_asked_for_again_the_next_day() {
    let bench = Bench::new().await;
    bench.github.with(|truth| truth.repositories.get_mut("acme/ops").unwrap().issues_off = true);
    bench.declare("checkout is down").await;
    bench.follow_up(1, "mend it", None).await;
    bench.rest().await;
    let told = bench.incident(1).await.trouble.unwrap();
    assert!(told.contains("acme/ops") && told.contains("switched off"), "{told}");
    bench.hand(Event::Tick).await;
    bench.rest().await;
    assert_eq!(bench.github.asked("POST"), 1, "not every minute");
    bench.github.with(|truth| truth.repositories.get_mut("acme/ops").unwrap().issues_off = false);
    bench.later(DAY);
    bench.hand(Event::Tick).await;
    bench.rest().await;
    assert_eq!(bench.issues().len(), 1);
    bench.assert_clean();
}

#[tokio::test]
async fn each_way_of_being_refused_says_who_can_do_what() {
    for (repository, says) in [
        (Repository { issues_off: true, ..Repository::default() }, "switched off"),
        (Repository { moved_to: Some("acme/new".to_owned()), ..Repository::default() }, "renamed or moved"),
    ] {
        let bench = Bench::new().await;
        bench.github.with(|truth| truth.repositories.insert("acme/ops".to_owned(), repository));
        bench.declare("checkout is down").await;
        bench.follow_up(1, "mend it", None).await;
        bench.rest().await;
        let told = bench.incident(1).await.trouble.unwrap();
        assert!(told.contains(says), "{told}");
    }
    let bench = Bench::new().await;
    bench.github.with(|truth| truth.repositories.clear());
    bench.declare("checkout is down").await;
    bench.follow_up(1, "mend it", None).await;
    bench.rest().await;
    let told = bench.incident(1).await.trouble.unwrap();
    assert!(told.contains("no such repository") && told.contains("Issues: read and write"), "{told}");
}

#[tokio::test]
async fn follow_ups_from_before_are_pushed_and_private_ones_never() {
    let bench = Bench::with(policy(false)).await;
    for n in 1..=30 {
        bench.declare(&format!("incident {n}")).await;
        bench.follow_up(n, &format!("mend {n}"), None).await;
    }
    bench.ask(Some(3), Intent::Resolve { cause: None, fix: None }).await;
    let private = Fact::MadePrivate { members: vec![town::account(0)] };
    bench.rest().await;
    assert_eq!(bench.github.asked(""), 0);
    // Somebody connects GitHub; what was made private before stays where it is.
    let mut incident = bench.incident(5).await;
    let entry = smokejumper::flow::fact::Entry {
        incident: IncidentId(5),
        n: incident.entries + 1,
        at: bench.watch.now(),
        by: smokejumper::flow::identity::Actor::Bot,
        fact: private,
    };
    incident.apply(&entry);
    let commit = smokejumper::ports::Commit { entries: vec![entry], incidents: vec![incident], ..Default::default() };
    bench.ledger.commit(vec![commit]).await.unwrap();
    let bench = bench.restart().await;
    bench.engine.set_policy(policy(true));
    bench.hand(Event::Tick).await;
    bench.rest().await;
    assert_eq!(bench.issues().len(), 19, "20 incidents in a minute, and one of them is private");
    bench.later(MINUTE);
    bench.hand(Event::Tick).await;
    bench.rest().await;
    let titles: BTreeSet<String> = bench.issues().into_iter().map(|i| i.title).collect();
    assert_eq!(titles.len(), 29);
    assert!(!titles.contains("mend 5") && titles.contains("mend 3"));
    bench.assert_clean();
}

#[tokio::test]
async fn unknown_assignees_and_labels_are_said() {
    let bench = Bench::new().await;
    bench.declare("checkout is down").await;
    bench.follow_up(1, "mend it", Some("ben")).await;
    bench.rest().await;
    let unknown = |incident: &Incident, n| incident.follow_ups[&n].unknown.clone();
    assert_eq!(unknown(&bench.incident(1).await, 1), ["ben-gh"]);
    bench.github.with(|truth| truth.repositories.get_mut("acme/ops").unwrap().drops_labels = true);
    bench.follow_up(1, "mend more", Some("ana")).await;
    bench.rest().await;
    assert_eq!(unknown(&bench.incident(1).await, 2), ["label incident", "ana-gh"]);
    bench.assert_clean();
}

#[tokio::test]
async fn what_webhooks_missed_is_found_by_looking() {
    let bench = Bench::new().await;
    bench.declare("checkout is down").await;
    for n in 1..=4 {
        bench.follow_up(1, &format!("mend {n}"), Some("ana")).await;
    }
    bench.rest().await;
    let store = Arc::new(bench.ledger.clone());
    let mut gaps = Gaps::new(bench.edge.clone(), store, bench.engine.clone());
    let look = async |gaps: &mut Gaps| {
        let looked = gaps.round().await.unwrap();
        bench.rest().await;
        looked
    };
    assert_eq!(look(&mut gaps).await, 4);
    let entries = bench.ledger.written();
    assert_eq!(look(&mut gaps).await, 4, "each was the same as before");
    assert_eq!(bench.ledger.written(), entries);
    let at = bench.watch.now();
    bench.later(MINUTE);
    bench.github.change("acme/ops", 1, "ben-gh", |issue| issue.closed_at = Some(at));
    bench.github.change("acme/ops", 2, "ben-gh", |issue| issue.assignees = vec!["ben-gh".to_owned()]);
    bench.github.change("acme/ops", 3, "ben-gh", |issue| issue.deleted = true);
    look(&mut gaps).await;
    let incident = bench.incident(1).await;
    assert!(incident.follow_ups[&1].done_at.is_some());
    assert_eq!(incident.follow_ups[&2].owner, Some(PersonId("ben".to_owned())));
    assert!(incident.follow_ups[&3].done_at.is_none());
    let entries = bench.ledger.written();
    for _ in 0..3 {
        look(&mut gaps).await;
    }
    assert_eq!(bench.ledger.written(), entries, "each is said once");
    assert_eq!(bench.github.asked("PATCH"), 0, "what came from there is not sent back");
    bench.assert_clean();
}

#[tokio::test]
async fn a_copied_marker_changes_nothing() {
    let bench = Bench::new().await;
    bench.declare("checkout is down").await;
    // The answer is lost, nothing was made, and somebody copies the marker before it is looked for.
    bench.github.with(|truth| truth.faults = [Fault::EffectThenLost].into());
    bench.follow_up(1, "mend it", None).await;
    bench.work().await;
    bench.later(SECOND);
    bench.work().await;
    let made = bench.issues().remove(0);
    bench.github.with(|truth| {
        let issues = &mut truth.repositories.get_mut("acme/ops").unwrap().issues;
        issues.clear();
        issues.push(Issue { user: "mallory".to_owned(), ..made });
    });
    bench.rest().await;
    let issues = bench.issues();
    assert_eq!(issues.len(), 2, "ours is made all the same");
    assert_eq!(bench.incident(1).await.follow_ups[&1].issue.as_ref().map(|i| i.number), Some(2));
    // And closing the copy closes nothing here.
    let there = |number: u64| smokejumper::flow::fact::Issue {
        repository: "acme/ops".to_owned(),
        number,
        url: format!("https://github.com/acme/ops/issues/{number}"),
    };
    for (number, done) in [(1, false), (2, true)] {
        bench
            .hand(Event::IssueMoved {
                incident: IncidentId(1),
                follow_up: 1,
                issue: there(number),
                to: smokejumper::flow::event::IssueMove::Closed,
                by: "mallory".to_owned(),
                changed: None,
            })
            .await;
        assert_eq!(bench.incident(1).await.follow_ups[&1].done_at.is_some(), done, "#{number}");
    }
    assert_eq!(bench.github.violations(), Vec::<String>::new());
}

/// GitHub promises no order: what the issue is now counts, not what came last.
#[tokio::test]
async fn a_move_that_comes_late_was_overtaken() {
    use smokejumper::flow::event::IssueMove::{Closed, Reopened};
    let moved = |to, minute: i64| Event::IssueMoved {
        incident: IncidentId(1),
        follow_up: 1,
        issue: smokejumper::flow::fact::Issue {
            repository: "acme/ops".to_owned(),
            number: 1,
            url: "https://github.com/acme/ops/issues/1".to_owned(),
        },
        to,
        by: "ben-gh".to_owned(),
        changed: Some(START.plus(minute * MINUTE)),
    };
    // Whatever came in which order, and how it ends.
    let ways = [
        (vec![(Closed, 1), (Reopened, 2)], false),
        (vec![(Reopened, 2), (Closed, 1)], false),
        (vec![(Closed, 1), (Reopened, 2), (Closed, 1)], false),
        (vec![(Reopened, 2), (Closed, 3), (Closed, 1)], true),
        (vec![(Closed, 1), (Closed, 3), (Reopened, 2)], true),
        (vec![(Closed, 3), (Reopened, 2), (Closed, 1)], true),
    ];
    for (moves, done) in ways {
        let bench = Bench::new().await;
        bench.declare("checkout is down").await;
        bench.follow_up(1, "mend it", None).await;
        bench.rest().await;
        for (to, minute) in moves.clone() {
            bench.hand(moved(to, minute)).await;
        }
        assert_eq!(bench.incident(1).await.follow_ups[&1].done_at.is_some(), done, "{moves:?}");
        bench.assert_clean();
    }
}

#[tokio::test]
async fn whoever_makes_it_private_is_told_of_the_issues_there_are() {
    let bench = Bench::new().await;
    bench.declare("checkout is down").await;
    bench.follow_up(1, "mend it", None).await;
    bench.rest().await;
    let ask = Ask { incident: Some(1), intent: Intent::MakePrivate };
    let asking = bench.engine.ask(town::account(0), ask, "private".to_owned());
    let turning = async { while bench.engine.turns().await.unwrap() == 0 {} };
    let (reply, ()) = tokio::join!(asking, turning);
    let said = format!("{:?}", reply.unwrap());
    assert!(said.contains("https://github.com/acme/ops/issues/1") && said.contains("still there"), "{said}");
}
