//! How alerts stand in somebody's JSON: the mapping file of a source of kind `json`, checked. Paths, and nothing that computes.
//!
//! A path is names with dots between, a number for a place in a list, `[*]` for all of a list: `alerts[*]`, `data.0.id`. It starts
//! at the alert; with `$.` before it at the whole body. Knows nothing of how a body is read.

use super::problem::Problem;
use super::value::OneOrMany;
use super::wording;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path as File;
use toml::Spanned;

/// Bytes of a mapping file.
const MAX_FILE: u64 = 64 * 1024;
/// Steps of a path; JSON that anybody writes is not deeper.
const MAX_STEPS: usize = 16;
/// Paths a fingerprint is made of.
const MAX_PARTS: usize = 8;
/// Words a status can be, and labels that can be mapped.
const MAX_WORDS: usize = 64;
/// `[*]` in the path to the alerts: groups of alerts in lists of groups, and no deeper.
const MAX_LISTS: usize = 3;

/// One step of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// A member of an object; a number is also a place in a list, from 0.
    Name(String),
    /// Every element of a list.
    All,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Path {
    /// Starts at the whole body instead of at the alert.
    pub from_body: bool,
    pub steps: Vec<Step>,
}

/// What a status word means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meaning {
    Firing,
    Resolved,
    Ignored,
}

/// A checked mapping file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mapping {
    /// Empty: the body is one alert.
    pub alerts: Path,
    /// What stands at these paths, together.
    pub fingerprint: Vec<Path>,
    pub status: Path,
    /// In lower case.
    pub words: BTreeMap<String, Meaning>,
    pub start: Option<Path>,
    pub end: Option<Path>,
    pub summary: Option<Path>,
    pub description: Option<Path>,
    pub link: Option<Path>,
    /// An object whose texts, numbers and truths become labels.
    pub labels: Option<Path>,
    /// Single labels by name.
    pub label: BTreeMap<String, Path>,
    /// Labels that are always the same.
    pub fixed: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    alerts: Option<Spanned<String>>,
    fingerprint: Spanned<OneOrMany<String>>,
    status: Spanned<String>,
    firing: Spanned<OneOrMany<String>>,
    resolved: Spanned<OneOrMany<String>>,
    ignored: Option<Spanned<OneOrMany<String>>>,
    start: Option<Spanned<String>>,
    end: Option<Spanned<String>>,
    summary: Option<Spanned<String>>,
    description: Option<Spanned<String>>,
    link: Option<Spanned<String>>,
    labels: Option<Spanned<String>>,
    #[serde(default)]
    label: BTreeMap<String, Spanned<String>>,
    #[serde(default)]
    fixed: BTreeMap<String, Spanned<String>>,
}

/// Reads and checks a file.
///
/// # Errors
/// Everything that is wrong with it, each with its place.
pub fn load(file: &File) -> Result<Mapping, Vec<Problem>> {
    let cannot = |why: String| {
        vec![Problem::of_file(file, format!("the mapping cannot be read: {why}")).hint("see docs/json-source.md")]
    };
    let meta = std::fs::metadata(file).map_err(|e| cannot(e.to_string()))?;
    if !meta.is_file() || meta.len() > MAX_FILE {
        return Err(cannot(format!("it is not a file of at most {} KiB", MAX_FILE / 1024)));
    }
    let source = std::fs::read_to_string(file).map_err(|e| cannot(e.to_string()))?;
    check(file, &source)
}

/// The same for a text that was read already.
///
/// # Errors
/// Everything that is wrong with it, each with its place.
pub fn check(file: &File, source: &str) -> Result<Mapping, Vec<Problem>> {
    let raw: Raw = toml::from_str(source).map_err(|e| vec![wording::reworded(Problem::from_toml(file, source, &e))])?;
    let mut checker = Checker { file, source, problems: Vec::new() };
    let mapping = checker.mapping(raw);
    if checker.problems.is_empty() { Ok(mapping) } else { Err(checker.problems) }
}

struct Checker<'f> {
    file: &'f File,
    source: &'f str,
    problems: Vec<Problem>,
}

impl Checker<'_> {
    fn error(&mut self, span: &Range<usize>, what: impl Into<String>, hint: impl Into<String>) {
        self.problems.push(Problem::at(self.file, self.source, span, what).hint(hint));
    }

    fn mapping(&mut self, raw: Raw) -> Mapping {
        let alerts = raw.alerts.as_ref().map(|path| self.list(path));
        let parts = raw.fingerprint.get_ref().0.clone();
        if parts.is_empty() || parts.len() > MAX_PARTS {
            let what = format!("a fingerprint is made of one to {MAX_PARTS} paths");
            self.error(&raw.fingerprint.span(), what, "name what tells one alert from every other and stays the same");
        }
        let span = raw.fingerprint.span();
        let fingerprint = parts.iter().map(|part| self.path(part, &span)).collect();
        let mut words = BTreeMap::new();
        self.words(&mut words, &raw.firing, Meaning::Firing);
        self.words(&mut words, &raw.resolved, Meaning::Resolved);
        if let Some(ignored) = &raw.ignored {
            self.words(&mut words, ignored, Meaning::Ignored);
        }
        if raw.label.len() + raw.fixed.len() > MAX_WORDS {
            let what = format!("more than {MAX_WORDS} labels");
            self.problems.push(Problem::of_file(self.file, what).hint("leave out what no route looks at"));
        }
        let mut optional =
            |path: &Option<Spanned<String>>| path.as_ref().map(|path| self.path(path.get_ref(), &path.span()));
        Mapping {
            start: optional(&raw.start),
            end: optional(&raw.end),
            summary: optional(&raw.summary),
            description: optional(&raw.description),
            link: optional(&raw.link),
            labels: optional(&raw.labels),
            alerts: alerts.unwrap_or(Path { from_body: true, steps: Vec::new() }),
            fingerprint,
            status: self.path(raw.status.get_ref(), &raw.status.span()),
            words,
            label: raw
                .label
                .iter()
                .map(|(name, path)| (name.clone(), self.path(path.get_ref(), &path.span())))
                .collect(),
            fixed: raw.fixed.into_iter().map(|(name, value)| (name, value.into_inner())).collect(),
        }
    }

    fn words(&mut self, all: &mut BTreeMap<String, Meaning>, written: &Spanned<OneOrMany<String>>, meaning: Meaning) {
        for word in &written.get_ref().0 {
            if all.insert(word.to_lowercase(), meaning).is_some_and(|before| before != meaning) || all.len() > MAX_WORDS
            {
                let what = format!("`{}` means two things", wording::short(word));
                self.error(&written.span(), what, "write each word under one of firing, resolved and ignored");
            }
        }
    }

    /// The path to the alerts: the only one that may say `[*]`.
    fn list(&mut self, written: &Spanned<String>) -> Path {
        match parse(written.get_ref()) {
            Ok(path) if path.steps.iter().filter(|step| **step == Step::All).count() <= MAX_LISTS => {
                Path { from_body: true, ..path }
            }
            Ok(path) => {
                self.error(
                    &written.span(),
                    format!("more than {MAX_LISTS} lists in each other"),
                    "see docs/json-source.md",
                );
                path
            }
            Err(why) => self.bad(&why, &written.span()),
        }
    }

    fn path(&mut self, written: &str, span: &Range<usize>) -> Path {
        match parse(written) {
            Ok(path) if path.steps.contains(&Step::All) => {
                let hint = "write `[*]` only in `alerts`; elsewhere a number, such as `items.0.id`";
                self.error(span, "one value is wanted here, and `[*]` gives many", hint);
                path
            }
            Ok(path) => path,
            Err(why) => self.bad(&why, span),
        }
    }

    fn bad(&mut self, why: &str, span: &Range<usize>) -> Path {
        self.error(span, why, "write names with dots between, such as `alerts[*]` or `data.0.id`");
        Path { from_body: false, steps: Vec::new() }
    }
}

fn parse(written: &str) -> Result<Path, String> {
    let (from_body, rest) = match written.strip_prefix("$.") {
        Some(rest) => (true, rest),
        None => (false, written),
    };
    let mut steps = Vec::new();
    for part in rest.split('.') {
        let (name, all) = match part.strip_suffix("[*]") {
            Some(name) => (name, true),
            None => (part, false),
        };
        // `[*].id`: the body itself is the list.
        let bare_list = name.is_empty() && all && steps.is_empty();
        if name.contains(['[', ']', '*', '$']) || (name.is_empty() && !bare_list) {
            return Err(format!("`{}` is not a path", wording::short(written)));
        }
        if !bare_list {
            steps.push(Step::Name(name.to_owned()));
        }
        if all {
            steps.push(Step::All);
        }
    }
    if steps.len() > MAX_STEPS {
        Err(format!("a path has at most {MAX_STEPS} steps"))
    } else {
        Ok(Path { from_body, steps })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrong(source: &str) -> Vec<String> {
        check(File::new("m.toml"), source).unwrap_err().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn paths_are_names_places_and_lists() {
        let name = |name: &str| Step::Name(name.to_owned());
        assert_eq!(parse("a.b.0").unwrap().steps, [name("a"), name("b"), name("0")]);
        assert_eq!(parse("alerts[*].x").unwrap().steps, [name("alerts"), Step::All, name("x")]);
        assert_eq!(parse("[*]").unwrap().steps, [Step::All]);
        assert!(parse("$.a").unwrap().from_body);
        for bad in ["", ".", "a.", "a..b", "a[0]", "a[*", "$", "a.[*]", "a[*][*]", &"a.".repeat(17)] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn mistakes_are_shown_with_their_place() {
        let good = "fingerprint = \"id\"\nstatus = \"s\"\nfiring = \"on\"\nresolved = [\"off\"]\n";
        assert!(check(File::new("m.toml"), good).is_ok());
        assert!(
            wrong(&format!("{good}sumary = \"x\"\n"))[0]
                .starts_with("m.toml:5:1: error: unknown key `sumary`; did you mean `summary`?")
        );
        assert!(wrong(&format!("{good}link = \"a..b\"\n"))[0].starts_with("m.toml:5:8: error: `a..b` is not a path"));
        assert!(wrong(&good.replace("\"id\"", "\"a[*]\""))[0].contains("gives many"));
        assert!(wrong(&good.replace("\"off\"", "\"ON\""))[0].contains("`ON` means two things"));
        assert!(wrong("status = \"s\"\nfiring = \"a\"\nresolved = \"b\"\n")[0].contains("`fingerprint` is missing"));
        assert!(wrong("= 1")[0].starts_with("m.toml:1:"));
    }
}
