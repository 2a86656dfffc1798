//! What the documents show must be true: the configuration of the README is accepted, files they link are there.

use smokejumper::config::{Environment, Given, check};
use smokejumper::edges::{alerts, changes};
use std::path::Path;

const DOCUMENTS: &[(&str, &str)] = &[
    ("README.md", include_str!("../../README.md")),
    ("ARCHITECTURE.md", include_str!("../../ARCHITECTURE.md")),
    ("CONTRIBUTING.md", include_str!("../../CONTRIBUTING.md")),
    ("SECURITY.md", include_str!("../../SECURITY.md")),
    ("CHANGELOG.md", include_str!("../../CHANGELOG.md")),
    ("deploy/README.md", include_str!("../../deploy/README.md")),
    ("docs/sources.md", include_str!("../../docs/sources.md")),
    ("docs/operations.md", include_str!("../../docs/operations.md")),
];

/// The fenced blocks of one language.
fn blocks<'t>(text: &'t str, language: &str) -> Vec<&'t str> {
    let opening = format!("```{language}\n");
    text.split(opening.as_str()).skip(1).filter_map(|rest| rest.split("```").next()).collect()
}

#[test]
fn the_readmes_configuration_is_accepted() {
    let blocks = blocks(DOCUMENTS[0].1, "toml");
    assert_eq!(blocks.len(), 1);
    let secrets = |name: &str| (name == "SMOKEJUMPER_AM_TOKEN").then(|| "q7Wm2vJx9fKp4Rtd8LzB".to_owned());
    let environment = Environment { variable: &secrets, uid: 1000 };
    let (kinds, change_kinds) = (alerts::kinds(), changes::kinds());
    let given = Given { source_kinds: &kinds, change_kinds: &change_kinds, ..Given::default() };
    // Beside deploy/runbooks, as for somebody who copied that folder.
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/smokejumper.toml");
    let checked = check(given, &environment, Some(&file), blocks[0]);
    assert!(checked.problems.is_empty(), "{:#?}", checked.problems);
    assert_eq!(checked.config.sources[0].name, "prod");
    assert!(DOCUMENTS[0].1.contains(&format!("http://{}/alerts/prod", checked.config.listen)), "the address it shows");
}

#[test]
fn files_that_are_linked_or_named_are_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut missing = Vec::new();
    for (name, text) in DOCUMENTS {
        let folder = root.join(name).parent().unwrap().to_owned();
        let linked = text.split("](").skip(1).filter_map(|rest| rest.split(')').next());
        let linked =
            linked.filter(|link| !link.contains("://") && !link.starts_with('#')).map(|link| folder.join(link));
        // `src/…` and `tests/…` in backticks, without placeholders.
        let named = text.split('`').skip(1).step_by(2);
        let of_ours =
            |path: &&str| ["src/", "tests/", "intents/src/", "index/src/"].iter().any(|p| path.starts_with(p));
        let named =
            named.filter(of_ours).filter(|path| !path.contains(['<', '{', '*', '…', ' '])).map(|path| root.join(path));
        missing.extend(
            linked.chain(named).filter(|path| !path.exists()).map(|path| format!("{name}: {}", path.display())),
        );
    }
    assert!(missing.is_empty(), "{missing:#?}");
}
