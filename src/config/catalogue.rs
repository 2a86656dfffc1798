//! The service catalogue: who owns what, what depends on what, where its follow-ups and its people are.
//!
//! `[[service]]` tables are ours and must be right: an owner nobody knows is an error. What is imported fills in what they
//! leave out.

use super::checked::Checker;
use super::imports::{self, Known};
use super::people::groups;
use super::raw::Text;
use super::sheet::Sheet;
use super::wording::{did_you_mean, short};
use crate::flow::policy::{Person, Service};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use toml::Spanned;

/// Where people and services are written besides the configuration itself.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Catalogue {
    pub people: Option<Text>,
    pub services: Option<Text>,
    pub on_call: Option<Text>,
    /// Files of GitHub that say who owns which folder.
    #[serde(default)]
    pub codeowners: Vec<Text>,
    /// Files of Backstage, or folders with such files in them.
    #[serde(default)]
    pub backstage: Vec<Text>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawService {
    pub name: Text,
    #[serde(default)]
    pub owners: Vec<Text>,
    #[serde(default)]
    pub depends_on: Vec<Text>,
    pub tier: Option<Spanned<u8>>,
    pub repository: Option<Text>,
    #[serde(default)]
    pub runbooks: Vec<Text>,
    pub channel: Option<Text>,
    /// Its folder in the repository of CODEOWNERS.
    pub path: Option<Text>,
}

pub(super) fn resolve<'f>(
    checker: &mut Checker<'f>,
    sheets: &[&'f Sheet<'f>],
    people: &[Person],
) -> BTreeMap<String, Service> {
    let Some(main) = sheets.first() else { return BTreeMap::new() };
    checker.turn_to(main);
    let elsewhere = &main.raw.catalogue;
    let imported = imports::read(checker, &elsewhere.backstage);
    let ours = sheets.iter().flat_map(|s| &s.raw.services).map(|s| s.name.get_ref().as_str());
    let names: BTreeSet<&str> = ours.chain(imported.names()).collect();
    let mut used = BTreeSet::new();
    let mut services = BTreeMap::new();
    for sheet in sheets {
        checker.turn_to(sheet);
        for written in &sheet.raw.services {
            let service = one(checker, written, &names, people, &mut used);
            services.insert(service.name.clone(), service);
        }
    }
    let known = Known::new(sheets, people);
    imported.fill(checker, &mut services, &known);
    checker.turn_to(main);
    imports::code_owners(checker, &elsewhere.codeowners, sheets, &mut services, &known);
    services
}

fn one(
    checker: &mut Checker<'_>,
    written: &RawService,
    names: &BTreeSet<&str>,
    people: &[Person],
    used: &mut BTreeSet<String>,
) -> Service {
    let name = checker.name("service", &written.name, used);
    let known = groups(people);
    for owner in &written.owners {
        if !known.contains(owner.get_ref().as_str()) {
            let what = format!("`{}` is neither a person nor a team", short(owner.get_ref()));
            checker.error(&owner.span(), what, did_you_mean(owner.get_ref(), known.iter().copied()));
        }
    }
    for other in &written.depends_on {
        if !names.contains(other.get_ref().as_str()) {
            let what = format!("there is no service `{}`", short(other.get_ref()));
            checker.error(&other.span(), what, did_you_mean(other.get_ref(), names.iter().copied()));
        }
    }
    if let Some(tier) = written.tier.as_ref().filter(|t| !(1..=4).contains(t.get_ref())) {
        checker.error(&tier.span(), "a tier is a number from 1 (most important) to 4", "write one of them");
    }
    let all = |list: &[Text]| list.iter().map(|t| t.get_ref().clone()).collect();
    Service {
        name,
        owners: all(&written.owners),
        depends_on: all(&written.depends_on),
        tier: written.tier.as_ref().map(|t| *t.get_ref()),
        repository: written.repository.as_ref().and_then(|r| repository(checker, r)),
        runbooks: all(&written.runbooks),
        channel: written.channel.as_ref().map(|c| c.get_ref().clone()),
    }
}

/// `owner/name`, out of that or out of an address of it.
fn repository(checker: &mut Checker<'_>, written: &Text) -> Option<String> {
    let found = slug(written.get_ref());
    if found.is_none() {
        let what = format!("`{}` is no repository", short(written.get_ref()));
        checker.error(&written.span(), what, "write it as \"owner/name\", or its https address");
    }
    found
}

/// The last two parts of an address, or the two of a name.
pub(super) fn slug(text: &str) -> Option<String> {
    let path = match text.split_once("://") {
        Some((_, rest)) => rest.split_once('/')?.1,
        None => text,
    };
    let path = path.trim_end_matches('/').trim_end_matches(".git");
    let (owner, name) = path.split_once('/')?;
    let plain = |t: &str| {
        !t.is_empty() && t.len() <= 100 && t.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
    };
    (plain(owner) && plain(name)).then(|| format!("{owner}/{name}"))
}
