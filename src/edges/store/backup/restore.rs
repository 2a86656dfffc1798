//! Restoring a backup into a place where nothing is: looked at whole before anything is written, then written in one transaction
//! and verified before that is committed. What comes of it begins in restored mode.

use super::{Cell, FORMAT, Header, Line, MAX_LINE, Manifest, damaged, sealed};
use crate::edges::store::audit;
use crate::edges::store::chain::{ChainKey, KEY_BYTES, unhex};
use crate::edges::store::dialect::{Dialect, explain};
use crate::edges::store::location::Location;
use crate::edges::store::place::Place;
use crate::edges::store::reader::column;
use crate::edges::store::schema;
use crate::ports::StoreError;
use flate2::read::GzDecoder;
use ring::digest;
use sqlx::{AnyConnection, Connection as _};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::Path;

/// What was restored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Restored {
    pub header: Header,
    pub manifest: Manifest,
}

/// Fills an empty data directory and its empty database from a backup. `key`: the journal's, when it is not in the backup and not
/// in the directory.
///
/// # Errors
/// The backup is damaged or was changed, the key is not its key, the place is not empty; nothing is changed then.
pub async fn restore(location: &Location, file: &Path, key: Option<[u8; KEY_BYTES]>) -> Result<Restored, StoreError> {
    let mut lines = Lines::open(file)?;
    let header = lines.header()?;
    let place = Place::prepare(&location.dir)?;
    let _lock = place.lock().await?;
    let bytes = known_key(&place, &header, key)?;
    let chain_key = ChainKey::new(&bytes);
    let manifest = inspect(&mut lines, &chain_key)?;

    let dialect = Dialect::of(location, &place);
    let mut connection = empty(&place, &dialect, header.schema).await?;
    place.keep_key(&bytes)?;
    let mut tx = connection.begin_with(dialect.begin()).await.map_err(|e| explain(&e))?;
    // A second look at the file: it may be larger than memory.
    let mut lines = Lines::open(file)?;
    lines.header()?;
    if fill(&mut tx, &dialect, &mut lines).await? != manifest {
        return Err(damaged("it changed while it was read"));
    }
    settle(&mut tx, &header).await.map_err(|e| explain(&e))?;
    match audit::walk(&mut tx, &chain_key, None).await? {
        audit::Verified::Whole { .. } => {}
        audit::Verified::Tampered { seq, what } => {
            return Err(damaged(&format!("its journal was changed at entry {seq}: {what}")));
        }
    }
    tx.commit().await.map_err(|e| explain(&e))?;
    let _ = connection.close().await;
    Ok(Restored { header, manifest })
}

/// The one in the backup, the one that was given, or the one that lies in the directory already.
fn known_key(place: &Place, header: &Header, given: Option<[u8; KEY_BYTES]>) -> Result<[u8; KEY_BYTES], StoreError> {
    let within = header.key.as_deref().map(|hex| unhex(hex).ok_or_else(|| damaged("its key is no key"))).transpose()?;
    if let Some(bytes) = given.or(within) {
        return Ok(bytes);
    }
    place.key_bytes(false).map_err(|_| {
        StoreError::Unusable(format!(
            "the journal's key is needed, and this backup does not hold it: name the file with --key (it was journal.key in the \
             data directory), or put it into {}",
            place.dir().display()
        ))
    })
}

/// Reads all of it, and compares with what its end says. Gives that.
fn inspect(lines: &mut Lines, key: &ChainKey) -> Result<Manifest, StoreError> {
    let (mut table, mut counts) = (None, BTreeMap::<String, u64>::new());
    loop {
        let so_far = hex::encode(lines.digest.clone().finish().as_ref());
        match lines.next()? {
            Line::Table { table: name, columns } => {
                counts.insert(name.clone(), 0);
                table = Some((name, columns.len()));
            }
            Line::Row(cells) => {
                let Some((name, columns)) = &table else { return Err(damaged("a row belongs to no table")) };
                if cells.len() != *columns {
                    return Err(damaged("a row has not as many values as its table has columns"));
                }
                *counts.entry(name.clone()).or_default() += 1;
            }
            Line::End { manifest, seal } => {
                if manifest.sha256 != so_far {
                    return Err(damaged("its checksum is another"));
                }
                // Tables without rows are only counted.
                if manifest.tables.iter().any(|(name, rows)| counts.get(name).copied().unwrap_or_default() != *rows)
                    || counts.keys().any(|name| !manifest.tables.contains_key(name))
                {
                    return Err(damaged("rows are missing"));
                }
                if key.seal(&sealed(&manifest)?) != seal {
                    return Err(StoreError::Unusable(
                        "the journal's key is not the one this backup was made with, or somebody changed the backup; \
                         nothing was restored"
                            .to_owned(),
                    ));
                }
                return Ok(manifest);
            }
        }
    }
}

/// A connection to a database in which nothing ever happened, at the schema of the backup.
async fn empty(place: &Place, dialect: &Dialect, wanted: usize) -> Result<AnyConnection, StoreError> {
    schema::check(wanted)?;
    let not_empty = || {
        let dir = place.dir().display();
        StoreError::Unusable(format!("there is data in {dir} or its database already; restore into an empty one"))
    };
    if place.anchor().exists() || place.starts().exists() {
        return Err(not_empty());
    }
    if !dialect.is_shared() && place.inspect()? {
        place.make_database()?;
    }
    let mut connection = dialect.writer().await?;
    let found = schema::version(&mut connection, dialect).await?;
    if found > wanted {
        return Err(not_empty());
    }
    if found > 0 {
        let sql = "SELECT seq + inbox + outbox + letter FROM head WHERE id = 1";
        let row = sqlx::query(sql).fetch_one(&mut connection).await.map_err(|e| explain(&e))?;
        if column::<i64>(&row, 0)? != 0 {
            return Err(not_empty());
        }
    }
    schema::migrate_to(&mut connection, dialect, found, wanted, None).await?;
    Ok(connection)
}

/// Writes every row; gives the manifest at the end.
async fn fill(tx: &mut AnyConnection, dialect: &Dialect, lines: &mut Lines) -> Result<Manifest, StoreError> {
    let known = dialect.tables(tx).await?;
    for table in &known {
        // The few rows a new schema begins with.
        let sql = sqlx::AssertSqlSafe(format!("DELETE FROM {table}"));
        sqlx::query(sql).execute(&mut *tx).await.map_err(|e| explain(&e))?;
    }
    let (mut table, mut columns) = (String::new(), Vec::new());
    loop {
        match lines.next()? {
            Line::Table { table: name, columns: names } => {
                // Both go into SQL as they are.
                let plain = |name: &str| !name.is_empty() && name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
                if !known.contains(&name) || !names.iter().all(|name| plain(name)) {
                    return Err(damaged("it has a table that this schema has not"));
                }
                (table, columns) = (name, names);
            }
            Line::Row(cells) => insert(tx, &table, &columns, cells).await?,
            Line::End { manifest, .. } => return Ok(manifest),
        }
    }
}

/// What is nothing is left out, so that no type need be known for it.
async fn insert(tx: &mut AnyConnection, table: &str, columns: &[String], cells: Vec<Cell>) -> Result<(), StoreError> {
    let there: Vec<(&String, Cell)> =
        columns.iter().zip(cells).filter(|(_, c)| !matches!(c, Cell::Nothing(()))).collect();
    let names: Vec<String> = there.iter().map(|(name, _)| format!("\"{name}\"")).collect();
    let holes: Vec<String> = (1..=there.len()).map(|n| format!("${n}")).collect();
    let sql = format!("INSERT INTO {table} ({}) VALUES ({})", names.join(", "), holes.join(", "));
    let mut query = sqlx::query(sqlx::AssertSqlSafe(sql));
    for (_, cell) in there {
        query = match cell {
            Cell::Number(n) => query.bind(n),
            Cell::Text(text) => query.bind(text),
            Cell::Nothing(()) => query,
        };
    }
    query.execute(&mut *tx).await.map(drop).map_err(|e| explain(&e))
}

/// Restored mode, whoever opens it; and nobody holds the lease.
async fn settle(tx: &mut AnyConnection, header: &Header) -> sqlx::Result<()> {
    let made = jiff::Timestamp::from_millisecond(header.made_at).unwrap_or_default();
    let why = format!("it was restored from a backup of {made:.0}");
    let sql = "INSERT INTO meta (name, value) VALUES ('restored', $1) ON CONFLICT (name) DO UPDATE SET value = $1";
    sqlx::query(sql).bind(why).execute(&mut *tx).await?;
    sqlx::query("UPDATE lease SET holder = '', until_at = 0 WHERE id = 1").execute(&mut *tx).await?;
    Ok(())
}

/// A backup, line by line.
struct Lines {
    from: BufReader<GzDecoder<BufReader<File>>>,
    digest: digest::Context,
}

impl Lines {
    fn open(file: &Path) -> Result<Self, StoreError> {
        let open = File::open(file);
        let open = open.map_err(|e| StoreError::Unusable(format!("{} cannot be read: {e}", file.display())))?;
        let from = BufReader::new(GzDecoder::new(BufReader::new(open)));
        Ok(Self { from, digest: digest::Context::new(&digest::SHA256) })
    }

    fn text(&mut self) -> Result<String, StoreError> {
        let mut line = Vec::new();
        let read = (&mut self.from).take(MAX_LINE).read_until(b'\n', &mut line);
        read.map_err(|e| damaged(&e.to_string()))?;
        if line.pop() != Some(b'\n') {
            return Err(damaged("it ends too early"));
        }
        self.digest.update(&line);
        self.digest.update(b"\n");
        String::from_utf8(line).map_err(|_| damaged("it is not text"))
    }

    fn header(&mut self) -> Result<Header, StoreError> {
        let header: Header = serde_json::from_str(&self.text()?).map_err(|_| damaged("it does not begin like one"))?;
        if header.smokejumper != "backup" {
            return Err(damaged("it does not begin like one"));
        }
        if header.format != FORMAT {
            let what =
                format!("this backup was made by smokejumper {}; install that version or a newer one", header.version);
            return Err(StoreError::Unusable(what));
        }
        schema::check(header.schema)?;
        Ok(header)
    }

    fn next(&mut self) -> Result<Line, StoreError> {
        serde_json::from_str(&self.text()?).map_err(|_| damaged("a line cannot be read"))
    }
}
