//! What was learnt, as a file beside the index: named by its content, so that a damaged or foreign one is noticed.
//!
//! It is written before the commit that names it, and older ones are removed after: whatever happens in between, the
//! index and what was learnt with it belong together.

use crate::trouble::Trouble;
use std::fs::{self, File};
use std::io::Write;
use std::path::Path;

const PREFIX: &str = "learnt-";

/// The name of these bytes: FNV-1a, taken eight at a time.
fn name(bytes: &[u8]) -> String {
    let (words, rest) = bytes.as_chunks::<8>();
    let words = words.iter().map(|word| u64::from_le_bytes(*word)).chain(rest.iter().map(|byte| u64::from(*byte)));
    let step = |hash: u64, word: u64| (hash ^ word).wrapping_mul(0x0100_0000_01b3).rotate_left(23);
    let hash = words.fold(0xcbf2_9ce4_8422_2325 ^ bytes.len() as u64, step);
    format!("{PREFIX}{hash:016x}")
}

/// Whether a file of the index directory is one of these.
pub(crate) fn is_ours(name: &str) -> bool {
    let hash = name.strip_prefix(PREFIX).map(|rest| rest.strip_suffix(".new").unwrap_or(rest));
    hash.is_some_and(|hash| hash.len() == 16 && hash.bytes().all(|b| b.is_ascii_hexdigit()))
}

/// Writes it down for good and gives its name.
pub(crate) fn write(dir: &Path, bytes: &[u8]) -> Result<String, Trouble> {
    let failed = |source| Trouble::Io { doing: "writing what was learnt", source };
    let name = name(bytes);
    let (new, path) = (dir.join(format!("{name}.new")), dir.join(&name));
    let mut file = File::create(&new).map_err(failed)?;
    file.write_all(bytes).and_then(|()| file.sync_all()).map_err(failed)?;
    fs::rename(&new, &path).map_err(failed)?;
    File::open(dir).and_then(|dir| dir.sync_all()).map_err(failed)?;
    Ok(name)
}

/// Reads what [`write`] wrote.
pub(crate) fn read(dir: &Path, expected: &str) -> Result<Vec<u8>, Trouble> {
    if !is_ours(expected) {
        return Err(Trouble::Damaged("the record of what was learnt has no such name".into()));
    }
    let bytes = fs::read(dir.join(expected)).map_err(|e| Trouble::of_io("reading what was learnt", &e))?;
    if name(&bytes) == expected {
        Ok(bytes)
    } else {
        Err(Trouble::Damaged("what was learnt is not what was written".into()))
    }
}

/// Removes all but `kept`. What can't be removed is in nobody's way, and is tried again.
pub(crate) fn tidy(dir: &Path, kept: &str) {
    let Ok(entries) = fs::read_dir(dir) else { return };
    for entry in entries.flatten() {
        if entry.file_name().to_str().is_some_and(|name| is_ours(name) && name != kept) {
            let _ = fs::remove_file(entry.path());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_flipped_bit_is_noticed_and_only_the_newest_is_kept() {
        let dir = tempfile::tempdir().unwrap();
        let first = write(dir.path(), b"one, and some more of it").unwrap();
        let second = write(dir.path(), b"two").unwrap();
        assert_eq!(read(dir.path(), &first).unwrap(), b"one, and some more of it");
        tidy(dir.path(), &second);
        assert!(matches!(read(dir.path(), &first), Err(Trouble::Damaged(_))));
        fs::write(dir.path().join(&second), b"twp").unwrap();
        assert!(matches!(read(dir.path(), &second), Err(Trouble::Damaged(_))));
        assert!(matches!(read(dir.path(), "../learnt"), Err(Trouble::Damaged(_))));
    }
}
