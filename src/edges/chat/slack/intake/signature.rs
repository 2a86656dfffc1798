//! Slack's signature `v0`: HMAC-SHA256 over `v0:<time>:<body>`, the bytes as they came. Constant time; nothing is read before.
//!
//! slack-morphism's verifier asks the machine for the time and takes text only; the time is the clock's alone here, and a body
//! may be any bytes.

use crate::config::secret::Secret;
use crate::flow::moment::{At, SECOND};
use axum::http::HeaderMap;
use ring::hmac;
use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

/// How far the signed time may be from ours, either way.
const WITHIN: i64 = 300 * SECOND;
/// Signatures remembered. Slack delivers at most 30,000 events an hour; with commands and clicks that is this many in ten minutes.
const MAX_REMEMBERED: usize = 8_192;
/// Digits of a time in seconds: the year 5138.
const MAX_DIGITS: usize = 11;
const SIGNATURE: &str = "x-slack-signature";
const TIMESTAMP: &str = "x-slack-request-timestamp";
const VERSION: &str = "v0=";

/// What a request proves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proof {
    /// Signed with one of the secrets, about now, and seen for the first time.
    Good,
    /// The very same request came before.
    Repeated,
    /// Signed, but at another time: a replay, or clocks that differ by so many milliseconds.
    Skewed(i64),
    None,
}

/// Checks signatures, and remembers them for as long as they would be good.
pub struct Verifier {
    keys: Vec<hmac::Key>,
    seen: Mutex<VecDeque<(i64, [u8; 32])>>,
}

impl std::fmt::Debug for Verifier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Verifier").field("keys", &self.keys.len()).finish_non_exhaustive()
    }
}

impl Verifier {
    /// Each secret is good; with none nothing is.
    #[must_use]
    pub fn new(secrets: &[Secret]) -> Self {
        let good = secrets.iter().map(Secret::expose).filter(|secret| !secret.is_empty());
        let keys = good.map(|secret| hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes())).collect();
        Self { keys, seen: Mutex::default() }
    }

    /// Looks at every key: how long it takes says only how many there are.
    #[must_use]
    pub fn check(&self, headers: &HeaderMap, body: &[u8], now: At) -> Proof {
        let (Some(signature), Some(time)) = (only(headers, SIGNATURE), only(headers, TIMESTAMP)) else {
            return Proof::None;
        };
        let Some(signature) = signature.strip_prefix(VERSION).and_then(unhex) else { return Proof::None };
        let Some(seconds) = seconds(time) else { return Proof::None };
        let mut hits = 0_usize;
        for key in &self.keys {
            let mut context = hmac::Context::with_key(key);
            for part in [b"v0:".as_slice(), time.as_bytes(), b":", body] {
                context.update(part);
            }
            // Tags of tags: comparing those takes the same time wherever the first difference is.
            let wanted = hmac::sign(key, context.sign().as_ref());
            hits += usize::from(hmac::sign(key, &signature).as_ref() == wanted.as_ref());
        }
        if hits == 0 {
            return Proof::None;
        }
        let ahead = seconds.saturating_mul(SECOND).saturating_sub(now.0);
        if ahead.unsigned_abs() > WITHIN.unsigned_abs() {
            return Proof::Skewed(ahead);
        }
        if self.remember(seconds, signature) { Proof::Good } else { Proof::Repeated }
    }

    /// `false`: it was seen before. What is forgotten too early, because there are too many, is still one act by its key.
    fn remember(&self, seconds: i64, signature: [u8; 32]) -> bool {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.iter().any(|(_, known)| *known == signature) {
            return false;
        }
        if seen.len() >= MAX_REMEMBERED {
            seen.pop_front();
        }
        seen.push_back((seconds, signature));
        true
    }

    /// The request was good, but was not taken in: it may come again as it was.
    pub fn forget(&self, headers: &HeaderMap) {
        let Some(signature) = only(headers, SIGNATURE).and_then(|s| s.strip_prefix(VERSION)).and_then(unhex) else {
            return;
        };
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).retain(|(_, known)| *known != signature);
    }
}

/// A header that is there once.
fn only<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    let mut all = headers.get_all(name).iter();
    let first = all.next()?.to_str().ok()?;
    all.next().is_none().then_some(first)
}

fn seconds(text: &str) -> Option<i64> {
    let plain = !text.is_empty() && text.len() <= MAX_DIGITS && text.bytes().all(|b| b.is_ascii_digit());
    plain.then(|| text.parse().ok()).flatten()
}

/// 64 lower-case hexadecimal digits: upper case would be a second way to write the same signature, which Slack does not use.
fn unhex(text: &str) -> Option<[u8; 32]> {
    if text.bytes().any(|b| b.is_ascii_uppercase()) {
        return None;
    }
    let mut out = [0; 32];
    hex::decode_to_slice(text, &mut out).ok()?;
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of Slack's documentation.
    const SECRET: &str = "8f742231b10e8888abcd99yyyzzz85a5";
    const TIME: &str = "1531420618";
    const BODY: &str = "token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&\
        channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=\
        https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=\
        398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c";
    const SIGNED: &str = "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503";
    const NOW: At = At(1_531_420_618_000);

    fn headers(signature: &str, time: &str) -> HeaderMap {
        HeaderMap::from_iter([
            (axum::http::HeaderName::from_static(SIGNATURE), signature.parse().unwrap()),
            (axum::http::HeaderName::from_static(TIMESTAMP), time.parse().unwrap()),
        ])
    }

    #[test]
    fn slacks_own_example_is_good_once_and_for_five_minutes() {
        let verifier = Verifier::new(&[Secret::new("older"), Secret::new(SECRET)]);
        let headers = headers(SIGNED, TIME);
        let at = |offset| verifier.check(&headers, BODY.as_bytes(), At(NOW.0 + offset));
        assert_eq!(at(301_000), Proof::Skewed(-301_000));
        assert_eq!(at(-301_000), Proof::Skewed(301_000));
        assert_eq!((at(-300_000), at(300_000)), (Proof::Good, Proof::Repeated));
        verifier.forget(&headers);
        assert_eq!(at(0), Proof::Good);
    }

    #[test]
    fn nothing_else_is() {
        let verifier = Verifier::new(&[Secret::new(SECRET)]);
        for (signature, time) in [
            (SIGNED.to_uppercase().as_str(), TIME),
            (&SIGNED.replace("v0=", "v1="), TIME),
            (&SIGNED.replace("v0=", ""), TIME),
            (&format!("{SIGNED}00"), TIME),
            (&format!(" {SIGNED},{SIGNED}"), TIME),
            (SIGNED, "1531420619"),
            (SIGNED, "-1531420618"),
            (SIGNED, "1531420618.0"),
            (SIGNED, ""),
            ("", TIME),
        ] {
            assert_eq!(
                verifier.check(&headers(signature, time), BODY.as_bytes(), NOW),
                Proof::None,
                "{signature} {time}"
            );
        }
        let mut twice = headers(SIGNED, TIME);
        twice.append(SIGNATURE, SIGNED.parse().unwrap());
        assert_eq!(verifier.check(&twice, BODY.as_bytes(), NOW), Proof::None);
        assert_eq!(Verifier::new(&[Secret::new("")]).check(&headers(SIGNED, TIME), BODY.as_bytes(), NOW), Proof::None);
    }
}
