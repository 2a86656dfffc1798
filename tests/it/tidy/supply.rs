//! What the product is made of: licences, sources and banned crates as deny.toml has them, from `cargo metadata`.
//!
//! cargo-deny does the same and more; this runs everywhere the tests run, and without network.

use serde_json::Value;
use std::collections::BTreeSet;
use std::process::Command;

/// What is built on this machine: a fresh clone has downloaded no other platform's crates.
fn packages() -> Vec<Value> {
    let version = Command::new(env!("CARGO")).arg("-vV").output().unwrap();
    let version = String::from_utf8(version.stdout).unwrap();
    let host = version.lines().find_map(|line| line.strip_prefix("host: ")).unwrap();
    let cargo = Command::new(env!("CARGO"))
        .args([
            "metadata",
            "--format-version",
            "1",
            "--locked",
            "--offline",
            "--filter-platform",
            host,
            "--manifest-path",
        ])
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"))
        .output()
        .unwrap();
    assert!(cargo.status.success(), "{}", String::from_utf8_lossy(&cargo.stderr));
    let mut metadata: Value = serde_json::from_slice(&cargo.stdout).unwrap();
    let packages: Vec<Value> = serde_json::from_value(metadata["packages"].take()).unwrap();
    let built = built(host);
    packages.into_iter().filter(|p| built.contains(&format!("{} v{}", text(&p["name"]), text(&p["version"])))).collect()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// `name vVersion` of what is really compiled: metadata also lists what a weak feature (`reqwest?/rustls`) would bring in.
fn built(host: &str) -> BTreeSet<String> {
    let tree = Command::new(env!("CARGO"))
        .args(["tree", "--workspace", "--locked", "--offline", "--prefix", "none", "--format", "{p}", "--target", host])
        .args(["--manifest-path", concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml")])
        .output()
        .unwrap();
    assert!(tree.status.success(), "{}", String::from_utf8_lossy(&tree.stderr));
    let lines = String::from_utf8(tree.stdout).unwrap();
    lines.lines().map(|line| line.split(' ').take(2).collect::<Vec<_>>().join(" ")).collect()
}

fn deny() -> toml::Table {
    toml::from_str(include_str!("../../../deny.toml")).unwrap()
}

fn strings(value: &toml::Value, key: &str) -> Vec<String> {
    let item = |item: &toml::Value| item.as_str().or_else(|| item.get(key)?.as_str()).unwrap().to_owned();
    value.as_array().unwrap().iter().map(item).collect()
}

#[test]
fn licences_are_permissive_and_known() {
    let allowed = strings(&deny()["licenses"]["allow"], "");
    let refused: Vec<_> = packages()
        .iter()
        .filter(|package| !package["license"].as_str().is_some_and(|licence| permits(licence, &allowed)))
        .map(|package| format!("{} {}: {}", package["name"], package["version"], package["license"]))
        .collect();
    assert!(refused.is_empty(), "not among [licenses] in deny.toml: {refused:#?}");
}

#[test]
fn crates_come_from_the_registry_or_from_here() {
    let registries = strings(&deny()["sources"]["allow-registry"], "");
    let known = |source: &str| registries.iter().any(|registry| source == format!("registry+{registry}"));
    let strays: Vec<_> = packages()
        .iter()
        .filter(|package| !package["source"].is_null() && !package["source"].as_str().is_some_and(known))
        .map(|package| format!("{}: {}", package["name"], package["source"]))
        .collect();
    assert!(strays.is_empty(), "{strays:#?}");
}

#[test]
fn banned_crates_stay_out() {
    let banned = strings(&deny()["bans"]["deny"], "crate");
    let names: Vec<String> = packages().iter().map(|package| package["name"].as_str().unwrap().to_owned()).collect();
    let found: Vec<_> = names.iter().filter(|name| banned.contains(name)).collect();
    assert!(found.is_empty(), "banned in deny.toml: {found:?}");
    assert!(
        names.contains(&"ring".to_owned()) && banned.contains(&"openssl-sys".to_owned()),
        "the check reads nothing"
    );
}

#[test]
fn each_exception_has_its_reason() {
    let deny = deny();
    for list in ["deny", "skip", "skip-tree"] {
        for entry in deny["bans"][list].as_array().unwrap() {
            assert!(entry.get("reason").is_some_and(|reason| reason.as_str().is_some_and(|r| r.len() > 3)), "{entry}");
        }
    }
}

#[test]
fn licence_expressions_are_understood() {
    let allowed = ["MIT".to_owned(), "ISC".to_owned()];
    for licence in ["MIT", "GPL-3.0 OR MIT", "Apache-2.0/MIT", "MIT AND ISC", "(GPL-2.0 OR MIT) AND ISC"] {
        assert!(permits(licence, &allowed), "{licence}");
    }
    for licence in ["", "GPL-3.0", "MIT AND GPL-3.0", "(GPL-2.0 OR MPL-2.0) AND ISC", "MIT WITH Exception"] {
        assert!(!permits(licence, &allowed), "{licence}");
    }
}

/// Whether an SPDX expression can be met with the allowed licences. `/` is the old way to write OR; AND binds stronger than OR.
fn permits(expression: &str, allowed: &[String]) -> bool {
    let spaced = expression.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
    let mut tokens = spaced.split_whitespace().peekable();
    either(&mut tokens, allowed)
}

type Tokens<'a> = std::iter::Peekable<std::str::SplitWhitespace<'a>>;

fn either(tokens: &mut Tokens<'_>, allowed: &[String]) -> bool {
    let mut met = both(tokens, allowed);
    while tokens.next_if_eq(&"OR").is_some() {
        met |= both(tokens, allowed);
    }
    met
}

fn both(tokens: &mut Tokens<'_>, allowed: &[String]) -> bool {
    let mut met = one(tokens, allowed);
    while tokens.next_if_eq(&"AND").is_some() {
        met &= one(tokens, allowed);
    }
    met
}

fn one(tokens: &mut Tokens<'_>, allowed: &[String]) -> bool {
    let Some(token) = tokens.next() else { return false };
    if token == "(" {
        let met = either(tokens, allowed);
        return tokens.next() == Some(")") && met;
    }
    let with_exception = tokens.next_if_eq(&"WITH").is_some() && tokens.next().is_some();
    !with_exception && allowed.iter().any(|licence| licence == token)
}
