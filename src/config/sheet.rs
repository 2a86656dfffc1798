//! Sheets: the configuration and the files it names, each with its text, so that every problem has the place it was written at.
//!
//! Knows how a file is read; knows nothing of what its tables mean.

use super::catalogue::Catalogue;
use super::problem::Problem;
use super::raw::{self, Raw, Text};
use std::path::{Path, PathBuf};

/// Bytes of a file of the configuration.
pub const MAX_FILE: u64 = 1024 * 1024;
/// What a file of people may hold.
const OF_PEOPLE: &[&str] = &["person", "team"];
/// One of who is on call when.
const OF_ON_CALL: &[&str] = &["on_call"];
/// And one of services.
const OF_SERVICES: &[&str] = &["service"];

/// A text and where it is from.
#[derive(Debug)]
pub struct Page {
    pub file: PathBuf,
    pub text: String,
    tables: &'static [&'static str],
}

/// A page and what it says.
pub struct Sheet<'f> {
    pub file: &'f Path,
    pub source: &'f str,
    /// Relative paths in it start here.
    pub folder: PathBuf,
    pub raw: Raw,
    main: bool,
}

impl<'f> Sheet<'f> {
    /// Whether it is the configuration itself, not a file that it names.
    pub const fn is_main(&self) -> bool {
        self.main
    }

    /// Reads a text as far as it can be; what can't be is added to `problems`.
    pub fn read(file: &'f Path, source: &'f str, tables: &[&'static str], problems: &mut Vec<Problem>) -> Self {
        let (raw, found) = raw::read(file, source, tables);
        problems.extend(found);
        let folder = file.parent().unwrap_or(Path::new("")).to_owned();
        Self { file, source, folder, raw, main: tables == raw::TABLES }
    }
}

impl Page {
    /// What is written on it.
    pub fn sheet(&self, problems: &mut Vec<Problem>) -> Sheet<'_> {
        Sheet::read(&self.file, &self.text, self.tables, problems)
    }
}

/// The files of tables that `[catalogue]` names; what can't be read is a problem where it is named.
pub fn named(catalogue: &Catalogue, main: &Sheet<'_>, problems: &mut Vec<Problem>) -> Vec<Page> {
    let named = [(&catalogue.people, OF_PEOPLE), (&catalogue.services, OF_SERVICES), (&catalogue.on_call, OF_ON_CALL)];
    let mut pages = Vec::new();
    for (written, tables) in named {
        let Some(written) = written else { continue };
        if let Some((file, text)) = open(written, main, problems) {
            pages.push(Page { file, text, tables });
        }
    }
    pages
}

/// A file that is named in `on`, and its text.
fn open(written: &Text, on: &Sheet<'_>, problems: &mut Vec<Problem>) -> Option<(PathBuf, String)> {
    let file = on.folder.join(written.get_ref());
    match text_of(&file) {
        Ok(text) => Some((file, text)),
        Err(why) => {
            let what = format!("{} cannot be read: {why}", file.display());
            let hint = "write a path from the folder of this file, to a file this user may read";
            problems.push(Problem::at(on.file, on.source, &written.span(), what).hint(hint));
            None
        }
    }
}

/// The text of a file that is not too large, or why not.
pub fn text_of(file: &Path) -> Result<String, String> {
    let size = std::fs::metadata(file).map_err(|e| match e.kind() {
        std::io::ErrorKind::NotFound => "there is no such file".to_owned(),
        _ => e.to_string(),
    })?;
    if !size.is_file() || size.len() > MAX_FILE {
        return Err(format!("it is not a file of at most {} KiB", MAX_FILE / 1024));
    }
    let bytes = std::fs::read(file).map_err(|e| e.to_string())?;
    String::from_utf8(bytes).map_err(|_| "it is not UTF-8 text".to_owned())
}
