//! Parsers' errors in words for whoever wrote the file. What they wrote is not repeated where it could be a secret.

use super::problem::Problem;
use smokejumper_intents::near::nearest;

/// Characters of a name repeated in an error.
const MAX_NAME: usize = 60;

/// A name from the file, inert and short.
#[must_use]
pub fn short(name: &str) -> String {
    let plain = name.chars().filter(|c| !c.is_control());
    if name.chars().count() > MAX_NAME { plain.take(MAX_NAME).chain(['…']).collect() } else { plain.collect() }
}

/// ``did you mean `timeout`?``, or what there is to choose from.
#[must_use]
pub fn did_you_mean<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    let known: Vec<&str> = known.into_iter().collect();
    match nearest(&word.to_lowercase(), known.iter().copied()).first() {
        Some(near) => format!("did you mean `{near}`?"),
        None if known.is_empty() => "there is none to choose from".to_owned(),
        None => format!("known are {}", listed(&known)),
    }
}

/// `a`, `b`, `c`
#[must_use]
pub fn listed(words: &[&str]) -> String {
    words.iter().map(|w| format!("`{w}`")).collect::<Vec<_>>().join(", ")
}

/// serde's words in ours.
#[must_use]
pub fn reworded(mut problem: Problem) -> Problem {
    let text = problem.what.clone();
    let ticked: Vec<&str> = text.split('`').skip(1).step_by(2).collect();
    let (first, others) = (ticked.first().copied().unwrap_or_default(), ticked.get(1..).unwrap_or_default());
    if text.starts_with("unknown field") {
        problem.what = format!("unknown key `{}`", short(first));
        problem.hint = Some(did_you_mean(first, others.iter().copied()));
    } else if text.starts_with("unknown variant") {
        problem.what = format!("`{}` is not possible here", short(first));
        problem.hint = Some(did_you_mean(first, others.iter().copied()));
    } else if text.starts_with("missing field") {
        problem.what = format!("the key `{}` is missing", short(first));
        problem.hint = Some(format!("write `{} = …` in this table", short(first)));
    } else if let Some((_, expected)) = text.split_once(", expected ").filter(|_| text.starts_with("invalid ")) {
        let given = text.split([':', ',']).nth(1).unwrap_or_default().trim();
        // `string "…"`, `integer `5``: the kind of value is enough, the value could be a secret.
        let given = given.split(' ').next().unwrap_or_default();
        problem.what = format!("{} here; expected {}", kind(given), plain(expected));
    } else {
        problem.what = text.chars().filter(|c| *c != '\n').collect();
    }
    problem
}

fn kind(word: &str) -> &'static str {
    match word {
        "string" => "a text cannot stand",
        "integer" => "this number cannot stand",
        "floating" => "a fraction cannot stand",
        "boolean" => "true or false cannot stand",
        "map" => "a table cannot stand",
        "sequence" => "a list cannot stand",
        "datetime" => "a date cannot stand",
        _ => "this value cannot stand",
    }
}

fn plain(expected: &str) -> String {
    let expected = expected.trim();
    match expected {
        "a string" => "a text in quotes".to_owned(),
        "u8" | "u16" | "u32" | "u64" | "usize" => "a whole number, 0 or more".to_owned(),
        "f64" => "a number".to_owned(),
        "a boolean" => "true or false".to_owned(),
        "a sequence" => "a list, in [ ]".to_owned(),
        _ if expected.starts_with("struct") => "a table".to_owned(),
        _ => expected.to_owned(),
    }
}
