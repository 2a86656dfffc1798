//! The real binary and a strict GitHub: a follow-up said at the console becomes an issue; closing that closes this.

use super::bot::{Bot, client};
use super::person::Person;
use crate::world::github::{FakeGitHub, Fault, HOOK_SECRET, TOKEN};
use crate::world::wait::{DEADLINE, seen, until};
use smokejumper::edges::clock::WallClock;
use std::sync::Arc;

fn configuration(url: &str) -> String {
    format!(
        "[secrets]\ngithub = \"{TOKEN}\"\nhook = \"{HOOK_SECRET}\"\n\n[github]\napi_url = \"{url}\"\ntoken = \"github\"\n\
         webhook_secret = \"hook\"\nrepository = \"acme/ops\"\nlabels = [\"incident\"]\n"
    )
}

#[tokio::test]
async fn a_follow_up_becomes_an_issue_and_is_closed_from_there() {
    let github = FakeGitHub::start(Arc::new(WallClock)).await;
    // Busy at first: it is asked again when it said so.
    github.with(|truth| truth.faults = [Fault::TooMany(1)].into());
    let bot = Bot::serving(&configuration(&github.url)).await;
    let person = Person::sign_in(&bot).await;
    let alert = include_str!("../fixtures/github/critical.json");
    let posted = client().post(bot.address().alerts()).body(alert).header("content-type", "application/json").send();
    assert!(posted.await.unwrap().status().is_success());
    seen("the incident", DEADLINE, || async { person.page("/").await.contains("/incidents/1").then_some(()) }).await;
    person.say(1, "follow-up Add a pool-size alert").await;
    let issue = until("the issue", || github.issues("acme/ops").pop()).await;
    assert_eq!(issue.title, "Add a pool-size alert");
    let link = "https://github.com/acme/ops/issues/1";
    seen("the issue's link", DEADLINE, || async { person.page("/incidents/1").await.contains(link).then_some(()) })
        .await;

    let at = github.now();
    github.change("acme/ops", 1, "ana-gh", |issue| issue.closed_at = Some(at));
    let (body, signature) = github.delivery("acme/ops", 1, "closed", "ana-gh");
    let hook = |signature: String| {
        let request = client().post(format!("{}/github/webhook", bot.address().base()));
        let request = request.header("content-type", "application/json").header("x-github-event", "issues");
        request.header("x-hub-signature-256", signature).body(body.clone()).send()
    };
    assert_eq!(hook(signature.replace('1', "2")).await.unwrap().status(), 401);
    assert_eq!(hook(signature).await.unwrap().status(), 200);
    seen("that it is done", DEADLINE, || async {
        person.page("/incidents/1").await.contains("was closed by").then_some(())
    })
    .await;
    assert_eq!(github.asked("PATCH"), 0, "what came from there is not sent back");
    assert_eq!(github.violations(), Vec::<String>::new());
}
