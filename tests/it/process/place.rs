//! Commands that only need to know where data is kept: a configuration they cannot read that far is an error, never a guess.

use super::{err, out, smokejumper};
use std::path::Path;

/// What `HOME` has where nothing else is said.
const USUAL: &str = ".local/share/smokejumper";

const COMMANDS: [&[&str]; 3] = [&["incident", "list"], &["export"], &["login", "ana"]];

fn refused(folder: &Path, flags: &[&str], words: &str) {
    for command in COMMANDS {
        let output = smokejumper(folder, &[flags, command].concat());
        assert_eq!(output.status.code(), Some(1), "{flags:?} {command:?}: {}{}", out(&output), err(&output));
        assert!(err(&output).contains("where data is kept is not known"), "{}", err(&output));
        assert!(err(&output).contains(words), "{}", err(&output));
    }
}

#[test]
fn a_configuration_that_was_named_must_be_there() {
    let folder = tempfile::tempdir().unwrap();
    refused(folder.path(), &["--config", "typo.toml"], "typo.toml: error: the configuration cannot be read");
    refused(folder.path(), &["--config", "typo.toml", "--data-dir", "data"], "there is no such file");
}

#[test]
fn where_data_is_kept_must_be_readable() {
    let folder = tempfile::tempdir().unwrap();
    let write = |text: &str| std::fs::write(folder.path().join("smokejumper.toml"), text).unwrap();
    // Named, or found where it usually is.
    for flags in [&["--config", "smokejumper.toml"][..], &[]] {
        write("[server]\ndata_dri = \"data\"\n");
        refused(folder.path(), flags, "smokejumper.toml:2:1: error: unknown key `data_dri`; did you mean `data_dir`?");
        write("[server]\ndata_dir = \"data\n");
        refused(folder.path(), flags, "smokejumper.toml:2:");
    }
    // Over what the configuration says, whatever that is.
    let output = smokejumper(folder.path(), &["--data-dir", "data", "incident", "list"]);
    assert_eq!(output.status.code(), Some(4), "{}", err(&output));
}

#[test]
fn what_else_is_wrong_is_left_to_check() {
    let folder = tempfile::tempdir().unwrap();
    let text = "[server]\ndata_dir = \"kept\"\n\n[triage]\nthreshold = \"high\"\n";
    std::fs::write(folder.path().join("c.toml"), text).unwrap();
    let output = smokejumper(folder.path(), &["--config", "c.toml", "incident", "list"]);
    assert_eq!(output.status.code(), Some(4), "{}", err(&output));
    assert!(err(&output).contains("kept") && !err(&output).contains(USUAL), "{}", err(&output));
}

#[test]
fn without_any_configuration_it_is_the_usual_place() {
    let folder = tempfile::tempdir().unwrap();
    let output = smokejumper(folder.path(), &["incident", "--json", "list"]);
    assert_eq!(output.status.code(), Some(4));
    let json: serde_json::Value = serde_json::from_str(&out(&output)).unwrap();
    assert!(json["error"].as_str().unwrap().contains("no smokejumper is running"), "{json}");
}
