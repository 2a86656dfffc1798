//! Who gets in, and who does not (I22, I23, F34; T11, T12).

use super::browser::{Browser, encoded};
use super::house::{HOST, House};
use super::scene::{self, who};
use axum::body::Body;
use axum::http::{Method, StatusCode, header};
use smokejumper::edges::web::login::{LINK_LIFE, LINKS, SESSION_IDLE, SESSION_LIFE, SESSIONS_OF_ONE};
use smokejumper::edges::web::routes::{Access, Route};
use smokejumper::flow::moment::{HOUR, MINUTE, SECOND};
use smokejumper_intents::word::Right;
use std::collections::BTreeSet;
use std::sync::Arc;

/// The roles of the matrix, with who has them in the scene.
const ROLES: [(Option<Right>, &str); 5] = [
    (None, ""),
    (Some(Right::Viewer), "cy"),
    (Some(Right::Responder), "bo"),
    (Some(Right::Approver), "ana"),
    (Some(Right::Admin), "dee"),
];

async fn browser_of(house: &Arc<House>, id: &str) -> Browser {
    if id.is_empty() { Browser::anonymous(house) } else { Browser::of(house, id).await }
}

#[test]
fn the_table_holds_each_route_once() {
    let rows: BTreeSet<_> = Route::ALL.iter().map(|route| format!("{} {}", route.method(), route.path())).collect();
    assert_eq!(rows.len(), Route::ALL.len());
    // What is open to anyone is listed here, so that another such route is a decision and not an accident.
    let open: Vec<_> = Route::ALL.into_iter().filter(|route| route.access() == Access::Anyone).collect();
    assert_eq!(open, [Route::LoginPage, Route::Login, Route::Asset]);
    assert!(Route::ALL.iter().all(|route| route.method() == Method::GET || route.method() == Method::POST));
}

#[tokio::test]
async fn every_route_answers_every_role_as_the_table_says() {
    for (right, id) in ROLES {
        let house = scene::morning().await;
        for route in Route::ALL {
            let browser = browser_of(&house, id).await;
            let path = route.path().replace("{number}", "142").replace("{file}", "none.css");
            let request = browser.request(&route.method(), &path).header(header::ORIGIN, format!("http://{HOST}"));
            let request =
                request.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded").body(Body::empty()).unwrap();
            let live = matches!(route, Route::Live | Route::IncidentLive);
            let status = if live { browser.open(&path).await.status() } else { browser.send(request).await.status };
            let allowed = route.access().allows(right);
            let expected = match (route, allowed) {
                (_, false) => StatusCode::UNAUTHORIZED,
                // Through the guard, and then told that there is no token, form or file.
                (Route::LoginPage | Route::Login, _) if status == StatusCode::UNAUTHORIZED => status,
                (Route::Login | Route::Say | Route::Press | Route::Fill | Route::IncidentSay | Route::Logout, true) => {
                    StatusCode::UNPROCESSABLE_ENTITY
                }
                (Route::Asset, true) => StatusCode::NOT_FOUND,
                (_, true) => StatusCode::OK,
            };
            assert_eq!(status, expected, "{} {path} as {right:?}", route.method());
        }
        assert_eq!(house.asked(), 0);
    }
}

#[tokio::test]
async fn what_is_in_no_row_is_not_there() {
    let house = scene::burning().await;
    let ana = Browser::of(&house, "ana").await;
    for path in [
        "/admin",
        "/incidents",
        "/incidents/142/",
        "/incidents/142/delete",
        "/assets/",
        "/.env",
        "/incidents/99999999999",
        "/incidents/-1",
        "/incidents/7",
    ] {
        assert_eq!(ana.get(path).await.status, StatusCode::NOT_FOUND, "{path}");
    }
    for method in [Method::PUT, Method::DELETE, Method::PATCH, Method::OPTIONS, Method::TRACE] {
        for route in Route::ALL {
            let path = route.path().replace("{number}", "142").replace("{file}", "x");
            let page = ana.send(ana.request(&method, &path).body(Body::empty()).unwrap()).await;
            assert_eq!(page.status, StatusCode::METHOD_NOT_ALLOWED, "{method} {path}");
        }
    }
}

#[tokio::test]
async fn acts_need_their_own_right_whatever_the_route_allows() {
    let house = scene::morning().await;
    let before = house.facts(142).len();
    let cy = Browser::of(&house, "cy").await;
    let page = cy.get("/incidents/142").await;
    for words in ["ack", "note hello", "sev 4", "resolve", "approve", "run restart-deployment service=checkout"] {
        let refused = cy.say(&page, "/incidents/142/say", words).await;
        assert_eq!(refused.status, StatusCode::FORBIDDEN, "{words}");
        assert!(refused.text.contains("yours is viewer"), "{words}: {}", refused.text);
    }
    let bo = Browser::of(&house, "bo").await;
    let page = bo.get("/incidents/142").await;
    assert_eq!(bo.press(&page, "Approve #1").await.status, StatusCode::FORBIDDEN);
    assert_eq!(house.facts(142).len(), before);
    assert_eq!(house.asked(), 0, "the door was not even asked");
    // A viewer may still ask.
    let page = cy.get("/incidents/142").await;
    assert_eq!(cy.say(&page, "/incidents/142/say", "why").await.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn a_login_link_works_once_and_looking_does_not_use_it_up() {
    let house = scene::burning().await;
    let token = house.logins.mint(who("ana")).unwrap();
    let mut browser = Browser::anonymous(&house);
    for _ in 0..3 {
        // A link preview, a virus scanner, a prefetch.
        let page = browser.get(&format!("/login?token={token}")).await;
        assert_eq!(page.status, StatusCode::OK);
        assert!(page.text.contains("Sign in as <bdi>Ana Torres</bdi>"), "{}", page.text);
        assert!(page.headers.get(header::SET_COOKIE).is_none());
    }
    let page = browser.sign_in(&token).await;
    assert_eq!(page.leads_to(), "/");
    let cookie = page.headers[header::SET_COOKIE].to_str().unwrap().to_owned();
    assert!(cookie.contains("; HttpOnly; SameSite=Lax") && !cookie.contains("Secure"), "{cookie}");
    assert!(!page.text.contains(&token) && !cookie.contains(&token));
    assert_eq!(browser.get("/").await.status, StatusCode::OK);
    let mut second = Browser::anonymous(&house);
    assert_eq!(second.sign_in(&token).await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(second.get(&format!("/login?token={token}")).await.status, StatusCode::UNAUTHORIZED);
    assert!(second.cookie.is_none());
}

#[tokio::test]
async fn behind_tls_the_cookie_is_secure_and_only_https_origins_count() {
    use smokejumper::edges::web::{Origins, router};
    use tower::ServiceExt as _;
    let house = scene::burning().await;
    let pages = router(&house.web(Origins::https(["Console.Example.com:443".to_owned()])));
    for (origin, expected) in
        [("http://console.example.com", StatusCode::FORBIDDEN), ("https://console.example.com", StatusCode::SEE_OTHER)]
    {
        let token = house.logins.mint(who("ana")).unwrap();
        let request = axum::http::Request::post("/login")
            .header(header::HOST, "console.example.com")
            .header(header::ORIGIN, origin)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Body::from(encoded(&[("token", &token)])))
            .unwrap();
        let response = pages.clone().oneshot(request).await.unwrap();
        assert_eq!(response.status(), expected);
        let secure = response.headers().get(header::SET_COOKIE).map(|c| c.to_str().unwrap().ends_with("; Secure"));
        assert_eq!(secure, (expected == StatusCode::SEE_OTHER).then_some(true));
    }
}

#[tokio::test]
async fn guessed_and_old_tokens_open_nothing() {
    let house = scene::burning().await;
    let token = house.logins.mint(who("ana")).unwrap();
    let mut browser = Browser::anonymous(&house);
    for wrong in ["", "x", &token[1..], &format!("{token}A"), &token.to_uppercase(), &"A".repeat(43)] {
        assert_eq!(browser.sign_in(wrong).await.status, StatusCode::UNAUTHORIZED, "{wrong}");
    }
    house.clock.pass(LINK_LIFE + SECOND);
    assert_eq!(browser.sign_in(&token).await.status, StatusCode::UNAUTHORIZED);
    for wrong in ["smokejumper_session=", "smokejumper_session=x", &format!("smokejumper_session={token}")] {
        browser.cookie = Some(wrong.to_owned());
        assert_eq!(browser.get("/").await.status, StatusCode::UNAUTHORIZED, "{wrong}");
    }
}

#[tokio::test]
async fn a_planted_second_cookie_signs_nobody_in() {
    let house = scene::burning().await;
    let mut ana = Browser::of(&house, "ana").await;
    let bo = Browser::of(&house, "bo").await;
    ana.cookie = Some(format!("{}; {}", ana.cookie.unwrap(), bo.cookie.unwrap()));
    assert_eq!(ana.get("/").await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_session_ends_when_idle_when_old_and_when_left() {
    let house = scene::burning().await;
    let idle = Browser::of(&house, "ana").await;
    house.clock.pass(SESSION_IDLE - MINUTE);
    assert_eq!(idle.get("/").await.status, StatusCode::OK);
    // A page that refreshes itself is not a person.
    house.clock.pass(SESSION_IDLE - MINUTE);
    let by_itself = idle.request(&Method::GET, "/").header("smokejumper-live", "1").body(Body::empty()).unwrap();
    assert_eq!(idle.send(by_itself).await.status, StatusCode::OK);
    house.clock.pass(2 * MINUTE);
    assert_eq!(idle.get("/").await.status, StatusCode::UNAUTHORIZED);

    let busy = Browser::of(&house, "ana").await;
    for _ in 0..SESSION_LIFE / (HOUR / 2) {
        assert_eq!(busy.get("/").await.status, StatusCode::OK);
        house.clock.pass(HOUR / 2);
    }
    house.clock.pass(SECOND);
    assert_eq!(busy.get("/").await.status, StatusCode::UNAUTHORIZED);

    let left = Browser::of(&house, "ana").await;
    let page = left.get("/").await;
    let (csrf, nonce) = (page.field("/logout", "", "csrf"), page.field("/logout", "", "nonce"));
    assert_eq!(left.post("/logout", &[("csrf", &csrf), ("nonce", &nonce)]).await.leads_to(), "/");
    assert_eq!(left.get("/").await.status, StatusCode::UNAUTHORIZED);

    // A clock set back ends sessions rather than stretching them.
    let back = Browser::of(&house, "ana").await;
    house.clock.pass(-HOUR);
    assert_eq!(back.get("/").await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn links_and_sessions_are_bounded() {
    let house = scene::burning().await;
    let first = house.logins.mint(who("ana")).unwrap();
    for _ in 0..LINKS {
        house.clock.pass(1);
        house.logins.mint(who("bo")).unwrap();
    }
    assert!(house.logins.peek(&first).is_none());
    let oldest = Browser::of(&house, "ana").await;
    for _ in 0..SESSIONS_OF_ONE {
        house.clock.pass(1);
        Browser::of(&house, "ana").await;
    }
    assert_eq!(oldest.get("/").await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(format!("{:?}", house.logins), format!("LoginDesk({} links, {SESSIONS_OF_ONE} sessions)", LINKS - 1));
}

#[tokio::test]
async fn forms_from_elsewhere_change_nothing() {
    let house = scene::burning().await;
    let ana = Browser::of(&house, "ana").await;
    let bo = Browser::of(&house, "bo").await;
    let page = ana.get("/incidents/142").await;
    let foreign = bo.get("/incidents/142").await;
    let field = |page: &super::browser::Page, name: &str| page.field("/incidents/142/say", "name=\"text\"", name);
    let (csrf, nonce) = (field(&page, "csrf"), field(&page, "nonce"));
    let ours = encoded(&[("csrf", &csrf), ("nonce", &nonce), ("text", "note hello")]);
    let post = |origins: &[&str], body: &str| {
        let mut request = ana.request(&Method::POST, "/incidents/142/say");
        for origin in origins {
            request = request.header(header::ORIGIN, *origin);
        }
        ana.send(
            request
                .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
                .body(Body::from(body.to_owned()))
                .unwrap(),
        )
    };
    let here = format!("http://{HOST}");
    for origins in [
        &[][..],
        &["null"],
        &["https://evil.example"],
        &["http://127.0.0.1:8081"],
        &["http://localhost:8080"],
        &["https://127.0.0.1:8080"],
        &["http://127.0.0.1:8080.evil.example"],
        &["http://127.0.0.1:8080", "http://127.0.0.1:8080"],
    ] {
        assert_eq!(post(origins, &ours).await.status, StatusCode::FORBIDDEN, "{origins:?}");
    }
    for csrf in ["", "x", &field(&foreign, "csrf"), &csrf.to_uppercase()] {
        let body = encoded(&[("csrf", csrf), ("nonce", &nonce), ("text", "note hello")]);
        assert_eq!(post(&[&here], &body).await.status, StatusCode::FORBIDDEN, "{csrf}");
    }
    assert_eq!(house.asked(), 0);
    assert_eq!(post(&[&here], &ours).await.status, StatusCode::SEE_OTHER);
    assert_eq!(house.asked(), 1);
}

#[tokio::test]
async fn only_our_own_names_are_answered_to() {
    let house = scene::burning().await;
    let ana = Browser::of(&house, "ana").await;
    for hosts in [
        &["evil.example"][..],
        &["127.0.0.1"],
        &["127.0.0.1:80"],
        &["evil.example:8080"],
        &["127.0.0.1:8080", "evil.example"],
        &[],
    ] {
        let mut request = axum::http::Request::get("/").header(header::COOKIE, ana.cookie.as_deref().unwrap());
        for host in hosts {
            request = request.header(header::HOST, *host);
        }
        let page = ana.send(request.body(Body::empty()).unwrap()).await;
        assert_eq!(page.status, StatusCode::MISDIRECTED_REQUEST, "{hosts:?}");
        assert!(!page.text.contains("INC-142"));
    }
    for host in ["127.0.0.1:8080", "LOCALHOST:8080", "[::1]:8080"] {
        let request = axum::http::Request::get("/").header(header::COOKIE, ana.cookie.as_deref().unwrap());
        let page = ana.send(request.header(header::HOST, host).body(Body::empty()).unwrap()).await;
        assert_eq!(page.status, StatusCode::OK, "{host}");
    }
}

#[tokio::test]
async fn every_answer_tells_the_browser_to_trust_nothing_else() {
    let house = scene::burning().await;
    let ana = Browser::of(&house, "ana").await;
    let list = ana.get("/").await;
    let style = list
        .text
        .split("href=\"")
        .find_map(|t| t.split('"').next().filter(|a| a.starts_with("/assets/console-")))
        .unwrap();
    for path in ["/", "/incidents/142", "/nowhere", "/login", style, "/search?q=pool"] {
        let page = ana.get(path).await;
        let told = |name: &str| page.headers.get(name).map(|v| v.to_str().unwrap().to_owned()).unwrap_or_default();
        let policy = told("content-security-policy");
        assert!(policy.starts_with("default-src 'none'; script-src 'self'; style-src 'self'"), "{path}: {policy}");
        assert!(policy.contains("frame-ancestors 'none'") && policy.contains("base-uri 'none'"));
        assert!(!policy.contains("unsafe") && !policy.contains('*'));
        assert_eq!(told("x-frame-options"), "DENY");
        assert_eq!(told("x-content-type-options"), "nosniff");
        assert_eq!(told("referrer-policy"), "same-origin");
        assert!(page.headers.keys().all(|name| !name.as_str().starts_with("access-control-")), "no CORS");
        let cached = if path == style { "public, max-age=31536000, immutable" } else { "no-store" };
        assert_eq!(told("cache-control"), cached, "{path}");
    }
}

#[tokio::test]
async fn what_is_too_much_is_refused() {
    let house = scene::burning().await;
    let ana = Browser::of(&house, "ana").await;
    let mut request = ana.request(&Method::GET, "/");
    for n in 0..70 {
        request = request.header(format!("x-{n}"), "1");
    }
    let page = ana.send(request.body(Body::empty()).unwrap()).await;
    assert_eq!(page.status, StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE);
    assert_eq!(ana.get(&format!("/search?q={}", "a".repeat(5_000))).await.status, StatusCode::URI_TOO_LONG);
    let big = "a".repeat(70_000);
    let page = ana.get("/incidents/142").await;
    assert_eq!(ana.say(&page, "/incidents/142/say", &big).await.status, StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(ana.say(&page, "/incidents/142/say", &"a".repeat(4_001)).await.status, StatusCode::UNPROCESSABLE_ENTITY);
    let (csrf, nonce) = (page.field("/logout", "", "csrf"), page.field("/logout", "", "nonce"));
    for extra in [("admin", "1"), ("csrf", "again")] {
        let fields = [("csrf", csrf.as_str()), ("nonce", &nonce), ("text", "note x"), extra];
        assert_eq!(ana.post("/incidents/142/say", &fields).await.status, StatusCode::UNPROCESSABLE_ENTITY, "{extra:?}");
    }
    for ask in ["", "sj1|142", "sj9|142|ack", "{\"incident\":142}", &"x".repeat(3_000)] {
        let fields = [("csrf", csrf.as_str()), ("nonce", &nonce), ("ask", ask)];
        assert_eq!(ana.post("/press", &fields).await.status, StatusCode::UNPROCESSABLE_ENTITY, "{ask}");
    }
    assert_eq!(house.asked(), 0);
}

#[tokio::test]
async fn a_private_incident_is_nobody_elses() {
    let house = scene::morning().await;
    house.rooms().state.incidents.get_mut(&smokejumper::flow::incident::IncidentId(142)).unwrap().private = true;
    let cy = Browser::of(&house, "cy").await;
    let list = cy.get("/").await;
    assert!(!list.text.contains("INC-142") && list.text.contains("INC-143"));
    let unknown = cy.get("/incidents/900").await;
    for path in ["/incidents/142", "/incidents/142/timeline", "/incidents/142/postmortem", "/incidents/142/live"] {
        let page = cy.get(path).await;
        assert_eq!((page.status, &page.text), (StatusCode::NOT_FOUND, &unknown.text), "{path}");
    }
    let page = cy.get("/incidents/143").await;
    for words in ["INC-142 why", "INC-142 ack"] {
        assert_eq!(cy.say(&page, "/incidents/143/say", words).await.status, StatusCode::NOT_FOUND, "{words}");
    }
    assert_eq!(house.asked(), 0);
    assert_eq!(Browser::of(&house, "ana").await.get("/incidents/142").await.status, StatusCode::OK);
}
