//! One binary; `cli/` has one file per command.

use std::process::ExitCode;

fn main() -> ExitCode {
    // First of all: the supervisor must be alone in its process, before any thread exists.
    if std::env::args_os().nth(1).is_some_and(|command| command == "supervise") {
        return smokejumper::edges::runner::supervise::main();
    }
    ExitCode::SUCCESS
}
