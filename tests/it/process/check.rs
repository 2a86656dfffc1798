//! `check`: exit code, places, words.

use super::{err, out, smokejumper};
use serde_json::Value;
use std::path::Path;

fn write(folder: &Path, name: &str, text: &str) {
    let path = folder.join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

const RUNBOOK: &str = r#"
title = "Say hello"
risk = "low"
[[steps]]
exec = ["/bin/true"]
"#;

#[test]
fn no_configuration_is_fine() {
    let folder = tempfile::tempdir().unwrap();
    let output = smokejumper(folder.path(), &["check"]);
    assert_eq!(output.status.code(), Some(0), "{}", err(&output));
    let said = out(&output);
    assert!(said.contains("defaults, no configuration file") && said.contains("http://127.0.0.1:7911"), "{said}");
    assert!(said.contains("/alerts/alertmanager (alertmanager, without authentication)"), "{said}");
    assert!(said.contains("1 person, 0 services, 0 routes, 0 silences, 0 runbooks"), "{said}");
}

#[test]
fn the_example_is_fine_and_found_by_its_usual_name() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "smokejumper.toml", include_str!("../../../deploy/config.example.toml"));
    let output = smokejumper(folder.path(), &["check"]);
    assert_eq!(output.status.code(), Some(0), "{}{}", out(&output), err(&output));
    assert!(out(&output).starts_with("configuration: smokejumper.toml\n"));
}

#[test]
fn each_mistake_has_its_line_a_caret_and_a_way_out() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "c.toml", "[server]\nlissen = \"127.0.0.1:80\"\n\n[triage]\nthreshold = \"high\"\n");
    let output = smokejumper(folder.path(), &["check", "--config", "c.toml"]);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(
        out(&output),
        "c.toml:2:1: error: unknown key `lissen`; did you mean `listen`?\n    \
         2 | lissen = \"127.0.0.1:80\"\n      | ^\n\
         c.toml:5:13: error: a text cannot stand here; expected a number\n    \
         5 | threshold = \"high\"\n      |             ^\n"
    );
    assert_eq!(err(&output), "2 errors to mend before smokejumper starts\n");
}

#[test]
fn scripts_get_json() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "c.toml", "[[route]]\nmatch = 'service=\"a\"'\ninvite = [\"bo\"]\n");
    let output = smokejumper(folder.path(), &["--config", "c.toml", "check", "--json"]);
    assert_eq!(output.status.code(), Some(1));
    let json: Value = serde_json::from_str(&out(&output)).unwrap();
    assert_eq!((&json["ok"], &json["problems"][0]["line"]), (&Value::Bool(false), &Value::from(3)));
    assert_eq!(json["problems"][0]["what"], "`bo` is neither a person nor a team");
    let fine = smokejumper(folder.path(), &["check", "--json"]);
    let json: Value = serde_json::from_str(&out(&fine)).unwrap();
    assert_eq!((fine.status.code(), &json["ok"], &json["runbooks"]), (Some(0), &Value::Bool(true), &Value::from(0)));
}

#[test]
fn runbooks_are_checked_with_the_configuration() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "smokejumper.toml", "");
    write(folder.path(), "runbooks/hello.toml", RUNBOOK);
    let output = smokejumper(folder.path(), &["check"]);
    assert!(out(&output).contains("1 runbook"), "{}{}", out(&output), err(&output));
    write(folder.path(), "runbooks/broken.toml", &RUNBOOK.replace("risk", "rusk"));
    let output = smokejumper(folder.path(), &["check"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(out(&output).contains("runbooks/broken.toml:"), "{}", out(&output));
    assert!(out(&output).contains("rusk"), "{}", out(&output));
}

#[test]
fn a_missing_file_is_said_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let output = smokejumper(folder.path(), &["check", "--config", "nowhere.toml"]);
    assert_eq!(output.status.code(), Some(1));
    let said = out(&output);
    assert!(said.starts_with("nowhere.toml: error: the configuration cannot be read: there is no such file"), "{said}");
}

#[test]
fn warnings_do_not_fail_and_can_be_silenced() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "c.toml", "[server]\nlisten = \"0.0.0.0:7911\"\n");
    let output = smokejumper(folder.path(), &["check", "--config", "c.toml"]);
    assert_eq!(output.status.code(), Some(0));
    assert!(
        out(&output).contains("c.toml: warning: anybody who reaches the server can send alerts"),
        "{}",
        out(&output)
    );
    let output = smokejumper(folder.path(), &["check", "--config", "c.toml", "-q"]);
    assert_eq!((output.status.code(), out(&output).as_str()), (Some(0), ""));
}

#[test]
fn a_secret_of_the_file_is_never_printed() {
    let folder = tempfile::tempdir().unwrap();
    let text = "[secrets]\na = \"canary-77\"\na = \"canary-77\"\n[[source]]\nname = \"x\"\nauth = { bearer = \"canary-77\" }\n";
    write(folder.path(), "c.toml", text);
    for args in [["check", "--config", "c.toml", "-q"], ["check", "--config", "c.toml", "--json"]] {
        let output = smokejumper(folder.path(), &args);
        assert_eq!(output.status.code(), Some(1));
        assert!(!out(&output).contains("canary-77") && !err(&output).contains("canary-77"), "{}", out(&output));
    }
}

#[test]
fn what_is_no_command_is_told_with_code_2() {
    let folder = tempfile::tempdir().unwrap();
    let output = smokejumper(folder.path(), &["chekc"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(err(&output).contains("check"), "{}", err(&output));
    let help = smokejumper(folder.path(), &["--help"]);
    assert!(help.status.success() && out(&help).contains("Exit codes: 0 done"), "{}", out(&help));
}
