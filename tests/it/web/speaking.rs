//! What people say and press, without any JavaScript.

use super::browser::Browser;
use super::house::House;
use super::scene;
use axum::http::StatusCode;
use smokejumper::flow::fact::Fact;
use smokejumper_intents::intent::Intent;
use std::sync::Arc;
use std::sync::atomic::Ordering;

fn kinds(house: &Arc<House>, number: u32) -> Vec<String> {
    house.facts(number).iter().map(|entry| entry.fact.encode().unwrap().0).collect()
}

#[tokio::test]
async fn buttons_lead_an_incident_from_alarm_to_repair() {
    let house = scene::burning().await;
    let (ana, bo) = (Browser::of(&house, "ana").await, Browser::of(&house, "bo").await);
    let page = bo.get("/incidents/142").await;
    for (label, left) in [("Acknowledge", ">Acknowledge<"), ("Claim lead", ">Claim lead<")] {
        let page = bo.get("/incidents/142").await;
        assert!(page.text.contains(left));
        let after = bo.press(&page, label).await;
        let shown = bo.get(after.leads_to()).await;
        assert!(!shown.text.contains(left), "{label} is still offered");
    }
    assert!(page.text.contains("DbPoolSaturated"));
    let asked = bo.press(&bo.get("/incidents/142").await, "Run restart-deployment").await;
    let shown = bo.get(asked.leads_to()).await;
    assert!(
        shown.text.contains("Only you see this") && shown.text.contains("kubectl rollout restart deployment checkout")
    );
    // The requester is refused, somebody else is not.
    let bos = bo.press(&bo.get("/incidents/142").await, "Approve #1").await;
    assert_eq!(bos.status, StatusCode::FORBIDDEN);
    let approved = ana.press(&ana.get("/incidents/142").await, "Approve #1").await;
    assert_eq!(ana.get(approved.leads_to()).await.status, StatusCode::OK);
    let kinds = kinds(&house, 142);
    for kind in
        ["acknowledged", "role_taken", "run_requested", "run_approved", "run_started", "run_finished", "run_verified"]
    {
        assert_eq!(kinds.iter().filter(|k| *k == kind).count(), 1, "{kind} in {kinds:?}");
    }
    let page = ana.get("/incidents/142").await;
    let resolved =
        ana.say(&page, "/incidents/142/say", "resolve cause:leaked connections fix:restarted checkout").await;
    let page = ana.get(resolved.leads_to()).await;
    assert!(page.text.contains("How it ended") && page.text.contains("leaked connections"));
    let postmortem = ana.get("/incidents/142/postmortem").await;
    assert!(postmortem.text.contains("href=\"/incidents/142/timeline#e"), "{}", postmortem.text);
    let timeline = ana.get("/incidents/142/timeline").await;
    let cited = postmortem.text.split("timeline#e").skip(1).map(|t| t.split('"').next().unwrap());
    for entry in cited {
        assert!(timeline.text.contains(&format!("id=\"e{entry}\"")), "entry {entry} is not on the timeline");
    }
}

#[tokio::test]
async fn a_form_sent_twice_is_one_act() {
    let house = scene::burning().await;
    let ana = Browser::of(&house, "ana").await;
    let page = ana.get("/incidents/142").await;
    for _ in 0..3 {
        assert_eq!(ana.say(&page, "/incidents/142/say", "note the pool is full").await.status, StatusCode::SEE_OTHER);
        assert_eq!(ana.press(&page, "Acknowledge").await.status, StatusCode::SEE_OTHER);
    }
    let notes = |house: &Arc<House>| house.facts(142).iter().filter(|e| matches!(e.fact, Fact::Noted { .. })).count();
    assert_eq!(notes(&house), 1);
    assert_eq!(kinds(&house, 142).iter().filter(|k| *k == "acknowledged").count(), 1);
    // Something else from the same page, and the same from a new page, are acts of their own.
    ana.say(&page, "/incidents/142/say", "note something else").await;
    assert_eq!(notes(&house), 2);
    let page = ana.get("/incidents/142").await;
    ana.say(&page, "/incidents/142/say", "note the pool is full").await;
    assert_eq!(notes(&house), 3);
    // Another person's form is never taken for hers.
    let bo = Browser::of(&house, "bo").await;
    bo.say(&bo.get("/incidents/142").await, "/incidents/142/say", "note the pool is full").await;
    assert_eq!(notes(&house), 4);
}

#[tokio::test]
async fn an_answer_is_its_askers_alone_and_survives_a_reload() {
    let house = scene::burning().await;
    let (ana, bo) = (Browser::of(&house, "ana").await, Browser::of(&house, "bo").await);
    let page = ana.get("/incidents/142").await;
    let after = ana.say(&page, "/incidents/142/say", "why").await;
    for _ in 0..2 {
        assert!(ana.get(after.leads_to()).await.text.contains("what counted: votes 2.40"));
    }
    assert!(!bo.get(after.leads_to()).await.text.contains("what counted"));
    for _ in 0..8 {
        ana.say(&page, "/incidents/142/say", "who").await;
    }
    assert!(!ana.get(after.leads_to()).await.text.contains("what counted"), "answers are bounded");
}

#[tokio::test]
async fn words_that_are_not_understood_are_kept_for_correcting() {
    let house = scene::burning().await;
    let ana = Browser::of(&house, "ana").await;
    let page = ana.get("/incidents/142").await;
    let after = ana.say(&page, "/incidents/142/say", "akc").await;
    let shown = ana.get(after.leads_to()).await;
    assert!(shown.text.contains("Did you mean") && shown.text.contains("<code>ack"), "{}", shown.text);
    assert!(shown.text.contains("aria-describedby=\"say-hint\">akc</textarea>"));
    assert_eq!(house.asked(), 0);
}

#[tokio::test]
async fn free_text_on_the_list_is_confirmed_and_leads_to_the_new_incident() {
    let house = scene::burning().await;
    let bo = Browser::of(&house, "bo").await;
    let after = bo.say(&bo.get("/").await, "/say", "checkout is down for half of our users").await;
    let asked = bo.get(after.leads_to()).await;
    assert!(asked.text.contains("Open an incident?"));
    assert_eq!(house.asked(), 0);
    let opened = bo.press(&asked, "Open it").await;
    assert!(opened.leads_to().starts_with("/incidents/143?"), "{}", opened.leads_to());
    let page = bo.get(opened.leads_to()).await;
    assert!(page.text.contains("checkout is down for half of our users"));
    assert!(matches!(house.rooms().asked.last().unwrap().1.intent, Intent::Declare { .. }));
    // Straight to the point works too.
    let opened = bo.say(&bo.get("/").await, "/say", "declare exports stuck sev:3").await;
    assert!(opened.leads_to().starts_with("/incidents/144?"));
}

#[tokio::test]
async fn what_could_not_be_stored_is_said_aloud_and_counts_once_when_sent_again() {
    let house = scene::burning().await;
    let ana = Browser::of(&house, "ana").await;
    let page = ana.get("/incidents/142").await;
    house.broken.store(true, Ordering::Release);
    let refused = ana.say(&page, "/incidents/142/say", "note half a million rows are locked").await;
    assert_eq!(refused.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(refused.headers["retry-after"], "3");
    assert!(refused.text.contains("half a million rows are locked"), "what was typed is not lost");
    let pressed = ana.press(&page, "Acknowledge").await;
    assert_eq!(pressed.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(ana.get("/").await.status, StatusCode::SERVICE_UNAVAILABLE);
    house.broken.store(false, Ordering::Release);
    for _ in 0..2 {
        assert_eq!(
            ana.say(&refused, "/incidents/142/say", "note half a million rows are locked").await.status,
            StatusCode::SEE_OTHER
        );
    }
    let ask = pressed.field("/press", "", "ask");
    let fields = ["csrf", "nonce", "page"].map(|name| (name, pressed.field("/press", "", name)));
    let mut fields: Vec<(&str, &str)> = fields.iter().map(|(k, v)| (*k, v.as_str())).collect();
    fields.push(("ask", &ask));
    assert_eq!(ana.post("/press", &fields).await.leads_to().split('?').next(), Some("/incidents/142"));
    let kinds = kinds(&house, 142);
    assert_eq!(kinds.iter().filter(|k| *k == "noted").count(), 1);
    assert_eq!(kinds.iter().filter(|k| *k == "acknowledged").count(), 1);
}

#[tokio::test]
async fn search_finds_past_incidents_and_numbers_lead_straight_there() {
    let house = scene::burning().await;
    let ana = Browser::of(&house, "ana").await;
    let found = ana.get("/search?q=connection+pool").await;
    assert!(found.text.contains("href=\"/incidents/141\"") && found.text.contains("pool size raised from 20 to 60"));
    assert!(found.text.contains("href=\"https://github.blog/2018-10-30-oct21-post-incident-analysis/\""));
    assert_eq!(ana.get("/search?q=inc-142").await.leads_to(), "/incidents/142");
    assert!(ana.get("/search?q=nothing+like+this").await.text.contains("Nothing like it in memory"));
    assert!(ana.get("/search").await.text.contains("Type what you see"));
}

#[tokio::test]
async fn the_house_has_no_page_to_speak_on() {
    let house = scene::burning().await;
    let ana = Browser::of(&house, "ana").await;
    let page = ana.get("/incidents/142").await;
    assert_eq!(ana.get("/incidents/0").await.status, StatusCode::NOT_FOUND);
    let field = |name| page.field("/incidents/142/say", "name=\"text\"", name);
    let fields = [("csrf", &*field("csrf")), ("nonce", &*field("nonce")), ("text", "note x")];
    assert_eq!(ana.post("/incidents/0/say", &fields).await.status, StatusCode::NOT_FOUND);
}
