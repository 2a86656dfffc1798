//! An incident as the model sees it: hashed features for the linear model, and the keys that remember who had them.
//!
//! Only what is known when it opens. Knows nothing of classes.

use crate::tokenize::{TEXT_BYTES, TITLE_BYTES, clip, label_terms, words};
use std::collections::{BTreeMap, BTreeSet};

/// Words of the text that are read: an opening post says its subject early (200 gave nothing more on four histories).
const TEXT_WORDS: usize = 100;
/// Labels that are paired with each other.
const PAIRED: usize = 12;
/// Keys of one incident: labels first, then what its title begins with.
pub(crate) const KEYS: usize = 32;
/// Columns in which keys keep their weights, by the hash of their name: a shared column costs sharpness, not truth.
pub(crate) const KEY_COLUMNS: u64 = 128;

/// Weights of the kinds of features before the linear model learns.
const TITLE: f32 = 2.0;
const TITLE_PAIR: f32 = 1.4;
const TEXT: f32 = 1.0;
const LABEL: f32 = 2.0;
const LABEL_PAIR: f32 = 1.0;
const SERVICE_WORD: f32 = 1.0;

/// One thing about an incident under which it is remembered who solved those that had it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Key {
    /// For people: `label service`, `title`, `first words`.
    pub name: String,
    /// Below [`KEY_COLUMNS`].
    pub column: u16,
    /// Hash of name and value.
    pub value: u64,
}

/// What is known of an incident when it opens.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Input {
    /// Hash and value, each hash once.
    pub features: Vec<(u64, f32)>,
    pub keys: Vec<Key>,
}

impl Input {
    pub fn of(title: &str, text: &str, labels: &BTreeMap<String, String>, service: Option<&str>) -> Self {
        let said = |text, bytes| words(clip(text, bytes)).into_iter().map(|word| word.text);
        let title: Vec<String> = said(title, TITLE_BYTES).collect();
        let text: Vec<String> = said(text, TEXT_BYTES).take(TEXT_WORDS).collect();
        let labels = label_terms(labels, service);
        let service = labels.iter().find(|label| label.starts_with("service="));
        Self { features: features(&title, &text, &labels, service), keys: keys(&title, &labels) }
    }
}

fn features(title: &[String], text: &[String], labels: &[String], service: Option<&String>) -> Vec<(u64, f32)> {
    let mut all = Features::default();
    all.add(hash(&["bias"]), 1.0);
    // A long text says no more than a short one: each kind has one length, whatever it is made of.
    let length = |n: usize| (n.max(1) as f32).sqrt();
    let of_title = length(title.len());
    for word in title {
        all.add(hash(&["w", word]), TITLE / of_title);
    }
    for pair in title.windows(2) {
        if let [first, second] = pair {
            all.add(hash(&["b", first, second]), TITLE_PAIR / of_title);
        }
    }
    let of_text = length(text.iter().collect::<BTreeSet<_>>().len());
    for word in text {
        all.add(hash(&["w", word]), TEXT / of_text);
    }
    for label in labels {
        all.add(hash(&["l", label]), LABEL / length(labels.len()));
    }
    let paired = labels.len().min(PAIRED);
    let of_pairs = length(paired * paired.saturating_sub(1) / 2);
    for (i, second) in labels.iter().take(PAIRED).enumerate() {
        for first in labels.iter().take(i) {
            all.add(hash(&["p", first, second]), LABEL_PAIR / of_pairs);
        }
    }
    for word in service.into_iter().flat_map(|_| title) {
        all.add(hash(&["s", service.map_or("", String::as_str), word]), SERVICE_WORD / of_title);
    }
    all.found
}

#[derive(Default)]
struct Features {
    found: Vec<(u64, f32)>,
    seen: BTreeSet<u64>,
}

impl Features {
    fn add(&mut self, hash: u64, value: f32) {
        if self.seen.insert(hash) {
            self.found.push((hash, value));
        }
    }
}

fn keys(title: &[String], labels: &[String]) -> Vec<Key> {
    let mut all: Vec<Key> = Vec::new();
    let mut add = |name: String, value: &[&str]| {
        let named = hash(&[&name]);
        let mut parts = vec![name.as_str()];
        parts.extend(value);
        let value = hash(&parts);
        let column = u16::try_from(named % KEY_COLUMNS).unwrap_or(0);
        if all.len() < KEYS && !all.iter().any(|key| key.value == value) {
            all.push(Key { name, column, value });
        }
    };
    let key = |label: &str| label.split_once('=').map_or(String::new(), |(key, _)| key.to_owned());
    // A title without its numbers is what its template says.
    let template: Vec<&str> =
        title.iter().map(String::as_str).filter(|w| !w.bytes().any(|b| b.is_ascii_digit())).collect();
    let whole: Vec<&str> = labels.iter().map(String::as_str).collect();
    add("all labels".into(), &whole);
    add("title".into(), &template);
    for (name, n) in [("first word", 1), ("first two words", 2), ("first three words", 3)] {
        if let Some(first) = template.get(..n) {
            add(name.into(), first);
        }
    }
    for label in labels {
        add(format!("label {}", key(label)), &[label]);
    }
    all
}

/// FNV-1a over the parts, each closed by a unit separator; folded, since the low bits of FNV are weak.
pub(crate) fn hash(parts: &[&str]) -> u64 {
    let bytes = parts.iter().flat_map(|part| part.bytes().chain([31]));
    let hash = bytes.fold(0xcbf2_9ce4_8422_2325_u64, |h, b| (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3));
    hash ^ (hash >> 29)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn input(title: &str) -> Input {
        Input::of(title, "it is slow", &BTreeMap::from([("env".into(), "prod".into())]), Some("shop"))
    }

    #[test]
    fn numbers_in_a_title_do_not_hide_its_template() {
        let value = |input: &Input, name: &str| input.keys.iter().find(|k| k.name == name).map(|k| k.value);
        let (a, b) = (input("node 17 is down"), input("node 4 is down"));
        assert_eq!(value(&a, "title"), value(&b, "title"));
        assert_ne!(value(&a, "title"), value(&input("node is up"), "title"));
        assert!(value(&a, "label service").is_some() && value(&a, "first two words").is_some());
        assert_ne!(a.features, b.features);
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_bounded_and_each_feature_is_there_once(title in "\\PC{0,300}", text in "\\PC{0,900}") {
            let input = Input::of(&title, &text, &BTreeMap::new(), None);
            let hashes: BTreeSet<u64> = input.features.iter().map(|(h, _)| *h).collect();
            proptest::prop_assert_eq!(hashes.len(), input.features.len());
            proptest::prop_assert!(input.keys.len() <= KEYS);
            proptest::prop_assert!(input.features.iter().all(|(_, v)| v.is_finite() && *v > 0.0));
        }
    }
}
