//! Why a case was found: the terms it shares, and the passage that matched best.
//!
//! Works on the case itself, so the reason is the same for a stored case and for one in the unflushed tail.

use crate::case::Case;
use crate::query::{Query, Term};
use crate::schema::Kind;
use crate::tokenize::{TEXT_BYTES, about, clip, label_terms, words};
use std::collections::{HashMap, HashSet};

/// Shared terms that are named.
pub const SHARED: usize = 8;
/// Characters of a snippet, the ellipses included.
pub const SNIPPET_CHARS: usize = 240;

const ELLIPSIS: char = '…';

/// The terms that question and case share, as the case writes them, most telling first, at most [`SHARED`].
pub(crate) fn shared(query: &Query, case: &Case) -> Vec<String> {
    let mut both: Vec<(&Term, String)> = Vec::new();
    let labels = label_terms(&case.labels, case.service.as_deref());
    let (body, about) = (spellings([&case.title, &case.text]), spellings(about(case)));
    for term in &query.terms {
        let spelling = match term.kind {
            Kind::Word => body.get(&term.text).cloned(),
            Kind::Label => labels.binary_search(&term.text).is_ok().then(|| term.text.clone()),
            Kind::About => about.get(&term.text).cloned(),
        };
        both.extend(spelling.map(|s| (term, s)));
    }
    both.sort_by(|(a, _), (b, _)| b.weight.total_cmp(&a.weight).then_with(|| a.text.cmp(&b.text)));
    // The same word may be shared in two fields.
    let mut named: HashSet<&str> = HashSet::new();
    both.retain(|(term, _)| named.insert(&term.text));
    both.into_iter().take(SHARED).map(|(_, spelling)| spelling).collect()
}

/// Term -> how it is written where it comes first.
fn spellings<'a>(texts: impl IntoIterator<Item = &'a String>) -> HashMap<String, String> {
    let mut all = HashMap::new();
    for text in texts {
        for word in words(clip(text, TEXT_BYTES)) {
            let spelling = text.get(word.start..word.end).unwrap_or_default();
            all.entry(word.text).or_insert_with(|| spelling.to_lowercase());
        }
    }
    all
}

/// The passage of title, text, cause or resolution that holds most of the question's weight; plain text on one line,
/// at most [`SNIPPET_CHARS`] characters, cut between words. Without a match, the beginning.
pub(crate) fn snippet(query: &Query, case: &Case) -> String {
    let weights: HashMap<&str, f64> =
        query.terms.iter().filter(|t| t.kind != Kind::Label).map(|t| (t.text.as_str(), t.weight)).collect();
    let outcome = [case.cause.as_deref(), case.resolution.as_deref()];
    let fields = [Some(case.text.as_str()), Some(case.title.as_str())].into_iter().chain(outcome).flatten();
    let mut best = (String::new(), 0.0);
    for field in fields {
        let line = one_line(field);
        let (passage, weight) = passage(&line, &weights);
        if best.0.is_empty() || weight > best.1 {
            best = (passage, weight);
        }
    }
    best.0
}

/// The window whose distinct words weigh most; of equal ones the first. With its weight.
fn passage(line: &str, weights: &HashMap<&str, f64>) -> (String, f64) {
    let room = SNIPPET_CHARS - 2;
    let found: Vec<(usize, usize, f64, String)> = words(line)
        .into_iter()
        .filter_map(|w| weights.get(w.text.as_str()).map(|weight| (w.start, w.end, *weight, w.text)))
        .collect();
    let mut best = (0, 0.0);
    for (i, (start, ..)) in found.iter().enumerate() {
        let mut held: Vec<&str> = Vec::new();
        let mut weight = 0.0;
        for (_, end, each, text) in found.iter().skip(i) {
            // Bytes are at least characters: the window never holds more than it promises.
            if end - start > room {
                break;
            }
            if !held.contains(&text.as_str()) {
                held.push(text);
                weight += each;
            }
        }
        if weight > best.1 {
            best = (*start, weight);
        }
    }
    (cut(line, best.0, room), best.1)
}

/// About `room` characters around `from`, which gets a little of what comes before it.
fn cut(line: &str, from: usize, room: usize) -> String {
    if line.chars().count() <= SNIPPET_CHARS {
        return line.to_owned();
    }
    // The window begins at a matched word; start at the beginning where that still shows the same.
    let start = if line.get(..from).is_none_or(|before| before.chars().count() < room / 4) { 0 } else { from };
    let rest = line.get(start..).unwrap_or_default();
    let end = rest.char_indices().nth(room).map_or(rest.len(), |(at, _)| at);
    let passage = rest.get(..end).unwrap_or_default();
    let passage = if end < rest.len() { passage.rsplit_once(' ').map_or(passage, |(head, _)| head) } else { passage };
    let mut out = String::new();
    out.extend((start > 0).then_some(ELLIPSIS));
    out.push_str(passage);
    out.extend((end < rest.len()).then_some(ELLIPSIS));
    out
}

/// White space and control characters become single blanks.
fn one_line(text: &str) -> String {
    let clean = text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|w| !w.is_empty());
    clean.collect::<Vec<_>>().join(" ")
}
