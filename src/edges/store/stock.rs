//! Stock-taking: what waits, what is stuck and what was given up, in numbers, for who watches. A few lookups by index.

use super::dialect::explain;
use super::reader::{Reader, column};
use crate::flow::moment::At;
use crate::ports::StoreError;
use std::collections::BTreeMap;

/// Deliveries looked at for when a source spoke last. A source that is silent for longer than that many has no last word.
const RECENT: i64 = 100_000;

/// What there is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stock {
    /// Deliveries whose turn has not come, and when the oldest came.
    pub waiting: u64,
    pub oldest: Option<At>,
    pub outbox: Vec<Heap>,
    /// Unreadable deliveries that are kept, by source as it is in the inbox (`alerts/prod`).
    pub dead_letters: BTreeMap<String, u64>,
    pub entries: u64,
}

/// Effects of one destination in one state that is not an end, or a bad one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heap {
    pub destination: String,
    pub state: String,
    pub rows: u64,
    /// Since when the oldest of them could have gone: queued, or for timers due. May be in the future.
    pub oldest: At,
}

impl Reader {
    pub async fn stock(&self) -> Result<Stock, StoreError> {
        let row = self.one("SELECT COUNT(*), MIN(at) FROM inbox WHERE processed IS NULL").await?;
        let (waiting, oldest): (i64, Option<i64>) = (column(&row, 0)?, column(&row, 1)?);
        let sql = "SELECT CASE WHEN destination LIKE 'pager:%' THEN 'pager' ELSE destination END, state, COUNT(*), \
                   MIN(CASE WHEN destination = 'clock' THEN due_at ELSE queued_at END) \
                   FROM outbox WHERE state IN ('pending', 'sending', 'unknown', 'dead') GROUP BY 1, 2 ORDER BY 1, 2";
        let mut outbox = Vec::new();
        for row in sqlx::query(sql).fetch_all(self.pool()).await.map_err(|e| explain(&e))? {
            let (destination, state) = (column(&row, 0)?, column(&row, 1)?);
            let (rows, oldest) = (column::<i64>(&row, 2)?.unsigned_abs(), At(column(&row, 3)?));
            outbox.push(Heap { destination, state, rows, oldest });
        }
        let mut dead_letters = BTreeMap::new();
        let sql = "SELECT source, COUNT(*) FROM dead_letter GROUP BY source";
        for row in sqlx::query(sql).fetch_all(self.pool()).await.map_err(|e| explain(&e))? {
            dead_letters.insert(column(&row, 0)?, column::<i64>(&row, 1)?.unsigned_abs());
        }
        let entries: i64 = column(&self.one("SELECT seq FROM head WHERE id = 1").await?, 0)?;
        let (waiting, entries) = (waiting.unsigned_abs(), entries.unsigned_abs());
        Ok(Stock { waiting, oldest: oldest.map(At), outbox, dead_letters, entries })
    }

    /// When each source was heard last, of the recent deliveries. Reads many rows: for a start, or a person who asks.
    pub async fn last_heard(&self) -> Result<BTreeMap<String, At>, StoreError> {
        let sql =
            "SELECT source, MAX(at) FROM inbox WHERE id > (SELECT inbox FROM head WHERE id = 1) - $1 GROUP BY source";
        let mut heard = BTreeMap::new();
        for row in sqlx::query(sql).bind(RECENT).fetch_all(self.pool()).await.map_err(|e| explain(&e))? {
            heard.insert(column(&row, 0)?, At(column(&row, 1)?));
        }
        Ok(heard)
    }
}
