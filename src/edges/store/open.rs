//! Opening: look before the first write, take the directory and the lease, and only then begin.
//!
//! Every refusal says what to do. Nothing that was found is deleted or made anew (I30).

use super::anchor::{Anchor, AnchorFile, Found, Starts};
use super::forget::Arrears;
use super::pen::Head;
use super::place::Place;
use super::reader::Reader;
use super::writer::{MAX_QUEUED, Shared, Writer};
use super::{Store, schema, sqlite};
use crate::flow::moment::At;
use crate::ports::{Clock, StoreError};
use sqlx::{AnyConnection, Connection as _, Row as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};

/// How long opening waits for the look at every page. A larger database goes on being looked at while it is used.
const CHECK_BUDGET: Duration = Duration::from_secs(2);

impl Store {
    /// Opens `dir` for this process, making it when it is not there.
    pub async fn open(dir: &Path, clock: Arc<dyn Clock>) -> Result<Self, StoreError> {
        let place = Place::prepare(dir)?;
        let lock = place.lock().await?;
        let new = place.inspect()?;
        let path = place.database();
        let shared = Arc::new(Shared::default());
        if !new {
            let mut looker = sqlite::looker(&path).await?;
            schema::check(schema::version(&mut looker).await.map_err(|e| sqlite::untouched(&path, e))?)?;
            look_at_pages(looker, path.clone(), Arc::clone(&shared)).await?;
        }
        let key = place.key(new)?;
        if new {
            place.make_database()?;
        }
        let mut connection = sqlite::writer(&path).await?;
        sqlite::check_version(&mut connection).await?;
        sqlite::settle_wal(&mut connection).await?;
        let found = schema::version(&mut connection).await?;
        schema::migrate(&mut connection, found).await?;

        let anchor = AnchorFile(place.anchor());
        let now = clock.now();
        let taken = take_lease(&mut connection, anchor.read(&key)?, now).await?;
        if taken.restored.is_none() {
            anchor.write(&taken.anchor, &key).map_err(|e| {
                StoreError::Unavailable(format!("cannot write {}: {e}; is the disk full?", place.anchor().display()))
            })?;
        } else if let Some(why) = &taken.restored {
            tracing::warn!(why, "restored mode: nothing is delivered or run until a person confirms");
        }
        if let Ok(mut restored) = shared.restored.write() {
            restored.clone_from(&taken.restored);
        }
        let starts = Starts::read(place.starts())?;
        let reader = Reader::connect(&place, Arc::clone(&clock)).await?;
        let (jobs, queue) = mpsc::channel(MAX_QUEUED);
        let writer = Writer {
            path,
            key,
            epoch: taken.epoch,
            anchor,
            starts,
            anchored: taken.anchor,
            anchored_at: now,
            clock,
            shared: Arc::clone(&shared),
            unstarted: Vec::new(),
            arrears: Arrears::default(),
            lock,
        };
        tokio::spawn(writer.run(connection, queue));
        Ok(Self { reader, jobs, shared })
    }
}

impl Reader {
    /// Opens `dir` for reading only, beside the process that owns it.
    pub async fn open(dir: &Path, clock: Arc<dyn Clock>) -> Result<Self, StoreError> {
        let place = Place::existing(dir)?;
        if place.inspect()? {
            let what = format!(
                "there is no smokejumper database in {}; name another directory with --data-dir",
                dir.display()
            );
            return Err(StoreError::Unusable(what));
        }
        let mut looker = sqlite::looker(&place.database()).await?;
        let found = schema::version(&mut looker).await?;
        schema::check(found)?;
        if found == 0 {
            return Err(StoreError::Unavailable("the database is being made; try again in a moment".to_owned()));
        }
        let _ = looker.close().await;
        Self::connect(&place, clock).await
    }

    async fn connect(place: &Place, clock: Arc<dyn Clock>) -> Result<Self, StoreError> {
        Ok(Self::new(sqlite::readers(&place.database()).await?, place.clone(), clock))
    }
}

/// Waits a while for SQLite's verdict; a late one stops the writer.
async fn look_at_pages(mut looker: AnyConnection, path: PathBuf, shared: Arc<Shared>) -> Result<(), StoreError> {
    let (verdict, mut heard) = oneshot::channel();
    tokio::spawn(async move {
        let checked = sqlite::check_pages(&mut looker, &path).await;
        let _ = looker.close().await;
        if let Err(Err(StoreError::Unusable(what))) = verdict.send(checked) {
            tracing::error!(what, "damage was found after the start; no more is written");
            let _ = shared.broken.set(StoreError::Unusable(what));
        }
    });
    match tokio::time::timeout(CHECK_BUDGET, &mut heard).await {
        Ok(Ok(checked)) => checked,
        Ok(Err(_)) => Err(StoreError::Unavailable("the look at the database was broken off".to_owned())),
        Err(_) => {
            heard.close();
            tracing::info!("the database is large: its pages are looked at while it is used");
            heard.try_recv().unwrap_or(Ok(()))
        }
    }
}

struct Taken {
    epoch: i64,
    /// What the anchor's file says, or is to say.
    anchor: Anchor,
    restored: Option<String>,
}

/// A new epoch. Whatever the former owner was sending is unknown from now on.
async fn take_lease(connection: &mut AnyConnection, found: Found, now: At) -> Result<Taken, StoreError> {
    let fail = |e: sqlx::Error| sqlite::explain(&e);
    let mut tx = connection.begin_with(sqlite::BEGIN).await.map_err(fail)?;
    let row = sqlx::query("SELECT epoch FROM lease WHERE id = 1").fetch_one(&mut *tx).await.map_err(fail)?;
    let former: i64 = row.try_get(0).map_err(fail)?;
    let mut head = Head::load(&mut tx).await.map_err(fail)?;
    let said = sqlx::query("SELECT value FROM meta WHERE name = 'restored'").fetch_optional(&mut *tx).await;
    let said: Option<String> = said.map_err(fail)?.and_then(|row| row.try_get(0).ok());
    let restored = match said {
        Some(why) => Some(why),
        None => age(&mut tx, &found, &head, former).await.map_err(fail)?,
    };
    // An epoch that was used is never used again, not even by a copy.
    let used = if let Found::Anchor(anchor) = &found { anchor.epoch } else { 0 };
    let epoch = former.max(used) + 1;
    let holder = format!("pid {}", std::process::id());
    let sql = "UPDATE lease SET epoch = $1, holder = $2, taken_at = $3 WHERE id = 1";
    sqlx::query(sql).bind(epoch).bind(holder).bind(now.0).execute(&mut *tx).await.map_err(fail)?;
    let sql = "UPDATE outbox SET state = 'unknown', error = 'the process ended while it was being sent' WHERE state = 'sending'";
    sqlx::query(sql).execute(&mut *tx).await.map_err(fail)?;
    if let Some(why) = &restored {
        let sql = "INSERT INTO meta (name, value) VALUES ('restored', $1) ON CONFLICT (name) DO NOTHING";
        sqlx::query(sql).bind(why).execute(&mut *tx).await.map_err(fail)?;
    }
    head.generation += 1;
    head.store(&mut tx).await.map_err(fail)?;
    tx.commit().await.map_err(fail)?;
    let anchor = match (found, &restored) {
        // The evidence stays as it is, until a person has looked.
        (Found::Anchor(anchor), Some(_)) => anchor,
        _ => Anchor::of(&head, epoch),
    };
    Ok(Taken { epoch, anchor, restored })
}

/// Is the database older than what was promised of it? Then says why.
async fn age(tx: &mut AnyConnection, found: &Found, head: &Head, epoch: i64) -> sqlx::Result<Option<String>> {
    let anchor = match found {
        Found::Anchor(anchor) => anchor,
        // The first start may have ended before it wrote one; there is nothing yet that could happen twice.
        Found::Nothing if head.seq == 0 && head.outbox == 0 => return Ok(None),
        Found::Nothing => return Ok(Some("the journal's anchor is missing".to_owned())),
        Found::Unreadable => return Ok(Some("the journal's anchor is not as it was written".to_owned())),
    };
    if epoch < anchor.epoch || head.generation < anchor.generation || head.seq < anchor.seq {
        return Ok(Some(format!(
            "the database ends at entry {} (epoch {epoch}), but entry {} (epoch {}) was written once",
            head.seq, anchor.seq, anchor.epoch
        )));
    }
    if anchor.seq == 0 {
        return Ok(None);
    }
    let row = sqlx::query("SELECT chain FROM journal WHERE seq = $1").bind(anchor.seq).fetch_optional(tx).await?;
    let chain: Option<String> = row.map(|row| row.try_get(0)).transpose()?;
    if chain.as_ref() == Some(&anchor.chain) {
        return Ok(None);
    }
    Ok(Some(format!("entry {} is not the one that was written once", anchor.seq)))
}
