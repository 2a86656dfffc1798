//! HMAC-SHA256 over the bytes as they came, in the ways vendors write it down. Constant time; nothing is parsed before.
//!
//! Replays: where the vendor signs a time it must be now, give or take [`WITHIN`]. Inside that, and where no time is signed, a
//! delivery's key comes from what was signed and never from a header, so sent again it is the same inbox row and nothing else.

use super::auth::only;
use crate::flow::moment::{At, SECOND};
use axum::http::HeaderMap;
use ring::hmac;

/// How far a signed time may be from ours, either way: delays and clocks of honest senders stay well below.
pub const WITHIN: i64 = 300 * SECOND;
/// Signatures in one header: one for each secret while secrets are replaced; more is somebody trying.
const MAX_SIGNATURES: usize = 8;
/// Digits of a time in seconds: the year 5138.
const MAX_DIGITS: usize = 11;

/// How a vendor signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Signing {
    /// The header with the signatures: lower-case hexadecimal, separated by commas.
    pub header: &'static str,
    /// What stands before each of them; one with another prefix is of another version, and does not count.
    pub prefix: &'static str,
    /// The header with the time of signing in Unix seconds. Then `<time>:<body>` is signed, otherwise the body alone.
    pub timestamp: Option<&'static str>,
}

/// What a request says about its signature.
#[derive(Debug)]
pub struct Claim<'h> {
    signatures: Vec<[u8; 32]>,
    /// As written, because it is signed as written.
    time: Option<&'h str>,
}

impl Signing {
    /// `None`: a header is missing, is there twice, or has no signature of this version in it.
    #[must_use]
    pub fn claim<'h>(&self, headers: &'h HeaderMap) -> Option<Claim<'h>> {
        let written: Vec<&str> = only(headers, self.header)?.split(',').take(MAX_SIGNATURES + 1).collect();
        if written.len() > MAX_SIGNATURES {
            return None;
        }
        let hex = written.into_iter().filter_map(|w| w.trim().strip_prefix(self.prefix));
        let signatures: Vec<[u8; 32]> = hex.filter_map(unhex).collect();
        let time = match self.timestamp {
            Some(name) => Some(only(headers, name).filter(|t| is_seconds(t))?),
            None => None,
        };
        (!signatures.is_empty()).then_some(Claim { signatures, time })
    }
}

impl Claim<'_> {
    /// Signed about now, as far as a time is signed.
    #[must_use]
    pub fn is_of(&self, now: At) -> bool {
        let Some(seconds) = self.time else { return true };
        let Ok(seconds) = seconds.parse::<i64>() else { return false };
        now.0.abs_diff(seconds.saturating_mul(SECOND)) <= WITHIN.unsigned_abs()
    }

    /// One of the signatures was made with one of the keys, over these bytes. Looks at all of them: how long it takes says
    /// only how many there are.
    #[must_use]
    pub fn proves(&self, keys: &[hmac::Key], body: &[u8]) -> bool {
        let mut hits = 0_usize;
        for key in keys {
            let mut context = hmac::Context::with_key(key);
            if let Some(time) = self.time {
                context.update(time.as_bytes());
                context.update(b":");
            }
            context.update(body);
            let expected = context.sign();
            // Tags of tags: comparing those takes the same time wherever the first difference is.
            let again = |bytes: &[u8]| hmac::sign(key, bytes);
            let wanted = again(expected.as_ref());
            hits += self.signatures.iter().filter(|s| again(&s[..]).as_ref() == wanted.as_ref()).count();
        }
        hits > 0
    }
}

fn is_seconds(text: &str) -> bool {
    !text.is_empty() && text.len() <= MAX_DIGITS && text.bytes().all(|b| b.is_ascii_digit())
}

/// 64 lower-case hexadecimal digits. Upper case would be a second way to write the same signature, which no vendor uses.
fn unhex(text: &str) -> Option<[u8; 32]> {
    let mut out = [0; 32];
    let plain = text.bytes().all(|b| b.is_ascii_digit() || b.is_ascii_lowercase());
    (plain && hex::decode_to_slice(text, &mut out).is_ok()).then_some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGERDUTY: Signing = Signing { header: "X-PagerDuty-Signature", prefix: "v1=", timestamp: None };
    const TIMED: Signing = Signing { header: "x-sig", prefix: "", timestamp: Some("x-time") };

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        let mut map = HeaderMap::new();
        for (name, value) in pairs {
            map.append(axum::http::HeaderName::from_bytes(name.as_bytes()).unwrap(), value.parse().unwrap());
        }
        map
    }

    fn sign(secret: &str, bytes: &[u8]) -> String {
        let tag = hmac::sign(&key(secret), bytes);
        hex::encode(tag.as_ref())
    }

    fn key(secret: &str) -> hmac::Key {
        hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes())
    }

    /// RFC 4231, test case 2.
    #[test]
    fn it_is_the_hmac_everybody_computes() {
        let hex = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
        let map = headers(&[("X-PagerDuty-Signature", &format!("v1={hex}"))]);
        let claim = PAGERDUTY.claim(&map).unwrap();
        assert!(claim.proves(&[key("Jefe")], b"what do ya want for nothing?"));
        assert!(!claim.proves(&[key("Jefe")], b"what do ya want for nothing!"));
        assert!(!claim.proves(&[key("Jeff")], b"what do ya want for nothing?") && !claim.proves(&[], b""));
    }

    #[test]
    fn one_of_several_signatures_and_one_of_two_secrets_is_enough() {
        let (old, new) = (sign("old", b"body"), sign("new", b"body"));
        for (given, good) in [
            (format!("v1={old},v1={new}"), true),
            (format!("v1={}, v1={new}", sign("gone", b"body")), true),
            (format!("v2={new}"), false),
            (format!("v1={}", new.to_uppercase()), false),
            (format!("v1={}", &new[1..]), false),
            (format!("v1={new}0"), false),
            (new.clone(), false),
            (String::new(), false),
            (vec![format!("v1={new}"); MAX_SIGNATURES + 1].join(","), false),
        ] {
            let map = headers(&[("X-PagerDuty-Signature", &given)]);
            let proven = PAGERDUTY.claim(&map).is_some_and(|c| c.proves(&[key("new"), key("old")], b"body"));
            assert_eq!(proven, good, "{given}");
        }
        let twice = headers(&[("X-PagerDuty-Signature", &*format!("v1={new}")); 2]);
        assert!(PAGERDUTY.claim(&twice).is_none());
    }

    #[test]
    fn a_signed_time_is_part_of_what_is_signed_and_must_be_now() {
        let now = At(1_795_176_000_000);
        let signature = sign("s", b"1795176000:body");
        let claimed = |time: &str| {
            let map = headers(&[("x-sig", &signature), ("x-time", time)]);
            TIMED.claim(&map).map(|c| (c.is_of(now), c.proves(&[key("s")], b"body")))
        };
        assert_eq!(claimed("1795176000"), Some((true, true)));
        assert_eq!(claimed("1795176300"), Some((true, false)));
        assert_eq!(claimed("1795175700"), Some((true, false)));
        assert_eq!(claimed("1795176301"), Some((false, false)));
        assert_eq!(claimed("1795175699"), Some((false, false)));
        for odd in ["", "-1795176000", "1795176000.0", "+1795176000", "0x6b00", "99999999999999999999", "17951 76000"] {
            assert_eq!(claimed(odd), None, "{odd}");
        }
        let without = headers(&[("x-sig", &signature)]);
        assert!(TIMED.claim(&without).is_none(), "no time, no proof");
    }
}
