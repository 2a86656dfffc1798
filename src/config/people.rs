//! People and services: who is who, who may do what, who owns what. An account belongs to one person: four eyes depend on it.

use super::checked::Checker;
use super::raw;
use super::wording::{did_you_mean, short};
use crate::flow::identity::{Identity, PersonId, Platform};
use crate::flow::policy::{Person, Service};
use smokejumper_intents::word::Right;
use std::collections::{BTreeMap, BTreeSet};
use toml::Spanned;

/// The workspace of the platforms that are ourselves.
pub const LOCAL: &str = "local";
/// The one person there is when nobody is set up: whoever runs the server.
pub const OPERATOR: &str = "admin";

pub(super) fn resolve(
    checker: &mut Checker<'_>,
    people: &[raw::Person],
    services: &[raw::Service],
    uid: u32,
) -> (Vec<Person>, BTreeMap<String, Service>) {
    let people = persons(checker, people, uid);
    let services = catalogue(checker, services, &people);
    (people, services)
}

fn persons(checker: &mut Checker<'_>, written: &[raw::Person], uid: u32) -> Vec<Person> {
    if written.is_empty() {
        let identities = vec![own(Platform::Cli, uid.to_string()), own(Platform::Console, OPERATOR.to_owned())];
        return vec![Person {
            id: PersonId(OPERATOR.to_owned()),
            name: "Administrator".to_owned(),
            right: Right::Admin,
            identities,
            teams: Vec::new(),
            on_call: false,
            github: None,
            hours: None,
        }];
    }
    let mut used = BTreeSet::new();
    let mut owners: BTreeMap<Identity, String> = BTreeMap::new();
    let mut people = Vec::new();
    for person in written {
        let id = checker.name("person", &person.id, &mut used);
        let identities = identities(checker, person, &id);
        for identity in &identities {
            if let Some(other) = owners.insert(identity.clone(), id.clone()).filter(|other| *other != id) {
                let what = format!(
                    "the {} account {} is also `{}`'s",
                    identity.platform.label(),
                    short(&identity.id),
                    short(&other)
                );
                checker.error(&person.id.span(), what, "an account belongs to one person; leave it out of one of them");
            }
        }
        people.push(Person {
            name: person.name.clone().filter(|n| !n.trim().is_empty()).unwrap_or_else(|| id.clone()),
            id: PersonId(id),
            right: person.right.unwrap_or(Right::Responder),
            identities,
            teams: person.teams.iter().map(|t| t.get_ref().clone()).collect(),
            on_call: person.on_call,
            github: person.github.clone(),
            hours: None,
        });
    }
    if let Some(first) = written.first().filter(|_| people.iter().all(|p| p.right != Right::Admin)) {
        let hint = "give one person right = \"admin\"";
        checker.warn(&first.id.span(), "nobody is administrator", hint);
    }
    people
}

fn identities(checker: &mut Checker<'_>, person: &raw::Person, id: &str) -> Vec<Identity> {
    let mut found = Vec::new();
    if person.console.unwrap_or(true) {
        found.push(own(Platform::Console, id.to_owned()));
    }
    let uids = person.cli.iter().flat_map(|cli| &cli.get_ref().0);
    found.extend(uids.map(|uid| own(Platform::Cli, uid.to_string())));
    for (platform, written, example) in [
        (Platform::Slack, &person.slack, "T024BE7LD/U2147483697"),
        (Platform::Discord, &person.discord, "197038439483310086/80351110224678912"),
        (Platform::Pagerduty, &person.pagerduty, "acme/PLH1HKV"),
    ] {
        let Some(written) = written else { continue };
        for account in &written.get_ref().0 {
            match account.split_once('/').filter(|(w, a)| is_workspace(platform, w) && is_id(a)) {
                Some((workspace, account)) => {
                    found.push(Identity { platform, workspace: workspace.to_owned(), id: account.to_owned() });
                }
                None => malformed(checker, written, platform, example),
            }
        }
    }
    found
}

fn malformed<T>(checker: &mut Checker<'_>, written: &Spanned<T>, platform: Platform, example: &str) {
    let what = format!("this is not a {} account", platform.label());
    checker.error(&written.span(), what, format!("write the ids of workspace and user, not names: \"{example}\""));
}

/// PagerDuty's workspaces are names of hosts.
fn is_workspace(platform: Platform, text: &str) -> bool {
    let host = || text.len() <= 64 && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    is_id(text) || (platform == Platform::Pagerduty && !text.is_empty() && host())
}

fn is_id(text: &str) -> bool {
    !text.is_empty() && text.len() <= 64 && text.bytes().all(|b| b.is_ascii_alphanumeric())
}

fn own(platform: Platform, id: String) -> Identity {
    Identity { platform, workspace: LOCAL.to_owned(), id }
}

fn catalogue(checker: &mut Checker<'_>, written: &[raw::Service], people: &[Person]) -> BTreeMap<String, Service> {
    let mut used = BTreeSet::new();
    let names: BTreeSet<&str> = written.iter().map(|s| s.name.get_ref().as_str()).collect();
    let known = groups(people);
    let mut services = BTreeMap::new();
    for service in written {
        let name = checker.name("service", &service.name, &mut used);
        for owner in &service.owners {
            if !known.contains(owner.get_ref().as_str()) {
                let what = format!("`{}` is neither a person nor a team", short(owner.get_ref()));
                checker.error(&owner.span(), what, did_you_mean(owner.get_ref(), known.iter().copied()));
            }
        }
        for other in &service.depends_on {
            if !names.contains(other.get_ref().as_str()) {
                let what = format!("there is no service `{}`", short(other.get_ref()));
                checker.error(&other.span(), what, did_you_mean(other.get_ref(), names.iter().copied()));
            }
        }
        if let Some(tier) = service.tier.as_ref().filter(|t| !(1..=4).contains(t.get_ref())) {
            checker.error(&tier.span(), "a tier is a number from 1 (most important) to 4", "write one of them");
        }
        services.insert(
            name.clone(),
            Service {
                name,
                owners: service.owners.iter().map(|o| o.get_ref().clone()).collect(),
                depends_on: service.depends_on.iter().map(|d| d.get_ref().clone()).collect(),
                tier: service.tier.as_ref().map(|t| *t.get_ref()),
                repository: service.repository.clone(),
                runbooks: Vec::new(),
                channel: None,
            },
        );
    }
    services
}

/// Everything that can own or be invited: ids of people, and names of their teams.
pub(super) fn groups(people: &[Person]) -> BTreeSet<&str> {
    people.iter().flat_map(|p| std::iter::once(p.id.0.as_str()).chain(p.teams.iter().map(String::as_str))).collect()
}
