//! A GitHub that holds the truth and is strict about it: real HTTP, its limits by a clock the test moves, a script of faults.
//!
//! What it refuses or sees broken it counts in `violations`; a test that lets it see something wrong on purpose says so.

mod http;
mod shapes;
pub mod spec;

use ring::signature::{KeyPair as _, RsaKeyPair};
use serde_json::Value;
use smokejumper::flow::moment::{At, HOUR, MINUTE, SECOND};
use smokejumper::ports::Clock;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};

/// The token it knows, and the login behind it.
pub const TOKEN: &str = "github_pat_of_the_bot";
pub const LOGIN: &str = "smokejumper-bot";
/// A person's, who works on the issues as well.
pub const TOKEN_OF_ANA: &str = "github_pat_of_ana";
pub const ANA: &str = "ana-gh";
pub const APP: u64 = 4_711;
pub const INSTALLATION: u64 = 99;
pub const APP_SLUG: &str = "smokejumper";
pub const HOOK_SECRET: &str = "it-signs-what-it-sends";
pub const PKCS1: &str = include_str!("../../fixtures/github/app.pkcs1.pem");
pub const PKCS8: &str = include_str!("../../fixtures/github/app.pkcs8.pem");

/// What happens to a request that would make or change something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It takes effect, and the answer never arrives.
    EffectThenLost,
    /// It takes effect, and a proxy answers 502.
    EffectThenBadGateway,
    /// No effect, and no answer either.
    Lost,
    BadGateway,
    /// 403 "secondary rate limit", with Retry-After (s) or without.
    Secondary(Option<i64>),
    /// 429 with Retry-After (s).
    TooMany(i64),
    /// The hourly limit is used up; it starts anew in so many seconds.
    UsedUp(i64),
    /// It takes effect, and the answer is no JSON.
    EffectThenGarbage,
}

#[derive(Clone, Debug)]
pub struct Issue {
    pub number: u64,
    pub title: String,
    pub body: String,
    pub labels: Vec<String>,
    pub assignees: Vec<String>,
    pub user: String,
    pub closed_by: Option<String>,
    pub created_at: At,
    pub updated_at: At,
    pub closed_at: Option<At>,
    /// Not in lists before.
    pub listed_from: At,
    pub deleted: bool,
}

#[derive(Clone, Debug, Default)]
pub struct Repository {
    pub issues: Vec<Issue>,
    pub issues_off: bool,
    pub moved_to: Option<String>,
    pub assignable: BTreeSet<String>,
    /// The token may not set labels and assignees: they are dropped without a word.
    pub drops_labels: bool,
}

#[derive(Default)]
pub struct Truth {
    pub repositories: BTreeMap<String, Repository>,
    pub faults: VecDeque<Fault>,
    /// How long (ms) issues made from now on are missing in lists, in turn.
    pub lags: VecDeque<i64>,
    pub violations: Vec<String>,
    /// `GET /repos/acme/ops/issues`, without queries, in order.
    pub requests: Vec<(At, String)>,
    /// Tokens of the installation, and until when they are good.
    pub tokens: BTreeMap<String, At>,
    closed_until: Option<At>,
    creations: VecDeque<At>,
    last_write: Option<At>,
    fetched: u64,
    /// Where it tells of issues that were made or changed through its API. Once: GitHub does not try again either.
    pub hook: Option<String>,
}

#[derive(Clone)]
pub struct FakeGitHub {
    pub url: String,
    pub truth: Arc<Mutex<Truth>>,
    clock: Arc<dyn Clock>,
}

impl Truth {
    fn closed(&self, now: At) -> bool {
        self.closed_until.is_some_and(|until| now < until)
    }

    fn close_for(&mut self, now: At, seconds: i64) {
        self.closed_until = Some(now.plus(seconds * SECOND));
    }

    /// A write begins: is it polite, and is there room for it?
    fn begins(&mut self, now: At, creates: bool) -> bool {
        if self.last_write.is_some_and(|last| now.since(last) < SECOND) {
            self.violations.push(format!("two writes within a second at {}", now.rfc3339()));
        }
        self.last_write = Some(now);
        if !creates {
            return true;
        }
        self.creations.retain(|at| now.since(*at) < HOUR);
        let minute = self.creations.iter().filter(|at| now.since(**at) < MINUTE).count();
        if minute >= 80 || self.creations.len() >= 500 {
            self.violations.push(format!("{minute} in a minute, {} in an hour", self.creations.len()));
            return false;
        }
        self.creations.push_back(now);
        true
    }
}

impl FakeGitHub {
    /// Listens on this machine.
    pub async fn start(clock: Arc<dyn Clock>) -> Self {
        Self::start_at("127.0.0.1:0", clock).await
    }

    /// The same at an address somebody knows.
    pub async fn start_at(address: &str, clock: Arc<dyn Clock>) -> Self {
        let listener = tokio::net::TcpListener::bind(address).await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let fake = Self { url, truth: Arc::default(), clock };
        let app = http::router(fake.clone());
        tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        fake.with(|truth| {
            let repository = Repository { assignable: [ANA.to_owned()].into(), ..Repository::default() };
            truth.repositories.insert("acme/ops".to_owned(), repository);
        });
        fake
    }

    pub fn with<T>(&self, work: impl FnOnce(&mut Truth) -> T) -> T {
        let mut truth: MutexGuard<'_, Truth> = self.truth.lock().unwrap();
        work(&mut truth)
    }

    pub fn now(&self) -> At {
        self.clock.now()
    }

    pub fn issues(&self, repository: &str) -> Vec<Issue> {
        self.with(|truth| truth.repositories[repository].issues.clone())
    }

    /// What it saw that it should not have seen.
    pub fn violations(&self) -> Vec<String> {
        self.with(|truth| truth.violations.clone())
    }

    /// How many requests began like this.
    pub fn asked(&self, begins: &str) -> usize {
        self.with(|truth| truth.requests.iter().filter(|(_, line)| line.starts_with(begins)).count())
    }

    /// Somebody changes an issue on its page.
    pub fn change(&self, repository: &str, number: u64, by: &str, change: impl FnOnce(&mut Issue)) {
        let now = self.now();
        self.with(|truth| {
            let repository = truth.repositories.get_mut(repository).unwrap();
            let issue = repository.issues.iter_mut().find(|i| i.number == number).unwrap();
            change(issue);
            issue.updated_at = now;
            issue.closed_by = issue.closed_at.map(|_| by.to_owned());
        });
    }

    /// A call of its API, as `curl` in the guide makes it.
    pub async fn call(&self, method: &str, path: &str, token: &str, body: Value) -> Value {
        let request = client().request(method.parse().unwrap(), format!("{}{path}", self.url));
        let request = request
            .header("accept", "application/vnd.github+json")
            .header("x-github-api-version", "2022-11-28")
            .header("user-agent", "a person")
            .bearer_auth(token);
        let answer = request.json(&body).send().await.unwrap();
        assert!(answer.status().is_success(), "{method} {path}: {}", answer.status());
        answer.json().await.unwrap()
    }

    /// The delivery about an issue as it stands, and its signature.
    pub fn delivery(&self, repository: &str, number: u64, action: &str, sender: &str) -> (String, String) {
        let issue = self.with(|truth| {
            let issues = &truth.repositories[repository].issues;
            issues.iter().find(|i| i.number == number).unwrap().clone()
        });
        let body = shapes::delivery(&self.url, repository, &issue, action, sender).to_string();
        let signature = sign(HOOK_SECRET, body.as_bytes());
        (body, signature)
    }
}

/// For what it tells, and for what people tell it.
fn client() -> reqwest::Client {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none());
    client.timeout(std::time::Duration::from_secs(10)).build().unwrap()
}

/// `sha256=…`
pub fn sign(secret: &str, body: &[u8]) -> String {
    let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, secret.as_bytes());
    let tag = ring::hmac::sign(&key, body);
    tag.as_ref().iter().fold("sha256=".to_owned(), |text, byte| format!("{text}{byte:02x}"))
}

/// The App's public key, PKCS#1.
fn public_key() -> Vec<u8> {
    use base64::Engine as _;
    let body: String = PKCS8.lines().filter(|line| !line.starts_with("-----")).collect();
    let der = base64::engine::general_purpose::STANDARD.decode(body).unwrap();
    RsaKeyPair::from_pkcs8(&der).unwrap().public_key().as_ref().to_vec()
}
