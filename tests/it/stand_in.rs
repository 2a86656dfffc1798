//! The strict GitHub of the tests by itself, to walk through the guide without an account (CONTRIBUTING.md says how).
//!
//! Without `SMOKEJUMPER_STAND_IN_GITHUB` the test sees that what would be served works: an issue is made, closed, and told of.

mod slack;

use crate::world::github::{FakeGitHub, HOOK_SECRET, LOGIN, Repository, TOKEN, TOKEN_OF_ANA};
use crate::world::wait::until;
use axum::Router;
use axum::http::HeaderMap;
use axum::routing::post;
use serde_json::{Value, json};
use smokejumper::edges::clock::WallClock;
use std::sync::{Arc, Mutex};

/// Of the guide.
const REPOSITORY: &str = "acme/checkout";

async fn stand_in(address: &str, hook: &str) -> FakeGitHub {
    let github = FakeGitHub::start_at(address, Arc::new(WallClock)).await;
    github.with(|truth| {
        let as_the_other = truth.repositories["acme/ops"].assignable.clone();
        let repository = Repository { assignable: as_the_other, ..Repository::default() };
        truth.repositories.insert(REPOSITORY.to_owned(), repository);
        truth.hook = Some(hook.to_owned());
    });
    github
}

#[tokio::test]
async fn a_github_to_play_with() {
    if let Ok(address) = std::env::var("SMOKEJUMPER_STAND_IN_GITHUB") {
        let hook = std::env::var("SMOKEJUMPER_STAND_IN_HOOK");
        let hook = hook.unwrap_or_else(|_| "http://127.0.0.1:7911/github/webhook".to_owned());
        let github = stand_in(&address, &hook).await;
        println!("GitHub's stand-in is at {}, with the repositories {REPOSITORY} and acme/ops.", github.url);
        println!("token of the bot ({LOGIN}): {TOKEN}\ntoken of a person (ana-gh): {TOKEN_OF_ANA}");
        println!("it tells {hook}, signed with: {HOOK_SECRET}\nCtrl-C ends it.");
        return std::future::pending().await;
    }
    println!("SMOKEJUMPER_STAND_IN_GITHUB=127.0.0.1:7913 has it serve there until it is ended.");
    let heard: Arc<Mutex<Vec<(String, Value)>>> = Arc::default();
    let ear = Arc::clone(&heard);
    let hear = move |headers: HeaderMap, body: String| async move {
        let signature = headers["x-hub-signature-256"].to_str().unwrap().to_owned();
        assert_eq!(signature, crate::world::github::sign(HOOK_SECRET, body.as_bytes()));
        ear.lock().unwrap().push((headers["x-github-event"].to_str().unwrap().to_owned(), body.parse().unwrap()));
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let hook = format!("http://{}/hook", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, Router::new().route("/hook", post(hear))).await.unwrap() });

    let github = stand_in("127.0.0.1:0", &hook).await;
    let made =
        github.call("POST", "/repos/acme/checkout/issues", TOKEN, json!({ "title": "Alarm on queue length" })).await;
    assert_eq!((&made["number"], &made["user"]["login"]), (&json!(1), &json!(LOGIN)));
    let (event, body) = until("the webhook of the new issue", || heard.lock().unwrap().pop()).await;
    assert_eq!((event.as_str(), &body["action"]), ("issues", &json!("opened")));
    let closed =
        github.call("PATCH", "/repos/acme/checkout/issues/1", TOKEN_OF_ANA, json!({ "state": "closed" })).await;
    assert_eq!(closed["closed_by"]["login"], "ana-gh");
    let (_, body) = until("the webhook of the closed issue", || heard.lock().unwrap().pop()).await;
    assert_eq!((&body["action"], &body["sender"]["login"]), (&json!("closed"), &json!("ana-gh")));
}
