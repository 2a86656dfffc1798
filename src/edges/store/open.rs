//! Opening: look before the first write, take the directory and the lease, and only then begin.
//!
//! Every refusal says what to do. Nothing that was found is deleted or made anew (I30).

use super::anchor::{Anchor, AnchorFile, Found, Starts};
use super::chain::ChainKey;
use super::dialect::{Dialect, explain};
use super::forget::Arrears;
use super::lease::{self, Holder, Lease};
use super::location::Location;
use super::pen::Head;
use super::place::{Lock, Place};
use super::reader::Reader;
use super::writer::{MAX_QUEUED, Shared, Writer};
use super::{Store, postgres, schema, sqlite};
use crate::ports::{Clock, StoreError};
use sqlx::{AnyConnection, Connection as _, Row as _};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, oneshot};

/// How long opening waits for the look at every page. A larger database goes on being looked at while it is used.
const CHECK_BUDGET: Duration = Duration::from_secs(2);

/// A directory that is ours, and the database that goes with it, which may be another's for now.
pub struct Site {
    pub place: Place,
    pub dialect: Dialect,
    pub clock: Arc<dyn Clock>,
    lock: Arc<Lock>,
    holder: Holder,
    shared: Arc<Shared>,
}

impl std::fmt::Debug for Site {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Site").field("dialect", &self.dialect).finish_non_exhaustive()
    }
}

/// Whether the database is ours, too.
#[derive(Debug)]
pub enum Claim {
    Ours(Box<Claimed>),
    Held { by: String, key: ChainKey },
}

#[derive(Debug)]
pub struct Claimed {
    key: ChainKey,
    /// What the anchor's file says.
    found: Found,
    epoch: i64,
    former: i64,
    /// Before the lease was asked for.
    asked: Instant,
}

impl Store {
    /// Opens it for this process, making what is not there.
    pub async fn open(location: impl Into<Location>, clock: Arc<dyn Clock>) -> Result<Self, StoreError> {
        let site = Site::take(location.into(), clock).await?;
        let mut connection = None;
        match site.claim(&mut connection).await? {
            Claim::Ours(claimed) => site.begin(connection, *claimed).await,
            Claim::Held { by, .. } => {
                Err(StoreError::Unavailable(format!("another smokejumper ({by}) uses this database; stop it first")))
            }
        }
    }
}

impl Site {
    /// Takes the directory, making it when it is not there.
    pub async fn take(location: Location, clock: Arc<dyn Clock>) -> Result<Self, StoreError> {
        let place = Place::prepare(&location.dir)?;
        let lock = Arc::new(place.lock().await?);
        let holder = Holder::new(&place, &lock);
        let dialect = Dialect::of(&location, &place);
        Ok(Self { place, dialect, clock, lock, holder, shared: Arc::default() })
    }

    /// Looks, and takes the lease if nobody has it. `open`: a connection for writing, kept for the next time.
    pub async fn claim(&self, open: &mut Option<AnyConnection>) -> Result<Claim, StoreError> {
        let claim = self.try_claim(open).await;
        if claim.is_err()
            && let Some(connection) = open.take()
        {
            let _ = connection.close_hard().await;
        }
        claim
    }

    async fn try_claim(&self, open: &mut Option<AnyConnection>) -> Result<Claim, StoreError> {
        let connection = match open {
            Some(connection) => connection,
            None => open.insert(self.connect().await?),
        };
        let version = schema::version(connection, &self.dialect).await?;
        schema::check(version)?;
        if version == 0 && self.dialect.is_shared() && self.place.anchor().exists() {
            return Err(StoreError::Unusable(format!(
                "the database is empty, but there was one ({} exists); restore it from a backup, or name another data \
                 directory to start afresh",
                self.place.anchor().display()
            )));
        }
        let key = self.place.key(version == 0)?;
        if version == 0 {
            schema::migrate(connection, &self.dialect, 0, None).await?;
        }
        self.check_key(connection, &key).await?;
        let found = AnchorFile(self.place.anchor()).read(&key)?;
        let used = if let Found::Anchor(anchor) = &found { anchor.epoch } else { 0 };
        let asked = Instant::now();
        match lease::take(connection, &self.dialect, &self.holder, used, self.clock.now()).await? {
            Lease::Held { by } => Ok(Claim::Held { by, key }),
            Lease::Ours { epoch, former } => Ok(Claim::Ours(Box::new(Claimed { key, found, epoch, former, asked }))),
        }
    }

    async fn connect(&self) -> Result<AnyConnection, StoreError> {
        let path = match &self.dialect {
            Dialect::Postgres(_) => {
                let mut connection = self.dialect.writer().await?;
                postgres::look(&mut connection).await?;
                return Ok(connection);
            }
            Dialect::Sqlite(path) => path.clone(),
        };
        let new = self.place.inspect()?;
        if !new {
            let mut looker = self.dialect.looker().await?;
            let version = schema::version(&mut looker, &self.dialect).await;
            schema::check(version.map_err(|e| sqlite::untouched(&path, e))?)?;
            look_at_pages(looker, path, Arc::clone(&self.shared)).await?;
        }
        // A database without a key is not touched.
        self.place.key(new)?;
        if new {
            self.place.make_database()?;
        }
        let mut connection = self.dialect.writer().await?;
        sqlite::check_version(&mut connection).await?;
        sqlite::settle_wal(&mut connection).await?;
        Ok(connection)
    }

    /// The journal of one database has one key, on whatever machine.
    async fn check_key(&self, connection: &mut AnyConnection, key: &ChainKey) -> Result<(), StoreError> {
        let sql = "SELECT value FROM meta WHERE name = 'journal_key'";
        let known = sqlx::query(sql).fetch_optional(connection).await.map_err(|e| explain(&e))?;
        let known: Option<String> = known.map(|row| row.try_get(0)).transpose().map_err(|e| explain(&e))?;
        if known.is_none_or(|known| known == key.sign()) {
            return Ok(());
        }
        Err(StoreError::Unusable(format!(
            "{} is not the key this database's journal was begun with: put that one in its place (from the machine that \
             uses this database, or from a backup)",
            self.place.key_file().display()
        )))
    }

    /// The lease is ours: brings the schema up to date, settles what the former owner left, and starts the writer.
    pub async fn begin(&self, open: Option<AnyConnection>, claimed: Claimed) -> Result<Store, StoreError> {
        // From here on it is ours, and a standby elsewhere waits: whoever fails lets the lease run out.
        let mut connection = match open {
            Some(connection) => connection,
            None => self.dialect.writer().await?,
        };
        let Claimed { key, found, epoch, former, asked } = claimed;
        let version = schema::version(&mut connection, &self.dialect).await?;
        schema::migrate(&mut connection, &self.dialect, version, Some(epoch)).await?;
        let anchor = AnchorFile(self.place.anchor());
        let mut starts = Starts::read(self.place.starts())?;
        let now = self.clock.now();
        let taken = self.settle(&mut connection, found, &key, epoch, former).await?;
        if self.dialect.is_shared() {
            learn_starts(&mut connection, &mut starts).await?;
        }
        if let Some(why) = &taken.restored {
            tracing::warn!(why, "restored mode: nothing is delivered or run until a person confirms");
        } else {
            anchor.write(&taken.anchor, &key).map_err(|e| {
                StoreError::Unavailable(format!(
                    "cannot write {}: {e}; is the disk full?",
                    self.place.anchor().display()
                ))
            })?;
        }
        if let Ok(mut restored) = self.shared.restored.write() {
            restored.clone_from(&taken.restored);
        }
        let reader = Reader::connect(&self.dialect, &self.place, Arc::clone(&self.clock)).await?;
        let (jobs, queue) = mpsc::channel(MAX_QUEUED);
        let writer = Writer {
            dialect: self.dialect.clone(),
            key,
            epoch,
            anchor,
            starts,
            anchored: taken.anchor,
            anchored_at: now,
            renewed: asked,
            clock: Arc::clone(&self.clock),
            shared: Arc::clone(&self.shared),
            unstarted: Vec::new(),
            arrears: Arrears::default(),
            lock: Arc::clone(&self.lock),
        };
        self.shared.renewed(asked, self.dialect.sure_for());
        tokio::spawn(writer.run(connection, queue));
        Ok(Store { reader, jobs, shared: Arc::clone(&self.shared) })
    }

    /// Whatever the former owner was sending is unknown from now on; and is this database what it was?
    async fn settle(
        &self,
        connection: &mut AnyConnection,
        found: Found,
        key: &ChainKey,
        epoch: i64,
        former: i64,
    ) -> Result<Taken, StoreError> {
        let fail = |e: sqlx::Error| explain(&e);
        let mut tx = connection.begin_with(self.dialect.begin()).await.map_err(fail)?;
        lease::fence(&mut tx, &self.dialect, epoch).await?;
        let mut head = Head::load(&mut tx).await.map_err(fail)?;
        let said = sqlx::query("SELECT value FROM meta WHERE name = 'restored'").fetch_optional(&mut *tx).await;
        let said: Option<String> = said.map_err(fail)?.and_then(|row| row.try_get(0).ok());
        let restored = match said {
            Some(why) => Some(why),
            None => age(&mut tx, &found, &head, former).await.map_err(fail)?,
        };
        // In the words of the index, of whatever number of settled rows there are.
        let sql = "UPDATE outbox SET state = 'unknown', error = 'the process ended while it was being sent' \
                   WHERE state IN ('pending', 'sending', 'unknown', 'dead') AND state = 'sending'";
        sqlx::query(sql).execute(&mut *tx).await.map_err(fail)?;
        let keep = "INSERT INTO meta (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING";
        if let Some(why) = &restored {
            sqlx::query(keep).bind("restored").bind(why).execute(&mut *tx).await.map_err(fail)?;
        }
        // Known from now on to be the right one: it sealed the anchor, or nothing was ever written with another.
        if head.seq == 0 || matches!(found, Found::Anchor(_)) {
            sqlx::query(keep).bind("journal_key").bind(key.sign()).execute(&mut *tx).await.map_err(fail)?;
        }
        head.generation += 1;
        head.store(&mut tx).await.map_err(fail)?;
        tx.commit().await.map_err(fail)?;
        let anchor = match (found, &restored) {
            // The evidence stays as it is, until a person has looked.
            (Found::Anchor(anchor), Some(_)) => anchor,
            _ => Anchor::of(&head, epoch),
        };
        Ok(Taken { anchor, restored })
    }
}

impl Reader {
    /// Opens it for reading only, beside the process that owns it.
    pub async fn open(location: impl Into<Location>, clock: Arc<dyn Clock>) -> Result<Self, StoreError> {
        let location = location.into();
        let place =
            if location.postgres.is_some() { Place::named(&location.dir) } else { Place::existing(&location.dir)? };
        let dialect = Dialect::of(&location, &place);
        if !dialect.is_shared() && place.inspect()? {
            let what = format!(
                "there is no smokejumper database in {}; name another directory with --data-dir",
                place.dir().display()
            );
            return Err(StoreError::Unusable(what));
        }
        let mut looker = dialect.looker().await?;
        let found = schema::version(&mut looker, &dialect).await?;
        schema::check(found)?;
        if found == 0 {
            return Err(StoreError::Unavailable("the database is being made; try again in a moment".to_owned()));
        }
        let _ = looker.close().await;
        Self::connect(&dialect, &place, clock).await
    }

    async fn connect(dialect: &Dialect, place: &Place, clock: Arc<dyn Clock>) -> Result<Self, StoreError> {
        Ok(Self::new(dialect.readers().await?, dialect.clone(), place.clone(), clock))
    }
}

/// Runs that another machine started with this database: they were started for this one, too.
async fn learn_starts(connection: &mut AnyConnection, starts: &mut Starts) -> Result<(), StoreError> {
    let rows =
        sqlx::query("SELECT op FROM outbox WHERE run = 1 AND attempts > 0 ORDER BY id").fetch_all(connection).await;
    let mut news = Vec::new();
    for row in rows.map_err(|e| explain(&e))? {
        let op: String = row.try_get(0).map_err(|e| explain(&e))?;
        if !starts.contains(&op) {
            news.push(op);
        }
    }
    if news.is_empty() {
        return Ok(());
    }
    starts.add(&news).map_err(|e| StoreError::Unavailable(format!("the runs that were started cannot be written: {e}")))
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
    /// What the anchor's file says, or is to say.
    anchor: Anchor,
    restored: Option<String>,
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
