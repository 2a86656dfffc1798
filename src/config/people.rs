//! People and teams: who is who, who may do what, when they work. An account belongs to one person: four eyes depend on it.

use super::checked::Checker;
use super::conditions::{hours, zone};
use super::raw::Text;
use super::sheet::Sheet;
use super::value::OneOrMany;
use super::wording::{did_you_mean, short};
use crate::flow::hours::Hours;
use crate::flow::identity::{Identity, PersonId, Platform};
use crate::flow::policy::Person;
use serde::Deserialize;
use smokejumper_intents::word::Right;
use std::collections::{BTreeMap, BTreeSet};
use toml::Spanned;

/// The workspace of the platforms that are ourselves.
pub const LOCAL: &str = "local";
/// The one person there is when nobody is set up: whoever runs the server.
pub const OPERATOR: &str = "admin";
/// Characters of a login on GitHub.
const MAX_LOGIN: usize = 39;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawPerson {
    pub id: Text,
    pub name: Option<String>,
    pub right: Option<Right>,
    #[serde(default)]
    pub teams: Vec<Text>,
    #[serde(default)]
    pub on_call: bool,
    pub github: Option<Text>,
    /// By which calendars name them: one, or a list.
    pub mail: Option<Spanned<OneOrMany<String>>>,
    pub hours: Option<Text>,
    pub timezone: Option<Text>,
    pub console: Option<bool>,
    pub cli: Option<Spanned<OneOrMany<u32>>>,
    pub slack: Option<Spanned<OneOrMany<String>>>,
    pub discord: Option<Spanned<OneOrMany<String>>>,
    pub pagerduty: Option<Spanned<OneOrMany<String>>>,
}

/// A team with a name of its own; one may also be named by its people alone.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawTeam {
    pub name: Text,
    #[serde(default)]
    pub members: Vec<Text>,
    /// `organisation/team`
    pub github: Option<Text>,
}

/// Everybody, with their teams.
pub(super) fn resolve<'f>(checker: &mut Checker<'f>, sheets: &[&'f Sheet<'f>], house: &Hours, uid: u32) -> Vec<Person> {
    let mut people = persons(checker, sheets, house);
    if people.is_empty() {
        return vec![operator(uid)];
    }
    if people.iter().all(|p| p.right != Right::Admin)
        && let Some(sheet) = sheets.iter().find(|s| !s.raw.people.is_empty())
        && let Some(first) = sheet.raw.people.first()
    {
        checker.turn_to(sheet);
        let what = "nobody is administrator";
        let hint = "give one person right = \"admin\"";
        // A file of people is maintained: without an administrator it is unfinished.
        if sheets.iter().all(|s| s.is_main() || s.raw.people.is_empty()) {
            checker.warn(&first.id.span(), what, hint);
        } else {
            checker.error(&first.id.span(), what, hint);
        }
    }
    teams(checker, sheets, &mut people);
    people
}

/// Whoever runs the server, when nobody is set up.
fn operator(uid: u32) -> Person {
    Person {
        id: PersonId(OPERATOR.to_owned()),
        name: "Administrator".to_owned(),
        right: Right::Admin,
        identities: vec![own(Platform::Cli, uid.to_string()), own(Platform::Console, OPERATOR.to_owned())],
        teams: Vec::new(),
        on_call: false,
        github: None,
        hours: None,
    }
}

fn persons<'f>(checker: &mut Checker<'f>, sheets: &[&'f Sheet<'f>], house: &Hours) -> Vec<Person> {
    let mut used = BTreeSet::new();
    let mut owners: BTreeMap<Identity, String> = BTreeMap::new();
    let mut people = Vec::new();
    for sheet in sheets {
        checker.turn_to(sheet);
        for person in &sheet.raw.people {
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
                    let hint = "an account belongs to one person; leave it out of one of them";
                    checker.error(&person.id.span(), what, hint);
                }
            }
            people.push(Person {
                name: person.name.clone().filter(|n| !n.trim().is_empty()).unwrap_or_else(|| id.clone()),
                id: PersonId(id),
                right: person.right.unwrap_or(Right::Responder),
                identities,
                teams: person.teams.iter().map(|t| t.get_ref().clone()).collect(),
                on_call: person.on_call,
                github: person.github.as_ref().and_then(|login| github(checker, login)),
                hours: own_hours(checker, person, house),
            });
        }
    }
    people
}

/// A login, without the `@` people write before it.
fn github(checker: &mut Checker<'_>, written: &Text) -> Option<String> {
    let login = written.get_ref().trim_start_matches('@');
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if login.is_empty() || login.len() > MAX_LOGIN || !login.chars().all(plain) {
        let what = format!("`{}` is no login on GitHub", short(written.get_ref()));
        checker.error(&written.span(), what, "write the login alone, such as \"ana-ruiz\"");
        return None;
    }
    Some(login.to_owned())
}

/// Their hours; a zone alone means the house's hours there.
fn own_hours(checker: &mut Checker<'_>, person: &RawPerson, house: &Hours) -> Option<Hours> {
    let zone = zone(checker, person.timezone.as_ref(), house.zone());
    match &person.hours {
        Some(text) => hours(checker, text, zone),
        None => person.timezone.as_ref().map(|_| house.clone().in_zone(zone)),
    }
}

/// Puts the members of each team into it.
fn teams<'f>(checker: &mut Checker<'f>, sheets: &[&'f Sheet<'f>], people: &mut [Person]) {
    let mut used = BTreeSet::new();
    for sheet in sheets {
        checker.turn_to(sheet);
        for team in &sheet.raw.teams {
            let name = checker.name("team", &team.name, &mut used);
            if people.iter().any(|p| p.id.0 == name) {
                let what = format!("`{}` is a person and a team", short(&name));
                checker.error(&team.name.span(), what, "give the team another name: owners are named by it");
            }
            for member in &team.members {
                match people.iter_mut().find(|p| p.id.0 == *member.get_ref()) {
                    Some(person) if !person.teams.contains(&name) => person.teams.push(name.clone()),
                    Some(_) => {}
                    None => {
                        let what = format!("there is no person `{}`", short(member.get_ref()));
                        let hint = did_you_mean(member.get_ref(), people.iter().map(|p| p.id.0.as_str()));
                        checker.error(&member.span(), what, hint);
                    }
                }
            }
            if people.iter().all(|p| !p.teams.contains(&name)) {
                let what = format!("nobody is in the team `{}`", short(&name));
                checker.warn(&team.name.span(), what, "name its members");
            }
        }
    }
}

fn identities(checker: &mut Checker<'_>, person: &RawPerson, id: &str) -> Vec<Identity> {
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

/// Everything that can own or be invited: ids of people, and names of their teams.
pub(super) fn groups(people: &[Person]) -> BTreeSet<&str> {
    people.iter().flat_map(|p| std::iter::once(p.id.0.as_str()).chain(p.teams.iter().map(String::as_str))).collect()
}
