//! Standing by: another process writes to the same Postgres, and this one takes over when it is silent, or has let go.
//!
//! Meanwhile it keeps its own anchor up to what the owner has written: what lies beside this host's key then tells a live
//! database from an old copy here, too, and nobody needs to confirm anything when it takes over.

use super::Store;
use super::anchor::{Anchor, AnchorFile};
use super::chain::ChainKey;
use super::dialect::explain;
use super::location::Location;
use super::open::{Claim, Site};
use super::pen::Head;
use crate::ports::{Clock, StoreError};
use sqlx::{AnyConnection, Row as _};
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How often a standby looks whether its turn has come: with the lease on top, well below the 15 s it may take.
pub const LOOK_EVERY: Duration = Duration::from_millis(500);
/// The anchor is synced to disk, so not at every look.
const FOLLOW_EVERY: Duration = Duration::from_secs(5);

/// Why a process waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// This one serves the database.
    Behind(String),
    /// The database cannot be used for now.
    Unreachable(String),
}

impl Standing {
    /// In a word, for machines.
    #[must_use]
    pub const fn what(&self) -> &'static str {
        match self {
            Self::Behind(_) => "standby",
            Self::Unreachable(_) => "database",
        }
    }
}

impl fmt::Display for Standing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Behind(who) => write!(f, "standby: another smokejumper ({who}) serves this database"),
            Self::Unreachable(why) => write!(f, "the database cannot be used for now: {why}"),
        }
    }
}

impl Store {
    /// Like [`Store::open`], but waits as long as another process has the database, or it cannot be reached; with SQLite it
    /// waits for nobody. `standing_by` is told why, at every look. May be dropped at any moment.
    pub async fn wait(
        location: impl Into<Location>,
        clock: Arc<dyn Clock>,
        standing_by: impl Fn(&Standing),
    ) -> Result<Self, StoreError> {
        let site = Site::take(location.into(), clock).await?;
        let (mut connection, mut following) = (None, Following::default());
        loop {
            let standing = match site.claim(&mut connection).await {
                Ok(Claim::Ours(claimed)) => match site.begin(connection.take(), *claimed).await {
                    Err(StoreError::Unavailable(why)) if site.dialect.is_shared() => Standing::Unreachable(why),
                    opened => return opened,
                },
                Ok(Claim::Held { by, key }) => {
                    if let Some(connection) = &mut connection
                        && let Err(problem) = following.look(connection, &site, &key).await
                    {
                        tracing::warn!(%problem, "the journal's anchor does not follow the database");
                    }
                    Standing::Behind(by)
                }
                Err(StoreError::Unavailable(why)) if site.dialect.is_shared() => Standing::Unreachable(why),
                Err(e) => return Err(e),
            };
            standing_by(&standing);
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }
}

/// What a standby has seen of the owner, whose lease says that it wrote to this very database some seconds ago: in a copy that
/// somebody put back it would be over.
#[derive(Debug, Default)]
struct Following {
    /// When the anchor was written, and how far the database had come.
    written: Option<(Instant, i64)>,
}

impl Following {
    async fn look(&mut self, connection: &mut AnyConnection, site: &Site, key: &ChainKey) -> Result<(), StoreError> {
        if self.written.is_some_and(|(at, _)| at.elapsed() < FOLLOW_EVERY) {
            return Ok(());
        }
        let fail = |e: sqlx::Error| explain(&e);
        let head = Head::load(connection).await.map_err(fail)?;
        let sql = "SELECT epoch, (SELECT COUNT(*) FROM meta WHERE name = 'restored') FROM lease WHERE id = 1";
        let row = sqlx::query(sql).fetch_one(connection).await.map_err(fail)?;
        let (epoch, restored): (i64, i64) = (row.try_get(0).map_err(fail)?, row.try_get(1).map_err(fail)?);
        if restored > 0 || self.written.is_some_and(|(_, generation)| generation == head.generation) {
            return Ok(());
        }
        let file = site.place.anchor();
        AnchorFile(file.clone())
            .write(&Anchor::of(&head, epoch), key)
            .map_err(|e| StoreError::Unavailable(format!("cannot write {}: {e}", file.display())))?;
        self.written = Some((Instant::now(), head.generation));
        Ok(())
    }
}
