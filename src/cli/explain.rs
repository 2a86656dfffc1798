//! `explain FILE`: what would become of the alerts of a body in a file, by the configuration as it is written: route, service,
//! severity, silences, and where each would go. With a data directory: as the desk stands now. Needs no server; stores nothing.

use super::exit::Exit;
use super::source::{body, chosen, headers};
use super::{Global, speak};
use crate::config::problem::Problem;
use crate::edges::alerts::Setting;
use crate::edges::clock::WallClock;
use crate::edges::runner::redact::Redactor;
use crate::edges::store::reader::Reader;
use crate::flow::State;
use crate::flow::event::Event;
use crate::flow::explain::foretell;
use crate::flow::moment::At;
use crate::flow::signal::Signal;
use crate::ports::Clock as _;
use smokejumper_intents::text;
use std::path::PathBuf;
use std::sync::Arc;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// The body, as it is posted; `-` reads it from standard input
    file: PathBuf,
    /// The source of the configuration that would send it
    #[arg(long, value_name = "NAME")]
    source: String,
    /// As it would be at this time, such as 2026-11-20T10:00:00Z; without it: now
    #[arg(long, value_name = "TIME", value_parser = moment)]
    at: Option<At>,
    /// A header it comes with; may be given several times
    #[arg(long, value_name = "NAME: VALUE")]
    header: Vec<String>,
    /// By the rules alone, as if no incident were open and nothing else fired
    #[arg(long)]
    rules_only: bool,
}

fn moment(text: &str) -> Result<At, String> {
    let found = text.parse::<jiff::Timestamp>().map(|at| At(at.as_millisecond()));
    found.map_err(|_| "write a moment with its offset, such as 2026-11-20T10:00:00Z".to_owned())
}

pub async fn run(global: &Global, args: &Args) -> Exit {
    match told(global, args).await {
        Ok(told) => {
            speak::out(&told);
            Exit::Ok
        }
        Err(why) => Exit::failed(&why),
    }
}

async fn told(global: &Global, args: &Args) -> Result<String, String> {
    let (config, _) = global
        .load()
        .usable()
        .map_err(|problems| super::listed(&problems.into_iter().filter(Problem::is_error).collect::<Vec<_>>()))?;
    let (counter, source) = chosen(global, Some(&args.source), None, None)?;
    let (body, headers) = (body(&args.file)?, headers(&args.header)?);
    let redactor = Redactor::new(config.secrets.values().map(|s| s.expose().to_owned()));
    let scrub = move |text: &str| redactor.redact(text);
    let now = args.at.unwrap_or_else(|| WallClock.now());
    let setting = Setting { source: &source.name, now, headers: &headers, scrub: &scrub };
    let reading = counter.read(&source, &setting, &body).map_err(|e| format!("{}: {e}", args.file.display()))?;
    let signals: Vec<&Signal> = reading
        .arrivals
        .iter()
        .flat_map(|arrival| match &arrival.event {
            Event::Signals(delivery) => delivery.signals.as_slice(),
            _ => &[],
        })
        .collect();
    if signals.is_empty() {
        return Err(format!(
            "{} holds no alert; `smokejumper source test` shows what is understood",
            args.file.display()
        ));
    }
    let state = if args.rules_only { State::default() } else { desk(global).await? };
    let told = signals.iter().map(|signal| text::render(&foretell(signal, &state, &config.policy, now), speak::WIDTH));
    Ok(told.collect::<Vec<_>>().join("\n"))
}

/// The desk as it stands; an empty one where no data is yet.
async fn desk(global: &Global) -> Result<State, String> {
    let location = global.location()?;
    if !location.dir.exists() {
        return Ok(State::default());
    }
    let reader = Reader::open(location, Arc::new(WallClock))
        .await
        .map_err(|e| format!("{e}; with --rules-only the rules alone are asked"))?;
    let state = reader.state().await.map_err(|e| e.to_string());
    reader.close().await;
    state
}
