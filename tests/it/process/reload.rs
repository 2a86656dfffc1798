//! The configuration changes while it serves: what is right is in force at once, what is wrong changes nothing and is said.

use super::bot::{Bot, client};
use super::ledger::settled;
use super::person::Person;
use super::storm::{alert, body};
use super::{err, out, smokejumper};
use crate::world::wait::{DEADLINE, seen, until};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

const MAIN: &str = "[catalogue]\npeople = \"people.toml\"\n\n[secrets]\nt = { file = \"token\" }\n\n\
                    [[source]]\nname = \"prod\"\nkind = \"alertmanager\"\nauth = { bearer = \"t\" }\n";
const ANA: &str = "[[person]]\nid = \"ana\"\nright = \"admin\"\n";
const BO: &str = "[[person]]\nid = \"bo\"\nright = \"approver\"\n";
const OLD: &str = "canary-old-7c1d0a";
const NEW: &str = "canary-new-94fe21";

fn write(bot: &Bot, name: &str, text: &str) {
    // As careful editors save: whole or not at all.
    let (fresh, path) = (bot.path(&format!("{name}.new")), bot.path(name));
    std::fs::write(&fresh, text).unwrap();
    std::fs::rename(fresh, path).unwrap();
}

async fn serving() -> Bot {
    let mut bot = Bot::new(MAIN);
    write(&bot, "people.toml", &format!("{ANA}{BO}"));
    write(&bot, "token", OLD);
    bot.start();
    bot.ready().await;
    bot
}

async fn signed_in(bot: &Bot, person: &str) -> Person {
    let folder = bot.path("");
    let output = smokejumper(&folder, &["login", "--config", "smokejumper.toml", "--data-dir", "data", person]);
    assert_eq!(output.status.code(), Some(0), "{}", err(&output));
    Person::with_link(bot, out(&output).trim_end()).await
}

async fn post(bot: &Bot, token: &str, fingerprint: &str) -> u16 {
    let labels = json!({"alertname": "QueueLong", "service": "mail", "severity": "page"});
    let alert = alert(fingerprint, &labels, "mail waits", "2025-11-20T07:00:00Z");
    let to = format!("{}/alerts/prod", bot.address().base());
    let answer = client().post(to).bearer_auth(token).json(&body("g", "firing", &[alert])).send().await.unwrap();
    answer.status().as_u16()
}

/// What `/readyz` notes; it is ready all the time.
async fn notes(bot: &Bot) -> Value {
    let answer = client().get(format!("{}/readyz", bot.address().base())).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    answer.json::<Value>().await.unwrap()["notes"].clone()
}

#[tokio::test]
async fn what_changes_is_in_force_and_who_is_removed_is_out() {
    let bot = serving().await;
    let (ana, bo) = (signed_in(&bot, "ana").await, signed_in(&bot, "bo").await);
    assert_eq!(post(&bot, OLD, "aa").await, 200);
    assert_eq!(post(&bot, NEW, "bb").await, 401);
    write(&bot, "token", NEW);
    seen("the new token is good", DEADLINE, || async { (post(&bot, NEW, "cc").await == 200).then_some(()) }).await;
    assert_eq!(post(&bot, OLD, "dd").await, 401, "and the old one is not");
    // A route that opens nothing is in force for the next alert.
    settled(&bot, DEADLINE).await;
    assert!(ana.page("/").await.contains("INC-1"));
    assert_eq!(bo.status("/").await, 200);
    write(&bot, "people.toml", ANA);
    seen("bo is signed out", DEADLINE, || async { (bo.status("/").await != 200).then_some(()) }).await;
    assert_eq!(ana.status("/").await, 200);
    let again = smokejumper(&bot.path(""), &["login", "--config", "smokejumper.toml", "--data-dir", "data", "bo"]);
    assert_ne!(again.status.code(), Some(0), "nor does bo get another link");
    let errors = bot.errors();
    assert!(errors.contains("people: 1, were 2") && errors.contains("secrets: 1 changed"), "{errors}");
    assert!(!errors.contains(OLD) && !errors.contains(NEW));
    bot.assert_calm();
}

#[tokio::test]
async fn what_is_wrong_changes_nothing_and_is_said_until_it_is_right() {
    let bot = serving().await;
    let ana = signed_in(&bot, "ana").await;
    assert_eq!(notes(&bot).await, Value::Null);
    write(&bot, "people.toml", "[[person]]\nid = \"ana\"\nright = \"amin\"\n");
    let said = seen("it is said", DEADLINE, || async { notes(&bot).await[0]["why"].as_str().map(str::to_owned) }).await;
    assert!(said.contains("people.toml:3:9: error: `amin` is not possible here; did you mean `admin`?"), "{said}");
    assert!(ana.page("/").await.contains("The changed configuration is not in force."));
    assert_eq!(post(&bot, OLD, "aa").await, 200, "the old rules stay");
    // Without its file there would be defaults, and nobody known.
    std::fs::remove_file(bot.path("smokejumper.toml")).unwrap();
    let gone = || async { notes(&bot).await[0]["why"].as_str().filter(|why| why.contains("no such file")).map(drop) };
    seen("that it is gone is said", DEADLINE, gone).await;
    assert_eq!(ana.status("/").await, 200);
    write(&bot, "people.toml", ANA);
    write(&bot, "smokejumper.toml", &format!("[server]\nlisten = \"127.0.0.1:1\"\n\n{MAIN}"));
    seen("it is right again", DEADLINE, || async { (notes(&bot).await == Value::Null).then_some(()) }).await;
    let told = || bot.errors().contains("in force only after a restart").then_some(());
    until("what needs a restart is said", told).await;
    assert_eq!(ana.status("/").await, 200);
    // Asked by hand, it looks even when nothing has changed.
    let pid = Pid::from_raw(i32::try_from(bot.pid()).unwrap()).unwrap();
    kill_process(pid, Signal::HUP).unwrap();
    until("it says that it looked", || bot.errors().contains("nothing has changed").then_some(())).await;
    bot.assert_calm();
}
