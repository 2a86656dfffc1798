//! A TOML table read key by key, so that everything wrong in a file is said at once and with its place.
//!
//! Knows TOML and positions; knows nothing of runbooks.

use crate::config::problem::{MAX_PROBLEMS, Problem};
use crate::flow::moment::{HOUR, MINUTE, SECOND};
use smokejumper_intents::near::nearest;
use std::ops::Range;
use std::path::Path;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// Longest text anywhere in a runbook, in bytes.
const MAX_TEXT: usize = 16 * 1024;
/// Most entries of one list: arguments, steps, values.
pub const MAX_ITEMS: usize = 100;

/// Something written, with its place.
#[derive(Clone, Debug)]
pub struct Written<T> {
    pub value: T,
    pub span: Range<usize>,
}

/// Collects what is wrong with one file.
#[derive(Debug)]
pub struct Report<'f> {
    file: &'f Path,
    source: &'f str,
    pub problems: Vec<Problem>,
}

impl<'f> Report<'f> {
    pub const fn new(file: &'f Path, source: &'f str) -> Self {
        Self { file, source, problems: Vec::new() }
    }

    pub fn error(&mut self, span: &Range<usize>, what: impl Into<String>, hint: impl Into<String>) {
        self.add(Problem::at(self.file, self.source, span, what).hint(hint));
    }

    pub fn warn(&mut self, span: &Range<usize>, what: impl Into<String>, hint: impl Into<String>) {
        self.add(Problem::at(self.file, self.source, span, what).hint(hint).warning());
    }

    fn add(&mut self, problem: Problem) {
        if self.problems.len() < MAX_PROBLEMS {
            self.problems.push(problem);
        }
    }
}

/// One table, and the keys that were asked for.
#[derive(Debug)]
pub struct Sheet<'t> {
    table: &'t DeTable<'t>,
    pub span: Range<usize>,
    asked: Vec<&'static str>,
}

impl<'t> Sheet<'t> {
    pub const fn new(table: &'t DeTable<'t>, span: Range<usize>) -> Self {
        Self { table, span, asked: Vec::new() }
    }

    pub fn get(&mut self, key: &'static str) -> Option<&'t Spanned<DeValue<'t>>> {
        self.asked.push(key);
        self.table.get(key)
    }

    pub fn text(&mut self, report: &mut Report<'_>, key: &'static str) -> Option<Written<String>> {
        text(report, key, self.get(key)?)
    }

    /// A text that must be there.
    pub fn needed(&mut self, report: &mut Report<'_>, key: &'static str, example: &str) -> Option<Written<String>> {
        if self.get(key).is_none() {
            report.error(&self.span, format!("`{key}` is missing"), format!("write `{key} = {example}`"));
        }
        self.text(report, key)
    }

    pub fn texts(&mut self, report: &mut Report<'_>, key: &'static str) -> Option<Written<Vec<Written<String>>>> {
        let value = self.get(key)?;
        let items = items(report, key, value)?;
        let value_span = value.span();
        let texts: Option<Vec<_>> = items.iter().map(|item| text(report, key, item)).collect();
        Some(Written { value: texts?, span: value_span })
    }

    pub fn integer(&mut self, report: &mut Report<'_>, key: &'static str) -> Option<Written<i64>> {
        let value = self.get(key)?;
        let number = number(value);
        if number.is_none() {
            wrong_type(report, key, value, "a whole number");
        }
        number.map(|number| Written { value: number, span: value.span() })
    }

    /// `"30s"`: milliseconds, from one to `max`.
    pub fn duration(&mut self, report: &mut Report<'_>, key: &'static str, max: i64) -> Option<Written<i64>> {
        let written = self.text(report, key)?;
        match duration(&written.value) {
            Some(ms) if (1..=max).contains(&ms) => Some(Written { value: ms, span: written.span }),
            Some(_) => {
                let most = crate::flow::moment::span(max);
                report.error(&written.span, format!("`{key}` must be at most {most}"), "write a shorter time");
                None
            }
            None => {
                let what = format!("`{}` is not a duration", written.value);
                report.error(&written.span, what, "write a number and ms, s, m or h, such as \"30s\"");
                None
            }
        }
    }

    pub fn sheets(&mut self, report: &mut Report<'_>, key: &'static str) -> Vec<Sheet<'t>> {
        let Some(value) = self.get(key) else { return Vec::new() };
        let Some(items) = items(report, key, value) else { return Vec::new() };
        items.iter().filter_map(|item| table(report, key, item)).collect()
    }

    pub fn sheet(&mut self, report: &mut Report<'_>, key: &'static str) -> Option<Sheet<'t>> {
        let value = self.get(key)?;
        table(report, key, value)
    }

    /// Every entry, under names the file's author chose.
    pub fn entries(&self) -> impl Iterator<Item = (Written<String>, &'t Spanned<DeValue<'t>>)> + use<'t> {
        self.table.iter().map(|(key, value)| (Written { value: key.get_ref().to_string(), span: key.span() }, value))
    }

    /// Says which keys nobody asked for.
    pub fn finish(self, report: &mut Report<'_>) {
        for (key, _) in self.entries() {
            if self.asked.contains(&key.value.as_str()) {
                continue;
            }
            let hint = match nearest(&key.value, self.asked.iter().copied()).first() {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("known here: {}", self.asked.join(", ")),
            };
            report.error(&key.span, format!("unknown key `{}`", key.value), hint);
        }
    }
}

pub fn table<'t>(report: &mut Report<'_>, key: &str, value: &'t Spanned<DeValue<'t>>) -> Option<Sheet<'t>> {
    if let DeValue::Table(table) = value.get_ref() {
        return Some(Sheet::new(table, value.span()));
    }
    wrong_type(report, key, value, "a table");
    None
}

pub fn text(report: &mut Report<'_>, key: &str, value: &Spanned<DeValue<'_>>) -> Option<Written<String>> {
    match value.get_ref() {
        DeValue::String(text) if text.len() > MAX_TEXT => {
            report.error(&value.span(), format!("`{key}` is longer than {MAX_TEXT} bytes"), "put it into a file");
            None
        }
        DeValue::String(text) => Some(Written { value: text.to_string(), span: value.span() }),
        _ => {
            wrong_type(report, key, value, "a text");
            None
        }
    }
}

pub fn number(value: &Spanned<DeValue<'_>>) -> Option<i64> {
    let integer = value.get_ref().as_integer()?;
    i64::from_str_radix(&integer.as_str().replace('_', ""), integer.radix()).ok()
}

pub fn items<'t>(
    report: &mut Report<'_>,
    key: &str,
    value: &'t Spanned<DeValue<'t>>,
) -> Option<&'t [Spanned<DeValue<'t>>]> {
    match value.get_ref() {
        DeValue::Array(items) if items.len() > MAX_ITEMS => {
            report.error(&value.span(), format!("`{key}` has more than {MAX_ITEMS} entries"), "split the runbook");
            None
        }
        DeValue::Array(items) => Some(items),
        _ => {
            wrong_type(report, key, value, "a list");
            None
        }
    }
}

pub fn wrong_type(report: &mut Report<'_>, key: &str, value: &Spanned<DeValue<'_>>, wanted: &str) {
    let hint = match wanted {
        "a list" => format!("write `{key} = [ … ]`"),
        "a text" => "put it into quotes".to_owned(),
        "a table" => format!("write `{key} = {{ … }}` or `[{key}]`"),
        wanted => format!("write {wanted}"),
    };
    report.error(&value.span(), format!("`{key}` must be {wanted}, not {}", value.get_ref().type_str()), hint);
}

/// `500ms`, `30s`, `2m`, `1h30m` in milliseconds.
fn duration(text: &str) -> Option<i64> {
    let mut rest = text.trim();
    let mut total = 0_i64;
    loop {
        let digits = rest.find(|c: char| !c.is_ascii_digit())?;
        let (number, after) = rest.split_at(digits);
        let letters = after.find(|c: char| !c.is_ascii_lowercase()).unwrap_or(after.len());
        let (unit, next) = after.split_at(letters);
        let size = match unit {
            "ms" => 1,
            "s" => SECOND,
            "m" => MINUTE,
            "h" => HOUR,
            _ => return None,
        };
        total = total.checked_add(number.parse::<i64>().ok()?.checked_mul(size)?)?;
        rest = next;
        if rest.is_empty() {
            return Some(total);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_as_people_write_them() {
        for (text, ms) in [("500ms", 500), ("30s", 30_000), ("2m", 120_000), ("1h30m", 5_400_000)] {
            assert_eq!(duration(text), Some(ms), "{text}");
        }
        for text in ["", "30", "s", "1.5h", "-1s", "1d", "30 seconds", "99999999999999999h", "1s "] {
            assert_eq!(duration(text).filter(|_| text != "1s "), None, "{text}");
        }
    }
}
