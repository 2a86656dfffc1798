//! The data directory: who may read it, what lies in it, and how much room is left.

use super::{Check, Finding, Ground};
use async_trait::async_trait;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::Path;

pub struct Place;

/// Less room than this is soon none: a storm writes about that much in an hour.
const SCARCE_MIB: u64 = 1024;
/// Less than this, and the next checkpoint may fail.
const NONE_MIB: u64 = 64;

#[async_trait]
impl Check for Place {
    fn name(&self) -> &'static str {
        "data directory"
    }

    async fn look(&self, ground: &Ground) -> Vec<Finding> {
        let dir = &ground.checked.config.data_dir;
        let Ok(meta) = std::fs::metadata(dir) else {
            let what = format!("{} is not there yet", dir.display());
            return vec![Finding::look(what, "start `smokejumper serve`, or name the right one with --data-dir")];
        };
        let mut findings = vec![Finding::ok(dir.display().to_string())];
        let own = rustix::process::geteuid().as_raw();
        if meta.uid() != own && own != 0 {
            let todo = "run this as the user who runs smokejumper, or as root";
            findings.push(Finding::look(format!("it belongs to user {}, and you are {own}", meta.uid()), todo));
        }
        for (file, mode) in [("", 0o077), ("smokejumper.db", 0o077), ("journal.key", 0o077)] {
            let path = if file.is_empty() { dir.clone() } else { dir.join(file) };
            if std::fs::metadata(&path).is_ok_and(|m| m.permissions().mode() & mode != 0) {
                let (what, path) = (format!("{} may be read by others", path.display()), path.display());
                findings.push(Finding::look(what, format!("chmod go= {path}")));
            }
        }
        findings.extend(room(dir));
        findings
    }
}

fn room(dir: &Path) -> Option<Finding> {
    let space = rustix::fs::statvfs(dir).ok()?;
    let mib = space.f_bavail.saturating_mul(space.f_frsize) / 1024 / 1024;
    let what = format!("{mib} MiB are free");
    let todo = "free some space, or move the data directory to a larger disk";
    Some(match mib {
        0..=NONE_MIB => Finding::broken(what, todo),
        _ if mib <= SCARCE_MIB => Finding::look(what, todo),
        _ => Finding::ok(what),
    })
}
