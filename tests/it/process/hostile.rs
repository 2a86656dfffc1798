//! Bad input over HTTP, against the real server: each gets the status that is documented, nothing panics, and the next
//! honest alert is taken in. What alerts say is inert on the pages people see.

use super::bot::{Bot, client};
use super::kill::NO_STORM_BUDGET;
use super::ledger::{Books, settled};
use super::person::Person;
use super::storm::{alert, body};
use crate::world::wait::{DEADLINE, ends, seen};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// What one delivery may weigh, in bytes.
const MAX_BODY: usize = 16 * 1024 * 1024;

/// Two sources that ask for proof, one that does not.
const SOURCES: &str = r#"
[[source]]
name = "alertmanager"
kind = "alertmanager"

[[source]]
name = "bearer"
kind = "alertmanager"
auth = { bearer = ["new_token", "old_token"] }

[[source]]
name = "basic"
kind = "alertmanager"
auth = { basic = { user = "am", password = "new_token" } }

[secrets]
new_token = "9f86d081884c7d659a2feaa0c55ad015"
old_token = "a3bf4f1b2b0b822cd15d6c15b0f00a08"
"#;

fn honest(fingerprint: &str) -> Value {
    let labels = json!({"alertname": "CheckoutDown", "service": "checkout", "severity": "critical"});
    body("g", "firing", &[alert(fingerprint, &labels, "checkout is down", "2025-11-20T07:00:00Z")])
}

/// Posts bytes as JSON; the status and the words.
async fn post(bot: &Bot, source: &str, bytes: impl Into<reqwest::Body>, headers: &[(&str, &str)]) -> (u16, String) {
    let mut request = client().post(format!("{}/alerts/{source}", bot.address().base())).body(bytes);
    let typed = headers.iter().any(|(name, _)| *name == "content-type");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = if typed { request } else { request.header("content-type", "application/json") };
    let answer = request.send().await.unwrap();
    (answer.status().as_u16(), answer.text().await.unwrap_or_default())
}

#[tokio::test]
async fn no_body_is_bad_enough() {
    let mut bot = Bot::serving("").await;
    let good = honest("aa11").to_string();
    let changed = |change: &dyn Fn(&mut Value)| {
        let mut value = honest("aa11");
        change(&mut value);
        value.to_string()
    };
    let deep = |open: &str, close: &str| format!("{}{}", open.repeat(100_000), close.repeat(100_000));
    let refused: Vec<(&str, Vec<u8>)> = vec![
        ("nothing", Vec::new()),
        ("a space", b" ".to_vec()),
        ("null", b"null".to_vec()),
        ("a number", b"1e999".to_vec()),
        ("a list", b"[]".to_vec()),
        ("a text", b"\"alert\"".to_vec()),
        ("no fields", b"{}".to_vec()),
        ("cut in half", good.as_bytes()[..good.len() / 2].to_vec()),
        ("cut by one", good.as_bytes()[..good.len() - 1].to_vec()),
        ("something behind", format!("{good}{good}").into_bytes()),
        ("UTF-16", good.encode_utf16().flat_map(u16::to_le_bytes).collect()),
        (
            "not UTF-8",
            good.replace("CheckoutDown", "\u{1}")
                .into_bytes()
                .iter()
                .map(|b| if *b == 1 { 0xff } else { *b })
                .collect(),
        ),
        ("a byte order mark", [b"\xef\xbb\xbf".as_slice(), good.as_bytes()].concat()),
        ("a lone surrogate", good.replace("CheckoutDown", "\\ud800").into_bytes()),
        ("NaN", good.replace("\"truncatedAlerts\":0", "\"truncatedAlerts\":NaN").into_bytes()),
        ("version 3", changed(&|v| v["version"] = json!("3")).into_bytes()),
        ("a version that is a number", changed(&|v| v["version"] = json!(4)).into_bytes()),
        ("no version", changed(&|v| v["version"] = Value::Null).into_bytes()),
        ("alerts that are a table", changed(&|v| v["alerts"] = json!({"a": 1})).into_bytes()),
        ("alerts that are numbers", changed(&|v| v["alerts"] = json!([1, 2, 3])).into_bytes()),
        ("labels that are a list", changed(&|v| v["alerts"][0]["labels"] = json!(["a", "b"])).into_bytes()),
        ("a label that is a number", changed(&|v| v["alerts"][0]["labels"]["severity"] = json!(5)).into_bytes()),
        ("a status nobody knows", changed(&|v| v["alerts"][0]["status"] = json!("smouldering")).into_bytes()),
        ("a start that is no time", changed(&|v| v["alerts"][0]["startsAt"] = json!("yesterday")).into_bytes()),
        ("lists in lists", deep("[", "]").into_bytes()),
        ("tables in tables", deep("{\"a\":", "}").into_bytes()),
        ("numbers without end", format!("{{\"version\":{}}}", "9".repeat(1_000_000)).into_bytes()),
    ];
    let number = refused.len();
    for (what, bytes) in refused {
        let (status, said) = post(&bot, "alertmanager", bytes, &[]).await;
        assert_eq!(status, 400, "{what}: {said}");
        assert!(said.contains("\"error\"") && said.len() < 1_000, "{what}: {said}");
    }
    for kind in ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "text/html", ""] {
        let (status, said) = post(&bot, "alertmanager", good.clone(), &[("content-type", kind)]).await;
        assert_eq!(status, 415, "{kind}: {said}");
    }
    for encoding in ["gzip", "br", "deflate", "gzip, gzip"] {
        let (status, said) = post(&bot, "alertmanager", good.clone(), &[("content-encoding", encoding)]).await;
        assert_eq!(status, 415, "{encoding}: {said}");
    }
    for method in [reqwest::Method::GET, reqwest::Method::PUT, reqwest::Method::DELETE] {
        let answer = client().request(method.clone(), bot.address().alerts()).send().await.unwrap();
        assert_eq!(answer.status(), 405, "{method}");
    }
    // Odd, but what they say is clear: taken in, cut to size.
    let odd = [
        changed(&|v| v["alerts"] = json!([])),
        changed(&|v| v["alerts"][0]["endsAt"] = json!("2024-01-01T00:00:00Z")),
        changed(&|v| v["alerts"][0]["startsAt"] = json!("9999-12-31T23:59:59Z")),
        changed(&|v| v["alerts"][0]["fingerprint"] = json!("x".repeat(100_000))),
        changed(&|v| v["alerts"][0]["annotations"]["summary"] = json!("long ".repeat(100_000))),
        changed(&|v| v["groupKey"] = json!("k".repeat(1_000_000))),
        changed(&|v| {
            v["alerts"][0]["labels"] =
                (0..10_000).map(|n| (format!("label{n}"), json!("x"))).collect::<serde_json::Map<_, _>>().into();
        }),
        changed(&|v| v["padding"] = Value::Null).replace("null", &deep("[", "]")),
        changed(&|v| v["notification_reason"] = json!({"from": ["a", "newer", "version"]})),
    ];
    for text in odd {
        let (status, said) = post(&bot, "alertmanager", text, &[]).await;
        assert_eq!(status, 200, "{said}");
    }
    let (status, said) = post(&bot, "alertmanager", good, &[]).await;
    assert_eq!((status, said.contains("\"accepted\":1")), (200, true), "{said}");
    settled(&bot, DEADLINE).await;
    assert_eq!(bot.end().await.code(), Some(0), "{}", bot.errors());
    bot.assert_calm();
    let books = Books::of(&bot).await;
    books.assert_one_of_each();
    assert!(books.dead_letters >= number as u64, "each is kept for a person to look at: {}", books.dead_letters);
}

#[tokio::test]
async fn what_is_too_much_is_413_and_memory_stays_bounded() {
    let mut bot = Bot::serving("").await;
    let padded = |bytes: usize| {
        let mut value = honest("aa11");
        value["padding"] = json!("x".repeat(bytes));
        value.to_string()
    };
    let (status, said) = post(&bot, "alertmanager", padded(MAX_BODY - 4_096), &[]).await;
    assert_eq!(status, 200, "just below the bound: {said}");
    // The server may answer and hang up before all of it was sent; then the client sees a broken pipe instead.
    let large = client().post(bot.address().alerts()).header("content-type", "application/json");
    if let Ok(answer) = large.body(padded(MAX_BODY + 1)).send().await {
        assert_eq!(answer.status(), 413);
    }
    // Without a length, in chunks.
    let at = bot.address().base().replace("http://", "");
    let mut stream = TcpStream::connect(&at).await.unwrap();
    let head = format!(
        "POST /alerts/alertmanager HTTP/1.1\r\nHost: {at}\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let chunk = format!("100000\r\n{}\r\n", " ".repeat(1024 * 1024));
    let mut sent = 0;
    while sent < 20 && stream.write_all(chunk.as_bytes()).await.is_ok() {
        sent += 1;
    }
    let mut answer = [0_u8; 12];
    if ends("an answer comes", stream.read_exact(&mut answer)).await.is_ok() {
        assert_eq!(&answer, b"HTTP/1.1 413");
    }
    let many: Vec<Value> = (0..50_000).map(|n| json!({"status": "firing", "labels": {"n": n.to_string()}})).collect();
    let (status, said) = post(&bot, "alertmanager", body("g", "firing", &many).to_string(), &[]).await;
    assert_eq!(status, 413, "{said}");
    let resident = std::fs::read_to_string(format!("/proc/{}/status", bot.pid())).unwrap();
    let peak = resident.lines().find_map(|l| l.strip_prefix("VmHWM:")).unwrap().trim().to_owned();
    println!("resident at most: {peak}");
    let kib: u64 = peak.split(' ').next().unwrap().parse().unwrap();
    assert!(kib < 256 * 1024, "{peak}");
    assert_eq!(post(&bot, "alertmanager", honest("bb22").to_string(), &[]).await.0, 200);
    settled(&bot, DEADLINE).await;
    assert_eq!(bot.end().await.code(), Some(0), "{}", bot.errors());
    bot.assert_calm();
}

#[tokio::test]
async fn slow_and_broken_clients_are_hung_up_on_and_disturb_nobody() {
    let mut bot = Bot::serving("").await;
    let at = bot.address().base().replace("http://", "");
    let mut slow = Vec::new();
    for n in 0..200 {
        let mut stream = TcpStream::connect(&at).await.unwrap();
        let start = match n % 4 {
            0 => String::new(),
            1 => "POST /alerts/alertmanager HTTP/1.1\r\nHost: ".to_owned(),
            2 => format!(
                "POST /alerts/alertmanager HTTP/1.1\r\nHost: {at}\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{{"
            ),
            _ => "\u{1}\u{2}\u{3} nonsense\r\n\r\n".to_owned(),
        };
        stream.write_all(start.as_bytes()).await.unwrap();
        slow.push(stream);
    }
    let began = std::time::Instant::now();
    let (status, said) = post(&bot, "alertmanager", honest("aa11").to_string(), &[]).await;
    assert_eq!(status, 200, "{said}");
    println!("an honest delivery beside 200 slow clients took {:?}", began.elapsed());
    for (n, mut stream) in slow.into_iter().enumerate() {
        let mut answer = Vec::new();
        // Those that were answered hear why; the connection ends in any case. A reset is an end, too.
        let _ = ends("a slow client is hung up on", stream.read_to_end(&mut answer)).await;
        let answer = String::from_utf8_lossy(&answer).into_owned();
        match n % 4 {
            2 => {
                assert!(
                    answer.starts_with("HTTP/1.1 503") && answer.to_lowercase().contains("retry-after"),
                    "{answer}"
                );
            }
            3 => assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 400"), "{answer}"),
            _ => assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 4"), "{answer}"),
        }
    }
    settled(&bot, DEADLINE).await;
    assert_eq!(bot.end().await.code(), Some(0), "{}", bot.errors());
    bot.assert_calm();
    let books = Books::of(&bot).await;
    assert_eq!(books.alerts().count(), 1);
}

#[tokio::test]
async fn whoever_cannot_prove_who_they_are_leaves_nothing() {
    let mut bot = Bot::serving(SOURCES).await;
    let good = honest("aa11").to_string();
    let (new, old) = ("9f86d081884c7d659a2feaa0c55ad015", "a3bf4f1b2b0b822cd15d6c15b0f00a08");
    let bearer = |token: &str| format!("Bearer {token}");
    for source in ["nobody", "Bearer", "bearer%00", "..%2fbearer"] {
        assert_eq!(post(&bot, source, good.clone(), &[]).await.0, 404, "{source}");
    }
    assert_eq!(post(&bot, "bearer", good.clone(), &[]).await.0, 401);
    for wrong in ["", "x", &new[1..], &new.to_uppercase(), &format!("{new}x"), &"y".repeat(100_000)] {
        let (status, said) = post(&bot, "bearer", good.clone(), &[("authorization", &bearer(wrong))]).await;
        assert!(status == 401 || (wrong.len() > 50_000 && status == 431), "{wrong:.40}: {status} {said}");
        assert!(!said.contains(new), "{said}");
    }
    let basic = |pair: &str| {
        use base64::Engine as _;
        format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(pair))
    };
    for wrong in ["am:", "am:x", ":", &format!("root:{new}"), &format!("am:{old}")] {
        assert_eq!(post(&bot, "basic", good.clone(), &[("authorization", &basic(wrong))]).await.0, 401, "{wrong}");
    }
    assert_eq!(post(&bot, "basic", good.clone(), &[("authorization", &bearer(new))]).await.0, 401);
    // A web page that reaches the loopback interface.
    let (status, _) = post(&bot, "alertmanager", good.clone(), &[("origin", "https://evil.example")]).await;
    assert_eq!(status, 403);
    for path in ["/", "/incidents/1", "/incidents/1/timeline", "/search?q=a", "/live"] {
        let answer = client().get(format!("{}{path}", bot.address().base())).send().await.unwrap();
        assert!(answer.status() == 401 || answer.status() == 303, "{path}: {}", answer.status());
    }
    assert_eq!(bot.end().await.code(), Some(0));
    let books = Books::of(&bot).await;
    assert_eq!((books.alerts().count(), books.dead_letters), (0, 0), "no trace but a count in the log");
    let errors = bot.errors();
    assert!(!errors.contains(new) && !errors.contains(old), "{errors}");

    bot.start();
    bot.ready().await;
    assert_eq!(post(&bot, "bearer", good.clone(), &[("authorization", &bearer(new))]).await.0, 200);
    assert_eq!(post(&bot, "bearer", good.clone(), &[("authorization", &bearer(old))]).await.0, 200);
    assert_eq!(post(&bot, "basic", good, &[("authorization", &basic(&format!("am:{new}")))]).await.0, 200);
    settled(&bot, DEADLINE).await;
    assert_eq!(bot.end().await.code(), Some(0));
    bot.assert_calm();
    assert_eq!(Books::of(&bot).await.alerts().count(), 2, "one of each source");
}

#[tokio::test]
async fn what_alerts_say_is_inert_on_the_page() {
    const HOSTILE: [&str; 6] = [
        "<script>alert(1)</script>",
        "\"><img src=x onerror=alert(1)>",
        "</title></bdi></main><form action=https://evil.example>",
        "javascript:alert(1)//",
        "\u{202e}\u{200b}\u{1b}[31m\u{7}<b>",
        "&lt;script&gt;<!-- ]]>",
    ];
    let mut bot = Bot::serving(NO_STORM_BUDGET).await;
    for (n, text) in HOSTILE.iter().enumerate() {
        let labels = json!({
            "alertname": text, "service": format!("{text}{n}"), "severity": "critical", "instance": text, (*text): text,
        });
        let mut one = alert(&format!("aa{n}"), &labels, text, "2025-11-20T07:00:00Z");
        one["generatorURL"] = json!(format!("javascript:alert(1)//{text}"));
        one["annotations"]["description"] = json!(text);
        let (status, said) = post(&bot, "alertmanager", body(text, "firing", &[one]).to_string(), &[]).await;
        assert_eq!(status, 200, "{said}");
    }
    settled(&bot, DEADLINE).await;
    let person = Person::sign_in(&bot).await;
    let mut paths = vec!["/".to_owned(), "/search?q=%3Cscript%3Ealert(1)%3C/script%3E".to_owned()];
    for n in 1..=HOSTILE.len() {
        paths.extend(["", "/timeline", "/postmortem"].map(|part| format!("/incidents/{n}{part}")));
    }
    for path in paths {
        let page = person.page(&path).await;
        for forbidden in
            ["<script>alert", "<img", "<form action=https", "href=\"javascript:", "\u{202e}", "\u{1b}", "<b>"]
        {
            assert!(!page.contains(forbidden), "{path} holds {forbidden:?}");
        }
        assert!(page.len() > 500, "{path}: {page}");
    }
    assert!(person.page("/").await.contains("&lt;script&gt;alert(1)&lt;/script&gt;"), "it is shown as text");
    assert_eq!(bot.end().await.code(), Some(0), "{}", bot.errors());
    bot.assert_calm();
}

/// A flood of deliveries at once: each is taken in or told to come again, and none is answered 4xx.
#[tokio::test]
async fn a_flood_is_taken_in_or_told_to_come_again() {
    let mut bot = Bot::serving(NO_STORM_BUDGET).await;
    let client = client();
    let (at, client) = (&bot.address().alerts(), &client);
    let all = (0..400).map(|n| async move {
        let text = honest(&format!("f{n}")).to_string();
        seen("it is taken in", Duration::from_secs(90), || {
            let request = client.post(at).header("content-type", "application/json").body(text.clone());
            async move {
                match request.send().await {
                    Ok(answer) if answer.status() == 200 => Some(()),
                    Ok(answer) => {
                        assert_eq!(answer.status(), 503);
                        assert!(answer.headers().contains_key("retry-after"));
                        None
                    }
                    Err(_) => None,
                }
            }
        })
        .await;
    });
    futures::future::join_all(all).await;
    settled(&bot, Duration::from_secs(90)).await;
    assert_eq!(bot.end().await.code(), Some(0), "{}", bot.errors());
    bot.assert_calm();
    let books = Books::of(&bot).await;
    books.assert_one_of_each();
    assert_eq!(books.alerts().count(), 400);
}
