//! `purge` and `forget`: take out of Smokejumper what must not stay. Run on the machine: whoever may read the data directory may
//! do this. Says what remains.

use super::exit::Exit;
use super::{Global, call, speak};
use crate::app::erase_alone;
use crate::config::value::Age;
use crate::edges::clock::WallClock;
use crate::edges::socket::{self, EraseRequest, Erased};
use crate::edges::store::reader::Reader;
use crate::flow::identity::{Actor, Identity, Platform};
use crate::flow::moment::At;
use crate::ports::Clock as _;
use clap::Subcommand;
use smokejumper_intents::inert;
use std::sync::Arc;

/// Incidents purged by one command; more with the next one.
const MAX_AT_ONCE: usize = 10_000;
/// Incidents listed.
const LISTED: usize = 20;

#[derive(Debug, clap::Args)]
pub struct PurgeArgs {
    /// An incident that has ended: INC-12
    #[arg(value_name = "INCIDENT", required_unless_present = "older_than", conflicts_with = "older_than")]
    incident: Option<String>,
    /// Every incident that ended longer ago, such as 400d
    #[arg(long, value_name = "TIME")]
    older_than: Option<String>,
    /// Say what would be purged, and purge nothing
    #[arg(long)]
    dry_run: bool,
    /// It is meant: what is purged cannot be brought back
    #[arg(long)]
    yes: bool,
}

#[derive(Debug, clap::Args)]
pub struct ForgetArgs {
    #[command(subcommand)]
    what: Forgettable,
}

#[derive(Debug, Subcommand)]
enum Forgettable {
    /// Put an opaque name in a person's place, in facts, messages and learned cases
    Person {
        /// The id of a [[person]]; of one who left the configuration, the id they had
        #[arg(value_name = "ID")]
        id: String,
        /// An account of theirs, as platform/workspace/id (slack/T024BE7LD/U2147483697); as often as they have one. Needed for
        /// one who left the configuration
        #[arg(long = "account", value_name = "ACCOUNT")]
        accounts: Vec<String>,
        /// The name that messages call them by, for one who left the configuration
        #[arg(long, value_name = "NAME")]
        name: Option<String>,
        /// It is meant: what is forgotten cannot be brought back
        #[arg(long)]
        yes: bool,
    },
}

pub async fn purge(global: &Global, args: &PurgeArgs) -> Exit {
    let ids = match chosen(global, args).await {
        Ok(ids) => ids,
        Err(exit) => return exit,
    };
    if ids.is_empty() {
        speak::note("there is nothing to purge");
        return Exit::Ok;
    }
    if args.dry_run {
        return Exit::Ok;
    }
    if !args.yes {
        speak::error("nothing was purged: say it again with --yes, or --dry-run to see what it would be");
        return Exit::Confirm;
    }
    let requests = ids.into_iter().map(|incident| EraseRequest::Purge { incident }).collect();
    match erase(global, requests).await {
        Ok(all) => {
            let entries: u64 = all.iter().map(|erased| erased.entries).sum();
            if !global.quiet {
                speak::note(&format!("{} purged, {entries} entries erased", incidents(all.len())));
                speak::note(
                    "What remains: that they were, when and how they ended, who acted when, and that it was erased; titles that other \
                     incidents cite; what was posted to chats and issues; older backups and exports.",
                );
            }
            Exit::Ok
        }
        Err(exit) => exit,
    }
}

pub async fn forget(global: &Global, args: &ForgetArgs) -> Exit {
    let Forgettable::Person { id, accounts, name, yes } = &args.what;
    if !yes {
        speak::error("nobody was forgotten: say it again with --yes; it cannot be taken back");
        return Exit::Confirm;
    }
    let request = EraseRequest::Forget { person: id.clone(), accounts: accounts.clone(), name: name.clone() };
    match erase(global, vec![request]).await {
        Ok(all) => {
            let erased = all.into_iter().next().unwrap_or_default();
            if !global.quiet {
                let (entries, within) = (erased.entries, incidents(erased.incidents.len()));
                let name = erased.tombstone.unwrap_or_default();
                speak::note(&format!(
                    "{entries} entries in {within} now name {name}; `smokejumper audit verify` accepts them"
                ));
                speak::note(
                    "What remains: what others wrote about them in their own words (purge those incidents), what was posted to chats \
                     and issues, older backups and exports, and their [[person]]: take it out of the configuration.",
                );
            }
            Exit::Ok
        }
        Err(exit) => exit,
    }
}

/// Which ones, said.
async fn chosen(global: &Global, args: &PurgeArgs) -> Result<Vec<u32>, Exit> {
    if let Some(text) = &args.incident {
        let digits = text.trim().trim_start_matches("INC-").trim_start_matches("inc-");
        let id = digits.parse().ok().filter(|id| *id > 0);
        return id.map(|id| vec![id]).ok_or_else(|| {
            speak::error(&format!("`{}` is not an incident; write it like INC-12", inert::line(text)));
            Exit::Usage
        });
    }
    let age = args.older_than.as_deref().and_then(Age::parse).ok_or_else(|| {
        speak::error("--older-than takes a time such as 400d");
        Exit::Usage
    })?;
    let location = global.location().map_err(|why| Exit::failed(&why))?;
    let looked = async {
        let reader = Reader::open(&location, Arc::new(WallClock)).await?;
        let old = reader.ended_before(WallClock.now().plus(-age.0), MAX_AT_ONCE).await;
        reader.close().await;
        old
    };
    let old = looked.await.map_err(|error| super::backup::told(&error))?;
    if !global.quiet && !old.is_empty() {
        speak::note(&format!("{} ended longer ago:", incidents(old.len())));
        for incident in old.iter().take(LISTED) {
            let ended = incident.times.resolved.unwrap_or(At(0));
            let day = jiff::Timestamp::from_millisecond(ended.0).map(|at| at.strftime("%Y-%m-%d").to_string());
            // A private incident's title is nobody's business here.
            let title = if incident.private { "(private)".to_owned() } else { inert::line(&incident.title) };
            speak::note(&format!("  {}  {}  {title}", day.unwrap_or_default(), incident.id));
        }
        if old.len() > LISTED {
            speak::note(&format!("  … and {} more", old.len() - LISTED));
        }
    }
    Ok(old.into_iter().map(|incident| incident.id.0).collect())
}

/// By the running server, or without one.
async fn erase(global: &Global, requests: Vec<EraseRequest>) -> Result<Vec<Erased>, Exit> {
    let config = super::configured(global)?;
    if std::os::unix::net::UnixStream::connect(socket::path(&config.data_dir)).is_err() {
        let uid = rustix::process::geteuid().as_raw().to_string();
        let by = Actor::Account(Identity { platform: Platform::Cli, workspace: "local".to_owned(), id: uid });
        return erase_alone(&config, requests, by).await.map_err(|why| Exit::failed(&why));
    }
    let mut all = Vec::with_capacity(requests.len());
    for request in requests {
        let unsure = "look with `smokejumper audit verify`, and say it again: what is done is not done twice";
        match call::call::<Erased>(&config.data_dir, socket::ERASE, &request, unsure).await {
            Ok(erased) => all.push(erased),
            Err(trouble) => {
                speak::error(&trouble.what);
                return Err(trouble.exit);
            }
        }
    }
    Ok(all)
}

fn incidents(n: usize) -> String {
    if n == 1 { "1 incident".to_owned() } else { format!("{n} incidents") }
}
