//! Memory is made of parts: committed segments on disk, and the unflushed tail. Both answer the same questions.
//!
//! A part counts living cases only, so that a score doesn't depend on what was flushed, deleted or merged, and when.

use crate::case::{Case, CaseId};
use crate::schema::Kind;
use crate::trouble::Trouble;

/// One part of memory. `doc` is a number below `size()` that means something in this part only.
pub(crate) trait Part {
    /// Upper bound of document numbers.
    fn size(&self) -> u32;
    /// Whether this case was neither forgotten nor replaced.
    fn is_living(&self, doc: u32) -> bool;
    /// Living cases.
    fn cases(&self) -> u64;
    /// Words of all living cases, titles boosted.
    fn words(&self) -> u64;
    /// Opening time of the oldest living case.
    fn oldest(&self) -> Option<i64>;
    /// Number of living cases with this term.
    fn frequency(&self, kind: Kind, term: &str) -> Result<u32, Trouble>;
    /// Calls `found(doc, count)` for each living case with this term.
    fn postings(&self, kind: Kind, term: &str, found: &mut dyn FnMut(u32, u32)) -> Result<(), Trouble>;
    fn find(&self, id: &CaseId) -> Result<Option<u32>, Trouble>;
    /// Length in words, title boosted.
    fn length(&self, doc: u32) -> u32;
    fn opened_at(&self, doc: u32) -> i64;
    fn closed_at(&self, doc: u32) -> Option<i64>;
    /// See [`crate::schema::tie`].
    fn tie(&self, doc: u32) -> u64;
    fn id(&self, doc: u32) -> Result<CaseId, Trouble>;
    fn cause(&self, doc: u32) -> Result<Option<String>, Trouble>;
    fn responders(&self, doc: u32) -> Result<Vec<String>, Trouble>;
    fn case(&self, doc: u32) -> Result<Case, Trouble>;
}
