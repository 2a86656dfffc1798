//! `source test FILE`: what a source would understand of a body in a file, without a server: each alert with its fields, what was
//! ignored, and why. Reads the way the door does; stores nothing.

use super::Global;
use super::exit::Exit;
use super::speak;
use crate::config::mapping;
use crate::config::source::{KnownKind, Source};
use crate::edges::alerts::{Counter, MAX_BODY, Reading, Setting};
use crate::edges::clock::WallClock;
use crate::edges::runner::redact::Redactor;
use crate::edges::{alerts, changes};
use crate::flow::event::Event;
use crate::flow::signal::{AlertStatus, Change, ChangeStatus, START_UNKNOWN, Signal};
use crate::ports::Clock as _;
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::json;
use std::fmt::Write as _;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Columns of what is printed.
const WIDTH: usize = 80;
/// Columns before a field's value.
const INDENT: usize = 15;

#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Show what is understood of a body that somebody would post
    Test(TestArgs),
}

#[derive(Debug, clap::Args)]
pub struct TestArgs {
    /// The body, as it is posted; `-` reads it from standard input
    file: PathBuf,
    /// A source of the configuration, of alerts or of changes
    #[arg(long, value_name = "NAME", required_unless_present = "kind", conflicts_with_all = ["kind", "mapping"])]
    source: Option<String>,
    /// What it speaks, without a configuration
    #[arg(long)]
    kind: Option<String>,
    /// The mapping file for kind `json`
    #[arg(long, value_name = "FILE", requires = "kind")]
    mapping: Option<PathBuf>,
    /// A header it comes with; may be given several times
    #[arg(long, value_name = "NAME: VALUE")]
    header: Vec<String>,
    /// One JSON object, for scripts
    #[arg(long)]
    json: bool,
}

pub fn run(global: &Global, args: &Args) -> Exit {
    let Command::Test(args) = &args.command;
    match test(global, args) {
        Ok((source, reading)) => {
            let told = if args.json { format!("{}\n", as_json(&source, &reading)) } else { shown(&source, &reading) };
            speak::out(&told);
            if reading.refused > 0 { Exit::Failed } else { Exit::Ok }
        }
        Err(why) => Exit::failed(&why),
    }
}

/// The source, and what it makes of the body.
fn test(global: &Global, args: &TestArgs) -> Result<(Source, Reading), String> {
    let named = args.source.as_deref();
    let (counter, source) = chosen(global, named, args.kind.as_deref(), args.mapping.as_deref())?;
    let body = body(&args.file)?;
    let headers = headers(&args.header)?;
    let redactor = Redactor::new([]);
    let scrub = move |text: &str| redactor.redact(text);
    let setting = Setting { source: &source.name, now: WallClock.now(), headers: &headers, scrub: &scrub };
    let reading = counter.read(&source, &setting, &body).map_err(|e| format!("{}: {e}", args.file.display()))?;
    Ok((source, reading))
}

/// A source of the configuration, or one of a kind.
pub(super) fn chosen(
    global: &Global,
    named: Option<&str>,
    kind: Option<&str>,
    mapping: Option<&Path>,
) -> Result<(Counter, Source), String> {
    let counters = [alerts::COUNTER, changes::COUNTER];
    if let Some(name) = named {
        let checked = global.load();
        let [alerts, changes] = counters;
        let both = checked.config.sources.iter().map(|s| (alerts, s));
        let mut both = both.chain(checked.config.change_sources.iter().map(|s| (changes, s)));
        let Some((counter, source)) = both.find(|(_, source)| source.name == name) else {
            return Err(format!("the configuration has no source `{name}`; `smokejumper check` lists them"));
        };
        if source.kind == KnownKind::MAPPED && source.mapping.is_none() {
            let problems = checked.problems.iter().filter(|p| p.is_error());
            return Err(super::listed(&problems.cloned().collect::<Vec<_>>()));
        }
        return Ok((counter, source.clone()));
    }
    let kind = kind.unwrap_or_default().to_owned();
    let Some(counter) = counters.into_iter().find(|counter| counter.kind(&kind).is_some()) else {
        let known: Vec<&str> = counters.iter().flat_map(|counter| counter.kinds).map(|kind| kind.name).collect();
        return Err(format!("there is no kind of source `{kind}`; there are {}", known.join(", ")));
    };
    let mapping = match mapping {
        Some(_) if kind != KnownKind::MAPPED => return Err("only kind `json` has a mapping".to_owned()),
        Some(file) => Some(Arc::new(mapping::load(file).map_err(|problems| super::listed(&problems))?)),
        None => None,
    };
    let auth = crate::config::source::Auth::Open;
    Ok((counter, Source { name: kind.clone(), kind, auth, mapping }))
}

pub(super) fn body(file: &Path) -> Result<Vec<u8>, String> {
    let cannot = |e: std::io::Error| format!("{} cannot be read: {e}", file.display());
    let limit = MAX_BODY as u64 + 1;
    let mut body = Vec::new();
    if file == Path::new("-") {
        std::io::stdin().take(limit).read_to_end(&mut body).map_err(cannot)?;
    } else {
        std::fs::File::open(file).and_then(|file| file.take(limit).read_to_end(&mut body)).map_err(cannot)?;
    }
    if body.len() > MAX_BODY {
        return Err(format!(
            "{} is larger than {} MiB, the most that is taken in",
            file.display(),
            MAX_BODY / 1024 / 1024
        ));
    }
    Ok(body)
}

pub(super) fn headers(written: &[String]) -> Result<HeaderMap, String> {
    let mut headers = HeaderMap::new();
    for header in written {
        let parts = header.split_once(':').map(|(name, value)| (name.trim(), value.trim()));
        let parsed = parts.and_then(|(name, value)| {
            Some((HeaderName::from_bytes(name.as_bytes()).ok()?, HeaderValue::from_str(value).ok()?))
        });
        let (name, value) = parsed.ok_or_else(|| format!("`{header}` is not a header; write 'Name: value'"))?;
        headers.append(name, value);
    }
    Ok(headers)
}

fn signals(reading: &Reading) -> impl Iterator<Item = &Signal> {
    reading
        .arrivals
        .iter()
        .filter_map(|a| if let Event::Signals(d) = &a.event { Some(&d.signals) } else { None })
        .flatten()
}

fn told_changes(reading: &Reading) -> impl Iterator<Item = &Change> {
    reading.arrivals.iter().filter_map(|a| if let Event::Changed(change) = &a.event { Some(change) } else { None })
}

fn shown(source: &Source, reading: &Reading) -> String {
    let count = |n: usize, what: &str| format!("{n} {what}{}", if n == 1 { "" } else { "s" });
    let what = if told_changes(reading).next().is_some() { "change" } else { "alert" };
    let mut text = format!("{} ({}): {} understood", source.name, source.kind, count(reading.signals, what));
    for (n, what) in [(reading.refused, "refused"), (reading.ignored, "ignored"), (reading.trimmed, "shortened")] {
        if n > 0 {
            let _ = write!(text, ", {n} {what}");
        }
    }
    text.push('\n');
    for (n, signal) in signals(reading).enumerate() {
        let _ = write!(text, "\n{}\n", wrapped(&format!("{}. {} {}", n + 1, status(signal), signal.name()), 0));
        for (name, value) in fields(signal) {
            text.push_str(&field(&name, &value));
        }
    }
    for (n, change) in told_changes(reading).enumerate() {
        let _ = write!(text, "\n{}\n", wrapped(&format!("{}. {}", n + 1, change.summary), 0));
        for (name, value) in change_fields(change) {
            text.push_str(&field(name, &value));
        }
    }
    for (label, why) in [("refused", &reading.first_refusal), ("ignored", &reading.first_ignored)] {
        if let Some(why) = why {
            let _ = write!(text, "\n{}\n", wrapped(&format!("{label}: {why}"), 0));
        }
    }
    text
}

const fn status(signal: &Signal) -> &'static str {
    match signal.status {
        AlertStatus::Firing => "firing",
        AlertStatus::Resolved => "resolved",
    }
}

fn fields(signal: &Signal) -> Vec<(String, String)> {
    let began = if signal.starts_at == START_UNKNOWN { "unknown".to_owned() } else { signal.starts_at.rfc3339() };
    let mut fields = vec![("fingerprint".to_owned(), signal.key.fingerprint.clone()), ("started".to_owned(), began)];
    fields.extend(signal.ends_at.map(|at| ("ended".to_owned(), at.rfc3339())));
    fields.extend(signal.annotations.iter().map(|(name, value)| (name.clone(), value.clone())));
    fields.extend(signal.link.iter().map(|link| ("link".to_owned(), link.clone())));
    let mut heading = "labels";
    for (name, value) in &signal.labels {
        fields.push((std::mem::take(&mut heading).to_owned(), format!("{name}={value}")));
    }
    fields
}

fn change_fields(change: &Change) -> Vec<(&'static str, String)> {
    let status = match change.status {
        ChangeStatus::InProgress => "in progress",
        ChangeStatus::Succeeded => "succeeded",
        ChangeStatus::Failed => "failed",
    };
    let given = [
        ("service", &change.service),
        ("environment", &change.environment),
        ("by", &change.by),
        ("link", &change.link),
    ];
    let mut fields = vec![("id", change.id.clone()), ("at", change.at.rfc3339()), ("status", status.to_owned())];
    fields.extend(given.into_iter().filter_map(|(name, value)| Some((name, value.clone()?))));
    fields
}

/// A name and its value, the value in a column of its own.
fn field(name: &str, value: &str) -> String {
    let name: String = name.chars().take(INDENT - 4).collect();
    let value = wrapped(value, INDENT);
    format!("   {name:<width$}{value}\n", width = INDENT - 3)
}

/// Within [`WIDTH`] columns, at spaces where there are some; lines after the first begin after `indent` columns.
fn wrapped(text: &str, indent: usize) -> String {
    let room = WIDTH - indent;
    let mut lines: Vec<String> = Vec::new();
    for paragraph in text.lines() {
        let mut line = String::new();
        let mut used = 0;
        for word in paragraph.split_inclusive(' ') {
            let length = word.trim_end().chars().count();
            if used > 0 && used + length > room {
                lines.push(std::mem::take(&mut line));
                used = 0;
            }
            for c in word.chars() {
                if used == room {
                    lines.push(std::mem::take(&mut line));
                    used = 0;
                }
                line.push(c);
                used += 1;
            }
        }
        lines.push(line);
    }
    let lines: Vec<&str> = lines.iter().map(|line| line.trim_end()).collect();
    lines.join(&format!("\n{}", " ".repeat(indent)))
}

fn as_json(source: &Source, reading: &Reading) -> serde_json::Value {
    json!({
        "source": source.name,
        "kind": source.kind,
        "understood": reading.signals,
        "refused": reading.refused,
        "first_refusal": reading.first_refusal,
        "ignored": reading.ignored,
        "first_ignored": reading.first_ignored,
        "shortened": reading.trimmed,
        "alerts": signals(reading).collect::<Vec<_>>(),
        "changes": told_changes(reading).collect::<Vec<_>>(),
    })
}
