//! People, teams, services and hours of the configuration and the files it names: each problem has its file and line.

use smokejumper::config::{Checked, Environment, Given, load};
use smokejumper::flow::condition::Condition;
use smokejumper::flow::identity::PersonId;
use smokejumper::flow::moment::At;
use smokejumper::flow::policy::Policy;
use smokejumper_intents::word::Right;
use std::path::Path;
use tempfile::TempDir;

pub fn variable(_name: &str) -> Option<String> {
    None
}

/// A folder with these files; the first is the configuration.
pub fn folder(files: &[(&str, &str)]) -> TempDir {
    let home = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = home.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    home
}

pub fn look(home: &Path) -> Checked {
    let file = home.join("smokejumper.toml");
    let given = Given { file: Some(&file), ..Given::default() };
    load(given, &Environment { variable: &variable, uid: 1000 })
}

/// What is said about them, with paths from their folder.
pub fn said(files: &[(&str, &str)]) -> Vec<String> {
    let home = folder(files);
    let prefix = format!("{}/", home.path().display());
    look(home.path()).problems.iter().map(|p| p.to_string().replace(&prefix, "")).collect()
}

pub fn good(files: &[(&str, &str)]) -> Policy {
    let home = folder(files);
    let (config, warnings) = look(home.path()).usable().unwrap_or_else(|p| panic!("{p:?}"));
    assert_eq!(warnings, []);
    config.policy
}

fn at(text: &str) -> At {
    At(text.parse::<jiff::Timestamp>().unwrap().as_millisecond())
}

const MAIN: &str = "[catalogue]\npeople = \"people.toml\"\nservices = \"conf/services.toml\"\n";
const PEOPLE: &str = "[[person]]\nid = \"ana\"\nright = \"admin\"\ngithub = \"@ana-ruiz\"\n\
                      [[person]]\nid = \"bo\"\nteams = [\"platform\"]\n\
                      [[team]]\nname = \"payments\"\nmembers = [\"ana\", \"bo\"]\ngithub = \"example/payments\"\n";

#[test]
fn people_and_services_may_live_in_files_of_their_own() {
    let services = "[[service]]\nname = \"checkout\"\nowners = [\"payments\"]\ndepends_on = [\"db\"]\n\
                    repository = \"https://github.com/example/checkout.git\"\nrunbooks = [\"restart\"]\nchannel = \"pay\"\ntier = 1\n";
    let main = format!("{MAIN}[[service]]\nname = \"db\"\nowners = [\"platform\"]\n");
    let home = folder(&[("smokejumper.toml", &main), ("people.toml", PEOPLE), ("conf/services.toml", services)]);
    let (config, warnings) = look(home.path()).usable().unwrap();
    assert_eq!(warnings, []);
    let names: Vec<_> = config.files.iter().map(|f| f.file_name().unwrap().to_owned()).collect();
    assert_eq!(names, ["services.toml", "people.toml"]);
    let policy = config.policy;
    assert_eq!(policy.people.len(), 2);
    assert_eq!((policy.people[0].right, policy.people[0].github.as_deref()), (Right::Admin, Some("ana-ruiz")));
    assert_eq!(policy.people[0].teams, ["payments"]);
    assert_eq!(policy.people[1].teams, ["platform", "payments"]);
    let checkout = &policy.services["checkout"];
    assert_eq!(checkout.repository.as_deref(), Some("example/checkout"));
    assert_eq!((checkout.runbooks.as_slice(), checkout.channel.as_deref()), (&["restart".to_owned()][..], Some("pay")));
}

#[test]
fn each_problem_has_the_file_and_line_it_was_written_at() {
    let people = "[[person]]\nid = \"ana\"\n[[person]]\nid = \"bo\"\nhours = \"Mon-Fri 9-17\"\ntimezone = \"Europe/Madird\"\n\
                  [[team]]\nname = \"payments\"\nmembers = [\"bob\"]\n[[route]]\nmatch = \"a=b\"\n";
    let services = "[[service]]\nname = \"checkout\"\nowners = [\"payment\"]\n[[service]]\nname = \"checkout\"\nrepository = \"here\"\n";
    let main = format!(
        "{MAIN}[[person]]\nid = \"ana\"\n[[maintenance]]\nname = \"b\"\nmatch = \"a=b\"\nevery = \"Son 02:00-04:00\"\n"
    );
    let files = [("smokejumper.toml", &*main), ("people.toml", people), ("conf/services.toml", services)];
    insta::assert_snapshot!(said(&files).join("\n"), @r#"
    smokejumper.toml:5:6: error: nobody is administrator; give one person right = "admin"
    smokejumper.toml:9:10: error: `Son` are no days of a week; write them like "Mon-Fri 09:00-17:00" or "Sun 02:00-04:00"
    conf/services.toml:3:11: error: `payment` is neither a person nor a team; known are `ana`, `bo`
    conf/services.toml:5:8: error: there are two of the service `checkout`; give one of them another name
    conf/services.toml:6:14: error: `here` is no repository; write it as "owner/name", or its https address
    people.toml:2:6: error: there are two of the person `ana`; give one of them another name
    people.toml:5:18: error: `9-17` is no time from and until; write them like "Mon-Fri 09:00-17:00" or "Sun 02:00-04:00"
    people.toml:6:12: error: there is no time zone `Europe/Madird`; did you mean `Europe/Madrid`?
    people.toml:8:8: warning: nobody is in the team `payments`; name its members
    people.toml:9:12: error: there is no person `bob`; did you mean `bo`?
    people.toml:10:3: error: unknown table `route`; known are `person`, `team`
    "#);
}

#[test]
fn a_file_of_people_has_an_administrator_and_a_named_file_is_there() {
    let files = [("smokejumper.toml", MAIN), ("people.toml", "[[person]]\nid = \"ana\"\n")];
    insta::assert_snapshot!(said(&files).join("\n"), @r#"
    smokejumper.toml:3:12: error: conf/services.toml cannot be read: there is no such file; write a path from the folder of this file, to a file this user may read
    people.toml:2:6: error: nobody is administrator; give one person right = "admin"
    "#);
}

#[test]
fn hours_windows_and_conditions_are_read_with_their_zones() {
    let policy = good(&[(
        "smokejumper.toml",
        r#"
        [working_hours]
        hours = "Mon-Fri 08:00-16:00"
        timezone = "Europe/Madrid"
        [[person]]
        id = "ana"
        right = "admin"
        hours = "Sat 10:00-12:00"
        timezone = "UTC"
        [[person]]
        id = "bo"
        timezone = "America/New_York"
        [[person]]
        id = "cy"
        [[maintenance]]
        name = "backup"
        match = 'service="db"'
        every = "Sun 02:00-04:00"
        [[route]]
        match = 'service="db"'
        when = { time_in = "Mon-Fri 09:00-17:00", timezone = "UTC", changed_within = "30m" }
        unless = { alert_firing = 'alertname="Down"' }
        "#,
    )]);
    // A Friday, 07:30 UTC: 08:30 in Madrid, 02:30 in New York.
    let now = at("2026-11-20T07:30:00Z");
    let works = |who: &str, now| policy.is_working(Some(&PersonId(who.to_owned())), now);
    assert!(policy.is_working(None, now) && works("cy", now) && !works("ana", now) && !works("bo", now));
    assert!(works("ana", at("2026-11-21T11:00:00Z")) && works("bo", at("2026-11-20T14:00:00Z")));
    assert!(policy.maintenance[0].every.contains(at("2026-11-22T01:30:00Z")), "02:30 in Madrid");
    let route = &policy.routes[0];
    let told: Vec<String> = route.when.iter().chain(&route.unless).map(Condition::text).collect();
    insta::assert_snapshot!(told.join("\n"), @r#"
    it is Mon-Fri 09:00-17:00 (UTC)
    its service was changed within 30 min
    another alert with alertname="Down" is firing
    "#);
}
