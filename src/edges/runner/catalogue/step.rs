//! Steps and checks as written: commands, requests, queries.

use super::lint;
use super::program::Files;
use super::sheet::{Report, Sheet, Written, items, number, table, text, wrong_type};
use crate::flow::moment::{HOUR, MINUTE, SECOND};
use crate::flow::runbook::{Check, Comparison, EnvValue, HttpTemplate, Param, Piece, ProbeTemplate, StepTemplate};
use smokejumper_intents::near::nearest;
use std::ops::Range;

/// Longest time a step may take.
const MAX_TIMEOUT: i64 = HOUR;
/// A step that does not say.
const TIMEOUT: i64 = 30 * SECOND;
/// A probe that does not say.
const PROBE_TIMEOUT: i64 = 5 * SECOND;
/// Checks that do not say: by when, and how often.
const WITHIN: i64 = 2 * MINUTE;
const EVERY: i64 = 2 * SECOND;
/// Probing faster is a load, not a check.
const MIN_EVERY: i64 = 100;
/// Success of a request that does not say.
const OK: [u16; 4] = [200, 201, 202, 204];
const METHODS: [(&str, &str); 6] =
    [("get", "GET"), ("head", "HEAD"), ("post", "POST"), ("put", "PUT"), ("patch", "PATCH"), ("delete", "DELETE")];

/// What a file's steps may refer to.
pub struct Scope<'s, 'f> {
    pub params: &'s [Param],
    pub files: &'s mut Files<'f>,
    pub knows_secret: &'s dyn Fn(&str) -> bool,
    /// `timeout` of the whole file, for steps that do not say.
    pub timeout: Option<i64>,
}

impl Scope<'_, '_> {
    pub fn step(&mut self, report: &mut Report<'_>, mut sheet: Sheet<'_>) -> Option<StepTemplate> {
        let timeout = sheet.duration(report, "timeout", MAX_TIMEOUT).map(|written| written.value);
        let timeout_ms = timeout.or(self.timeout).unwrap_or(TIMEOUT);
        let exec = sheet.texts(report, "exec");
        let http = sheet.sheet(report, "http");
        let step = match (exec, http) {
            (Some(exec), None) => {
                let argv = self.argv(report, exec);
                let env = sheet.sheet(report, "env").map(|env| self.values(report, &env, is_env_name));
                let cwd = sheet.text(report, "cwd");
                if let Some(cwd) = cwd.as_ref().filter(|cwd| !cwd.value.starts_with('/')) {
                    report.error(&cwd.span, "`cwd` is not an absolute path", "write it from `/`");
                }
                let cwd = cwd.map(|cwd| cwd.value);
                argv.map(|argv| StepTemplate::Exec { argv, env: env.unwrap_or_default(), cwd, timeout_ms })
            }
            (None, Some(http)) => {
                self.request(report, http, timeout_ms).map(|(request, _)| StepTemplate::Http(request))
            }
            (Some(_), Some(_)) => {
                report.error(&sheet.span, "a step is either `exec` or `http`", "make two steps of it");
                None
            }
            (None, None) => {
                if sheet.get("exec").is_none() && sheet.get("http").is_none() {
                    let hint =
                        "write `exec = [\"/path/of/program\", \"argument\"]` or `http = { post = \"http://…\" }`";
                    report.error(&sheet.span, "this step does nothing", hint);
                }
                None
            }
        };
        if let (Some(StepTemplate::Http(_)), Some(what)) = (&step, sheet.get("env").or_else(|| sheet.get("cwd"))) {
            report.error(&what.span(), "only a program has an environment and a folder", "leave it out");
        }
        sheet.finish(report);
        step
    }

    pub fn check(&mut self, report: &mut Report<'_>, mut sheet: Sheet<'_>) -> Option<Check> {
        let within = sheet.duration(report, "within", MAX_TIMEOUT).map_or(WITHIN, |written| written.value);
        let every = sheet.duration(report, "every", MAX_TIMEOUT);
        if let Some(every) = every.as_ref().filter(|every| every.value < MIN_EVERY || every.value > within) {
            report.error(
                &every.span,
                "`every` must be at least 100ms and at most `within`",
                "write something like \"2s\"",
            );
        }
        let every = every.map_or(EVERY.min(within), |written| written.value);
        let timeout = sheet.duration(report, "timeout", MAX_TIMEOUT).map_or(PROBE_TIMEOUT.min(within), |w| w.value);
        let command = sheet.texts(report, "command");
        let http = sheet.sheet(report, "http");
        let promql = sheet.sheet(report, "promql");
        let named = ["command", "http", "promql"].into_iter().filter(|key| sheet.get(key).is_some()).count();
        if named != 1 {
            let hint =
                "write `http = { get = \"http://…\", status = 200 }`, `command = [\"/path\", …]` or `promql = { … }`";
            report.error(&sheet.span, "a check is one of `http`, `command` and `promql`", hint);
        }
        sheet.finish(report);
        let probe = if let Some(command) = command {
            ProbeTemplate::Command { argv: self.argv(report, command)?, timeout_ms: timeout }
        } else if let Some(http) = http {
            let (request, contains) = self.request(report, http, timeout)?;
            ProbeTemplate::Http { request, contains }
        } else {
            self.query(report, promql?, timeout)?
        };
        Some(Check { probe, within_ms: within, every_ms: every })
    }

    /// Whole elements are holes; a hole inside an element is refused, because it would not be one argument.
    fn argv(&mut self, report: &mut Report<'_>, written: Written<Vec<Written<String>>>) -> Option<Vec<Piece>> {
        if written.value.is_empty() {
            report.error(&written.span, "no program", "write `[\"/path/of/program\", \"argument\"]`");
            return None;
        }
        let mut argv = Vec::new();
        for element in written.value {
            let mut pieces = self.pieces(report, &element);
            let value = match pieces.len() {
                0 => Piece::Text(String::new()),
                1 => pieces.remove(0),
                _ => {
                    let what = format!("`{}` mixes a hole with text", element.value);
                    let hint = "one hole is one whole argument: split it, as in `\"--namespace\", \"{namespace}\"`";
                    report.error(&element.span, what, hint);
                    continue;
                }
            };
            argv.push(Written { value, span: element.span });
        }
        lint::argv(report, &argv, self.params);
        self.files.resolve(report, &mut argv);
        Some(argv.into_iter().map(|piece| piece.value).collect())
    }

    /// Splits at `{name}`. Braces around anything but a plain name are text (JSON, PromQL, jsonpath).
    fn pieces(&self, report: &mut Report<'_>, written: &Written<String>) -> Vec<Piece> {
        let mut pieces = Vec::new();
        let mut literal = String::new();
        let mut rest = written.value.as_str();
        while let Some((before, after)) = rest.split_once('{') {
            literal.push_str(before);
            let name = after.split('}').next().filter(|name| name.len() < after.len() && is_name(name));
            // `{{name}}` is another program's template.
            let doubled =
                |name: &str| literal.ends_with('{') && after.get(name.len()..).is_some_and(|end| end.starts_with("}}"));
            let name = name.filter(|name| !doubled(name));
            match name {
                Some(name) if self.known(report, written, name) => {
                    if !literal.is_empty() {
                        pieces.push(Piece::Text(std::mem::take(&mut literal)));
                    }
                    pieces.push(Piece::Hole(name.to_owned()));
                    rest = after.get(name.len() + 1..).unwrap_or_default();
                }
                _ => {
                    literal.push('{');
                    rest = after;
                }
            }
        }
        literal.push_str(rest);
        if !literal.is_empty() {
            pieces.push(Piece::Text(literal));
        }
        pieces
    }

    fn known(&self, report: &mut Report<'_>, written: &Written<String>, name: &str) -> bool {
        let known = self.params.iter().any(|param| param.name == name);
        if !known {
            let hint = match nearest(name, self.params.iter().map(|param| param.name.as_str())).first() {
                Some(near) => format!("did you mean `{{{near}}}`?"),
                None => format!("declare it: `[[params]]`, `name = \"{name}\"`"),
            };
            report.error(&written.span, format!("`{{{name}}}` is not a parameter of this runbook"), hint);
        }
        known
    }

    /// `{ post = "http://host/path/{hole}", headers = { … }, body = '…', status = 200, contains = "…" }`.
    fn request(
        &mut self,
        report: &mut Report<'_>,
        mut sheet: Sheet<'_>,
        timeout_ms: i64,
    ) -> Option<(HttpTemplate, Option<String>)> {
        let mut calls = Vec::new();
        for (key, method) in METHODS {
            calls.extend(sheet.text(report, key).map(|url| (method, url)));
        }
        let headers = sheet.sheet(report, "headers").map(|headers| self.values(report, &headers, is_header_name));
        let headers = headers.unwrap_or_default();
        let body = sheet.text(report, "body").map(|body| self.body(report, &body));
        let expect_status = statuses(report, &mut sheet);
        let contains = sheet.text(report, "contains").map(|contains| contains.value);
        let span = sheet.span.clone();
        sheet.finish(report);
        let [(method, url)] = calls.as_slice() else {
            report.error(
                &span,
                "a request has one method and address",
                "write `get = \"http://…\"` or `post = \"http://…\"`",
            );
            return None;
        };
        let secret = headers.iter().any(|(_, value)| matches!(value, EnvValue::Secret(_)));
        let (origin, path) = self.address(report, url, secret)?;
        let method = (*method).to_owned();
        Some((HttpTemplate { method, origin, path, headers, body, expect_status, timeout_ms }, contains))
    }

    /// Scheme, host and port are literal; holes stand behind them.
    fn address(&self, report: &mut Report<'_>, url: &Written<String>, secret: bool) -> Option<(String, Vec<Piece>)> {
        let written = url.value.as_str();
        let host_at = written.find("://").map_or(0, |at| at + 3);
        let end = written.get(host_at..)?.find(['/', '?', '#']).map_or(written.len(), |at| host_at + at);
        let (origin, path) = written.split_at(end);
        let mut refuse = |what: &str, hint: &str| report.error(&url.span, what, hint);
        if origin.contains(['{', '}']) {
            refuse("the host has a hole", "write the host; where a request goes must not depend on a parameter");
            return None;
        }
        let parsed = reqwest::Url::parse(origin).ok().filter(|parsed| matches!(parsed.scheme(), "http" | "https"));
        let Some(parsed) = parsed else {
            refuse("this is not an address of http or https", "write it as `http://127.0.0.1:8080/path`");
            return None;
        };
        if !parsed.username().is_empty() || parsed.password().is_some() {
            refuse(
                "the address holds a password",
                "use a header: `headers = { authorization = { secret = \"name\" } }`",
            );
            return None;
        }
        if parsed.as_str().trim_end_matches('/') != origin {
            refuse("the address is read in another way than it is written", &format!("write `{parsed}`"));
            return None;
        }
        let loopback = matches!(parsed.host_str(), Some("127.0.0.1" | "localhost" | "[::1]"));
        if parsed.scheme() == "http" && secret && !loopback {
            refuse("a secret would travel in clear text", "use https");
        }
        let pieces = self.pieces(report, &Written { value: path.to_owned(), span: url.span.clone() });
        let filled: String = pieces
            .iter()
            .map(|piece| match piece {
                Piece::Text(text) => text.as_str(),
                Piece::Hole(_) => "x",
            })
            .collect();
        let whole = format!("{origin}{filled}");
        match reqwest::Url::parse(&whole) {
            Ok(parsed) if parsed.as_str().trim_end_matches('/') == whole.trim_end_matches('/') => {
                Some((origin.to_owned(), pieces))
            }
            Ok(parsed) => {
                let path = parsed.as_str().strip_prefix(origin).unwrap_or(parsed.as_str());
                report.error(
                    &url.span,
                    "the path is read in another way than it is written",
                    format!("write `{path}`"),
                );
                None
            }
            Err(e) => {
                report.error(
                    &url.span,
                    format!("this is not an address: {e}"),
                    "write it as `http://127.0.0.1:8080/path`",
                );
                None
            }
        }
    }

    /// JSON, with holes only inside its strings.
    fn body(&self, report: &mut Report<'_>, body: &Written<String>) -> Vec<Piece> {
        let pieces = self.pieces(report, body);
        in_quotes(report, &pieces, &body.span, "the body");
        let filled: String = pieces
            .iter()
            .map(|piece| match piece {
                Piece::Text(text) => text.as_str(),
                Piece::Hole(_) => "x",
            })
            .collect();
        if let Err(e) = serde_json::from_str::<serde_json::Value>(&filled) {
            report.error(
                &body.span,
                format!("the body is not JSON: {e}"),
                "write JSON, with holes inside strings: '{\"service\": \"{service}\"}'",
            );
        }
        pieces
    }

    /// `{ server = "http://127.0.0.1:9090", query = 'up{service="{service}"}', is = "== 1" }`.
    fn query(&self, report: &mut Report<'_>, mut sheet: Sheet<'_>, timeout_ms: i64) -> Option<ProbeTemplate> {
        let server = sheet.needed(report, "server", "\"http://127.0.0.1:9090\"");
        let query = sheet.needed(report, "query", "'up{service=\"{service}\"}'");
        let is = sheet.needed(report, "is", "\"< 0.05\"");
        sheet.finish(report);
        let (server, query, is) = (server?, query?, is?);
        let (origin, path) = self.address(report, &server, false)?;
        let path: Option<String> = path
            .into_iter()
            .map(|piece| match piece {
                Piece::Text(text) => Some(text),
                Piece::Hole(_) => None,
            })
            .collect();
        let Some(path) = path else {
            report.error(&server.span, "the server has a hole", "write its address");
            return None;
        };
        let pieces = self.pieces(report, &query);
        in_quotes(report, &pieces, &query.span, "the query");
        let Some((op, value)) = comparison(&is.value) else {
            report.error(
                &is.span,
                format!("`{}` is not a comparison", is.value),
                "write something like \"< 0.05\" or \"== 1\"",
            );
            return None;
        };
        Some(ProbeTemplate::Promql { server: format!("{origin}{path}"), query: pieces, op, value, timeout_ms })
    }

    /// Environment or headers: texts, or secrets by name. Holes have no place here.
    fn values(&self, report: &mut Report<'_>, sheet: &Sheet<'_>, is_name: fn(&str) -> bool) -> Vec<(String, EnvValue)> {
        let mut values = Vec::new();
        for (name, value) in sheet.entries() {
            if !is_name(&name.value) {
                report.error(
                    &name.span,
                    format!("`{}` is not a name that can stand here", name.value),
                    "use letters, digits and `_` (`-` in headers)",
                );
            }
            let written = if value.get_ref().is_str() {
                text(report, &name.value, value).map(|written| {
                    let named = self.params.iter().any(|param| written.value.contains(&format!("{{{}}}", param.name)));
                    if named || written.value.contains(char::is_control) {
                        report.error(
                            &written.span,
                            "holes and control characters have no place here",
                            "pass a parameter as an argument",
                        );
                    }
                    EnvValue::Plain(written.value)
                })
            } else if let Some(mut secret) = table(report, &name.value, value) {
                let secret_name = secret.needed(report, "secret", "\"name\"");
                secret.finish(report);
                secret_name.map(|secret| {
                    if !(self.knows_secret)(&secret.value) {
                        let hint = format!("add it under [secrets]: `{} = {{ env = \"…\" }}`", secret.value);
                        report.error(&secret.span, format!("the secret `{}` is not configured", secret.value), hint);
                    }
                    EnvValue::Secret(secret.value)
                })
            } else {
                None
            };
            values.extend(written.map(|value| (name.value, value)));
        }
        values
    }
}

fn statuses(report: &mut Report<'_>, sheet: &mut Sheet<'_>) -> Vec<u16> {
    let Some(value) = sheet.get("status") else { return OK.to_vec() };
    let one = |report: &mut Report<'_>, value: &toml::Spanned<toml::de::DeValue<'_>>| {
        let status = number(value).and_then(|code| u16::try_from(code).ok()).filter(|code| (100..600).contains(code));
        if status.is_none() {
            wrong_type(report, "status", value, "an HTTP status from 100 to 599");
        }
        status
    };
    if value.get_ref().is_array() {
        let all: Vec<u16> =
            items(report, "status", value).unwrap_or_default().iter().filter_map(|item| one(report, item)).collect();
        if all.is_empty() {
            report.error(&value.span(), "no status would be right", "write `status = 200`");
        }
        return all;
    }
    one(report, value).into_iter().collect()
}

/// Values are escaped for the inside of double quotes, so that is where holes must stand.
fn in_quotes(report: &mut Report<'_>, pieces: &[Piece], span: &Range<usize>, whose: &str) {
    let mut inside = false;
    for piece in pieces {
        match piece {
            Piece::Text(text) => {
                let mut escaped = false;
                for c in text.chars() {
                    match c {
                        _ if escaped => escaped = false,
                        '\\' if inside => escaped = true,
                        '"' => inside = !inside,
                        _ => {}
                    }
                }
            }
            Piece::Hole(name) if !inside => {
                report.error(
                    span,
                    format!("in {whose}, `{{{name}}}` stands outside double quotes"),
                    format!("write \"{{{name}}}\""),
                );
            }
            Piece::Hole(_) => {}
        }
    }
}

fn comparison(text: &str) -> Option<(Comparison, f64)> {
    let text = text.trim();
    let signs = [
        ("<=", Comparison::Le),
        (">=", Comparison::Ge),
        ("==", Comparison::Eq),
        ("!=", Comparison::Ne),
        ("<", Comparison::Lt),
        (">", Comparison::Gt),
    ];
    signs.into_iter().find_map(|(sign, op)| {
        let value: f64 = text.strip_prefix(sign)?.trim().parse().ok()?;
        value.is_finite().then_some((op, value))
    })
}

/// A parameter's name: `service`, `replica_count`.
pub fn is_name(name: &str) -> bool {
    name.len() <= 64
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
}

fn is_env_name(name: &str) -> bool {
    !name.is_empty()
        && !name.starts_with(|c: char| c.is_ascii_digit())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        // These make the dynamic linker load other code.
        && !name.starts_with("LD_")
}

fn is_header_name(name: &str) -> bool {
    let reserved = ["host", "content-length", "transfer-encoding", "connection", "upgrade"];
    !name.is_empty()
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
        && !reserved.contains(&name.to_ascii_lowercase().as_str())
}
