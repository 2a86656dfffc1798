//! What an answer of GitHub's means: done, too fast, refused for good, or nobody knows. Pure.

use crate::egress::Answer;
use crate::flow::moment::{At, HOUR, MINUTE, SECOND};
use serde::Deserialize;
use smokejumper_intents::inert::{line, shorten};

/// Without a word from GitHub on how long to wait: a minute, as its documentation asks, and longer each time (`Pace`).
pub const LEAST_WAIT: i64 = MINUTE;
/// GitHub's own limits start anew each hour; what says longer is wrong.
const MOST_WAIT: i64 = HOUR + 5 * MINUTE;
/// Characters of GitHub's own words.
const MAX_WORDS: usize = 300;

/// What became of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Judged {
    Fine,
    /// Certainly no effect: asked too often. Nothing may be asked before `after_ms` have passed.
    Limited {
        why: String,
        after_ms: i64,
    },
    /// Certainly no effect, and asking again changes nothing.
    Refused {
        status: u16,
        why: String,
    },
    /// GitHub's own trouble: a read is asked again, of a write nobody knows.
    Trouble {
        why: String,
    },
}

#[derive(Default, Deserialize)]
struct Words {
    #[serde(default)]
    message: String,
    #[serde(default)]
    errors: serde_json::Value,
}

/// By status, headers and the words of the body.
pub fn judge(answer: &Answer, now: At) -> Judged {
    let status = answer.status;
    if answer.is_success() || status == 304 {
        return Judged::Fine;
    }
    let words: Words = answer.json().unwrap_or_default();
    let said = said(&words);
    match status {
        403 | 429 => limited(answer, &words, now)
            .map_or_else(|| refused(status, &said), |(why, after_ms)| Judged::Limited { why, after_ms }),
        301 | 302 | 303 | 307 | 308 | 400..=407 | 409..=499 => refused(status, &said),
        _ => Judged::Trouble { why: format!("GitHub answers {status}{said}") },
    }
}

fn refused(status: u16, said: &str) -> Judged {
    let why = match status {
        301 | 302 | 303 | 307 | 308 => {
            "the repository was renamed or moved: write its new name in the configuration".to_owned()
        }
        401 => "GitHub does not accept the token: it is wrong, expired or revoked; give [github] a new one".to_owned(),
        403 => format!("GitHub refuses{said}; give the token (or App) \"Issues: read and write\" for this repository"),
        404 => {
            "GitHub shows no such repository to this token: compare its name, and give the token (or App) access to it \
                with \"Issues: read and write\""
                .to_owned()
        }
        410 => "issues are switched off there (or it was deleted): switch them on in the repository's settings, or \
                configure another repository"
            .to_owned(),
        _ => format!("GitHub refuses with {status}{said}"),
    };
    Judged::Refused { status, why }
}

/// Retry-After, else the moment at which the limit starts anew, else a minute, if it is about limits at all.
fn limited(answer: &Answer, words: &Words, now: At) -> Option<(String, i64)> {
    let message = words.message.to_lowercase();
    if let Some(ms) = answer.retry_after_ms() {
        return Some(("GitHub asks to wait".to_owned(), ms.clamp(SECOND, MOST_WAIT)));
    }
    let number = |name: &str| answer.header(name).and_then(|value| value.trim().parse::<i64>().ok());
    if number("x-ratelimit-remaining") == Some(0) {
        let reset = number("x-ratelimit-reset").map(|s| s.saturating_mul(SECOND));
        // By GitHub's clock when it says what time it is there: ours may be off.
        let there = answer.header("date").and_then(http_date).unwrap_or(now);
        let wait = reset.map_or(LEAST_WAIT, |reset| At(reset).since(there).saturating_add(SECOND));
        return Some(("GitHub's hourly limit is used up".to_owned(), wait.clamp(SECOND, MOST_WAIT)));
    }
    let secondary = answer.status == 429 || message.contains("rate limit") || message.contains("abuse");
    secondary.then(|| ("GitHub asks to slow down".to_owned(), LEAST_WAIT))
}

/// `Fri, 20 Nov 2026 10:00:00 GMT`.
fn http_date(text: &str) -> Option<At> {
    jiff::fmt::rfc2822::parse(text).ok().map(|at| At(at.timestamp().as_millisecond()))
}

/// GitHub's words, as data.
fn said(words: &Words) -> String {
    if words.message.is_empty() {
        return String::new();
    }
    let details = match &words.errors {
        serde_json::Value::Null => String::new(),
        errors => format!(" {errors}"),
    };
    format!(": {}", shorten(&line(&format!("{}{details}", words.message)), MAX_WORDS))
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::{HeaderMap, HeaderName, HeaderValue};

    /// 2026-11-20T10:00:00Z.
    const NOW: At = At(1_795_168_800_000);

    fn answer(status: u16, headers: &[(&'static str, &str)], body: &str) -> Answer {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.insert(HeaderName::from_static(name), HeaderValue::from_str(value).unwrap());
        }
        Answer { status, headers: map, body: body.into(), cut: false }
    }

    #[test]
    fn limits_are_told_from_refusals() {
        let wait = |headers: &[(&'static str, &str)], body| match judge(&answer(403, headers, body), NOW) {
            Judged::Limited { after_ms, .. } => Some(after_ms),
            _ => None,
        };
        assert_eq!(wait(&[("retry-after", "7")], "{}"), Some(7_000));
        let reset = (NOW.0 / SECOND + 90).to_string();
        let used_up = [("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", reset.as_str())];
        assert_eq!(wait(&used_up, "{}"), Some(91_000));
        // Its clock is half a minute ahead of ours: the wait is shorter by that.
        let ahead = [used_up[0], used_up[1], ("date", "Fri, 20 Nov 2026 10:00:30 GMT")];
        assert_eq!(wait(&ahead, "{}"), Some(61_000));
        assert_eq!(wait(&[], r#"{"message":"You have exceeded a secondary rate limit"}"#), Some(LEAST_WAIT));
        assert_eq!(wait(&[("x-ratelimit-remaining", "4999")], r#"{"message":"Resource not accessible"}"#), None);
        assert!(matches!(judge(&answer(429, &[], ""), NOW), Judged::Limited { after_ms: LEAST_WAIT, .. }));
        // A day would be wrong.
        assert_eq!(wait(&[("retry-after", "86400")], "{}"), Some(MOST_WAIT));
    }

    #[test]
    fn only_what_certainly_had_no_effect_is_refused() {
        for status in [301, 307, 400, 401, 403, 404, 410, 413, 415, 422, 451] {
            assert!(matches!(judge(&answer(status, &[], "not json"), NOW), Judged::Refused { .. }), "{status}");
        }
        for status in [408, 500, 502, 503, 504, 599] {
            assert!(matches!(judge(&answer(status, &[], "<html>"), NOW), Judged::Trouble { .. }), "{status}");
        }
        for status in [200, 201, 204, 304] {
            assert_eq!(judge(&answer(status, &[], ""), NOW), Judged::Fine, "{status}");
        }
    }
}
