//! What every kind of source has in common: texts, times, links and identities of outside, made bounded and plain.
//!
//! Knows the flow's bounds; knows no vendor's format.

use super::{Setting, text};
use crate::flow::moment::{At, DAY};
use crate::flow::signal::{MAX_ANNOTATION_CHARS, MAX_LABEL_CHARS, MAX_LABELS};
use jiff::fmt::temporal::Pieces;
use ring::digest::{Context, SHA256};
use std::collections::BTreeMap;

/// Characters of a fingerprint as it came (Alertmanager's have 16); others are replaced by a digest.
const MAX_FINGERPRINT: usize = 64;
/// Characters of an address; a longer one is dropped, for half an address leads nowhere.
const MAX_LINK: usize = 2_048;
/// A start further ahead than this is not a clock that runs fast but a broken one.
const MAX_AHEAD: i64 = 2 * DAY;
/// 2000-01-01: no alert is older.
const OLDEST: At = At(946_684_800_000);
/// Kept first when an alert has more than [`MAX_LABELS`] labels: routes, grouping and people go by these.
pub const WANTED: [&str; 12] = [
    "alertname",
    "severity",
    "service",
    "job",
    "app",
    "namespace",
    "cluster",
    "instance",
    "env",
    "environment",
    "team",
    "region",
];

/// At most [`MAX_LABELS`], each cut to size; and whether anything was lost.
#[must_use]
pub fn labels(setting: &Setting<'_>, mut all: Vec<(&str, &str)>) -> (BTreeMap<String, String>, bool) {
    let wanted = |name: &str| WANTED.iter().position(|w| *w == name).unwrap_or(WANTED.len());
    all.sort_unstable_by(|a, b| (wanted(a.0), a).cmp(&(wanted(b.0), b)));
    let mut kept = BTreeMap::new();
    let mut cut = false;
    for (name, value) in all {
        if kept.len() == MAX_LABELS {
            return (kept, true);
        }
        cut |= name.len().max(value.len()) > MAX_LABEL_CHARS;
        let clean = setting.line(name, MAX_LABEL_CHARS);
        if !clean.is_empty() {
            // Names that differ only by what cannot be seen: the first stays.
            kept.entry(clean).or_insert_with(|| setting.line(value, MAX_LABEL_CHARS));
        }
    }
    (kept, cut)
}

/// As many as labels, those that people read first; and whether anything was lost.
#[must_use]
pub fn annotations(setting: &Setting<'_>, mut all: Vec<(&str, &str)>) -> (BTreeMap<String, String>, bool) {
    let spoken = |name: &str| !matches!(name, "summary" | "description" | "message" | "title" | "runbook_url");
    all.sort_unstable_by(|a, b| (spoken(a.0), a).cmp(&(spoken(b.0), b)));
    let mut kept = BTreeMap::new();
    let mut cut = false;
    for (name, value) in all {
        if kept.len() == MAX_LABELS {
            return (kept, true);
        }
        cut |= value.len() > MAX_ANNOTATION_CHARS;
        let clean = setting.line(name, MAX_LABEL_CHARS);
        if !clean.is_empty() {
            kept.entry(clean).or_insert_with(|| setting.block(value, MAX_ANNOTATION_CHARS));
        }
    }
    (kept, cut)
}

/// A vendor's name for an alert: as it came when it is short and plain and holds no secret, otherwise a digest of it.
#[must_use]
pub fn fingerprint(setting: &Setting<'_>, given: &str) -> String {
    let plain = given.len() <= MAX_FINGERPRINT && given.bytes().all(|b| b.is_ascii_graphic());
    if plain && (setting.scrub)(given) == given { given.to_owned() } else { digest(&[given.as_bytes()]) }
}

/// RFC 3339, with its offset. `Ok(None)`: not given.
///
/// # Errors
/// It is no time; in words for whoever set up the sender.
pub fn moment(text: Option<&str>, field: &str) -> Result<Option<At>, String> {
    let Some(text) = text.filter(|t| !t.is_empty()) else { return Ok(None) };
    match text.parse::<jiff::Timestamp>() {
        Ok(at) => Ok(Some(At(at.as_millisecond()))),
        // A well-formed time of the last day of the year 9999, which jiff cannot count.
        Err(_) if Pieces::parse(text).is_ok_and(|p| p.time().is_some() && p.offset().is_some()) => {
            Ok(Some(At(i64::MAX)))
        }
        // What stands there instead is not repeated: it may be anything.
        Err(_) => Err(format!("{field} is not a time like 2026-11-20T10:02:00Z")),
    }
}

/// A time outside would make this alert older or newer than every honest one, for ever.
#[must_use]
pub fn plausible(at: At, now: At) -> bool {
    at >= OLDEST && at <= now.plus(MAX_AHEAD)
}

/// `http` and `https` only, and nothing in it that cannot be seen.
#[must_use]
pub fn link(address: &str) -> Option<String> {
    let web = address.starts_with("https://") || address.starts_with("http://");
    (web && address.len() <= MAX_LINK && address.chars().all(|c| text::is_plain(c) && c != ' '))
        .then(|| address.to_owned())
}

/// SHA-256 in hex over parts, each with its length before it.
#[must_use]
pub fn digest(parts: &[&[u8]]) -> String {
    let mut context = Context::new(&SHA256);
    for part in parts {
        context.update(&(part.len() as u64).to_be_bytes());
        context.update(part);
    }
    hex::encode(context.finish().as_ref())
}

/// A time in seconds, milliseconds, microseconds or nanoseconds since 1970: their magnitudes tell them apart from 1973 to 5138.
#[must_use]
pub fn epoch(text: &str) -> Option<At> {
    const TOO_LARGE_FOR_SECONDS: u64 = 100_000_000_000;
    let whole = text.trim().split('.').next().unwrap_or_default();
    let number: i64 = whole.parse().ok()?;
    Some(At(match number.unsigned_abs() {
        n if n < TOO_LARGE_FOR_SECONDS => number.saturating_mul(1_000),
        n if n < TOO_LARGE_FOR_SECONDS * 1_000 => number,
        n if n < TOO_LARGE_FOR_SECONDS * 1_000_000 => number / 1_000,
        _ => number / 1_000_000,
    }))
}

/// A vendor's word for how bad it is, as a word that routing knows. Words it does not know stay as they are.
#[must_use]
pub fn severity(word: &str) -> String {
    let word = word.trim().to_lowercase();
    match word.as_str() {
        "fatal" => "critical".to_owned(),
        "average" => "medium".to_owned(),
        "debug" | "not classified" | "success" => "info".to_owned(),
        _ => word,
    }
}
