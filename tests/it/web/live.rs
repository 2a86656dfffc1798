//! Live pages: told that something changed, and only when it did.

use super::browser::Browser;
use super::scene::{self, say};
use axum::http::StatusCode;
use futures::{FutureExt as _, StreamExt as _};
use smokejumper_intents::utterance::Place;
use std::time::Duration;

/// Longer than any event takes on a busy machine; a test that gets there has failed.
const PATIENCE: Duration = Duration::from_secs(10);

struct Stream(axum::body::BodyDataStream);

impl Stream {
    async fn open(browser: &Browser, path: &str) -> Self {
        let response = browser.open(path).await;
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        let mut stream = Self(response.into_body().into_data_stream());
        assert_eq!(stream.next().await.as_deref(), Some("hello"));
        stream
    }

    /// The next event's name; `None` when the stream has ended.
    async fn next(&mut self) -> Option<String> {
        let chunk = tokio::time::timeout(PATIENCE, self.0.next()).await.expect("no event in time")?;
        let text = String::from_utf8(chunk.unwrap().to_vec()).unwrap();
        Some(text.lines().find_map(|line| line.strip_prefix("event: ")).unwrap_or("comment").to_owned())
    }
}

#[tokio::test]
async fn a_page_hears_of_its_own_incident_and_the_list_of_all() {
    let house = scene::morning().await;
    let ana = Browser::of(&house, "ana").await;
    let mut page = Stream::open(&ana, "/incidents/142/live").await;
    let mut list = Stream::open(&ana, "/live").await;
    say(&house, "bo", Place::Incident(143), "note elsewhere").await;
    assert_eq!(list.next().await.as_deref(), Some("changed"));
    say(&house, "bo", Place::Incident(142), "note here").await;
    assert_eq!(page.next().await.as_deref(), Some("changed"));
    let fresh = ana.get("/incidents/142").await;
    assert!(fresh.text.contains("noted: </") || fresh.text.contains("here"), "{}", fresh.text);
}

#[tokio::test]
async fn a_burst_is_one_look_and_a_slow_page_loses_nothing() {
    let house = scene::morning().await;
    let ana = Browser::of(&house, "ana").await;
    let mut page = Stream::open(&ana, "/incidents/142/live").await;
    // More than the channel holds: the page lags behind, and is told to look once.
    for _ in 0..1_000 {
        let _ = house.changes.send(smokejumper::flow::incident::IncidentId(142));
    }
    assert_eq!(page.next().await.as_deref(), Some("changed"));
    say(&house, "bo", Place::Incident(142), "note after the burst").await;
    assert_eq!(page.next().await.as_deref(), Some("changed"));
}

#[tokio::test]
async fn connections_are_bounded_and_given_back() {
    let house = scene::burning().await;
    let ana = Browser::of(&house, "ana").await;
    let mut open = Vec::new();
    for _ in 0..8 {
        open.push(Stream::open(&ana, "/live").await);
    }
    let refused = ana.open("/live").await;
    assert_eq!(refused.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(refused.headers()["retry-after"], "5");
    // Somebody else is not kept out by her.
    Stream::open(&Browser::of(&house, "bo").await, "/live").await;
    open.pop();
    Stream::open(&ana, "/live").await;
}

#[tokio::test]
async fn a_stream_ends_with_its_session_and_with_its_viewers_right_to_see() {
    let house = scene::morning().await;
    let cy = Browser::of(&house, "cy").await;
    let mut page = Stream::open(&cy, "/incidents/142/live").await;
    house.rooms().state.incidents.get_mut(&smokejumper::flow::incident::IncidentId(142)).unwrap().private = true;
    say(&house, "bo", Place::Incident(142), "note now private").await;
    assert_eq!(page.next().await, None);

    let ana = Browser::of(&house, "ana").await;
    let mut page = Stream::open(&ana, "/incidents/142/live").await;
    house.clock.pass(13 * smokejumper::flow::moment::HOUR);
    say(&house, "bo", Place::Incident(142), "note long after").await;
    // One look may still be owed; it would be answered with "sign in".
    while let Some(event) = page.next().await {
        assert_eq!(event, "changed");
        say(&house, "bo", Place::Incident(142), "note again").await;
    }
    assert_eq!(ana.get("/incidents/142").await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn hanging_up_ends_every_stream() {
    use smokejumper::edges::web::{Origins, router};
    let house = scene::burning().await;
    let web = house.web(Origins::loopback(super::house::PORT));
    let ana = Browser::of(&house, "ana").await.at(router(&web));
    let mut page = Stream::open(&ana, "/incidents/142/live").await;
    web.hang_up();
    assert_eq!(page.next().await, None);
}

#[tokio::test]
async fn the_console_is_a_chat_where_twice_is_once() {
    use smokejumper::edges::chat::console::{Console, changes};
    use smokejumper::flow::incident::{Incident, IncidentId};
    use smokejumper::ports::Chat as _;
    use smokejumper_intents::reply::Reply;
    let changes = changes();
    let console = Console::new(changes.clone(), "https://console.example.com/");
    let incident = Incident::new(IncidentId(7));
    // Nobody listening is no fault.
    let room = console.open_room("op-1", &incident, "inc-7-checkout").await.unwrap();
    assert_eq!(room, console.open_room("op-1", &incident, "inc-7-checkout").await.unwrap());
    assert_eq!(room.link.as_deref(), Some("https://console.example.com/incidents/7"));
    let mut heard = changes.subscribe();
    let reply = Reply::default();
    let said = console.say("op-2", &incident, &room, &reply).await.unwrap();
    assert_eq!(said, console.say("op-2", &incident, &room, &reply).await.unwrap());
    assert_ne!(said, console.say("op-3", &incident, &room, &reply).await.unwrap());
    let card = console.card("op-4", &incident, &room, &reply, None).await.unwrap();
    assert_eq!(card, console.card("op-5", &incident, &room, &reply, None).await.unwrap(), "one card, edited in place");
    for _ in 0..5 {
        assert_eq!(heard.try_recv(), Ok(IncidentId(7)));
    }
}

#[tokio::test]
async fn the_list_does_not_stir_for_what_is_hidden() {
    let house = scene::morning().await;
    let cy = Browser::of(&house, "cy").await;
    let mut list = Stream::open(&cy, "/live").await;
    say(&house, "bo", Place::Incident(142), "private").await;
    // That it vanished is shown once; what happens in it from then on is not.
    assert_eq!(list.next().await.as_deref(), Some("changed"));
    assert!(!cy.get("/").await.text.contains("INC-142"));
    say(&house, "bo", Place::Incident(142), "note among ourselves").await;
    let mut fresh = Stream::open(&cy, "/live").await;
    say(&house, "bo", Place::Incident(142), "note still among ourselves").await;
    assert!(fresh.0.next().now_or_never().is_none(), "the list stirred");
    say(&house, "bo", Place::Lobby, "declare something else is on fire").await;
    assert!(fresh.0.next().now_or_never().is_some(), "and would have");
    assert_eq!(list.next().await.as_deref(), Some("changed"));
    assert!(cy.get("/").await.text.contains("something else is on fire"));
}
