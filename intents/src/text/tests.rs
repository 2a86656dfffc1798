//! What a terminal shows, and what it is never sent.

use super::*;
use crate::intent::{Ask, Intent};
use crate::reply::{Button, Section, Style};
use proptest::prelude::*;

/// 2026-11-20 10:02 UTC.
const TEN_OH_TWO: i64 = 1_795_168_920_000;

fn card() -> Reply {
    let ask = |intent| Ask { incident: Some(142), intent };
    let why = Line::default()
        .probability(0.71)
        .and(" connection pool exhausted, as in ")
        .incident(41)
        .and(" and ")
        .incident(97);
    Reply::titled(Line::default().incident(142).and(" ").outside("checkout 500s\u{1b}[2J").and(" SEV1"))
        .section(Section::headed(
            "What's going on",
            vec![
                Line::from("Since ").time(TEN_OH_TWO).and(", last at ").time(TEN_OH_TWO + 180_000).and("."),
                Line::default().outside(
                    "HighErrorRate{service=\"checkout\"} above 5 % for five minutes on every replica in eu-west-1",
                ),
            ],
        ))
        .section(
            Section::headed(
                "Probable cause",
                vec![
                    why,
                    Line::from("both share the service ")
                        .code("checkout")
                        .and(" and ended with ")
                        .code("restart-deployment")
                        .under(),
                    Line::from("see ").link("the dashboard", "https://grafana.example/d/1").under(),
                ],
            )
            .button(Button::new("Right", Style::Plain, ask(Intent::Feedback { right: true, cause: None }))),
        )
        .button(Button::new("Acknowledge", Style::Primary, ask(Intent::Acknowledge)))
        .button(Button::new("Resolve", Style::Danger, ask(Intent::Resolve { cause: None, fix: None })))
}

#[test]
fn a_card_in_80_columns() {
    insta::assert_snapshot!(render(&card(), 80), @r#"
    INC-142 checkout 500s SEV1

    What's going on
      Since 2026-11-20 10:02 UTC, last at 10:05 UTC.
      HighErrorRate{service="checkout"} above 5 % for five minutes on every replica
        in eu-west-1

    Probable cause
      71% connection pool exhausted, as in INC-41 and INC-97
        - both share the service `checkout` and ended with `restart-deployment`
        - see the dashboard (https://grafana.example/d/1)
      [Right] `feedback INC-142 right`

    [Acknowledge] `ack INC-142`
    [Resolve] `resolve INC-142`
    "#);
}

#[test]
fn long_words_and_wide_characters_are_broken_at_the_edge() {
    let reply = Reply::titled(Line::default().outside("漢".repeat(15)).and(" ").outside("x".repeat(30)));
    for line in render(&reply, 20).lines() {
        assert!(columns(line) <= 20, "{line}");
    }
}

#[test]
fn a_new_day_is_dated() {
    let day = 86_400_000;
    let times =
        Line::default().time(TEN_OH_TWO).and(", ").time(TEN_OH_TWO + day).and(", ").time(-1).and(", ").time(i64::MAX);
    assert_eq!(line(&times), "2026-11-20 10:02 UTC, 2026-11-21 10:02 UTC, 1969-12-31 23:59 UTC, (no such time)");
}

#[test]
fn an_address_without_a_label_is_shown_once() {
    assert_eq!(line(&Line::default().link("https://x", "https://x")), "https://x");
    assert_eq!(line(&Line::default().link("here", "")), "here");
}

fn span() -> impl Strategy<Value = Span> {
    let text = || {
        prop_oneof![
            any::<String>(),
            proptest::string::string_regex("[a-z \u{1b}\\[\\]0-9;m\u{7}\u{9b}\u{202e}\u{200b}\r\n\t]{0,40}").unwrap()
        ]
    };
    prop_oneof![
        text().prop_map(Span::Ours),
        text().prop_map(Span::Outside),
        text().prop_map(Span::Code),
        text().prop_map(Span::Person),
        (text(), text()).prop_map(|(label, href)| Span::Link { label, href }),
        any::<i64>().prop_map(Span::Time),
        any::<u8>().prop_map(Span::Percent),
    ]
}

proptest! {
    #[test]
    fn nothing_a_terminal_would_obey(
        spans in proptest::collection::vec(span(), 0..6),
        depth in any::<u8>(),
        heading in any::<String>(),
        width in 0..120_usize,
    ) {
        let line = Line { spans, depth };
        let reply = Reply::titled(line.clone()).section(Section::headed(heading, vec![line.clone(), line]));
        let shown = render(&reply, width);
        prop_assert!(!shown.chars().any(|c| c != '\n' && inert::is_unseen(c)), "{:?}", shown);
        for line in shown.lines() {
            prop_assert!(columns(line) <= width.max(WIDTH_MIN), "{:?}", line);
        }
    }
}
