//! Who may speak for a source: a header against the secrets set up for it, or the signature of what was sent; in constant time.
//!
//! Looks at headers before a byte of the body is read, and at a signature before a byte of it is understood (I22).

use super::signature::Signing;
use crate::config::source::Auth;
use crate::flow::moment::At;
use axum::http::HeaderName;
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
    /// A header that carries nothing but the secret.
    Header(HeaderName, Vec<hmac::Tag>),
    Signed(Signing, Vec<hmac::Key>),
    /// The body proves it, in a way that takes asking: whoever made this guard looks at it with `sns`.
    Elsewhere,
    /// No way to prove anything: the configuration was refused, or should have been.
    Shut,
}

/// How far a request got with its headers alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admitted {
    Known,
    /// It carries a signature; [`Guard::verify`] says whether it is one of this body.
    IfSigned,
}

/// Why somebody is not let in. Nothing tells how near they were.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stranger {
    /// Missing or wrong credentials; the challenge to answer with.
    Unproven(&'static str),
    /// Signed too long ago or too far ahead: sent again by somebody else, or a clock is wrong.
    OutOfTime(&'static str),
    /// A web page that talks to a source which asks for no proof.
    WebPage,
}

/// What a 401 asks for where a header of the sender's own is expected (RFC 9110 wants a challenge in every 401).
const SIGNATURE: &str = "Signature";
const TOKEN: &str = "Token";

impl Stranger {
    /// For the operator.
    #[must_use]
    pub const fn why(self) -> &'static str {
        match self {
            Self::Unproven(_) => "not authenticated",
            Self::OutOfTime(_) => "signed at another time than now: a replay, or one of the two clocks is wrong",
            Self::WebPage => "a web page, and the source asks for no proof",
        }
    }
}

impl Guard {
    /// # Errors
    /// The operating system has no randomness to give.
    pub fn new(auth: &Auth, signing: Option<Signing>) -> Result<Self, ring::error::Unspecified> {
        let key = hmac::Key::generate(hmac::HMAC_SHA256, &ring::rand::SystemRandom::new())?;
        let tag = |value: &str| hmac::sign(&key, value.as_bytes());
        let scheme = match auth {
            Auth::Open => Scheme::Open,
            Auth::Bearer(tokens) => Scheme::Bearer(tokens.iter().map(|t| tag(t.expose())).collect()),
            Auth::Basic { user, passwords } => {
                Scheme::Basic(passwords.iter().map(|p| tag(&format!("{user}:{}", p.expose()))).collect())
            }
            Auth::Header { name, values } => HeaderName::from_bytes(name.as_bytes())
                .map_or(Scheme::Shut, |name| Scheme::Header(name, values.iter().map(|v| tag(v.expose())).collect())),
            Auth::Sns(_) => Scheme::Elsewhere,
            Auth::Signed(secrets) => signing.map_or(Scheme::Shut, |signing| {
                let real = secrets.iter().map(|s| s.expose().as_bytes()).filter(|s| !s.is_empty());
                Scheme::Signed(signing, real.map(|s| hmac::Key::new(hmac::HMAC_SHA256, s)).collect())
            }),
        };
        Ok(Self { key, scheme })
    }

    /// What the headers say.
    ///
    /// # Errors
    /// [`Stranger`]: nothing may happen on behalf of this request.
    pub fn admit(&self, headers: &HeaderMap, now: At) -> Result<Admitted, Stranger> {
        match &self.scheme {
            // A page in the operator's browser reaches loopback too. Browsers name their origin on every POST, and ask
            // first before they send JSON; alert senders do neither.
            Scheme::Open if headers.contains_key(ORIGIN) || headers.contains_key("sec-fetch-site") => {
                Err(Stranger::WebPage)
            }
            Scheme::Open => Ok(Admitted::Known),
            Scheme::Bearer(tags) => {
                let given = credentials(headers, "bearer").map(|t| t.as_bytes().to_vec());
                self.compare(tags, given, "Bearer")
            }
            Scheme::Basic(tags) => {
                let given = credentials(headers, "basic").and_then(|t| STANDARD.decode(t).ok());
                self.compare(tags, given, "Basic realm=\"smokejumper\"")
            }
            Scheme::Header(name, tags) => {
                self.compare(tags, only(headers, name.as_str()).map(|v| v.as_bytes().to_vec()), TOKEN)
            }
            Scheme::Signed(signing, _) => match signing.claim(headers) {
                None => Err(Stranger::Unproven(SIGNATURE)),
                Some(claim) if !claim.is_of(now) => Err(Stranger::OutOfTime(SIGNATURE)),
                Some(_) => Ok(Admitted::IfSigned),
            },
            Scheme::Elsewhere => Ok(Admitted::IfSigned),
            Scheme::Shut => Err(Stranger::Unproven(TOKEN)),
        }
    }

    /// What the body adds to that, for who was admitted [`Admitted::IfSigned`].
    ///
    /// # Errors
    /// [`Stranger`]: it is not signed by who may.
    pub fn verify(&self, headers: &HeaderMap, body: &[u8]) -> Result<(), Stranger> {
        let Scheme::Signed(signing, keys) = &self.scheme else { return Ok(()) };
        let proven = signing.claim(headers).is_some_and(|claim| claim.proves(keys, body));
        if proven { Ok(()) } else { Err(Stranger::Unproven(SIGNATURE)) }
    }

    fn compare(
        &self,
        tags: &[hmac::Tag],
        given: Option<Vec<u8>>,
        challenge: &'static str,
    ) -> Result<Admitted, Stranger> {
        let given = given.unwrap_or_default();
        // No early way out: each secret is compared.
        let hits = tags.iter().filter(|tag| hmac::verify(&self.key, &given, tag.as_ref()).is_ok()).count();
        if hits > 0 && !given.is_empty() { Ok(Admitted::Known) } else { Err(Stranger::Unproven(challenge)) }
    }
}

impl fmt::Debug for Guard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.scheme {
            Scheme::Open => "Guard(open)",
            Scheme::Bearer(_) => "Guard(bearer)",
            Scheme::Basic(_) => "Guard(basic)",
            Scheme::Header(..) => "Guard(header)",
            Scheme::Signed(..) => "Guard(signed)",
            Scheme::Elsewhere => "Guard(elsewhere)",
            Scheme::Shut => "Guard(shut)",
        })
    }
}

/// What follows the scheme in the one `Authorization` header.
fn credentials<'h>(headers: &'h HeaderMap, scheme: &str) -> Option<&'h str> {
    let (given, rest) = only(headers, AUTHORIZATION.as_str())?.split_once(' ')?;
    given.eq_ignore_ascii_case(scheme).then(|| rest.trim())
}

/// The value of a header that is there once; two of them are none.
pub(super) fn only<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    let mut all = headers.get_all(name).iter();
    let (Some(value), None) = (all.next(), all.next()) else { return None };
    value.to_str().ok().filter(|v| v.len() <= MAX_HEADER)
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
mod tests;
