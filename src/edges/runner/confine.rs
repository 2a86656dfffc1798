//! What a run's processes may use: limits every kernel holds, and folders that Landlock keeps closed where there is one.
//!
//! Applied by the single-threaded supervisor to itself, before it starts anything; children inherit it and cannot undo it.

use landlock::{
    ABI, Access, AccessFs, CompatLevel, Compatible, Ruleset, RulesetAttr, RulesetCreatedAttr, RulesetStatus,
};
use rustix::process::{Resource, Rlimit, setrlimit};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Open files of one process: a tool's default on most systems.
const MAX_OPEN_FILES: u64 = 1024;
/// Largest file one process may write, in bytes: a runaway log must not fill the disk.
const MAX_FILE_SIZE: u64 = 1024 * 1024 * 1024;
/// Address space of one process in bytes. Runtimes of Go, Java and node reserve far more than they use.
const MAX_ADDRESS_SPACE: u64 = 64 * 1024 * 1024 * 1024;
/// Processes and threads a run may add to those its user already has.
pub const MAX_PROCESSES: u64 = 256;
/// Processor time of one process, as a multiple of the run's time: ends a loop even if the supervisor were gone.
const PROCESSOR_SHARE: u64 = 16;
/// Entries of one folder on the way to a protected one; with more, Landlock is left out and the report says so.
const MAX_SIBLINGS: usize = 4096;
/// Newest file access rights we know of.
const RIGHTS: ABI = ABI::V5;

/// Sets the limits. One that cannot be set (a lower hard limit is in force) stays as it was, which is stricter.
pub fn limit(timeout_ms: u64, tasks_of_user: u64) {
    let seconds = (timeout_ms / 1000 + 1).saturating_mul(PROCESSOR_SHARE);
    for (resource, most) in [
        (Resource::Core, 0),
        (Resource::Nofile, MAX_OPEN_FILES),
        (Resource::Fsize, MAX_FILE_SIZE),
        (Resource::As, MAX_ADDRESS_SPACE),
        (Resource::Cpu, seconds),
        (Resource::Nproc, tasks_of_user + MAX_PROCESSES),
    ] {
        let _ = setrlimit(resource, Rlimit { current: Some(most), maximum: Some(most) });
    }
}

/// No setuid program gives more rights (needed by Landlock anyway), and `protect` is out of reach.
///
/// True when the kernel holds it. Landlock can only allow, so everything beside the way to each protected path is allowed;
/// what is later made directly in a folder on that way stays closed too.
pub fn close(protect: &[PathBuf]) -> bool {
    let _ = rustix::thread::set_no_new_privs(true);
    if protect.is_empty() {
        return false;
    }
    let Some(open) = beside(protect) else { return false };
    let rights = AccessFs::from_all(RIGHTS);
    let enforced = || -> Result<RulesetStatus, landlock::RulesetError> {
        let rules = landlock::path_beneath_rules(&open, rights);
        let ruleset = Ruleset::default().set_compatibility(CompatLevel::BestEffort).handle_access(rights)?.create()?;
        Ok(ruleset.add_rules(rules)?.restrict_self()?.ruleset)
    };
    matches!(enforced(), Ok(RulesetStatus::FullyEnforced | RulesetStatus::PartiallyEnforced))
}

/// Every path that is neither protected nor on the way to something protected, as few as possible.
fn beside(protect: &[PathBuf]) -> Option<Vec<PathBuf>> {
    let protect: BTreeSet<PathBuf> = protect.iter().filter_map(|path| path.canonicalize().ok()).collect();
    if protect.is_empty() {
        // Nothing is there to protect, and a rule without a path would close everything.
        return None;
    }
    let way: BTreeSet<&Path> = protect.iter().flat_map(|path| path.ancestors().skip(1)).collect();
    let mut open = Vec::new();
    for folder in &way {
        if protect.iter().any(|closed| folder.starts_with(closed)) {
            continue;
        }
        let entries: Vec<_> = std::fs::read_dir(folder).ok()?.take(MAX_SIBLINGS + 1).collect();
        if entries.len() > MAX_SIBLINGS {
            return None;
        }
        open.extend(
            entries
                .into_iter()
                .filter_map(|entry| Some(entry.ok()?.path()))
                .filter(|path| !protect.contains(path) && !way.contains(path.as_path()))
                // A link leads to its target's own rule.
                .filter(|path| !path.is_symlink()),
        );
    }
    Some(open)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_but_the_way_to_the_protected_is_open() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().canonicalize().unwrap();
        for folder in ["a/data/runs", "a/logs", "b"] {
            std::fs::create_dir_all(root.join(folder)).unwrap();
        }
        std::fs::write(root.join("a/config.toml"), "").unwrap();
        let open = beside(&[root.join("a/data"), root.join("a/config.toml")]).unwrap();
        let ours: Vec<_> = open.iter().filter_map(|path| path.strip_prefix(&root).ok()).collect();
        assert!(ours.contains(&Path::new("a/logs")) && ours.contains(&Path::new("b")), "{ours:?}");
        assert!(
            !ours
                .iter()
                .any(|path| path.starts_with("a/data") || *path == Path::new("a") || path.ends_with("config.toml"))
        );
        assert!(open.contains(&PathBuf::from("/proc")) && !open.contains(&PathBuf::from("/")));
    }
}
