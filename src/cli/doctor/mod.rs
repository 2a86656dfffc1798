//! `doctor`: one page about everything an operator can get wrong, each with what to do. Looks, and changes nothing.
//!
//! [`CHECKS`] is the table: a check is a file here and a row there. Works beside a running server, and without one.

mod configuration;
mod github;
mod inbound;
mod memory;
mod outbox;
mod place;
mod server;
mod slack;
mod storage;

use super::exit::Exit;
use super::{Global, speak};
use crate::app::location;
use crate::config::Checked;
use crate::edges::clock::WallClock;
use crate::edges::store::reader::Reader;
use crate::flow::moment::At;
use crate::ports::Clock as _;
use async_trait::async_trait;
use serde::Serialize;
use smokejumper_intents::inert;
use std::fmt::Write as _;
use std::sync::Arc;

/// What all checks look at.
pub struct Ground {
    pub checked: Checked,
    /// Or why there is none.
    pub reader: Result<Reader, Finding>,
    pub now: At,
}

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Weight {
    Ok,
    /// A person should look.
    Look,
    /// Something does not work.
    Broken,
}

/// Something that was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    pub weight: Weight,
    pub what: String,
    /// What to do about it.
    pub todo: Option<String>,
}

impl Finding {
    pub fn ok(what: impl Into<String>) -> Self {
        Self { weight: Weight::Ok, what: what.into(), todo: None }
    }

    pub fn look(what: impl Into<String>, todo: impl Into<String>) -> Self {
        Self { weight: Weight::Look, what: what.into(), todo: Some(todo.into()) }
    }

    pub fn broken(what: impl Into<String>, todo: impl Into<String>) -> Self {
        Self { weight: Weight::Broken, what: what.into(), todo: Some(todo.into()) }
    }
}

/// One thing that is looked at.
#[async_trait]
pub trait Check: Sync {
    fn name(&self) -> &'static str;
    async fn look(&self, ground: &Ground) -> Vec<Finding>;
}

/// In the order in which they are read.
const CHECKS: &[&dyn Check] = &[
    &configuration::Configuration,
    &configuration::Secrets,
    &place::Place,
    &storage::Storage,
    &server::Server,
    &inbound::Inbound,
    &outbox::Outbox,
    &memory::Memory,
    &github::GitHub,
    &slack::Slack,
];

/// Columns of the check's name and of the weight.
const MARGIN: usize = 16;
const WEIGHT: usize = 8;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// One JSON object, for scripts
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Section {
    check: &'static str,
    findings: Vec<Finding>,
}

pub async fn run(global: &Global, args: &Args) -> Exit {
    let checked = global.load();
    let reader = if checked.database_unknown || checked.data_dir_unknown {
        // Never a guess: in the usual place there may be another one.
        Err(Finding::broken("not looked at: the configuration does not say which it is", "mend that first, see above"))
    } else {
        let opened = Reader::open(location(&checked.config), Arc::new(WallClock)).await;
        opened.map_err(|problem| storage::refused(&problem))
    };
    let ground = Ground { checked, reader, now: WallClock.now() };
    let mut sections = Vec::with_capacity(CHECKS.len());
    for check in CHECKS {
        sections.push(Section { check: check.name(), findings: check.look(&ground).await });
    }
    if let Ok(reader) = &ground.reader {
        reader.close().await;
    }
    let worst = sections.iter().flat_map(|s| &s.findings).map(|f| f.weight).max().unwrap_or(Weight::Ok);
    if args.json {
        let all = serde_json::json!({ "ok": worst < Weight::Broken, "worst": worst, "checks": sections });
        speak::out(&format!("{all}\n"));
    } else {
        speak::out(&page(&sections, global.quiet));
    }
    if worst < Weight::Broken { Exit::Ok } else { Exit::Failed }
}

/// In 80 columns. `quiet`: only what is not in order.
fn page(sections: &[Section], quiet: bool) -> String {
    let mut text = String::new();
    for Section { check, findings } in sections {
        let mut name = *check;
        for finding in findings.iter().filter(|f| !quiet || f.weight > Weight::Ok) {
            let weight = match finding.weight {
                Weight::Ok => "ok",
                Weight::Look => "look",
                Weight::Broken => "BROKEN",
            };
            let todo = finding.todo.as_ref().map(|todo| format!("-> {todo}"));
            let lines = std::iter::once(finding.what.clone()).chain(todo);
            let mut lead = format!("{name:<MARGIN$}{weight:<WEIGHT$}");
            for line in lines.flat_map(|line| wrapped(&inert::line(&line), speak::WIDTH - MARGIN - WEIGHT)) {
                let _ = writeln!(text, "{}", format!("{lead}{line}").trim_end());
                lead = " ".repeat(MARGIN + WEIGHT);
            }
            name = "";
        }
    }
    text
}

/// At spaces; a word that is longer than a line is cut.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    let (mut lines, mut line) = (Vec::new(), String::new());
    let pieces = text.split_whitespace().flat_map(|word| {
        let chars: Vec<char> = word.chars().collect();
        chars.chunks(width).map(|piece| piece.iter().collect::<String>()).collect::<Vec<_>>()
    });
    for word in pieces {
        if !line.is_empty() && line.chars().count() + 1 + word.chars().count() > width {
            lines.push(std::mem::take(&mut line));
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(&word);
    }
    lines.push(line);
    lines
}

/// `3 of them`, `1 of it`.
fn counted(n: u64, one: &str, many: &str) -> String {
    if n == 1 { format!("1 {one}") } else { format!("{n} {many}") }
}

/// How long ago, roughly.
fn ago(ms: i64) -> String {
    let minutes = ms.max(0) / crate::flow::moment::MINUTE;
    match minutes {
        0 => "less than a minute ago".to_owned(),
        1..=119 => format!("{minutes} min ago"),
        120..=2_879 => format!("{} h ago", minutes / 60),
        _ => format!("{} days ago", minutes / 1_440),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_stays_within_80_columns() {
        let long = "a".repeat(200);
        let findings = vec![
            Finding::ok("fine"),
            Finding::broken(format!("the disk {long}\u{1b}[2J"), "free some\nspace ".repeat(12)),
        ];
        let page = page(&[Section { check: "data directory", findings }], false);
        assert!(page.lines().all(|line| line.chars().count() <= speak::WIDTH), "{page}");
        assert!(page.starts_with("data directory  ok      fine\n                BROKEN  the disk\n"), "{page}");
        assert!(!page.contains('\u{1b}') && page.contains("-> free some space"), "{page}");
    }
}
