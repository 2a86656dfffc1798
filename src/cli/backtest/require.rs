//! What a backtest must reach: `responder.top3>=0.8`, checked after the figures are printed, for a build that may fail.

use smokejumper_index::evaluate::Report;
use std::fmt;

/// What can be asked for, as the JSON of the figures names it.
const RANKED: [&str; 6] = ["top1", "top3", "top5", "mrr", "macro_recall", "ece"];
const SIMILAR: [&str; 5] = ["r1", "r5", "r10", "mrr", "rel10"];

/// One figure and its bound.
#[derive(Clone, Debug, PartialEq)]
pub struct Requirement {
    target: String,
    figure: String,
    at_least: bool,
    bound: f64,
}

impl fmt::Display for Requirement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.at_least { ">=" } else { "<=" };
        write!(f, "{}.{}{sign}{}", self.target, self.figure, self.bound)
    }
}

/// Reads one, or says what may be asked for.
pub fn parse(text: &str) -> Result<Requirement, String> {
    let split = |sign| text.split_once(sign);
    let (name, bound, at_least) = split(">=")
        .map(|(name, bound)| (name, bound, true))
        .or_else(|| split("<=").map(|(name, bound)| (name, bound, false)))
        .ok_or("write it like responder.top3>=0.8 or responder.ece<=0.05")?;
    let (target, figure) = name.trim().split_once('.').ok_or("name the target, too: responder, cause or similar")?;
    let figures = match target {
        "responder" | "cause" => &RANKED[..],
        "similar" => &SIMILAR[..],
        other => return Err(format!("{other} is none of responder, cause, similar")),
    };
    if !figures.contains(&figure) {
        return Err(format!("{figure} is none of {}", figures.join(", ")));
    }
    let bound = bound.trim().parse::<f64>().map_err(|e| e.to_string())?;
    if !(0.0..=1.0).contains(&bound) {
        return Err("every figure is from 0 to 1".to_owned());
    }
    Ok(Requirement { target: target.to_owned(), figure: figure.to_owned(), at_least, bound })
}

/// Those of `required` that ours does not reach, each with what it has. What was not measured is not reached.
pub fn missed(required: &[Requirement], report: &Report) -> Vec<String> {
    let ours = report.systems.first().and_then(|system| serde_json::to_value(system).ok()).unwrap_or_default();
    let mut missed = Vec::new();
    for one in required {
        let has = ours.get(&one.target).and_then(|target| target.get(&one.figure)).and_then(serde_json::Value::as_f64);
        let reached = has.is_some_and(|has| if one.at_least { has >= one.bound } else { has <= one.bound });
        if !reached {
            let has = has.map_or_else(|| "was not measured".to_owned(), |has| format!("is {has:.3}"));
            missed.push(format!("required {one}, but it {has}"));
        }
    }
    missed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_for_is_understood_or_explained() {
        assert_eq!(parse("responder.top3 >= 0.8").expect("it reads").to_string(), "responder.top3>=0.8");
        assert_eq!(parse("cause.ece<=0.05").expect("it reads").to_string(), "cause.ece<=0.05");
        for wrong in
            ["top3>=0.8", "responder.top3", "responder.r10>=0.5", "similar.top1>=0", "cause.top1>=80", "x.y>=z"]
        {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }
}
