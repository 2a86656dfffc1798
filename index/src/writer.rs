//! The index on disk: opened, diagnosed, written by one writer in batches, thrown away when damaged.
//!
//! Knows directories and tantivy; not questions.

use crate::case::CaseId;
use crate::learn::Model;
use crate::part::Part;
use crate::schema::{Fields, VERSION, document, schema};
use crate::segment::Segment;
use crate::snapshot;
use crate::tail::Tail;
use crate::trouble::Trouble;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::path::{Path, PathBuf};
use tantivy::directory::{Directory, INDEX_WRITER_LOCK, MmapDirectory, RamDirectory};
use tantivy::{Index, IndexReader, IndexSettings, IndexWriter, ReloadPolicy, TantivyError, Term};

/// Memory of the one indexing thread. tantivy's least is 15 MB; more only delays its own flushes, which we batch anyway.
const WRITER_BYTES: usize = 20_000_000;

/// What is stored with each commit, atomically with it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Ledger {
    pub version: u32,
    /// How far the caller had read its journal.
    pub mark: u64,
    /// The file that holds what was learnt; none before anything was.
    pub learnt: Option<String>,
}

/// Committed cases, with the one writer.
pub(crate) struct Stored {
    index: Index,
    fields: Fields,
    reader: IndexReader,
    /// None after a failed commit: made anew at the next.
    writer: Option<IndexWriter>,
    pub segments: Vec<Segment>,
    /// Hidden cases that the next commit deletes.
    pub doomed: Vec<CaseId>,
    /// None for an index in memory, which keeps what was learnt nowhere else.
    dir: Option<PathBuf>,
}

impl fmt::Debug for Stored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stored").field("segments", &self.segments).finish_non_exhaustive()
    }
}

/// How opening went: what was there, or why it had to start afresh.
pub(crate) enum Found {
    Whole(Box<Ledger>, Box<Model>),
    Fresh(String),
}

/// What a sound directory holds.
type Sound = (Index, Ledger, Box<Model>);

impl Stored {
    pub fn in_memory() -> Result<Self, Trouble> {
        Self::create(Box::new(RamDirectory::create()))
    }

    /// Opens what is in `dir`; what is missing, damaged or of another version is replaced by an empty index. Under a
    /// held lock, or when the directory can't be read or written, nothing is touched.
    pub fn open(dir: &Path) -> Result<(Self, Found), Trouble> {
        std::fs::create_dir_all(dir).map_err(|source| Trouble::Io { doing: "creating its directory", source })?;
        let locked = |e| match Trouble::of("locking", e) {
            Trouble::Locked(_) => Trouble::Locked(dir.to_owned()),
            other => other,
        };
        let directory = MmapDirectory::open(dir).map_err(|e| Trouble::of("opening its directory", e.into()))?;
        let lock = directory.acquire_lock(&INDEX_WRITER_LOCK).map_err(|e| locked(e.into()))?;
        let diagnosis = Trouble::guard(|| Self::diagnose(&directory, dir));
        let because = match diagnosis {
            Ok(Ok((index, ledger, model))) => {
                drop(lock);
                let mut stored = Self::reading(index)
                    .map_err(|e| if let Trouble::Locked(_) = e { Trouble::Locked(dir.to_owned()) } else { e })?;
                stored.dir = Some(dir.to_owned());
                stored.writer()?;
                return Ok((stored, Found::Whole(Box::new(ledger), model)));
            }
            Ok(Err(because)) | Err(Trouble::Damaged(because)) => because,
            Err(trouble) => return Err(trouble),
        };
        wipe(dir)?;
        drop(lock);
        let mut stored = Self::create(Box::new(
            MmapDirectory::open(dir).map_err(|e| Trouble::of("opening its directory", e.into()))?,
        ))?;
        stored.dir = Some(dir.to_owned());
        Ok((stored, Found::Fresh(because)))
    }

    /// Reads meta.json, every file's footer and the structures that opening a segment needs; no posting list and no
    /// stored case. The inner error says why a sound directory can't be used.
    fn diagnose(directory: &MmapDirectory, dir: &Path) -> Result<Result<Sound, String>, Trouble> {
        let failed = |e| Trouble::of("opening", e);
        let exists = Index::exists(directory).map_err(|e| failed(e.into()))?;
        if !exists {
            return Ok(Err("there is no index yet".into()));
        }
        let index = Index::open(directory.clone()).map_err(failed)?;
        let (expected, fields) = schema();
        if index.schema() != expected {
            return Ok(Err("the index has another schema".into()));
        }
        let payload = index.load_metas().map_err(failed)?.payload;
        let ledger: Ledger = match payload.as_deref().map(serde_json::from_str) {
            // Created, but never committed to.
            None => Ledger { version: VERSION, ..Ledger::default() },
            Some(Ok(ledger)) => ledger,
            Some(Err(e)) => return Ok(Err(format!("its record of what was learnt can't be read: {e}"))),
        };
        if ledger.version != VERSION {
            return Ok(Err(format!("the index is of version {}, this program writes {VERSION}", ledger.version)));
        }
        for segment in index.searchable_segments().map_err(failed)? {
            let reader = tantivy::SegmentReader::open(&segment).map_err(failed)?;
            Segment::open(&reader, fields)?;
        }
        let model = match &ledger.learnt {
            None => Some(Model::default()),
            Some(name) => Model::from_bytes(&snapshot::read(dir, name)?),
        };
        let Some(model) = model else { return Ok(Err("what was learnt is of another version".into())) };
        Ok(Ok((index, ledger, Box::new(model))))
    }

    fn create(directory: Box<dyn Directory>) -> Result<Self, Trouble> {
        let (schema, _) = schema();
        let index =
            Index::create(directory, schema, IndexSettings::default()).map_err(|e| Trouble::of("creating", e))?;
        let mut stored = Self::reading(index)?;
        stored.writer()?;
        Ok(stored)
    }

    fn reading(index: Index) -> Result<Self, Trouble> {
        let reader = index.reader_builder().reload_policy(ReloadPolicy::Manual).try_into();
        let reader: IndexReader = reader.map_err(|e: TantivyError| Trouble::of("opening", e))?;
        let (_, fields) = schema();
        let mut stored =
            Self { index, fields, reader, writer: None, segments: Vec::new(), doomed: Vec::new(), dir: None };
        stored.segments = stored.read()?;
        Ok(stored)
    }

    fn writer(&mut self) -> Result<&mut IndexWriter, Trouble> {
        match &mut self.writer {
            Some(writer) => Ok(writer),
            none => {
                let made = self.index.writer_with_num_threads(1, WRITER_BYTES);
                Ok(none.insert(made.map_err(|e| Trouble::of("starting its writer", e))?))
            }
        }
    }

    fn read(&self) -> Result<Vec<Segment>, Trouble> {
        Trouble::guard(|| {
            self.reader.searcher().segment_readers().iter().map(|r| Segment::open(r, self.fields)).collect()
        })
    }

    /// The segment and number of a case.
    pub fn find(&self, id: &CaseId) -> Result<Option<(usize, u32)>, Trouble> {
        for (number, segment) in self.segments.iter().enumerate() {
            if let Some(doc) = segment.find(id)? {
                return Ok(Some((number, doc)));
            }
        }
        Ok(None)
    }

    /// Writes the tail, the ledger and, if it is new, what was learnt in one commit, and reads the result. On failure
    /// everything that was searchable still is, and nothing is lost but time.
    pub fn commit(&mut self, tail: &Tail, ledger: &mut Ledger, model: Option<&Model>) -> Result<(), Trouble> {
        if let (Some(dir), Some(model)) = (&self.dir, model) {
            ledger.learnt = Some(snapshot::write(dir, &model.to_bytes())?);
        }
        let done = Trouble::guard(|| self.try_commit(tail, ledger));
        if done.is_err() {
            self.writer = None;
        }
        done?;
        if let (Some(dir), Some(kept)) = (&self.dir, &ledger.learnt) {
            snapshot::tidy(dir, kept);
        }
        self.reader.reload().map_err(|e| Trouble::of("reading what was written", e))?;
        self.segments = self.read()?;
        self.doomed.clear();
        Ok(())
    }

    fn try_commit(&mut self, tail: &Tail, ledger: &Ledger) -> Result<(), Trouble> {
        let failed = |e| Trouble::of("writing", e);
        let payload =
            serde_json::to_string(ledger).map_err(|e| Trouble::Damaged(format!("what was learnt, as JSON: {e}")))?;
        let (fields, doomed) = (self.fields, std::mem::take(&mut self.doomed));
        let writer = self.writer();
        let written = writer.and_then(|writer| {
            // A case of the tail is deleted too: an earlier attempt may have written it and failed afterwards.
            for id in doomed.iter().chain(tail.entries().map(|e| &e.case.id)) {
                writer.delete_term(Term::from_field_text(fields.id, &id.0));
            }
            for entry in tail.entries() {
                writer.add_document(document(&fields, &entry.case, &entry.terms)?).map_err(failed)?;
            }
            let mut commit = writer.prepare_commit().map_err(failed)?;
            commit.set_payload(&payload);
            commit.commit().map_err(failed)?;
            Ok(())
        });
        self.doomed = doomed;
        written
    }
}

/// Removes tantivy's own files, and only those: a directory given by mistake keeps what else is in it.
fn wipe(dir: &Path) -> Result<(), Trouble> {
    let failed = |source| Trouble::Io { doing: "removing a damaged index", source };
    for entry in std::fs::read_dir(dir).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if is_ours(&path) {
            std::fs::remove_file(&path).map_err(failed)?;
        }
    }
    Ok(())
}

fn is_ours(path: &Path) -> bool {
    let name = path.file_name().and_then(|n| n.to_str()).unwrap_or_default();
    let segment = |name: &str| {
        name.split_once('.').is_some_and(|(id, _)| id.len() == 32 && id.bytes().all(|b| b.is_ascii_hexdigit()))
    };
    name == "meta.json" || name == ".managed.json" || segment(name) || snapshot::is_ours(name)
}

#[cfg(test)]
mod tests;
