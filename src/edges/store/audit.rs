//! Verifying the journal: every link of its chain, every payload's commitment, and the anchor outside the database.
//!
//! Finds an edit, a deletion, an insertion, a swap, and a cut back to before the last anchor (I28). Reads a page at a time.

use super::anchor::{Anchor, AnchorFile, Found};
use super::chain::{ChainKey, Link, commit};
use super::dialect::explain;
use super::journal::entry;
use super::reader::{Reader, column};
use crate::flow::fact::Fact;
use crate::ports::StoreError;
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row as _};
use std::collections::{BTreeMap, BTreeSet};

/// Entries read at a time.
const PAGE: i64 = 1_000;

/// What verification found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verified {
    /// Every entry is as it was written, up to this one.
    Whole {
        entries: u64,
        redacted: u64,
        /// The last link, hex; empty for an empty journal.
        chain: String,
    },
    /// Somebody changed the journal. `seq`: the first entry that is not as it was written.
    Tampered { seq: i64, what: String },
}

impl Reader {
    pub async fn verify_chain(&self) -> Result<Verified, StoreError> {
        let key = self.place().key(false)?;
        let anchor = match AnchorFile(self.place().anchor()).read(&key)? {
            Found::Anchor(anchor) => Some(anchor),
            Found::Nothing => None,
            Found::Unreadable => return Ok(tampered(0, "the anchor outside the database is not as it was written")),
        };
        // One view of the database for all of it: what is written meanwhile is not half seen.
        let mut tx = self.pool().begin_with(self.dialect().begin_view()).await.map_err(|e| explain(&e))?;
        walk(&mut tx, &key, anchor).await
    }
}

/// Goes along the whole chain as this transaction sees it. `anchor`: what was noted of it outside the database.
pub(super) async fn walk(
    tx: &mut AnyConnection,
    key: &ChainKey,
    anchor: Option<Anchor>,
) -> Result<Verified, StoreError> {
    let end = sqlx::query("SELECT seq, chain FROM head WHERE id = 1").fetch_one(&mut *tx).await;
    let end = end.map_err(|e| explain(&e))?;
    let (last, head): (i64, String) = (column(&end, 0)?, column(&end, 1)?);

    let (mut seq, mut chain) = (0_i64, String::new());
    let (mut erased, mut said_erased) = (BTreeSet::new(), BTreeSet::new());
    // Entries that are not as their link says, and the links that were recorded for them later.
    let (mut odd, mut said_odd) = (BTreeMap::new(), BTreeMap::new());
    while seq < last {
        let sql = "SELECT incident, n, at, actor, kind, v, body, seq, salt, commitment, chain FROM journal \
                       WHERE seq > $1 AND seq <= $2 ORDER BY seq LIMIT $3";
        let rows = sqlx::query(sql).bind(seq).bind(last).bind(PAGE).fetch_all(&mut *tx).await;
        let rows = rows.map_err(|e| explain(&e))?;
        if rows.is_empty() {
            return Ok(tampered(seq + 1, "entries are missing at the end"));
        }
        for row in &rows {
            let found: i64 = column(row, 7)?;
            if found != seq + 1 {
                return Ok(tampered(seq + 1, "an entry is missing"));
            }
            seq = found;
            let Ok(row) = Row::read(row) else { return Ok(tampered(seq, "a column has another type")) };
            let link = row.next(key, &chain);
            if link != row.chain {
                odd.insert((row.incident, row.n), (seq, link));
            }
            match (&row.body, &row.salt) {
                (Some(body), Some(salt)) if commit(salt, body) == row.commitment => {}
                (Some(_), _) => return Ok(tampered(seq, "the payload is not the one that was written")),
                (None, _) => {
                    erased.insert((row.incident, row.n, seq));
                }
            }
            match row.tells() {
                Some(Fact::Redacted { n }) => {
                    said_erased.insert((row.incident, i64::from(n)));
                }
                Some(Fact::Rewritten { entries }) => {
                    said_odd.extend(entries.into_iter().map(|e| ((row.incident, i64::from(e.n)), e.link)));
                }
                _ => {}
            }
            chain.clone_from(&row.chain);
            if anchor.as_ref().is_some_and(|a| a.seq == seq && a.chain != chain) {
                return Ok(tampered(seq, "the entry is not the one that was anchored outside the database"));
            }
        }
    }
    let unsaid = odd.iter().filter(|(entry, (_, link))| said_odd.get(*entry) != Some(link));
    if let Some(seq) = unsaid.map(|(_, (seq, _))| *seq).min() {
        return Ok(tampered(seq, "the entry is not the one that was written here"));
    }
    if chain != head {
        return Ok(tampered(last, "the journal's head names another end"));
    }
    if let Some(anchor) = anchor.filter(|a| a.seq > last) {
        return Ok(tampered(last + 1, &format!("entries up to {} were anchored and are gone", anchor.seq)));
    }
    let beyond = sqlx::query("SELECT COALESCE(MAX(seq), 0) FROM journal WHERE seq <= 0 OR seq > $1").bind(last);
    let beyond: i64 = column(&beyond.fetch_one(&mut *tx).await.map_err(|e| explain(&e))?, 0)?;
    if beyond != 0 {
        return Ok(tampered(beyond, "the entry is outside the chain"));
    }
    if let Some((_, _, seq)) = erased.iter().find(|(incident, n, _)| !said_erased.contains(&(*incident, *n))) {
        return Ok(tampered(*seq, "the payload is gone, and nobody recorded its erasure"));
    }
    Ok(Verified::Whole { entries: last.unsigned_abs(), redacted: erased.len() as u64, chain })
}

/// A journal row as it is stored.
struct Row {
    seq: i64,
    incident: i64,
    n: i64,
    at: i64,
    v: i64,
    kind: String,
    actor: String,
    body: Option<String>,
    salt: Option<String>,
    commitment: String,
    chain: String,
    /// What it says of other entries.
    told: Option<Fact>,
}

impl Row {
    fn read(row: &AnyRow) -> sqlx::Result<Self> {
        let told = match row.try_get::<String, _>(4)?.as_str() {
            "redacted" | "rewritten" => entry(row).ok().map(|e| e.fact),
            _ => None,
        };
        Ok(Self {
            incident: row.try_get(0)?,
            n: row.try_get(1)?,
            at: row.try_get(2)?,
            actor: row.try_get(3)?,
            kind: row.try_get(4)?,
            v: row.try_get(5)?,
            body: row.try_get(6)?,
            seq: row.try_get(7)?,
            salt: row.try_get(8)?,
            commitment: row.try_get(9)?,
            chain: row.try_get(10)?,
            told,
        })
    }

    fn next(&self, key: &ChainKey, former: &str) -> String {
        let Self { seq, incident, n, v, at, .. } = *self;
        let (kind, actor, commitment) = (&self.kind, &self.actor, &self.commitment);
        key.extend(former, &Link { seq, incident, n, kind, v, at, actor, commitment })
    }

    fn tells(&self) -> Option<Fact> {
        self.told.clone()
    }
}

fn tampered(seq: i64, what: &str) -> Verified {
    Verified::Tampered { seq, what: what.to_owned() }
}
