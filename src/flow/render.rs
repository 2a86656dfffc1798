//! A runbook with its holes filled: exactly what will run, or every reason why a value is refused.
//!
//! One hole becomes exactly one argument (or one percent-encoded part of a path, one string content of a body), never a
//! flag, never code. Knows neither files nor processes: digests come with the runbook.

use super::incident::IncidentId;
use super::plan::{Plan, PlannedCheck, Probe, Request, Step};
use super::policy::Service;
use super::refusal::Refusal;
use super::runbook::{HttpTemplate, Param, ParamKind, Piece, ProbeTemplate, Runbook, StepTemplate};
use smokejumper_intents::near::nearest;
use std::collections::BTreeMap;

/// Longest value of a parameter in bytes: longer than any DNS name, far below what `execve` takes.
pub const MAX_VALUE: usize = 256;
/// Longest label of a DNS name (RFC 1035), and so of a Kubernetes name.
const MAX_DNS_LABEL: usize = 63;
/// Longest DNS name in text (RFC 1035), and longest Kubernetes subdomain name.
const MAX_DNS_NAME: usize = 253;
/// Allowed values named in an error; more are a list, not a hint.
const MAX_VALUES_NAMED: usize = 10;

/// Why a plan cannot be made of a runbook: mostly a parameter.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParamError {
    #[error("`{name}` is not a parameter of it")]
    Unknown { name: String, nearest: Option<String> },
    #[error("`{name}` is missing ({help})")]
    Missing { name: String, help: String },
    #[error("`{name}` is given twice")]
    Twice { name: String },
    /// Not the fault of any value: nothing this person types would help.
    #[error("its program {path} is not on this machine")]
    Absent { path: String },
    #[error("`{name}` {why}")]
    Bad { name: String, why: String, nearest: Option<String> },
}

/// Fills a runbook's holes, or says everything that is wrong with the parameters.
///
/// # Errors
/// Every parameter that is unknown, missing, given twice, or not of its kind.
pub fn render(
    runbook: &Runbook,
    incident: IncidentId,
    given: &[(String, String)],
    services: &BTreeMap<String, Service>,
) -> Result<Plan, Vec<ParamError>> {
    let params = resolve(runbook, given, services)?;
    let fill = Fill { params: &params };
    Ok(Plan {
        incident,
        runbook: runbook.name.clone(),
        revision: runbook.revision.clone(),
        steps: runbook.steps.iter().map(|step| fill.step(step)).collect(),
        verify: runbook
            .verify
            .iter()
            .map(|check| PlannedCheck {
                probe: fill.probe(&check.probe),
                within_ms: check.within_ms,
                every_ms: check.every_ms,
            })
            .collect(),
        files: runbook.files.clone(),
        params,
    })
}

/// What the person who asked is told.
#[must_use]
pub fn refusal(runbook: &Runbook, errors: &[ParamError]) -> Refusal {
    let because = errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
    let usage = runbook.params.iter().fold(format!("run {}", runbook.name), |usage, param| {
        let value = errors.iter().find_map(|error| match error {
            ParamError::Bad { name, nearest, .. } if *name == param.name => nearest.clone(),
            ParamError::Unknown { name: _, nearest: Some(nearest) } if *nearest == param.name => Some("…".to_owned()),
            _ => None,
        });
        let value = value.or_else(|| param.default.clone()).unwrap_or_else(|| "…".to_owned());
        format!("{usage} {}={value}", param.name)
    });
    Refusal::new(format!("{because}.")).or_try(usage)
}

/// The runbook's parameters in its order, with what was given or its default.
fn resolve(
    runbook: &Runbook,
    given: &[(String, String)],
    services: &BTreeMap<String, Service>,
) -> Result<Vec<(String, String)>, Vec<ParamError>> {
    let mut errors = Vec::new();
    for (at, (name, _)) in given.iter().enumerate() {
        if !runbook.params.iter().any(|param| param.name == *name) {
            let known = runbook.params.iter().map(|param| param.name.as_str());
            let nearest = nearest(name, known).first().map(|&near| near.to_owned());
            errors.push(ParamError::Unknown { name: clip(name), nearest });
        } else if given.iter().take(at).any(|(earlier, _)| earlier == name) {
            errors.push(ParamError::Twice { name: name.clone() });
        }
    }
    let mut params = Vec::with_capacity(runbook.params.len());
    for param in &runbook.params {
        let value = given.iter().find(|(name, _)| *name == param.name).map(|(_, value)| value);
        let Some(value) = value.or(param.default.as_ref()) else {
            errors.push(ParamError::Missing { name: param.name.clone(), help: param.help.clone() });
            continue;
        };
        match accept(param, value, services) {
            Ok(()) => params.push((param.name.clone(), value.clone())),
            Err((why, nearest)) => errors.push(ParamError::Bad { name: param.name.clone(), why, nearest }),
        }
    }
    // The catalogue leaves the digest of a file it could not read empty.
    let absent = runbook.files.iter().filter(|file| file.sha256.is_empty());
    errors.extend(absent.map(|file| ParamError::Absent { path: file.path.clone() }));
    if errors.is_empty() { Ok(params) } else { Err(errors) }
}

/// A refused name is shown, so it is cut to a bound first.
fn clip(text: &str) -> String {
    text.chars().take(MAX_DNS_LABEL).collect()
}

/// Whether `value` may stand for `param`; if not why, and what was probably meant.
///
/// # Errors
/// The reason, to be read after the parameter's name.
pub fn accept(
    param: &Param,
    value: &str,
    services: &BTreeMap<String, Service>,
) -> Result<(), (String, Option<String>)> {
    let no = |why: &str| Err((why.to_owned(), None));
    if value.is_empty() {
        return no("is empty");
    }
    if value.len() > MAX_VALUE {
        return Err((format!("is longer than {MAX_VALUE} bytes"), None));
    }
    if value.starts_with(['-', '@']) {
        return no("must not begin with `-` or `@`: a program could take it for an option or a file");
    }
    if value.chars().all(|c| c == '.') {
        // `%2e%2e` is `..` to a URL parser, so encoding would not help.
        return no("must not be dots alone: it would name another folder");
    }
    if let Some(c) = value.chars().find(|&c| is_unseen(c)) {
        return Err((format!("contains the invisible character U+{:04X}", u32::from(c)), None));
    }
    let ok = match &param.kind {
        ParamKind::Name => is_dns_name(value, |c| c.is_ascii_lowercase() || c.is_ascii_digit()),
        ParamKind::Hostname => is_dns_name(value, |c| c.is_ascii_alphanumeric()),
        ParamKind::Integer { min, max } => {
            let canonical = value.parse::<i64>().ok().filter(|number| number.to_string() == value);
            return match canonical {
                Some(number) if (*min..=*max).contains(&number) => Ok(()),
                _ => Err((format!("must be a whole number from {min} to {max}"), None)),
            };
        }
        ParamKind::OneOf(values) => {
            return if values.iter().any(|allowed| allowed == value) {
                Ok(())
            } else {
                let near = nearest(value, values.iter().map(String::as_str)).first().map(|&near| near.to_owned());
                let named: Vec<&str> = values.iter().take(MAX_VALUES_NAMED).map(String::as_str).collect();
                let more = if values.len() > MAX_VALUES_NAMED { ", …" } else { "" };
                Err((format!("must be one of {}{more}", named.join(", ")), near))
            };
        }
        ParamKind::Pattern(pattern) => pattern.find(value).is_some_and(|found| found.len() == value.len()),
        ParamKind::Service if services.is_empty() => is_service_name(value),
        ParamKind::Service => {
            if services.contains_key(value) && is_service_name(value) {
                return Ok(());
            }
            let near = nearest(value, services.keys().map(String::as_str)).first().map(|&near| near.to_owned());
            return Err(("must be a service of the catalogue".to_owned(), near));
        }
    };
    if ok { Ok(()) } else { Err((expectation(&param.kind), None)) }
}

fn expectation(kind: &ParamKind) -> String {
    match kind {
        ParamKind::Name => {
            "must be a Kubernetes name: lower-case letters, digits, `-` and `.`, beginning and ending with a letter or digit"
                .to_owned()
        }
        ParamKind::Hostname => "must be a host name".to_owned(),
        ParamKind::Pattern(pattern) => format!("must match {pattern}"),
        ParamKind::Service => "must be a service name: letters, digits, `-`, `_` and `.`".to_owned(),
        ParamKind::Integer { .. } | ParamKind::OneOf(_) => "is not allowed".to_owned(),
    }
}

/// Dot-separated labels, each of `inner` characters and hyphens, not beginning or ending with one.
fn is_dns_name(value: &str, inner: impl Fn(char) -> bool) -> bool {
    value.len() <= MAX_DNS_NAME
        && value.split('.').all(|label| {
            !label.is_empty()
                && label.len() <= MAX_DNS_LABEL
                && label.chars().all(|c| inner(c) || c == '-')
                && !label.starts_with('-')
                && !label.ends_with('-')
        })
}

fn is_service_name(value: &str) -> bool {
    value.len() <= MAX_DNS_NAME
        && value.starts_with(|c: char| c.is_ascii_alphanumeric())
        && value.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
}

/// Characters an approver cannot see: controls, line separators, bidirectional controls, zero-width and other invisible ones.
#[must_use]
pub fn is_unseen(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{00ad}' | '\u{034f}' | '\u{061c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}'
            | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

/// The values, in every place a hole can stand.
struct Fill<'p> {
    params: &'p [(String, String)],
}

impl Fill<'_> {
    /// The value of a hole. The catalogue refuses holes without a parameter, so none is missing.
    fn value(&self, name: &str) -> &str {
        self.params.iter().find(|(param, _)| param == name).map_or("", |(_, value)| value.as_str())
    }

    fn joined(&self, pieces: &[Piece], encode: impl Fn(&str) -> String) -> String {
        pieces
            .iter()
            .map(|piece| match piece {
                Piece::Text(text) => text.clone(),
                Piece::Hole(name) => encode(self.value(name)),
            })
            .collect()
    }

    fn argv(&self, argv: &[Piece]) -> Vec<String> {
        argv.iter()
            .map(|piece| match piece {
                Piece::Text(text) => text.clone(),
                Piece::Hole(name) => self.value(name).to_owned(),
            })
            .collect()
    }

    fn step(&self, step: &StepTemplate) -> Step {
        match step {
            StepTemplate::Exec { argv, env, cwd, timeout_ms } => {
                Step::Exec { argv: self.argv(argv), env: env.clone(), cwd: cwd.clone(), timeout_ms: *timeout_ms }
            }
            StepTemplate::Http(request) => Step::Http(self.request(request)),
        }
    }

    fn request(&self, template: &HttpTemplate) -> Request {
        Request {
            method: template.method.clone(),
            url: format!("{}{}", template.origin, self.joined(&template.path, percent)),
            headers: template.headers.clone(),
            body: template.body.as_ref().map(|body| self.joined(body, json_content)),
            expect_status: template.expect_status.clone(),
            timeout_ms: template.timeout_ms,
        }
    }

    fn probe(&self, probe: &ProbeTemplate) -> Probe {
        match probe {
            ProbeTemplate::Http { request, contains } => {
                Probe::Http { request: self.request(request), contains: contains.clone() }
            }
            ProbeTemplate::Command { argv, timeout_ms } => {
                Probe::Command { argv: self.argv(argv), timeout_ms: *timeout_ms }
            }
            ProbeTemplate::Promql { server, query, op, value, timeout_ms } => Probe::Promql {
                server: server.clone(),
                query: self.joined(query, json_content),
                op: *op,
                value: *value,
                timeout_ms: *timeout_ms,
            },
        }
    }
}

/// RFC 3986: everything but unreserved characters is encoded.
fn percent(value: &str) -> String {
    use std::fmt::Write as _;
    value.bytes().fold(String::new(), |mut out, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(out, "%{byte:02X}");
        }
        out
    })
}

/// Content of a JSON string, without its quotes; also right between the double quotes of PromQL.
fn json_content(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"")
}

#[cfg(test)]
mod tests;
