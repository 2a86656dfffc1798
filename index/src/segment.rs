//! A committed segment of the index, opened for reading.
//!
//! What every question needs of every case (length, time) is held in memory: 24 bytes a case. The rest is read where
//! it lies.

use crate::case::{Case, CaseId};
use crate::part::Part;
use crate::schema::{CAUSE, CLOSED, Fields, ID, Kind, LENGTH, OPENED, RESPONDER, TIE};
use crate::trouble::Trouble;
use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use tantivy::columnar::StrColumn;
use tantivy::postings::Postings;
use tantivy::schema::{IndexRecordOption, Value};
use tantivy::store::StoreReader;
use tantivy::{DocSet, InvertedIndexReader, SegmentReader, TERMINATED, TantivyDocument, Term};

/// Decompressed blocks (16 KiB) of the document store that are kept: an answer reads 10 cases.
const STORE_BLOCKS: usize = 8;
/// Names of a segment that are held: as many as the model tells apart.
const NAMES: usize = crate::learn::student::CLASSES;

pub(crate) struct Segment {
    fields: Fields,
    indexed: HashMap<Kind, Arc<InvertedIndexReader>>,
    ids: Arc<InvertedIndexReader>,
    id: Option<StrColumn>,
    cause: Option<Names>,
    responder: Option<Names>,
    store: StoreReader,
    opened_at: Vec<i64>,
    closed_at: Vec<Option<i64>>,
    length: Vec<u32>,
    tie: Vec<u64>,
    dead: Vec<bool>,
    deaths: u32,
    words: u64,
    oldest: Option<i64>,
}

impl fmt::Debug for Segment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Segment").field("cases", &self.cases()).finish_non_exhaustive()
    }
}

impl Segment {
    pub fn open(reader: &SegmentReader, fields: Fields) -> Result<Self, Trouble> {
        let failed = |e| Trouble::of("opening a segment", e);
        let index = |field| reader.inverted_index(field).map_err(failed);
        let fast = reader.fast_fields();
        let docs = 0..reader.max_doc();
        let opened = fast.i64(OPENED).map_err(failed)?;
        let closed = fast.column_opt::<i64>(CLOSED).map_err(failed)?;
        let length = fast.u64(LENGTH).map_err(failed)?;
        let tie = fast.u64(TIE).map_err(failed)?;
        let dead: Vec<bool> = docs.clone().map(|doc| reader.is_deleted(doc)).collect();
        let mut segment = Self {
            fields,
            indexed: HashMap::from([
                (Kind::Word, index(fields.words)?),
                (Kind::Label, index(fields.labels)?),
                (Kind::About, index(fields.about)?),
            ]),
            ids: index(fields.id)?,
            id: fast.str(ID).map_err(failed)?,
            cause: fast.str(CAUSE).map_err(failed)?.map(Names::of).transpose()?,
            responder: fast.str(RESPONDER).map_err(failed)?.map(Names::of).transpose()?,
            store: reader.get_store_reader(STORE_BLOCKS).map_err(|e| Trouble::of_io("opening the case store", &e))?,
            opened_at: docs.clone().map(|doc| opened.first(doc).unwrap_or_default()).collect(),
            closed_at: docs.clone().map(|doc| closed.as_ref()?.first(doc)).collect(),
            length: docs.clone().map(|doc| length.first(doc).and_then(|n| n.try_into().ok()).unwrap_or(0)).collect(),
            tie: docs.map(|doc| tie.first(doc).unwrap_or_default()).collect(),
            deaths: 0,
            words: 0,
            oldest: None,
            dead,
        };
        segment.deaths = u32::try_from(segment.dead.iter().filter(|dead| **dead).count()).unwrap_or(u32::MAX);
        segment.words = segment.living(&segment.length).map(|n| u64::from(*n)).sum();
        segment.oldest = segment.living(&segment.opened_at).min().copied();
        Ok(segment)
    }

    /// Hides a case that was forgotten or replaced, until the next flush deletes it. Whether it was here.
    pub fn kill(&mut self, doc: u32) {
        let Some(dead) = self.dead.get_mut(doc as usize) else { return };
        if std::mem::replace(dead, true) {
            return;
        }
        self.deaths += 1;
        self.words -= u64::from(self.length(doc));
        if Some(self.opened_at(doc)) == self.oldest {
            self.oldest = self.living(&self.opened_at).min().copied();
        }
    }

    fn living<'a, T>(&'a self, values: &'a [T]) -> impl Iterator<Item = &'a T> {
        values.iter().zip(&self.dead).filter_map(|(value, dead)| (!dead).then_some(value))
    }

    fn is_dead(&self, doc: u32) -> bool {
        self.dead.get(doc as usize).copied().unwrap_or(true)
    }

    fn term(&self, kind: Kind, text: &str) -> Term {
        let field = match kind {
            Kind::Word => self.fields.words,
            Kind::Label => self.fields.labels,
            Kind::About => self.fields.about,
        };
        Term::from_field_text(field, text)
    }
}

/// A column of names, of which the first are held in memory: an answer reads those of hundreds of cases, and each costs a
/// walk through a compressed block where it lies.
struct Names {
    column: StrColumn,
    held: Vec<String>,
}

impl Names {
    fn of(column: StrColumn) -> Result<Self, Trouble> {
        let number = column.num_terms().min(NAMES);
        let mut names = Self { column, held: Vec::new() };
        names.held = (0..number as u64).map(|ord| names.read(ord)).collect::<Result<_, _>>()?;
        Ok(names)
    }

    fn read(&self, ord: u64) -> Result<String, Trouble> {
        let mut name = String::new();
        self.column.ord_to_str(ord, &mut name).map_err(|e| Trouble::of_io("reading an outcome", &e))?;
        Ok(name)
    }

    fn get(&self, doc: u32) -> Result<Vec<String>, Trouble> {
        let held = |ord: u64| usize::try_from(ord).ok().and_then(|ord| self.held.get(ord)).cloned();
        self.column.ords().values_for_doc(doc).map(|ord| held(ord).map_or_else(|| self.read(ord), Ok)).collect()
    }
}

impl Part for Segment {
    fn size(&self) -> u32 {
        u32::try_from(self.dead.len()).unwrap_or(u32::MAX)
    }

    fn is_living(&self, doc: u32) -> bool {
        !self.is_dead(doc)
    }

    fn cases(&self) -> u64 {
        u64::from(self.size() - self.deaths)
    }

    fn words(&self) -> u64 {
        self.words
    }

    fn oldest(&self) -> Option<i64> {
        self.oldest
    }

    fn frequency(&self, kind: Kind, term: &str) -> Result<u32, Trouble> {
        if self.deaths > 0 {
            let mut living = 0;
            self.postings(kind, term, &mut |_, _| living += 1)?;
            return Ok(living);
        }
        let Some(index) = self.indexed.get(&kind) else { return Ok(0) };
        index.doc_freq(&self.term(kind, term)).map_err(|e| Trouble::of_io("counting a term", &e))
    }

    fn postings(&self, kind: Kind, term: &str, found: &mut dyn FnMut(u32, u32)) -> Result<(), Trouble> {
        let Some(index) = self.indexed.get(&kind) else { return Ok(()) };
        let list = index.read_postings(&self.term(kind, term), IndexRecordOption::WithFreqs);
        let Some(mut list) = list.map_err(|e| Trouble::of_io("reading a posting list", &e))? else { return Ok(()) };
        while list.doc() != TERMINATED {
            if !self.is_dead(list.doc()) {
                found(list.doc(), list.term_freq());
            }
            list.advance();
        }
        Ok(())
    }

    fn find(&self, id: &CaseId) -> Result<Option<u32>, Trouble> {
        let term = Term::from_field_text(self.fields.id, &id.0);
        let list = self.ids.read_postings(&term, IndexRecordOption::Basic);
        let Some(mut list) = list.map_err(|e| Trouble::of_io("finding a case", &e))? else { return Ok(None) };
        while list.doc() != TERMINATED {
            if !self.is_dead(list.doc()) {
                return Ok(Some(list.doc()));
            }
            list.advance();
        }
        Ok(None)
    }

    fn length(&self, doc: u32) -> u32 {
        self.length.get(doc as usize).copied().unwrap_or(0)
    }

    fn opened_at(&self, doc: u32) -> i64 {
        self.opened_at.get(doc as usize).copied().unwrap_or(i64::MAX)
    }

    fn closed_at(&self, doc: u32) -> Option<i64> {
        self.closed_at.get(doc as usize).copied().flatten()
    }

    fn tie(&self, doc: u32) -> u64 {
        self.tie.get(doc as usize).copied().unwrap_or(0)
    }

    fn id(&self, doc: u32) -> Result<CaseId, Trouble> {
        let names = self.id.as_ref().map(|column| (column, column.ords().first(doc)));
        let id = names.and_then(|(column, ord)| Some((column, ord?)));
        let id = id.map(|(column, ord)| {
            let mut id = String::new();
            column.ord_to_str(ord, &mut id).map(|_| id)
        });
        let id = id.transpose().map_err(|e| Trouble::of_io("reading a name", &e))?;
        id.map(CaseId).ok_or_else(|| Trouble::Damaged("a case without an id".into()))
    }

    fn cause(&self, doc: u32) -> Result<Option<String>, Trouble> {
        Ok(self.cause.as_ref().map(|names| names.get(doc)).transpose()?.unwrap_or_default().pop())
    }

    fn responders(&self, doc: u32) -> Result<Vec<String>, Trouble> {
        self.responder.as_ref().map(|names| names.get(doc)).transpose().map(Option::unwrap_or_default)
    }

    fn case(&self, doc: u32) -> Result<Case, Trouble> {
        let stored: TantivyDocument = self.store.get(doc).map_err(|e| Trouble::of("reading a case", e))?;
        let bytes = stored.get_first(self.fields.case).and_then(|v| v.as_bytes().map(<[u8]>::to_vec));
        let bytes = bytes.ok_or_else(|| Trouble::Damaged("a case without its content".into()))?;
        serde_json::from_slice(&bytes).map_err(|e| Trouble::Damaged(format!("a stored case: {e}")))
    }
}
