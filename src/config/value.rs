//! Values people write: durations, moments, one thing or a list of it. Knows nothing of what they are for.

use crate::flow::moment::{At, DAY, HOUR, MINUTE, SECOND};
use serde::Deserialize;
use serde::de::value::SeqAccessDeserializer;
use serde::de::{Deserializer, Error, IntoDeserializer, SeqAccess, Unexpected, Visitor};
use std::fmt;
use std::marker::PhantomData;

/// Longest duration anybody means.
const MAX_DURATION: i64 = 366 * DAY;
/// Longest time anything is kept for that is not kept for ever.
const MAX_AGE: i64 = 20 * 366 * DAY;

/// `45s`, `30m`, `2h`, `1d`, or several: `1h30m`. More than nothing, at most a year. Milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Duration(pub i64);

impl Duration {
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::within(text, MAX_DURATION)
    }

    fn within(text: &str, most: i64) -> Option<Self> {
        let mut rest = text.trim();
        let mut total = 0_i64;
        while !rest.is_empty() {
            let digits = rest.find(|c: char| !c.is_ascii_digit())?;
            let (number, unit) = rest.split_at(digits);
            let number: i64 = number.parse().ok()?;
            let (size, length) = if unit.starts_with("ms") {
                (1, 2)
            } else {
                (
                    match unit.chars().next()? {
                        's' => SECOND,
                        'm' => MINUTE,
                        'h' => HOUR,
                        'd' => DAY,
                        _ => return None,
                    },
                    1,
                )
            };
            total = total.checked_add(number.checked_mul(size)?)?;
            rest = unit.get(length..)?.trim_start();
        }
        (1..=most).contains(&total).then_some(Self(total))
    }
}

impl<'de> Deserialize<'de> for Duration {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| {
            D::Error::custom(
                "this is not a duration: write a number and s, m, h or d, such as \"90s\" or \"1h30m\", at most a year",
            )
        })
    }
}

/// How long something is kept: a duration of up to twenty years. Milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Age(pub i64);

impl Age {
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Duration::within(text, MAX_AGE).map(|Duration(ms)| Self(ms))
    }
}

impl<'de> Deserialize<'de> for Age {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let wrong = || D::Error::custom("this is not a time to keep something: write it like \"400d\"");
        Self::parse(&text).ok_or_else(wrong)
    }
}

/// A moment with its offset: `2026-11-20T10:00:00Z`, as text or as TOML's own date-time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment(pub At);

impl<'de> Deserialize<'de> for Moment {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = match toml::Value::deserialize(deserializer)? {
            toml::Value::Datetime(at) => at.to_string(),
            toml::Value::String(text) => text,
            _ => String::new(),
        };
        text.parse::<jiff::Timestamp>().map(|at| Self(At(at.as_millisecond()))).map_err(|_| {
            D::Error::custom(
                "this is not a moment with its offset: write it like 2026-11-20T10:00:00Z or 2026-11-20T11:00:00+01:00",
            )
        })
    }
}

/// `"a"` or `["a", "b"]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OneOrMany<T>(pub Vec<T>);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for OneOrMany<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Read<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Read<T> {
            type Value = OneOrMany<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("one value or a list of them")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
                Ok(OneOrMany(vec![T::deserialize(text.into_deserializer())?]))
            }

            fn visit_i64<E: Error>(self, number: i64) -> Result<Self::Value, E> {
                Ok(OneOrMany(vec![T::deserialize(number.into_deserializer())?]))
            }

            fn visit_bool<E: Error>(self, value: bool) -> Result<Self::Value, E> {
                Err(E::invalid_type(Unexpected::Bool(value), &self))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Self::Value, A::Error> {
                Vec::deserialize(SeqAccessDeserializer::new(seq)).map(OneOrMany)
            }
        }
        deserializer.deserialize_any(Read(PhantomData))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_as_people_write_them() {
        for (text, ms) in [
            ("45s", 45_000),
            ("30m", 1_800_000),
            ("1h30m", 5_400_000),
            ("2d", 172_800_000),
            (" 1h 5m ", 3_900_000),
            ("250ms", 250),
        ] {
            assert_eq!(Duration::parse(text), Some(Duration(ms)), "{text}");
        }
        for text in ["", "0s", "5", "m", "-5m", "5 minutes", "5y", "400d", "99999999999999999999d", "1.5h", "5mé"] {
            assert_eq!(Duration::parse(text), None, "{text}");
        }
    }
}
