//! `explain`: why an alert is where it is: its route, silences, grouping, and what would change that.

use crate::args::Args;
use crate::bounds;
use crate::inert;
use crate::intent::Intent;
use crate::misread::Misread;
use crate::verb::{Group, Kind, Scope, Verb};
use crate::word::Right;

pub const VERB: Verb = Verb {
    name: "explain",
    aliases: &[],
    group: Group::Understand,
    usage: "[alert's name or fingerprint]",
    synopsis: "why alerts were routed, grouped or silenced as they were",
    example: "explain HighErrorRate",
    scope: Scope::Both,
    needs: Right::Viewer,
    kind: Kind::Ask,
    parse,
};

fn parse(args: &mut Args<'_>) -> Result<Intent, Misread> {
    let text = args.text("alert's name", bounds::UTTERANCE_MAX)?.unwrap_or_default();
    let alert = args.fits(inert::line(&text), "alert's name", bounds::QUERY_MAX)?;
    Ok(Intent::Explain { alert: Some(alert).filter(|alert| !alert.is_empty()) })
}

#[cfg(test)]
mod tests {
    use crate::intent::{Ask, Intent};
    use crate::verbs::test::{asked, intent, misread};

    #[test]
    fn one_alert_or_all_of_them() {
        assert_eq!(intent("explain"), Intent::Explain { alert: None });
        assert_eq!(intent("explain  High  Error"), Intent::Explain { alert: Some("High Error".to_owned()) });
        let of = Ask { incident: Some(4), intent: Intent::Explain { alert: Some("Down".to_owned()) } };
        assert_eq!(asked("explain INC-4 Down"), of);
        assert!(misread(&format!("explain {}", "x ".repeat(200))).contains("300 is the most"));
    }
}
