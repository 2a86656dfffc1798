//! One binary; `cli/` has one file per command.

use std::process::ExitCode;

fn main() -> ExitCode {
    // The supervisor of a run is this same binary, and must be alone in its process: before any thread starts.
    if std::env::args_os().nth(1).is_some_and(|word| word == "supervise") {
        return smokejumper::edges::runner::supervise::main();
    }
    smokejumper::cli::main()
}
