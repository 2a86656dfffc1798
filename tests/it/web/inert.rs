//! Outside text is inert on every page (I24): no tag, no attribute, no link, nothing unseen.

use super::browser::Browser;
use super::house::House;
use super::scene::{self, delivery, signal};
use smokejumper::flow::moment::{DAY, MINUTE};
use smokejumper::flow::signal::AlertStatus;
use std::collections::BTreeSet;
use std::sync::Arc;

/// Each is told apart by its number; what a page must not hold is derived from the page without them.
const HOSTILE: &[&str] = &[
    "<script>alert(1)</script>",
    "</title><script src=//evil.example/x.js></script>",
    "\"><img src=x onerror=alert(1)>",
    "' onmouseover='alert(1)",
    "<a href=\"javascript:alert(1)\">click</a>",
    "<svg/onload=alert(1)>",
    "</textarea></code></bdi></main><form action=https://evil.example>",
    "<iframe srcdoc='<script>x</script>'>",
    "<meta http-equiv=refresh content=0;url=https://evil.example>",
    "&lt;b&gt; &#60;script&#62; &amp;#x3c;img&amp;#x3e;",
    "https://evil.example/login and http://evil.example",
    "[text](https://evil.example) <https://evil.example|here> <!channel> @everyone <@U1>",
    "javascript:alert(1) data:text/html,<script>alert(1)</script>",
    "\u{202e}gnp.exe\u{202c} \u{2066}iso\u{2069} \u{200b}zero\u{200d}width\u{feff}",
    "\u{1b}[31mred\u{1b}[0m \u{0}nul \u{8}bs \u{9b}31m bell\u{7}",
    "{{7*7}} ${7*7} <%= 7*7 %> #{7*7}",
    "]]><![CDATA[<x>]]> <!-- comment --> <?php ?>",
    "\u{0085}\u{2028}\u{2029}lines\r\nand\r\nheaders: Set-Cookie: a=b",
    "ａｄｍｉｎ＜script＞ \u{202e} ﷽ Z̴͓̈́ą̶̕l̷g̵o",
];

/// Tags of a page in order, with the names and the values of attributes that lead somewhere or run something.
fn skeleton(page: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for tag in page.split('<').skip(1) {
        let tag = tag.split('>').next().unwrap();
        let name = tag.split([' ', '/']).find(|part| !part.is_empty()).unwrap_or("");
        found.insert(format!("<{name}"));
        for attribute in tag.split("=\"").collect::<Vec<_>>().windows(2) {
            let key = attribute[0].rsplit([' ', '"']).next().unwrap();
            let value = attribute[1].split('"').next().unwrap();
            match key {
                "href" | "src" | "action" | "formaction" | "srcdoc" | "style" | "http-equiv" => {
                    let numberless: String = value.chars().filter(|c| !c.is_ascii_digit()).collect();
                    let address = numberless.split(['?', '#']).next().unwrap().to_owned();
                    found.insert(format!("{name} {key}={address}"));
                }
                _ => {
                    found.insert(format!("{name} {key}"));
                }
            }
        }
    }
    found
}

/// A house where `text` is said in every way it can get in.
async fn told(text: &str) -> Arc<House> {
    let house = House::new();
    house.rooms().state.desk.last = 141;
    let start = scene::START;
    let mut loud = signal("h1", text, "critical", "checkout", text, AlertStatus::Firing, start);
    loud.labels.insert("instance".to_owned(), text.to_owned());
    let mut quiet = signal("h2", text, "warning", text, text, AlertStatus::Firing, start);
    quiet.link = Some(format!("javascript:alert(1)//{text}"));
    let mut linked = signal("h3", "Linked", "warning", text, text, AlertStatus::Firing, start);
    linked.link = Some(format!("https://evil.example/\"{text}"));
    house.happen(delivery(vec![loud, quiet, linked])).await;
    house.clock.pass(MINUTE);
    house
}

async fn pages(house: &Arc<House>, text: &str) -> Vec<(String, String)> {
    let ana = Browser::of(house, "ana").await;
    let mut pages = Vec::new();
    let ours = ["note", "update", "task", "rename"].map(|verb| format!("{verb} {text}"));
    let parts = format!("update fine actions: {text} needs: {text}");
    let said = ours.iter().map(String::as_str).chain([parts.as_str(), text, "task drain it owner:@bo"]);
    for words in said.chain(["follow-up check it", "assign @bo F-1", "resolve cause:x fix:y"]) {
        let page = ana.get("/incidents/142").await;
        let after = ana.say(&page, "/incidents/142/say", words).await;
        let shown = if after.status.is_redirection() { ana.get(after.leads_to()).await } else { after };
        pages.push((format!("after {words}"), shown.text));
    }
    let list = ana.get("/").await;
    let after = ana.say(&list, "/say", &format!("{text} is what I see here now")).await;
    let shown = if after.status.is_redirection() { ana.get(after.leads_to()).await } else { after };
    pages.push(("confirmation".to_owned(), shown.text));
    let list = ana.get("/").await;
    let after = ana.fill(&list, "silence", &[("matchers", "service=nothing"), ("length", "2h"), ("why", text)]).await;
    pages.push(("silenced".to_owned(), ana.get(after.leads_to()).await.text));
    let page = ana.get("/incidents/142").await;
    for (verb, field) in [("update", "conditions"), ("rename", "title"), ("follow-up", "todo")] {
        let after = ana.fill(&page, verb, &[(field, text)]).await;
        pages.push((format!("the form {verb}"), ana.get(after.leads_to()).await.text));
    }
    let search = super::browser::encoded(&[("q", text)]);
    for path in
        ["/", "/incidents/142", "/incidents/142/timeline", "/incidents/142/postmortem", &format!("/search?{search}")]
    {
        pages.push((path.to_owned(), ana.get(path).await.text));
    }
    pages
}

#[tokio::test]
async fn hostile_text_adds_nothing_to_a_page() {
    let harmless = told("harmless").await;
    let mut known = BTreeSet::new();
    for (_, page) in pages(&harmless, "harmless").await {
        known.extend(skeleton(&page));
    }
    // What only some texts bring about is still ours: "did you mean", no search results, a retitled incident.
    let other = told("closed since 10:02").await;
    for (_, page) in pages(&other, "`fenced` status page").await {
        known.extend(skeleton(&page));
    }
    for text in HOSTILE {
        let house = told(text).await;
        for (name, page) in pages(&house, text).await {
            let new: Vec<_> = skeleton(&page).difference(&known).cloned().collect();
            assert!(new.is_empty(), "{text:?} on {name} brought {new:?}");
            let unseen: Vec<char> =
                page.chars().filter(|c| *c != '\n' && smokejumper_intents::inert::is_unseen(*c)).collect();
            assert!(unseen.is_empty(), "{text:?} on {name} brought {unseen:?}");
            let leads = ["href=\"https://evil", "action=\"https://evil", "src=\"//evil", "href=\"javascript:"];
            assert!(leads.iter().all(|lead| !page.contains(lead)), "{text:?} on {name}");
        }
    }
}

#[tokio::test]
async fn only_safe_addresses_become_links() {
    let linked = [
        ("https://prometheus.example.com/graph?g0.expr=up&x=%22", true),
        ("http://127.0.0.1:9090/alerts", true),
        ("http://localhost/x", true),
        ("http://[::1]:9090/x", true),
        ("http://prometheus.example.com/", false),
        ("http://127.0.0.1.evil.example/", false),
        ("http://localhost.evil.example/", false),
        ("http://localhost@evil.example/", false),
        ("https://user:secret@example.com/", false),
        ("https://", false),
        ("https:///x", false),
        ("https://ex\u{430}mple.com/", false),
        ("https://example.com/\u{202e}x", false),
        ("https://example.com/a b", false),
        ("https://example.com/\"onmouseover=x", false),
        ("https://example.com\\@evil.example/", false),
        ("HTTPS://example.com/", false),
        ("javascript:alert(1)", false),
        ("java\nscript:alert(1)", false),
        ("data:text/html,x", false),
        ("//evil.example/", false),
        ("/incidents/1", false),
        ("vbscript:x", false),
    ];
    for (address, expected) in linked {
        let house = House::new();
        let mut alert =
            signal("l1", "Linked", "warning", "edge", "a summary", AlertStatus::Firing, scene::START.plus(-DAY));
        alert.link = Some(address.to_owned());
        house.happen(delivery(vec![alert])).await;
        let page = Browser::of(&house, "ana").await.get("/").await.text;
        assert!(page.contains("Linked"));
        assert_eq!(page.contains("class=\"away\""), expected, "{address}");
        if expected {
            assert!(page.contains("rel=\"noreferrer noopener nofollow\""));
        }
    }
}
