//! Fields of vendors' JSON, read without copying where it can be, never more of them than the bounds allow. What no kind asks
//! for is skipped, so that a vendor's next version is understood as well.
//!
//! Knows JSON; knows no vendor.

use super::{Setting, Unreadable};
use serde::Deserialize;
use serde::de::{Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;
use std::ops::Deref;

/// Entries looked at in one list or table of texts; the rest is skipped.
pub const MAX_LOOKED_AT: usize = 1_024;

/// A text. A number or a boolean is one, too: what fills in a template decides whether there are quotes around it.
#[derive(Debug)]
pub struct Word<'a>(Cow<'a, str>);

/// Texts by name. What is neither text, number nor boolean is skipped.
#[derive(Debug, Default)]
pub struct Pairs<'a>(Vec<(Word<'a>, Word<'a>)>);

/// Texts in a row, or one text alone.
#[derive(Debug, Default)]
pub struct Words<'a>(Vec<Word<'a>>);

/// Things in a row; `null` among them is none.
#[derive(Debug)]
pub struct Several<T>(pub Vec<T>);

/// A text or something that is none.
enum Perhaps<'a> {
    Word(Word<'a>),
    Other,
}

/// JSON of this shape, or why it is not, in words for whoever set up the sender.
///
/// # Errors
/// [`Unreadable::Malformed`]
pub fn json<'a, T: Deserialize<'a>>(setting: &Setting<'_>, bytes: &'a [u8], what: &str) -> Result<T, Unreadable> {
    serde_json::from_slice(bytes).map_err(|error| {
        let (row, column) = (error.line(), error.column());
        Unreadable::Malformed(if error.is_eof() {
            format!("the JSON ends too early, at line {row} column {column}")
        } else {
            format!("not {what}: {}", setting.line(&error.to_string(), 200))
        })
    })
}

/// A text that says something: not empty, not the variable of a template that nobody filled in.
#[must_use]
pub fn given<'w>(word: Option<&'w Word<'_>>) -> Option<&'w str> {
    let text = word?.trim();
    let unfilled = text.starts_with('$') || (text.starts_with('{') && text.ends_with('}')) || text == "*UNKNOWN*";
    (!text.is_empty() && !unfilled && text != "null").then_some(text)
}

impl From<String> for Word<'_> {
    fn from(text: String) -> Self {
        Self(Cow::Owned(text))
    }
}

impl Deref for Word<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl Pairs<'_> {
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (&**name, &**value))
    }

    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.iter().find(|(n, value)| *n == name && !value.trim().is_empty()).map(|(_, value)| value)
    }
}

impl Words<'_> {
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|word| &**word)
    }

    /// The first that says something.
    #[must_use]
    pub fn first(&self) -> Option<&str> {
        self.0.iter().find_map(|word| given(Some(word)))
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Word<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Perhaps::deserialize(deserializer)? {
            Perhaps::Word(word) => Ok(word),
            Perhaps::Other => Err(D::Error::custom("a text is expected here")),
        }
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Perhaps<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Read;
        impl<'de> Visitor<'de> for Read {
            type Value = Perhaps<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("anything")
            }

            fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Perhaps<'de>, E> {
                Ok(Perhaps::Word(Word(Cow::Borrowed(text))))
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Perhaps<'de>, E> {
                Ok(Perhaps::Word(Word(Cow::Owned(text.to_owned()))))
            }

            fn visit_i64<E: Error>(self, number: i64) -> Result<Perhaps<'de>, E> {
                Ok(Perhaps::Word(Word(Cow::Owned(number.to_string()))))
            }

            fn visit_u64<E: Error>(self, number: u64) -> Result<Perhaps<'de>, E> {
                Ok(Perhaps::Word(Word(Cow::Owned(number.to_string()))))
            }

            fn visit_f64<E: Error>(self, number: f64) -> Result<Perhaps<'de>, E> {
                Ok(Perhaps::Word(Word(Cow::Owned(number.to_string()))))
            }

            fn visit_bool<E: Error>(self, truth: bool) -> Result<Perhaps<'de>, E> {
                Ok(Perhaps::Word(Word(Cow::Borrowed(if truth { "true" } else { "false" }))))
            }

            fn visit_unit<E: Error>(self) -> Result<Perhaps<'de>, E> {
                Ok(Perhaps::Other)
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Perhaps<'de>, A::Error> {
                while seq.next_element::<IgnoredAny>()?.is_some() {}
                Ok(Perhaps::Other)
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Perhaps<'de>, A::Error> {
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(Perhaps::Other)
            }
        }
        deserializer.deserialize_any(Read)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Pairs<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Read;
        impl<'de> Visitor<'de> for Read {
            type Value = Pairs<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a table of texts")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Pairs<'de>, A::Error> {
                let mut kept = Vec::new();
                while kept.len() < MAX_LOOKED_AT {
                    match map.next_entry::<Word<'de>, Perhaps<'de>>()? {
                        Some((name, Perhaps::Word(value))) => kept.push((name, value)),
                        Some((_, Perhaps::Other)) => {}
                        None => return Ok(Pairs(kept)),
                    }
                }
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(Pairs(kept))
            }
        }
        deserializer.deserialize_map(Read)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Several<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Read<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Read<T> {
            type Value = Several<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Several<T>, A::Error> {
                let mut kept = Vec::new();
                while kept.len() < MAX_LOOKED_AT {
                    match seq.next_element::<Option<T>>()? {
                        Some(Some(thing)) => kept.push(thing),
                        Some(None) => {}
                        None => return Ok(Several(kept)),
                    }
                }
                while seq.next_element::<IgnoredAny>()?.is_some() {}
                Ok(Several(kept))
            }
        }
        deserializer.deserialize_seq(Read(PhantomData))
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Words<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Read;
        impl<'de> Visitor<'de> for Read {
            type Value = Words<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of texts")
            }

            fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Words<'de>, E> {
                Ok(Words(vec![Word(Cow::Borrowed(text))]))
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Words<'de>, E> {
                Ok(Words(vec![Word(Cow::Owned(text.to_owned()))]))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Words<'de>, A::Error> {
                let mut kept = Vec::new();
                while kept.len() < MAX_LOOKED_AT {
                    match seq.next_element::<Perhaps<'de>>()? {
                        Some(Perhaps::Word(word)) => kept.push(word),
                        Some(Perhaps::Other) => {}
                        None => return Ok(Words(kept)),
                    }
                }
                while seq.next_element::<IgnoredAny>()?.is_some() {}
                Ok(Words(kept))
            }
        }
        deserializer.deserialize_any(Read)
    }
}
