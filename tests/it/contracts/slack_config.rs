//! `[slack]`: which tokens it takes from where, and in which words it refuses others. No value of a token is ever repeated.

use smokejumper::config::problem::Weight;
use smokejumper::config::slack::Intake;
use smokejumper::config::{Checked, Environment, Given, check};
use smokejumper::flow::identity::Platform;
use smokejumper::flow::moment::At;
use smokejumper_intents::word::Right;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

const CANARY: &str = "canary-5f1d";

fn nothing(_: &str) -> Option<String> {
    None
}

fn everything(name: &str) -> Option<String> {
    match name {
        "SMOKEJUMPER_SLACK_BOT_TOKEN" | "BOT" => Some(format!("xoxb-{CANARY}")),
        "SMOKEJUMPER_SLACK_APP_TOKEN" | "APP" => Some(format!("xapp-1-A0-{CANARY}")),
        "SMOKEJUMPER_SLACK_SIGNING_SECRET" | "SIGNING" => Some(format!("signs-{CANARY}")),
        "USER" => Some(format!("xoxp-{CANARY}")),
        "EMPTY" => Some(String::new()),
        _ => None,
    }
}

fn looked(variable: &dyn Fn(&str) -> Option<String>, file: &Path, source: &str) -> Checked {
    let given = Given { now: At(0), file: None, data_dir: None, source_kinds: &[], change_kinds: &[] };
    let environment = Environment { variable, uid: 1000 };
    let checked = check(given, &environment, Some(file), source);
    let told = format!("{:?}", checked.problems);
    assert!(!told.contains(CANARY), "{told}");
    checked
}

fn said(variable: &dyn Fn(&str) -> Option<String>, source: &str) -> Vec<String> {
    let checked = looked(variable, Path::new("conf/c.toml"), source);
    checked.problems.iter().map(|p| p.to_string().replace("conf/c.toml:", "")).collect()
}

const NAMED: &str = "[secrets]\nbot = { env = \"BOT\" }\napp = { env = \"APP\" }\nuser = { env = \"USER\" }\n[slack]\n";

#[test]
fn tokens_come_from_names_files_or_the_environment() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("c.toml");
    let file = |name: &str, value: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, value).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    };
    file("bot", &format!("xoxb-{CANARY}\n"));
    file("app", &format!("xapp-1-A0-{CANARY}"));
    file("signing", &format!("signs-{CANARY}"));
    for source in [
        "[slack]\n",
        "[slack]\nbot_token_file = \"bot\"\napp_token_file = \"app\"\n",
        &format!("{NAMED}bot_token = \"bot\"\napp_token = \"app\"\n"),
    ] {
        let checked = looked(&everything, &path, source);
        assert!(checked.problems.is_empty(), "{source}: {:?}", checked.problems);
        let slack = checked.config.slack.unwrap();
        assert_eq!(slack.bot_token.expose(), format!("xoxb-{CANARY}"));
        assert!(matches!(&slack.intake, Intake::Socket { app_token } if app_token.expose().ends_with(CANARY)));
        assert_eq!((slack.api_url.as_str(), slack.capture, slack.catch_up), ("https://slack.com/api", true, true));
        assert!(checked.config.policy.platforms.contains(&Platform::Slack));
    }
    for source in ["[slack]\nmode = \"http\"\n", "[slack]\nmode = \"http\"\nsigning_secret_file = \"signing\"\n"] {
        let slack = looked(&everything, &path, source).config.slack.unwrap();
        assert!(matches!(&slack.intake, Intake::Http { signing } if signing.len() == 1), "{source}");
    }
}

#[test]
fn what_is_missing_is_said_with_the_place_where_it_is_made() {
    let both = said(&nothing, "[slack]\n");
    assert_eq!(both.len(), 2, "{both:#?}");
    assert!(
        both[0].contains("Slack needs `bot_token`: write it, or `bot_token_file`, or set SMOKEJUMPER_SLACK_BOT_TOKEN")
    );
    assert!(both[0].contains("OAuth & Permissions") && both[1].contains("App-Level Tokens"), "{both:#?}");
    let http = said(&nothing, "[slack]\nmode = \"http\"\nbot_token_file = \"/nowhere/bot\"\n");
    assert!(
        http.iter().any(|p| p.contains("/nowhere/bot")) && http.iter().any(|p| p.contains("SIGNING_SECRET")),
        "{http:#?}"
    );
}

#[test]
fn tokens_of_another_kind_are_named_and_never_repeated() {
    let swapped = said(&everything, &format!("{NAMED}bot_token = \"app\"\napp_token = \"bot\"\n"));
    assert!(swapped[0].contains("what `bot_token` holds is an app-level token"), "{swapped:#?}");
    assert!(swapped[1].contains("what `app_token` holds is a bot token"), "{swapped:#?}");
    let user = said(&everything, &format!("{NAMED}bot_token = \"user\"\napp_token = \"app\"\n"));
    assert!(user[0].contains("what `bot_token` holds is a user token") && user[0].contains("xoxb-"), "{user:#?}");
    let twice =
        said(&everything, &format!("{NAMED}bot_token = \"bot\"\nbot_token_file = \"x\"\napp_token = \"app\"\n"));
    assert!(twice[0].contains("`bot_token` is given twice"), "{twice:#?}");
}

#[test]
fn a_literal_token_warns_where_others_may_read_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("c.toml");
    let source = format!("[slack]\nbot_token = \"xoxb-{CANARY}\"\napp_token = \"xapp-1-A0-{CANARY}\"\n");
    std::fs::write(&path, &source).unwrap();
    for (mode, warnings) in [(0o644, 2), (0o600, 0)] {
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        let checked = looked(&nothing, &path, &source);
        let warned = checked.problems.iter().filter(|p| p.weight == Weight::Warning).count();
        assert_eq!((warned, checked.problems.len()), (warnings, warnings), "{mode:o}: {:?}", checked.problems);
        assert!(checked.config.slack.is_some());
    }
}

#[test]
fn groups_and_the_channel_for_announcements_have_a_shape() {
    let with = |rest: &str| format!("{NAMED}bot_token = \"bot\"\napp_token = \"app\"\n{rest}");
    let checked = looked(
        &everything,
        Path::new("conf/c.toml"),
        &with("announce = \"#incidents\"\ngroups = { S0123ABCD = \"approver\" }\ncapture = false\ncatch_up = false\n"),
    );
    assert!(checked.problems.is_empty(), "{:?}", checked.problems);
    assert_eq!(checked.config.policy.rooms.announce, [Platform::Slack]);
    let slack = checked.config.slack.unwrap();
    assert_eq!((slack.announce.as_deref(), slack.capture, slack.catch_up), (Some("incidents"), false, false));
    assert_eq!(slack.groups.get("S0123ABCD"), Some(&Right::Approver));
    for (rest, problem) in [
        ("announce = \"no channel!\"\n", "is no channel"),
        ("groups = { oncall = \"approver\" }\n", "is not the id of a user group"),
        ("groups = { S0123ABCD = \"king\" }\n", "king"),
        ("mode = \"carrier-pigeon\"\n", "carrier-pigeon"),
        ("api_url = \"http://slack.example/api\"\n", "would cross the network in plain text"),
        ("captures = true\n", "unknown key `captures`; did you mean `capture`?"),
    ] {
        let said = said(&everything, &with(rest));
        assert!(said.iter().any(|p| p.contains(problem)), "{rest}: {said:#?}");
    }
}
