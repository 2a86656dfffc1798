//! The strict Slack of the tests by itself, to walk through the guide without a workspace (CONTRIBUTING.md says how). People are
//! played by hand, at a desk of its own: what they see is text, what they do is a request.
//!
//! Without `SMOKEJUMPER_STAND_IN_SLACK` the test sees that what would be served works.

use crate::process::bot::client;
use crate::world::slack::{FakeSlack, Person};
use axum::Router;
use axum::body::Body;
use axum::extract::{Path, Query, State};
use axum::response::Response;
use axum::routing::{get, post};
use smokejumper::edges::clock::WallClock;
use std::any::Any;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::net::TcpListener;
use tower_http::catch_panic::CatchPanicLayer;

const HELP: &str = "who is there: ana, bo, cleo, dan; what they see:      curl DESK/ana
type in a channel:  curl -d '/incident declare checkout is down' 'DESK/ana/type?in=general'
press a button:     curl -d 'Acknowledge' DESK/ana/click
fill in a field:    curl -d 'a bad config' 'DESK/ana/fill?field=What+caused+it'; then curl -X POST DESK/ana/submit
and: /dismiss, /home, /join?in=CHANNEL, /react?in=CHANNEL&to=WORDS (emoji), /shortcut?in=CHANNEL&to=WORDS (menu)
what was wrong:     curl DESK/violations
";

/// Where people are played.
async fn desk(slack: FakeSlack, address: &str) -> SocketAddr {
    let listener = TcpListener::bind(address).await.unwrap();
    let at = listener.local_addr().unwrap();
    let app = Router::new()
        .route("/violations", get(violations))
        .route("/{person}", get(screen))
        .route("/{person}/{act}", post(act))
        .layer(CatchPanicLayer::custom(cannot))
        .with_state(slack);
    tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
    at
}

/// What a person cannot do is said as a test would say it.
#[allow(clippy::needless_pass_by_value, reason = "as the layer calls it")]
fn cannot(panic: Box<dyn Any + Send>) -> Response {
    let text = panic.downcast_ref::<String>().cloned();
    let text = text.or_else(|| panic.downcast_ref::<&str>().map(|t| (*t).to_owned())).unwrap_or_default();
    Response::builder().status(400).body(Body::from(text + "\n")).unwrap()
}

async fn violations(State(slack): State<FakeSlack>) -> String {
    slack.violations().join("\n")
}

async fn screen(State(slack): State<FakeSlack>, Path(person): Path<String>) -> String {
    slack.user(&person).sees()
}

async fn act(
    State(slack): State<FakeSlack>,
    Path((person, act)): Path<(String, String)>,
    Query(query): Query<BTreeMap<String, String>>,
    body: String,
) -> String {
    let person: Person = slack.user(&person);
    let given = |name: &str| query.get(name).cloned().unwrap_or_else(|| panic!("?{name}=… is missing"));
    let message = || {
        let (channel, words) = (given("in"), given("to"));
        let ts = slack.message_with(&channel, &words);
        (channel, ts.unwrap_or_else(|| panic!("nothing in that channel says {words:?}")))
    };
    match act.as_str() {
        "type" => drop(person.types(&body, &given("in")).await),
        "click" => drop(person.clicks(&body).await),
        "fill" => drop(person.fills(&given("field"), &body)),
        "submit" => {
            let wrong: Vec<String> =
                person.submits().await.iter().map(|(field, why)| format!("{field}: {why}")).collect();
            return wrong.join("\n");
        }
        "dismiss" => person.dismisses().await,
        "home" => drop(person.opens_home()),
        "join" => drop(person.joins(&given("in"))),
        "react" => {
            let (channel, ts) = message();
            person.reacts(&channel, &ts, body.trim_matches(':'));
        }
        "shortcut" => {
            let (channel, ts) = message();
            person.message_shortcut(&channel, &ts, &body).await;
        }
        other => panic!("nobody can {other}"),
    }
    String::new()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slack_to_play_with() {
    if let Ok(address) = std::env::var("SMOKEJUMPER_STAND_IN_SLACK") {
        let slack = FakeSlack::start_at(&address, Arc::new(WallClock)).await;
        let seat = std::env::var("SMOKEJUMPER_STAND_IN_DESK").unwrap_or_else(|_| "127.0.0.1:7915".to_owned());
        let seat = desk(slack.clone(), &seat).await;
        println!("Slack's stand-in is at {}. In the configuration:\n\n{}", slack.url, slack.config());
        if let Ok(base) = std::env::var("SMOKEJUMPER_STAND_IN_POSTS_TO") {
            slack.posts_to(&base);
            println!("It posts below {base}. In the configuration, instead:\n\n{}", slack.config_http());
        }
        println!("slack = \"T00000001/UANA00001\"   # and UBO000001, UCLEO0001, UDAN00001: for [[person]]\n");
        println!("{}Ctrl-C ends it.", HELP.replace("DESK", &format!("http://{seat}")));
        return std::future::pending().await;
    }
    println!("SMOKEJUMPER_STAND_IN_SLACK=127.0.0.1:7914 has it serve there until it is ended.");
    let slack = FakeSlack::start(Arc::new(WallClock)).await;
    let seat = desk(slack.clone(), "127.0.0.1:0").await;
    let said = |path: &'static str, body: &'static str| async move {
        let request = client().post(format!("http://{seat}{path}")).body(body).send();
        let answer = request.await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    };
    assert_eq!(said("/ana/type?in=general", "hello").await.0, 200);
    // Nobody listens: Slack tells her so.
    assert_eq!(said("/ana/type?in=general", "/incident").await.0, 200);
    let (status, why) = said("/bo/click", "Acknowledge").await;
    assert!(status == 400 && why.contains("bo sees no \"Acknowledge\""), "{status} {why}");
    assert_eq!(said("/bo/react?in=general&to=hello", "pushpin").await, (200, String::new()));
    let screen = client().get(format!("http://{seat}/ana")).send().await.unwrap().text().await.unwrap();
    assert!(screen.contains("Ana Ruiz\n  hello\n  :pushpin:"), "{screen}");
    assert!(screen.contains("/incident failed with the error \"dispatch_failed\""), "{screen}");
    assert_eq!(client().get(format!("http://{seat}/violations")).send().await.unwrap().text().await.unwrap(), "");
}
