//! What the service catalogue takes from elsewhere: Backstage's files, then CODEOWNERS. They fill in what `[[service]]` leaves
//! out; where they say something else, ours counts, and that is told with its place. What is unknown in them is a warning: those
//! files are kept by others.

use super::backstage::{self, Entity, Kind};
use super::checked::Checker;
use super::codeowners::{self, Rule};
use super::problem::Problem;
use super::raw::Text;
use super::sheet::{Sheet, text_of};
use super::wording::short;
use crate::flow::policy::{Person, Service};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Files of Backstage in one folder, and how deep they are looked for.
const MAX_FILES: usize = 2_000;
const MAX_DEPTH: usize = 8;
/// What such a file is called in a folder.
const CATALOG_INFO: [&str; 2] = ["catalog-info.yaml", "catalog-info.yml"];

/// Entities with the file each is in.
#[derive(Default)]
pub struct Imported {
    entities: Vec<(PathBuf, Entity)>,
}

/// Whom a name in a file means.
pub struct Known<'p> {
    pub people: &'p [Person],
    /// Teams by their names on GitHub, in lower case.
    pub github_teams: BTreeMap<String, String>,
    /// People by their addresses of mail, in lower case.
    pub mail: BTreeMap<String, String>,
}

impl<'p> Known<'p> {
    pub fn new(sheets: &[&Sheet<'_>], people: &'p [Person]) -> Self {
        let teams = sheets.iter().flat_map(|s| &s.raw.teams);
        let github_teams = teams.filter_map(|t| {
            let github = t.github.as_ref()?.get_ref().trim_start_matches('@').to_lowercase();
            Some((github, t.name.get_ref().clone()))
        });
        let everybody = sheets.iter().flat_map(|s| &s.raw.people);
        let mail = everybody.flat_map(|p| {
            let all = p.mail.iter().flat_map(|m| &m.get_ref().0);
            all.map(|m| (m.to_lowercase(), p.id.get_ref().clone()))
        });
        Self { people, github_teams: github_teams.collect(), mail: mail.collect() }
    }

    fn team(&self, name: &str) -> Option<String> {
        let ours = self.people.iter().flat_map(|p| &p.teams).find(|t| t.eq_ignore_ascii_case(name)).cloned();
        let last = |github: &&String| github.rsplit('/').next().is_some_and(|t| t.eq_ignore_ascii_case(name));
        ours.or_else(|| self.github_teams.iter().find(|(github, _)| last(github)).map(|(_, team)| team.clone()))
    }

    fn person(&self, name: &str) -> Option<String> {
        let is = |p: &&Person| {
            p.id.0.eq_ignore_ascii_case(name) || p.github.as_ref().is_some_and(|g| g.eq_ignore_ascii_case(name))
        };
        self.people.iter().find(is).map(|p| p.id.0.clone()).or_else(|| self.mail.get(&name.to_lowercase()).cloned())
    }

    /// `@org/team`, `@login`, `ana@example.org`.
    fn code_owner(&self, written: &str) -> Option<String> {
        let name = written.trim_start_matches('@');
        if name.contains('/') { self.github_teams.get(&name.to_lowercase()).cloned() } else { self.person(name) }
    }

    /// `group:default/payments`, `user:ana`, `payments`.
    fn backstage_owner(&self, kind: &str, name: &str) -> Option<String> {
        match kind {
            "user" => self.person(name),
            "group" => self.team(name),
            _ => self.team(name).or_else(|| self.person(name)),
        }
    }
}

/// Reads the files of Backstage that are named.
pub fn read(checker: &mut Checker<'_>, named: &[Text]) -> Imported {
    let mut entities = Vec::new();
    for written in named {
        let path = checker.folder.join(written.get_ref());
        if !path.exists() {
            let what = format!("{} cannot be read: there is no such file or folder", path.display());
            checker.error(&written.span(), what, "write a path from the folder of this file");
            continue;
        }
        let mut files = Vec::new();
        if path.is_dir() {
            // A file that appears in it later is seen, too.
            checker.files.insert(path.clone());
            look_into(&path, MAX_DEPTH, &mut files);
        } else {
            files.push(path);
        }
        for file in files {
            checker.files.insert(file.clone());
            match text_of(&file).map_err(|why| (0, 0, format!("it cannot be read: {why}"))).and_then(|text| {
                backstage::parse(&text)
                    .map_err(|bad| (bad.line, bad.column, format!("it is no catalogue: {}", bad.what)))
            }) {
                Ok(found) => entities.extend(found.into_iter().map(|entity| (file.clone(), entity))),
                Err((line, column, what)) => {
                    let problem = Problem { line, column, ..Problem::of_file(&file, what) };
                    checker.problems.push(problem.hint("nothing of this file is used until it is mended").warning());
                }
            }
        }
    }
    entities.sort_by_key(|(_, e)| e.kind);
    Imported { entities }
}

/// Folders are walked in order; links are not followed: they may lead in circles, or out.
fn look_into(folder: &Path, depth: usize, files: &mut Vec<PathBuf>) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    let mut entries: Vec<_> = entries.flatten().collect();
    entries.sort_by_key(std::fs::DirEntry::file_name);
    for entry in entries {
        let Ok(kind) = entry.file_type() else { continue };
        let name = entry.file_name();
        if files.len() >= MAX_FILES {
            return;
        }
        if kind.is_file() && CATALOG_INFO.iter().any(|n| name.to_str() == Some(n)) {
            files.push(entry.path());
        } else if kind.is_dir() && depth > 0 && !name.to_string_lossy().starts_with('.') {
            look_into(&entry.path(), depth - 1, files);
        }
    }
}

impl Imported {
    /// Names that may be depended on.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.entities.iter().map(|(_, e)| e.name.as_str())
    }

    /// Adds what is missing to the services, and services that are missing.
    pub fn fill(&self, checker: &mut Checker<'_>, services: &mut BTreeMap<String, Service>, known: &Known<'_>) {
        let all: Vec<Entity> = self.entities.iter().map(|(_, e)| e.clone()).collect();
        let providers = backstage::providers(&all);
        let ours: BTreeSet<String> = services.keys().cloned().collect();
        let names: BTreeSet<&str> = ours.iter().map(String::as_str).chain(self.names()).collect();
        let mut taken = BTreeSet::new();
        for (file, entity) in &self.entities {
            let provided = entity.kind == Kind::Api && providers.contains_key(entity.name.as_str());
            if provided || !taken.insert(entity.name.as_str()) {
                continue;
            }
            let mut warn = |line: usize, what: String, hint: String| {
                let problem = Problem { line, column: 1, ..Problem::of_file(file, what) };
                checker.problems.push(problem.hint(hint).warning());
            };
            if !is_name(&entity.name) {
                let what = format!("`{}` is no name for a service", short(&entity.name));
                warn(entity.line, what, "use letters, digits, `-`, `_` and `.`, at most 64".to_owned());
                continue;
            }
            let is_ours = ours.contains(&entity.name);
            let service = services.entry(entity.name.clone()).or_default();
            service.name.clone_from(&entity.name);
            if let Some(owner) = &entity.owner {
                let (kind, name) = owner.kind_and_name();
                match known.backstage_owner(kind, name) {
                    Some(owner) if service.owners.is_empty() => service.owners.push(owner),
                    Some(found) if is_ours && !service.owners.contains(&found) => {
                        let what = format!("it says that {} owns {}", short(&owner.text), entity.name);
                        warn(
                            owner.line,
                            what,
                            format!("[[service]] says {}, and that counts", service.owners.join(", ")),
                        );
                    }
                    Some(_) => {}
                    None => {
                        let what = format!("nobody is known as `{}`", short(&owner.text));
                        warn(
                            owner.line,
                            what,
                            "name the team under [[team]], or the person under [[person]]".to_owned(),
                        );
                    }
                }
            }
            if service.repository.is_none() {
                service.repository = entity.repository.as_deref().and_then(super::catalogue::slug);
            }
            if is_ours && !service.depends_on.is_empty() {
                continue;
            }
            let mut needs: BTreeSet<String> = BTreeSet::new();
            for need in &entity.needs {
                let name = need.kind_and_name().1;
                if names.contains(name) {
                    needs.insert(name.to_owned());
                } else {
                    let what = format!("there is no service `{}`", short(&need.text));
                    warn(need.line, what, "name its catalogue under [catalogue] backstage".to_owned());
                }
            }
            for api in &entity.needs_apis {
                let name = api.rsplit(['/', ':']).next().unwrap_or(api);
                let by: Vec<&str> = providers.get(name).cloned().unwrap_or_default();
                let itself = names.get(name).copied().filter(|_| by.is_empty());
                needs.extend(by.into_iter().chain(itself).map(str::to_owned));
            }
            needs.remove(&entity.name);
            service.depends_on = needs.into_iter().collect();
        }
    }
}

fn is_name(text: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-_.".contains(&b);
    !text.is_empty() && text.len() <= 64 && text.bytes().all(plain)
}

/// Gives services with a `path` the owners CODEOWNERS says, when nobody else said who they are.
pub fn code_owners<'f>(
    checker: &mut Checker<'f>,
    named: &[Text],
    sheets: &[&'f Sheet<'f>],
    services: &mut BTreeMap<String, Service>,
    known: &Known<'_>,
) {
    let mut rules: Vec<(PathBuf, Vec<Rule>)> = Vec::new();
    for written in named {
        let path = checker.folder.join(written.get_ref());
        checker.files.insert(path.clone());
        match text_of(&path) {
            Ok(text) => {
                let (found, skipped) = codeowners::parse(&text);
                for (line, why) in skipped {
                    let problem = Problem { line, column: 1, ..Problem::of_file(&path, "this line is skipped") };
                    checker.problems.push(problem.hint(why).warning());
                }
                rules.push((path, found));
            }
            Err(why) => {
                let what = format!("{} cannot be read: {why}", path.display());
                checker.error(&written.span(), what, "write a path from the folder of this file");
            }
        }
    }
    for sheet in sheets {
        checker.turn_to(sheet);
        for written in &sheet.raw.services {
            let Some(path) = &written.path else { continue };
            let Some((file, rule)) =
                rules.iter().find_map(|(file, r)| Some((file, codeowners::owner_of(r, path.get_ref())?)))
            else {
                let what = format!("no pattern of CODEOWNERS is for `{}`", short(path.get_ref()));
                checker.warn(&path.span(), what, "write the folder of the service, from the root of its repository");
                continue;
            };
            let place = |what: String| Problem { line: rule.line, column: 1, ..Problem::of_file(file, what) }.warning();
            let mut owners = Vec::new();
            for owner in &rule.owners {
                match known.code_owner(owner) {
                    Some(found) => owners.push(found),
                    None => checker.problems.push(
                        place(format!("nobody is known as `{}`", short(owner)))
                            .hint("give a [[team]] or [[person]] this name as `github`"),
                    ),
                }
            }
            let Some(service) = services.get_mut(written.name.get_ref()) else { continue };
            if service.owners.is_empty() {
                service.owners = owners;
            } else if !written.owners.is_empty() && owners.iter().any(|o| !service.owners.contains(o)) {
                let what = format!("it says that {} own {}", owners.join(", "), service.name);
                let hint = format!("[[service]] says {}, and that counts", service.owners.join(", "));
                checker.problems.push(place(what).hint(hint));
            }
        }
    }
}
