//! Writing and reading the inbox: every delivery once, by its key, until its turn has come; and what nobody could read.

use super::dialect::{explain, text};
use super::pen::{Pen, Trouble, int, json, parse};
use crate::flow::moment::At;
use crate::ports::{Accepted, Arrival, DeadLetter, StoreError, Waiting};
use sqlx::any::AnyRow;
use sqlx::{AnyPool, Row as _};

/// Dead letters kept; the oldest go first. Enough to see what is wrong with a sender.
pub const MAX_DEAD_LETTERS: i64 = 1_000;
/// Characters kept of a dead letter's sample and reason.
pub const MAX_SAMPLE_CHARS: usize = 4_000;

/// An arrival, encoded before it queues for the writer.
#[derive(Debug)]
pub struct Row {
    source: String,
    key: String,
    at: At,
    event: String,
}

impl Row {
    pub fn of(arrival: &Arrival) -> Result<Self, StoreError> {
        let event = json(&arrival.event)?;
        Ok(Self { source: arrival.source.clone(), key: arrival.key.clone(), at: arrival.at, event })
    }
}

impl Pen<'_> {
    pub async fn accept(&mut self, row: &Row) -> Result<Accepted, Trouble> {
        let id = self.head.inbox + 1;
        let sql = "INSERT INTO inbox (id, source, key, at, event, epoch) VALUES ($1, $2, $3, $4, $5, $6) \
                   ON CONFLICT (source, key) DO NOTHING";
        let (source, key) = (text(&row.source), text(&row.key));
        let query = sqlx::query(sql).bind(id).bind(source.as_ref()).bind(key.as_ref()).bind(row.at.0).bind(&row.event);
        if query.bind(self.epoch).execute(&mut *self.connection).await?.rows_affected() == 1 {
            self.head.inbox = id;
            self.wrote = true;
            self.came += 1;
            return Ok(Accepted::New(id));
        }
        let known =
            sqlx::query("SELECT id FROM inbox WHERE source = $1 AND key = $2").bind(source.as_ref()).bind(key.as_ref());
        Ok(Accepted::Known(known.fetch_one(&mut *self.connection).await?.try_get(0)?))
    }

    /// A turn took it; nobody else did. What it said is in the journal now, as far as it mattered; its key stays.
    pub async fn processed(&mut self, id: i64) -> Result<(), Trouble> {
        let sql = "UPDATE inbox SET processed = $1, event = '' WHERE id = $2 AND processed IS NULL";
        let done = sqlx::query(sql).bind(self.now.0).bind(id).execute(&mut *self.connection).await?;
        if done.rows_affected() == 1 {
            self.wrote = true;
            return Ok(());
        }
        Err(Trouble::conflict(format!("inbox row {id} was processed already, or never was there")))
    }

    pub async fn bury(&mut self, letter: &DeadLetter) -> Result<(), Trouble> {
        let id = self.head.letter + 1;
        let sql = "INSERT INTO dead_letter (id, source, at, why, sample) VALUES ($1, $2, $3, $4, $5)";
        let query = sqlx::query(sql).bind(id).bind(text(&letter.source).into_owned()).bind(letter.at.0);
        query.bind(cut(&letter.why)).bind(cut(&letter.sample)).execute(&mut *self.connection).await?;
        let oldest = "DELETE FROM dead_letter WHERE id <= $1";
        sqlx::query(oldest).bind(id - MAX_DEAD_LETTERS).execute(&mut *self.connection).await?;
        self.head.letter = id;
        self.wrote = true;
        Ok(())
    }
}

/// Unprocessed events in order of arrival. One that cannot be read stays where it is, and is no obstacle to the others.
pub async fn waiting(pool: &AnyPool, limit: u32) -> Result<Vec<Waiting>, StoreError> {
    let sql = "SELECT id, source, key, at, event FROM inbox WHERE processed IS NULL AND id > $1 ORDER BY id LIMIT $2";
    let (mut found, mut after) = (Vec::new(), 0_i64);
    while found.len() < limit as usize {
        let wanted = int(limit as usize - found.len());
        let rows = sqlx::query(sql).bind(after).bind(wanted).fetch_all(pool).await.map_err(|e| explain(&e))?;
        for row in &rows {
            let (id, waiting) = read(row).map_err(|e| explain(&e))?;
            after = id;
            match waiting {
                Ok(waiting) => found.push(waiting),
                Err(e) => {
                    tracing::error!(inbox = id, error = %e, "an accepted event waits for a version that can read it");
                }
            }
        }
        if int(rows.len()) < wanted {
            break;
        }
    }
    Ok(found)
}

/// Outer error: SQL. Inner: the event does not parse.
fn read(row: &AnyRow) -> sqlx::Result<(i64, Result<Waiting, StoreError>)> {
    let (id, source, key) = (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
    let (at, event) = (At(row.try_get(3)?), row.try_get::<String, _>(4)?);
    Ok((id, parse("event", &event).map(|event| Waiting { id, arrival: Arrival { source, key, at, event } })))
}

fn cut(text: &str) -> String {
    text.chars().filter(|c| *c != '\0').take(MAX_SAMPLE_CHARS).collect()
}
