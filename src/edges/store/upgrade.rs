//! The schema as an operator sees it: what a database has, what this program would do to it, and doing it without serving.

use super::Store;
use super::dialect::Dialect;
use super::location::Location;
use super::place::Place;
use super::schema::{MIGRATIONS, check, version};
use crate::ports::{Clock, StoreError};
use sqlx::Connection as _;
use std::sync::Arc;

/// How a database stands to this program, which can read it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schema {
    /// Migrations the database has; 0: there is none yet.
    pub found: usize,
    /// Names of those that would be applied, in order.
    pub pending: Vec<&'static str>,
}

impl Schema {
    /// Looks, and changes nothing; beside a running server, too.
    ///
    /// # Errors
    /// The database cannot be reached, or a newer program wrote it.
    pub async fn look(location: impl Into<Location>) -> Result<Self, StoreError> {
        let location = location.into();
        let place = Place::named(&location.dir);
        let dialect = Dialect::of(&location, &place);
        if !dialect.is_shared() && place.inspect()? {
            return Ok(Self::at(0));
        }
        let mut looker = dialect.looker().await?;
        let found = version(&mut looker, &dialect).await?;
        let _ = looker.close().await;
        check(found)?;
        Ok(Self::at(found))
    }

    /// Brings it up to date; what was pending is in the answer.
    ///
    /// # Errors
    /// A server has the database, or it cannot be used.
    pub async fn migrate(location: impl Into<Location>, clock: Arc<dyn Clock>) -> Result<Self, StoreError> {
        let location = location.into();
        let before = Self::look(&location).await?;
        Store::open(&location, clock).await?.close().await;
        Ok(before)
    }

    fn at(found: usize) -> Self {
        Self { found, pending: MIGRATIONS.iter().skip(found).map(|(name, _)| *name).collect() }
    }

    /// Migrations this program knows.
    #[must_use]
    pub const fn known() -> usize {
        MIGRATIONS.len()
    }
}
