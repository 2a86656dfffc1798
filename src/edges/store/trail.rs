//! The audit trail: every entry of the journal in the order of the chain, with its proof, for other systems. Reads a page at a time.

use super::dialect::explain;
use super::journal::small;
use super::reader::{Reader, column};
use crate::flow::moment::At;
use crate::ports::StoreError;
use serde::Serialize;

/// One entry as it stands in the journal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Trail {
    pub seq: i64,
    /// 0: the house itself.
    pub incident: u32,
    pub n: u32,
    pub at: At,
    /// Who, as JSON.
    pub actor: String,
    pub kind: String,
    /// What, as JSON; `None`: erased.
    pub body: Option<String>,
    /// The link of the chain, hex.
    pub chain: String,
}

impl Reader {
    /// The next entries after `after`, at most `limit`. Those of private incidents only with `private`.
    pub async fn trail(&self, after: i64, limit: u32, private: bool) -> Result<Vec<Trail>, StoreError> {
        let sql = "SELECT j.seq, j.incident, j.n, j.at, j.actor, j.kind, j.body, j.chain FROM journal AS j \
                   LEFT JOIN snapshots AS s ON s.incident = j.incident \
                   WHERE j.seq > $1 AND (COALESCE(s.private, 0) = 0 OR $2 = 1) ORDER BY j.seq LIMIT $3";
        let query = sqlx::query(sql).bind(after).bind(i64::from(private)).bind(i64::from(limit));
        let rows = query.fetch_all(self.pool()).await.map_err(|e| explain(&e))?;
        let mut trail = Vec::with_capacity(rows.len());
        for row in &rows {
            trail.push(Trail {
                seq: column(row, 0)?,
                incident: small(column(row, 1)?),
                n: small(column(row, 2)?),
                at: At(column(row, 3)?),
                actor: column(row, 4)?,
                kind: column(row, 5)?,
                body: column(row, 6)?,
                chain: column(row, 7)?,
            });
        }
        Ok(trail)
    }
}
