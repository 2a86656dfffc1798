//! The configuration while everything runs: on SIGHUP, and when one of its files changes, it is read and checked; valid, it is
//! in force at once; invalid, the old rules stay and everybody who looks is told.
//!
//! Knows files and what follows from them; how they are read is handed in.

use super::doors::Doors;
use super::tracking;
use crate::config::checked::Config;
use crate::config::problem::Problem;
use crate::config::secret::Secret;
use crate::edges::runner::redact::Redactor;
use crate::edges::web::LoginDesk;
use crate::flow::event::Event;
use crate::flow::policy::Policy;
use crate::ports::{Arrival, Clock, Door, Rules};
use std::collections::BTreeMap;
use std::fmt::Debug;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, SystemTime};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;
use tokio::time::Instant;

/// Between two looks at the files: a person who saves one waits no longer than that. A look is a few calls of the kernel.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// Calendars are laid out for weeks ahead; this often they are laid out anew.
const REFRESH_EVERY: Duration = Duration::from_hours(6);
/// Entries of a folder that are looked at: more runbooks than anybody reviews.
const MAX_ENTRIES: usize = 2_000;
/// Problems said in one line; `check` says all of them.
const SAID: usize = 3;

/// What a look at the configuration gave.
#[derive(Debug)]
pub struct Loaded {
    /// Everything that was read, as far as it is known.
    pub files: Vec<PathBuf>,
    /// With its runbooks, and its warnings.
    pub result: Result<(Box<Config>, Vec<Problem>), Vec<Problem>>,
}

/// Reads the configuration again, as it was read at the start.
pub type Load = Arc<dyn Fn() -> Loaded + Send + Sync>;
/// Secrets by name, as they are now.
pub type Secrets = Arc<RwLock<BTreeMap<String, Secret>>>;

/// Everything that follows the configuration.
pub struct Reload {
    /// As it is in force.
    pub config: Config,
    /// As it was at the start: what cannot be changed since.
    pub began_with: Config,
    pub rules: Rules,
    pub doors: Doors,
    pub secrets: Secrets,
    pub redactor: Redactor,
    pub sessions: Arc<LoginDesk>,
    pub door: Arc<dyn Door>,
    pub clock: Arc<dyn Clock>,
}

/// How files looked: another stamp, other contents.
type Stamp = Vec<(PathBuf, Option<(SystemTime, u64)>)>;

impl Reload {
    /// Works until told to stop.
    pub async fn keep(mut self, load: Load, mut stop: watch::Receiver<bool>) {
        let mut called = signal(SignalKind::hangup()).ok();
        let mut files = self.files();
        // The first look is soon after the start: something may have changed since it was read.
        let mut seen: Option<Stamp> = None;
        let mut read_at = Instant::now();
        loop {
            let asked = tokio::select! {
                () = tokio::time::sleep(LOOK_EVERY) => false,
                () = hung_up(called.as_mut()) => true,
                _ = stop.changed() => return,
            };
            let looked_at = files.clone();
            let Ok(stamp) = tokio::task::spawn_blocking(move || stamp(&looked_at)).await else { continue };
            let changed = seen.as_ref() != Some(&stamp);
            let aged = read_at.elapsed() >= REFRESH_EVERY;
            if !(asked || changed || aged) {
                continue;
            }
            let reading = Arc::clone(&load);
            let Ok(loaded) = tokio::task::spawn_blocking(move || reading()).await else { continue };
            read_at = Instant::now();
            let same_files = loaded.files == files;
            files = loaded.files;
            // Files that are new to us may have changed while they were read: they are looked at again.
            seen = same_files.then_some(stamp);
            match loaded.result {
                Ok((config, warnings)) => self.take_over(*config, &warnings, asked, !(asked || changed)).await,
                Err(problems) => self.refuse(&problems),
            }
        }
    }

    fn files(&self) -> Vec<PathBuf> {
        read_files(&self.config)
    }

    /// A valid configuration comes into force. `quietly`: nobody changed it, time went on.
    async fn take_over(&mut self, mut config: Config, warnings: &[Problem], asked: bool, quietly: bool) {
        if let Some(file) = self.config.file.as_ref().filter(|_| config.file.is_none()) {
            // Defaults instead would let everybody go.
            let gone = Problem::of_file(file, "the configuration is gone").hint("put it back, or restart without it");
            return self.refuse(&[gone]);
        }
        if self.rules.refused().is_some() {
            tracing::info!("the configuration is right again");
        }
        self.rules.refuse(None);
        tracking::tell_console(&mut config);
        let what = differences(&self.config, &config);
        if what.is_empty() {
            if asked {
                tracing::info!("the configuration was read again: nothing has changed");
            }
            return;
        }
        // Before anything can say one of them: old ones stay hidden, too.
        self.redactor.learn(config.secrets.values().map(|s| s.expose().to_owned()));
        if let Err(problem) = self.doors.set(&config) {
            self.rules.refuse(Some(problem.to_string()));
            tracing::error!(%problem, "the changed configuration is not in force");
            return;
        }
        self.secrets.write().unwrap_or_else(PoisonError::into_inner).clone_from(&config.secrets);
        // Who is in a platform's groups is not in the files.
        config.policy.members = self.rules.current().members.clone();
        self.rules.replace(config.policy.clone());
        let policy = self.rules.current();
        self.sessions.keep_only(|identity| policy.person(identity).is_some());
        let digest = digest(&config);
        let restart = needing_restart(&self.began_with, &config);
        self.config = config;
        if quietly {
            return;
        }
        for warning in warnings {
            tracing::warn!("{warning}");
        }
        tracing::info!(changed = what.join("; "), "the configuration was read again and is in force");
        if !restart.is_empty() {
            tracing::warn!(parts = restart.join(", "), "changed, but in force only after a restart");
        }
        let mut told = what;
        told.extend(restart.iter().map(|part| format!("{part}: after a restart")));
        let at = self.clock.now();
        let key = format!("{}:{digest}", at.0);
        let event = Event::RulesRead { digest, what: told };
        let arrival = Arrival { source: "configuration".to_owned(), key, at, event };
        if let Err(problem) = self.door.take(vec![arrival]).await {
            tracing::error!(%problem, "that the rules changed could not be noted; they are in force");
        }
    }

    fn refuse(&self, problems: &[Problem]) {
        let errors: Vec<String> = problems.iter().filter(|p| p.is_error()).map(ToString::to_string).collect();
        let more = errors.len().saturating_sub(SAID);
        let mut said = errors.into_iter().take(SAID).collect::<Vec<_>>().join("; ");
        if more > 0 {
            said.extend(["; and ", &more.to_string(), " more, see `smokejumper check`"]);
        }
        if self.rules.refused().as_deref() != Some(said.as_str()) {
            tracing::error!(problems = said, "the changed configuration is not in force; the rules stay as they were");
        }
        self.rules.refuse(Some(said));
    }
}

async fn hung_up(signal: Option<&mut Signal>) {
    match signal {
        Some(signal) => {
            signal.recv().await;
        }
        None => std::future::pending().await,
    }
}

/// Every file and folder a configuration was read from.
#[must_use]
pub fn read_files(config: &Config) -> Vec<PathBuf> {
    config.file.iter().chain(&config.files).chain(&config.runbooks).cloned().collect()
}

/// Of folders the entries count, too.
fn stamp(files: &[PathBuf]) -> Stamp {
    let mut stamp = Stamp::new();
    for file in files {
        stamp.push((file.clone(), looks(file)));
        let Ok(entries) = std::fs::read_dir(file) else { continue };
        let mut inside: Vec<PathBuf> = entries.flatten().take(MAX_ENTRIES).map(|e| e.path()).collect();
        inside.sort_unstable();
        stamp.extend(inside.into_iter().map(|path| (path.clone(), looks(&path))));
    }
    stamp
}

fn looks(path: &Path) -> Option<(SystemTime, u64)> {
    let meta = std::fs::metadata(path).ok()?;
    Some((meta.modified().ok()?, meta.len()))
}

/// Of all that is in force but the values of secrets, which show as a word.
fn digest(config: &Config) -> String {
    hex::encode(ring::digest::digest(&ring::digest::SHA256, format!("{config:?}").as_bytes()).as_ref())
}

/// `2 routes, were 1`; `people`: as many, but others.
fn differences(old: &Config, new: &Config) -> Vec<String> {
    let mut what = Vec::new();
    let (was, is): (&Policy, &Policy) = (&old.policy, &new.policy);
    let mut list = |name: &str, was: (usize, String), is: (usize, String)| {
        if was.0 != is.0 {
            what.push(format!("{name}: {}, were {}", is.0, was.0));
        } else if was.1 != is.1 {
            what.push(format!("{name}: changed"));
        }
    };
    list("people", counted(&was.people), counted(&is.people));
    list("services", (was.services.len(), shown(&was.services)), (is.services.len(), shown(&is.services)));
    list("routes", counted(&was.routes), counted(&is.routes));
    list("silences", counted(&was.silences), counted(&is.silences));
    list("maintenance windows", counted(&was.maintenance), counted(&is.maintenance));
    list("on-call schedules", counted(&was.rota), counted(&is.rota));
    list("runbooks", (was.runbooks.len(), shown(&was.runbooks)), (is.runbooks.len(), shown(&is.runbooks)));
    list("alert sources", counted(&old.sources), counted(&new.sources));
    list("change sources", counted(&old.change_sources), counted(&new.change_sources));
    let rest = |p: &Policy| {
        shown(&(&p.hours, &p.grouping, &p.storm, &p.triage, &p.approval, &p.escalation, &p.nudges, &p.tracking))
    };
    list("thresholds and times", (0, rest(was)), (0, rest(is)));
    let another = |(name, secret): &(&String, &Secret)| {
        !old.secrets.get(*name).is_some_and(|known| known.matches(secret.expose()))
    };
    let secrets = new.secrets.iter().filter(another).count()
        + old.secrets.keys().filter(|n| !new.secrets.contains_key(*n)).count();
    if secrets > 0 {
        what.push(format!("secrets: {secrets} changed"));
    }
    what.extend(needing_restart(old, new).into_iter().map(str::to_owned));
    what
}

/// Parts that are made once.
fn needing_restart(old: &Config, new: &Config) -> Vec<&'static str> {
    let parts = [
        ("[server] listen", shown(&old.listen) != shown(&new.listen)),
        ("[server] data_dir", old.data_dir != new.data_dir),
        ("[database]", shown(&old.database) != shown(&new.database)),
        ("[console] hosts", old.hosts != new.hosts),
        ("[github]", shown(&old.github) != shown(&new.github)),
        ("[slack]", shown(&old.slack) != shown(&new.slack)),
        ("[[pager]]", shown(&old.pagers) != shown(&new.pagers)),
        ("[log], [metrics], [heartbeat], [retention]", shown(&old.operations) != shown(&new.operations)),
    ];
    parts.into_iter().filter(|(_, differs)| *differs).map(|(part, _)| part).collect()
}

fn counted<T: Debug>(list: &[T]) -> (usize, String) {
    (list.len(), shown(&list))
}

fn shown<T: Debug>(part: &T) -> String {
    format!("{part:?}")
}
