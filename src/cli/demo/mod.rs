//! `demo`: the whole loop, for real, on embedded defaults: a service that really breaks, an alert, evidence, two people,
//! an approved repair that is verified, a postmortem, and a second incident that is answered better.

mod narrator;
pub mod payload;
pub mod service;
mod story;

use self::narrator::Narrator;
use self::service::Victim;
use self::story::Stage;
use super::exit::Exit;
use crate::app::{App, console_identity};
use crate::config::checked::{Checked, Given, check};
use crate::config::environment::Environment;
use crate::edges::alerts;
use crate::flow::moment::At;
use clap::Args;
use smokejumper_index::case::Case;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Real public incidents in our own words; where each was checked is in `NOTICE.md`.
const MEMORY: &str = include_str!("memory.jsonl");
const RUNBOOK: &str = include_str!("rollback-release.toml");
const CONFIG: &str = include_str!("demo.toml");
/// Where `ln` may be; the runbook names its program by its full path.
const LN: [&str; 2] = ["/bin/ln", "/usr/bin/ln"];

#[derive(Debug, Args)]
pub struct DemoArgs {
    /// Leave when the story has been told; exit code 0 only if each step was seen to hold.
    #[arg(long)]
    once: bool,
    /// Keep the demo's files here instead of in a temporary directory; it must be empty or not exist.
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
    /// Adds this file to the demo's configuration, such as one with [github] and [secrets].
    #[arg(long, value_name = "FILE")]
    with: Option<PathBuf>,
    /// Where the console listens; 0 picks a free port.
    #[arg(long, value_name = "PORT", default_value_t = 0)]
    port: u16,
}

/// Runs the demo.
pub async fn run(args: &DemoArgs, quiet: bool) -> Exit {
    let temporary;
    let root = match &args.dir {
        Some(dir) => dir.clone(),
        None => match tempfile::Builder::new().prefix("smokejumper-demo-").tempdir() {
            Ok(dir) => {
                temporary = dir;
                temporary.path().to_owned()
            }
            Err(problem) => return Exit::failed(&format!("no temporary directory: {problem}")),
        },
    };
    match stage(&root, args, quiet).await {
        Ok((mut app, stage)) => {
            let exit = play(&mut app, &stage, args).await;
            app.stop().await;
            exit
        }
        Err(problem) => Exit::failed(&problem),
    }
}

async fn play(app: &mut App, stage: &Stage, args: &DemoArgs) -> Exit {
    if let Err(broken) = stage.play().await {
        return Exit::failed(&format!("the demo stopped: {broken}"));
    }
    let tell = &stage.narrator;
    tell.step("Every step was seen to hold.");
    if args.once {
        return Exit::Ok;
    }
    tell.step("The console stays up; each link signs one person in, once:");
    for person in ["ana", "bo"] {
        match app.login_link(Some(person)) {
            Ok(link) => super::say(&format!("         {}  ({person})", link.url)),
            Err(problem) => tell.saw(&problem.to_string()),
        }
    }
    tell.step("Ctrl-C ends it.");
    super::serve::until_stopped(app, &mut super::serve::Signals::listen()).await
}

/// Puts everything on stage.
async fn stage(root: &Path, args: &DemoArgs, quiet: bool) -> Result<(App, Stage), String> {
    let root = fresh(root)?;
    let victim = Victim::start(&root.join("service")).await.map_err(|e| format!("the demo's service: {e}"))?;
    let ln = LN.iter().find(|p| Path::new(p).exists()).ok_or("there is no /bin/ln for the runbook to use")?;
    let runbook = RUNBOOK
        .replace("@LN@", ln)
        .replace("@SERVICE@", &root.join("service").display().to_string())
        .replace("@ORIGIN@", &format!("http://{}", victim.address));
    write(&root.join("runbooks"), "rollback-release.toml", &runbook)?;
    let mut written = CONFIG.replace("@PORT@", &args.port.to_string());
    if let Some(more) = &args.with {
        let more = std::fs::read_to_string(more).map_err(|e| format!("{} cannot be read: {e}", more.display()))?;
        written = format!("{written}\n{more}");
    }
    write(&root, "smokejumper.toml", &written)?;
    let file = root.join("smokejumper.toml");
    let given = Given {
        now: At(0),
        file: Some(&file),
        data_dir: Some(&root.join("data")),
        source_kinds: &alerts::kinds(),
        change_kinds: &[],
    };
    let checked: Checked = check(given, &Environment::real(), Some(&file), &written);
    let (mut config, _) = checked.usable().map_err(|p| super::listed(&p))?;
    super::add_runbooks(&mut config).map_err(|p| super::listed(&p))?;
    let policy = Arc::new(config.policy.clone());
    let app = App::start(config, memory()?).await.map_err(|e| e.to_string())?;
    let stage = Stage {
        door: app.engine.clone(),
        views: Arc::new(app.store.clone()),
        clock: Arc::clone(&app.clock),
        policy,
        victim,
        client: reqwest::Client::builder().build().map_err(|e| e.to_string())?,
        alerts: format!("http://{}/alerts/alertmanager", app.address),
        ana: console_identity("ana"),
        bo: console_identity("bo"),
        narrator: Narrator::new(quiet),
    };
    Ok((app, stage))
}

/// The demo's public incidents.
fn memory() -> Result<Vec<Case>, String> {
    let parse = |line| serde_json::from_str(line).map_err(|e| format!("the demo's memory does not parse: {e}"));
    MEMORY.lines().filter(|l| !l.trim().is_empty()).map(parse).collect()
}

/// A directory of the demo's own: it must not hold anybody's files.
fn fresh(root: &Path) -> Result<PathBuf, String> {
    let cannot = |e: std::io::Error| format!("{} cannot be used: {e}", root.display());
    std::fs::create_dir_all(root).map_err(cannot)?;
    if std::fs::read_dir(root).map_err(cannot)?.next().is_some() {
        return Err(format!("{} is not empty; name another directory with --dir", root.display()));
    }
    root.canonicalize().map_err(cannot)
}

fn write(folder: &Path, name: &str, text: &str) -> Result<(), String> {
    let file = folder.join(name);
    let written = std::fs::create_dir_all(folder).and_then(|()| std::fs::write(&file, text));
    written.map_err(|e| format!("{} cannot be written: {e}", file.display()))
}
