//! The bell: whoever else puts something into the inbox of a shared Postgres rings, and this process looks at once. A ring
//! that is lost costs some seconds: the engine looks now and then anyway.
//!
//! Another writer takes the lease row (`SELECT … FOR UPDATE`) before anything else, gives its rows the next numbers of the
//! head row, and says `NOTIFY smokejumper_inbox` in the same transaction. Our own writer rings inside its process.

use super::Store;
use super::dialect::Dialect;
use crate::config::secret::Secret;
use sqlx::postgres::PgListener;
use std::time::Duration;

/// The channel.
pub const CHANNEL: &str = "smokejumper_inbox";
/// Between two attempts to connect.
const AGAIN: Duration = Duration::from_secs(2);

/// A bell that others can ring.
#[derive(Debug)]
pub struct Bell(Secret);

impl Store {
    /// `None`: with SQLite nobody else writes.
    #[must_use]
    pub fn bell(&self) -> Option<Bell> {
        match self.reader().dialect() {
            Dialect::Sqlite(_) => None,
            Dialect::Postgres(url) => Some(Bell(url.clone())),
        }
    }
}

impl Bell {
    /// Calls `rung` at every ring, and whenever some may have been missed. Goes on until it is dropped.
    pub async fn listen(&self, rung: impl Fn()) {
        loop {
            if let Err(problem) = self.hear(&rung).await {
                tracing::debug!(%problem, "the database's bell is not heard; looking every few seconds");
            }
            tokio::time::sleep(AGAIN).await;
        }
    }

    async fn hear(&self, rung: &impl Fn()) -> sqlx::Result<()> {
        let mut listener = PgListener::connect(self.0.expose()).await?;
        listener.listen(CHANNEL).await?;
        rung();
        // `None`: the connection was lost, and with it perhaps a ring.
        while listener.try_recv().await?.is_some() {
            rung();
        }
        Ok(())
    }
}
