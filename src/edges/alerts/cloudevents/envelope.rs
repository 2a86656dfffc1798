//! The CloudEvents envelope: which mode it came in, its attributes, and the bytes of its data.
//!
//! Knows the specification; knows nothing of alerts.

use super::MAX_EVENTS;
use crate::edges::alerts::fields::{Word, json};
use crate::edges::alerts::{Setting, Unreadable};
use axum::http::HeaderMap;
use axum::http::header::CONTENT_TYPE;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde::de::{Deserializer, Error as _, SeqAccess, Visitor};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::fmt;

/// What the error says when there are more than [`MAX_EVENTS`].
const TOO_MANY: &str = "too many events";
/// Bytes of an attribute in a header.
const MAX_ATTRIBUTE: usize = 2_048;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    Binary,
    Structured,
    Batch,
}

#[derive(Deserialize)]
pub struct Envelope<'a> {
    #[serde(borrow)]
    pub specversion: Option<Word<'a>>,
    #[serde(borrow)]
    pub id: Option<Word<'a>>,
    #[serde(borrow)]
    pub source: Option<Word<'a>>,
    #[serde(borrow, rename = "type")]
    pub kind: Option<Word<'a>>,
    #[serde(borrow)]
    pub subject: Option<Word<'a>>,
    #[serde(borrow)]
    pub time: Option<Word<'a>>,
    #[serde(borrow)]
    data: Option<&'a RawValue>,
    #[serde(borrow)]
    data_base64: Option<Word<'a>>,
    /// The body, in binary mode.
    #[serde(skip)]
    body: Option<&'a [u8]>,
}

impl Envelope<'_> {
    /// What it carries.
    ///
    /// # Errors
    /// `data_base64` is not base64.
    pub fn data(&self) -> Result<Cow<'_, [u8]>, String> {
        let plain = self.body.or(self.data.map(|data| data.get().as_bytes()));
        match (plain, &self.data_base64) {
            (Some(bytes), _) => Ok(Cow::Borrowed(bytes)),
            (None, Some(text)) => {
                STANDARD.decode(text.as_bytes()).map(Cow::Owned).map_err(|_| "its data_base64 is not base64".to_owned())
            }
            (None, None) => Ok(Cow::Borrowed(b"")),
        }
    }
}

/// As the media type says.
#[must_use]
pub fn mode(headers: &HeaderMap) -> Mode {
    let media = headers.get(CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
    let media = media.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    match media.as_str() {
        "application/cloudevents-batch+json" => Mode::Batch,
        "application/cloudevents+json" => Mode::Structured,
        // Without attributes in headers it can only be structured, whatever it calls itself.
        _ if !headers.contains_key("ce-specversion") => Mode::Structured,
        _ => Mode::Binary,
    }
}

/// # Errors
/// [`Unreadable`]
pub fn structured<'a>(setting: &Setting<'_>, bytes: &'a [u8]) -> Result<Envelope<'a>, Unreadable> {
    json(setting, bytes, "a CloudEvent")
}

/// # Errors
/// [`Unreadable`]
pub fn batch<'a>(setting: &Setting<'_>, bytes: &'a [u8]) -> Result<Vec<Envelope<'a>>, Unreadable> {
    match json::<Batch<'a>>(setting, bytes, "a batch of CloudEvents") {
        Ok(batch) => Ok(batch.0),
        Err(Unreadable::Malformed(why)) if why.contains(TOO_MANY) => {
            Err(Unreadable::TooLarge(format!("more than {MAX_EVENTS} events in one batch")))
        }
        Err(other) => Err(other),
    }
}

/// # Errors
/// [`Unreadable`]: an attribute's bytes are no text.
pub fn binary<'a>(headers: &HeaderMap, bytes: &'a [u8]) -> Result<Envelope<'a>, Unreadable> {
    let attribute = |name: &str| -> Result<Option<Word<'a>>, Unreadable> {
        let Some(value) = headers.get(name) else { return Ok(None) };
        let text = if value.len() > MAX_ATTRIBUTE { None } else { unescaped(value.as_bytes()) };
        let text =
            text.ok_or_else(|| Unreadable::Malformed(format!("the header {name} is not percent-encoded UTF-8")))?;
        Ok(Some(Word::from(text)))
    };
    Ok(Envelope {
        specversion: attribute("ce-specversion")?,
        id: attribute("ce-id")?,
        source: attribute("ce-source")?,
        kind: attribute("ce-type")?,
        subject: attribute("ce-subject")?,
        time: attribute("ce-time")?,
        data: None,
        data_base64: None,
        body: Some(bytes),
    })
}

/// The text a header stands for: quotes taken off, then one round of percent-decoding (HTTP binding, 3.1.3.2).
fn unescaped(value: &[u8]) -> Option<String> {
    let quoted = value.strip_prefix(b"\"").and_then(|rest| rest.strip_suffix(b"\""));
    let mut plain = Vec::with_capacity(value.len());
    let mut bytes = quoted.unwrap_or(value).iter();
    while let Some(byte) = bytes.next() {
        plain.push(match byte {
            b'\\' if quoted.is_some() => *bytes.next()?,
            b'%' => {
                let hex = [*bytes.next()?, *bytes.next()?];
                u8::from_str_radix(std::str::from_utf8(&hex).ok().filter(|h| !h.starts_with('+'))?, 16).ok()?
            }
            byte => *byte,
        });
    }
    String::from_utf8(plain).ok()
}

struct Batch<'a>(Vec<Envelope<'a>>);

impl<'de: 'a, 'a> Deserialize<'de> for Batch<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Read;
        impl<'de> Visitor<'de> for Read {
            type Value = Batch<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of events")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Batch<'de>, A::Error> {
                let mut events = Vec::new();
                while let Some(event) = seq.next_element()? {
                    if events.len() == MAX_EVENTS {
                        return Err(A::Error::custom(TOO_MANY));
                    }
                    events.push(event);
                }
                Ok(Batch(events))
            }
        }
        deserializer.deserialize_seq(Read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_decoded_once() {
        assert_eq!(unescaped(b"Euro%20%E2%82%AC%20%f0%9f%98%80").as_deref(), Some("Euro € 😀"));
        assert_eq!(unescaped(b"%2541").as_deref(), Some("%41"));
        assert_eq!(unescaped(br#""a \"b\" %41""#).as_deref(), Some("a \"b\" A"));
        for bad in [&b"%C0%A0"[..], b"%", b"%4", b"%zz", b"%+4", b"\xff"] {
            assert_eq!(unescaped(bad), None, "{bad:?}");
        }
    }
}
