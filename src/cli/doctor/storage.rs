//! The database: can it be read, what is it, is it a copy nobody has confirmed, and does its clock agree with ours.

use super::{Check, Finding, Ground};
use crate::flow::moment::SECOND;
use crate::ports::StoreError;
use async_trait::async_trait;

pub struct Storage;

/// Further apart than this, and times of people and of the database tell different stories.
const SKEW_MS: i64 = 5 * SECOND;

/// It cannot be opened or read.
pub fn refused(problem: &StoreError) -> Finding {
    Finding::broken(problem.to_string(), "see there; `serve` would refuse, too")
}

#[async_trait]
impl Check for Storage {
    fn name(&self) -> &'static str {
        "database"
    }

    async fn look(&self, ground: &Ground) -> Vec<Finding> {
        let reader = match &ground.reader {
            Ok(reader) => reader,
            Err(why) => return vec![why.clone()],
        };
        let about = match reader.about().await {
            Ok(about) => about,
            Err(problem) => return vec![refused(&problem)],
        };
        let mut findings =
            vec![Finding::ok(format!("{}, schema {}, {} facts", about.version, about.schema, about.entries))];
        if let Some(why) = about.restored {
            let todo = "look whether it is the one you want, then `smokejumper serve --confirm-restored`";
            findings.push(Finding::broken(format!("restored mode: {why}; nothing is delivered or run"), todo));
        }
        findings.extend(about.risks.into_iter().map(|risk| {
            let (what, todo) = risk.rsplit_once("; ").map_or((risk.as_str(), ""), |(what, todo)| (what, todo));
            Finding::look(what, todo)
        }));
        if let Some(skew) = about.clock.map(|clock| clock.since(ground.now)).filter(|skew| skew.abs() > SKEW_MS) {
            let what = format!("its clock is {} s away from this machine's", skew / SECOND);
            findings.push(Finding::look(what, "have both synchronize with a time server"));
        }
        findings
    }
}
