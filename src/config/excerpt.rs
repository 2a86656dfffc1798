//! The line a problem is about, with a caret under its place. Secrets written into the file are not shown.

use super::problem::Problem;
use std::io::Read as _;

/// Bytes of a file read again to show a line of it.
const MAX_FILE: u64 = 1024 * 1024;
/// Characters of a line shown: what fits a terminal beside the margin.
const MAX_SHOWN: usize = 100;

/// Reads the file of a problem again; `None` when there is nothing to show.
#[must_use]
pub fn of(problem: &Problem) -> Option<String> {
    let mut source = String::new();
    std::fs::File::open(&problem.file).ok()?.take(MAX_FILE).read_to_string(&mut source).ok()?;
    from(problem, &source)
}

/// ```text
///    3 | lissen = "127.0.0.1:7911"
///      | ^
/// ```
#[must_use]
pub fn from(problem: &Problem, source: &str) -> Option<String> {
    let index = problem.line.checked_sub(1)?;
    let line = source.lines().nth(index)?;
    let table = source.lines().take(index + 1).filter(|l| l.trim_start().starts_with('[')).last().unwrap_or_default();
    let line = if table.trim_start().starts_with("[secrets") { hidden(line) } else { line.to_owned() };
    // Far to the right, the line is shown from shortly before the place.
    let skip = problem.column.saturating_sub(MAX_SHOWN * 3 / 4);
    let shown: String = line.chars().skip(skip).take(MAX_SHOWN).map(|c| if c.is_control() { ' ' } else { c }).collect();
    if shown.trim().is_empty() {
        return None;
    }
    let margin = " ".repeat(5);
    let under = " ".repeat(problem.column.saturating_sub(1).saturating_sub(skip).min(MAX_SHOWN));
    Some(format!("{:>5} | {shown}\n{margin} | {under}^\n", problem.line))
}

fn hidden(line: &str) -> String {
    match line.split_once('=') {
        Some((name, _)) => format!("{name}= …"),
        None => "…".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    #[test]
    fn the_caret_stands_under_the_place() {
        let source = "[server]\nlissen = 1\n";
        let problem = Problem::at(Path::new("a"), source, &(9..15), "x");
        assert_eq!(from(&problem, source).unwrap(), "    2 | lissen = 1\n      | ^\n");
        let wide = format!("a = \"{}\" oops", "é".repeat(300));
        let at = wide.find("oops").unwrap();
        let shown = from(&Problem::at(Path::new("a"), &wide, &(at..at), "x"), &wide).unwrap();
        let lines: Vec<&str> = shown.lines().collect();
        let caret = lines[1].chars().position(|c| c == '^').unwrap();
        assert_eq!(lines[0].chars().nth(caret), Some('o'), "{shown}");
    }

    #[test]
    fn secrets_stay_hidden() {
        let source = "[secrets]\na = \"hunter2\"\na = \"hunter2\"\n";
        let at = source.rfind('a').unwrap();
        let shown = from(&Problem::at(Path::new("a"), source, &(at..at), "twice"), source).unwrap();
        assert!(!shown.contains("hunter2") && shown.contains("a = …"), "{shown}");
    }
}
