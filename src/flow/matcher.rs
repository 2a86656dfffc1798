//! Matchers in Alertmanager's syntax: `service="checkout", severity=~"critical|page"`, with or without braces around.
//!
//! Text in, [`Matcher`]s out, or where and why not. Knows nothing of files; whoever has one adds the file's position.

use super::policy::{MatchOp, Matcher};
use regex::RegexBuilder;
use std::collections::BTreeMap;

/// Longest text of one set, in bytes; a longer one is data, not a rule.
pub const MAX_TEXT: usize = 4_096;
/// Most matchers in one set.
pub const MAX_MATCHERS: usize = 32;
/// Compiled size of one pattern in bytes: keeps `[a-z]{1000}{1000}` from eating the memory.
const MAX_PATTERN: usize = 256 * 1_024;
/// Length of a label's name; Prometheus' own names are shorter.
const MAX_LABEL: usize = 128;

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what} at character {column}; {hint}")]
pub struct MatcherError {
    /// Byte offset in the text that was parsed.
    pub at: usize,
    /// In characters, from 1.
    pub column: usize,
    pub what: String,
    /// What to write instead.
    pub hint: String,
}

/// All matchers of one set; every one must match. An empty set (`{}` or nothing) is an error: it would match everything by accident.
///
/// # Errors
/// The first thing that is not a matcher.
pub fn parse(text: &str) -> Result<Vec<Matcher>, MatcherError> {
    let mut reader = Reader { text, at: 0 };
    if text.len() > MAX_TEXT {
        return Err(reader.error(format!("more than {MAX_TEXT} bytes of matchers"), "split them into several sets"));
    }
    reader.skip_space();
    let braced = reader.eat("{");
    let mut found = Vec::new();
    loop {
        reader.skip_space();
        if reader.rest().is_empty() || braced && reader.rest().starts_with('}') {
            break;
        }
        if found.len() == MAX_MATCHERS {
            return Err(reader.error(format!("more than {MAX_MATCHERS} matchers"), "split them into several sets"));
        }
        found.push(reader.matcher()?);
        reader.skip_space();
        if !reader.eat(",") {
            break;
        }
    }
    if braced && !reader.eat("}") {
        return Err(reader.error("the brace is not closed", "write `}` after the last matcher, and `,` between two"));
    }
    reader.skip_space();
    if !reader.rest().is_empty() {
        return Err(reader.error(
            format!("`{}` is not expected here", reader.rest().chars().take(20).collect::<String>()),
            "separate matchers with `,`",
        ));
    }
    if found.is_empty() {
        return Err(reader.error("no matcher", "write one, such as `service=\"checkout\"`"));
    }
    Ok(found)
}

/// Whether it says something that an alert must have: with none that refuses the empty text, `x!="y"` is every alert there will be.
#[must_use]
pub fn names_something(matchers: &[Matcher]) -> bool {
    let nothing = BTreeMap::new();
    matchers.iter().any(|matcher| !matcher.matches(&nothing))
}

struct Reader<'t> {
    text: &'t str,
    at: usize,
}

impl Reader<'_> {
    fn rest(&self) -> &str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn error(&self, what: impl Into<String>, hint: impl Into<String>) -> MatcherError {
        self.error_at(self.at, what, hint)
    }

    fn error_at(&self, at: usize, what: impl Into<String>, hint: impl Into<String>) -> MatcherError {
        let column = self.text.get(..at).map_or(0, |before| before.chars().count()) + 1;
        MatcherError { at, column, what: what.into(), hint: hint.into() }
    }

    fn skip_space(&mut self) {
        self.at = self.text.len() - self.rest().trim_start().len();
    }

    fn eat(&mut self, token: &str) -> bool {
        let found = self.rest().starts_with(token);
        if found {
            self.at += token.len();
        }
        found
    }

    fn take_while(&mut self, belongs: impl Fn(char) -> bool) -> String {
        let taken: String = self.rest().chars().take_while(|&c| belongs(c)).collect();
        self.at += taken.len();
        taken
    }

    fn matcher(&mut self) -> Result<Matcher, MatcherError> {
        let start = self.at;
        let quoted = self.rest().starts_with('"');
        let label =
            if quoted { self.quoted()? } else { self.take_while(|c| c.is_alphanumeric() || "_.:/-".contains(c)) };
        if label.is_empty() || label.len() > MAX_LABEL || !quoted && label.starts_with(|c: char| c.is_ascii_digit()) {
            return Err(self.error_at(start, "no label name", "write a matcher such as `service=\"checkout\"`"));
        }
        self.skip_space();
        let op = if self.eat("=~") {
            MatchOp::Like
        } else if self.eat("!~") {
            MatchOp::NotLike
        } else if self.eat("!=") {
            MatchOp::NotEqual
        } else if self.eat("=") {
            MatchOp::Equal
        } else {
            let hint = "write `=`, `!=`, `=~` (matches the pattern) or `!~` after the label";
            return Err(self.error(format!("no operator after `{label}`"), hint));
        };
        self.skip_space();
        let value_at = self.at;
        let value = if self.rest().starts_with('"') {
            self.quoted()?
        } else {
            self.take_while(|c| !c.is_whitespace() && !"{}!=~,\"'`".contains(c))
        };
        if value.is_empty() && !self.text.get(value_at..).is_some_and(|rest| rest.starts_with('"')) {
            return Err(self.error_at(
                value_at,
                format!("no value after `{label}`"),
                format!("write it in double quotes: `{label}=\"…\"`; the empty text is `\"\"`"),
            ));
        }
        let pattern = match op {
            MatchOp::Equal | MatchOp::NotEqual => None,
            MatchOp::Like | MatchOp::NotLike => {
                let anchored = format!("^(?:{value})$");
                let compiled = RegexBuilder::new(&anchored).size_limit(MAX_PATTERN).build();
                Some(compiled.map_err(|error| {
                    let first = error.to_string();
                    let why = first.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned();
                    self.error_at(
                        value_at,
                        format!("`{value}` is not a pattern: {why}"),
                        "it is a regular expression that must match the whole value",
                    )
                })?)
            }
        };
        Ok(Matcher { label, op, value, pattern })
    }

    /// `"…"` with `\"`, `\\` and `\n`, as Alertmanager reads it; another escape stays as it is (patterns need `\d`).
    fn quoted(&mut self) -> Result<String, MatcherError> {
        let start = self.at;
        let mut out = String::new();
        let rest = self.rest().to_owned();
        let mut chars = rest.char_indices().skip(1);
        while let Some((offset, c)) = chars.next() {
            match c {
                '"' => {
                    self.at = start + offset + 1;
                    return Ok(out);
                }
                '\\' => match chars.next() {
                    Some((_, 'n')) => out.push('\n'),
                    Some((_, escaped @ ('"' | '\\'))) => out.push(escaped),
                    Some((_, other)) => out.extend(['\\', other]),
                    None => break,
                },
                c => out.push(c),
            }
        }
        Err(self.error_at(start, "the quotes are not closed", "write `\"` after the value"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn labels(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect()
    }

    #[test]
    fn all_forms_of_alertmanager_are_read() {
        for text in [
            r#"service="checkout",severity=~"critical|page""#,
            r#"{service="checkout", severity=~"critical|page",}"#,
            r#"  { service = checkout , severity =~ "critical|page" }  "#,
            r#""service"="checkout", severity=~"critical|page""#,
        ] {
            let set = parse(text).unwrap();
            let matches = |pairs| set.iter().all(|m| m.matches(&labels(pairs)));
            assert_eq!(set.len(), 2, "{text}");
            assert!(matches(&[("service", "checkout"), ("severity", "page")]));
            assert!(!matches(&[("service", "checkout"), ("severity", "pager")]), "patterns are anchored");
            assert!(!matches(&[("severity", "page")]), "a missing label is the empty text");
        }
        assert_eq!(parse(r#"a="\"\\\n""#).unwrap()[0].value, "\"\\\n");
        assert!(parse(r#"host=~"web\d+""#).unwrap()[0].matches(&labels(&[("host", "web12")])));
        assert!(parse(r#"a="""#).unwrap()[0].matches(&labels(&[])));
    }

    #[test]
    fn one_matcher_at_least_refuses_the_empty_text() {
        for (text, names) in [
            ("alertname=~\".*\"", false),
            ("x!=\"y\", a=\"\"", false),
            ("x!~\"y|z\"", false),
            ("alertname=~\".+\"", true),
            ("x!=\"\"", true),
            ("x!=\"y\", service=checkout", true),
        ] {
            assert_eq!(names_something(&parse(text).unwrap()), names, "{text}");
        }
    }

    #[test]
    fn errors_say_where_and_what_to_write() {
        for (text, column, what) in [
            ("", 1, "no matcher"),
            ("{}", 3, "no matcher"),
            ("service", 8, "no operator after `service`"),
            ("service==\"x\"", 9, "no value after `service`"),
            ("service=", 9, "no value after `service`"),
            ("a=\"b", 3, "the quotes are not closed"),
            ("{a=\"b\"", 7, "the brace is not closed"),
            ("a=\"b\" c=\"d\"", 7, "`c=\"d\"` is not expected here"),
            ("é=\"b\", =\"c\"", 8, "no label name"),
        ] {
            let error = parse(text).expect_err(text);
            assert_eq!((error.column, error.what.as_str()), (column, what), "{text}");
            assert!(!error.hint.is_empty());
        }
        let error = parse("a=~\"(\"").expect_err("not a pattern");
        assert!(error.what.starts_with("`(` is not a pattern: unclosed group"), "{error}");
        assert!(parse("a=~\"[a-z]{999}{999}\"").expect_err("too big").what.contains("is not a pattern"));
        assert!(parse(&"a=b,".repeat(MAX_MATCHERS + 1)).expect_err("too many").what.starts_with("more than"));
    }

    proptest! {
        #[test]
        fn what_is_written_out_is_read_back(label in "[a-z_][a-z0-9_]{0,8}", value in "[ -!#-\\[\\]-~é]{0,12}") {
            for op in [MatchOp::Equal, MatchOp::NotEqual] {
                let matcher = Matcher { label: label.clone(), op, value: value.clone(), pattern: None };
                let read = parse(&matcher.text()).unwrap();
                prop_assert_eq!(&read[0].value, &value);
                prop_assert_eq!(read[0].op, op);
            }
        }

        #[test]
        fn no_text_makes_it_panic(text in "[a-z=~!{},\"\\\\( é]{0,40}") {
            if let Err(error) = parse(&text) {
                prop_assert!(error.at <= text.len());
            }
        }
    }
}
