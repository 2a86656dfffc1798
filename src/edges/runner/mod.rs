//! Remediation's hands: runs approved plans, once each, and looks whether they helped.
//!
//! `catalogue` reads the reviewed runbooks; `exec`, `http` and `verify` carry out a plan's parts; `supervise` is the process
//! between the bot and a run. Knows nothing of approvals beyond holding one: only `flow::remediation` can make it.

pub mod catalogue;
mod confine;
mod descendants;
mod exec;
mod executable;
mod http;
mod order;
pub mod output;
pub mod redact;
mod spawn;
pub mod supervise;
mod token;
mod verify;

use self::exec::{Executed, Exit};
use self::http::Answer;
use self::order::Order;
use self::redact::Redactor;
use self::token::{StartTokens, TokenError};
use crate::config::secret::Secret;
use crate::egress::Client;
use crate::flow::fact::{Ended, Output, RunOutcome, StepResult, Verdict};
use crate::flow::plan::{FileDigest, Plan, Request, Step};
use crate::flow::remediation::Approved;
use crate::flow::runbook::EnvValue;
use crate::ports::Runner;
use std::path::PathBuf;
use std::sync::Arc;
use tokio::sync::Semaphore;
use tokio::time::Instant;

/// Runs and probes at the same time; each holds a supervisor and its pipes.
const MAX_PARALLEL: usize = 16;
/// Where a process starts when its step does not say: nothing there is found by accident.
const DEFAULT_FOLDER: &str = "/";
/// Folder of the start tokens in the data directory.
const TOKENS: &str = "runs";

/// The value of a configured secret by its name.
pub type Secrets = Arc<dyn Fn(&str) -> Option<Secret> + Send + Sync>;

/// Whether this process is surely still the one that runs anything ([`crate::ports::Outbox::may_act`]).
pub type MayAct = Arc<dyn Fn() -> bool + Send + Sync>;

/// What the hands are given.
pub struct Settings {
    /// This very binary, to start the supervisor from: `/proc/self/exe`.
    pub binary: PathBuf,
    /// The data directory; start tokens go into it.
    pub data: PathBuf,
    /// What no run may touch, where the kernel has Landlock: the data directory, and files with secrets.
    pub protect: Vec<PathBuf>,
    pub secrets: Secrets,
    /// Asked directly before each step.
    pub may_act: MayAct,
    /// Knows every configured secret.
    pub redactor: Redactor,
}

impl std::fmt::Debug for Settings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Settings").field("data", &self.data).field("protect", &self.protect).finish_non_exhaustive()
    }
}

/// Implements [`Runner`] on this machine.
pub struct Hands {
    binary: PathBuf,
    protect: Vec<PathBuf>,
    secrets: Secrets,
    may_act: MayAct,
    redactor: Redactor,
    client: Client,
    tokens: StartTokens,
    places: Semaphore,
}

impl std::fmt::Debug for Hands {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Hands").field("binary", &self.binary).finish_non_exhaustive()
    }
}

impl Hands {
    /// # Errors
    /// When no HTTP client can be made (no usable TLS roots).
    pub fn new(settings: Settings) -> Result<Self, String> {
        Ok(Self {
            binary: settings.binary,
            // The supervisor starts elsewhere: a relative path would mean something else there.
            protect: settings.protect.iter().filter_map(|path| std::path::absolute(path).ok()).collect(),
            secrets: settings.secrets,
            may_act: settings.may_act,
            redactor: settings.redactor,
            client: http::client()?,
            tokens: StartTokens::new(settings.data.join(TOKENS)),
            places: Semaphore::new(MAX_PARALLEL),
        })
    }

    /// Executes the plan under the name `op`, which is used up by it.
    async fn execute(&self, plan: &Plan, op: &str) -> RunOutcome {
        let start = Instant::now();
        let mut steps = Vec::new();
        let ended = match self.claim(op, plan).await {
            Err(ended) => ended,
            Ok(()) => self.steps(plan, &mut steps).await,
        };
        RunOutcome { ended, steps, duration_ms: i64::try_from(start.elapsed().as_millis()).unwrap_or(i64::MAX) }
    }

    async fn claim(&self, op: &str, plan: &Plan) -> Result<(), Ended> {
        let (tokens, op, note) = (self.tokens.clone(), op.to_owned(), format!("{}\n", plan.sha256()));
        match tokio::task::spawn_blocking(move || tokens.claim(&op, &note)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(e @ TokenError::AlreadyStarted)) => Err(Ended::Unknown { why: e.to_string() }),
            Ok(Err(e @ TokenError::Io { .. })) => Err(Ended::NotStarted { why: e.to_string() }),
            Err(e) => Err(Ended::NotStarted { why: format!("its start cannot be recorded: {e}") }),
        }
    }

    async fn steps(&self, plan: &Plan, results: &mut Vec<StepResult>) -> Ended {
        for (step, number) in plan.steps.iter().zip(1..) {
            let (result, ended) = match step {
                Step::Exec { argv, env, cwd, timeout_ms } => {
                    let done = self.process(argv, env, cwd.as_deref(), *timeout_ms, &plan.files).await;
                    after_process(done, number)
                }
                Step::Http(request) => self.request(request, number).await,
            };
            results.extend(result);
            if let Some(ended) = ended {
                return ended;
            }
        }
        Ended::Succeeded
    }

    async fn process(
        &self,
        argv: &[String],
        env: &[(String, EnvValue)],
        cwd: Option<&str>,
        timeout_ms: i64,
        files: &[FileDigest],
    ) -> Executed {
        let not_started = |why| Executed { exit: Exit::NotStarted(why), output: Output::default(), duration_ms: 0 };
        let env = match self.fill(env) {
            Ok(env) => env,
            Err(why) => return not_started(why),
        };
        let Ok(_place) = self.places.acquire().await else { return not_started("shutting down".to_owned()) };
        // The place may have been long in coming.
        if let Err(why) = self.surely_ours() {
            return not_started(why);
        }
        let order = Order {
            argv: argv.to_vec(),
            env,
            cwd: cwd.unwrap_or(DEFAULT_FOLDER).to_owned(),
            timeout_ms: u64::try_from(timeout_ms).unwrap_or(0),
            files: files.to_vec(),
            protect: self.protect.clone(),
        };
        exec::run(&self.binary, order, &self.redactor).await
    }

    async fn request(&self, request: &Request, number: u32) -> (Option<StepResult>, Option<Ended>) {
        let start = Instant::now();
        let answer = self.answer(request).await;
        let duration_ms = i64::try_from(start.elapsed().as_millis()).unwrap_or(i64::MAX);
        let failed = |why| Some(Ended::Failed { step: number, why });
        // It was sent, so it may have had its effect: a person looks, nothing is repeated (I18).
        let unknown = |why| Some(Ended::Unknown { why: format!("step {number} may have had its effect: {why}") });
        match answer {
            Ok(Answer::Status { status, body, .. }) => {
                let ended = if request.expect_status.contains(&status) {
                    None
                } else {
                    failed(format!("it answered {status}"))
                };
                (Some(StepResult { code: Some(status.into()), duration_ms, output: body }), ended)
            }
            Err(why) | Ok(Answer::NotSent(why)) => (None, Some(before_effect(number, why))),
            Ok(Answer::Lost(why)) => (None, unknown(format!("the answer was lost: {why}"))),
            Ok(Answer::TimedOut) => (None, unknown("no answer came in time".to_owned())),
        }
    }

    async fn answer(&self, request: &Request) -> Result<Answer, String> {
        let headers = self.fill(&request.headers)?;
        self.surely_ours()?;
        Ok(http::send(&self.client, request, &headers, &self.redactor).await)
    }

    fn surely_ours(&self) -> Result<(), String> {
        let lost = || "not begun: this process may have lost the database to another".to_owned();
        (self.may_act)().then_some(()).ok_or_else(lost)
    }

    /// Values with their secrets filled in, for the moment they are used.
    fn fill(&self, values: &[(String, EnvValue)]) -> Result<Vec<(String, String)>, String> {
        let one = |(name, value): &(String, EnvValue)| match value {
            EnvValue::Plain(text) => Ok((name.clone(), text.clone())),
            EnvValue::Secret(secret) => (self.secrets)(secret)
                .map(|value| (name.clone(), value.expose().to_owned()))
                .ok_or_else(|| format!("the secret `{secret}` is not configured")),
        };
        values.iter().map(one).collect()
    }
}

fn before_effect(step: u32, why: String) -> Ended {
    if step == 1 { Ended::NotStarted { why } } else { Ended::Failed { step, why } }
}

fn after_process(done: Executed, step: u32) -> (Option<StepResult>, Option<Ended>) {
    let result = |code| Some(StepResult { code, duration_ms: done.duration_ms, output: done.output });
    match done.exit {
        Exit::Code(0) => (result(Some(0)), None),
        Exit::Code(code) => (result(Some(code)), Some(Ended::Failed { step, why: format!("exit code {code}") })),
        Exit::Failed(why) => (result(None), Some(Ended::Failed { step, why })),
        Exit::TimedOut => (result(None), Some(Ended::TimedOut { step })),
        Exit::Lost(why) => (result(None), Some(Ended::Unknown { why })),
        Exit::NotStarted(why) => (None, Some(before_effect(step, why))),
    }
}

#[async_trait::async_trait]
impl Runner for Hands {
    /// A file that cannot be read is not in the answer.
    async fn freshen(&self, plan: &Plan) -> Vec<FileDigest> {
        let paths: Vec<String> = plan.files.iter().map(|file| file.path.clone()).collect();
        let digest = |path: String| {
            let sha256 = executable::digest(path.as_ref()).ok()?;
            Some(FileDigest { path, sha256 })
        };
        let hashed = tokio::task::spawn_blocking(move || paths.into_iter().filter_map(digest).collect()).await;
        hashed.unwrap_or_default()
    }

    async fn run(&self, approved: Approved) -> RunOutcome {
        let plan = approved.plan();
        if plan.sha256() != approved.sha256() {
            let why = "the plan is not the one that was approved".to_owned();
            return RunOutcome { ended: Ended::NotStarted { why }, steps: Vec::new(), duration_ms: 0 };
        }
        let op = format!("inc-{}-run-{}-{}", approved.incident().0, approved.request(), approved.sha256());
        self.execute(plan, &op).await
    }

    async fn verify(&self, plan: &Plan) -> Verdict {
        verify::verify(self, plan).await
    }
}
