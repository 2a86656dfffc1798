//! The configuration as the rest of the house gets it: resolved, cross-checked, secrets wrapped.
//!
//! No file, or an empty one, is valid: everything has a default that works on one machine.

use super::environment::Environment;
use super::github::{self, GitHub};
use super::operations::{self, Operations};
use super::pager::{self, Pagers};
use super::problem::{MAX_PROBLEMS, Problem};
use super::raw::{self, Raw, Text};
use super::secret::Secret;
use super::sheet::{self, Sheet, text_of};
use super::slack::{self, Slack};
use super::source::{KnownKind, Source};
use super::sources::Written;
use super::wording::short;
use super::{catalogue, conditions, database, people, rooms, rota, rules, secrets, sources};
use crate::flow::identity::Platform;
use crate::flow::moment::At;
use crate::flow::policy::Policy;
use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::ops::Range;
use std::path::{Path, PathBuf};

/// Where the server listens unless told otherwise: reachable from this machine only.
pub const DEFAULT_LISTEN: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 7911);
/// The source there is when none is set up.
pub const DEFAULT_SOURCE: &str = "alertmanager";
/// Looked for when no configuration is named, the first that is there.
pub const DEFAULT_FILES: [&str; 2] = ["smokejumper.toml", "/etc/smokejumper/smokejumper.toml"];
/// Characters of a name that stands in addresses, routes or lists.
const MAX_NAME: usize = 64;

#[derive(Clone, Debug)]
pub struct Config {
    /// Where it was read from; `None`: all defaults.
    pub file: Option<PathBuf>,
    pub listen: SocketAddr,
    pub data_dir: PathBuf,
    /// URL of the Postgres database; `None`: SQLite in the data directory.
    pub database: Option<Secret>,
    /// Names under which a proxy serves the console over https, besides loopback.
    pub hosts: Vec<String>,
    pub sources: Vec<Source>,
    /// Who tells of deployments and other changes.
    pub change_sources: Vec<Source>,
    /// `None`: no runbooks.
    pub runbooks: Option<PathBuf>,
    /// By name, for runbooks that refer to them.
    pub secrets: BTreeMap<String, Secret>,
    /// Without runbooks: those are read by their own edge.
    pub policy: Policy,
    /// Who has phones ring.
    pub pagers: Pagers,
    pub operations: Operations,
    /// `None`: follow-ups stay here.
    pub github: Option<GitHub>,
    /// `None`: nobody talks on Slack.
    pub slack: Option<Slack>,
    /// Every file that was read besides `file`: when one changes, the configuration has.
    pub files: Vec<PathBuf>,
}

/// What a look at the configuration found.
#[derive(Debug)]
pub struct Checked {
    /// As far as it could be read; to be used only when no problem is an error.
    pub config: Config,
    /// In the order of the file.
    pub problems: Vec<Problem>,
    /// Neither the command line nor a readable `[server]` says where data is kept: `config.data_dir` is only the usual place.
    pub data_dir_unknown: bool,
    /// A database is named, and which one could not be found out: `config.database` says nothing.
    pub database_unknown: bool,
}

impl Checked {
    /// The configuration and its warnings, or everything that is wrong.
    ///
    /// # Errors
    /// At least one problem is an error.
    pub fn usable(self) -> Result<(Config, Vec<Problem>), Vec<Problem>> {
        if self.problems.iter().any(Problem::is_error) { Err(self.problems) } else { Ok((self.config, self.problems)) }
    }
}

/// What is said on the command line, and what the edges can do.
#[derive(Clone, Copy, Debug, Default)]
pub struct Given<'g> {
    /// Calendars are laid out from here on; without it, none.
    pub now: At,
    pub file: Option<&'g Path>,
    pub data_dir: Option<&'g Path>,
    /// The kinds of alert source there are.
    pub source_kinds: &'g [KnownKind],
    /// The kinds of change source there are.
    pub change_kinds: &'g [KnownKind],
}

/// Reads and checks; total. Relative paths in the file start from the file's folder.
#[must_use]
pub fn load(given: Given<'_>, environment: &Environment<'_>) -> Checked {
    let default = || DEFAULT_FILES.iter().map(PathBuf::from).find(|p| p.exists());
    match given.file.map(Path::to_owned).or_else(default) {
        None => check(given, environment, None, ""),
        Some(file) => match main_text(&file) {
            Ok(source) => check(given, environment, Some(&file), &source),
            Err(problem) => {
                let mut checked = check(given, environment, None, "");
                checked.problems.insert(0, problem);
                checked.data_dir_unknown = given.data_dir.is_none();
                checked.database_unknown = true;
                checked
            }
        },
    }
}

fn main_text(file: &Path) -> Result<String, Problem> {
    text_of(file).map_err(|why| {
        let problem = Problem::of_file(file, format!("the configuration cannot be read: {why}"));
        if file.exists() {
            problem.hint("let this user read it, as TOML")
        } else {
            problem.hint("leave --config out to start with defaults, or copy deploy/config.example.toml there")
        }
    })
}

/// The same for a text that was read already.
#[must_use]
pub fn check(given: Given<'_>, environment: &Environment<'_>, file: Option<&Path>, source: &str) -> Checked {
    let name = file.unwrap_or(Path::new("defaults"));
    let mut problems = Vec::new();
    let main = Sheet::read(name, source, raw::TABLES, &mut problems);
    let pages = sheet::named(&main.raw.catalogue, &main, &mut problems);
    let more: Vec<Sheet<'_>> = pages.iter().map(|page| page.sheet(&mut problems)).collect();
    let data_dir_unknown = main.raw.server.is_none() && given.data_dir.is_none();
    let files = pages.iter().map(|page| page.file.clone()).collect();
    let mut checker = Checker { file: name, source, folder: main.folder.clone(), files, problems };
    let sheets: Vec<&Sheet<'_>> = std::iter::once(&main).chain(&more).collect();
    let (config, database_unknown) = checker.config(&sheets, given, environment, file);
    let mut problems = checker.problems;
    // Those of the configuration first, in its order; then file by file.
    problems.sort_by_key(|p| ((p.file != name).then(|| p.file.clone()), p.line, p.column));
    problems.truncate(MAX_PROBLEMS);
    Checked { config, problems, data_dir_unknown, database_unknown }
}

/// Collects what is wrong while the parts are resolved.
pub(super) struct Checker<'f> {
    pub file: &'f Path,
    pub source: &'f str,
    /// Relative paths start here.
    pub folder: PathBuf,
    /// Files that were read besides the configuration itself.
    pub files: BTreeSet<PathBuf>,
    pub problems: Vec<Problem>,
}

impl<'f> Checker<'f> {
    /// From here on places are on this sheet.
    pub fn turn_to(&mut self, sheet: &'f Sheet<'f>) {
        (self.file, self.source, self.folder) = (sheet.file, sheet.source, sheet.folder.clone());
    }

    /// Where the `at`-th byte of a text stands, when it is written without escapes; else where the text begins.
    pub fn inside(&self, text: &Text, at: usize) -> usize {
        let span = text.span();
        let raw = self.source.get(span.clone()).unwrap_or_default();
        raw.find(text.get_ref().as_str()).map_or(span.start, |quote| span.start + quote + at)
    }

    pub fn error(&mut self, span: &Range<usize>, what: impl Into<String>, hint: impl Into<String>) {
        self.problems.push(Problem::at(self.file, self.source, span, what).hint(hint));
    }

    pub fn warn(&mut self, span: &Range<usize>, what: impl Into<String>, hint: impl Into<String>) {
        self.problems.push(Problem::at(self.file, self.source, span, what).hint(hint).warning());
    }

    /// A name that may stand anywhere, used once. Kept even so, for what refers to it.
    pub fn name(&mut self, what: &str, name: &Text, used: &mut BTreeSet<String>) -> String {
        let text = name.get_ref();
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        if text.is_empty() || text.len() > MAX_NAME || !text.chars().all(plain) {
            let hint = format!("use letters, digits, `-`, `_` and `.`, at most {MAX_NAME}");
            self.error(&name.span(), format!("`{}` is no name for a {what}", short(text)), hint);
        } else if !used.insert(text.clone()) {
            let hint = "give one of them another name";
            self.error(&name.span(), format!("there are two of the {what} `{}`", short(text)), hint);
        }
        text.clone()
    }

    /// The configuration, and whether its database is unknown.
    fn config(
        &mut self,
        sheets: &[&'f Sheet<'f>],
        given: Given<'_>,
        environment: &Environment<'_>,
        file: Option<&Path>,
    ) -> (Config, bool) {
        let none = Raw::default();
        let raw = sheets.first().map_or(&none, |main| &main.raw);
        let secrets = secrets::resolve(self, &raw.secrets, environment);
        let database = database::resolve(self, raw.database.as_ref(), &secrets, environment);
        let database_unknown = database.is_err();
        let listen = self.listen(raw.server.as_ref().and_then(|server| server.listen.as_ref()));
        let local = listen.ip().is_loopback();
        let sources = sources::resolve(self, &raw.sources, &secrets, given.source_kinds, local);
        let changes = ("change_source", "changes");
        let written: Vec<Written<'_>> = raw.change_sources.iter().map(Into::into).collect();
        let change_sources = sources::resolve_all(self, changes, &written, &secrets, given.change_kinds, local);
        let hosts = self.hosts(&raw.console.hosts);
        let hours = conditions::working(self, &raw.working_hours);
        let people = people::resolve(self, sheets, &hours, environment.uid);
        let services = catalogue::resolve(self, sheets, &people);
        let mut policy = Policy { people, services, hours, platforms: vec![Platform::Console], ..Policy::default() };
        policy.rota = rota::resolve(self, sheets, &policy, given.now);
        if let Some(main) = sheets.first() {
            self.turn_to(main);
        }
        rules::resolve(self, raw, &mut policy);
        let pagers = pager::resolve(self, raw, &secrets, &mut policy);
        let operations = operations::resolve(self, raw, &secrets);
        let github = github::resolve(self, raw, &secrets, &mut policy);
        let slack = slack::resolve(self, raw, &secrets, environment, &mut policy);
        rooms::resolve(self, raw, &mut policy);
        let written = raw.server.as_ref().and_then(|server| server.data_dir.as_ref());
        let written = written.map(|d| self.folder.join(d.get_ref()));
        let config = Config {
            file: file.map(Path::to_owned),
            listen,
            data_dir: given.data_dir.map(Path::to_owned).or(written).unwrap_or_else(|| environment.data_dir()),
            database: database.ok().flatten(),
            hosts,
            sources,
            change_sources,
            runbooks: self.runbooks(raw.runbooks.folder.as_ref()),
            secrets: secrets.into_iter().map(|(name, (_, secret))| (name, secret)).collect(),
            policy,
            pagers,
            operations,
            github,
            slack,
            files: std::mem::take(&mut self.files).into_iter().collect(),
        };
        (config, database_unknown)
    }

    fn listen(&mut self, written: Option<&Text>) -> SocketAddr {
        let Some(written) = written else { return DEFAULT_LISTEN };
        let text = written.get_ref().replace("localhost:", "127.0.0.1:");
        text.parse().unwrap_or_else(|_| {
            let what = format!("`{}` is not an address to listen on", short(written.get_ref()));
            self.error(&written.span(), what, format!("write an IP address and a port, such as \"{DEFAULT_LISTEN}\""));
            DEFAULT_LISTEN
        })
    }

    fn hosts(&mut self, written: &[Text]) -> Vec<String> {
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | ':' | '[' | ']');
        for host in written {
            if host.get_ref().is_empty() || !host.get_ref().chars().all(plain) {
                let what = format!("`{}` is not a host", short(host.get_ref()));
                self.error(&host.span(), what, "write it without https:// and path, such as \"incidents.example.org\"");
            }
        }
        written.iter().map(|h| h.get_ref().to_ascii_lowercase()).collect()
    }

    /// A folder that is named must be there; the usual one is used when it is.
    fn runbooks(&mut self, written: Option<&Text>) -> Option<PathBuf> {
        let Some(written) = written else {
            return Some(self.folder.join("runbooks")).filter(|usual| usual.is_dir());
        };
        let folder = self.folder.join(written.get_ref());
        if !folder.is_dir() {
            let what = format!("there is no folder {}", folder.display());
            self.error(&written.span(), what, "make it, or leave the key out to run without runbooks");
        }
        Some(folder)
    }
}
