//! The pen: what a write looks like from inside the writer's transaction. There is one, and the writer holds it.
//!
//! Knows the head row and the two ways a write can go wrong; what is written is in `inbox`, `journal` and `outbox`.

use super::anchor::{Anchor, Starts};
use super::chain::ChainKey;
use super::dialect;
use crate::flow::moment::At;
use crate::ports::StoreError;
use sqlx::{AnyConnection, Row as _};

/// The last numbers given, and the chain so far. One locked row of the database.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Head {
    pub seq: i64,
    pub chain: String,
    pub inbox: i64,
    pub outbox: i64,
    pub letter: i64,
    /// Transactions so far.
    pub generation: i64,
}

impl Head {
    pub async fn load(connection: &mut AnyConnection) -> sqlx::Result<Self> {
        let sql = "SELECT seq, chain, inbox, outbox, letter, generation FROM head WHERE id = 1";
        let row = sqlx::query(sql).fetch_one(connection).await?;
        Ok(Self {
            seq: row.try_get(0)?,
            chain: row.try_get(1)?,
            inbox: row.try_get(2)?,
            outbox: row.try_get(3)?,
            letter: row.try_get(4)?,
            generation: row.try_get(5)?,
        })
    }

    pub async fn store(&self, connection: &mut AnyConnection) -> sqlx::Result<()> {
        let sql =
            "UPDATE head SET seq = $1, chain = $2, inbox = $3, outbox = $4, letter = $5, generation = $6 WHERE id = 1";
        let query = sqlx::query(sql).bind(self.seq).bind(&self.chain).bind(self.inbox).bind(self.outbox);
        query.bind(self.letter).bind(self.generation).execute(connection).await.map(drop)
    }
}

/// What one job may use while it writes.
#[derive(Debug)]
pub struct Pen<'a> {
    pub connection: &'a mut AnyConnection,
    pub head: &'a mut Head,
    pub key: &'a ChainKey,
    /// Runs of other times.
    pub starts: &'a Starts,
    /// What the file outside the database says.
    pub anchored: &'a Anchor,
    /// Runs this job starts, by operation id.
    pub started: Vec<String>,
    /// This job changed something.
    pub wrote: bool,
    /// Rows this job wrote of the kinds that are forgotten one day.
    pub came: u64,
    pub epoch: i64,
    pub now: At,
    /// The database is older than its anchor, and nobody has confirmed yet.
    pub restored: bool,
}

/// How a job can fail.
#[derive(Debug)]
pub enum Trouble {
    /// This job alone; the others of its transaction go on.
    Job(StoreError),
    /// The transaction.
    All(sqlx::Error),
}

impl From<sqlx::Error> for Trouble {
    fn from(e: sqlx::Error) -> Self {
        match &e {
            sqlx::Error::Database(d) if d.is_unique_violation() => {
                Self::Job(StoreError::Conflict(format!("it is there already ({})", d.message())))
            }
            _ => Self::All(e),
        }
    }
}

impl Trouble {
    pub fn conflict(what: impl Into<String>) -> Self {
        Self::Job(StoreError::Conflict(what.into()))
    }

    /// As a job of its own would report it.
    pub fn to_error(&self) -> StoreError {
        match self {
            Self::Job(e) => e.clone(),
            Self::All(e) => dialect::explain(e),
        }
    }
}

/// JSON as stored. No value of ours fails to encode.
pub fn json(value: &impl serde::Serialize) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|e| StoreError::Unusable(format!("cannot be stored: {e}")))
}

/// Reads what [`json`] wrote. `what`: for the operator.
pub fn parse<T: serde::de::DeserializeOwned>(what: &str, text: &str) -> Result<T, StoreError> {
    serde_json::from_str(text).map_err(|e| {
        StoreError::Unusable(format!(
            "a stored {what} cannot be read ({e}); it was written by a newer version, or damaged"
        ))
    })
}

/// A count or length as SQL has it.
pub fn int(n: usize) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}
