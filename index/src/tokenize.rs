//! Text and labels into terms, the same way for the stored index, the unflushed tail and every question.
//!
//! Knows nothing of tantivy, of weights, or of what a term is worth.

use crate::case::{Case, Probe};
use std::collections::BTreeMap;

/// Bytes of a title that are read. Chat platforms and trackers cut titles at 250 to 300 characters.
pub const TITLE_BYTES: usize = 512;
/// Bytes of a text that are read: the 99th percentile of issue-tracker descriptions is under 3 KiB, and a stack
/// trace's first screen tells more than its last.
pub const TEXT_BYTES: usize = 8 * 1024;
/// Words read from one text. With [`TEXT_BYTES`] this bounds the cost of one case, whatever it is made of.
pub const WORDS: usize = 1_000;
/// Bytes of a word; longer runs are encoded data, not language.
pub const WORD_BYTES: usize = 40;
/// Labels read from one case: Alertmanager payloads carry 5 to 20.
pub const LABELS: usize = 64;
/// Bytes of a `key=value` term.
pub const LABEL_BYTES: usize = 200;
/// Items read from a label that holds a list (`1.7.5, 2.1.0`).
pub const LABEL_ITEMS: usize = 8;
/// A word of the title counts as this many words of the text.
pub const TITLE_BOOST: u32 = 3;

/// Words that carry no subject, in the two languages the product speaks. Common words of other languages, and of the
/// team's own jargon, lose their weight through their frequency.
const SILENT: &[&str] = &[
    "a", "al", "an", "and", "are", "as", "at", "be", "but", "by", "con", "de", "del", "do", "does", "el", "en", "es",
    "for", "from", "had", "has", "have", "he", "i", "if", "in", "into", "is", "it", "its", "la", "las", "los", "me",
    "my", "o", "of", "on", "or", "our", "para", "pero", "please", "por", "que", "se", "she", "so", "su", "than",
    "that", "the", "their", "them", "then", "there", "these", "they", "this", "to", "un", "una", "was", "we", "were",
    "which", "will", "with", "would", "y", "you", "your",
];

/// A word with the bytes it came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Word {
    /// Lower case.
    pub text: String,
    pub start: usize,
    pub end: usize,
}

/// What one case says, in terms.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Terms {
    /// Word -> count, a word of the title counting [`TITLE_BOOST`].
    pub words: BTreeMap<String, u32>,
    /// `key=value`, lower case, without repeats.
    pub labels: Vec<String>,
    /// Words of what came out of it and of where it was: cause, resolution, responders, service, label values.
    pub about: BTreeMap<String, u32>,
}

impl Terms {
    /// Of a past incident.
    #[must_use]
    pub fn of_case(case: &Case) -> Self {
        let mut about = BTreeMap::new();
        let said = [&case.cause, &case.resolution, &case.service];
        let said = said.into_iter().flatten().chain(&case.responders).chain(case.labels.values().take(LABELS));
        for text in said {
            count(&mut about, clip(text, TITLE_BYTES), 1);
        }
        Self {
            words: body_words(&case.title, &case.text),
            labels: label_terms(&case.labels, case.service.as_deref()),
            about,
        }
    }

    /// Of the incident at hand, whose outcome nobody knows yet.
    #[must_use]
    pub fn of_probe(probe: &Probe) -> Self {
        Self {
            words: body_words(&probe.title, &probe.text),
            labels: label_terms(&probe.labels, probe.service.as_deref()),
            about: BTreeMap::new(),
        }
    }

    /// Length in words, the title counted with its boost.
    #[must_use]
    pub fn length(&self) -> u32 {
        self.words.values().fold(0, |sum, n| sum.saturating_add(*n))
    }
}

/// The longest prefix of at most `bytes` bytes that ends between characters.
#[must_use]
pub fn clip(text: &str, bytes: usize) -> &str {
    text.get(..text.floor_char_boundary(bytes)).unwrap_or(text)
}

/// Words of a text in order, at most [`WORDS`]: runs of letters and digits of any script, lower case; silent words and
/// encoded runs are left out.
pub fn words(text: &str) -> impl Iterator<Item = Word> + '_ {
    let mut rest = text.char_indices().peekable();
    std::iter::from_fn(move || {
        loop {
            let (start, _) = rest.find(|(_, c)| c.is_alphanumeric())?;
            let mut end = text.len();
            while let Some((at, c)) = rest.peek() {
                if !c.is_alphanumeric() {
                    end = *at;
                    break;
                }
                rest.next();
            }
            let word = text.get(start..end)?;
            if word.len() > WORD_BYTES {
                continue;
            }
            let lower = word.to_lowercase();
            if lower.len() <= WORD_BYTES && SILENT.binary_search(&lower.as_str()).is_err() {
                return Some(Word { text: lower, start, end });
            }
        }
    })
    .take(WORDS)
}

/// `key=value` terms of labels and service. A list in a label (`a, b`) gives a term for each item, so that two
/// incidents which share one of several affected versions are alike.
#[must_use]
pub fn label_terms(labels: &BTreeMap<String, String>, service: Option<&str>) -> Vec<String> {
    let service = service.map(|s| ("service", s));
    let pairs = labels.iter().map(|(k, v)| (k.as_str(), v.as_str())).take(LABELS).chain(service);
    let mut terms: Vec<String> = pairs
        .flat_map(|(key, value)| value.split(", ").take(LABEL_ITEMS).filter_map(|item| label(key, item)))
        .collect();
    terms.sort();
    terms.dedup();
    terms
}

/// One `key=value` term, or none if there is no value.
#[must_use]
pub fn label(key: &str, value: &str) -> Option<String> {
    let (key, value) = (key.trim(), value.trim());
    if key.is_empty() || value.is_empty() {
        return None;
    }
    let term = format!("{}={}", clip(key, LABEL_BYTES), clip(value, LABEL_BYTES)).to_lowercase();
    Some(clip(&term, LABEL_BYTES).to_owned())
}

fn body_words(title: &str, text: &str) -> BTreeMap<String, u32> {
    let mut counts = BTreeMap::new();
    count(&mut counts, clip(title, TITLE_BYTES), TITLE_BOOST);
    count(&mut counts, clip(text, TEXT_BYTES), 1);
    counts
}

fn count(counts: &mut BTreeMap<String, u32>, text: &str, each: u32) {
    for word in words(text) {
        *counts.entry(word.text).or_default() += each;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(text: &str) -> Vec<String> {
        words(text).map(|w| w.text).collect()
    }

    #[test]
    fn the_silent_list_is_sorted_for_binary_search() {
        assert!(SILENT.is_sorted());
    }

    #[test]
    fn words_are_runs_of_letters_and_digits_of_any_script() {
        assert_eq!(
            said("The HikariPool-1 is exhausted: 0x80004005 (Größe, 連接)"),
            ["hikaripool", "1", "exhausted", "0x80004005", "größe", "連接"]
        );
    }

    #[test]
    fn encoded_runs_are_left_out_and_the_count_is_bounded() {
        assert_eq!(said(&format!("{} pool", "A".repeat(WORD_BYTES + 1))), ["pool"]);
        assert_eq!(words(&"disk ".repeat(WORDS * 2)).count(), WORDS);
    }

    #[test]
    fn word_spans_point_into_the_text() {
        let text = "¿Está caído el POOL?";
        assert!(words(text).all(|w| text[w.start..w.end].to_lowercase() == w.text));
    }

    #[test]
    fn labels_become_lower_case_pairs_and_lists_are_split() {
        let labels = [("affects", "Release 1.7.5, Release 2.1.0"), ("env", " Prod "), ("gone", " ")];
        let labels = labels.map(|(k, v)| (k.to_owned(), v.to_owned())).into();
        assert_eq!(
            label_terms(&labels, Some("Checkout")),
            ["affects=release 1.7.5", "affects=release 2.1.0", "env=prod", "service=checkout"]
        );
    }
}
