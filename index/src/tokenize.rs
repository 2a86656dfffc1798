//! Text and labels into terms, the same way for the stored index, the unflushed tail and every question.
//!
//! Knows nothing of weights, or of what a term is worth. Of tantivy it uses the stemmer.

use crate::case::{Case, Probe};
use std::collections::BTreeMap;
use tantivy::tokenizer::{Language, Stemmer, TextAnalyzer, TokenStream, WhitespaceTokenizer};

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
    /// Lower case, stemmed.
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
        for text in self::about(case) {
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

/// Terms of a text in order, at most [`WORDS`]: runs of letters and digits of any script, lower case, without English
/// inflection (Porter's algorithm; words of other languages lose at most an ending, the same one every time). A run in camel case, or of letters and digits, also gives its parts, since the same thing is called
/// `HikariPool` and "the pool". Silent words and encoded runs are left out.
#[must_use]
pub fn words(text: &str) -> Vec<Word> {
    let mut spans = Vec::new();
    // One stream for the whole text: a stemmer costs more to start than to run.
    let mut lines = String::new();
    for (start, run) in runs(text) {
        if spans.len() >= WORDS {
            break;
        }
        if run.len() > WORD_BYTES {
            continue;
        }
        let parts = parts(run);
        let inner = if parts.len() > 1 { parts } else { Vec::new() };
        for (offset, piece) in inner.into_iter().chain([(0, run)]) {
            let lower = piece.to_lowercase();
            if SILENT.binary_search(&lower.as_str()).is_err() {
                spans.push((start + offset, start + offset + piece.len()));
                lines.push_str(&lower);
                lines.push(' ');
            }
        }
    }
    let mut stemmer =
        TextAnalyzer::builder(WhitespaceTokenizer::default()).filter(Stemmer::new(Language::English)).build();
    let mut stems = stemmer.token_stream(&lines);
    let mut found = Vec::with_capacity(spans.len().min(WORDS));
    for (start, end) in spans.into_iter().take(WORDS) {
        if !stems.advance() {
            break;
        }
        found.push(Word { text: stems.token().text.clone(), start, end });
    }
    found
}

/// Runs of letters and digits, with where they start.
fn runs(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut at = 0;
    text.split(|c: char| !c.is_alphanumeric()).filter_map(move |run| {
        let start = at;
        at += run.len() + text.get(at + run.len()..)?.chars().next().map_or(0, char::len_utf8);
        (!run.is_empty()).then_some((start, run))
    })
}

/// `HTTPServerError42` -> `HTTP`, `Server`, `Error`, `42`.
fn parts(run: &str) -> Vec<(usize, &str)> {
    let chars: Vec<(usize, char)> = run.char_indices().collect();
    let mut cuts = vec![0];
    for window in chars.windows(2) {
        if let [(_, before), (at, after)] = window {
            let next = run.get(at + after.len_utf8()..).and_then(|rest| rest.chars().next());
            let hump = before.is_lowercase() && after.is_uppercase();
            let last_of_capitals =
                before.is_uppercase() && after.is_uppercase() && next.is_some_and(char::is_lowercase);
            if hump || last_of_capitals || before.is_alphabetic() != after.is_alphabetic() {
                cuts.push(*at);
            }
        }
    }
    let ends = cuts.iter().skip(1).copied().chain([run.len()]);
    cuts.iter().zip(ends).filter_map(|(start, end)| Some((*start, run.get(*start..end)?))).collect()
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

/// What came out of a case and where it was.
pub(crate) fn about(case: &Case) -> impl Iterator<Item = &String> {
    let said = [&case.cause, &case.resolution, &case.service];
    said.into_iter().flatten().chain(&case.responders).chain(case.labels.values().take(LABELS))
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
        words(text).into_iter().map(|w| w.text).collect()
    }

    #[test]
    fn the_silent_list_is_sorted_for_binary_search() {
        assert!(SILENT.is_sorted());
    }

    #[test]
    fn words_are_runs_of_letters_and_digits_of_any_script_without_inflection() {
        assert_eq!(said("The connections are exhausted (Größe, 連接)"), ["connect", "exhaust", "größe", "連接"]);
    }

    #[test]
    fn compounds_also_give_their_parts() {
        assert_eq!(said("HTTPServerError42"), ["http", "server", "error", "42", "httpservererror42"]);
        assert_eq!(said("pool2"), ["pool", "2", "pool2"]);
    }

    #[test]
    fn encoded_runs_are_left_out_and_the_count_is_bounded() {
        assert_eq!(said(&format!("{} pool", "A".repeat(WORD_BYTES + 1))), ["pool"]);
        assert_eq!(words(&"aB ".repeat(WORDS)).len(), WORDS);
    }

    proptest::proptest! {
        #[test]
        fn any_text_gives_words_with_spans_inside_it(text in "\\PC{0,200}") {
            for word in words(&text) {
                proptest::prop_assert!(text.get(word.start..word.end).is_some_and(|s| !s.is_empty()));
            }
        }
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
