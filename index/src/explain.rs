//! Why a case was found: the terms it shares, and the passage that matched best.
//!
//! Works on the case itself, so the reason is the same for a stored case and for one in the unflushed tail.

use crate::case::Case;
use crate::query::{Query, Term};
use crate::schema::Kind;
use crate::tokenize::{TEXT_BYTES, Word, about, clip, label_terms, words};
use std::collections::{HashMap, HashSet};

/// Shared terms that are named.
pub const SHARED: usize = 8;
/// Characters of a snippet, the ellipses included.
pub const SNIPPET_CHARS: usize = 240;

const ELLIPSIS: char = '…';

/// The terms that question and case share, and the passage that holds most of them.
pub(crate) fn explain(query: &Query, case: &Case) -> (Vec<String>, String) {
    let body: Vec<Field> = [&case.text, &case.title].into_iter().map(|text| Field::read(text)).collect();
    let about: Vec<Field> = about(case).map(|text| Field::read(text)).collect();
    (shared(query, case, &body, &about), snippet(query, case, body))
}

/// A text with its words.
struct Field<'a> {
    text: &'a str,
    words: Vec<Word>,
}

impl<'a> Field<'a> {
    fn read(text: &'a str) -> Self {
        let text = clip(text, TEXT_BYTES);
        Self { text, words: words(text) }
    }
}

/// As the case writes them, most telling first, at most [`SHARED`].
fn shared(query: &Query, case: &Case, body: &[Field], about: &[Field]) -> Vec<String> {
    let labels = label_terms(&case.labels, case.service.as_deref());
    let (body, about) = (spellings(body), spellings(about));
    let mut both: Vec<(&Term, &str)> = Vec::new();
    for term in &query.terms {
        let spelling = match term.kind {
            Kind::Word => body.get(term.text.as_str()).copied(),
            Kind::Label => labels.binary_search(&term.text).is_ok().then_some(term.text.as_str()),
            Kind::About => about.get(term.text.as_str()).copied(),
        };
        both.extend(spelling.map(|spelling| (term, spelling)));
    }
    both.sort_by(|(a, _), (b, _)| b.weight.total_cmp(&a.weight).then_with(|| a.text.cmp(&b.text)));
    // The same word may be shared in two fields.
    let mut named: HashSet<&str> = HashSet::new();
    both.retain(|(term, _)| named.insert(&term.text));
    both.into_iter().take(SHARED).map(|(_, spelling)| spelling.to_lowercase()).collect()
}

/// Term -> how it is written where it comes first.
fn spellings<'a>(fields: &'a [Field]) -> HashMap<&'a str, &'a str> {
    let mut all = HashMap::new();
    for field in fields {
        for word in &field.words {
            all.entry(word.text.as_str()).or_insert_with(|| field.text.get(word.start..word.end).unwrap_or_default());
        }
    }
    all
}

/// The passage of text, title, cause or resolution that holds most of the question's weight; plain text on one line,
/// at most [`SNIPPET_CHARS`] characters, cut between words. Without a match, the beginning.
fn snippet(query: &Query, case: &Case, body: Vec<Field>) -> String {
    let weights: HashMap<&str, f64> =
        query.terms.iter().filter(|t| t.kind != Kind::Label).map(|t| (t.text.as_str(), t.weight)).collect();
    let outcome = [case.cause.as_deref(), case.resolution.as_deref()].into_iter().flatten();
    let fields = body.into_iter().chain(outcome.map(Field::read));
    let mut best = (String::new(), 0.0);
    for field in fields {
        let (from, weight) = window(&field, &weights);
        if best.0.is_empty() || weight > best.1 {
            best = (cut(field.text, from), weight);
        }
    }
    best.0
}

/// Where the window begins whose distinct words weigh most (of equal ones the first), and that weight.
fn window(field: &Field, weights: &HashMap<&str, f64>) -> (usize, f64) {
    let found: Vec<(&Word, f64)> =
        field.words.iter().filter_map(|w| weights.get(w.text.as_str()).map(|weight| (w, *weight))).collect();
    let mut best = (0, 0.0);
    for (i, (first, _)) in found.iter().enumerate() {
        let mut held: Vec<&str> = Vec::new();
        let mut weight = 0.0;
        for (word, each) in found.iter().skip(i) {
            // Bytes are at least characters: the window never holds more than it promises.
            if word.end.saturating_sub(first.start) > SNIPPET_CHARS - 2 {
                break;
            }
            if !held.contains(&word.text.as_str()) {
                held.push(&word.text);
                weight += each;
            }
        }
        if weight > best.1 {
            best = (first.start, weight);
        }
    }
    best
}

/// What there is from `from` on, or from the beginning where that still shows the same.
fn cut(text: &str, from: usize) -> String {
    let room = SNIPPET_CHARS - 2;
    let whole = one_line(text, SNIPPET_CHARS + 1);
    if whole.chars().count() <= SNIPPET_CHARS {
        return whole;
    }
    let start = if from < room / 4 { 0 } else { from };
    let rest = one_line(text.get(start..).unwrap_or_default(), room + 1);
    let end = rest.char_indices().nth(room).map_or(rest.len(), |(at, _)| at);
    let passage = rest.get(..end).unwrap_or_default();
    let passage = if end < rest.len() { passage.rsplit_once(' ').map_or(passage, |(head, _)| head) } else { passage };
    let mut out = String::new();
    out.extend((start > 0).then_some(ELLIPSIS));
    out.push_str(passage);
    out.extend((end < rest.len()).then_some(ELLIPSIS));
    out
}

/// The first `chars` characters, white space and control characters having become single blanks.
fn one_line(text: &str, chars: usize) -> String {
    let mut line = String::new();
    let mut left = chars;
    for word in text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|w| !w.is_empty()) {
        if left == 0 {
            break;
        }
        if !line.is_empty() {
            line.push(' ');
            left -= 1;
        }
        let before = line.len();
        line.extend(word.chars().take(left));
        left -= line.get(before..).map_or(0, |added| added.chars().count());
    }
    line
}
