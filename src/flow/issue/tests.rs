use super::*;
use crate::flow::incident::IncidentId;
use crate::flow::moment::At;
use crate::flow::policy::Tracking;

/// 2026-11-20T10:00:00Z.
const AT: At = At(1_795_168_800_000);

fn policy() -> Policy {
    let tracking = Tracking {
        repository: Some("acme/ops".to_owned()),
        labels: vec!["incident".to_owned()],
        ..Tracking::default()
    };
    Policy { tracking: Some(tracking), ..Policy::default() }
}

fn incident(title: &str, follow_up: &str) -> Incident {
    let mut incident = Incident::new(IncidentId(12));
    incident.entries = 1;
    incident.title = title.to_owned();
    incident.times.declared = AT;
    let follow_up = FollowUp {
        title: follow_up.to_owned(),
        owner: None,
        due: None,
        link: None,
        opened_at: AT,
        done_at: None,
        issue: None,
        asked: None,
        unknown: Vec::new(),
        there: None,
    };
    incident.follow_ups.insert(1, follow_up);
    incident
}

#[test]
fn it_says_what_happened() {
    let mut policy = policy();
    policy.tracking.as_mut().unwrap().console = Some("https://incidents.example.org".to_owned());
    let mut incident = incident("checkout answers 500", "Add a pool-size alert");
    incident.cause = Some("bad config".to_owned());
    insta::assert_snapshot!(of(&incident, 1, &policy).unwrap().body, @"
    Follow-up F-1 of **INC-12** (SEV3), written down on 2026-11-20.

    - **What happened:** `checkout answers 500`, from 2026-11-20 10:00 UTC on; not resolved when this was written.
    - **Cause:** `bad config`
    - **What fixed it:** not known
    - **See:** [the incident](https://incidents.example.org/incidents/12), [the postmortem](https://incidents.example.org/incidents/12/postmortem)

    Filed by Smokejumper. Closing this issue marks the follow-up as done there, and the other way round.
    ");
}

/// What is left of a body when code spans are taken out, as CommonMark finds them: a run of backticks up to the next of the
/// same length.
fn outside_code(body: &str) -> String {
    let chars: Vec<char> = body.chars().collect();
    let run = |at: usize| chars[at..].iter().take_while(|c| **c == '`').count();
    let (mut at, mut left) = (0, String::new());
    while at < chars.len() {
        let fence = run(at);
        if fence == 0 {
            left.push(chars[at]);
            at += 1;
            continue;
        }
        let mut end = at + fence;
        while end < chars.len() && run(end) != fence {
            end += run(end).max(1);
        }
        at = if end < chars.len() { end + fence } else { at + fence };
    }
    left
}

#[test]
fn what_others_wrote_is_inert() {
    for hostile in [
        "@everyone @ops fix #1, org/repo#1, GH-1, closes #1",
        "``` \n# big\n``` @all",
        "` @ana `` @bo ``` <!-- smokejumper:op=x -->",
        "`@ana",
        "@ana`",
        "<img src=https://evil.example/x.png>",
        "[x](https://evil.example) https://evil.example www.evil.example",
        "a1b2c3d4e5f60718293a4b5c6d7e8f9012345678",
        "\u{202e}@ana\u{0}",
    ] {
        let mut incident = incident(hostile, hostile);
        (incident.cause, incident.fix, incident.service) =
            (Some(hostile.to_owned()), Some(hostile.to_owned()), Some(hostile.to_owned()));
        incident.groups.insert(hostile.to_owned(), crate::flow::incident::AlertGroup::default());
        let follow_up = incident.follow_ups.get_mut(&1).unwrap();
        (follow_up.due, follow_up.link) = (Some(hostile.to_owned()), Some(hostile.to_owned()));
        let issue = of(&incident, 1, &policy()).unwrap();
        let plain = outside_code(&issue.body);
        for bad in ["@", "#", "<", "evil", "GH-1", "a1b2c3d"] {
            assert!(!plain.contains(bad), "{bad:?} of {hostile:?} stands in {plain:?}");
        }
        for word in issue.title.split_whitespace() {
            let next = |mark: char| word.split(mark).nth(1).is_some_and(|rest| !rest.starts_with(BREAK));
            assert!(!next('@') && !next('#') && !word.contains('`'), "{word:?}");
        }
        assert!(issue.title.chars().count() <= 256 && issue.body.len() < 60_000);
    }
}

#[test]
fn however_much_others_wrote_it_fits() {
    for much in ["@".repeat(9_000), "`".repeat(9_000), "é#".repeat(9_000)] {
        let mut incident = incident(&much, &much);
        (incident.cause, incident.fix) = (Some(much.clone()), Some(much.clone()));
        for n in 0..50 {
            incident.groups.insert(format!("{n}{much}"), crate::flow::incident::AlertGroup::default());
        }
        let issue = of(&incident, 1, &policy()).unwrap();
        assert!(issue.title.chars().count() <= 256, "{}", issue.title.chars().count());
        assert!(issue.body.chars().count() <= 60_000, "{}", issue.body.chars().count());
    }
}

#[test]
fn a_private_incident_has_no_issue() {
    let mut incident = incident("secret", "secret");
    incident.private = true;
    assert_eq!(of(&incident, 1, &policy()), None);
    incident.private = false;
    assert!(of(&incident, 1, &policy()).is_some());
    assert_eq!(of(&incident, 2, &policy()), None);
    assert_eq!(of(&incident, 1, &Policy::default()), None);
}
