//! `backtest` as a person runs it: the binary, a file, a table.

use serde_json::Value;
use std::fmt::Write;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};
use tempfile::tempdir;

fn backtest(args: &[&Path]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_smokejumper"));
    command.arg("backtest").args(args).output().unwrap()
}

fn option(name: &str) -> &Path {
    Path::new(name)
}

fn said(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn complained(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// A small made-up history with one bad row.
fn history() -> String {
    let mut lines = String::from("this is no incident\n");
    for i in 0..120 {
        let (title, team) = [("disk full on db", "storage"), ("pool exhausted in checkout", "shop")][i * 7 % 2];
        let (day, hour) = (1 + i / 24, i % 24);
        let cluster = if i % 10 < 2 { format!(r#","cluster":"c{}""#, i % 10) } else { String::new() };
        writeln!(
            lines,
            r#"{{"id":"T-{i:03}","opened_at":"2024-01-{day:02}T{hour:02}:00:00Z","resolved_at":"2024-01-{day:02}T{hour:02}:40:00Z","title":"{title}","description":"node {}","labels":{{"env":"prod"}},"responder":"{team}","root_cause":"{}"{cluster}}}"#,
            i % 9,
            if i % 5 == 0 { "deploy" } else { "load" },
        )
        .unwrap();
    }
    lines
}

#[test]
fn it_prints_a_narrow_table_with_baselines_and_writes_predictions() {
    let dir = tempdir().unwrap();
    let (data, predictions) = (dir.path().join("history.jsonl"), dir.path().join("said.jsonl"));
    fs::write(&data, history()).unwrap();
    let output = backtest(&[option("--data"), &data, option("--predictions"), &predictions]);
    assert!(output.status.success(), "{}", complained(&output));
    let table = said(&output);
    assert!(table.lines().all(|line| line.chars().count() <= 80), "{table}");
    assert!(table.contains("120 incidents") && table.contains("the first 24 are not scored"), "{table}");
    for title in ["responder: n=96", "cause: n=96", "similar: n="] {
        assert!(table.contains(title), "{table}");
    }
    for system in ["smokejumper", "plain BM25", "most frequent"] {
        assert!(table.contains(system), "{table}");
    }
    assert!(complained(&output).contains("line 1:"), "the bad row is named: {}", complained(&output));
    assert!(!complained(&output).contains('\u{1b}'), "no progress bar where nobody sees it");
    let lines: Vec<Value> =
        fs::read_to_string(&predictions).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 120);
    assert_eq!(lines[119]["responders"][0], "shop");
    assert!(lines[119]["p"]["responder"][0].as_f64().unwrap() > 0.5);
}

#[test]
fn what_it_cannot_use_is_said_and_nothing_is_overwritten() {
    let dir = tempdir().unwrap();
    let data = dir.path().join("history.jsonl");
    fs::write(&data, history()).unwrap();
    let empty = dir.path().join("empty.jsonl");
    fs::write(&empty, "{}\n").unwrap();
    let cases: [(&[&Path], &str); 5] = [
        (&[option("--data"), option("/does/not/exist")], "/does/not/exist"),
        (&[option("--data"), dir.path()], "can't read"),
        (&[option("--data"), &empty], "line 1: missing field"),
        (&[option("--data"), &data, option("--predictions"), &data], "is the data"),
        (&[option("--data"), &data, option("--predictions"), option("/dev/full")], "free space"),
    ];
    for (args, complaint) in cases {
        let output = backtest(args);
        assert_eq!(output.status.code(), Some(1), "{args:?}");
        assert!(complained(&output).contains(complaint), "{args:?}: {}", complained(&output));
        assert!(said(&output).is_empty(), "{args:?}");
    }
    assert_eq!(fs::read_to_string(&data).unwrap(), history());
}

#[test]
fn a_build_can_require_what_must_be_reached() {
    let dir = tempdir().unwrap();
    let data = dir.path().join("history.jsonl");
    fs::write(&data, history()).unwrap();
    let run = |required: &str| backtest(&[option("--data"), &data, option("--require"), option(required)]);
    let reached = run("responder.top3>=0.5");
    assert!(reached.status.success(), "{}", complained(&reached));
    let missed = run("responder.ece<=0");
    assert_eq!(missed.status.code(), Some(1));
    assert!(complained(&missed).contains("required responder.ece<=0, but it is 0."), "{}", complained(&missed));
    assert!(said(&missed).contains("responder: n=96"), "the figures are printed all the same");
    assert_eq!(run("responder.speed>=1").status.code(), Some(2));
}

/// Scored once more from the two files alone, straight from the definitions.
#[test]
fn its_figures_follow_from_what_it_predicted() {
    let dir = tempdir().unwrap();
    let (data, predictions) = (dir.path().join("history.jsonl"), dir.path().join("said.jsonl"));
    fs::write(&data, history()).unwrap();
    let output = backtest(&[option("--data"), &data, option("--predictions"), &predictions, option("--json")]);
    let figures: Value = serde_json::from_str(&said(&output)).unwrap();
    let rows: Vec<Value> = history().lines().skip(1).map(|line| serde_json::from_str(line).unwrap()).collect();
    let written = fs::read_to_string(&predictions).unwrap();
    let lines: Vec<Value> = written.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    for (target, truth, ranked) in [("responder", "responder", "responders"), ("cause", "root_cause", "causes")] {
        let scored: Vec<(&Value, usize, f64)> = rows
            .iter()
            .zip(&lines)
            .skip(24)
            .map(|(row, line)| {
                assert_eq!(row["id"], line["id"]);
                let rank = line[ranked].as_array().unwrap().iter().position(|value| *value == row[truth]);
                (&row[truth], rank.map_or(usize::MAX, |r| r + 1), line["p"][target][0].as_f64().unwrap())
            })
            .collect();
        let n = scored.len() as f64;
        let first_within = |k| scored.iter().filter(|(_, rank, _)| *rank <= k).count() as f64 / n;
        let mrr = scored.iter().map(|(_, rank, _)| if *rank <= 10 { 1.0 / *rank as f64 } else { 0.0 }).sum::<f64>() / n;
        let ece = (0..15_u8)
            .map(f64::from)
            .map(|bin| {
                let held = scored.iter().filter(|(.., p)| (p * 15.0).floor().min(14.0).to_bits() == bin.to_bits());
                held.map(|(_, rank, p)| p - f64::from(u8::from(*rank == 1))).sum::<f64>().abs()
            })
            .sum::<f64>()
            / n;
        let ours = &figures["systems"][0][target];
        let pairs = [
            ("top1", first_within(1)),
            ("top3", first_within(3)),
            ("top5", first_within(5)),
            ("mrr", mrr),
            ("ece", ece),
        ];
        for (name, expected) in pairs {
            let figure = ours[name].as_f64().unwrap();
            assert!((figure - expected).abs() < 1e-9, "{target} {name}: {figure} is not {expected}");
        }
    }
}
