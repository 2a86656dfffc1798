//! `backtest`: what memory would have said about a team's own past incidents, in time order, against two baselines.
//!
//! Reads a file, writes a table and, if asked, every prediction. Needs neither configuration nor database.

mod require;

use super::exit::Exit;
use clap::Args;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::Serialize;
use smokejumper_index::Trouble;
use smokejumper_index::evaluate::{self, Prediction, Report, WARM_UP};
use smokejumper_index::history::{self, BadRow, History};
use smokejumper_index::score::{Ranking, Similar};
use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

/// Bad rows that are shown; the rest is counted.
const SHOWN_BAD_ROWS: usize = 5;
/// Incidents between two movements of the progress bar.
const STRIDE: usize = 64;

/// Replay past incidents in time order and measure what memory would have said.
///
/// An outcome is used only from the time it became known. The baselines answer the same questions in the same run.
#[derive(Args, Clone, Debug)]
pub struct BacktestArgs {
    /// Past incidents, one JSON object a line, plain or gzip: id, opened_at, title, description, service, labels,
    /// resolved_at, responder, root_cause, resolution, cluster, related
    #[arg(long, value_name = "FILE")]
    pub data: PathBuf,
    /// Write what memory said about each incident, one JSON object a line
    #[arg(long, value_name = "FILE")]
    pub predictions: Option<PathBuf>,
    /// Share of the history, from its beginning, that is not scored (0 to 0.9)
    #[arg(long, value_name = "SHARE", default_value_t = WARM_UP, value_parser = warm_up)]
    pub warm_up: f64,
    /// Print the figures as JSON
    #[arg(long)]
    pub json: bool,
    /// Exit with 1 unless ours reaches this, like 'responder.top3>=0.8' or 'cause.ece<=0.05'; may be given again
    #[arg(long, value_name = "FIGURE", value_parser = require::parse)]
    pub require: Vec<require::Requirement>,
}

/// Why there are no figures.
#[derive(Debug, thiserror::Error)]
pub enum BacktestError {
    #[error("can't read {}: {source}", .path.display())]
    Data { path: PathBuf, source: io::Error },
    #[error("{} holds no usable incident{}; expected one JSON object a line with id and opened_at", .path.display(), first(.bad))]
    Empty { path: PathBuf, bad: Vec<BadRow> },
    #[error("{} is the data; name another file for the predictions", .0.display())]
    SameFile(PathBuf),
    #[error("can't write {}: {source}; check the path and free space", .path.display())]
    Predictions { path: PathBuf, source: io::Error },
    #[error(transparent)]
    Memory(#[from] Trouble),
    #[error("can't print the figures: {0}")]
    Print(io::Error),
    #[error("{}", .0.join("; "))]
    Missed(Vec<String>),
}

/// Runs the backtest: figures to standard output; progress and left-out rows to standard error, unless `quiet`.
#[must_use]
pub fn run(args: &BacktestArgs, quiet: bool) -> Exit {
    backtest(args, quiet).map_or_else(|e| Exit::failed(&e.to_string()), |()| Exit::Ok)
}

/// Prints nothing to standard output unless there are figures.
fn backtest(args: &BacktestArgs, quiet: bool) -> Result<(), BacktestError> {
    let path = &args.data;
    let unreadable = |source| BacktestError::Data { path: path.clone(), source };
    let history = history::open(path).map_err(unreadable)?;
    if history.records.is_empty() {
        return Err(BacktestError::Empty { path: path.clone(), bad: history.bad });
    }
    if !quiet {
        tell_bad_rows(&history);
    }
    let mut predictions = args.predictions.as_deref().map(|to| Predictions::create(to, path)).transpose()?;
    let target = if quiet { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr() };
    let bar = ProgressBar::with_draw_target(Some(history.records.len() as u64), target).with_style(style());
    let progress = |done: usize| {
        if done.is_multiple_of(STRIDE) {
            bar.set_position(done as u64);
        }
    };
    let report = evaluate::replay(&history, args.warm_up, progress, |said| {
        if let Some(file) = &mut predictions {
            file.write(&said);
        }
    });
    let seconds = bar.elapsed().as_secs_f64();
    bar.finish_and_clear();
    let report = report?;
    predictions.map(Predictions::finish).transpose()?;
    let text = if args.json { json(&report, &history, seconds) } else { table(&report, &history, seconds) };
    match io::stdout().lock().write_all(text.as_bytes()) {
        // Whoever stopped reading has seen enough.
        Err(e) if e.kind() != io::ErrorKind::BrokenPipe => return Err(BacktestError::Print(e)),
        _ => {}
    }
    let missed = require::missed(&args.require, &report);
    if missed.is_empty() { Ok(()) } else { Err(BacktestError::Missed(missed)) }
}

fn warm_up(text: &str) -> Result<f64, String> {
    let share = text.parse::<f64>().map_err(|e| e.to_string())?;
    if (0.0..=0.9).contains(&share) { Ok(share) } else { Err("a share from 0 to 0.9".into()) }
}

fn first(bad: &[BadRow]) -> String {
    bad.first().map_or_else(String::new, |row| format!(" (line {}: {})", row.line, row.reason))
}

fn tell_bad_rows(history: &History) {
    let mut text = String::new();
    if history.bad_count > 0 {
        let _ = writeln!(text, "rows left out: {}", history.bad_count);
    }
    for row in history.bad.iter().take(SHOWN_BAD_ROWS) {
        let _ = writeln!(text, "  line {}: {}", row.line, row.reason);
    }
    if history.bad_count > SHOWN_BAD_ROWS as u64 {
        let _ = writeln!(text, "  and {} more", history.bad_count - SHOWN_BAD_ROWS as u64);
    }
    // Nobody reads it: that is no reason to stop.
    let _ = io::stderr().lock().write_all(text.as_bytes());
}

/// Hidden by indicatif where standard error is not a terminal.
fn style() -> ProgressStyle {
    let template = "{bar:30} {pos}/{len} incidents, {elapsed} so far, {eta} to go";
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}

/// The predictions file in the making. The first failure is kept and told at the end.
struct Predictions {
    path: PathBuf,
    file: BufWriter<File>,
    failed: Option<io::Error>,
}

impl Predictions {
    fn create(path: &Path, data: &Path) -> Result<Self, BacktestError> {
        // Creating it would empty the data that was just read.
        if path.canonicalize().is_ok_and(|path| data.canonicalize().is_ok_and(|data| path == data)) {
            return Err(BacktestError::SameFile(path.to_owned()));
        }
        let file = File::create(path).map_err(|source| BacktestError::Predictions { path: path.to_owned(), source })?;
        Ok(Self { path: path.to_owned(), file: BufWriter::new(file), failed: None })
    }

    fn write(&mut self, said: &Prediction) {
        if self.failed.is_none() {
            let written = serde_json::to_writer(&mut self.file, said).map_err(io::Error::from);
            self.failed = written.and_then(|()| self.file.write_all(b"\n")).err();
        }
    }

    fn finish(mut self) -> Result<(), BacktestError> {
        let failed = self.failed.take().or_else(|| self.file.flush().err());
        failed.map_or(Ok(()), |source| Err(BacktestError::Predictions { path: self.path, source }))
    }
}

#[derive(Serialize)]
struct Figures<'a> {
    #[serde(flatten)]
    report: &'a Report,
    left_out: u64,
    seconds: f64,
}

fn json(report: &Report, history: &History, seconds: f64) -> String {
    let figures = Figures { report, left_out: history.bad_count, seconds };
    serde_json::to_string_pretty(&figures).map(|text| text + "\n").unwrap_or_default()
}

/// At most 80 columns wide.
fn table(report: &Report, history: &History, seconds: f64) -> String {
    let mut text = format!(
        "{} incidents replayed in time order in {seconds:.1} s; the first {} are not scored\n",
        report.incidents, report.warm_up
    );
    if history.bad_count > 0 {
        let _ = writeln!(text, "rows left out: {}", history.bad_count);
    }
    ranking(&mut text, "responder", report, |system| system.responder.as_ref());
    ranking(&mut text, "cause", report, |system| system.cause.as_ref());
    similar(&mut text, report);
    text
}

fn ranking(text: &mut String, title: &str, report: &Report, of: fn(&evaluate::System) -> Option<&Ranking>) {
    let Some(any) = report.systems.iter().find_map(of) else { return };
    let seen = format!("n={} seen={:.3} classes={}", any.n, any.seen, any.classes);
    let _ = writeln!(text, "\n{title}: {seen}");
    let _ =
        writeln!(text, "{:14} {:>11} {:>6} {:>6} {:>6} {:>6} {:>6}", "", "top1", "top3", "top5", "MRR", "macro", "ECE");
    for system in &report.systems {
        let Some(r) = of(system) else { continue };
        let ece = r.ece.map_or_else(|| "-".to_owned(), |e| format!("{e:.3}"));
        let _ = writeln!(
            text,
            "{:14} {:.3}±{:.3} {:6.3} {:6.3} {:6.3} {:6.3} {ece:>6}",
            system.name, r.top1, r.ci, r.top3, r.top5, r.mrr, r.macro_recall
        );
    }
}

fn similar(text: &mut String, report: &Report) {
    let offered = || report.systems.iter().filter_map(|s| Some((s.name, s.similar.as_ref()?)));
    let Some((_, any)) = offered().next() else { return };
    let _ = writeln!(text, "\nsimilar: n={}", any.n);
    let _ = writeln!(
        text,
        "{:14} {:>6} {:>6} {:>6} {:>6} {:>6} {:>10}",
        "", "r1", "r5", "r10", "mrr", "rel10", "sameresp5"
    );
    for (name, Similar { r1, r5, r10, mrr, rel10, same_responder5, .. }) in offered() {
        let show = |figure: &Option<f64>| figure.map_or_else(|| "-".to_owned(), |f| format!("{f:.3}"));
        let [r1, r5, r10, mrr, rel10, same] = [r1, r5, r10, mrr, rel10, same_responder5].map(show);
        let _ = writeln!(text, "{name:14} {r1:>6} {r5:>6} {r10:>6} {mrr:>6} {rel10:>6} {same:>10}");
    }
}
