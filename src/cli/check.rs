//! `check`: looks at configuration and runbooks the way `serve` will, and says what is wrong and where. Changes nothing.

use super::exit::Exit;
use super::{Global, speak};
use crate::config::hints::hints;
use crate::config::problem::{Problem, Weight};
use crate::config::{Config, excerpt};
use crate::edges::runner::catalogue;
use serde_json::json;
use std::fmt::Write as _;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// One JSON object, for scripts and editors
    #[arg(long)]
    json: bool,
}

pub fn run(global: &Global, args: &Args) -> Exit {
    let checked = global.load();
    let (config, mut problems) = (checked.config, checked.problems);
    let mut runbooks = 0;
    // A folder that is missing was a problem of the configuration already.
    if let Some(folder) = config.runbooks.as_ref().filter(|folder| folder.is_dir()) {
        let catalogue = catalogue::load(folder, &|name| config.secrets.contains_key(name));
        runbooks = catalogue.runbooks.len();
        problems.extend(catalogue.problems);
    }
    let errors = problems.iter().filter(|p| p.is_error()).count();
    if args.json {
        speak::out(&format!("{}\n", as_json(&config, &problems, errors, runbooks)));
    } else {
        for problem in problems.iter().filter(|p| p.is_error() || !global.quiet) {
            speak::out(&shown(problem));
        }
        if errors > 0 {
            speak::note(&format!("{} to mend before smokejumper starts", counted(errors, "error")));
        } else if !global.quiet {
            speak::out(&summary(&config, runbooks));
            for hint in &hints(&config.policy) {
                speak::out(&format!("hint: {hint}\n"));
            }
        }
    }
    if errors == 0 { Exit::Ok } else { Exit::Failed }
}

fn shown(problem: &Problem) -> String {
    format!("{problem}\n{}", excerpt::of(problem).unwrap_or_default())
}

fn summary(config: &Config, runbooks: usize) -> String {
    let policy = &config.policy;
    let file = config.file.as_ref().map_or("defaults, no configuration file".to_owned(), |f| f.display().to_string());
    let mut text = format!("configuration: {file}\n");
    let _ = writeln!(text, "listens on:    http://{}", config.listen);
    let _ = writeln!(text, "data:          {}", config.data_dir.display());
    let database = if config.database.is_some() { "Postgres" } else { "SQLite, in there" };
    let _ = writeln!(text, "database:      {database}");
    for source in &config.sources {
        let auth = if source.auth.is_open() { ", without authentication" } else { "" };
        let _ = writeln!(text, "alerts from:   /alerts/{} ({}{auth})", source.name, source.kind);
    }
    for source in &config.change_sources {
        let _ = writeln!(text, "changes from:  /changes/{} ({})", source.name, source.kind);
    }
    if let Some(github) = &config.github {
        let told =
            if github.webhook.is_empty() { "looked at every five minutes" } else { "told of at /github/webhook" };
        let _ = writeln!(text, "follow-ups:    issues on {}, {told}", github.api_url);
    }
    let counts = [
        counted(policy.people.len(), "person").replace("persons", "people"),
        counted(policy.services.len(), "service"),
        counted(policy.routes.len(), "route"),
        counted(policy.silences.len(), "silence"),
        counted(runbooks, "runbook"),
    ];
    let _ = writeln!(text, "with:          {}", counts.join(", "));
    text
}

fn counted(n: usize, what: &str) -> String {
    if n == 1 { format!("1 {what}") } else { format!("{n} {what}s") }
}

fn as_json(config: &Config, problems: &[Problem], errors: usize, runbooks: usize) -> serde_json::Value {
    let problems: Vec<_> = problems
        .iter()
        .map(|p| {
            json!({
                "file": p.file.display().to_string(),
                "line": p.line,
                "column": p.column,
                "weight": match p.weight {
                    Weight::Warning => "warning",
                    Weight::Error => "error",
                },
                "what": p.what,
                "hint": p.hint,
            })
        })
        .collect();
    json!({
        "ok": errors == 0,
        "problems": problems,
        "listen": config.listen.to_string(),
        "data_dir": config.data_dir.display().to_string(),
        "sources": config.sources.iter().map(|s| &s.name).collect::<Vec<_>>(),
        "people": config.policy.people.len(),
        "services": config.policy.services.len(),
        "routes": config.policy.routes.len(),
        "runbooks": runbooks,
    })
}
