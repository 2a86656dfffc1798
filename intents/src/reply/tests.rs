//! Bounds hold, say what was left out, and do not pile up.

use super::*;

fn long() -> Reply {
    let line = Line { spans: vec![Span::Outside("x".repeat(SPAN_MAX + 5)); SPANS_MAX + 5], depth: 0 };
    let button = Button::new(
        "b".repeat(LABEL_MAX + 1),
        Style::Plain,
        Ask { incident: None, intent: crate::intent::Intent::List { closed: false } },
    );
    let section = Section {
        heading: "h".repeat(SPAN_MAX + 1),
        lines: vec![line.clone(); LINES_MAX + 5],
        buttons: vec![button.clone(); BUTTONS_MAX + 1],
    };
    Reply { title: line, sections: vec![section; SECTIONS_MAX + 5], buttons: vec![button; BUTTONS_MAX + 1] }
}

#[test]
fn everything_is_bounded_and_said() {
    let reply = long().bounded();
    assert_eq!(reply.sections.len(), SECTIONS_MAX);
    assert_eq!(reply.sections.last().unwrap().lines, [Line::default().faint("… and 6 more sections")]);
    let section = reply.sections.first().unwrap();
    assert_eq!(section.heading.chars().count(), SPAN_MAX);
    assert_eq!(section.lines.len(), LINES_MAX);
    assert_eq!(*section.lines.last().unwrap(), Line::default().faint("… and 6 more lines"));
    let line = section.lines.first().unwrap();
    assert_eq!(line.spans.len(), SPANS_MAX);
    assert!(
        matches!(line.spans.first(), Some(Span::Outside(text)) if text.chars().count() == SPAN_MAX && text.ends_with('…'))
    );
    assert_eq!(section.buttons.len(), BUTTONS_MAX);
    assert_eq!(reply.buttons.first().unwrap().label.chars().count(), LABEL_MAX);
}

#[test]
fn twice_is_once() {
    let once = long().bounded();
    assert_eq!(once.clone().bounded(), once);
}

#[test]
fn half_an_address_is_none() {
    let reply = Reply::titled(Line::default().link("here", format!("https://x/{}", "a".repeat(SPAN_MAX)))).bounded();
    assert_eq!(reply.title.spans, [Span::Link { label: "here".to_owned(), href: String::new() }]);
}

#[test]
fn probabilities_are_percentages() {
    for (p, percent) in [(0.714, 71), (1.0, 100), (7.0, 100), (-1.0, 0), (f64::NAN, 0)] {
        assert_eq!(Line::default().probability(p).spans, [Span::Percent(percent)]);
    }
}
