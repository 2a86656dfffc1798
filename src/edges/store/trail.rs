//! The audit trail: every entry of the journal in the order of the chain, with its proof, for other systems. Reads a page at a time.

use super::dialect::explain;
use super::journal::small;
use super::reader::{Reader, column};
use crate::flow::fact::{Entry, Fact};
use crate::flow::identity::Actor;
use crate::flow::incident::IncidentId;
use crate::flow::moment::At;
use crate::flow::privacy::veil_entry;
use crate::ports::StoreError;
use serde::Serialize;
use std::collections::BTreeSet;

/// Kinds of facts that may tell of another incident.
const VEILED: [&str; 2] = ["suggested", "learned"];

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
    /// The next entries after `after`, at most `limit`. Those of private incidents only with `private`, and only then what others
    /// tell of them.
    pub async fn trail(&self, after: i64, limit: u32, private: bool) -> Result<Vec<Trail>, StoreError> {
        let sql = "SELECT j.seq, j.incident, j.n, j.at, j.actor, j.kind, j.body, j.chain, j.v FROM journal AS j \
                   LEFT JOIN snapshots AS s ON s.incident = j.incident \
                   WHERE j.seq > $1 AND (COALESCE(s.private, 0) = 0 OR $2 = 1) ORDER BY j.seq LIMIT $3";
        let query = sqlx::query(sql).bind(after).bind(i64::from(private)).bind(i64::from(limit));
        let rows = query.fetch_all(self.pool()).await.map_err(|e| explain(&e))?;
        let hidden = if private { BTreeSet::new() } else { self.desk_row().await?.private };
        let mut trail = Vec::with_capacity(rows.len());
        for row in &rows {
            let (kind, mut body): (String, Option<String>) = (column(row, 5)?, column(row, 6)?);
            if let Some(said) = body.as_deref().filter(|_| !hidden.is_empty() && VEILED.contains(&kind.as_str())) {
                body = Some(veiled(&kind, small(column(row, 8)?), said, &hidden)?);
            }
            trail.push(Trail {
                seq: column(row, 0)?,
                incident: small(column(row, 1)?),
                n: small(column(row, 2)?),
                at: At(column(row, 3)?),
                actor: column(row, 4)?,
                kind,
                body,
                chain: column(row, 7)?,
            });
        }
        Ok(trail)
    }
}

/// A stored fact without what it tells of the hidden; as it stands, when there is nothing.
fn veiled(kind: &str, v: u32, body: &str, hidden: &BTreeSet<IncidentId>) -> Result<String, StoreError> {
    let unfit = |e: String| StoreError::Unusable(format!("an entry cannot be read: {e}"));
    let fact = Fact::decode(kind, v, body).map_err(|e| unfit(e.to_string()))?;
    let mut entry = Entry { incident: IncidentId::HOUSE, n: 0, at: At(0), by: Actor::Bot, fact };
    if !veil_entry(&mut entry, hidden) {
        return Ok(body.to_owned());
    }
    entry.fact.encode().map(|(_, body)| body).map_err(|e| unfit(e.to_string()))
}
