//! A reply as plain text: what a notification shows and a screen reader says, and the words of single spans. Inert: nothing in it
//! is markup, a mention or a link.

use crate::flow::moment::At;
use smokejumper_intents::inert;
use smokejumper_intents::reply::{Line, Reply, Span, may_be_linked};

/// Characters of a message's text beside its blocks, escapes counted: Slack recommends at most 4,000.
pub const MAX_TEXT: usize = 4_000;

/// As Slack counts: UTF-16 units, of which an emoji has two.
#[must_use]
pub fn size(text: &str) -> usize {
    text.chars().map(char::len_utf16).sum()
}

/// At most `max` of what [`size`] counts; what was cut is shown as `…`.
#[must_use]
pub fn fit(text: &str, max: usize) -> String {
    if size(text) <= max {
        return text.to_owned();
    }
    let mut left = max.saturating_sub(1);
    let fits = |c: &char| {
        let fits = c.len_utf16() <= left;
        left = if fits { left - c.len_utf16() } else { 0 };
        fits
    };
    let mut kept: String = text.chars().take_while(fits).collect();
    kept.truncate(kept.trim_end().len());
    kept.push('…');
    kept
}

/// `&`, `<` and `>` as Slack wants them, which leaves no mention, link or command.
#[must_use]
pub fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// Lines stay lines; all other unseen characters go.
#[must_use]
pub fn many_lines(text: &str) -> String {
    text.split('\n').map(inert::stretch).collect::<Vec<_>>().join("\n")
}

/// `2026-11-20 10:02 UTC`.
#[must_use]
pub fn moment(ms: i64) -> String {
    let text = At(ms).rfc3339().replace('T', " ");
    format!("{} UTC", text.get(..16).unwrap_or(&text))
}

/// A span in words. Addresses are shown where they may not be linked.
#[must_use]
pub fn words(span: &Span) -> String {
    match span {
        Span::Ours(text) | Span::Strong(text) | Span::Faint(text) => inert::stretch(text),
        Span::Outside(text) | Span::Code(text) => many_lines(text),
        Span::Person(name) => inert::line(name),
        Span::Incident(number) => format!("INC-{number}"),
        Span::Link { label, href } if may_be_linked(href) => inert::line(label),
        Span::Link { label, href } => format!("{} ({})", inert::line(label), inert::line(href)),
        Span::Time(ms) => moment(*ms),
        Span::Percent(percent) => format!("{percent} %"),
    }
}

#[must_use]
pub fn line(line: &Line) -> String {
    line.spans.iter().map(words).collect()
}

/// The whole reply, escaped, at most [`MAX_TEXT`]; never empty.
#[must_use]
pub fn fallback(reply: &Reply) -> String {
    let mut text = line(&reply.title);
    let mut add = |more: &str| {
        if !more.trim().is_empty() && text.len() <= MAX_TEXT {
            text.push('\n');
            text.push_str(more);
        }
    };
    for section in &reply.sections {
        add(&inert::line(&section.heading));
        section.lines.iter().for_each(|one| add(&line(one)));
    }
    let text = text.trim();
    if text.is_empty() {
        return "Smokejumper".to_owned();
    }
    let mut left = MAX_TEXT.saturating_sub(1);
    let mut out = String::new();
    for c in text.chars() {
        let mut one = [0; 4];
        let written = escaped(c.encode_utf8(&mut one));
        let Some(rest) = left.checked_sub(size(&written)) else {
            out.push('…');
            break;
        };
        left = rest;
        out.push_str(&written);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_cut_is_whole() {
        assert_eq!(fit("abcdef", 6), "abcdef");
        assert_eq!(fit("ab cdefg", 4), "ab…");
        assert_eq!(fit("😀😀😀", 5), "😀😀…");
        assert_eq!(size(&fit("😀😀😀", 4)), 3);
    }

    #[test]
    fn a_fallback_holds_no_command_of_slack() {
        let title = Line::default().outside("<!channel> & <@U1> https://evil.example".repeat(200));
        let text = fallback(&Reply::titled(title));
        assert!(text.starts_with("&lt;!channel&gt; &amp; &lt;@U1&gt;") && size(&text) <= MAX_TEXT);
        assert!(!text.contains('<') && !text.contains('>'));
        assert_eq!(fallback(&Reply::default()), "Smokejumper");
    }

    #[test]
    fn a_moment_is_short() {
        assert_eq!(moment(1_795_168_920_000), "2026-11-20 10:02 UTC");
    }
}
