//! What somebody has to do, and the forms that know it already.

use super::rooms::town;
use super::story::Story;
use crate::world::town::{ACCOUNTS, account, delivery, firing, succeeded, verdict};
use smokejumper::flow::event::Event;
use smokejumper::flow::incident::{Incident, IncidentId};
use smokejumper::flow::mine::mine;
use smokejumper::flow::moment::{DAY, MINUTE};
use smokejumper::flow::prefill::prefill;
use smokejumper::flow::recollection::{Candidate, Recollection};
use smokejumper_intents::forms;
use smokejumper_intents::text;

fn asked(story: &Story, who: &str) -> String {
    let (open, ended): (Vec<Incident>, Vec<Incident>) =
        story.state.incidents.values().cloned().partition(Incident::is_open);
    let by = account(ACCOUNTS.iter().position(|known| known.0 == who).unwrap());
    text::render(&mine(&open, &ended, &story.policy, &by, story.now), 100)
}

#[test]
fn everything_that_waits_for_somebody_with_its_button() {
    let mut story = town();
    story.tell(delivery(vec![firing("Down", "search", 0, story.now)])).unwrap();
    story.say("ben", 1, "follow-up Alert on disk space owner:@kim due:2026-11-22").unwrap();
    story.say("ben", 1, "follow-up Write it down owner:@kim").unwrap();
    story.say("ben", 1, "resolve cause: full disk fix: made room").unwrap();
    story.now = story.now.plus(5 * DAY);
    story.say("ana", 0, "declare checkout answers 500 sev:1").unwrap();
    story.say("ana", 0, "declare something small").unwrap();
    story.say("ana", 2, "lead @kim").unwrap();
    story.say("ana", 3, "assign @kim").unwrap();
    story.say("ana", 3, "ack").unwrap();
    story.say("ana", 2, "task Tell support owner:@kim").unwrap();
    story.say("ana", 2, "task Drain node 3").unwrap();
    story.say("ana", 2, "follow-up Read the manual owner:@kim due:2026-12-24").unwrap();
    insta::assert_snapshot!(asked(&story, "kim"), @r#"
    What you have to do

    Your incidents
      INC-2 SEV1 · triage · 0 ms · checkout answers 500 (you are incident commander)
      INC-3 SEV3 · investigating · 0 ms · something small (you are in it)
      [Acknowledge INC-2] `ack INC-2`
      [Open INC-3] `card INC-3`

    Your tasks
      T-1 Tell support of INC-2
      [T-1 of INC-2 is done] `task INC-2 done T-1`

    Your follow-ups
      F-1 Alert on disk space of INC-1, overdue for 3 days
      F-1 Read the manual of INC-2, due 2026-12-24
      F-2 Write it down of INC-1
      [F-1 of INC-1 is done] `follow-up INC-1 done F-1`
      [F-1 of INC-2 is done] `follow-up INC-2 done F-1`
      [F-2 of INC-1 is done] `follow-up INC-1 done F-2`
    "#);
    insta::assert_snapshot!(asked(&story, "eva"), @r#"
    What you have to do

      Nothing waits for you.
    "#);
    assert!(asked(&story, "ghost").contains("linked to nobody"));
}

#[test]
fn what_waits_for_approval_is_shown_to_who_may_decide_it() {
    let mut story = town();
    story.tell(delivery(vec![firing("Down", "search", 0, story.now)])).unwrap();
    story.say("ana", 1, "run failover").unwrap();
    insta::assert_snapshot!(asked(&story, "ben"), @r#"
    What you have to do

    Waiting for your approval
      INC-1 run #1 `failover`, asked by ana, for another 30 min
        - `/usr/local/bin/tool web (at most 1 s)`
        - `verify: GET http://127.0.0.1:8080/healthz answers 200 (within 1 s, every 100 ms)`
        - `file: /usr/local/bin/tool sha256 good`
      [Approve #1 of INC-1] `approve INC-1 1 plan:62e3bcb52a33`
      [Deny #1 of INC-1] `deny INC-1 1`
    "#);
    for (who, why) in [("ana", "it is her own"), ("ana-phone", "the same person"), ("kim", "no approver")] {
        assert!(!asked(&story, who).contains("Waiting for your approval"), "{why}");
    }
    story.say("ben", 1, "approve").unwrap();
    assert!(!asked(&story, "ben").contains("Waiting for your approval"), "he said yes already");
    assert!(asked(&story, "eva").contains("Waiting for your approval"), "it takes two");
    story.wait(31 * MINUTE);
    assert!(!asked(&story, "eva").contains("Waiting for your approval"), "it is too late");
}

#[test]
fn a_long_list_is_cut() {
    let mut story = town();
    story.tell(delivery(vec![firing("Down", "search", 0, story.now)])).unwrap();
    for n in 0..15 {
        story.say("ana", 1, &format!("task number {n} owner:@kim")).unwrap();
    }
    assert!(asked(&story, "kim").contains("and 5 more"));
}

fn filled(story: &Story, verb: &str) -> Vec<(&'static str, Option<String>)> {
    let form = forms::find(verb).unwrap();
    let values = prefill(form, story.incident(1));
    form.fields.iter().map(|field| (field.name, values.optional(field.name))).collect()
}

#[test]
fn a_form_knows_what_was_found_out() {
    let mut story = Story::new();
    story.tell(delivery(vec![firing("Down", "search", 0, story.now)])).unwrap();
    assert_eq!(filled(&story, "resolve"), [("cause", None), ("fix", None)]);
    assert_eq!(filled(&story, "rename"), [("title", Some("Down on search".to_owned()))]);
    assert!(filled(&story, "update").iter().all(|(_, value)| value.is_none()));
    let evidence = vec![("2024-07".to_owned(), 1.0)];
    let cause = Candidate { value: "full\ndisk".to_owned(), p: 0.8, features: Vec::new(), evidence };
    let recollection = Recollection { causes: vec![cause], ..Recollection::default() };
    story.tell(Event::Recalled { incident: IncidentId(1), recollection }).unwrap();
    assert_eq!(filled(&story, "resolve"), [("cause", Some("full disk".to_owned())), ("fix", None)]);
    story.say("ben", 1, "feedback wrong").unwrap();
    assert_eq!(filled(&story, "resolve")[0], ("cause", None), "they said it is wrong");
    story.say("ben", 1, "feedback wrong the index was corrupt").unwrap();
    assert_eq!(filled(&story, "resolve")[0], ("cause", Some("the index was corrupt".to_owned())));
    story.say("ana", 1, "run restart").unwrap();
    story.say("ben", 1, "approve").unwrap();
    let fresh = smokejumper::flow::event::Fresh {
        approvers: story.policy.people.iter().map(|p| p.id.clone()).collect(),
        files: crate::world::town::tool("good"),
    };
    story.tell(Event::Poised { incident: IncidentId(1), request: 1, fresh }).unwrap();
    story.tell(Event::Ran { incident: IncidentId(1), request: 1, outcome: succeeded() }).unwrap();
    story.tell(Event::Verified { incident: IncidentId(1), request: 1, verdict: verdict(true) }).unwrap();
    assert_eq!(filled(&story, "resolve")[1], ("fix", Some("restart target=web".to_owned())));
}
