//! Who may speak for a source: the `Authorization` header against the secrets set up for it, in constant time.
//!
//! Looks at headers only, before a byte of the body is read (I22).

use crate::config::source::Auth;
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, ORIGIN};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::hmac;
use std::fmt;

/// Longest header compared; more cannot be right.
const MAX_HEADER: usize = 8 * 1024;

/// Keeps tags of what is expected instead of the secrets: comparing tags under a random key takes the same time whatever
/// was sent, and however long it is.
pub struct Guard {
    key: hmac::Key,
    scheme: Scheme,
}

enum Scheme {
    Open,
    Bearer(Vec<hmac::Tag>),
    Basic(Vec<hmac::Tag>),
}

/// Why somebody is not let in. Nothing tells how near they were.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stranger {
    /// Missing or wrong credentials; the challenge to answer with.
    Unproven(&'static str),
    /// A web page that talks to a source which asks for no proof.
    WebPage,
}

impl Guard {
    /// # Errors
    /// The operating system has no randomness to give.
    pub fn new(auth: &Auth) -> Result<Self, ring::error::Unspecified> {
        let key = hmac::Key::generate(hmac::HMAC_SHA256, &ring::rand::SystemRandom::new())?;
        let tag = |value: &str| hmac::sign(&key, value.as_bytes());
        let scheme = match auth {
            Auth::Open => Scheme::Open,
            Auth::Bearer(tokens) => Scheme::Bearer(tokens.iter().map(|t| tag(t.expose())).collect()),
            Auth::Basic { user, passwords } => {
                Scheme::Basic(passwords.iter().map(|p| tag(&format!("{user}:{}", p.expose()))).collect())
            }
        };
        Ok(Self { key, scheme })
    }

    /// # Errors
    /// [`Stranger`]: nothing may happen on behalf of this request.
    pub fn admit(&self, headers: &HeaderMap) -> Result<(), Stranger> {
        match &self.scheme {
            // A page in the operator's browser reaches loopback too. Browsers name their origin on every POST, and ask
            // first before they send JSON; alert senders do neither.
            Scheme::Open if headers.contains_key(ORIGIN) || headers.contains_key("sec-fetch-site") => {
                Err(Stranger::WebPage)
            }
            Scheme::Open => Ok(()),
            Scheme::Bearer(tags) => {
                let given = credentials(headers, "bearer").map(|t| t.as_bytes().to_vec());
                self.compare(tags, given, "Bearer")
            }
            Scheme::Basic(tags) => {
                let given = credentials(headers, "basic").and_then(|t| STANDARD.decode(t).ok());
                self.compare(tags, given, "Basic realm=\"smokejumper\"")
            }
        }
    }

    fn compare(&self, tags: &[hmac::Tag], given: Option<Vec<u8>>, challenge: &'static str) -> Result<(), Stranger> {
        let given = given.unwrap_or_default();
        // No early way out: each secret is compared.
        let hits = tags.iter().filter(|tag| hmac::verify(&self.key, &given, tag.as_ref()).is_ok()).count();
        if hits > 0 && !given.is_empty() { Ok(()) } else { Err(Stranger::Unproven(challenge)) }
    }
}

impl fmt::Debug for Guard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.scheme {
            Scheme::Open => "Guard(open)",
            Scheme::Bearer(_) => "Guard(bearer)",
            Scheme::Basic(_) => "Guard(basic)",
        })
    }
}

/// What follows the scheme in the one `Authorization` header; two of them are none.
fn credentials<'h>(headers: &'h HeaderMap, scheme: &str) -> Option<&'h str> {
    let mut all = headers.get_all(AUTHORIZATION).iter();
    let (Some(value), None) = (all.next(), all.next()) else { return None };
    let (given, rest) = value.to_str().ok().filter(|v| v.len() <= MAX_HEADER)?.split_once(' ')?;
    given.eq_ignore_ascii_case(scheme).then(|| rest.trim())
}

/// JSON, as its media type or one built on it. What a browser may send without asking first is none of these.
#[must_use]
pub fn is_json(headers: &HeaderMap) -> bool {
    headers.get(CONTENT_TYPE).and_then(|v| v.to_str().ok()).is_some_and(|v| {
        let media = v.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        media == "application/json" || (media.starts_with("application/") && media.ends_with("+json"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::secret::Secret;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        let mut map = HeaderMap::new();
        for (name, value) in pairs {
            map.append(*name, value.parse().unwrap());
        }
        map
    }

    #[test]
    fn either_of_two_tokens_opens_and_nothing_else_does() {
        let guard = Guard::new(&Auth::Bearer(vec![Secret::new("new"), Secret::new("old")])).unwrap();
        for good in ["Bearer new", "bearer old", "BEARER  old"] {
            assert_eq!(guard.admit(&headers(&[("authorization", good)])), Ok(()), "{good}");
        }
        for bad in ["Bearer", "Bearer ", "Bearer ne", "Bearer neww", "Basic bmV3", "new", "Bearer new old"] {
            assert!(guard.admit(&headers(&[("authorization", bad)])).is_err(), "{bad}");
        }
        assert!(guard.admit(&headers(&[])).is_err());
        assert!(guard.admit(&headers(&[("authorization", "Bearer new"), ("authorization", "Bearer new")])).is_err());
    }

    #[test]
    fn an_empty_secret_opens_nothing() {
        let guard = Guard::new(&Auth::Bearer(vec![Secret::new("")])).unwrap();
        assert!(guard.admit(&headers(&[("authorization", "Bearer ")])).is_err());
        let none = Guard::new(&Auth::Bearer(vec![])).unwrap();
        assert!(none.admit(&headers(&[("authorization", "Bearer x")])).is_err());
    }

    #[test]
    fn basic_wants_user_and_password() {
        let guard =
            Guard::new(&Auth::Basic { user: "am".to_owned(), passwords: vec![Secret::new("p:w"), Secret::new("o")] })
                .unwrap();
        let basic = |text: &str| format!("Basic {}", STANDARD.encode(text));
        assert_eq!(guard.admit(&headers(&[("authorization", &basic("am:p:w"))])), Ok(()));
        assert_eq!(guard.admit(&headers(&[("authorization", &basic("am:o"))])), Ok(()));
        for bad in ["am:", ":o", "bm:o", "am:o2", "am"] {
            assert!(guard.admit(&headers(&[("authorization", &basic(bad))])).is_err(), "{bad}");
        }
        assert!(guard.admit(&headers(&[("authorization", "Basic !!!")])).is_err());
    }

    #[test]
    fn an_open_source_does_not_listen_to_web_pages() {
        let guard = Guard::new(&Auth::Open).unwrap();
        assert_eq!(guard.admit(&headers(&[])), Ok(()));
        assert_eq!(guard.admit(&headers(&[("origin", "https://evil.example")])), Err(Stranger::WebPage));
        assert_eq!(guard.admit(&headers(&[("sec-fetch-site", "cross-site")])), Err(Stranger::WebPage));
    }

    #[test]
    fn secrets_are_not_in_debug_output() {
        let auth = Auth::Bearer(vec![Secret::new("hunter2")]);
        assert!(!format!("{auth:?}{:?}", Guard::new(&auth).unwrap()).contains("hunter2"));
    }

    #[test]
    fn json_is_json_and_a_form_is_not() {
        for good in ["application/json", "Application/JSON; charset=utf-8", "application/vnd.am+json"] {
            assert!(is_json(&headers(&[("content-type", good)])), "{good}");
        }
        for bad in ["text/plain", "application/x-www-form-urlencoded", "", "text/plain; application/json"] {
            assert!(!is_json(&headers(&[("content-type", bad)])), "{bad}");
        }
        assert!(!is_json(&headers(&[])));
    }
}
