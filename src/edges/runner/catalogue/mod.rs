//! Reads a folder of reviewed runbooks (`*.toml`) into checked data, and says everything that is wrong with them.
//!
//! Knows TOML and files; knows neither incidents nor approvals, and starts nothing.

mod lint;
mod program;
mod sheet;
mod step;

use self::program::Files;
use self::sheet::{Report, Sheet, Written};
use self::step::{Scope, is_name};
use crate::config::problem::Problem;
use crate::flow::matcher;
use crate::flow::moment::HOUR;
use crate::flow::policy::Matcher;
use crate::flow::render::{MAX_VALUE, accept, is_unseen};
use crate::flow::runbook::{Check, HttpTemplate, Param, ParamKind, Piece, ProbeTemplate, Risk, Runbook, StepTemplate};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Runbooks in one folder; people choose from a list.
pub const MAX_RUNBOOKS: usize = 500;
/// Size of one file in bytes; it is read by reviewers.
pub const MAX_FILE: u64 = 64 * 1024;
/// Steps of one runbook: more is a program, and belongs in a script; and all their outputs together stay below 1 MiB (I20).
const MAX_STEPS: usize = 10;
/// Checks of one runbook; they are tried at the same time.
const MAX_CHECKS: usize = 10;
/// Parameters of one runbook; each is typed by a person during an incident.
const MAX_PARAMS: usize = 20;
/// Longest title in characters: it stands beside a button.
const MAX_TITLE: usize = 120;
/// Compiled size of a parameter's pattern in bytes.
const MAX_PATTERN: usize = 256 * 1024;
/// More approvers than this are never awake.
const MAX_APPROVALS: i64 = 5;
/// Longest `timeout` of a file.
const MAX_TIMEOUT: i64 = HOUR;

/// What a folder holds.
#[derive(Debug, Default)]
pub struct Catalogue {
    /// Those without errors, by name.
    pub runbooks: BTreeMap<String, Runbook>,
    /// Errors and warnings, by file and place.
    pub problems: Vec<Problem>,
}

/// Reads every `*.toml` directly in `folder`. `knows_secret` says whether a secret of that name is configured.
#[must_use]
pub fn load(folder: &Path, knows_secret: &dyn Fn(&str) -> bool) -> Catalogue {
    let mut catalogue = Catalogue::default();
    let found = folder.canonicalize().and_then(|folder| Ok((runbook_files(&folder)?, folder)));
    let (files, absolute) = match found {
        Ok(found) => found,
        Err(e) => {
            let problem = Problem::of_file(folder, format!("the runbook folder cannot be read: {e}"));
            catalogue.problems.push(problem.hint("make it, or name another one in the configuration"));
            return catalogue;
        }
    };
    if files.len() > MAX_RUNBOOKS {
        let problem = Problem::of_file(folder, format!("more than {MAX_RUNBOOKS} runbooks; the rest is left out"));
        catalogue.problems.push(problem.hint("move some to another folder"));
    }
    for path in files.into_iter().take(MAX_RUNBOOKS) {
        // Shown as the person wrote the folder.
        let shown = path.file_name().map_or_else(|| path.clone(), |name| folder.join(name));
        let (runbook, problems) = read(&path, &shown, &absolute, knows_secret);
        let usable = !problems.iter().any(Problem::is_error);
        catalogue.problems.extend(problems);
        if let Some(runbook) = runbook.filter(|_| usable) {
            catalogue.runbooks.insert(runbook.name.clone(), runbook);
        }
    }
    catalogue
}

fn runbook_files(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "toml") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

fn read(
    path: &Path,
    shown: &Path,
    folder: &Path,
    knows_secret: &dyn Fn(&str) -> bool,
) -> (Option<Runbook>, Vec<Problem>) {
    let refuse = |what: String, hint: &str| (None, vec![Problem::of_file(shown, what).hint(hint)]);
    match std::fs::metadata(path) {
        Ok(meta) if !meta.is_file() => return refuse("this is not a file".to_owned(), "remove it"),
        Ok(meta) if meta.len() > MAX_FILE => {
            return refuse(format!("larger than {MAX_FILE} bytes"), "nobody reviews that; put code into a script");
        }
        _ => {}
    }
    let bytes = match std::fs::read(path) {
        Ok(bytes) => bytes,
        Err(e) => return refuse(format!("it cannot be read: {e}"), "look at its permissions"),
    };
    let revision = hex::encode(ring::digest::digest(&ring::digest::SHA256, &bytes).as_ref());
    let Ok(source) = String::from_utf8(bytes) else {
        return refuse("it is not UTF-8 text".to_owned(), "save it as UTF-8");
    };
    let name = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default().to_owned();
    if !is_runbook_name(&name) {
        return refuse(
            format!("`{name}` cannot be a runbook's name"),
            "name the file with lower-case letters, digits and `-`, such as restart-service.toml",
        );
    }
    let mut report = Report::new(shown, &source);
    let (document, errors) = toml::de::DeTable::parse_recoverable(&source);
    report.problems.extend(errors.iter().map(|error| Problem::from_toml(shown, &source, error)));
    if !report.problems.is_empty() {
        return (None, report.problems);
    }
    let sheet = Sheet::new(document.get_ref(), 0..0);
    let runbook = runbook(&mut report, sheet, name, revision, folder, knows_secret);
    if let Some(c) = source.chars().find(|&c| is_unseen(c) && !matches!(c, '\n' | '\r' | '\t')) {
        let at = source.find(c).unwrap_or(0);
        let what = format!("the invisible character U+{:04X}", u32::from(c));
        report.error(&(at..at), what, "delete it: what a reviewer cannot see is not reviewed");
    }
    let mut problems = report.problems;
    problems.sort_by_key(|problem| (problem.line, problem.column));
    (runbook, problems)
}

fn runbook(
    report: &mut Report<'_>,
    mut sheet: Sheet<'_>,
    name: String,
    revision: String,
    folder: &Path,
    knows_secret: &dyn Fn(&str) -> bool,
) -> Option<Runbook> {
    let title = sheet.needed(report, "title", "\"Restart a service\"");
    if let Some(title) =
        title.as_ref().filter(|title| title.value.chars().count() > MAX_TITLE || title.value.trim().is_empty())
    {
        report.error(
            &title.span,
            format!("the title must have 1 to {MAX_TITLE} characters"),
            "say what it does in a few words",
        );
    }
    let risk = risk(report, &mut sheet);
    let approvals = approvals(report, &mut sheet, risk);
    let when = when(report, &mut sheet);
    let timeout = sheet.duration(report, "timeout", MAX_TIMEOUT).map(|written| written.value);
    let params = params(report, &mut sheet);
    let mut files = Files::new(folder);
    let mut scope = Scope { params: &params, files: &mut files, knows_secret, timeout };
    let steps = sheet.sheets(report, "steps");
    if steps.is_empty() || steps.len() > MAX_STEPS {
        let hint = "write `[[steps]]` and below it `exec = [\"/path/of/program\", \"argument\"]`";
        report.error(&sheet.span, format!("a runbook has 1 to {MAX_STEPS} steps"), hint);
    }
    let steps: Vec<_> = steps.into_iter().filter_map(|step| scope.step(report, step)).collect();
    let checks = sheet.sheets(report, "verify");
    if risk.is_some_and(|risk| risk > Risk::Read) && sheet.get("verify").is_none() {
        report.warn(
            &sheet.span,
            "nothing tells whether it worked",
            "write `[[verify]]`, or its record will say \"not verified\"",
        );
    }
    if checks.len() > MAX_CHECKS {
        report.error(
            &sheet.span,
            format!("more than {MAX_CHECKS} checks"),
            "keep those that tell whether users are well",
        );
    }
    let verify: Vec<_> = checks.into_iter().filter_map(|check| scope.check(report, check)).collect();
    // A step that could not be read may hold the hole.
    let readable = !report.problems.iter().any(Problem::is_error);
    for name in unused(&params, &steps, &verify).into_iter().filter(|_| readable) {
        let hint = format!("write `{{{name}}}` where it belongs, or delete the parameter");
        report.warn(&sheet.span, format!("the parameter `{name}` stands nowhere"), hint);
    }
    sheet.finish(report);
    Some(Runbook {
        name,
        title: title?.value,
        when,
        params,
        steps,
        verify,
        risk: risk?,
        approvals: approvals?,
        revision,
        files: files.into_digests(),
    })
}

/// A parameter that stands nowhere is asked for in vain, or its hole was forgotten.
fn unused(params: &[Param], steps: &[StepTemplate], checks: &[Check]) -> Vec<String> {
    let request = |request: &HttpTemplate| [request.path.clone(), request.body.clone().unwrap_or_default()].concat();
    let in_steps = steps.iter().map(|step| match step {
        StepTemplate::Exec { argv, .. } => argv.clone(),
        StepTemplate::Http(http) => request(http),
    });
    let in_checks = checks.iter().map(|check| match &check.probe {
        ProbeTemplate::Command { argv, .. } => argv.clone(),
        ProbeTemplate::Http { request: http, .. } => request(http),
        ProbeTemplate::Promql { query, .. } => query.clone(),
    });
    let used: Vec<Piece> = in_steps.chain(in_checks).flatten().collect();
    let stands = |param: &&Param| !used.iter().any(|piece| matches!(piece, Piece::Hole(name) if *name == param.name));
    params.iter().filter(stands).map(|param| param.name.clone()).collect()
}

fn risk(report: &mut Report<'_>, sheet: &mut Sheet<'_>) -> Option<Risk> {
    let written = sheet.needed(report, "risk", "\"low\"")?;
    let risk = match written.value.as_str() {
        "read" => Some(Risk::Read),
        "low" => Some(Risk::Low),
        "medium" => Some(Risk::Medium),
        "high" => Some(Risk::High),
        _ => None,
    };
    if risk.is_none() {
        let hint = "write read (changes nothing), low (harmless to repeat), medium (users may notice) or high (data may be lost)";
        report.error(&written.span, format!("`{}` is not a risk", written.value), hint);
    }
    risk
}

fn approvals(report: &mut Report<'_>, sheet: &mut Sheet<'_>, risk: Option<Risk>) -> Option<u8> {
    let least = risk.map_or(0, Risk::approvals);
    let Some(written) = sheet.integer(report, "approvals") else { return Some(least) };
    match u8::try_from(written.value) {
        Ok(approvals) if written.value <= MAX_APPROVALS && approvals >= least => Some(approvals),
        _ => {
            let label = risk.map_or("any", Risk::label);
            let what = format!("approvals of a runbook of {label} risk must be from {least} to {MAX_APPROVALS}");
            report.error(&written.span, what, "raise it, or lower the risk if it really is lower");
            None
        }
    }
}

fn when(report: &mut Report<'_>, sheet: &mut Sheet<'_>) -> Vec<Vec<Matcher>> {
    let Some(sets) = sheet.texts(report, "when") else { return Vec::new() };
    let mut when = Vec::new();
    for set in sets.value {
        match matcher::parse(&set.value) {
            Ok(matchers) => when.push(matchers),
            Err(e) => {
                report.error(&set.span, format!("in `{}`: {} at character {}", set.value, e.what, e.column), e.hint);
            }
        }
    }
    when
}

fn params(report: &mut Report<'_>, sheet: &mut Sheet<'_>) -> Vec<Param> {
    let sheets = sheet.sheets(report, "params");
    if sheets.len() > MAX_PARAMS {
        report.error(
            &sheet.span,
            format!("more than {MAX_PARAMS} parameters"),
            "nobody fills them in during an incident",
        );
    }
    let mut params: Vec<Param> = Vec::new();
    for mut sheet in sheets {
        let name = sheet.needed(report, "name", "\"service\"");
        let help = sheet.needed(report, "help", "\"what it is for\"");
        let kind = kind(report, &mut sheet);
        let default = sheet.text(report, "default");
        sheet.finish(report);
        let Some(name) = name else { continue };
        // What else is wrong was said; its holes are not wrong as well.
        let (help, kind) = (help.map_or_else(String::new, |help| help.value), kind.unwrap_or(ParamKind::Name));
        if !is_name(&name.value) {
            report.error(
                &name.span,
                format!("`{}` cannot be a parameter's name", name.value),
                "use lower-case letters, digits and `_`",
            );
        }
        if params.iter().any(|param| param.name == name.value) {
            report.error(&name.span, format!("`{}` is declared twice", name.value), "give it another name");
        }
        let mut param = Param { name: name.value, help, kind, default: None };
        if let Some(default) = default {
            // Without the catalogue of services: it is checked again when the plan is made.
            if let Err((why, _)) = accept(&param, &default.value, &BTreeMap::new()) {
                report.error(
                    &default.span,
                    format!("the default `{}` {why}", default.value),
                    "write one that its kind allows",
                );
            }
            param.default = Some(default.value);
        }
        params.push(param);
    }
    params
}

const KINDS: [&str; 6] = ["name", "hostname", "integer", "one_of", "pattern", "service"];

fn kind(report: &mut Report<'_>, sheet: &mut Sheet<'_>) -> Option<ParamKind> {
    let written = sheet.needed(report, "kind", "\"name\"")?;
    match written.value.as_str() {
        "name" => Some(ParamKind::Name),
        "hostname" => Some(ParamKind::Hostname),
        "service" => Some(ParamKind::Service),
        "integer" => {
            let (min, max) = (sheet.integer(report, "min"), sheet.integer(report, "max"));
            let (Some(min), Some(max)) = (min, max) else {
                report.error(&written.span, "an integer has bounds", "write `min = 1` and `max = 10`");
                return None;
            };
            if min.value < 0 || min.value > max.value {
                report.error(
                    &min.span,
                    "`min` must be at least 0 and at most `max`",
                    "a negative number would look like an option",
                );
                return None;
            }
            Some(ParamKind::Integer { min: min.value, max: max.value })
        }
        "one_of" => one_of(report, sheet, &written),
        "pattern" => {
            let pattern = sheet.needed(report, "pattern", "'[a-z]+-[0-9]+'")?;
            let anchored = format!("^(?:{})$", pattern.value);
            match regex::RegexBuilder::new(&anchored).size_limit(MAX_PATTERN).build() {
                Ok(regex) => Some(ParamKind::Pattern(regex)),
                Err(e) => {
                    let why = e.to_string();
                    let why = why.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned();
                    report.error(
                        &pattern.span,
                        format!("this is not a pattern: {why}"),
                        "write a regular expression for the whole value",
                    );
                    None
                }
            }
        }
        other => {
            let near = smokejumper_intents::near::nearest(other, KINDS);
            let hint = near
                .first()
                .map_or(format!("write one of {}", KINDS.join(", ")), |near| format!("did you mean `{near}`?"));
            report.error(&written.span, format!("`{other}` is not a kind of parameter"), hint);
            None
        }
    }
}

fn one_of(report: &mut Report<'_>, sheet: &mut Sheet<'_>, kind: &Written<String>) -> Option<ParamKind> {
    let Some(values) = sheet.texts(report, "values").filter(|values| !values.value.is_empty()) else {
        report.error(&kind.span, "there is nothing to choose from", "write `values = [\"a\", \"b\"]`");
        return None;
    };
    let all: Vec<String> = values.value.iter().map(|value| value.value.clone()).collect();
    let param = Param { name: String::new(), help: String::new(), kind: ParamKind::OneOf(all.clone()), default: None };
    for value in &values.value {
        if let Err((why, _)) = accept(&param, &value.value, &BTreeMap::new()) {
            report.error(
                &value.span,
                format!("this value {why}"),
                format!("write 1 to {MAX_VALUE} visible characters, not beginning with `-` or `@`"),
            );
        }
    }
    Some(ParamKind::OneOf(all))
}

/// As typed after `run`, and as a file's name.
fn is_runbook_name(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= 64
        && !name.starts_with('-')
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
}

#[cfg(test)]
mod tests;
