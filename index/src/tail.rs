//! The unflushed tail: cases remembered since the last commit, searchable at once.
//!
//! A commit costs an fsync and tens of milliseconds; the tail makes one commit for many cases possible without making
//! anybody wait to be found. Knows nothing of tantivy.

use crate::case::{Case, CaseId};
use crate::part::Part;
use crate::schema::{Kind, RESPONDERS, VALUE_BYTES, frequencies, tie};
use crate::tokenize::{Terms, clip};
use crate::trouble::Trouble;
use std::collections::HashMap;

#[derive(Debug)]
pub(crate) struct Entry {
    pub case: Case,
    pub terms: Terms,
    length: u32,
    tie: u64,
}

#[derive(Debug, Default)]
pub(crate) struct Tail {
    /// A forgotten or replaced case leaves a hole, so that document numbers stay valid.
    entries: Vec<Option<Entry>>,
    by_id: HashMap<CaseId, u32>,
    postings: HashMap<Kind, HashMap<String, Vec<(u32, u32)>>>,
    words: u64,
}

impl Tail {
    pub fn len(&self) -> usize {
        self.by_id.len()
    }

    pub fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter().flatten()
    }

    /// Adds a case, replacing the one of the same id.
    pub fn insert(&mut self, case: Case, terms: Terms) {
        self.remove(&case.id);
        if self.entries.len() > 64 && self.entries.len() > 2 * self.by_id.len() {
            self.compact();
        }
        let doc = u32::try_from(self.entries.len()).unwrap_or(u32::MAX);
        for (kind, term, n) in frequencies(&terms) {
            let list = self.postings.entry(kind).or_default().entry(term.to_owned()).or_default();
            list.push((doc, n));
        }
        let (length, tie) = (terms.length(), tie(&case.id.0));
        self.words += u64::from(length);
        self.by_id.insert(case.id.clone(), doc);
        self.entries.push(Some(Entry { case, terms, length, tie }));
    }

    /// Whether it was here.
    pub fn remove(&mut self, id: &CaseId) -> bool {
        let gone = self.by_id.remove(id).and_then(|doc| self.entries.get_mut(doc as usize)?.take());
        self.words -= gone.as_ref().map_or(0, |e| u64::from(e.length));
        gone.is_some()
    }

    /// Drops the holes; amortised over the removals that made them.
    fn compact(&mut self) {
        let old = std::mem::take(self);
        for entry in old.entries.into_iter().flatten() {
            self.insert(entry.case, entry.terms);
        }
    }

    fn living(&self, kind: Kind, term: &str) -> impl Iterator<Item = (u32, u32)> {
        let list = self.postings.get(&kind).and_then(|terms| terms.get(term)).map_or(&[][..], Vec::as_slice);
        list.iter().copied().filter(|(doc, _)| self.entry(*doc).is_some())
    }

    fn entry(&self, doc: u32) -> Option<&Entry> {
        self.entries.get(doc as usize)?.as_ref()
    }

    fn held(&self, doc: u32) -> Result<&Entry, Trouble> {
        self.entry(doc).ok_or_else(|| Trouble::Damaged(format!("no case {doc} in the unflushed tail")))
    }
}

impl Part for Tail {
    fn size(&self) -> u32 {
        u32::try_from(self.entries.len()).unwrap_or(u32::MAX)
    }

    fn is_living(&self, doc: u32) -> bool {
        self.entry(doc).is_some()
    }

    fn cases(&self) -> u64 {
        self.by_id.len() as u64
    }

    fn words(&self) -> u64 {
        self.words
    }

    fn oldest(&self) -> Option<i64> {
        self.entries().map(|e| e.case.opened_at).min()
    }

    fn frequency(&self, kind: Kind, term: &str) -> Result<u32, Trouble> {
        Ok(u32::try_from(self.living(kind, term).count()).unwrap_or(u32::MAX))
    }

    fn postings(&self, kind: Kind, term: &str, found: &mut dyn FnMut(u32, u32)) -> Result<(), Trouble> {
        self.living(kind, term).for_each(|(doc, n)| found(doc, n));
        Ok(())
    }

    fn find(&self, id: &CaseId) -> Result<Option<u32>, Trouble> {
        Ok(self.by_id.get(id).copied())
    }

    fn length(&self, doc: u32) -> u32 {
        self.entry(doc).map_or(0, |e| e.length)
    }

    fn opened_at(&self, doc: u32) -> i64 {
        self.entry(doc).map_or(i64::MAX, |e| e.case.opened_at)
    }

    fn closed_at(&self, doc: u32) -> Option<i64> {
        self.entry(doc)?.case.closed_at
    }

    fn tie(&self, doc: u32) -> u64 {
        self.entry(doc).map_or(0, |e| e.tie)
    }

    fn id(&self, doc: u32) -> Result<CaseId, Trouble> {
        Ok(self.held(doc)?.case.id.clone())
    }

    fn cause(&self, doc: u32) -> Result<Option<String>, Trouble> {
        Ok(self.held(doc)?.case.cause.as_deref().map(|c| clip(c, VALUE_BYTES).to_owned()))
    }

    fn responders(&self, doc: u32) -> Result<Vec<String>, Trouble> {
        let all = self.held(doc)?.case.responders.iter().take(RESPONDERS);
        Ok(all.map(|r| clip(r, VALUE_BYTES).to_owned()).collect())
    }

    fn case(&self, doc: u32) -> Result<Case, Trouble> {
        Ok(self.held(doc)?.case.clone())
    }
}
