//! Taking a backup: one transaction that only reads, row by row into a file nobody else may read, which gets its name when it is
//! whole and on disk. The server goes on meanwhile.

use super::{Cell, FORMAT, Header, Line, Manifest, sealed};
use crate::edges::store::anchor::sync_dir;
use crate::edges::store::chain::ChainKey;
use crate::edges::store::dialect::explain;
use crate::edges::store::pen::json;
use crate::edges::store::reader::{Reader, column};
use crate::edges::store::schema;
use crate::ports::StoreError;
use flate2::Compression;
use flate2::write::GzEncoder;
use futures::TryStreamExt as _;
use ring::digest;
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Column as _, Connection as _, Row as _, ValueRef as _};
use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

/// Bytes gathered before they go to disk.
const BUFFER: usize = 256 * 1024;

/// Writes a backup to a new file, readable by its owner alone; durable when it returns. `with_key`: the journal's key goes in,
/// so that this file is all a restore needs, and whoever has it could also forge the journal.
///
/// # Errors
/// The database cannot be read, the file exists already or cannot be written; then nothing of it is left.
pub async fn take(reader: &Reader, file: &Path, with_key: bool, made_at: i64) -> Result<Manifest, StoreError> {
    let failed = |e: std::io::Error| StoreError::Unavailable(format!("{} cannot be written: {e}", file.display()));
    if fs::symlink_metadata(file).is_ok() {
        return Err(StoreError::Unusable(format!("{} exists already; name a new file", file.display())));
    }
    let draft = Draft(draft(file));
    let mut open = OpenOptions::new();
    let made = open.write(true).create_new(true).mode(0o600).open(&draft.0).map_err(failed)?;
    let manifest = write(reader, made, with_key, made_at).await.map_err(|trouble| match trouble {
        Trouble::Store(e) => e,
        Trouble::File(e) => failed(e),
    })?;
    // Never over another one: a link fails where a name would be taken over.
    fs::hard_link(&draft.0, file).map_err(failed)?;
    drop(draft);
    sync_dir(&std::path::absolute(file).map_err(failed)?).map_err(failed)?;
    Ok(manifest)
}

/// Half a backup must not be left to pass for one.
struct Draft(PathBuf);

impl Drop for Draft {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

fn draft(file: &Path) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(format!(".{}.part", std::process::id()));
    PathBuf::from(name)
}

enum Trouble {
    Store(StoreError),
    File(std::io::Error),
}

impl From<StoreError> for Trouble {
    fn from(e: StoreError) -> Self {
        Self::Store(e)
    }
}

impl From<sqlx::Error> for Trouble {
    fn from(e: sqlx::Error) -> Self {
        Self::Store(explain(&e))
    }
}

impl From<std::io::Error> for Trouble {
    fn from(e: std::io::Error) -> Self {
        Self::File(e)
    }
}

/// Compresses, and digests what goes in.
struct Out {
    to: GzEncoder<BufWriter<File>>,
    digest: digest::Context,
}

impl Out {
    fn line(&mut self, text: &str) -> std::io::Result<()> {
        for part in [text.as_bytes(), b"\n"] {
            self.digest.update(part);
            self.to.write_all(part)?;
        }
        Ok(())
    }
}

async fn write(reader: &Reader, file: File, with_key: bool, made_at: i64) -> Result<Manifest, Trouble> {
    let dialect = reader.dialect();
    let bytes = reader.place().key_bytes(false)?;
    let key = ChainKey::new(&bytes);
    let mut connection = dialect.looker().await?;
    let mut tx = connection.begin_with(dialect.begin_view()).await?;
    let tables = dialect.tables(&mut tx).await?;
    let header = Header {
        smokejumper: "backup".to_owned(),
        format: FORMAT,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        schema: schema::version(&mut tx, dialect).await?,
        made_at,
        key: with_key.then(|| hex::encode(bytes)),
    };
    let to = GzEncoder::new(BufWriter::with_capacity(BUFFER, file), Compression::default());
    let mut out = Out { to, digest: digest::Context::new(&digest::SHA256) };
    out.line(&json(&header)?)?;
    let mut manifest = Manifest { tables: BTreeMap::new(), ..head(&mut tx).await? };
    for table in tables {
        let rows = rows(&mut tx, &table, &mut out).await?;
        manifest.tables.insert(table, rows);
    }
    tx.rollback().await?;
    let _ = connection.close().await;
    manifest.sha256 = hex::encode(out.digest.clone().finish().as_ref());
    let seal = key.seal(&sealed(&manifest)?);
    out.line(&json(&Line::End { manifest: manifest.clone(), seal })?)?;
    let file = out.to.finish()?.into_inner().map_err(std::io::IntoInnerError::into_error)?;
    file.sync_all()?;
    Ok(manifest)
}

async fn head(tx: &mut AnyConnection) -> Result<Manifest, Trouble> {
    let row = sqlx::query("SELECT seq, chain FROM head WHERE id = 1").fetch_one(tx).await?;
    Ok(Manifest { seq: column(&row, 0)?, chain: column(&row, 1)?, ..Manifest::default() })
}

/// All rows of a table, one in memory at a time.
async fn rows(tx: &mut AnyConnection, table: &str, out: &mut Out) -> Result<u64, Trouble> {
    let sql = sqlx::AssertSqlSafe(format!("SELECT * FROM {table}"));
    let mut rows = sqlx::query(sql).fetch(tx);
    let mut number = 0;
    while let Some(row) = rows.try_next().await? {
        if number == 0 {
            let columns = row.columns().iter().map(|column| column.name().to_owned()).collect();
            out.line(&json(&Line::Table { table: table.to_owned(), columns })?)?;
        }
        out.line(&json(&Line::Row(cells(&row)?))?)?;
        number += 1;
    }
    Ok(number)
}

fn cells(row: &AnyRow) -> Result<Vec<Cell>, Trouble> {
    let mut cells = Vec::with_capacity(row.len());
    for i in 0..row.len() {
        let value = row.try_get_raw(i)?;
        cells.push(if value.is_null() {
            Cell::Nothing(())
        } else if value.type_info().kind().is_integer() {
            Cell::Number(row.try_get(i)?)
        } else {
            Cell::Text(row.try_get(i)?)
        });
    }
    Ok(cells)
}
