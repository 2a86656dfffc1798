//! The real binary, as a person or a script starts it.

mod alertmanager;
mod backup;
pub mod bot;
mod canaries;
mod check;
mod disk_error;
mod drain;
mod explain;
mod faults;
mod hostile;
mod incident;
mod kill;
pub mod ledger;
mod login;
mod memory;
mod monitor;
mod operator;
pub mod person;
mod place;
mod prometheus;
mod reload;
mod runs;
mod slack;
mod slack_first;
mod source;
mod standby;
mod storm;
mod tracker;

use std::path::Path;
use std::process::{Command, Output};

/// Away from any configuration, and with nothing of this machine's environment but the path.
pub fn smokejumper(folder: &Path, args: &[&str]) -> Output {
    command(folder, args).output().unwrap()
}

fn command(folder: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_smokejumper"));
    command
        .args(args)
        .current_dir(folder)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("HOME", folder);
    command
}

pub fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

pub fn err(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}
