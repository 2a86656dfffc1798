//! Configuration: what is accepted, and in which words, at which place, everything else is refused.

use smokejumper::config::github::Access;
use smokejumper::config::problem::Weight;
use smokejumper::config::secret::Secret;
use smokejumper::config::source::{Auth, KnownKind};
use smokejumper::config::{Checked, Config, Environment, Given, check, excerpt, load};
use smokejumper::flow::identity::Platform;
use smokejumper::flow::moment::{At, HOUR, MINUTE};
use smokejumper::flow::policy::{Channel, Open, Policy};
use smokejumper_intents::word::{Right, Severity};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

const GIVEN: Given<'static> =
    Given { now: At(0), file: None, data_dir: None, source_kinds: KINDS, change_kinds: CHANGE_KINDS };

const CHANGE_KINDS: &[KnownKind] =
    &[KnownKind { name: "generic", signs: false }, KnownKind { name: "github", signs: true }];
const KINDS: &[KnownKind] = &[
    KnownKind { name: "alertmanager", signs: false },
    KnownKind { name: "pagerduty", signs: true },
    KnownKind { name: "cloudwatch", signs: false },
    KnownKind { name: "json", signs: false },
];

fn variable(name: &str) -> Option<String> {
    match name {
        "HOME" => Some("/home/ana".to_owned()),
        "TOKEN" => Some("canary-5f1d".to_owned()),
        "SIGNING" => Some("canary-that-signs-5f1d".to_owned()),
        "SLACK_BOT" => Some("xoxb-canary-5f1d".to_owned()),
        "SLACK_APP" => Some("xapp-1-A0CANARY-5f1d".to_owned()),
        "EMPTY" => Some(String::new()),
        "DATABASE_URL" => Some("postgres://ana:canary-77@db/smokejumper".to_owned()),
        _ => None,
    }
}

fn looked(source: &str) -> Checked {
    let environment = Environment { variable: &variable, uid: 1000 };
    check(GIVEN, &environment, Some(Path::new("conf/c.toml")), source)
}

/// `line:column: what; hint`, the way people see it but for the file's name.
fn said(source: &str) -> Vec<String> {
    looked(source).problems.iter().map(|p| p.to_string().replace("conf/c.toml:", "")).collect()
}

fn good(source: &str) -> Config {
    looked(source).usable().unwrap_or_else(|problems| panic!("{problems:#?}")).0
}

/// One problem, which begins and ends like this.
#[track_caller]
fn refused(source: &str, starts: &str, hint: &str) {
    let said = said(source);
    assert_eq!(said.len(), 1, "{said:#?}");
    assert!(said[0].starts_with(starts), "{}\nis not\n{starts}", said[0]);
    assert!(said[0].contains(hint), "{}\nlacks\n{hint}", said[0]);
}

#[test]
fn an_empty_file_is_valid_and_serves_this_machine_only() {
    let config = good("");
    assert!(config.listen.ip().is_loopback());
    assert_eq!(config.listen.port(), 7911);
    assert_eq!(config.data_dir, Path::new("/home/ana/.local/share/smokejumper"));
    assert_eq!(config.sources.len(), 1);
    assert!(config.sources[0].auth.is_open());
    assert_eq!(config.runbooks, None);
    let [operator] = config.policy.people.as_slice() else { panic!("{:?}", config.policy.people) };
    assert_eq!(operator.right, Right::Admin);
    assert!(operator.identities.iter().any(|i| i.platform == Platform::Cli && i.id == "1000"));
    let defaults = Policy::default();
    assert_eq!(config.policy.storm.incidents, defaults.storm.incidents);
    assert_eq!(config.policy.platforms, [Platform::Console]);
}

#[test]
fn root_keeps_data_where_daemons_do() {
    let environment = Environment { variable: &variable, uid: 0 };
    assert_eq!(check(GIVEN, &environment, None, "").config.data_dir, Path::new("/var/lib/smokejumper"));
    let given = Given { data_dir: Some(Path::new("/elsewhere")), ..GIVEN };
    let source = "[server]\ndata_dir = \"x\"\n";
    assert_eq!(check(given, &environment, None, source).config.data_dir, Path::new("/elsewhere"));
    assert_eq!(good(source).data_dir, Path::new("conf/x"));
}

#[test]
fn everything_that_is_set_arrives() {
    let config = good(
        r#"
        [server]
        listen = "[::1]:80"
        [console]
        hosts = ["Incidents.Example.org"]
        [secrets]
        t = { env = "TOKEN" }
        [[source]]
        name = "prod"
        kind = "alertmanager"
        auth = { basic = { user = "am", password = "t" } }
        [[person]]
        id = "ana"
        name = "Ana Ruiz"
        right = "admin"
        teams = ["platform"]
        on_call = true
        cli = [1000, 1001]
        slack = "T1/U1"
        discord = ["1/2", "1/3"]
        [[person]]
        id = "bo"
        teams = ["platform"]
        console = false
        [[service]]
        name = "checkout"
        owners = ["platform", "bo"]
        depends_on = ["db"]
        tier = 1
        [[service]]
        name = "db"
        [[route]]
        match = 'service="checkout",severity=~"critical|page"'
        service = "checkout"
        severity = "sev2"
        open = "always"
        invite = ["platform"]
        [[silence]]
        name = "upgrade"
        match = 'service="db"'
        from = 2026-12-01T22:00:00Z
        until = "2026-12-02T00:00:00+01:00"
        [grouping]
        service_window = "1h"
        quiet_after = "90s"
        [storm]
        incidents = 3
        window = "10m"
        [triage]
        threshold = 0.5
        shown = 2
        [approval]
        expires_after = "1h30m"
        max_ineffective = 1
        "#,
    );
    assert_eq!(config.listen.to_string(), "[::1]:80");
    assert_eq!(config.hosts, ["incidents.example.org"]);
    let Auth::Basic { user, passwords } = &config.sources[0].auth else { panic!("{:?}", config.sources) };
    assert_eq!((user.as_str(), passwords[0].expose()), ("am", "canary-5f1d"));
    let policy = &config.policy;
    assert_eq!(policy.people[0].identities.len(), 6, "{:?}", policy.people[0].identities);
    assert_eq!((policy.people[1].name.as_str(), policy.people[1].right), ("bo", Right::Responder));
    assert_eq!(policy.people[1].identities, []);
    let route = &policy.routes[0];
    assert_eq!((route.name.as_str(), route.open, route.severity), ("route 1", Open::Always, Some(Severity::Sev2)));
    assert_eq!(route.invite.iter().map(|p| p.0.as_str()).collect::<Vec<_>>(), ["ana", "bo"]);
    assert_eq!(route.matchers.len(), 2);
    assert_eq!(policy.silences[0].until.since(policy.silences[0].from), HOUR);
    assert_eq!((policy.grouping.service_window, policy.grouping.quiet_after), (HOUR, 90_000));
    assert_eq!((policy.storm.incidents, policy.storm.window), (3, 10 * MINUTE));
    assert_eq!((policy.triage.shown, policy.approval.expires_after), (2, 90 * MINUTE));
    assert!(!format!("{config:?}").contains("canary-5f1d"));
}

#[test]
fn unknown_keys_are_shown_with_their_place_and_the_one_that_was_meant() {
    refused("[server]\nlissen = \"x\"\n", "2:1: error: unknown key `lissen`", "did you mean `listen`?");
    refused("[servre]\n", "1:2: error: unknown table `servre`", "did you mean `server`?");
    refused(
        "[[person]]\nid = \"a\"\nright = \"admin\"\non-call = true",
        "4:1: error: unknown key `on-call`",
        "did you mean `on_call`?",
    );
    refused("[server]\nqqqq = 1\n", "2:1: error: unknown key `qqqq`", "known are `listen`, `data_dir`");
    refused("[secrets]\na = { evn = \"TOKEN\" }", "2:7: error: unknown key `evn`", "did you mean `env`?");
    refused("[[route]]\nmatch = 'a=\"b\"'\nopen = \"alwasy\"", "3:8: error: `alwasy` is not possible here", "`always`");
    refused("[[person]]\nid = \"a\"\nright = \"root\"", "3:9: error: `root` is not possible here", "`admin`");
}

#[test]
fn wrong_types_and_missing_keys_are_told_in_words() {
    refused("[server]\nlisten = 7911\n", "2:10: error: this number cannot stand here; expected a text in quotes", "");
    refused("[[source]]\nname = \"a\"\n", "1:1: error: the key `kind` is missing", "kind = ");
    refused("source = 1\n", "1:10: error: `source` is a list of tables", "[[source]]");
    refused("[source]\nname = \"a\"\n", "1:1: error: `source` is a list of tables", "[[source]]");
    refused("server = 1\n", "1:10: error: this number cannot stand here; expected a table", "");
    refused("[triage]\nthreshold = \"high\"\n", "2:13: error: a text cannot stand here; expected a number", "");
    refused("[storm]\nwindow = \"5 minutes\"\n", "2:10: error: this is not a duration", "\"1h30m\"");
    refused(
        "[[person]]\nid = \"a\"\nright = \"admin\"\ncli = true",
        "4:7: error: true or false cannot stand here",
        "one value or a list",
    );
    refused(
        "[[silence]]\nname = \"a\"\nmatch = 'a=\"b\"'\nfrom = 2026-12-01\nuntil = 2026-12-02",
        "4:8: error: this is not a moment",
        "Z",
    );
    refused("[storm]\nincidents = -1\n", "2:13: error: this number cannot stand here", "");
}

#[test]
fn each_broken_table_is_shown_at_once() {
    let said =
        said("[server]\nlissen = 1\n[storm]\nwindow = 5\n[[route]]\nmatch = 'a='\n[[route]]\nmach = 'a=\"b\"'\n");
    let places: Vec<&str> = said.iter().map(|s| s.split(": ").next().unwrap()).collect();
    assert_eq!(places, ["2:1", "4:10", "6:12", "8:1"], "{said:#?}");
}

#[test]
fn syntax_errors_have_their_place() {
    let said = said("[server]\nlisten = \n");
    assert!(said[0].starts_with("2:10: error: "), "{said:#?}");
    assert!(self::said("[server]\n[server]\n")[0].starts_with("2:"), "a table twice");
    for source in ["\u{0}", "[", "a = 'x", "= 1", "[a]]", "\u{feff}x", &"[".repeat(10_000), &"a.".repeat(5_000)] {
        assert!(looked(source).usable().is_err(), "{}", source.chars().take(20).collect::<String>());
    }
}

#[test]
fn what_refers_to_nothing_is_refused() {
    let people = "[[person]]\nid = \"ana\"\nright = \"admin\"\nteams = [\"platform\"]\n";
    let services = "[[service]]\nname = \"checkout\"\n";
    let route = "[[route]]\nmatch = 'a=\"b\"'\n";
    refused(
        &format!("{people}{route}invite = [\"anna\"]"),
        "7:11: error: `anna` is neither a person nor a team",
        "did you mean `ana`?",
    );
    refused(
        &format!("{services}{route}service = \"chekout\""),
        "5:11: error: there is no service `chekout`",
        "`checkout`",
    );
    refused(&format!("{services}depends_on = [\"db\"]"), "3:15: error: there is no service `db`", "");
    refused(&format!("{people}{services}owners = [\"plaform\"]"), "7:11: error: `plaform` is neither", "`platform`");
    refused(
        "[[source]]\nname = \"a\"\nkind = \"alertmanger\"",
        "3:8: error: there is no kind of source `alertmanger`",
        "`alertmanager`",
    );
    let source = "[[source]]\nname = \"a\"\nkind = \"alertmanager\"\n";
    refused(
        &format!("{source}auth = {{ bearer = \"hunter2\" }}"),
        "4:19: error: there is no secret of this name",
        "[secrets]",
    );
    refused(
        &format!("{source}auth = {{}}"),
        "2:8: error: auth is one of `bearer`, `basic`, `header`, `hmac` and `sns`",
        "bearer",
    );
    assert!(
        !said(&format!("{source}auth = {{ bearer = \"hunter2\" }}"))[0].contains("hunter2"),
        "it may be the secret itself"
    );
    assert!(!said(&format!("{source}auth = \"hunter2\""))[0].contains("hunter2"));
}

#[test]
fn matchers_are_checked_to_the_character() {
    refused("[[route]]\nmatch = 'a=\"b\", severity is high'", "2:26: error: not a matcher", "=");
    refused("[[route]]\nmatch = 'a=\"b\", severity=~\"(\"'", "2:", "");
    let said = said("[[route]]\nmatch = ''");
    assert!(said[0].contains("no matcher"), "an empty set would match everything: {said:#?}");
}

#[test]
fn doubles_are_refused_for_four_eyes_count_people() {
    let ana = "[[person]]\nid = \"ana\"\nright = \"admin\"\ncli = 1000\n";
    refused(
        &format!("{ana}[[person]]\nid = \"bo\"\ncli = 1000"),
        "6:6: error: the cli account 1000 is also `ana`'s",
        "one person",
    );
    let said = said(&format!("{ana}[[person]]\nid = \"ana\"\nconsole = false"));
    assert!(said[0].contains("there are two of the person `ana`"), "{said:#?}");
    let source = "[[source]]\nname = \"a\"\nkind = \"alertmanager\"\n";
    refused(&source.repeat(2), "5:8: error: there are two of the source `a`", "another name");
    refused(&source.replace("\"a\"", "\"a/b\""), "2:8: error: `a/b` is no name for a source", "letters");
}

#[test]
fn values_out_of_range_are_refused() {
    refused("[triage]\nthreshold = 35\n", "2:", "");
    refused("[triage]\nthreshold = nan\n", "2:13: error: this must be from 0 to 1", "0.25");
    refused("[triage]\nshown = 9\n", "2:9: error: this must be from 1 to 3", "3");
    refused("[storm]\nincidents = 0\n", "2:13: error: this must be from 1 to 100", "10");
    refused("[server]\nlisten = \"7911\"\n", "2:10: error: `7911` is not an address", "127.0.0.1:7911");
    refused("[runbooks]\nfolder = \"nowhere\"\n", "2:10: error: there is no folder conf/nowhere", "");
    let silence =
        "[[silence]]\nname = \"a\"\nmatch = 'a=\"b\"'\nfrom = 2026-12-02T00:00:00Z\nuntil = 2026-12-01T00:00:00Z";
    refused(silence, "5:9: error: this silence ends before it begins", "later");
}

#[test]
fn an_open_door_is_a_warning_elsewhere_than_on_loopback() {
    let warned = looked("[server]\nlisten = \"0.0.0.0:7911\"\n[[source]]\nname = \"a\"\nkind = \"alertmanager\"\n");
    assert_eq!(warned.problems.len(), 1);
    assert_eq!((warned.problems[0].weight, warned.problems[0].line), (Weight::Warning, 4));
    assert_eq!(looked("[server]\nlisten = \"0.0.0.0:7911\"\n").problems.len(), 1, "the default source is open, too");
    assert!(warned.usable().is_ok());
}

#[test]
fn secrets_come_from_where_they_are_said_to_be() {
    refused("[secrets]\na = { env = \"NOPE\" }", "2:5: error: the environment variable NOPE is not set", "set it");
    refused("[secrets]\na = { env = \"EMPTY\" }", "2:1: error: the secret `a` is empty", "value");
    // Once: whoever refers to it has made no mistake.
    let used = looked("[secrets]\na = { env = \"NOPE\" }\n[database]\nurl = \"a\"\n[metrics]\ntoken = \"a\"\n");
    assert_eq!(used.problems.len(), 1, "{:#?}", used.problems);
    refused("[secrets]\na = \"ChangeMe\"", "2:1: error: the secret `a` is one that anybody would guess", "openssl");
    refused("[secrets]\na = { file = \"nope\" }", "2:5: error: the secret file conf/nope of `a` cannot be used", "");
    refused("[secrets]\na = { file = \"x\", env = \"Y\" }", "2:5: error: a secret comes from one place", "");
    refused("[secrets]\na = 5", "2:5: error: this is not a secret", "env");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("token");
    std::fs::write(&file, "from-a-file\n").unwrap();
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
    let source = format!("[secrets]\na = {{ file = {:?} }}", file.display().to_string());
    assert_eq!(good(&source).secrets["a"].expose(), "from-a-file");
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).unwrap();
    assert_eq!(looked(&source).problems[0].weight, Weight::Warning);
    std::fs::write(&file, vec![b'x'; 70_000]).unwrap();
    assert!(looked(&source).problems[0].what.contains("larger than 64 KiB"));
}

#[test]
fn a_file_that_cannot_be_read_is_named_with_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let environment = Environment { variable: &variable, uid: 1000 };
    let problem = |path: &Path| load(Given { file: Some(path), ..GIVEN }, &environment).problems[0].to_string();
    let missing = problem(&folder.path().join("none.toml"));
    assert!(missing.contains("there is no such file") && missing.contains("deploy/config.example.toml"), "{missing}");
    assert!(problem(folder.path()).contains("it is not a file"));
    let binary = folder.path().join("b.toml");
    std::fs::write(&binary, b"\xff\xfe").unwrap();
    assert!(problem(&binary).contains("not UTF-8"));
    std::fs::write(&binary, vec![b' '; 1024 * 1024 + 1]).unwrap();
    assert!(problem(&binary).contains("at most 1024 KiB"));
}

#[test]
fn a_database_is_named_by_a_secret_and_never_guessed() {
    assert!(good("").database.is_none());
    let config = good("[database]\nurl = \"db\"\n[secrets]\ndb = { env = \"DATABASE_URL\" }\n");
    assert_eq!(config.database.as_ref().map(Secret::expose), Some("postgres://ana:canary-77@db/smokejumper"));
    assert!(!format!("{config:?}").contains("canary-77"));
    for (source, starts, hint) in [
        ("url = \"postgres://ana:canary-77@db/x\"", "2:7: error: the URL of a database is a secret", "[secrets]"),
        ("url = \"t\"\n[secrets]\nt = { env = \"TOKEN\" }", "2:7: error: the secret `t` is not the URL", "postgres://"),
        ("uri = \"db\"", "2:1: error: unknown key `uri`", "`url`"),
        ("url = \"db\"", "2:7: error: there is no secret of this name", "[secrets]"),
    ] {
        let source = format!("[database]\n{source}\n");
        refused(&source, starts, hint);
        let looked = looked(&source);
        assert!(looked.database_unknown && looked.config.database.is_none(), "{source}");
        assert!(!format!("{looked:?}").contains("canary"), "{source}");
    }
    // Containers are told without a file; what the file says comes first.
    for (url, known) in [("postgres://bo@db/y", true), ("mysql://bo@db/y", false)] {
        let variable = move |name: &str| (name == "SMOKEJUMPER_DATABASE_URL").then(|| url.to_owned());
        let looked = check(GIVEN, &Environment { variable: &variable, uid: 1000 }, None, "");
        assert_eq!(looked.config.database.as_ref().map(Secret::expose), known.then_some(url));
        assert_eq!((looked.database_unknown, looked.problems.len()), (!known, usize::from(!known)));
    }
}

#[test]
fn github_is_a_token_or_an_app() {
    let secrets = "[secrets]\ntoken = { env = \"TOKEN\" }\n";
    let with = |github: &str| format!("{secrets}[github]\nrepository = \"acme/ops\"\n{github}");
    let config = good(&with("token = \"token\"\nlabels = [\"incident\"]\nwebhook_secret = \"token\""));
    let github = config.github.unwrap();
    assert_eq!((github.api_url.as_str(), github.webhook.len()), ("https://api.github.com", 1));
    assert!(matches!(github.access, Access::Token(_)));
    let tracking = config.policy.tracking.unwrap();
    assert_eq!((tracking.repository.as_deref(), tracking.labels), (Some("acme/ops"), vec!["incident".to_owned()]));
    let app = good(&with("app = { id = 1, installation = 2, key = \"token\" }")).github.unwrap();
    assert!(matches!(app.access, Access::App { id: 1, installation: 2, .. }));

    let both = with("token = \"token\"\napp = { id = 1, installation = 2, key = \"token\" }");
    refused(&both, "3:1: error: GitHub needs either a token or an App", "name-of-a-secret");
    refused(&with(""), "3:1: error: GitHub needs either a token or an App", "name-of-a-secret");
    refused(&with("token = \"other\""), "5:9: error: there is no secret of this name", "token");
    let api = |url: &str| with(&format!("token = \"token\"\napi_url = \"{url}\""));
    assert_eq!(good(&api("https://git.example/api/v3/")).github.unwrap().api_url, "https://git.example/api/v3");
    good(&api("http://127.0.0.1:8080"));
    good(&api("http://[::1]:8080"));
    refused(&api("http://git.example/api/v3"), "6:11: error: the token would cross", "allow_plaintext");
    refused(&api("http://127.0.0.1.evil.example"), "6:11: error: the token would cross", "allow_plaintext");
    refused(&api("git.example"), "6:11: error: this is not the address of an API", "https://HOST/api/v3");
}

#[test]
fn the_example_shows_every_key_there_is_and_is_valid() {
    let example = include_str!("../../../deploy/config.example.toml");
    assert_eq!(said(example), Vec::<String>::new(), "as it is");
    let set: String = example
        .lines()
        .map(|line| line.strip_prefix('#').filter(|rest| !rest.is_empty() && !rest.starts_with(' ')).unwrap_or(line))
        .flat_map(|line| [line, "\n"])
        .collect();
    let without_secrets = set
        .replace("SMOKEJUMPER_AM_TOKEN_BEFORE", "TOKEN")
        .replace("SMOKEJUMPER_AM_TOKEN", "TOKEN")
        .replace("SMOKEJUMPER_METRICS_TOKEN", "TOKEN")
        .replace("SMOKEJUMPER_CI_TOKEN", "TOKEN")
        .replace("SMOKEJUMPER_GITHUB_WEBHOOK_SECRET", "SIGNING")
        .replace("SMOKEJUMPER_PD_DEFAULT", "TOKEN")
        .replace("SMOKEJUMPER_PD_BO", "TOKEN")
        .replace("SMOKEJUMPER_PD_CHECKOUT", "TOKEN")
        .replace("SMOKEJUMPER_PD_PAYMENTS", "TOKEN")
        .replace("SMOKEJUMPER_PD_WEBHOOK_SECRET", "SIGNING")
        .replace("SMOKEJUMPER_SIREN_KEY", "SIGNING")
        .replace("SMOKEJUMPER_GITHUB_HOOK_BEFORE", "TOKEN")
        .replace("SMOKEJUMPER_GITHUB_HOOK", "TOKEN")
        .replace("SMOKEJUMPER_GITHUB_TOKEN", "TOKEN")
        .replace("{ env = \"SMOKEJUMPER_SLACK_BOT\" }", "{ env = \"SLACK_BOT\" }")
        .replace("{ env = \"SMOKEJUMPER_SLACK_APP\" }", "{ env = \"SLACK_APP\" }")
        .replace("SMOKEJUMPER_SLACK_SIGNING_BEFORE", "SIGNING")
        .replace("{ env = \"SMOKEJUMPER_SLACK_SIGNING\" }", "{ env = \"SIGNING\" }")
        // One way for each.
        .replace("\nbot_token_file = \"/run/secrets/slack_bot\"", "")
        .replace("\napp_token_file = \"/run/secrets/slack_app\"", "")
        .replace("\nsigning_secret_file = \"/run/secrets/slack_signing\"", "")
        .replace("{ file = \"/run/secrets/github_app.pem\" }", "{ env = \"TOKEN\" }")
        // One of the two.
        .replace("\ntoken = \"github_token\"", "")
        .replace("{ file = \"/run/secrets/staging_password\" }", "{ env = \"TOKEN\" }")
        .replace("json-mapping.example.toml", concat!(env!("CARGO_MANIFEST_DIR"), "/deploy/json-mapping.example.toml"))
        .replace("folder = \"runbooks\"", "")
        .replace("[traces]\nendpoint = \"http://127.0.0.1:4318\"\nshare = 0.1\n", "")
        .replace("people = \"people.toml\"", "")
        .replace("services = \"services.toml\"", "")
        .replace("on_call = \"on-call.toml\"", "")
        .replace("backstage = [\"catalog-info.yaml\", \"services/\"]", "backstage = []")
        .replace("codeowners = [\".github/CODEOWNERS\"]", "codeowners = []")
        .replace("path = \"services/checkout/\"", "");
    assert_eq!(said(&without_secrets), Vec::<String>::new(), "with every setting set");
    let tables = [
        "server",
        "database",
        "console",
        "runbooks",
        "github",
        "slack",
        "catalogue",
        "working_hours",
        "grouping",
        "storm",
        "triage",
        "approval",
        "escalation",
        "nudges",
        "log",
        "traces",
        "metrics",
        "heartbeat",
        "retention",
    ]
    .map(|t| format!("[{t}]"));
    let lists =
        ["source", "change_source", "person", "team", "on_call", "service", "route", "silence", "maintenance", "pager"]
            .map(|t| format!("[[{t}]]"));
    for table in tables.iter().chain(&lists) {
        // An unknown key makes the reader list the known ones.
        let said = said(&format!("{table}\nqqqqqqqq = 1\n"));
        let list = said[0].split("known are ").nth(1).or(said[0].split("did you mean ").nth(1)).unwrap();
        let block: String = set.split(table.as_str()).skip(1).map(|b| b.split("\n[").next().unwrap()).collect();
        for key in list.split('`').skip(1).step_by(2) {
            assert!(block.contains(&format!("\n{key} = ")), "{table} lacks {key}");
        }
    }
}

#[test]
fn a_pager_that_would_wake_nobody_is_refused() {
    let secret = "[secrets]\nkey = { env = \"TOKEN\" }\n";
    let pager = |rest: &str| format!("{secret}[[pager]]\nname = \"p\"\nkind = {rest}\n");
    refused(
        &pager("\"pagerduty\""),
        "4:8: error: this pager has no routing key",
        "the integration key of a service there",
    );
    refused(
        &pager("\"webhook\"\nurl = \"https://siren.example.org\""),
        "4:8: error: a webhook needs an address",
        "to sign with",
    );
    refused(&pager("\"pagerduty\"\nrouting_key = \"kye\""), "6:15: error: there is no secret of this name", "");
    refused(
        &pager("\"pagerduty\"\nrouting_key = \"key\"\nurl = \"https://x\""),
        "7:7: error: `url` is for pagers of kind",
        "leave it out",
    );
    refused(
        &pager("\"pagerduty\"\nrouting_key = \"key\"\napi_url = \"x\""),
        "7:11: error: this is not an address",
        "https://",
    );
    refused(&pager("\"pagerduty\"\npeople = { zoe = \"key\" }"), "6:12: error: there is no person `zoe`", "");
    let config = good(&pager("\"pagerduty\"\nrouting_key = \"key\""));
    assert_eq!(config.pagers.list[0].url, "https://events.pagerduty.com");
    assert!(config.policy.escalation.phones && !good("").policy.escalation.phones);
    assert!(!format!("{config:?}").contains("canary-5f1d"));
}

#[test]
fn times_until_the_next_is_asked_are_times_or_never() {
    let config =
        good("[escalation]\nsev1 = \"90s\"\nsev2 = \"never\"\nagain = 0\n[nudges]\nsev3 = \"2h\"\nclosing = \"never\"");
    let policy = config.policy;
    assert_eq!(policy.escalation.after, [(Severity::Sev1, 90_000)].into());
    assert_eq!((policy.escalation.again, policy.nudges.closing_every), (0, 0));
    assert_eq!(policy.nudges.every[&Severity::Sev3], 2 * HOUR);
    assert_eq!(policy.nudges.every[&Severity::Sev1], HOUR / 2, "what is not said stays as it is");
    refused("[escalation]\nsev1 = \"soon\"", "2:8: error: this is neither a duration", "");
    refused("[escalation]\nagain = 21", "2:9: error: the last level is asked again at most 20 times", "");
}

#[test]
fn rooms_are_where_routes_say_and_as_long_as_the_rules_say() {
    let config = good(
        "[rooms]\nannounce_from = \"sev3\"\narchive_after = \"never\"\n[[route]]\nmatch = 'a=\"b\"'\nchannel = \"none\"\n[[route]]\nmatch = 'a=\"c\"'",
    );
    assert_eq!((config.policy.rooms.announce_from, config.policy.rooms.archive_after), (Severity::Sev3, None));
    let channels: Vec<Channel> = config.policy.routes.iter().map(|route| route.channel).collect();
    assert_eq!(channels, [Channel::None, Channel::Auto]);
    assert_eq!(good("").policy.rooms.archive_after, Some(7 * 24 * HOUR));
    refused("[rooms]\narchive_after = \"5m\"", "2:17: error: that is too soon", "an hour at least");
    refused("[rooms]\narchive_after = \"soon\"", "2:17: error: this is neither a duration", "");
    let thread = "[[route]]\nmatch = 'a=\"b\"'\nchannel = \"thread\"";
    refused(thread, "3:11: error: incidents cannot be talked about in threads", "\"none\" for the console alone");
}

#[test]
fn the_excerpt_points_at_the_place() {
    let source = "[server]\nlissen = \"x\"\n";
    let shown = excerpt::from(&looked(source).problems[0], source).unwrap();
    assert_eq!(shown, "    2 | lissen = \"x\"\n      | ^\n");
}

/// Two secrets, long enough to sign with.
const SIGNING: &str = "[secrets]\nnew = \"0123456789abcdef\"\nold = \"fedcba9876543210\"\nshort = \"abc\"\n";

#[test]
fn a_source_that_signs_is_proven_by_its_signature() {
    let config = good(&format!(
        "[[source]]\nname = \"pd\"\nkind = \"pagerduty\"\nauth = {{ hmac = [\"new\", \"old\"] }}\n{SIGNING}"
    ));
    let Auth::Signed(secrets) = &config.sources[0].auth else { panic!("{:?}", config.sources) };
    assert_eq!(secrets.iter().map(Secret::expose).collect::<Vec<_>>(), ["0123456789abcdef", "fedcba9876543210"]);
    refused(
        &format!("[[source]]\nname = \"am\"\nkind = \"alertmanager\"\nauth = {{ hmac = \"new\" }}\n{SIGNING}"),
        "4:17: error: `alertmanager` does not sign what it sends",
        "those who sign are `pagerduty`",
    );
    refused(
        &format!("[[source]]\nname = \"pd\"\nkind = \"pagerduty\"\nauth = {{ hmac = \"short\" }}\n{SIGNING}"),
        "4:17: warning: a secret that signs has at least 16 characters",
        "the vendor made",
    );
}

#[test]
fn a_token_may_come_in_a_header_of_any_name() {
    let source = "[[source]]\nname = \"dd\"\nkind = \"alertmanager\"\nauth = { header = { name = \"NAME\", value = \"new\" } }\n";
    let config = good(&format!("{}{SIGNING}", source.replace("NAME", "X-Alert-Token")));
    let Auth::Header { name, values } = &config.sources[0].auth else { panic!("{:?}", config.sources) };
    assert_eq!((name.as_str(), values.len()), ("X-Alert-Token", 1));
    for odd in ["", "X Token", "X-Töken", "X:Y"] {
        let text = format!("{}{SIGNING}", source.replace("NAME", odd));
        refused(&text, &format!("4:28: error: `{odd}` is no name of a header"), "X-Alert-Token");
    }
    let both = source.replace("{ header", "{ bearer = \"new\", header");
    refused(&format!("{both}{SIGNING}"), "2:8: error: auth is one of", "bearer");
}

#[test]
fn traces_are_for_builds_that_can_send_them() {
    let written = "[traces]\nendpoint = \"http://127.0.0.1:4318\"\nshare = 0.1\n";
    let problems = said(written);
    if smokejumper::telemetry::TRACES {
        assert_eq!(problems, Vec::<String>::new());
        assert!(said("[traces]\nendpoint = \"collector\"\n").concat().contains("not an address"));
        assert!(said(&written.replace("0.1", "1.5")).concat().contains("from 0.0 to 1.0"));
    } else {
        assert!(
            problems.concat().contains("this build cannot send traces")
                && problems.concat().contains("--features otlp")
        );
        assert!(!problems.concat().contains("error:"), "it starts all the same: {problems:?}");
    }
}
