//! A workbench: a runbook folder, the hands, and the flow's own way to leave to run.

use smokejumper::config::secret::Secret;
use smokejumper::edges::runner::redact::Redactor;
use smokejumper::edges::runner::{Hands, Settings, catalogue};
use smokejumper::flow::State;
use smokejumper::flow::decide::decide;
use smokejumper::flow::event::{Event, Fresh};
use smokejumper::flow::fact::{Entry, Fact, Origin, Output, RunOutcome};
use smokejumper::flow::identity::Actor;
use smokejumper::flow::incident::{Incident, IncidentId};
use smokejumper::flow::moment::{At, HOUR};
use smokejumper::flow::plan::{FileDigest, Plan};
use smokejumper::flow::policy::Policy;
use smokejumper::flow::remediation::Approved;
use smokejumper::flow::render::render;
use smokejumper::ports::Runner;
use smokejumper_intents::word::Severity;
use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use tempfile::TempDir;

pub const INCIDENT: IncidentId = IncidentId(7);
/// Nobody else's secret, and in no argument of any process.
pub const CANARY: &str = "canary-9f2c-not-a-word";

/// Seconds of a `sleep` that tell its process from all others on this machine.
static MARKS: AtomicU32 = AtomicU32::new(1);

pub struct Bench {
    pub dir: TempDir,
    pub hands: Arc<Hands>,
    requests: AtomicU32,
}

impl Bench {
    pub fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("books")).unwrap();
        std::fs::create_dir(dir.path().join("data")).unwrap();
        std::fs::create_dir(dir.path().join("free")).unwrap();
        let hands = Arc::new(Hands::new(settings(&dir.path().join("data"))).unwrap());
        Self { dir, hands, requests: AtomicU32::new(0) }
    }

    pub fn books(&self) -> PathBuf {
        self.dir.path().join("books")
    }

    pub fn data(&self) -> PathBuf {
        self.dir.path().join("data")
    }

    /// Where runs may write: not in the folder above, which is on the way to the protected data.
    pub fn free(&self, name: &str) -> PathBuf {
        self.dir.path().join("free").join(name)
    }

    pub fn script(&self, name: &str, body: &str) -> PathBuf {
        let path = self.books().join(name);
        std::fs::write(&path, body).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        path
    }

    /// The plan of a runbook that consists of these lines below its title.
    pub fn plan(&self, book: &str, params: &[(&str, &str)]) -> Plan {
        let source = format!("title = \"x\"\nrisk = \"read\"\n{book}");
        std::fs::write(self.books().join("book.toml"), source).unwrap();
        let loaded = catalogue::load(&self.books(), &|_| true);
        let errors: Vec<_> = loaded.problems.iter().filter(|p| p.is_error()).collect();
        assert!(errors.is_empty(), "{errors:?}");
        let params: Vec<_> = params.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        render(&loaded.runbooks["book"], INCIDENT, &params, &BTreeMap::new()).unwrap()
    }

    /// A plan of one step that runs `body` by `/bin/sh`.
    pub fn shell(&self, body: &str, timeout: &str) -> Plan {
        self.script("run.sh", &format!("#!/bin/sh\n{body}\n"));
        self.plan(&format!("[[steps]]\nexec = [\"./run.sh\"]\ntimeout = \"{timeout}\"\n"), &[])
    }

    /// What the flow says about running it now, given these digests.
    pub fn poised(&self, plan: &Plan, files: Vec<FileDigest>) -> Option<Approved> {
        let request = self.requests.fetch_add(1, Ordering::SeqCst) + 1;
        leave(&self.books(), plan, request, files)
    }

    pub async fn approved(&self, plan: &Plan) -> Approved {
        let files = self.hands.freshen(plan).await;
        self.poised(plan, files).expect("the flow gives leave")
    }

    pub async fn run(&self, plan: &Plan) -> RunOutcome {
        self.hands.run(self.approved(plan).await).await
    }
}

pub fn settings(data: &Path) -> Settings {
    Settings {
        binary: PathBuf::from(env!("CARGO_BIN_EXE_smokejumper")),
        data: data.to_owned(),
        protect: vec![data.to_owned()],
        secrets: Arc::new(|name| (name == "token").then(|| Secret::new(CANARY))),
        may_act: Arc::new(|| true),
        redactor: Redactor::new([CANARY.to_owned()]),
    }
}

/// An incident with one request that needs no approval, about to run.
pub fn leave(books: &Path, plan: &Plan, request: u32, files: Vec<FileDigest>) -> Option<Approved> {
    let policy = Policy { runbooks: catalogue::load(books, &|_| true).runbooks, ..Policy::default() };
    let (now, later) = (At(1_000), At(1_000 + HOUR));
    let declared = Fact::Declared {
        title: "x".to_owned(),
        severity: Severity::Sev3,
        service: None,
        labels: BTreeMap::new(),
        origin: Origin::Person,
    };
    let requested =
        Fact::RunRequested { request, plan: plan.clone(), sha256: plan.sha256(), needs: 0, expires_at: later };
    let mut incident = Incident { id: INCIDENT, ..Incident::default() };
    for (fact, n) in [declared, requested].into_iter().zip(1..) {
        incident.apply(&Entry { incident: INCIDENT, n, at: now, by: Actor::Bot, fact });
    }
    let state = State { incidents: BTreeMap::from([(INCIDENT, incident)]), ..State::default() };
    let fresh = Fresh { files, ..Fresh::default() };
    decide(&state, Event::Poised { incident: INCIDENT, request, fresh }, &policy, now).unwrap().go
}

/// A number of seconds nobody else on this machine sleeps.
pub fn mark() -> String {
    format!("9000.{:06}{:03}", std::process::id(), MARKS.fetch_add(1, Ordering::SeqCst))
}

/// Processes (not zombies) with `mark` in their arguments.
pub fn alive(mark: &str) -> Vec<u32> {
    let pids = std::fs::read_dir("/proc").unwrap().filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    pids.filter(|pid: &u32| {
        std::fs::read(format!("/proc/{pid}/cmdline")).is_ok_and(|line| String::from_utf8_lossy(&line).contains(mark))
    })
    .collect()
}

pub fn output(outcome: &RunOutcome) -> &Output {
    &outcome.steps.last().unwrap_or_else(|| panic!("no step: {outcome:?}")).output
}
