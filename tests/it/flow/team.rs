//! What a team says to each other through the bot while it works: updates, tasks, corrections, and how an incident ends or goes on.

use super::story::Story;
use crate::world::town::{account, delivery, firing};
use smokejumper::flow::card::card;
use smokejumper::flow::catchup::catch_up;
use smokejumper::flow::effect::Effect;
use smokejumper::flow::event::Event;
use smokejumper::flow::fact::Fact;
use smokejumper::flow::incident::IncidentId;
use smokejumper::flow::moment::{HOUR, MINUTE};
use smokejumper::flow::postmortem;
use smokejumper::flow::timeline;
use smokejumper_intents::text;
use smokejumper_intents::word::State;

/// INC-1 for search, with one alert.
fn burning() -> Story {
    let mut story = Story::new();
    story.tell(delivery(vec![firing("Down", "search", 0, story.now)])).unwrap();
    story
}

fn shown(story: &Story, number: u32) -> String {
    text::render(&card(story.incident(number), &story.state.desk, &story.policy, story.now), 90)
}

fn told(story: &Story, number: u32) -> String {
    let entries: Vec<_> = story.journal.iter().filter(|e| e.incident == IncidentId(number)).cloned().collect();
    text::render(&timeline::reply(IncidentId(number), &entries, &story.policy, 100), 400)
}

#[test]
fn an_update_is_on_the_card_with_its_age() {
    let mut story = burning();
    let said = story.say(
        "ana",
        1,
        "update one in three searches fails actions: rolling back v41 needs: somebody from payments",
    );
    insta::assert_snapshot!(said.unwrap(), @r#"
    Update: one in three searches fails

      Being done: rolling back v41
      Needed: somebody from payments
      by ana
    "#);
    story.wait(12 * MINUTE);
    let card = shown(&story, 1);
    assert!(card.contains("Last update\n  one in three searches fails (12 min ago, by ana)\n  being done: rolling back v41\n  needed: somebody from payments"), "{card}");
    story.say("ben", 1, "update all is well again").unwrap();
    let card = shown(&story, 1);
    assert!(card.contains("all is well again (just now, by ben)") && !card.contains("being done"), "{card}");
    let told = told(&story, 1);
    assert!(
        told.contains(
            "ana gave an update: one in three searches fails; being done: rolling back v41; needed: somebody"
        ),
        "{told}"
    );
}

#[test]
fn tasks_have_owners_and_an_end() {
    let mut story = burning();
    insta::assert_snapshot!(story.say("ana", 1, "task Drain node 3 owner:@kim").unwrap(), @"Task T-1: Drain node 3, for kim");
    story.say("ana", 1, "task Tell support").unwrap();
    assert!(story.say("ben", 1, "task Tell support").unwrap_err().contains("T-2 says the same"));
    story.say("ben", 1, "assign me T-2").unwrap();
    insta::assert_snapshot!(story.say("ben", 1, "assign @kim T-1").unwrap(), @"kim has it already.");
    let card = shown(&story, 1);
    assert!(card.contains("Tasks\n  T-1 Drain node 3, kim\n  T-2 Tell support, ben"), "{card}");
    story.say("kim", 1, "task done T-1").unwrap();
    let card = shown(&story, 1);
    assert!(card.contains("T-2 Tell support, ben\n  1 done") && !card.contains("Drain node 3"), "{card}");
    assert!(story.say("kim", 1, "task done T-1").unwrap_err().contains("T-1 is done already"));
    assert!(story.say("kim", 1, "assign @ana T-1").unwrap_err().contains("T-1 is done already"));
    assert!(story.say("kim", 1, "task done T-9").unwrap_err().contains("INC-1 has no task T-9"));
    assert!(story.say("kim", 1, "assign @nobody").unwrap_err().contains("I know nobody called \"nobody\""));
    // Somebody is brought in as a whole.
    story.say("ana", 1, "assign @eva").unwrap();
    assert!(shown(&story, 1).contains("in it: eva"));
    assert!(story.say("ana", 1, "assign @eva").unwrap().contains("eva is in it already"));
    // What is left over is said when it is closed, and can still be done.
    story.say("ana", 1, "resolve cause: x fix: y").unwrap();
    assert!(story.say("ana", 1, "task one more").unwrap_err().contains("tasks are for while it goes on"));
    insta::assert_snapshot!(story.say("ana", 1, "close").unwrap(), @r#"
    Closed (was resolved).

    Still to be done
      T-2 Tell support
    "#);
    story.say("ben", 1, "task done T-2").unwrap();
}

#[test]
fn a_follow_up_changes_hands() {
    let mut story = burning();
    story.say("ana", 1, "follow-up Add an alert owner:@ben").unwrap();
    story.say("ana", 1, "assign @kim F-1").unwrap();
    assert!(shown(&story, 1).contains("F-1 Add an alert, kim"));
    assert!(story.say("ana", 1, "assign @kim F-1").unwrap().contains("kim has it already"));
    assert!(story.say("ghost", 1, "assign me F-1").unwrap_err().contains("linked to nobody"));
    story.say("ana", 1, "follow-up done F-1").unwrap();
    assert!(story.say("ana", 1, "assign @ben F-1").unwrap_err().contains("F-1 is done already"));
}

#[test]
fn a_better_title_is_seen_at_once() {
    let mut story = burning();
    insta::assert_snapshot!(story.say("ana", 1, "rename Search returns nothing").unwrap(), @"INC-1 is called Search returns nothing now (was Down on search).");
    assert!(shown(&story, 1).starts_with("INC-1 Search returns nothing\n"));
    assert!(story.say("ana", 1, "rename Search returns nothing").unwrap().contains("called that already"));
    assert!(story.effects.iter().any(|e| matches!(e, Effect::Recall { incident: IncidentId(1) })));
}

#[test]
fn it_ends_as_people_say_and_what_is_final_stays_so() {
    let mut story = burning();
    for number in 2..=4 {
        story.say("ana", 0, &format!("declare number {number} is odd")).unwrap();
    }
    assert_eq!(story.say("ana", 1, "resolve cause: x").unwrap().lines().next(), Some("Resolved. INC-1"));
    assert!(story.say("ana", 1, "decline").unwrap_err().contains("Only an open incident can be declined"));
    assert_eq!(
        story.say("ben", 1, "reopen the errors are back").unwrap().trim(),
        "Reopened: state is investigating now (was resolved). the errors are back"
    );
    assert!(story.incident(1).times.resolved.is_none());
    assert_eq!(
        story.say("ben", 2, "decline a planned load test").unwrap().trim(),
        "Declined: this was no incident. a planned load test"
    );
    assert_eq!(story.say("ben", 3, "cancel").unwrap().trim(), "Cancelled: nothing more happens here.");
    story.say("ben", 4, "merge INC-1").unwrap();
    for (number, why) in [
        (2, "INC-2 was declined, and that is final: it can't be opened again. Try: `declare number 2 is odd`"),
        (3, "INC-3 was cancelled, and that is final: it can't be opened again."),
        (4, "INC-4 is part of INC-1 now, and can't be opened again; it goes on there. Try: `card INC-1`"),
    ] {
        let refused = story.say("ana", number, "reopen").unwrap_err();
        assert!(refused.contains(why), "{refused}");
        assert!(story.say("ana", number, "note x").is_err());
    }
}

#[test]
fn a_moment_is_corrected_and_durations_follow() {
    let mut story = burning();
    story.wait(30 * MINUTE);
    story.say("ana", 1, "ack").unwrap();
    story.wait(30 * MINUTE);
    story.say("ana", 1, "resolve cause: full disk fix: made room").unwrap();
    // It is 11:00 on 2026-11-20.
    insta::assert_snapshot!(story.say("ben", 1, "correct resolved 10:45").unwrap(), @r#""resolved" was at 2026-11-20 10:45 UTC, not 2026-11-20 11:00 UTC."#);
    assert!(shown(&story, 1).contains("resolved · 45 min"));
    insta::assert_snapshot!(story.say("ben", 1, "correct impact 20m ago").unwrap(), @r#"
    "impact started" was at 2026-11-20 10:40 UTC, not known before.

      Look again: that is after "detected" (2026-11-20 10:00 UTC), which usually comes later.
      Look again: that is after "declared" (2026-11-20 10:00 UTC), which usually comes later.
      Look again: that is after "acknowledged" (2026-11-20 10:30 UTC), which usually comes later.
    "#);
    // The latest 23:30 that is not ahead of us was yesterday.
    story.say("ben", 1, "correct impact 23:30").unwrap();
    assert_eq!(story.incident(1).times.impact_started.unwrap().minute(), "2026-11-19 23:30");
    story.say("ben", 1, "correct impact 2026-11-20 09:50").unwrap();
    assert!(
        story
            .say("ben", 1, "correct detected 2026-11-20 11:01")
            .unwrap_err()
            .contains("is in the future; it is 2026-11-20 11:00 UTC now")
    );
    assert!(story.say("ben", 1, "correct detected 10:00").unwrap().contains("is at 2026-11-20 10:00 UTC already"));
    assert!(told(&story, 1).contains("ben corrected \"resolved\" to 2026-11-20T10:45:00Z (was 2026-11-20T11:00:00Z)"));
    // What is learned again says when it was.
    let mut lessons = story.journal.iter().filter_map(|e| match &e.fact {
        Fact::Learned(lesson) => Some(lesson.closed_at.unwrap().minute()),
        _ => None,
    });
    assert_eq!(lessons.next_back().unwrap(), "2026-11-20 10:45");
    let entries: Vec<_> = story.journal.iter().filter(|e| e.incident == IncidentId(1)).cloned().collect();
    let written = text::render(&postmortem::draft(story.incident(1), &entries, &story.policy).reply(), 90);
    insta::assert_snapshot!(written, @r#"
    Postmortem INC-1: Down on search

    What happened
      On 2026-11-20 at 10:00 UTC Down on search was declared as SEV2 on `search`. [#e1]
      1 alert told of it: `Down`. [#e2]

    Impact and times
      It began at 2026-11-20 09:50 UTC, 10 min before the first sign. [#e9 #e11 #e13]
      Somebody acknowledged 30 min after the first sign. [#e3]
      It was resolved after 45 min. [#e4 #e7]
      Not known: how many users were affected.

    Cause
      The cause, as stated: full disk. [#e4]

    What was done
      What fixed it: made room. [#e4]

    Follow-ups
      Not known: no follow-up was agreed on.

    Lessons
      Not known: what went well, what went badly, and what was luck; people write that.
    "#);
    story.say("ben", 1, "reopen").unwrap();
    assert!(story.say("ben", 1, "correct resolved 10:45").unwrap_err().contains("not resolved yet"));
}

#[test]
fn who_comes_late_is_told_what_matters() {
    let mut story = burning();
    story.say("ana", 1, "lead").unwrap();
    story.say("kim", 1, "note I see timeouts").unwrap();
    story.wait(10 * MINUTE);
    story.say("ana", 1, "update half of all searches fail needs: somebody who knows the index").unwrap();
    story.say("ana", 1, "task Drain node 3").unwrap();
    story.say("ana", 1, "run restart").unwrap();
    story.wait(2 * MINUTE);
    let entries = story.journal.clone();
    let page = |who| text::render(&catch_up(story.incident(1), &entries, &story.policy, &account(who), story.now), 90);
    insta::assert_snapshot!(page(4), @r#"
    Catch-up on INC-1 Down on search (since you were heard of here, 12 min ago)

    Where it stands
      SEV2 · triage · 12 min · 1 alert firing
      incident commander: ana

    Last update
      half of all searches fail (2 min ago, by ana)
      needed: somebody who knows the index

    What was tried
      #1 `restart` waits for 1 approval; asked by ana

    What is asked for
      needed: somebody who knows the index
      run #1 `restart` awaits approval
      somebody to acknowledge it
      T-1 Drain node 3, nobody yet

    What happened
      2026-11-20 10:10 UTC ana gave an update: half of all searches fail; needed: somebody who
        knows the index
      10:10 UTC ana opened task T-1: Drain node 3
      10:10 UTC ana asked to run #1 `restart` (plan 70700363b363)
    "#);
    assert!(page(5).contains("you have not been heard of here yet") && page(5).contains("I see timeouts"));
    // Under her other account she is the same.
    assert!(page(1).contains("since you were heard of here, 2 min ago"), "{}", page(1));
}

#[test]
fn nothing_said_leaves_nothing_on_the_card() {
    let card = shown(&burning(), 1);
    for heading in ["Last update", "Tasks", "in it:", "Private", "Part of", "Silenced"] {
        assert!(!card.contains(heading), "{heading}: {card}");
    }
}

#[test]
fn what_is_asked_for_late_is_refused_like_anything_else() {
    let mut story = burning();
    story.say("ana", 1, "private").unwrap();
    // Kim's words were on their way when it was made private.
    let refused = story.say("kim", 1, "note hello").unwrap_err();
    assert!(refused.contains("there is no INC-1"), "{refused}");
    story.wait(HOUR);
    story.tell(Event::Tick).unwrap();
    assert_eq!(story.incident(1).state.0, State::Triage);
}

#[test]
fn who_is_linked_to_nobody_wakes_hides_and_rewrites_nothing() {
    let mut story = burning();
    story.tell(delivery(vec![firing("Down", "search", 0, story.now)])).unwrap();
    let before = story.journal.len();
    for words in [
        "page @ben",
        "silence service=search 1h",
        "silence end S-1",
        "merge INC-2",
        "private",
        "rename something else",
        "correct impact 20m ago",
    ] {
        let number = u32::from(!words.starts_with("silence"));
        let refused = story.say("ghost", number, words).unwrap_err();
        assert!(
            refused.contains("Link your account first") && refused.contains("Try: `id = \"ghost\"`"),
            "{words}: {refused}"
        );
    }
    assert_eq!(story.journal.len(), before);
    // What helps is open to anyone who gets in.
    for words in ["note the disk is full", "lead", "ack"] {
        story.say("ghost", 1, words).unwrap();
    }
    story.say("ghost", 0, "declare search is slow").unwrap();
}
