//! Backstage's `catalog-info.yaml`: components, resources, systems and APIs, with their owners and what they need.
//!
//! YAML is read into these few fields only, without aliases (no bombs) and without tags of anybody's own. Knows names as they are
//! written; knows nobody behind a name.

use serde::Deserialize;
use serde_saphyr::Spanned;
use std::collections::BTreeMap;

/// Documents in one file; a catalogue of a whole company in one is a database.
const MAX_DOCUMENTS: usize = 1_000;
/// Values and keys in one file, and how deep they stand in each other.
const MAX_NODES: usize = 100_000;
const MAX_DEPTH: usize = 40;

/// Something of a catalogue that may be a service of ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entity {
    pub kind: Kind,
    pub name: String,
    /// Where its name stands, from 1.
    pub line: usize,
    pub owner: Option<Named>,
    pub needs: Vec<Named>,
    pub needs_apis: Vec<String>,
    pub provides_apis: Vec<String>,
    /// `owner/name`, as GitHub calls it.
    pub repository: Option<String>,
}

/// Of two that are called the same the first of these is the service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    Component,
    Resource,
    System,
    Api,
}

/// A reference, `group:default/payments` or `payments`, and its line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    pub text: String,
    pub line: usize,
}

impl Named {
    /// `group`, `payments`; without a kind the first is empty.
    #[must_use]
    pub fn kind_and_name(&self) -> (&str, &str) {
        let (kind, rest) = self.text.split_once(':').unwrap_or(("", &self.text));
        (kind, rest.rsplit('/').next().unwrap_or(rest))
    }
}

/// Why a file can't be used, and where.
#[derive(Debug, PartialEq, Eq)]
pub struct Unreadable {
    pub line: usize,
    pub column: usize,
    pub what: String,
}

#[derive(Deserialize)]
struct Raw {
    kind: Option<String>,
    metadata: Option<Metadata>,
    #[serde(default)]
    spec: Spec,
}

#[derive(Deserialize)]
struct Metadata {
    name: Option<Spanned<String>>,
    #[serde(default)]
    annotations: Annotations,
}

#[derive(Default, Deserialize)]
struct Annotations {
    #[serde(rename = "github.com/project-slug")]
    slug: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Spec {
    owner: Option<Spanned<String>>,
    #[serde(default)]
    depends_on: Vec<Spanned<String>>,
    #[serde(default)]
    consumes_apis: Vec<String>,
    #[serde(default)]
    provides_apis: Vec<String>,
}

/// The entities of a file that may be services, in their order.
///
/// # Errors
/// It is no YAML as a catalogue has it.
pub fn parse(text: &str) -> Result<Vec<Entity>, Unreadable> {
    let options = serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_aliases: 0,
            max_anchors: 0,
            max_merge_keys: 0,
            max_documents: MAX_DOCUMENTS,
            max_nodes: MAX_NODES,
            max_depth: MAX_DEPTH,
        },
        reject_unsupported_tags: true,
    };
    let documents: Vec<Option<Raw>> = serde_saphyr::from_multiple_with_options(text, options).map_err(|error| {
        let at = error.location();
        let number = |n: Option<u64>| n.and_then(|n| usize::try_from(n).ok()).unwrap_or_default();
        // The reader quotes the lines around it; one line is enough here.
        let text = error.to_string();
        let first = text.lines().next().unwrap_or_default();
        // `error: line 1 column 13: what`: the place is said by us.
        let what = first.splitn(3, ": ").nth(2).unwrap_or(first).to_owned();
        Unreadable { line: number(at.map(|l| l.line())), column: number(at.map(|l| l.column())), what }
    })?;
    Ok(documents.into_iter().flatten().filter_map(entity).collect())
}

fn entity(raw: Raw) -> Option<Entity> {
    let kind = match raw.kind?.to_lowercase().as_str() {
        "component" => Kind::Component,
        "resource" => Kind::Resource,
        "system" => Kind::System,
        "api" => Kind::Api,
        _ => return None,
    };
    let metadata = raw.metadata?;
    let name = named(&metadata.name?);
    Some(Entity {
        kind,
        line: name.line,
        name: name.text,
        owner: raw.spec.owner.as_ref().map(named),
        needs: raw.spec.depends_on.iter().map(named).collect(),
        needs_apis: raw.spec.consumes_apis,
        provides_apis: raw.spec.provides_apis,
        repository: metadata.annotations.slug,
    })
}

fn named(written: &Spanned<String>) -> Named {
    Named { text: written.value.clone(), line: usize::try_from(written.referenced.line()).unwrap_or_default() }
}

/// Which components provide an API.
#[must_use]
pub fn providers(entities: &[Entity]) -> BTreeMap<&str, Vec<&str>> {
    let mut found: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for entity in entities {
        for api in &entity.provides_apis {
            let name = api.rsplit(['/', ':']).next().unwrap_or(api);
            found.entry(name).or_default().push(&entity.name);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    const TWO: &str = "apiVersion: backstage.io/v1alpha1\nkind: Component\nmetadata:\n  name: checkout\n  annotations:\n    \
                       github.com/project-slug: example/checkout\n    backstage.io/techdocs-ref: dir:.\nspec:\n  type: service\n  \
                       owner: group:default/payments\n  dependsOn: [\"resource:orders-db\"]\n  consumesApis: [mail-api]\n\
                       ---\nkind: Location\nspec:\n  targets: [./x.yaml]\n---\nkind: Resource\nmetadata: {name: orders-db}\nspec: {owner: user:ana}\n";

    #[test]
    fn what_may_be_a_service_is_read_with_its_lines() {
        let entities = parse(TWO).unwrap();
        assert_eq!(
            entities.iter().map(|e| (e.kind, e.name.as_str(), e.line)).collect::<Vec<_>>(),
            [(Kind::Component, "checkout", 4), (Kind::Resource, "orders-db", 19)]
        );
        let checkout = &entities[0];
        assert_eq!(checkout.owner.as_ref().unwrap().kind_and_name(), ("group", "payments"));
        assert_eq!(checkout.needs[0].kind_and_name(), ("resource", "orders-db"));
        assert_eq!(
            (checkout.needs_apis.as_slice(), checkout.repository.as_deref()),
            (&["mail-api".to_owned()][..], Some("example/checkout"))
        );
        assert_eq!(entities[1].owner.as_ref().unwrap().kind_and_name(), ("user", "ana"));
    }

    #[test]
    fn bombs_tags_and_nonsense_are_refused_with_their_place() {
        let bomb = "a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n";
        for (text, line) in [
            (bomb, 1),
            ("kind: Component\nmetadata:\n  name: !!python/object/apply:os.system [id]\n", 3),
            ("kind: !evil Component\n", 1),
            ("kind: Component\nmetadata: [\n", 3),
            ("kind: {a: b}\n", 1),
        ] {
            let error = parse(text).expect_err(text);
            assert!(error.line.abs_diff(line) <= 1 && !error.what.is_empty(), "{text}: {error:?}");
        }
        assert!(parse(&format!("a: {}1{}\n", "[".repeat(5_000), "]".repeat(5_000))).is_err());
        assert!(parse(&"---\nkind: Component\n".repeat(2_000)).is_err());
        assert_eq!(parse("").unwrap(), []);
        assert_eq!(parse("kind: Component\nmetadata: {name: x}\nunknown: {deep: [1]}\n").unwrap().len(), 1);
    }
}
