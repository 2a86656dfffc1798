//! What lies in deploy/ cannot be run on every machine; it is read here, and held to what it promises.
//!
//! YAML is parsed, the hardening is looked up by name, and the vendors' own checkers (promtool, systemd-analyze) have their say
//! where they are installed.

use serde_json::Value;
use smokejumper::config::{Environment, Given, check};
use smokejumper::edges::{alerts, changes};
use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

fn deploy(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy").join(name)
}

fn text(name: &str) -> String {
    std::fs::read_to_string(deploy(name)).unwrap_or_else(|e| panic!("deploy/{name}: {e}"))
}

/// Every document of a YAML file.
fn documents(name: &str) -> Vec<Value> {
    let text = text(name);
    let parts = text.split("\n---\n").filter(|part| part.lines().any(|l| !l.is_empty() && !l.starts_with('#')));
    parts.map(|part| serde_saphyr::from_str(part).unwrap_or_else(|e| panic!("deploy/{name}: {e}"))).collect()
}

fn of_kind(name: &str, kind: &str) -> Value {
    documents(name).into_iter().find(|d| d["kind"] == kind).unwrap_or_else(|| panic!("{name} has no {kind}"))
}

/// Images by tag: `latest`, or none, is a different program tomorrow.
fn pinned(image: &str) -> bool {
    image.rsplit('/').next().and_then(|last| last.split_once(':')).is_some_and(|(_, tag)| tag != "latest")
}

/// The vendor's own checker, where it is installed: `probe` asks it for its version.
fn checked_by(program: &str, probe: &[&str], arguments: &[&str], file: &Path) {
    let there = Command::new(program).args(probe).output().is_ok_and(|out| out.status.success());
    let Some(out) = there.then(|| Command::new(program).args(arguments).arg(file).output().unwrap()) else {
        println!("skipped: {program} is not installed, so {} is only parsed", file.display());
        return;
    };
    let said = [out.stdout, out.stderr].concat();
    assert!(out.status.success(), "{program}: {}", String::from_utf8_lossy(&said));
}

#[test]
fn the_image_runs_as_nobody_with_nothing_but_the_binary() {
    let file = text("Dockerfile");
    let bases: Vec<&str> = file.lines().filter_map(|l| l.strip_prefix("FROM ")).collect();
    assert_eq!(bases.len(), 2, "build and run: {bases:?}");
    assert!(bases.iter().all(|b| pinned(b.split(' ').next().unwrap())), "{bases:?}");
    let run = &file[file.find(bases[1]).unwrap()..];
    assert!(bases[1].contains("distroless") && bases[1].contains("nonroot"));
    assert!(run.contains("USER 65532:65532") && run.contains("VOLUME [\"/data\"]"));
    assert!(!run.contains("RUN "), "there is no shell to run anything with");
    assert!(file.contains("--locked") && file.contains("--profile dist"));
    for copied in file.lines().filter_map(|l| l.strip_prefix("COPY ")).filter(|l| !l.starts_with("--from")) {
        for source in copied.split(' ').rev().skip(1) {
            assert!(deploy("..").join(source).exists(), "COPY {source}");
        }
    }
}

#[test]
fn compose_keeps_the_bot_small_and_postgres_durable() {
    let compose = documents("compose.yaml").remove(0);
    let bot = &compose["services"]["smokejumper"];
    assert_eq!(bot["read_only"], true);
    assert_eq!(bot["cap_drop"], serde_json::json!(["ALL"]));
    assert_eq!(bot["security_opt"], serde_json::json!(["no-new-privileges:true"]));
    assert_eq!(bot["user"], "65532:65532");
    let ports: Vec<&str> = bot["ports"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    assert!(ports.iter().all(|p| p.starts_with("127.0.0.1:")), "published on loopback alone: {ports:?}");
    let grace = bot["stop_grace_period"].as_str().unwrap().trim_end_matches('s').parse::<u64>().unwrap();
    assert!(grace > 20, "draining takes 20 s");
    let postgres = &compose["services"]["postgres"];
    assert!(pinned(postgres["image"].as_str().unwrap()));
    let command = postgres["command"].to_string();
    assert!(command.contains("fsync=on") && command.contains("synchronous_commit=on"), "{command}");
    assert!(postgres["environment"]["POSTGRES_PASSWORD"].is_null(), "passwords come from files");
    // Every secret that is used is declared, and comes from a file.
    let declared: BTreeSet<&String> = compose["secrets"].as_object().unwrap().keys().collect();
    for service in compose["services"].as_object().unwrap().values() {
        for used in service["secrets"].as_array().into_iter().flatten() {
            assert!(declared.iter().any(|d| used == d.as_str()), "{used}");
        }
    }
    assert!(compose["secrets"].as_object().unwrap().values().all(|s| s["file"].is_string()));
    // Its file comes before its command.
    let probe = ["compose", "version"];
    let file = deploy("compose.yaml");
    let arguments = ["compose", "--file", file.to_str().unwrap(), "config", "--quiet", "--project-directory"];
    checked_by("docker", &probe, &arguments, &deploy(""));
}

#[test]
fn kubernetes_gets_the_restricted_profile() {
    let listed = &documents("kubernetes/kustomization.yaml")[0]["resources"];
    for file in listed.as_array().unwrap() {
        let name = format!("kubernetes/{}", file.as_str().unwrap());
        for document in documents(&name) {
            assert!(document["apiVersion"].is_string() && document["metadata"]["name"].is_string(), "{name}");
        }
    }
    let set = of_kind("kubernetes/workload.yaml", "StatefulSet");
    let pod = &set["spec"]["template"]["spec"];
    assert_eq!(pod["automountServiceAccountToken"], false);
    assert_eq!(pod["securityContext"]["runAsNonRoot"], true);
    assert_eq!(pod["securityContext"]["seccompProfile"]["type"], "RuntimeDefault");
    let bot = &pod["containers"][0];
    assert_eq!(bot["securityContext"]["readOnlyRootFilesystem"], true);
    assert_eq!(bot["securityContext"]["allowPrivilegeEscalation"], false);
    assert_eq!(bot["securityContext"]["capabilities"]["drop"], serde_json::json!(["ALL"]));
    assert_eq!(bot["livenessProbe"]["httpGet"]["path"], "/livez");
    assert_eq!(bot["readinessProbe"]["httpGet"]["path"], "/readyz");
    assert!(pod["terminationGracePeriodSeconds"].as_u64().unwrap() > 20);
    assert!(pinned(bot["image"].as_str().unwrap()));
    // What is mounted is there, and what selects finds it.
    let volumes: BTreeSet<&str> =
        pod["volumes"].as_array().unwrap().iter().filter_map(|v| v["name"].as_str()).collect();
    let claimed = set["spec"]["volumeClaimTemplates"][0]["metadata"]["name"].as_str().unwrap();
    for mount in bot["volumeMounts"].as_array().unwrap() {
        let name = mount["name"].as_str().unwrap();
        assert!(volumes.contains(name) || name == claimed, "{name}");
    }
    let labels = &set["spec"]["template"]["metadata"]["labels"];
    assert_eq!(&set["spec"]["selector"]["matchLabels"], labels);
    assert_eq!(&of_kind("kubernetes/service.yaml", "Service")["spec"]["selector"], labels);
    let policy = of_kind("kubernetes/network.yaml", "NetworkPolicy");
    assert_eq!(&policy["spec"]["podSelector"]["matchLabels"], labels);
    assert_eq!(policy["spec"]["policyTypes"], serde_json::json!(["Ingress", "Egress"]));
}

/// The configurations that come with compose and Kubernetes are accepted, with nothing to warn of.
#[test]
fn the_configurations_that_are_mounted_are_accepted() {
    let map = of_kind("kubernetes/config.yaml", "ConfigMap");
    let mounted = map["data"]["smokejumper.toml"].as_str().unwrap().to_owned();
    let folder = tempfile::tempdir().unwrap();
    for (name, toml) in [("compose.toml", text("compose.toml")), ("config.yaml", mounted)] {
        // Secrets lie where this test put them.
        let here = toml.replace("/run/secrets", folder.path().to_str().unwrap());
        for (secret, value) in [("am_token", "q7Wm2vJx9fKp4Rtd8LzB"), ("database_url", "postgres://u:q7Wm2vJx9f@h/d")] {
            let file = folder.path().join(secret);
            std::fs::write(&file, value).unwrap();
            std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
        }
        let environment = Environment { variable: &|_| None, uid: 65532 };
        let kinds = alerts::kinds();
        let checked = check(
            Given { source_kinds: &kinds, change_kinds: &changes::kinds(), ..Given::default() },
            &environment,
            None,
            &here,
        );
        assert!(checked.problems.is_empty(), "{name}: {:#?}", checked.problems);
        assert_eq!(checked.config.sources[0].name, "prod");
    }
}

#[test]
fn systemd_locks_the_service_in() {
    let unit = text("systemd/smokejumper.service");
    let has = |line: &str| unit.lines().any(|l| l == line);
    for line in [
        "NoNewPrivileges=yes",
        "CapabilityBoundingSet=",
        "ProtectSystem=strict",
        "ProtectHome=yes",
        "PrivateTmp=yes",
        "PrivateDevices=yes",
        "MemoryDenyWriteExecute=yes",
        "RestrictNamespaces=yes",
        "SystemCallFilter=@system-service @sandbox @resources",
        "StateDirectory=smokejumper",
        "UMask=0077",
    ] {
        assert!(has(line), "{line}");
    }
    let settings = unit.lines().filter(|l| !l.starts_with('#') && !l.starts_with('[') && !l.is_empty());
    let odd: Vec<&str> = settings.filter(|l| !l.contains('=')).collect();
    assert!(odd.is_empty(), "{odd:?}");
    // The program of the unit is not installed here: a copy names one that is.
    let copy = tempfile::Builder::new().suffix(".service").tempfile().unwrap();
    let here = unit.replace("/usr/local/bin/smokejumper", "/bin/true");
    let here = here
        .replace("User=smokejumper\nGroup=smokejumper\n", "")
        .replace("After=network-online.target postgresql.service\n", "");
    std::fs::write(copy.path(), here).unwrap();
    checked_by("systemd-analyze", &["--version"], &["verify", "--man=no"], copy.path());
}

/// Metrics as docs/operations.md lists them (a test there compares that table with what `/metrics` gives), with the endings that
/// OpenMetrics adds.
fn metrics() -> BTreeSet<String> {
    let page = std::fs::read_to_string(deploy("../docs/operations.md")).unwrap();
    let mut names = BTreeSet::new();
    for row in page.lines().filter_map(|l| l.strip_prefix("| `")) {
        let (Some(name), Some(kind)) = (row.split('`').next(), row.split('|').nth(1).map(str::trim)) else { continue };
        let endings: &[&str] = match kind {
            "counter" => &["_total"],
            "histogram" => &["_bucket", "_sum", "_count"],
            "info" => &["_info"],
            "gauge" => &[""],
            _ => continue,
        };
        names.extend(endings.iter().map(|ending| format!("{name}{ending}")));
    }
    assert!(names.len() > 20, "the table of metrics was not found");
    names
}

/// Names of ours in a PromQL expression.
fn named(expression: &str) -> Vec<String> {
    let words = expression.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    words.filter(|w| w.starts_with("smokejumper_") || w.starts_with("process_")).map(str::to_owned).collect()
}

#[test]
fn the_alert_rules_ask_for_metrics_that_exist() {
    let known = metrics();
    let rules = documents("prometheus/alerts.yaml").remove(0);
    let rules = rules["groups"][0]["rules"].as_array().unwrap().clone();
    for rule in &rules {
        let expression = rule["expr"].as_str().unwrap();
        assert!(expression.contains("up{") || !named(expression).is_empty(), "{expression}");
        for name in named(expression) {
            assert!(known.contains(&name), "{}: {name}", rule["alert"]);
        }
        assert!(rule["annotations"]["summary"].is_string(), "{}", rule["alert"]);
        assert!(["warning", "critical"].iter().any(|s| rule["labels"]["severity"] == *s), "{}", rule["alert"]);
    }
    assert!(rules.len() >= 10);
    checked_by("promtool", &["--version"], &["check", "rules"], &deploy("prometheus/alerts.yaml"));
    assert!(documents("prometheus/scrape.example.yaml")[0]["scrape_configs"].is_array());
}

#[test]
fn the_dashboard_shows_metrics_that_exist() {
    let known = metrics();
    let board: Value = serde_json::from_str(&text("grafana/smokejumper.json")).unwrap();
    let mut shown = BTreeSet::new();
    for panel in board["panels"].as_array().unwrap() {
        for target in panel["targets"].as_array().unwrap() {
            for name in named(target["expr"].as_str().unwrap()) {
                assert!(known.contains(&name), "{}: {name}", panel["title"]);
                shown.insert(name);
            }
        }
        let place = &panel["gridPos"];
        assert!(place["x"].as_u64().unwrap() + place["w"].as_u64().unwrap() <= 24, "{}", panel["title"]);
    }
    assert!(shown.len() >= 12, "{shown:?}");
}
