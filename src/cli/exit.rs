//! Exit codes, in one place: what a script may rely on.

use std::process::ExitCode;

/// Shown under `--help`.
pub const HELP: &str = "Exit codes: 0 done; 1 no: problems found, or refused; 2 not understood; 3 must be confirmed \
                        (--yes); 4 no smokejumper is running; 5 storage trouble, try again; 70 our own fault";

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// 0: done.
    Ok,
    /// 1: it was understood, and did not succeed; standard error says why.
    Failed,
    /// 2: it was not understood (clap uses the same).
    Usage,
    /// 3: nothing was done, it must be said again with `--yes`.
    Confirm,
    /// 4: no smokejumper is running with this data directory.
    NoServer,
    /// 5: storage could not take or give it for now.
    Storage,
    /// 70 (sysexits' `EX_SOFTWARE`): a fault of ours or of the machine.
    Internal,
}

impl Exit {
    /// Says why on standard error.
    #[must_use]
    pub fn failed(why: &str) -> Self {
        eprintln!("smokejumper: {why}");
        Self::Failed
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Ok => 0,
            Exit::Failed => 1,
            Exit::Usage => 2,
            Exit::Confirm => 3,
            Exit::NoServer => 4,
            Exit::Storage => 5,
            Exit::Internal => 70,
        })
    }
}
