//! What the documents show must be true: their configurations are accepted, their YAML, JSON and commands are what they are said
//! to be, files they link are there.

use smokejumper::config::problem::Problem;
use smokejumper::config::{Environment, Given, check};
use smokejumper::edges::{alerts, changes};
use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Whose configurations are whole: beside their files, nothing is missing in them.
const WHOLE: [&str; 2] = ["README.md", "docs/getting-started.md"];
/// Parts of a configuration may refer to what stands elsewhere.
const ELSEWHERE: [&str; 6] = [
    "there is no secret of this name",
    "the secret file /run/secrets/",
    "there is no person `bo`",
    "there is no service `checkout`",
    "nobody is in a team `payments`",
    "nobody is administrator",
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every document, by its path.
fn documents() -> Vec<(String, String)> {
    let mut found = Vec::new();
    for folder in ["", "docs", "deploy", "deploy/runbooks"] {
        for entry in std::fs::read_dir(root().join(folder)).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|extension| extension == "md") {
                let name = path.strip_prefix(root()).unwrap().display().to_string();
                found.push((name, std::fs::read_to_string(path).unwrap()));
            }
        }
    }
    found.sort();
    found
}

/// The fenced blocks of one language, of all documents, with the document's name.
fn blocks(language: &str) -> Vec<(String, String)> {
    let opening = format!("```{language}\n");
    let of = |(name, text): (String, String)| {
        let blocks = text.split(opening.as_str()).skip(1).filter_map(|rest| rest.split("```").next());
        blocks.map(|block| (name.clone(), block.to_owned())).collect::<Vec<_>>()
    };
    documents().into_iter().flat_map(of).collect()
}

/// A folder as whoever follows the document has it: the files its secrets come from, runbooks, a mapping.
fn folder(block: &str) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let written: toml::Table = block.parse().unwrap();
    let secrets = written.get("secrets").and_then(toml::Value::as_table);
    for (name, secret) in secrets.into_iter().flatten() {
        let Some(path) = secret.get("file").and_then(toml::Value::as_str).filter(|path| !path.starts_with('/')) else {
            continue;
        };
        let value = match name.as_str() {
            "database" => DATABASE,
            "slack_bot" => "xoxb-q7Wm2vJx9fKp",
            "slack_app" => "xapp-1-A0-q7Wm2vJx9fKp",
            _ => SECRET,
        };
        let path = dir.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, value).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    }
    std::fs::create_dir(dir.path().join("runbooks")).unwrap();
    std::fs::copy(root().join("deploy/json-mapping.example.toml"), dir.path().join("probe.toml")).unwrap();
    dir
}

const SECRET: &str = "q7Wm2vJx9fKp4Rtd8LzB";
const DATABASE: &str = "postgres://smokejumper:q7Wm2vJx9fKp@127.0.0.1:5432/smokejumper";

#[test]
fn every_configuration_is_accepted() {
    let secrets = |name: &str| Some(if name.contains("DATABASE") { DATABASE } else { SECRET }.to_owned());
    let environment = Environment { variable: &secrets, uid: 1000 };
    let (kinds, change_kinds) = (alerts::kinds(), changes::kinds());
    let mut wrong = Vec::new();
    let mut whole = BTreeSet::new();
    for (name, block) in blocks("toml") {
        // A runbook or a mapping, which other tests read.
        if name.contains("runbooks/") || name.ends_with("json-source.md") && !block.contains("[[source]]") {
            continue;
        }
        let dir = folder(&block);
        let given = Given { source_kinds: &kinds, change_kinds: &change_kinds, ..Given::default() };
        // The example is meant from the folder the document is in.
        let block = block.replace("../deploy/json-mapping.example.toml", "probe.toml");
        let checked = check(given, &environment, Some(&dir.path().join("smokejumper.toml")), &block);
        let in_part = !WHOLE.contains(&name.as_str());
        let elsewhere = |problem: &&Problem| in_part && ELSEWHERE.iter().any(|what| problem.what.starts_with(what));
        let problems = checked.problems.iter().filter(|problem| !elsewhere(problem));
        wrong.extend(problems.map(|problem| format!("{name}: {problem}\n{block}")));
        if !in_part {
            assert_eq!(checked.config.sources[0].name, "prod");
            assert!(checked.config.database.is_some() && checked.config.github.is_some(), "{name} connects both");
            whole.insert(name);
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(whole.len(), WHOLE.len());
}

#[test]
fn every_yaml_and_json_can_be_read() {
    let yaml = blocks("yaml");
    assert!(yaml.len() >= 3, "the guide has three files");
    for (name, block) in yaml {
        let read: Result<serde_json::Value, _> = serde_saphyr::from_str(&block);
        assert!(read.is_ok_and(|value| value.is_object()), "{name}: {block}");
    }
    for (name, block) in blocks("json") {
        assert!(serde_json::from_str::<serde_json::Value>(&block).is_ok(), "{name}: {block}");
    }
}

/// Prometheus and Alertmanager read what the guide has people write, where they are installed.
#[test]
fn prometheus_and_alertmanager_read_the_guides_files() {
    let dir = tempfile::tempdir().unwrap();
    let monitoring = dir.path().join("monitoring");
    std::fs::create_dir(&monitoring).unwrap();
    std::fs::create_dir(dir.path().join("secrets")).unwrap();
    std::fs::write(dir.path().join("secrets/alertmanager"), SECRET).unwrap();
    let blocks: Vec<String> =
        blocks("yaml").into_iter().filter(|(n, _)| n == "docs/getting-started.md").map(|(_, b)| b).collect();
    for (name, block) in ["prometheus.yml", "rules.yml", "alertmanager.yml"].iter().zip(&blocks) {
        std::fs::write(monitoring.join(name), block).unwrap();
    }
    let tools =
        [("promtool", &["check", "config", "prometheus.yml"][..]), ("amtool", &["check-config", "alertmanager.yml"])];
    for (tool, args) in tools {
        if let Ok(output) = Command::new(tool).args(args).current_dir(&monitoring).output() {
            assert!(output.status.success(), "{tool}: {}", String::from_utf8_lossy(&output.stderr));
        } else {
            assert!(std::env::var_os("CI").is_none(), "not installed: {tool}");
            println!("SKIPPED: {tool} is not installed (Debian packages prometheus and prometheus-alertmanager)");
        }
    }
}

#[test]
fn every_command_is_there() {
    let help = |command: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_smokejumper")).args(command).arg("--help").output().unwrap();
        output.status.success().then(|| String::from_utf8(output.stdout).unwrap())
    };
    let mut shown = BTreeSet::new();
    for (name, block) in blocks("sh") {
        for line in block.lines().filter_map(|line| line.strip_prefix("smokejumper ")) {
            let words: Vec<&str> = line.split('#').next().unwrap().split_whitespace().collect();
            // Its flags are those of the platform.
            let command = if words[0] == "manifest" { &words[..2] } else { &words[..1] };
            let help = help(command).unwrap_or_else(|| panic!("{name}: there is no `{}`", words[0]));
            for flag in words.iter().filter(|word| word.starts_with("--")) {
                assert!(help.contains(flag) || words[0] == "source", "{name}: `{}` has no {flag}", words[0]);
            }
            shown.insert(words[0].to_owned());
        }
    }
    assert!(shown.len() > 5, "{shown:?}");
}

/// What a document links, and what it names in backticks as a file of ours.
fn named(name: &str, text: &str) -> Vec<PathBuf> {
    let folder = root().join(name).parent().unwrap().to_owned();
    let linked = text.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    let linked = linked.filter(|link| !link.contains("://") && !link.starts_with('#'));
    let linked = linked.map(|link| folder.join(link.split('#').next().unwrap()));
    // `src/…` and `tests/…` in backticks, without placeholders.
    let of_ours = |path: &&str| {
        ["src/", "tests/", "intents/src/", "index/src/", "deploy/", "docs/"].iter().any(|p| path.starts_with(p))
    };
    let in_ticks = text.split('`').skip(1).step_by(2).filter(of_ours);
    let in_ticks =
        in_ticks.filter(|path| !path.contains(['<', '{', '*', '…', ' ', '\n'])).map(|path| root().join(path));
    linked.chain(in_ticks).collect()
}

#[test]
fn files_that_are_linked_or_named_are_there() {
    let mut missing = Vec::new();
    for (name, text) in documents() {
        let paths = named(&name, &text).into_iter().filter(|path| !path.exists());
        missing.extend(paths.map(|path| format!("{name}: {}", path.display())));
    }
    assert!(missing.is_empty(), "{missing:#?}");
}
