//! `manifest slack`: the app as Slack takes it, from what this configuration uses. Prints; asks nobody.

use super::exit::Exit;
use super::{Global, speak};
use crate::config::slack::Intake;
use crate::edges::chat::slack::manifest::{self, Feature, Mode};
use clap::{Args as Arguments, Subcommand, ValueEnum};
use std::collections::BTreeSet;

#[derive(Debug, Arguments)]
pub struct Args {
    #[command(subcommand)]
    platform: Platform,
}

#[derive(Debug, Subcommand)]
enum Platform {
    /// The manifest of the Slack app: api.slack.com/apps, Create New App, From a manifest (docs/slack.md).
    Slack(SlackArgs),
}

#[derive(Debug, Arguments)]
struct SlackArgs {
    /// How Slack reaches us; otherwise as [slack] says, or by sockets.
    #[arg(long)]
    mode: Option<Way>,
    /// Where Slack posts to: https://incidents.example.com (http mode).
    #[arg(long, value_name = "BASE")]
    url: Option<String>,
    /// Features to add to what [slack] uses: announce, groups, …
    #[arg(long, value_delimiter = ',', value_name = "FEATURE,…")]
    with: Vec<String>,
    /// Features to leave out: mentions, private, announce, capture, catch-up, groups, bookmarks, pins, home.
    #[arg(long, value_delimiter = ',', value_name = "FEATURE,…")]
    without: Vec<String>,
    #[arg(long, value_enum, default_value_t = Format::Json)]
    format: Format,
    /// Say of each scope why it is wanted, by which feature, and what is lost without it.
    #[arg(long)]
    explain: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Way {
    Socket,
    Http,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    Json,
    Yaml,
}

pub fn run(global: &Global, args: &Args) -> Exit {
    let Platform::Slack(args) = &args.platform;
    let checked = global.load();
    // Before the app exists there are no tokens, and so no [slack] that can be used: that is no mistake here.
    let configured = checked.config.slack.as_ref();
    let mode = match (args.mode, configured.map(|slack| &slack.intake)) {
        (Some(Way::Http), _) | (None, Some(Intake::Http { .. })) => match &args.url {
            Some(base) if is_public(base) => Mode::Http { base: base.clone() },
            Some(_) => {
                return Exit::failed("--url is the https address under which Slack finds this server, without a path");
            }
            None => return Exit::failed("http mode needs --url https://HOST: Slack posts there"),
        },
        _ if args.url.is_some() => {
            return Exit::failed("--url is for --mode http; with sockets nothing is posted to us");
        }
        _ => Mode::Socket,
    };
    let mut features = Feature::of(configured);
    for (names, add) in [(&args.with, true), (&args.without, false)] {
        for name in names {
            match Feature::named(name) {
                Some(feature) if add => drop(features.insert(feature)),
                Some(feature) => drop(features.remove(&feature)),
                None => {
                    return Exit::failed(&format!("there is no feature `{name}`; there are {}", features_there_are()));
                }
            }
        }
    }
    speak::out(&if args.explain {
        manifest::explained(&mode, &features)
    } else {
        written(&mode, &features, args.format)
    });
    Exit::Ok
}

fn written(mode: &Mode, features: &BTreeSet<Feature>, format: Format) -> String {
    let manifest = manifest::manifest(mode, features);
    match format {
        Format::Json => format!("{manifest:#}\n"),
        Format::Yaml => yaml(&manifest, 0),
    }
}

fn features_there_are() -> String {
    Feature::ALL.into_iter().skip(1).map(Feature::name).collect::<Vec<_>>().join(", ")
}

/// `https://HOST[:PORT]`.
fn is_public(base: &str) -> bool {
    let host = base.strip_prefix("https://").map(|rest| rest.trim_end_matches('/'));
    host.is_some_and(|host| {
        !host.is_empty() && host.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | ':' | '[' | ']'))
    })
}

/// Objects and lists in blocks; every scalar as JSON writes it, which YAML reads the same.
fn yaml(value: &serde_json::Value, depth: usize) -> String {
    use serde_json::Value;
    let pad = "  ".repeat(depth);
    let entry = |lead: String, value: &Value| match value {
        Value::Object(inner) if !inner.is_empty() => format!("{lead}\n{}", yaml(value, depth + 1)),
        Value::Array(inner) if !inner.is_empty() => format!("{lead}\n{}", yaml(value, depth + 1)),
        scalar => format!("{lead} {scalar}\n"),
    };
    match value {
        Value::Object(object) => object.iter().map(|(key, value)| entry(format!("{pad}{key}:"), value)).collect(),
        Value::Array(list) => list.iter().map(|value| entry(format!("{pad}-"), value)).collect(),
        scalar => format!("{pad}{scalar}\n"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_yaml_is_the_json() {
        for mode in [Mode::Socket, Mode::Http { base: "https://incidents.example.com".to_owned() }] {
            let features = Feature::of(None);
            let yaml: serde_json::Value = serde_saphyr::from_str(&written(&mode, &features, Format::Yaml)).unwrap();
            assert_eq!(yaml, manifest::manifest(&mode, &features));
        }
    }

    #[test]
    fn an_address_is_https_and_has_no_path() {
        assert!(is_public("https://incidents.example.com") && is_public("https://10.0.0.1:8443/"));
        for other in ["http://incidents.example.com", "https://", "https://a/b", "https://u@h", "incidents.example.com"]
        {
            assert!(!is_public(other), "{other}");
        }
    }
}
