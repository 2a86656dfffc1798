use super::*;
use crate::config::secret::Secret;

fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
    let mut map = HeaderMap::new();
    for (name, value) in pairs {
        map.append(*name, value.parse().unwrap());
    }
    map
}

fn admit(guard: &Guard, headers: &HeaderMap) -> Result<Admitted, Stranger> {
    guard.admit(headers, At(0))
}

#[test]
fn either_of_two_tokens_opens_and_nothing_else_does() {
    let guard = Guard::new(&Auth::Bearer(vec![Secret::new("new"), Secret::new("old")]), None).unwrap();
    for good in ["Bearer new", "bearer old", "BEARER  old"] {
        assert_eq!(admit(&guard, &headers(&[("authorization", good)])), Ok(Admitted::Known), "{good}");
    }
    for bad in ["Bearer", "Bearer ", "Bearer ne", "Bearer neww", "Basic bmV3", "new", "Bearer new old"] {
        assert!(admit(&guard, &headers(&[("authorization", bad)])).is_err(), "{bad}");
    }
    assert!(admit(&guard, &headers(&[])).is_err());
    assert!(admit(&guard, &headers(&[("authorization", "Bearer new"), ("authorization", "Bearer new")])).is_err());
}

#[test]
fn an_empty_secret_opens_nothing() {
    let guard = Guard::new(&Auth::Bearer(vec![Secret::new("")]), None).unwrap();
    assert!(admit(&guard, &headers(&[("authorization", "Bearer ")])).is_err());
    let none = Guard::new(&Auth::Bearer(vec![]), None).unwrap();
    assert!(admit(&none, &headers(&[("authorization", "Bearer x")])).is_err());
}

#[test]
fn basic_wants_user_and_password() {
    let guard =
        Guard::new(&Auth::Basic { user: "am".to_owned(), passwords: vec![Secret::new("p:w"), Secret::new("o")] }, None)
            .unwrap();
    let basic = |text: &str| format!("Basic {}", STANDARD.encode(text));
    assert_eq!(admit(&guard, &headers(&[("authorization", &basic("am:p:w"))])), Ok(Admitted::Known));
    assert_eq!(admit(&guard, &headers(&[("authorization", &basic("am:o"))])), Ok(Admitted::Known));
    for bad in ["am:", ":o", "bm:o", "am:o2", "am"] {
        assert!(admit(&guard, &headers(&[("authorization", &basic(bad))])).is_err(), "{bad}");
    }
    assert!(admit(&guard, &headers(&[("authorization", "Basic !!!")])).is_err());
}

#[test]
fn an_open_source_does_not_listen_to_web_pages() {
    let guard = Guard::new(&Auth::Open, None).unwrap();
    assert_eq!(admit(&guard, &headers(&[])), Ok(Admitted::Known));
    assert_eq!(admit(&guard, &headers(&[("origin", "https://evil.example")])), Err(Stranger::WebPage));
    assert_eq!(admit(&guard, &headers(&[("sec-fetch-site", "cross-site")])), Err(Stranger::WebPage));
}

#[test]
fn secrets_are_not_in_debug_output() {
    let auth = Auth::Bearer(vec![Secret::new("hunter2")]);
    assert!(!format!("{auth:?}{:?}", Guard::new(&auth, None).unwrap()).contains("hunter2"));
}

#[test]
fn json_is_json_and_a_form_is_not() {
    for good in ["application/json", "Application/JSON; charset=utf-8", "application/vnd.am+json"] {
        assert!(is_json(&headers(&[("content-type", good)])), "{good}");
    }
    for bad in ["text/plain", "application/x-www-form-urlencoded", "", "text/plain; application/json"] {
        assert!(!is_json(&headers(&[("content-type", bad)])), "{bad}");
    }
    assert!(!is_json(&headers(&[])));
}
