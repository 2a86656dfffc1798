//! The webhook's body as it is written on the wire, read without copying and never more of it than the bounds allow.
//!
//! Unknown fields are skipped, so that newer versions of Alertmanager are understood (`notification_reason` is one).

use super::MAX_ALERTS;
use serde::Deserialize;
use serde::de::{Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;
use std::ops::Deref;

/// What the error says when there are more than [`MAX_ALERTS`].
pub const TOO_MANY: &str = "too many alerts";
/// Labels or annotations looked at in one alert; the rest is skipped, and counted as cut.
pub const MAX_LOOKED_AT: usize = 1_024;

#[derive(Deserialize)]
pub struct Body<'a> {
    #[serde(borrow)]
    pub version: Option<Text<'a>>,
    #[serde(borrow)]
    pub status: Option<Text<'a>>,
    #[serde(borrow, rename = "groupKey")]
    pub group: Option<Text<'a>>,
    #[serde(borrow, default, deserialize_with = "alerts")]
    pub alerts: Option<Vec<RawAlert<'a>>>,
    #[serde(rename = "truncatedAlerts")]
    pub truncated: Option<u64>,
    #[serde(borrow, rename = "externalURL")]
    pub external: Option<Text<'a>>,
}

#[derive(Deserialize)]
pub struct RawAlert<'a> {
    #[serde(borrow)]
    pub status: Option<Text<'a>>,
    #[serde(borrow)]
    labels: Option<Pairs<'a>>,
    #[serde(borrow)]
    annotations: Option<Pairs<'a>>,
    #[serde(borrow, rename = "startsAt")]
    pub starts: Option<Text<'a>>,
    #[serde(borrow, rename = "endsAt")]
    pub ends: Option<Text<'a>>,
    #[serde(borrow, rename = "generatorURL")]
    pub generator: Option<Text<'a>>,
    #[serde(borrow, rename = "dashboardURL")]
    pub dashboard: Option<Text<'a>>,
    #[serde(borrow, rename = "panelURL")]
    pub panel: Option<Text<'a>>,
    #[serde(borrow)]
    pub fingerprint: Option<Text<'a>>,
}

struct Pairs<'a> {
    kept: Vec<(Text<'a>, Text<'a>)>,
    skipped: bool,
}

/// A string that borrows where it can (a bare `Cow` within another type would always copy).
#[derive(Deserialize)]
pub struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

impl Deref for Text<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl RawAlert<'_> {
    pub fn labels(&self) -> Vec<(&str, &str)> {
        pairs(self.labels.as_ref())
    }

    pub fn annotations(&self) -> Vec<(&str, &str)> {
        pairs(self.annotations.as_ref())
    }

    pub fn pairs_skipped(&self) -> bool {
        [&self.labels, &self.annotations].into_iter().flatten().any(|p| p.skipped)
    }
}

fn pairs<'a>(pairs: Option<&'a Pairs<'_>>) -> Vec<(&'a str, &'a str)> {
    pairs.map(|p| p.kept.iter().map(|(k, v)| (&**k, &**v)).collect()).unwrap_or_default()
}

impl<'de: 'a, 'a> Deserialize<'de> for Pairs<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Read<'a>(PhantomData<&'a ()>);
        impl<'de: 'a, 'a> Visitor<'de> for Read<'a> {
            type Value = Pairs<'a>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of strings")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Pairs<'a>, A::Error> {
                let mut kept = Vec::new();
                while kept.len() < MAX_LOOKED_AT {
                    let Some(pair) = map.next_entry()? else {
                        return Ok(Pairs { kept, skipped: false });
                    };
                    kept.push(pair);
                }
                let mut skipped = false;
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {
                    skipped = true;
                }
                Ok(Pairs { kept, skipped })
            }
        }
        deserializer.deserialize_map(Read(PhantomData))
    }
}

fn alerts<'de: 'a, 'a, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Vec<RawAlert<'a>>>, D::Error> {
    struct Read<'a>(PhantomData<&'a ()>);
    impl<'de: 'a, 'a> Visitor<'de> for Read<'a> {
        type Value = Option<Vec<RawAlert<'a>>>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an array of alerts")
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
            let mut alerts = Vec::new();
            while let Some(alert) = seq.next_element()? {
                if alerts.len() == MAX_ALERTS {
                    return Err(A::Error::custom(TOO_MANY));
                }
                alerts.push(alert);
            }
            Ok(Some(alerts))
        }
    }
    deserializer.deserialize_seq(Read(PhantomData))
}
