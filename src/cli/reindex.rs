//! `reindex`: throws memory's index away and builds it anew from the journal.

use super::exit::Exit;
use crate::app;
use crate::config::checked::Config;

/// Builds it; the server must not run with the same data directory.
pub async fn run(config: &Config, quiet: bool) -> Exit {
    match app::reindex(config).await {
        Ok(cases) => {
            if !quiet {
                super::say(&format!("memory was built anew from the journal: {cases} past incidents"));
            }
            Exit::Ok
        }
        Err(problem) => Exit::failed(&problem.to_string()),
    }
}
