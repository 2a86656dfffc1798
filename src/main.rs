//! One binary; `cli/` has one file per command.
fn main() {}
