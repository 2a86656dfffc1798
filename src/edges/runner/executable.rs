//! A file that was opened once: hashed, and then run or handed on from that same open file.
//!
//! A program is executed through its descriptor, so replacing the path changes nothing. A script is read by its interpreter
//! while it runs, so it is first copied into sealed memory: what was hashed cannot change any more.

use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, memfd_create};
use rustix::io::{Errno, FdFlags, fcntl_setfd};
use std::fs::File;
use std::io::{Read, Seek, Write};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// Largest script or argument file in bytes; it is held in memory while it runs.
pub const MAX_SCRIPT: u64 = 8 * 1024 * 1024;
/// Largest program in bytes; tools in Go are about 100 MB.
pub const MAX_PROGRAM: u64 = 1024 * 1024 * 1024;
/// Of the beginning of a program: Linux reads as much for a script's interpreter.
const MAX_START: u64 = 256;
/// Read at a time, in bytes.
const CHUNK: usize = 64 * 1024;

#[derive(Debug, thiserror::Error)]
pub enum FileError {
    #[error("{path} cannot be read: {source}")]
    Io { path: String, source: std::io::Error },
    #[error("{path} is not a regular file")]
    NotRegular { path: String },
    #[error("{path} is neither a program for this machine nor a script that begins with `#!/path/of/interpreter`")]
    NotExecutable { path: String },
    #[error("{path} is not executable; allow it with chmod +x")]
    NotAllowed { path: String },
    #[error("{path} is larger than {limit} bytes")]
    TooLarge { path: String, limit: u64 },
    #[error("{path} is not what was approved: its SHA-256 is {is}, approved was {approved}")]
    Changed { path: String, is: String, approved: String },
}

/// Hex SHA-256 of a regular file's bytes, read through one open file.
pub fn digest(path: &Path) -> Result<String, FileError> {
    let shown = path.display().to_string();
    let mut file = open(path, &shown)?;
    copy_hashed(&mut file, &mut std::io::sink(), MAX_PROGRAM, &shown)
}

/// Open, checked against its digest, and ready to be executed or read by a child as `/proc/self/fd/N`.
#[derive(Debug)]
pub struct Checked {
    fd: OwnedFd,
    /// A script's interpreter opens the path again, so its descriptor must stay open across `execve`.
    script: bool,
}

impl Checked {
    /// The program of a run.
    pub fn program(path: &str, approved: &str) -> Result<Self, FileError> {
        let mut file = open(Path::new(path), path)?;
        let mut start = Vec::new();
        let io = |source| FileError::Io { path: path.to_owned(), source };
        (&mut file).take(MAX_START).read_to_end(&mut start).map_err(io)?;
        file.rewind().map_err(io)?;
        // A copy in memory has permissions of its own, so those of the file are asked for here.
        if file.metadata().map_err(io)?.permissions().mode() & 0o111 == 0 {
            return Err(FileError::NotAllowed { path: path.to_owned() });
        }
        let script = start.starts_with(b"#!");
        // For anything else the C library would start a shell to read it.
        if !(is_native(&start) || script && interpreter(&start).is_some_and(is_regular)) {
            return Err(FileError::NotExecutable { path: path.to_owned() });
        }
        if script {
            return Self::sealed(file, path, approved);
        }
        let is = copy_hashed(&mut file, &mut std::io::sink(), MAX_PROGRAM, path)?;
        same(path, is, approved)?;
        Ok(Self { fd: file.into(), script: false })
    }

    /// A file that is an argument: the script of an interpreter, say.
    pub fn argument(path: &str, approved: &str) -> Result<Self, FileError> {
        Self::sealed(open(Path::new(path), path)?, path, approved)
    }

    fn sealed(mut file: File, path: &str, approved: &str) -> Result<Self, FileError> {
        let io = |source: std::io::Error| FileError::Io { path: path.to_owned(), source };
        let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
        let memory = match memfd_create("approved", flags | MemfdFlags::EXEC) {
            // Linux before 6.3 does not know the flag, and needs none.
            Err(Errno::INVAL) => memfd_create("approved", flags),
            made => made,
        };
        let mut memory = File::from(memory.map_err(|e| io(e.into()))?);
        let is = copy_hashed(&mut file, &mut memory, MAX_SCRIPT, path)?;
        same(path, is, approved)?;
        memory.rewind().map_err(io)?;
        let seals = SealFlags::WRITE | SealFlags::GROW | SealFlags::SHRINK | SealFlags::SEAL;
        fcntl_add_seals(&memory, seals).map_err(|e| io(e.into()))?;
        fcntl_setfd(&memory, FdFlags::empty()).map_err(|e| io(e.into()))?;
        Ok(Self { fd: memory.into(), script: true })
    }

    /// Where a child of this process finds it.
    pub fn path(&self) -> String {
        format!("/proc/self/fd/{}", self.fd.as_raw_fd())
    }

    pub const fn is_script(&self) -> bool {
        self.script
    }
}

/// An ELF file for the machine this very program was made for: class, byte order (bytes 4 and 5) and machine (18 and 19).
fn is_native(start: &[u8]) -> bool {
    let mut own = [0; 20];
    let read = File::open("/proc/self/exe").and_then(|mut exe| exe.read_exact(&mut own));
    let same =
        |range: std::ops::Range<usize>| start.get(range.clone()).is_some_and(|bytes| own.get(range) == Some(bytes));
    read.is_ok() && start.starts_with(b"\x7fELF") && same(4..6) && same(18..20)
}

/// The absolute path after `#!`.
fn interpreter(start: &[u8]) -> Option<&Path> {
    let line = start.strip_prefix(b"#!")?.split(|&byte| byte == b'\n').next()?;
    let path = std::str::from_utf8(line).ok()?.split_whitespace().next()?;
    Some(Path::new(path)).filter(|path| path.is_absolute())
}

fn is_regular(path: &Path) -> bool {
    std::fs::metadata(path).is_ok_and(|meta| meta.is_file())
}

fn open(path: &Path, shown: &str) -> Result<File, FileError> {
    let io = |source| FileError::Io { path: shown.to_owned(), source };
    // Opening a pipe or device may block or act, so what it is comes first; what was opened is asked again.
    if !std::fs::metadata(path).map_err(io)?.is_file() {
        return Err(FileError::NotRegular { path: shown.to_owned() });
    }
    let file = File::open(path).map_err(io)?;
    if file.metadata().map_err(io)?.is_file() {
        Ok(file)
    } else {
        Err(FileError::NotRegular { path: shown.to_owned() })
    }
}

fn same(path: &str, is: String, approved: &str) -> Result<(), FileError> {
    if is == approved {
        return Ok(());
    }
    Err(FileError::Changed { path: path.to_owned(), is, approved: approved.to_owned() })
}

fn copy_hashed(from: &mut File, to: &mut dyn Write, limit: u64, path: &str) -> Result<String, FileError> {
    let io = |source| FileError::Io { path: path.to_owned(), source };
    let mut hash = ring::digest::Context::new(&ring::digest::SHA256);
    let mut chunk = vec![0; CHUNK];
    let mut total = 0;
    loop {
        let read = match from.read(&mut chunk) {
            Ok(0) => return Ok(hex::encode(hash.finish().as_ref())),
            Ok(read) => read,
            Err(e) if e.kind() == std::io::ErrorKind::Interrupted => continue,
            Err(e) => return Err(io(e)),
        };
        total += read as u64;
        if total > limit {
            return Err(FileError::TooLarge { path: path.to_owned(), limit });
        }
        let bytes = chunk.get(..read).unwrap_or_default();
        hash.update(bytes);
        to.write_all(bytes).map_err(io)?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_hashed_stays_whatever_happens_to_the_path() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("fix.sh");
        std::fs::write(&path, "#!/bin/sh\necho good\n").unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        let approved = digest(&path).unwrap();
        let shown = path.to_str().unwrap();
        let checked = Checked::program(shown, &approved).unwrap();
        assert!(checked.is_script());
        // In place, so that the inode is the same one.
        std::fs::write(&path, "#!/bin/sh\necho evil\n").unwrap();
        assert_eq!(std::fs::read_to_string(checked.path()).unwrap(), "#!/bin/sh\necho good\n");
        assert!(
            std::fs::OpenOptions::new().write(true).open(checked.path()).and_then(|mut f| f.write_all(b"x")).is_err()
        );
        assert!(matches!(Checked::program(shown, &approved), Err(FileError::Changed { .. })));
        assert!(matches!(Checked::argument(shown, &approved), Err(FileError::Changed { .. })));
    }

    #[test]
    fn only_regular_files_are_opened() {
        let dir = tempfile::tempdir().unwrap();
        assert!(matches!(digest(dir.path()), Err(FileError::NotRegular { .. })));
        assert!(matches!(digest(Path::new("/dev/zero")), Err(FileError::NotRegular { .. })));
        assert!(matches!(digest(&dir.path().join("absent")), Err(FileError::Io { .. })));
    }
}
