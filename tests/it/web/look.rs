//! What a reader of the page gets: its words in order, and that it can be used by keyboard and screen reader.

use super::browser::Browser;
use super::scene;

/// The page's words: tags become nothing, blocks become lines, buttons stand in brackets.
fn words(html: &str) -> String {
    let mut out = String::new();
    let html = html.replace("<button", "\n[<button").replace("</button>", "]");
    for part in html.split('<').skip(1) {
        let (tag, text) = part.split_once('>').unwrap();
        let name = tag.trim_start_matches('/').split(' ').next().unwrap();
        if matches!(name, "li" | "p" | "h1" | "h2" | "h3" | "section" | "div" | "form" | "ul" | "ol") {
            out.push('\n');
        }
        out.push_str(text);
    }
    let lines = out.lines().map(str::trim).filter(|line| !line.is_empty());
    lines.collect::<Vec<_>>().join("\n").replace("&amp;", "&").replace("&gt;", ">").replace("&quot;", "\"")
}

fn part<'p>(page: &'p str, from: &str, to: &str) -> &'p str {
    let rest = &page[page.find(from).unwrap()..];
    &rest[..rest.find(to).unwrap()]
}

#[tokio::test]
async fn the_card_reads_like_this() {
    let house = scene::morning().await;
    let page = Browser::of(&house, "ana").await.get("/incidents/142").await.text;
    insta::assert_snapshot!(words(part(&page, "<div class=\"head\"", "<div class=\"talk\"")));
}

#[tokio::test]
async fn the_thread_reads_like_this() {
    let house = scene::morning().await;
    let page = Browser::of(&house, "ana").await.get("/incidents/142").await.text;
    insta::assert_snapshot!(words(part(&page, "<section class=\"thread\"", "</main>")));
}

#[tokio::test]
async fn the_list_reads_like_this() {
    let house = scene::morning().await;
    let page = Browser::of(&house, "cy").await.get("/").await.text;
    insta::assert_snapshot!(words(part(&page, "<main", "</main>")));
}

#[tokio::test]
async fn pages_can_be_used_without_a_mouse_and_without_sight() {
    let house = scene::morning().await;
    let ana = Browser::of(&house, "ana").await;
    for path in ["/", "/incidents/142", "/incidents/142/timeline", "/incidents/140/postmortem", "/search?q=pool"] {
        let page = ana.get(path).await.text;
        assert!(page.starts_with("<!DOCTYPE html><html lang=\"en\">"), "{path}");
        assert_eq!(page.matches("<h1").count(), 1, "{path}");
        assert!(page.contains("<a class=\"skip\" href=\"#main\">") && page.contains("<main id=\"main\""), "{path}");
        assert!(!page.contains(" style=\"") && !page.contains(" onclick"), "{path}");
        for field in page.split("<textarea").skip(1) {
            let id = field.split(" id=\"").nth(1).and_then(|t| t.split('"').next()).unwrap();
            assert!(page.contains(&format!("<label for=\"{id}\">")), "{path}: {id} has no label");
        }
        for field in page.split("<select").skip(1).chain(page.split("<input").skip(1)) {
            let field = field.split('>').next().unwrap();
            let named = field.split(" id=\"").nth(1).and_then(|t| t.split('"').next());
            let labelled = named.is_some_and(|id| page.contains(&format!("<label for=\"{id}\">")));
            assert!(labelled || field.contains("aria-label=") || field.contains("type=\"hidden\""), "{path}: {field}");
        }
        let mut ids: Vec<_> = page.split(" id=\"").skip(1).map(|t| t.split('"').next().unwrap()).collect();
        let all = ids.len();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), all, "{path}: an id is there twice");
    }
    // Severity is a word, not only a colour.
    assert!(ana.get("/").await.text.contains("<span class=\"sev sev1\">SEV1</span>"));
}
