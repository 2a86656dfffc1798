//! What the service catalogue takes from Backstage and CODEOWNERS, and what is said where they disagree with us.

use super::catalogue::{folder, look, said};
use smokejumper::config::hints::hints;

const MAIN: &str = r#"
[catalogue]
people = "people.toml"
backstage = ["catalog-info.yaml", "services"]
codeowners = [".github/CODEOWNERS"]

[[service]]
name = "checkout"
depends_on = ["orders-db"]
path = "services/checkout/"
[[service]]
name = "mail"
path = "services/mail/"
tier = 1
[[service]]
name = "search"
owners = ["platform"]
path = "services/search/"
"#;
const PEOPLE: &str = r#"
[[person]]
id = "ana"
right = "admin"
github = "ana-ruiz"
teams = ["idle"]
[[person]]
id = "bo"
mail = "bo@example.org"
[[team]]
name = "payments"
members = ["ana"]
github = "example/pay"
[[team]]
name = "platform"
members = ["bo"]
github = "example/platform"
"#;
const OWNERS: &str = "* @example/platform\n/services/checkout/ @example/nobody\n/services/mail/ @ana-ruiz bo@example.org @example/pay\n\
                      /services/search/ @example/pay\n[Section]\n";
const ROOT: &str = "kind: Component\nmetadata:\n  name: checkout\n  annotations:\n    github.com/project-slug: example/shop\n\
                    spec:\n  owner: group:pay\n  consumesApis: [api:default/mail-api]\n---\n\
                    kind: Resource\nmetadata:\n  name: orders-db\nspec:\n  owner: group:default/platform\n";
const MAIL: &str = "kind: Component\nmetadata:\n  name: mail\nspec:\n  owner: group:unheard-of\n  providesApis: [mail-api]\n\
                    ---\nkind: API\nmetadata:\n  name: mail-api\nspec:\n  owner: user:ana\n";
const SEARCH: &str = "kind: Component\nmetadata:\n  name: search\nspec:\n  owner: group:pay\n  dependsOn: ['component:mail', 'resource:gone']\n";
const SHOP: &str = "kind: System\nmetadata:\n  name: shop\nspec:\n  owner: user:bo\n  consumesApis: [mail-api]\n";

#[test]
fn ours_counts_then_backstage_then_codeowners() {
    let files = [
        ("smokejumper.toml", MAIN),
        ("people.toml", PEOPLE),
        (".github/CODEOWNERS", OWNERS),
        ("catalog-info.yaml", ROOT),
        ("services/mail/catalog-info.yaml", MAIL),
        ("services/search/catalog-info.yml", SEARCH),
        ("services/shop/catalog-info.yaml", SHOP),
        ("services/bad/catalog-info.yaml", "kind: !evil Component\n"),
        ("services/other.yaml", "kind: Component\nmetadata:\n  name: unseen\n"),
    ];
    insta::assert_snapshot!(said(&files).join("\n"), @r#"
    .github/CODEOWNERS:2:1: warning: nobody is known as `@example/nobody`; give a [[team]] or [[person]] this name as `github`
    .github/CODEOWNERS:4:1: warning: it says that payments own search; [[service]] says platform, and that counts
    .github/CODEOWNERS:5:1: warning: this line is skipped; GitHub has no `!` and no `[ ]` in CODEOWNERS
    services/bad/catalog-info.yaml:1:13: warning: it is no catalogue: unsupported tag `!evil`; nothing of this file is used until it is mended
    services/mail/catalog-info.yaml:5:1: warning: nobody is known as `group:unheard-of`; name the team under [[team]], or the person under [[person]]
    services/search/catalog-info.yml:5:1: warning: it says that group:pay owns search; [[service]] says platform, and that counts
    services/search/catalog-info.yml:6:1: warning: there is no service `resource:gone`; name its catalogue under [catalogue] backstage
    "#);
    let home = folder(&files);
    let (config, _) = look(home.path()).usable().unwrap();
    let shown: Vec<String> = config
        .policy
        .services
        .values()
        .map(|s| {
            format!("{}: {:?} needs {:?} {:?}", s.name, s.owners, s.depends_on, s.repository.as_deref().unwrap_or("-"))
        })
        .collect();
    insta::assert_snapshot!(shown.join("\n"), @r#"
    checkout: ["payments"] needs ["orders-db"] "example/shop"
    mail: ["ana", "bo", "payments"] needs [] "-"
    orders-db: ["platform"] needs [] "-"
    search: ["platform"] needs ["mail"] "-"
    shop: ["bo"] needs ["mail"] "-"
    "#);
    let names: Vec<String> = config.files.iter().map(|f| f.display().to_string()).collect();
    assert!(
        names.iter().any(|f| f.ends_with("services")) && names.iter().any(|f| f.ends_with("CODEOWNERS")),
        "{names:?}"
    );
    insta::assert_snapshot!(hints(&config.policy).join("\n"), @r#"
    `mail`: tier 1, and no on-call schedule serves it
    `idle`: a team that owns nothing and is called by nothing
    "#);
}

#[test]
fn links_are_not_followed() {
    let home = folder(&[
        ("smokejumper.toml", "[catalogue]\nbackstage = [\"in\"]\n"),
        ("in/a/catalog-info.yaml", SHOP),
        ("out/catalog-info.yaml", SEARCH),
    ]);
    std::os::unix::fs::symlink(home.path().join("in"), home.path().join("in/a/loop")).unwrap();
    std::os::unix::fs::symlink(home.path().join("out/catalog-info.yaml"), home.path().join("in/catalog-info.yaml"))
        .unwrap();
    let checked = look(home.path());
    assert_eq!(checked.config.policy.services.keys().collect::<Vec<_>>(), ["shop"]);
}
