//! Words, quotes, fences, people and days as people really type them.

use super::*;

fn raws(text: &str) -> Vec<&str> {
    tokens(text).into_iter().map(|token| token.raw).collect()
}

#[test]
fn quotes_keep_a_value_together() {
    assert_eq!(raws(r#"run x msg="two words" b='c d'"#), ["run", "x", r#"msg="two words""#, "b='c d'"]);
    assert_eq!(raws("declare “checkout is down” now"), ["declare", "“checkout is down”", "now"]);
    assert_eq!(raws(r#"a="x \" y" z"#), [r#"a="x \" y""#, "z"]);
}

#[test]
fn an_apostrophe_is_not_a_quote() {
    assert_eq!(raws("we don't know, 'tis odd"), ["we", "don't", "know,", "'tis", "odd"]);
}

#[test]
fn an_open_quote_is_an_ordinary_character() {
    assert_eq!(raws(r#"a "b c"#), ["a", "\"b", "c"]);
    assert_eq!(unquote("\"b"), None);
    assert_eq!(unquote("\"a\"b"), None);
    assert_eq!(unquote("\""), None);
}

#[test]
fn unquoting() {
    assert_eq!(unquote(r#""a \"b\" \\ \n""#).unwrap(), r#"a "b" \ \n"#);
    assert_eq!(unquote("plain").unwrap(), "plain");
    assert_eq!(unquote("\"\"").unwrap(), "");
    assert_eq!(unquote("it's").unwrap(), "it's");
}

#[test]
fn a_fence_is_one_silent_token() {
    let found = tokens("note ```ack now``` ok```\nrest");
    let fenced: Vec<(&str, bool)> = found.iter().map(|token| (token.raw, token.fenced)).collect();
    assert_eq!(fenced, [("note", false), ("```ack now```", true), ("ok", false), ("```\nrest", true)]);
    assert_eq!(tokens("```INC-1```").first().unwrap().incident(), None);
    assert_eq!(tokens("```a=b```").first().unwrap().pair(), None);
}

#[test]
fn positions_count_characters() {
    let found = tokens("\u{feff}  señal está");
    assert_eq!(found.iter().map(|t| t.at.clone()).collect::<Vec<_>>(), [3..8, 9..13]);
}

#[test]
fn incident_numbers() {
    let one = |s: &'static str| tokens(s).first().unwrap().incident();
    assert_eq!(one("INC-12"), Some(Some(12)));
    assert_eq!(one("inc-12:"), Some(Some(12)));
    assert_eq!(one("INC-0"), Some(None));
    assert_eq!(one("INC-99999999999"), Some(None));
    assert_eq!(one("#12"), None);
    assert_eq!(one("INC-"), None);
    assert_eq!(one("INC-1a"), None);
}

#[test]
fn people() {
    let named = |s: &str| Some(Who::Named(s.to_owned()));
    assert_eq!(who("@ana"), named("ana"));
    assert_eq!(who("ana.garcía,"), named("ana.garcía"));
    assert_eq!(who("<@U123>"), named("U123"));
    assert_eq!(who("<@U123|ana>"), named("U123"));
    assert_eq!(who("<@!4567>"), named("4567"));
    assert_eq!(who("Me"), Some(Who::Me));
    for nobody in ["@here", "<!channel>", "@everyone", "<@&99>", "@", "<@>", "--help", "a b", "@a\u{202e}b", "@@ana"] {
        assert_eq!(who(nobody), None, "{nobody}");
    }
}

#[test]
fn days() {
    assert_eq!(due("2026-12-01"), Some(Due::On { year: 2026, month: 12, day: 1 }));
    assert_eq!(due("2028-02-29"), Some(Due::On { year: 2028, month: 2, day: 29 }));
    assert_eq!(due("3d"), Some(Due::InDays(3)));
    assert_eq!(due("2W"), Some(Due::InDays(14)));
    assert_eq!(due("tomorrow"), Some(Due::InDays(1)));
    for wrong in [
        "2026-02-29",
        "2026-13-01",
        "2026-00-10",
        "26-12-01",
        "2026-12-01-",
        "0d",
        "731d",
        "105w",
        "d",
        "-3d",
        "١d",
        "",
    ] {
        assert_eq!(due(wrong), None, "{wrong}");
    }
}
