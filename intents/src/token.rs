//! The words of an utterance: quoting, code fences, mentions, `name=value` pairs, incident numbers, dates.
//!
//! Knows no verb. Text inside a ```` ``` ```` fence (to its end, or to the end of the text) is one silent token: it is kept
//! in free text and never read as a verb, a number or a parameter.

use crate::bounds;
use crate::inert;
use crate::intent::{Due, When, Who};
use crate::word::Milestone;
use std::ops::Range;

const FENCE: &str = "```";

/// A word, or a whole code fence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token<'a> {
    /// As written, with its quotes.
    pub raw: &'a str,
    /// Where it starts, in bytes.
    pub start: usize,
    /// Where it stands, in characters.
    pub at: Range<usize>,
    /// It is a code fence.
    pub fenced: bool,
}

/// `name=value` or `name:value` as written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pair<'a> {
    pub key: &'a str,
    /// With its quotes; see [`unquote`].
    pub value: &'a str,
}

/// Splits at whitespace. A quote (`"`, `“`, `”`) that opens a word or a value keeps it together up to its end, as does `'`
/// at the start of a value; a quote that nobody closes is an ordinary character here, and refused in a value.
#[must_use]
pub fn tokens(text: &str) -> Vec<Token<'_>> {
    let mut out = Vec::new();
    let (mut start, mut start_char) = (0, 0);
    while let Some(rest) = text.get(start..) {
        let Some(first) = rest.chars().next() else { break };
        // Pasted text often starts with a byte-order mark or a zero-width space.
        if first.is_whitespace() || (out.is_empty() && inert::is_unseen(first)) {
            start += first.len_utf8();
            start_char += 1;
            continue;
        }
        let fenced = rest.starts_with(FENCE);
        let length = if fenced { fence_length(rest) } else { word_length(rest) };
        let raw = rest.get(..length).unwrap_or(rest);
        let chars = raw.chars().count();
        out.push(Token { raw, start, at: start_char..start_char + chars, fenced });
        start += raw.len();
        start_char += chars;
    }
    out
}

fn fence_length(rest: &str) -> usize {
    let inside = rest.get(FENCE.len()..).unwrap_or_default();
    inside.find(FENCE).map_or(rest.len(), |end| FENCE.len() + end + FENCE.len())
}

fn word_length(rest: &str) -> usize {
    let mut at = 0;
    let mut previous = None;
    while let Some(tail) = rest.get(at..) {
        let Some(c) = tail.chars().next() else { break };
        if c.is_whitespace() || tail.starts_with(FENCE) {
            break;
        }
        let after_separator = matches!(previous, Some('=' | ':'));
        let quoted = match closer(c) {
            Some(close) if previous.is_none() && c != '\'' || after_separator => quoted_length(tail, close),
            _ => None,
        };
        at += quoted.unwrap_or(c.len_utf8());
        previous = Some(if quoted.is_some() { '"' } else { c });
    }
    at
}

/// The characters that end what `open` began.
const fn closer(open: char) -> Option<&'static [char]> {
    match open {
        '"' => Some(&['"']),
        '“' | '”' => Some(&['”', '“']),
        '\'' => Some(&['\'']),
        _ => None,
    }
}

/// Bytes up to and with the closing quote; `None` when there is none.
fn quoted_length(from_quote: &str, close: &[char]) -> Option<usize> {
    let mut escaped = false;
    for (at, c) in from_quote.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            c if close.contains(&c) => return Some(at + c.len_utf8()),
            _ => {}
        }
    }
    None
}

/// The text without its quotes; inside them `\"` and `\\` stand for themselves. `None`: the quote is not closed, or something
/// follows it.
#[must_use]
pub fn unquote(raw: &str) -> Option<String> {
    let Some(close) = raw.chars().next().and_then(closer) else { return Some(raw.to_owned()) };
    if quoted_length(raw, close) != Some(raw.len()) {
        return None;
    }
    let mut inside = raw.chars();
    inside.next();
    inside.next_back();
    let mut out = String::with_capacity(raw.len());
    while let Some(c) = inside.next() {
        match c {
            '\\' => match inside.next() {
                Some(c) if c == '\\' || closer(c).is_some() => out.push(c),
                Some(c) => out.extend(['\\', c]),
                None => out.push('\\'),
            },
            c => out.push(c),
        }
    }
    Some(out)
}

impl<'a> Token<'a> {
    /// Splits at the first `=` or `:`; `None` when there is none, nothing stands before it, or the word is quoted.
    #[must_use]
    pub fn pair(&self) -> Option<Pair<'a>> {
        let at = self.raw.find(['=', ':']).filter(|_| !self.fenced)?;
        let (key, value) = (self.raw.get(..at)?, self.raw.get(at + 1..)?);
        (!key.is_empty() && !key.starts_with(['"', '“', '”'])).then_some(Pair { key, value })
    }

    /// The word as it is compared with our vocabularies: in lower case, without punctuation behind it (`Why?`, `note:`).
    #[must_use]
    pub fn word(&self) -> String {
        if self.fenced {
            return String::new();
        }
        let bare =
            self.raw.trim_end_matches(|c: char| inert::is_unseen(c) || matches!(c, '?' | '!' | '.' | ',' | ':' | ';'));
        if bare.is_empty() { self.raw } else { bare }.to_lowercase()
    }

    /// `INC-12`, in any case. `Some(None)`: written like one, but there can be no such number.
    ///
    /// `#12` is not read as an incident: beside chat text it is nearly always an issue or a pull request.
    #[must_use]
    pub fn incident(&self) -> Option<Option<u32>> {
        numbered(&self.word(), "inc-")
    }
}

/// `<prefix><digits>`: the number if it is one from 1 to `u32::MAX`.
#[must_use]
pub fn numbered(word: &str, prefix: &str) -> Option<Option<u32>> {
    let digits = word.strip_prefix(prefix)?;
    let all_digits = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
    all_digits.then(|| digits.parse().ok().filter(|n| *n > 0))
}

/// A person: `me`, `@ana`, `ana`, Slack's `<@U123>` and `<@U123|ana>`, Discord's `<@123>` and `<@!123>`.
///
/// Of a platform's own mention only the identifier is kept (`Named("U123")`): a display name can be forged, and the directory
/// knows identifiers. Groups (`@here`, `@channel`, `@everyone`, `<!here>`, `<@&role>`) are nobody.
#[must_use]
pub fn who(raw: &str) -> Option<Who> {
    let raw = raw.trim_end_matches([',', '.', ';', ':']);
    let handle = match raw.strip_prefix("<@").and_then(|inner| inner.strip_suffix('>')) {
        Some(inner) => inner.strip_prefix('!').unwrap_or(inner).split('|').next().unwrap_or_default(),
        None => raw.strip_prefix('@').unwrap_or(raw),
    };
    if ["me", "myself"].iter().any(|me| handle.eq_ignore_ascii_case(me)) {
        return Some(Who::Me);
    }
    is_handle(handle).then(|| Who::Named(handle.to_owned()))
}

/// Letters, digits, `.`, `_`, `-`; at most [`bounds::HANDLE_MAX`]; not a group, not `me`.
#[must_use]
pub fn is_handle(s: &str) -> bool {
    const NOBODY: [&str; 6] = ["here", "channel", "everyone", "all", "me", "myself"];
    s.starts_with(char::is_alphanumeric)
        && !bounds::longer(s, bounds::HANDLE_MAX)
        && s.chars().all(|c| (c.is_alphanumeric() || matches!(c, '.' | '_' | '-')) && !inert::is_unseen(c))
        && !NOBODY.iter().any(|group| s.eq_ignore_ascii_case(group))
}

/// `2026-12-01`, `3d`, `2w`, `tomorrow`.
#[must_use]
pub fn due(raw: &str) -> Option<Due> {
    let lower = raw.to_lowercase();
    let given = if lower == "tomorrow" {
        Due::InDays(1)
    } else if let Some(days) = lower.strip_suffix('d') {
        Due::InDays(digits(days, 1..=3)?.try_into().ok()?)
    } else if let Some(weeks) = lower.strip_suffix('w') {
        Due::InDays(digits(weeks, 1..=3)?.checked_mul(7)?.try_into().ok()?)
    } else {
        let (year, month, day) = date_of(&lower)?;
        Due::On { year, month, day }
    };
    bounds::due(given).then_some(given)
}

/// `2026-12-01`, which may be a day no calendar has.
fn date_of(word: &str) -> Option<(i16, u8, u8)> {
    let mut parts = word.split('-');
    let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() {
        return None;
    }
    let small = |part| digits(part, 1..=2)?.try_into().ok();
    Some((digits(year, 4..=4)?.try_into().ok()?, small(month)?, small(day)?))
}

/// `09:58`, `2026-11-20 09:58` (or with a `T` between), `20m ago`, `1h30m ago`, `now`; a `Z` or `UTC` behind it says nothing new.
#[must_use]
pub fn when(text: &str) -> Option<When> {
    let lower = text.trim().to_lowercase();
    let words = lower.strip_suffix("utc").or_else(|| lower.strip_suffix('z')).unwrap_or(&lower).trim_end();
    let given = if words == "now" {
        When::Ago { minutes: 0 }
    } else if let Some(ago) = words.strip_suffix("ago") {
        let joined: String = ago.split_whitespace().collect();
        When::Ago { minutes: if joined == "0m" { 0 } else { minutes(&joined)? } }
    } else {
        match words.split_once(['t', ' ']) {
            None => {
                let (hour, minute) = clock(words)?;
                When::Clock { hour, minute }
            }
            Some((date, time)) => {
                let ((year, month, day), (hour, minute)) = (date_of(date)?, clock(time.trim_start())?);
                When::On { year, month, day, hour, minute }
            }
        }
    };
    bounds::when(given).then_some(given)
}

/// As [`when`] reads it.
#[must_use]
pub fn when_text(when: When) -> String {
    match when {
        When::Clock { hour, minute } => format!("{hour:02}:{minute:02}"),
        When::On { year, month, day, hour, minute } => {
            format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}")
        }
        When::Ago { minutes } => format!("{minutes}m ago"),
    }
}

fn clock(word: &str) -> Option<(u8, u8)> {
    let (hour, rest) = word.split_once(':')?;
    // Browsers may add seconds; they are not kept.
    let minute = rest.split_once(':').map_or(rest, |(minute, _)| minute);
    Some((digits(hour, 1..=2)?.try_into().ok()?, digits(minute, 2..=2)?.try_into().ok()?))
}

/// A length of time in minutes: `90m`, `2h`, `1h30m`, `1d`, `1w`; at least one minute.
#[must_use]
pub fn minutes(word: &str) -> Option<u32> {
    let mut rest = word;
    let mut sum = 0_u32;
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit())?;
        let (number, behind) = rest.split_at_checked(end)?;
        let unit_end = behind.find(|c: char| c.is_ascii_digit()).unwrap_or(behind.len());
        let (unit, next) = behind.split_at_checked(unit_end)?;
        let each = match unit {
            "m" | "min" => 1,
            "h" => 60,
            "d" => 24 * 60,
            "w" => 7 * 24 * 60,
            _ => return None,
        };
        sum = sum.checked_add(digits(number, 1..=6)?.checked_mul(each)?)?;
        rest = next;
    }
    Some(sum).filter(|sum| *sum > 0)
}

/// As [`minutes`] reads it, in its largest whole unit.
#[must_use]
pub fn minutes_text(minutes: u32) -> String {
    match minutes {
        n if n > 0 && n.is_multiple_of(24 * 60) => format!("{}d", n / (24 * 60)),
        n if n > 0 && n.is_multiple_of(60) => format!("{}h", n / 60),
        n => format!("{n}m"),
    }
}

/// `impact`, `detected`, `declared`, `acknowledged`, `identified`, `mitigated`, `resolved`.
#[must_use]
pub fn milestone(word: &str) -> Option<Milestone> {
    let lower = word.to_lowercase();
    Milestone::ALL.into_iter().find(|milestone| milestone_word(*milestone) == lower)
}

#[must_use]
pub const fn milestone_word(milestone: Milestone) -> &'static str {
    match milestone {
        Milestone::ImpactStarted => "impact",
        other => other.label(),
    }
}

/// The day, if the Gregorian calendar has it.
#[must_use]
pub fn day(year: i16, month: u8, day: u8) -> Option<jiff::civil::Date> {
    jiff::civil::Date::new(year, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok()
}

fn digits(s: &str, length: std::ops::RangeInclusive<usize>) -> Option<u32> {
    (length.contains(&s.len()) && s.bytes().all(|b| b.is_ascii_digit())).then(|| s.parse().ok())?
}

#[cfg(test)]
mod tests;
