//! Exit codes, in one place: what a script may rely on.

use std::process::ExitCode;

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// 0: done.
    Ok,
    /// 1: it was understood, and did not succeed; standard error says why.
    Failed,
    /// 2: it was not understood (clap uses the same).
    Usage,
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
        })
    }
}
