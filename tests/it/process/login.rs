//! `login`: whoever runs the server lets others in, and so a repair finds the two people it takes.

use super::bot::{Bot, client};
use super::ledger::{reader, settled};
use super::person::Person;
use super::storm::{alert, body};
use super::{err, out, smokejumper};
use crate::world::wait::{DEADLINE, seen};
use serde_json::json;
use smokejumper::app::console_identity;
use smokejumper::flow::fact::Ended;
use smokejumper::flow::incident::{IncidentId, Phase};
use smokejumper::ports::Views as _;
use std::path::Path;
use std::process::Output;

const PEOPLE: &str = "[[person]]\nid = \"ana\"\nname = \"Ana Ruiz\"\nright = \"admin\"\n\n\
                      [[person]]\nid = \"bo\"\nright = \"approver\"\n\n\
                      [[person]]\nid = \"kim\"\nconsole = false\n\n\
                      [runbooks]\nfolder = \"runbooks\"\n";

/// Each run leaves one file.
fn runbook(traces: &Path) -> String {
    format!(
        "title = \"Leave a trace\"\nrisk = \"medium\"\napprovals = 1\nwhen = ['service=\"checkout\"']\n\n\
         [[steps]]\nexec = [\"/usr/bin/mktemp\", \"-p\", \"{}\", \"trace.XXXXXXXX\"]\n",
        traces.display()
    )
}

fn login(bot: &Bot, more: &[&str]) -> Output {
    let folder = bot.path("");
    smokejumper(&folder, &[&["login", "--config", "smokejumper.toml", "--data-dir", "data"], more].concat())
}

async fn signed_in(bot: &Bot, person: &str) -> Person {
    let output = login(bot, &[person]);
    assert_eq!(output.status.code(), Some(0), "{}", err(&output));
    Person::with_link(bot, out(&output).trim_end()).await
}

async fn serving() -> Bot {
    let mut bot = Bot::new(PEOPLE);
    std::fs::create_dir(bot.path("traces")).unwrap();
    std::fs::create_dir(bot.path("runbooks")).unwrap();
    std::fs::write(bot.path("runbooks/leave-a-trace.toml"), runbook(&bot.path("traces"))).unwrap();
    bot.start();
    bot.ready().await;
    bot
}

#[tokio::test]
async fn two_people_sign_in_and_repair_together() {
    let mut bot = serving().await;
    let labels = json!({"alertname": "CheckoutDown", "service": "checkout", "severity": "critical"});
    let alert = alert("aa11", &labels, "checkout is down", "2025-11-20T07:00:00Z");
    let answer = client().post(bot.address().alerts()).json(&body("g", "firing", &[alert])).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    settled(&bot, DEADLINE).await;

    let (ana, bo) = (signed_in(&bot, "ana").await, signed_in(&bot, "bo").await);
    let asked = bo.say(1, "run leave-a-trace").await;
    assert!(asked.contains("/usr/bin/mktemp"), "the exact command is shown: {asked}");
    let traces = || std::fs::read_dir(bot.path("traces")).unwrap().count();
    bo.say(1, "approve 1").await;
    assert_eq!(traces(), 0, "nobody approves their own request");
    ana.say(1, "approve 1").await;
    let reader = reader(&bot).await;
    let run = seen("the repair has run", DEADLINE, || async {
        let incident = reader.incident(&console_identity("bo"), IncidentId(1)).await.unwrap()?;
        incident.runs.get(&1).filter(|run| run.phase == Phase::Finished).cloned()
    })
    .await;
    reader.close().await;
    assert_eq!(run.outcome.unwrap().ended, Ended::Succeeded);
    assert_eq!(traces(), 1);
    settled(&bot, DEADLINE).await;
    assert_eq!(bot.end().await.code(), Some(0), "{}", bot.errors());
    bot.assert_calm();
}

#[tokio::test]
async fn a_link_is_for_one_person_once_and_alone_on_standard_output() {
    let bot = serving().await;
    let output = login(&bot, &[]);
    let link = out(&output);
    assert!(link.starts_with(&format!("{}/login?token=", bot.address().base())), "{link}");
    assert_eq!((link.lines().count(), output.status.code()), (1, Some(0)));
    assert_eq!(err(&output), "signs Ana Ruiz in, once, within 15 minutes\n", "the first administrator");
    Person::with_link(&bot, link.trim_end()).await;
    let again = client().get(link.trim_end()).send().await.unwrap();
    assert_ne!(again.status(), 200, "it works once");
    let told = again.text().await.unwrap();
    assert!(told.contains("smokejumper login"), "how to get another: {told}");
    assert_eq!(err(&login(&bot, &["-q"])), "");
    let (token, errors) = (link.trim_end().rsplit('=').next().unwrap(), bot.errors());
    assert!(!errors.contains(token) && errors.contains("a login link was given"), "{errors}");
    let said = bot.said();
    assert!(said.contains("smokejumper login [PERSON] --data-dir "), "{said}");
}

#[tokio::test]
async fn who_cannot_get_one_is_said() {
    let mut bot = serving().await;
    for (person, words) in [
        ("anna", "there is no person `anna`; did you mean `ana`?"),
        ("kim", "`kim` may not sign in to the console"),
        ("quite-another", "name one of: ana, bo"),
    ] {
        let output = login(&bot, &[person]);
        assert_eq!((output.status.code(), out(&output).as_str()), (Some(1), ""));
        assert!(err(&output).contains(words), "{}", err(&output));
    }
    assert_eq!(bot.end().await.code(), Some(0), "{}", bot.errors());
    let output = login(&bot, &["ana"]);
    assert_eq!(output.status.code(), Some(4));
    assert!(err(&output).contains("smokejumper serve"), "{}", err(&output));
}
