use super::*;
use proptest::prelude::*;
use slack_morphism::blocks::SlackBlock;
use smokejumper_intents::intent::{Ask, Intent};
use std::collections::BTreeSet;

/// What Slack's own syntax and others' make of text.
const HOSTILE: &[&str] = &[
    "<!channel> <!here> <!everyone> <@U0123ABCD> <#C0123ABCD> <!subteam^S0123>",
    "<https://evil.example|here> [x](https://evil.example) https://evil.example/login http://evil.example",
    "*bold* _it_ ~no~ `code` ```fence``` > quote :fire: &lt;!channel&gt;",
    "@channel @everyone #general",
    "\u{202e}gnp.exe\u{202c} \u{200b}zero\u{feff} \u{1b}[31mred \u{0}nul\u{8}",
    "line\r\nbreak\nbreak\u{2028}break",
    "😀 ﷽ Z̴͓̈́ą̶̕l̷g̵o ａｄｍｉｎ",
    "",
    " ",
];

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        2 => prop::sample::select(HOSTILE).prop_map(str::to_owned),
        2 => "\\PC{0,40}",
        1 => (prop::sample::select(HOSTILE), 1..200_usize).prop_map(|(text, times)| text.repeat(times)),
    ]
}

fn span() -> impl Strategy<Value = Span> {
    prop_oneof![
        text().prop_map(Span::Ours),
        text().prop_map(Span::Strong),
        text().prop_map(Span::Faint),
        text().prop_map(Span::Outside),
        text().prop_map(Span::Code),
        text().prop_map(Span::Person),
        any::<u32>().prop_map(Span::Incident),
        (text(), prop_oneof![text(), Just("https://grafana.example/d/1".to_owned()), Just("javascript:x".to_owned())])
            .prop_map(|(label, href)| Span::Link { label, href }),
        (0..4_000_000_000_000_i64).prop_map(Span::Time),
        any::<u8>().prop_map(Span::Percent),
    ]
}

fn line() -> impl Strategy<Value = Line> {
    (prop::collection::vec(span(), 0..8), 0..3_u8).prop_map(|(spans, depth)| Line { spans, depth })
}

fn button() -> impl Strategy<Value = Button> {
    let style = prop::sample::select(vec![Style::Primary, Style::Plain, Style::Danger]);
    let intent = prop_oneof![
        Just(Intent::Acknowledge),
        text().prop_map(|text| Intent::Note { text }),
        "[a-z]{1,3000}".prop_map(|text| Intent::Note { text }),
    ];
    (text(), style, intent, prop::option::of(1..1_000_u32))
        .prop_map(|(label, style, intent, incident)| Button::new(label, style, Ask { incident, intent }))
}

fn reply() -> impl Strategy<Value = Reply> {
    let section = (text(), prop::collection::vec(line(), 0..40), prop::collection::vec(button(), 0..7))
        .prop_map(|(heading, lines, buttons)| Section { heading, lines, buttons });
    (line(), prop::collection::vec(section, 0..25), prop::collection::vec(button(), 0..7))
        .prop_map(|(title, sections, buttons)| Reply { title, sections, buttons })
}

/// Slack's limits, and that nothing is in it which makes anything of text. Gives the characters of all text.
fn check(blocks: &[Value], most: Most, links: &BTreeSet<String>) {
    assert!(!blocks.is_empty() && blocks.len() <= most.blocks, "{} blocks", blocks.len());
    let (mut ids, mut block_ids, mut all) = (BTreeSet::new(), BTreeSet::new(), 0);
    for block in blocks {
        let typed: SlackBlock = serde_json::from_value(block.clone()).unwrap();
        drop(typed);
        if let Some(id) = block["block_id"].as_str() {
            assert!(block_ids.insert(id.to_owned()) && id.len() <= 255);
        }
        let here = match block["type"].as_str().unwrap() {
            "header" => {
                let text = plain_text(&block["text"]);
                assert!(text <= MAX_HEADER);
                text
            }
            "rich_text" => block["elements"].as_array().unwrap().iter().map(|e| rich(e, links)).sum(),
            "actions" => {
                let elements = block["elements"].as_array().unwrap();
                assert!((1..=25).contains(&elements.len()));
                let mut labels = 0;
                for element in elements {
                    assert_eq!(element["type"], "button");
                    let id = element["action_id"].as_str().unwrap();
                    assert!(ids.insert(id.to_owned()) && id.len() <= 255);
                    let value = element["value"].as_str().unwrap();
                    assert!(size(value) <= MAX_VALUE);
                    assert!(smokejumper_intents::button::decode(value).is_ok());
                    let label = plain_text(&element["text"]);
                    assert!(label <= MAX_LABEL);
                    assert!(element.get("url").is_none());
                    labels += label;
                }
                labels
            }
            other => panic!("a block of type {other}"),
        };
        assert!(here <= MAX_BLOCK, "{here} characters in a block");
        all += here;
    }
    assert!(all <= most.text + 200, "{all} characters");
}

fn plain_text(value: &Value) -> usize {
    assert_eq!((&value["type"], &value["emoji"]), (&json!("plain_text"), &json!(false)));
    let text = value["text"].as_str().unwrap();
    assert!(!text.is_empty() && text.chars().all(|c| !inert::is_unseen(c)), "{text:?}");
    size(text)
}

fn rich(element: &Value, links: &BTreeSet<String>) -> usize {
    let inner = |element: &Value| -> usize {
        let elements = element["elements"].as_array().unwrap();
        assert!(!elements.is_empty());
        elements.iter().map(|e| rich(e, links)).sum()
    };
    let seen = |text: &Value| {
        let text = text.as_str().unwrap();
        assert!(!text.is_empty() && text.chars().all(|c| c == '\n' || !inert::is_unseen(c)), "{text:?}");
        size(text)
    };
    match element["type"].as_str().unwrap() {
        "rich_text_section" | "rich_text_list" => inner(element),
        "text" => seen(&element["text"]),
        "date" => seen(&element["fallback"]),
        "link" => {
            assert!(links.contains(element["url"].as_str().unwrap()), "a link that is not ours: {element}");
            seen(&element["text"])
        }
        other => panic!("an element of type {other}"),
    }
}

fn links(reply: &Reply) -> BTreeSet<String> {
    let lines = reply.sections.iter().flat_map(|s| &s.lines).chain([&reply.title]);
    let hrefs = lines.flat_map(|line| &line.spans).filter_map(|span| match span {
        Span::Link { href, .. } if may_be_linked(href) => Some(href.clone()),
        _ => None,
    });
    hrefs.collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]
    #[test]
    fn any_reply_fits_and_is_inert(reply in reply()) {
        let ours = links(&reply);
        check(&blocks(&reply, MESSAGE), MESSAGE, &ours);
        check(&blocks(&reply, VIEW), VIEW, &ours);
        let message = message(&reply);
        let text = message["text"].as_str().unwrap();
        prop_assert!(!text.is_empty() && size(text) <= text::MAX_TEXT);
        prop_assert!(!text.contains('<') && !text.contains('>'));
    }
}

#[test]
fn what_has_no_room_is_counted_and_says_where_it_is() {
    let lines = (0..60).map(|n| Line::ours(format!("{n} {}", "x".repeat(900)))).collect();
    let reply = Reply::titled(Line::default().incident(12)).section(Section::headed("Long", lines));
    let blocks = blocks(&reply, MESSAGE);
    let last = blocks.last().unwrap().to_string();
    assert!(last.contains("… and 47 more: ") && last.contains("/incident timeline INC-12"), "{last}");
}

#[test]
fn an_ask_too_long_for_a_button_is_said_as_its_command() {
    let long = Ask { incident: Some(12), intent: Intent::Note { text: "y".repeat(2_100) } };
    let reply = Reply::titled("Keep it?").button(Button::new("Note it", Style::Primary, long));
    let blocks = json!(blocks(&reply, MESSAGE));
    let text = blocks.to_string();
    assert!(!text.contains("\"button\"") && text.contains("/incident note INC-12 yyy"), "{text}");
}

#[test]
fn evidence_is_a_list_under_its_line() {
    let section =
        Section::headed("Why", vec![Line::from("a cause"), Line::from("shared").under(), Line::from("other")]);
    let blocks = blocks(&Reply::titled("T").section(section), MESSAGE);
    let types: Vec<&str> =
        blocks[1]["elements"].as_array().unwrap().iter().map(|e| e["type"].as_str().unwrap()).collect();
    assert_eq!(types, ["rich_text_section", "rich_text_list", "rich_text_section"]);
    assert_eq!(blocks[0]["type"], "header");
}
