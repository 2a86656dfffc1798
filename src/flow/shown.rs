//! A plan as the approver reads it: the exact commands, quoted as a shell would need them, in ASCII alone.
//!
//! Nothing is left out and nothing is abbreviated: whatever changes the plan's hash and matters to a person changes a line here.
//! Characters outside ASCII are escaped, so that two plans that look the same are the same.

use super::moment::span;
use super::plan::{Plan, PlannedCheck, Probe, Request, Step};
use super::runbook::{Comparison, EnvValue};
use std::fmt::Write as _;

/// Of a file's digest; enough to compare by eye, the whole is in the plan's hash.
const DIGEST_SHOWN: usize = 12;

impl Plan {
    /// One line a step, check and file, in order of execution.
    #[must_use]
    pub fn shown(&self) -> Vec<String> {
        let mut lines: Vec<String> = self.steps.iter().map(step).collect();
        lines.extend(self.verify.iter().map(|check| format!("verify: {}", check.shown())));
        lines.extend(self.files.iter().map(|file| {
            let digest: String = file.sha256.chars().take(DIGEST_SHOWN).collect();
            format!("file: {} sha256 {digest}", quote(&file.path))
        }));
        lines
    }
}

impl PlannedCheck {
    /// What must be seen, and by when.
    #[must_use]
    pub fn shown(&self) -> String {
        format!("{} (within {}, every {})", self.probe.shown(), span(self.within_ms), span(self.every_ms))
    }
}

impl Probe {
    /// `GET http://127.0.0.1:8080/healthz answers 200`.
    #[must_use]
    pub fn shown(&self) -> String {
        match self {
            Self::Http { request, contains } => {
                let mut line = format!("{} answers {}", http(request), statuses(&request.expect_status));
                if let Some(text) = contains {
                    let _ = write!(line, " and contains {}", quote(text));
                }
                line
            }
            Self::Command { argv, .. } => format!("{} exits with 0", command(argv)),
            Self::Promql { server, query, op, value, .. } => {
                format!("{} {} {value} at {}", quote(query), op.sign(), quote(server))
            }
        }
    }
}

impl Comparison {
    #[must_use]
    pub const fn sign(self) -> &'static str {
        match self {
            Self::Lt => "<",
            Self::Le => "<=",
            Self::Eq => "==",
            Self::Ne => "!=",
            Self::Ge => ">=",
            Self::Gt => ">",
        }
    }

    /// Whether `left <sign> right`. Nothing compares to NaN but by `!=`.
    #[must_use]
    #[expect(clippy::float_cmp, reason = "PromQL's own == and != are exact")]
    pub fn holds(self, left: f64, right: f64) -> bool {
        match self {
            Self::Lt => left < right,
            Self::Le => left <= right,
            Self::Eq => left == right,
            Self::Ne => left != right,
            Self::Ge => left >= right,
            Self::Gt => left > right,
        }
    }
}

fn step(step: &Step) -> String {
    match step {
        Step::Exec { argv, env, cwd, timeout_ms } => {
            let mut line = String::new();
            for (name, value) in env {
                let _ = write!(line, "{}={} ", quote(name), value_shown(value));
            }
            line.push_str(&command(argv));
            if let Some(cwd) = cwd {
                let _ = write!(line, " (in {})", quote(cwd));
            }
            let _ = write!(line, " (at most {})", span(*timeout_ms));
            line
        }
        Step::Http(request) => {
            format!(
                "{} expecting {} (at most {})",
                http(request),
                statuses(&request.expect_status),
                span(request.timeout_ms)
            )
        }
    }
}

fn command(argv: &[String]) -> String {
    argv.iter().map(|argument| quote(argument)).collect::<Vec<_>>().join(" ")
}

fn http(request: &Request) -> String {
    let mut line = format!("{} {}", quote(&request.method), quote(&request.url));
    for (name, value) in &request.headers {
        let _ = write!(line, " {}: {}", quote(name), value_shown(value));
    }
    if let Some(body) = &request.body {
        let _ = write!(line, " with body {}", quote(body));
    }
    line
}

fn value_shown(value: &EnvValue) -> String {
    match value {
        EnvValue::Plain(text) => quote(text),
        // Angle brackets never come out of `quote` bare, so a plain value cannot pose as a secret.
        EnvValue::Secret(name) => format!("<secret {}>", quote(name)),
    }
}

fn statuses(expected: &[u16]) -> String {
    expected.iter().map(ToString::to_string).collect::<Vec<_>>().join("/")
}

/// As a shell would need it: bare when nothing in it is special, else in single quotes, else in `$'...'` with escapes.
#[must_use]
pub fn quote(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-./:=,+%@".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        return text.to_owned();
    }
    if text.chars().all(|c| c == ' ' || c.is_ascii_graphic() && c != '\'') {
        return format!("'{text}'");
    }
    let mut out = "$'".to_owned();
    for c in text.chars() {
        match c {
            '\'' | '\\' => {
                out.push('\\');
                out.push(c);
            }
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            ' '..='~' => out.push(c),
            c if u32::from(c) < 0x80 => {
                let _ = write!(out, "\\x{:02x}", u32::from(c));
            }
            c if u32::from(c) <= 0xffff => {
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            c => {
                let _ = write!(out, "\\U{:08x}", u32::from(c));
            }
        }
    }
    out.push('\'');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quoting_is_ascii_and_tells_every_text_apart() {
        for (text, shown) in [
            ("kubectl", "kubectl"),
            ("", "''"),
            ("a b", "'a b'"),
            ("$(rm -rf /)", "'$(rm -rf /)'"),
            ("it's", r"$'it\'s'"),
            ("a\u{202e}b", r"$'a\u202eb'"),
            ("с", r"$'\u0441'"),
            ("\u{1f525}", r"$'\U0001f525'"),
            ("\u{1b}[31m", r"$'\x1b[31m'"),
            ("a\nb", r"$'a\nb'"),
            ("<secret x>", "'<secret x>'"),
        ] {
            assert_eq!(quote(text), shown);
        }
    }

    #[test]
    fn comparisons_hold_as_in_promql() {
        assert!(Comparison::Lt.holds(0.1, 0.2) && !Comparison::Lt.holds(0.2, 0.2) && Comparison::Le.holds(0.2, 0.2));
        assert!(!Comparison::Le.holds(f64::NAN, 1.0) && Comparison::Ne.holds(f64::NAN, 1.0));
    }
}
