//! Takes secrets out of text: by the shapes of well-known credentials, and by the exact values we know.
//!
//! No guessing by entropy: it eats commit hashes and pod names. Redacting twice is the same as once.

use regex::{Captures, Regex, RegexSet};
use std::sync::{Arc, LazyLock, PoisonError, RwLock};

/// Put where a secret was.
pub const REDACTED: &str = "[redacted]";
/// Known values shorter than this (bytes) are left alone: a secret `on` would black out every word with it.
const MIN_KNOWN: usize = 6;

/// Shapes: of a match, the groups `keep` and `after` stay, all else goes.
const SHAPES: [&str; 12] = [
    // Private keys, PEM and OpenSSH: to the end marker, or to the end when it was cut off.
    r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----(?s:.*?)(?:-----END [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----|\z)",
    // The end of one whose beginning was cut off: base64 lines before the marker.
    r"(?:[A-Za-z0-9+/=]{20,}\s+)+(?:[A-Za-z0-9+/=]*\s*)-----END [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----",
    // AWS access key ids.
    r"\b(?:AKIA|ASIA|ABIA|ACCA|AROA|AIDA)[A-Z2-7]{16}\b",
    // GitHub (classic, fine-grained), GitLab, npm, Google, Stripe, Anthropic and OpenAI style keys.
    r"\b(?:gh[pousr]_[A-Za-z0-9]{30,}|github_pat_[A-Za-z0-9_]{30,}|glpat-[A-Za-z0-9_-]{20,}|npm_[A-Za-z0-9]{30,}|AIza[A-Za-z0-9_-]{35}|[sr]k_(?:live|test)_[A-Za-z0-9]{16,}|sk-[A-Za-z0-9_-]{20,})",
    // Slack tokens and webhooks.
    r"\bxox[abeoprs]-[A-Za-z0-9-]{10,}|\bxapp-[A-Za-z0-9-]{10,}|https://hooks\.slack\.com/(?:services|workflows)/[A-Za-z0-9/_-]+",
    // Discord bot tokens and webhooks.
    r"\b[MNO][A-Za-z0-9_-]{23,27}\.[A-Za-z0-9_-]{6}\.[A-Za-z0-9_-]{27,}|https://(?:\w+\.)?discord(?:app)?\.com/api/(?:v\d+/)?webhooks/\d+/[A-Za-z0-9_-]+",
    // JSON Web Tokens.
    r"\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*",
    // Authorization headers and cookies.
    r"(?i)(?P<keep>\bauthorization\s*[:=]\s*(?:(?:bearer|basic|token|digest|negotiate)\s+)?)[^\s,;'\x22]{4,}",
    r"(?i)(?P<keep>\bbearer\s+)[A-Za-z0-9._~+/-]{8,}=*",
    r"(?i)(?P<keep>\b(?:set-)?cookie\s*:\s*)[^\r\n]+",
    // Passwords in addresses: scheme://user:password@host.
    r"(?P<keep>\b[a-zA-Z][a-zA-Z0-9+.-]*://[^\s/:@'\x22]*:)[^\s/@'\x22]+(?P<after>@)",
    // Assignments, in shell, JSON, YAML and query strings; also within a JSON text, where the quotes are escaped.
    r#"(?i)(?P<keep>(?:password|passwd|passphrase|secret|token|api[_-]?key|access[_-]?key|private[_-]?key|client[_-]?secret|credentials?)\\*["']?\s*[:=]\s*)(?:\\+"(?:[^"\\]|\\[^"])*\\*"?|"(?:[^"\\]|\\.)*"?|'[^']*'?|[^\s"',;&}\[\]]+)"#,
];

struct Shapes {
    set: RegexSet,
    each: Vec<Regex>,
}

static COMPILED: LazyLock<Option<Shapes>> = LazyLock::new(|| {
    let each: Result<Vec<Regex>, _> = SHAPES.iter().map(|shape| Regex::new(shape)).collect();
    Some(Shapes { set: RegexSet::new(SHAPES).ok()?, each: each.ok()? })
});

/// Knows the shapes, and the exact values given to it.
#[derive(Clone, Default)]
pub struct Redactor {
    /// Longest first, so that a secret that contains another goes as a whole.
    known: Arc<RwLock<Arc<[String]>>>,
}

impl std::fmt::Debug for Redactor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Redactor({} known values)", self.known().len())
    }
}

impl Redactor {
    /// `known` values also go in the forms they take in URLs, JSON and base64.
    #[must_use]
    pub fn new(known: impl IntoIterator<Item = String>) -> Self {
        let redactor = Self::default();
        redactor.learn(known);
        redactor
    }

    /// From now on these values go, too, here and in every clone; those it knew stay known.
    pub fn learn(&self, known: impl IntoIterator<Item = String>) {
        use base64::Engine as _;
        let mut all: Vec<String> = self.known().to_vec();
        for value in known {
            let value = value.trim().to_owned();
            if value.len() < MIN_KNOWN {
                continue;
            }
            // A value of several lines (a key file) may be printed line by line.
            all.extend(value.lines().map(str::trim).filter(|line| line.len() >= 16).map(str::to_owned));
            all.push(base64::engine::general_purpose::STANDARD_NO_PAD.encode(&value));
            all.push(value.bytes().fold(String::new(), |out, byte| match byte {
                b'-' | b'.' | b'_' | b'~' | b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' => {
                    out + &char::from(byte).to_string()
                }
                byte => out + &format!("%{byte:02X}"),
            }));
            all.push(value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n"));
            all.push(value);
        }
        all.sort_unstable_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
        all.dedup();
        *self.known.write().unwrap_or_else(PoisonError::into_inner) = all.into();
    }

    fn known(&self) -> Arc<[String]> {
        Arc::clone(&self.known.read().unwrap_or_else(PoisonError::into_inner))
    }

    #[must_use]
    pub fn redact(&self, text: &str) -> String {
        let mut out = text.to_owned();
        for value in self.known().iter() {
            if out.contains(value.as_str()) {
                out = out.replace(value.as_str(), REDACTED);
            }
        }
        let Some(shapes) = COMPILED.as_ref() else { return REDACTED.to_owned() };
        for index in shapes.set.matches(&out) {
            if let Some(shape) = shapes.each.get(index) {
                out = shape.replace_all(&out, mask).into_owned();
            }
        }
        out
    }
}

fn mask(found: &Captures<'_>) -> String {
    let group = |name| found.name(name).map_or("", |part| part.as_str());
    format!("{}{REDACTED}{}", group("keep"), group("after"))
}

#[cfg(test)]
mod tests;
