//! On call as it is configured: turns, calendars, shifts and levels; gaps are told, and so is who is next.

use super::catalogue::{folder, variable};
use smokejumper::config::{Checked, Environment, Given, load};
use smokejumper::flow::identity::PersonId;
use smokejumper::flow::moment::At;
use smokejumper::flow::on_call::on_call;
use smokejumper::flow::policy::Policy;
use smokejumper_intents::text::render;

const PEOPLE: &str = "[[person]]\nid = \"ana\"\nname = \"Ana Ruiz\"\nright = \"admin\"\nteams = [\"payments\"]\n\
                      [[person]]\nid = \"bo\"\nmail = \"Bo@Example.org\"\n[[person]]\nid = \"cy\"\n\
                      [[service]]\nname = \"checkout\"\nowners = [\"payments\"]\n[[service]]\nname = \"mail\"\n";

fn at(text: &str) -> At {
    At(text.parse::<jiff::Timestamp>().unwrap().as_millisecond())
}

fn look(files: &[(&str, &str)], now: &str) -> (Checked, String) {
    let home = folder(files);
    let file = home.path().join("smokejumper.toml");
    let given = Given { file: Some(&file), now: at(now), ..Given::default() };
    let checked = load(given, &Environment { variable: &variable, uid: 1000 });
    let prefix = format!("{}/", home.path().display());
    let said: Vec<String> = checked.problems.iter().map(|p| p.to_string().replace(&prefix, "")).collect();
    (checked, said.join("\n"))
}

fn on(policy: &Policy, service: &str, now: &str) -> Vec<(String, u8, Option<String>)> {
    let found = policy.on_call(Some(service), at(now)).into_iter();
    found.map(|o| (o.who.0, o.level, o.until.map(At::rfc3339))).collect()
}

const NOW: &str = "2026-10-20T12:00:00Z";

#[test]
fn turns_follow_the_clock_of_their_zone() {
    let main = format!(
        "{PEOPLE}[[on_call]]\nname = \"primary\"\nteams = [\"payments\"]\nlevels = [\n\
         {{ rotation = {{ people = [\"ana\", \"bo\"], every = \"7d\", from = 2026-01-05T09:00:00+01:00, timezone = \"Europe/Madrid\" }} }},\n\
         {{ people = [\"cy\"] }},\n]\n\
         [[on_call]]\nname = \"rest\"\nlevels = [{{ rotation = {{ people = [\"cy\", \"bo\"], every = \"12h\", from = 2026-01-05T00:00:00Z }} }}]\n"
    );
    let (checked, said) = look(&[("smokejumper.toml", &main)], NOW);
    assert_eq!(said, "");
    let policy = checked.config.policy;
    let one = |who: &str, level, until: Option<&str>| (who.to_owned(), level, until.map(str::to_owned));
    // 19 October is the 42nd Monday: bo. The clocks go back on the 25th, and the turn still changes at nine.
    assert_eq!(
        on(&policy, "checkout", "2026-10-26T07:59:59Z"),
        [one("bo", 1, Some("2026-10-26T08:00:00Z")), one("cy", 2, None)]
    );
    assert_eq!(
        on(&policy, "checkout", "2026-10-26T08:00:00Z"),
        [one("ana", 1, Some("2026-11-02T08:00:00Z")), one("cy", 2, None)]
    );
    assert_eq!(on(&policy, "mail", "2026-10-20T13:00:00Z"), [one("bo", 1, Some("2026-10-21T00:00:00Z"))]);
    let told = |of| render(&on_call(of, &policy, at(NOW)).unwrap(), 100);
    insta::assert_snapshot!(told(Some("checkout")), @r#"
    On call for checkout

    primary
      level 1: bo until 2026-10-26 08:00 UTC; next Ana Ruiz from 2026-10-26 08:00 UTC
      level 2: cy
      serves payments
    "#);
    insta::assert_snapshot!(told(Some("@bo")), @r#"
    On call: bo

      `primary` level 1: now until 2026-10-26 08:00 UTC
      `primary` level 1: next from 2026-11-02 08:00 UTC
      `rest` level 1: now until 2026-10-21 00:00 UTC
      `rest` level 1: next from 2026-10-21 12:00 UTC
    "#);
    assert!(told(None).contains("rest") && told(Some("rest")).contains("serves everything"));
    let unknown = on_call(Some("chekout"), &policy, at(NOW)).unwrap_err();
    assert_eq!(unknown.try_instead.as_deref(), Some("on-call checkout"));
}

#[test]
fn a_calendar_names_people_by_mail_title_or_a_list_and_its_gaps_are_told() {
    let main = format!("{PEOPLE}[catalogue]\non_call = \"rota/on-call.toml\"\n");
    let rota = "[[on_call]]\nname = \"primary\"\nlevels = [{ calendar = \"team.ics\", calendar_names = { \"Primary\" = \"cy\" } }]\n";
    let event = |uid: &str, more: &str| format!("BEGIN:VEVENT\r\nUID:{uid}\r\n{more}\r\nEND:VEVENT\r\n");
    let calendar = [
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//t//EN\r\n",
        &event(
            "1",
            "SUMMARY:on call\r\nATTENDEE:mailto:bo@example.org\r\nDTSTART:20261020T000000Z\r\nDTEND:20261027T000000Z",
        ),
        &event("2", "SUMMARY:Ana Ruiz\r\nDTSTART:20261028T000000Z\r\nDTEND:20261103T000000Z"),
        &event("3", "SUMMARY:Primary\r\nDTSTART:20261103T000000Z\r\nDTEND:20261203T000000Z"),
        &event("4", "SUMMARY:Zed\r\nDTSTART:20261027T000000Z\r\nDTEND:20261028T000000Z"),
        "END:VCALENDAR\r\n",
    ]
    .concat();
    let files = [("smokejumper.toml", &*main), ("rota/on-call.toml", rota), ("rota/team.ics", &calendar)];
    let (checked, said) = look(&files, NOW);
    insta::assert_snapshot!(said, @r#"
    rota/on-call.toml:2:8: warning: nobody is on call from 2026-10-27 00:00 UTC to 2026-10-28 00:00 UTC; fill it, or add a schedule that serves everything
    rota/team.ics:24:1: warning: nobody is called `Zed`; write who that is under calendar_names, or give the person `mail`
    "#);
    let (config, _) = checked.usable().unwrap();
    let who = |now: &str| on(&config.policy, "mail", now).into_iter().map(|o| o.0).collect::<Vec<_>>();
    assert_eq!(who(NOW), ["bo"]);
    assert_eq!(who("2026-10-27T12:00:00Z"), Vec::<String>::new());
    assert_eq!(
        (who("2026-10-30T12:00:00Z"), who("2026-11-30T12:00:00Z")),
        (vec!["ana".to_owned()], vec!["cy".to_owned()])
    );
    assert!(config.files.iter().any(|f| f.ends_with("rota/team.ics")), "it is read again when it changes");
    assert!(config.policy.person_by_id(&PersonId("cy".to_owned())).is_some());
}

#[test]
fn what_is_wrong_is_said_where_it_stands() {
    let main = format!(
        "{PEOPLE}[[on_call]]\nname = \"a\"\nservices = [\"chekout\"]\nteams = [\"pay\"]\nlevels = [\n\
         {{ people = [\"annna\"], calendar = \"x.ics\" }},\n\
         {{ calendar = \"missing.ics\" }},\n\
         {{ rotation = {{ people = [], every = \"36h\", from = 2026-01-05T09:00:00Z, timezone = \"UTC\" }} }},\n\
         {{ shifts = [{{ who = \"anna\", from = 2026-01-05T09:00:00Z, until = 2026-01-05T09:00:00Z }}] }},\n]\n\
         [[on_call]]\nname = \"b\"\nlevels = []\n"
    );
    let (_, said) = look(&[("smokejumper.toml", &main)], NOW);
    insta::assert_snapshot!(said, @r#"
    smokejumper.toml:17:8: warning: nobody is on call from 2026-10-20 12:00 UTC to 2026-11-17 12:00 UTC; fill it, or add a schedule that serves everything
    smokejumper.toml:18:13: error: there is no service `chekout`; did you mean `checkout`?
    smokejumper.toml:19:10: error: there is no team `pay`; did you mean `payments`?
    smokejumper.toml:21:1: error: a level is one thing; write one of people, rotation, calendar and shifts
    smokejumper.toml:22:14: error: missing.ics cannot be read: there is no such file; write a path from the folder of this file
    smokejumper.toml:23:25: error: nobody takes turns here; name the people in their order
    smokejumper.toml:23:37: error: turns that follow a clock take whole days; write "1d", "7d" or "14d", or leave `timezone` out
    smokejumper.toml:24:21: error: there is no person `anna`; did you mean `ana`?
    smokejumper.toml:24:66: error: this shift ends before it begins; write a later `until`
    smokejumper.toml:28:10: error: a schedule has from 1 to 10 levels; write levels = [{ people = ["ana"] }]
    "#);
}
