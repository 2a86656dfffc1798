//! Memory that was lost is learnt again from the journal, while the server already serves.

use super::bot::{Bot, client};
use super::ledger::settled;
use super::person::Person;
use super::storm::{alert, body};
use super::{out, smokejumper};
use crate::world::wait::{DEADLINE, seen};
use serde_json::json;

#[tokio::test]
async fn a_lost_index_is_learnt_again_while_it_serves() {
    let mut bot = Bot::serving("").await;
    let labels = json!({"alertname": "CheckoutDown", "service": "checkout", "severity": "critical"});
    let alert = alert("aa11", &labels, "checkout is down", "2025-11-20T07:00:00Z");
    let answer = client().post(bot.address().alerts()).json(&body("g", "firing", &[alert])).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    settled(&bot, DEADLINE).await;
    let person = Person::sign_in(&bot).await;
    person.say(1, "resolve cause:leaked-connections fix:rolled-back").await;
    settled(&bot, DEADLINE).await;
    assert_eq!(bot.end().await.code(), Some(0), "{}", bot.errors());
    assert!(!bot.errors().contains("memory has learnt"), "nothing had to be learnt so far: {}", bot.errors());

    std::fs::remove_dir_all(bot.data().join("index")).unwrap();
    bot.start();
    bot.ready().await;
    seen("memory has it again", DEADLINE, || async {
        let found = smokejumper(&bot.path(""), &["incident", "--data-dir", "data", "search", "leaked-connections"]);
        out(&found).contains("INC-1").then_some(())
    })
    .await;
    assert_eq!(bot.end().await.code(), Some(0), "{}", bot.errors());
    let log = bot.errors();
    for words in ["memory learns from the journal", "memory has learnt what the journal had"] {
        assert_eq!(log.matches(words).count(), 1, "{words}: {log}");
    }
    bot.assert_calm();
}
