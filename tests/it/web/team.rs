//! What a team fills in, without any JavaScript: updates, tasks, corrections, and what cannot be taken back.

use super::browser::{Browser, Page};
use super::house::House;
use super::scene;
use axum::http::StatusCode;
use smokejumper::flow::fact::Fact;
use smokejumper::flow::incident::IncidentId;
use std::sync::Arc;

fn kinds(house: &Arc<House>, number: u32) -> Vec<String> {
    house.facts(number).iter().map(|entry| entry.fact.encode().unwrap().0).collect()
}

/// What a form's answer leads to.
async fn after(browser: &Browser, sent: Page) -> Page {
    browser.get(sent.leads_to()).await
}

#[tokio::test]
async fn forms_do_what_words_do() {
    let house = scene::morning().await;
    let ana = Browser::of(&house, "ana").await;
    let page = ana.get("/incidents/142").await;
    for (verb, fields) in [
        ("update", vec![("conditions", "One in three\r\npayments fails"), ("actions", ""), ("needs", "somebody: now")]),
        ("task", vec![("task", "Drain node 3"), ("owner", "@bo")]),
        ("assign", vec![("person", "@dee"), ("item", "")]),
        ("follow-up", vec![("todo", "Add an alert"), ("owner", ""), ("due", "2w"), ("link", "")]),
        ("correct", vec![("moment", "impact"), ("time", "30m ago")]),
        ("rename", vec![("title", "Checkout: one in three fails")]),
    ] {
        let shown = after(&ana, ana.fill(&page, verb, &fields).await).await;
        assert!(shown.text.contains("Only you see this") && !shown.text.contains("No: "), "{verb}: {}", shown.text);
    }
    let kinds = kinds(&house, 142);
    for kind in ["updated", "task_opened", "assigned", "follow_up_opened", "corrected", "renamed"] {
        assert!(kinds.iter().any(|known| known == kind), "{kind} in {kinds:?}");
    }
    let page = ana.get("/incidents/142").await;
    for seen in [
        "One in three payments fails",
        "somebody: now",
        "Drain node 3",
        "Add an alert",
        "<h1><span class=\"sev sev1\">SEV1</span> <bdi>Checkout: one in three fails</bdi></h1>",
        "<span class=\"key\">In it</span> <bdi>Dee",
        "<option value=\"T-1\">T-1 Drain node 3</option>",
    ] {
        assert!(page.text.contains(seen), "{seen}: {}", page.text);
    }
    // The task goes to somebody else, and its button ends it.
    after(&ana, ana.fill(&page, "assign", &[("person", "me"), ("item", "T-1")]).await).await;
    let page = ana.get("/incidents/142").await;
    let page = after(&ana, ana.press(&page, "T-1 is done").await).await;
    assert!(!page.text.contains("T-1 is done<") && page.text.contains("1 done"));
}

#[tokio::test]
async fn a_form_sent_twice_is_one_act_and_what_was_refused_can_be_corrected() {
    let house = scene::burning().await;
    let ana = Browser::of(&house, "ana").await;
    let page = ana.get("/incidents/142").await;
    for _ in 0..3 {
        ana.fill(&page, "task", &[("task", "Drain node 3"), ("owner", "")]).await.leads_to();
    }
    assert_eq!(kinds(&house, 142).iter().filter(|kind| *kind == "task_opened").count(), 1);
    // Refused by the rules: the words are there to be corrected.
    let list = ana.get("/").await;
    let refused =
        ana.fill(&list, "silence", &[("matchers", "service=~\"(\""), ("length", "2h"), ("why", "deploying")]).await;
    let shown = after(&ana, refused).await;
    assert!(
        shown.text.contains("can't be read")
            && shown.text.contains(">silence service=~&quot;(&quot; 2h deploying</textarea>"),
        "{}",
        shown.text
    );
    // Not readable at all: what is wrong, and what was typed.
    let shown = after(&ana, ana.fill(&page, "correct", &[("moment", "detected"), ("time", "soon")]).await).await;
    assert!(
        shown.text.contains("In &quot;time&quot; I can't read")
            && shown.text.contains(">correct detected soon</textarea>"),
        "{}",
        shown.text
    );
    assert_eq!(kinds(&house, 142).iter().filter(|kind| *kind == "corrected").count(), 0);
}

#[tokio::test]
async fn a_silence_is_listed_and_ended_on_the_list() {
    let house = scene::burning().await;
    let ana = Browser::of(&house, "ana").await;
    let list = ana.get("/").await;
    assert!(list.text.contains("Nothing is silenced."));
    let sent =
        ana.fill(&list, "silence", &[("matchers", "service=checkout"), ("length", "2h"), ("why", "deploying")]).await;
    assert_eq!(sent.leads_to().split('?').next(), Some("/"));
    let bo = Browser::of(&house, "bo").await;
    let list = bo.get("/").await;
    assert!(list.text.contains("<code>service=checkout</code>") && list.text.contains("deploying"), "{}", list.text);
    // The card says so where such alerts are.
    assert!(bo.get("/incidents/142").await.text.contains("Silenced: "));
    let shown = after(&bo, bo.press(&list, "End S-1").await).await;
    assert!(shown.text.contains("Nothing is silenced."));
}

#[tokio::test]
async fn making_private_is_asked_first_and_hides_it() {
    let house = scene::morning().await;
    let (bo, cy) = (Browser::of(&house, "bo").await, Browser::of(&house, "cy").await);
    let page = bo.get("/incidents/142").await;
    assert_eq!(cy.get("/incidents/142").await.status, StatusCode::OK);
    let asked = after(&bo, bo.fill(&page, "private", &[]).await).await;
    assert!(asked.text.contains("private?") && asked.text.contains("cannot be undone"), "{}", asked.text);
    assert_eq!(cy.get("/incidents/142").await.status, StatusCode::OK, "nothing was done yet");
    let done = after(&bo, bo.press(&asked, "Make it private").await).await;
    assert!(done.text.contains("is private now") && done.text.contains("Private: "));
    assert!(!done.text.contains("name=\"verb\" value=\"private\""), "there is no way back, nor a second time");
    // Ana leads it: she is in it. Cy never acted: there is no such incident, in no way of looking.
    assert_eq!(Browser::of(&house, "ana").await.get("/incidents/142").await.status, StatusCode::OK);
    for path in ["/incidents/142", "/incidents/142/timeline", "/incidents/142/postmortem", "/incidents/142/live"] {
        let (hidden, missing) = (cy.get(path).await, cy.get(&path.replace("142", "777")).await);
        assert_eq!(hidden.status, StatusCode::NOT_FOUND, "{path}");
        assert_eq!(hidden.text.replace("142", "777"), missing.text, "{path}");
    }
    let list = cy.get("/").await;
    assert!(!list.text.contains("INC-142") && !list.text.contains("CheckoutErrorRateHigh"), "{}", list.text);
    let other = cy.get("/incidents/141").await;
    assert_eq!(cy.say(&other, "/incidents/141/say", "why INC-142").await.status, StatusCode::NOT_FOUND);
    // Dee is brought in.
    let dee = Browser::of(&house, "dee").await;
    assert_eq!(dee.get("/incidents/142").await.status, StatusCode::NOT_FOUND);
    after(&bo, bo.fill(&bo.get("/incidents/142").await, "assign", &[("person", "@dee"), ("item", "")]).await).await;
    assert_eq!(dee.get("/incidents/142").await.status, StatusCode::OK);
}

#[tokio::test]
async fn an_incident_is_merged_after_a_question() {
    let house = scene::morning().await;
    let ana = Browser::of(&house, "ana").await;
    let page = ana.get("/incidents/141").await;
    assert!(page.text.contains("<option value=\"INC-142\">INC-142 "), "{}", page.text);
    assert!(!page.text.contains("<option value=\"INC-141\"") && !page.text.contains("<option value=\"INC-140\""));
    let asked = after(&ana, ana.fill(&page, "merge", &[("into", "INC-142")]).await).await;
    assert!(asked.text.contains("a part of <a href=\"/incidents/142\">INC-142</a>?"), "{}", asked.text);
    assert!(house.facts(141).iter().all(|e| !matches!(e.fact, Fact::Merged { .. })));
    let done = after(&ana, ana.press(&asked, "Merge it").await).await;
    assert!(done.text.contains("Part of </strong><a href=\"/incidents/142\">INC-142</a>"), "{}", done.text);
    assert!(matches!(
        house.facts(141).iter().rev().find(|e| matches!(e.fact, Fact::Merged { .. })).unwrap().fact,
        Fact::Merged { into: IncidentId(142) }
    ));
    assert!(ana.get("/incidents/142").await.text.contains("took in: "));
    // Nothing is offered there any more: it is hidden with what it is a part of.
    let offered: Vec<_> =
        done.text.split("name=\"verb\" value=\"").skip(1).map(|t| t.split('"').next().unwrap()).collect();
    assert_eq!(offered, Vec::<&str>::new());
}

#[tokio::test]
async fn a_form_that_no_page_of_ours_made_changes_nothing() {
    let house = scene::burning().await;
    let (ana, cy) = (Browser::of(&house, "ana").await, Browser::of(&house, "cy").await);
    let page = ana.get("/incidents/142").await;
    let marked = "name=\"verb\" value=\"update\"";
    let (csrf, nonce) = (page.field("/form", marked, "csrf"), page.field("/form", marked, "nonce"));
    let good = [("csrf", csrf.as_str()), ("nonce", &nonce), ("page", "142"), ("verb", "update"), ("conditions", "x")];
    let without = |name: &str| good.iter().copied().filter(|(n, _)| *n != name).collect::<Vec<_>>();
    let with = |name: &'static str, value: &'static str| [without(name).as_slice(), &[(name, value)]].concat();
    for (fields, status) in [
        (without("csrf"), StatusCode::UNPROCESSABLE_ENTITY),
        (with("csrf", "forged"), StatusCode::FORBIDDEN),
        (with("nonce", "short"), StatusCode::UNPROCESSABLE_ENTITY),
        (with("verb", "explode"), StatusCode::UNPROCESSABLE_ENTITY),
        (with("verb", "approve"), StatusCode::UNPROCESSABLE_ENTITY),
        (with("admin", "1"), StatusCode::UNPROCESSABLE_ENTITY),
        (with("page", "x"), StatusCode::UNPROCESSABLE_ENTITY),
        (without("page"), StatusCode::UNPROCESSABLE_ENTITY),
        (with("page", "777"), StatusCode::NOT_FOUND),
        ([good.as_slice(), &[("conditions", "y")]].concat(), StatusCode::UNPROCESSABLE_ENTITY),
    ] {
        assert_eq!(ana.post("/form", &fields).await.status, status, "{fields:?}");
    }
    // A viewer is offered no form, and gets nowhere without one.
    let theirs = cy.get("/incidents/142").await;
    assert!(!theirs.text.contains("action=\"/form\""));
    let (csrf, nonce) = (
        theirs.field("/incidents/142/say", "name=\"text\"", "csrf"),
        theirs.field("/incidents/142/say", "name=\"text\"", "nonce"),
    );
    let fields = [("csrf", csrf.as_str()), ("nonce", &nonce), ("page", "142"), ("verb", "update"), ("conditions", "x")];
    assert_eq!(cy.post("/form", &fields).await.status, StatusCode::FORBIDDEN);
    assert_eq!(house.asked(), 0);
}
