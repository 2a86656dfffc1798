//! What is written to tantivy for a case.
//!
//! Title and text share one field (a word of the title counts [`crate::tokenize::TITLE_BOOST`]), so that a question
//! costs one posting list per word. Scores are ours (`recall.rs`), so tantivy keeps no field norms and no positions.

use crate::case::Case;
use crate::tokenize::{TEXT_BYTES, TITLE_BYTES, Terms, clip};
use crate::trouble::Trouble;
use std::collections::BTreeMap;
use tantivy::TantivyDocument;
use tantivy::schema::{
    FAST, Field, IndexRecordOption, STORED, STRING, Schema, SchemaBuilder, TextFieldIndexing, TextOptions,
};
use tantivy::tokenizer::{PreTokenizedString, Token};

/// Raised whenever terms, fields or their meaning change: an index of another version is rebuilt.
pub(crate) const VERSION: u32 = 3;
/// Bytes of an outcome (cause, responder) that are kept for voting.
pub(crate) const VALUE_BYTES: usize = 200;
/// Responders kept for voting, the one who mattered most first.
pub(crate) const RESPONDERS: usize = 5;

pub(crate) const ID: &str = "id";
pub(crate) const OPENED: &str = "opened_at";
pub(crate) const CLOSED: &str = "closed_at";
pub(crate) const LENGTH: &str = "length";
pub(crate) const TIE: &str = "tie";
pub(crate) const CAUSE: &str = "cause";
pub(crate) const RESPONDER: &str = "responder";

/// The fields, by name.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fields {
    pub id: Field,
    pub words: Field,
    pub labels: Field,
    pub about: Field,
    pub opened_at: Field,
    pub closed_at: Field,
    pub length: Field,
    pub tie: Field,
    pub cause: Field,
    pub responder: Field,
    pub case: Field,
}

/// The schema and its fields; always the same.
pub(crate) fn schema() -> (Schema, Fields) {
    let mut b = SchemaBuilder::default();
    let terms = |record| {
        let indexing = TextFieldIndexing::default().set_tokenizer("raw").set_fieldnorms(false);
        TextOptions::default().set_indexing_options(indexing.set_index_option(record))
    };
    let vote = TextOptions::from(FAST);
    let fields = Fields {
        id: b.add_text_field(ID, STRING | FAST),
        words: b.add_text_field("words", terms(IndexRecordOption::WithFreqs)),
        labels: b.add_text_field("labels", terms(IndexRecordOption::Basic)),
        about: b.add_text_field("about", terms(IndexRecordOption::WithFreqs)),
        opened_at: b.add_i64_field(OPENED, FAST),
        closed_at: b.add_i64_field(CLOSED, FAST),
        length: b.add_u64_field(LENGTH, FAST),
        tie: b.add_u64_field(TIE, FAST),
        cause: b.add_text_field(CAUSE, vote.clone()),
        responder: b.add_text_field(RESPONDER, vote),
        case: b.add_bytes_field("case", STORED),
    };
    (b.build(), fields)
}

/// The case as memory keeps it: title and text within their bounds.
pub(crate) fn bounded(mut case: Case) -> Case {
    for (text, bytes) in [(&mut case.title, TITLE_BYTES), (&mut case.text, TEXT_BYTES)] {
        let end = clip(text, bytes).len();
        text.truncate(end);
    }
    case
}

/// The document of a case.
pub(crate) fn document(f: &Fields, case: &Case, terms: &Terms) -> Result<TantivyDocument, Trouble> {
    let mut doc = TantivyDocument::default();
    doc.add_text(f.id, &case.id.0);
    doc.add_pre_tokenized_text(f.words, pre_tokenized(terms.words.iter().map(|(t, n)| (t.as_str(), *n))));
    doc.add_pre_tokenized_text(f.labels, pre_tokenized(terms.labels.iter().map(|t| (t.as_str(), 1))));
    doc.add_pre_tokenized_text(f.about, pre_tokenized(terms.about.iter().map(|(t, n)| (t.as_str(), *n))));
    doc.add_i64(f.opened_at, case.opened_at);
    if let Some(closed_at) = case.closed_at {
        doc.add_i64(f.closed_at, closed_at);
    }
    doc.add_u64(f.length, u64::from(terms.length()));
    doc.add_u64(f.tie, tie(&case.id.0));
    if let Some(cause) = &case.cause {
        doc.add_text(f.cause, clip(cause, VALUE_BYTES));
    }
    for responder in case.responders.iter().take(RESPONDERS) {
        doc.add_text(f.responder, clip(responder, VALUE_BYTES));
    }
    let json = serde_json::to_vec(case).map_err(|e| Trouble::Damaged(format!("case {} as JSON: {e}", case.id.0)))?;
    doc.add_bytes(f.case, &json);
    Ok(doc)
}

/// Orders cases of equal score and time: FNV-1a of the id, the same in every process.
pub(crate) fn tie(id: &str) -> u64 {
    id.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

fn pre_tokenized<'a>(terms: impl Iterator<Item = (&'a str, u32)>) -> PreTokenizedString {
    let mut tokens = Vec::new();
    for (text, times) in terms {
        for _ in 0..times {
            let position = tokens.len();
            tokens.push(Token { offset_from: 0, offset_to: 0, position, text: text.to_owned(), position_length: 1 });
        }
    }
    PreTokenizedString { text: String::new(), tokens }
}

/// Values of one term kind as the unflushed tail holds them.
pub(crate) fn frequencies(terms: &Terms) -> impl Iterator<Item = (Kind, &str, u32)> {
    fn each(kind: Kind, counts: &BTreeMap<String, u32>) -> impl Iterator<Item = (Kind, &str, u32)> {
        counts.iter().map(move |(term, n)| (kind, term.as_str(), *n))
    }
    let labels = terms.labels.iter().map(|t| (Kind::Label, t.as_str(), 1));
    each(Kind::Word, &terms.words).chain(labels).chain(each(Kind::About, &terms.about))
}

/// Which of the three searchable fields a term lives in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Kind {
    Word,
    Label,
    About,
}
