//! Commands of the one binary, a file each. Knows the app and the configuration; decides nothing about incidents.

mod audit;
pub mod backtest;
mod backup;
mod call;
mod check;
mod completions;
pub mod demo;
mod doctor;
mod erase;
pub mod exit;
mod explain;
mod export;
mod incident;
mod login;
mod manifest;
mod migrate;
mod reindex;
mod restore;
pub mod serve;
mod source;
mod speak;

use self::exit::Exit;
use crate::app::{Load, Loaded, read_files};
use crate::config::checked::{Checked, Config, DEFAULT_FILES, Given, load};
use crate::config::environment::Environment;
use crate::config::operations::Log;
use crate::config::problem::Problem;
use crate::edges::clock::WallClock;
use crate::edges::store::location::Location;
use crate::edges::{alerts, changes, runner};
use crate::ports::Clock as _;
use clap::{Args, Parser, Subcommand};
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

/// What still blocks at the end gets this long.
const LINGER: Duration = Duration::from_secs(2);

/// A self-hosted incident bot: alerts to incidents, evidence, approved remediation, follow-ups, learning.
#[derive(Debug, Parser)]
#[command(name = "smokejumper", version, after_help = exit::HELP, max_term_width = 80)]
struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

/// What every command takes.
#[derive(Clone, Debug, Default, Args)]
pub struct Global {
    /// The configuration; without it ./smokejumper.toml or /etc/smokejumper/smokejumper.toml, or all defaults.
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Where data is kept; over what the configuration says.
    #[arg(long, global = true, value_name = "DIR")]
    pub data_dir: Option<PathBuf>,
    /// Say only what went wrong.
    #[arg(long, short, global = true)]
    pub quiet: bool,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// See the whole loop happen, on embedded defaults.
    Demo(demo::DemoArgs),
    /// Run: take alerts in, serve the console.
    Serve(serve::ServeArgs),
    /// Check configuration and runbooks, and say where what is wrong.
    Check(check::Args),
    /// One page about everything that may need a hand, each with what to do.
    Doctor(doctor::Args),
    /// Say to a running smokejumper what you would say in a channel: `incident list`, `incident -i 12 ack`.
    Incident(incident::Args),
    /// Print a link that signs a person in to the console of a running smokejumper, once.
    Login(login::Args),
    /// Print the manifest of the app for a chat platform, with the least rights: `manifest slack`.
    Manifest(manifest::Args),
    /// Bring the database's schema up to date without serving; `serve` does so by itself.
    Migrate(migrate::Args),
    /// Build memory anew from the journal; not while it is being served.
    Reindex,
    /// Write all incidents with their facts, alerts and effects as JSON lines.
    Export(export::Args),
    /// Verify the journal, or write it for other systems.
    Audit(audit::Args),
    /// Erase what ended incidents said.
    Purge(erase::PurgeArgs),
    /// Take a person out of everything that names them.
    Forget(erase::ForgetArgs),
    /// Copy the whole database into one file, while it is used.
    Backup(backup::Args),
    /// Fill an empty data directory and database from a backup.
    Restore(restore::Args),
    /// Show what a source understands of a body in a file: `source test body.json --source prod`.
    Source(source::Args),
    /// Say what would become of the alerts of a body in a file, and why: `explain body.json --source prod`.
    Explain(explain::Args),
    /// Replay past incidents and measure what memory would have said.
    Backtest(backtest::BacktestArgs),
    /// Print a script that completes these commands in a shell.
    Completions(completions::CompletionsArgs),
    /// Print the manual page, or write those of all commands.
    Man(completions::ManArgs),
}

impl Global {
    /// The configuration these flags name, and what is wrong with it.
    #[must_use]
    pub fn load(&self) -> Checked {
        let given = Given {
            now: WallClock.now(),
            file: self.config.as_deref(),
            data_dir: self.data_dir.as_deref(),
            source_kinds: &alerts::kinds(),
            change_kinds: &changes::kinds(),
        };
        load(given, &Environment::real())
    }

    /// Where data is kept, for commands that need nothing else of the configuration: `check` is there for what else may be
    /// wrong in it. Never a guess: the usual place may hold other data.
    ///
    /// # Errors
    /// The configuration cannot be read that far; every mistake in it.
    fn data_dir(&self) -> Result<PathBuf, String> {
        self.whereabouts(false).map(|location| location.dir)
    }

    /// The same with the database.
    ///
    /// # Errors
    /// The configuration cannot be read that far, or the secret that names the database is not there.
    fn location(&self) -> Result<Location, String> {
        self.whereabouts(true)
    }

    fn whereabouts(&self, with_database: bool) -> Result<Location, String> {
        let checked = self.load();
        // A file that somebody named and that is not there is a mistake, whatever else was said.
        let misnamed = self.config.is_some() && checked.config.file.is_none();
        let unknown = checked.data_dir_unknown || (with_database && checked.database_unknown);
        if !misnamed && !unknown {
            return Ok(crate::app::location(&checked.config));
        }
        let errors: Vec<Problem> = checked.problems.into_iter().filter(Problem::is_error).collect();
        Err(format!("where data is kept is not known:\n{}", listed(&errors)))
    }
}

/// Reads the command line and does what it says.
#[must_use]
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let _ = rustls::crypto::ring::default_provider().install_default();
    let environment = Environment::real();
    // What these print is all there is to read.
    let (log, traces) = if matches!(cli.command, Command::Serve(_)) {
        let operations = cli.global.load().config.operations;
        (operations.log, operations.traces)
    } else {
        (Log { filter: Some("error".to_owned()), json: false }, None)
    };
    let variable = (environment.variable)("SMOKEJUMPER_LOG");
    let json = log.json || (environment.variable)("SMOKEJUMPER_LOG_JSON").is_some();
    crate::telemetry::start(variable.or(log.filter).as_deref(), json, traces.as_ref());
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(problem) => return Exit::failed(&format!("no runtime: {problem}")).into(),
    };
    let exit = runtime.block_on(command(cli));
    // Work that blocks, on a disk that does not answer, must not keep the process.
    runtime.shutdown_timeout(LINGER);
    crate::telemetry::stop();
    exit.into()
}

async fn command(cli: Cli) -> Exit {
    match cli.command {
        Command::Demo(ref args) => demo::run(args, cli.global.quiet).await,
        Command::Serve(ref args) => match configured(&cli.global) {
            Ok(config) => serve::run(config, args, loader(cli.global.clone()), cli.global.quiet).await,
            Err(exit) => exit,
        },
        Command::Check(ref args) => check::run(&cli.global, args),
        Command::Incident(ref args) => incident::run(&cli.global, args).await,
        Command::Login(ref args) => login::run(&cli.global, args).await,
        Command::Manifest(ref args) => manifest::run(&cli.global, args),
        Command::Migrate(ref args) => migrate::run(&cli.global, args).await,
        Command::Reindex => match configured(&cli.global) {
            Ok(config) => reindex::run(&config, cli.global.quiet).await,
            Err(exit) => exit,
        },
        Command::Source(ref args) => source::run(&cli.global, args),
        Command::Explain(ref args) => explain::run(&cli.global, args).await,
        Command::Export(ref args) => export::run(&cli.global, args).await,
        Command::Doctor(ref args) => doctor::run(&cli.global, args).await,
        Command::Audit(ref args) => audit::run(&cli.global, args).await,
        Command::Purge(ref args) => erase::purge(&cli.global, args).await,
        Command::Forget(ref args) => erase::forget(&cli.global, args).await,
        Command::Backup(ref args) => backup::run(&cli.global, args).await,
        Command::Restore(ref args) => restore::run(&cli.global, args).await,
        Command::Completions(ref args) => completions::completions(args),
        Command::Man(ref args) => completions::man(args),
        Command::Backtest(ref args) => backtest::run(args, cli.global.quiet),
    }
}

/// The configuration with its runbooks, or everything that is wrong with it, told.
fn configured(global: &Global) -> Result<Config, Exit> {
    let (config, warnings) = whole(global.load()).map_err(|problems| Exit::failed(&listed(&problems)))?;
    for warning in &warnings {
        tracing::warn!("{warning}");
    }
    Ok(config)
}

/// The configuration with its runbooks, and its warnings.
///
/// # Errors
/// Everything that is wrong with it.
fn whole(checked: Checked) -> Result<(Config, Vec<Problem>), Vec<Problem>> {
    let (mut config, mut warnings) = checked.usable()?;
    warnings.extend(add_runbooks(&mut config)?);
    Ok((config, warnings))
}

/// Reads the configuration again and again, as these flags name it.
fn loader(global: Global) -> Load {
    Arc::new(move || {
        let checked = global.load();
        let mut files = read_files(&checked.config);
        if checked.config.file.is_none() {
            // One that is gone, or cannot be read, may come back.
            let usual = DEFAULT_FILES.iter().map(PathBuf::from);
            files.extend(global.config.clone().map_or_else(|| usual.collect(), |named| vec![named]));
        }
        Loaded { files, result: whole(checked).map(|(config, warnings)| (Box::new(config), warnings)) }
    })
}

/// Reads the reviewed runbooks of the configured folder into the policy; the warnings there are.
///
/// # Errors
/// What is wrong with them.
fn add_runbooks(config: &mut Config) -> Result<Vec<Problem>, Vec<Problem>> {
    let Some(folder) = &config.runbooks else { return Ok(Vec::new()) };
    let catalogue = runner::catalogue::load(folder, &|name| config.secrets.contains_key(name));
    if catalogue.problems.iter().any(Problem::is_error) {
        return Err(catalogue.problems);
    }
    config.policy.runbooks = catalogue.runbooks;
    Ok(catalogue.problems)
}

/// Problems as a person reads them, one a line.
fn listed(problems: &[Problem]) -> String {
    problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

/// To standard output; a reader who has gone is no error of ours.
fn say(text: &str) {
    let _ = writeln!(std::io::stdout().lock(), "{text}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        use clap::CommandFactory as _;
        Cli::command().debug_assert();
    }
}
