//! Messages that are kept: where they stand in what is told, whose they are, and that each is kept once.

use super::rooms::{slack, town};
use super::story::Story;
use crate::world::town::{account, delivery, firing};
use smokejumper::flow::card::card;
use smokejumper::flow::catchup::catch_up;
use smokejumper::flow::decide::decide;
use smokejumper::flow::event::Event;
use smokejumper::flow::identity::Identity;
use smokejumper::flow::moment::MINUTE;
use smokejumper::flow::{postmortem, timeline};
use smokejumper_intents::intent::{Ask, Intent};
use smokejumper_intents::quoted::{Keep, Quoted};
use smokejumper_intents::text;

fn message(id: &str, text: &str, at: i64, author: Option<&str>) -> Quoted {
    let link = format!("https://acme.slack.com/archives/C1/{id}");
    Quoted::new(&format!("T1/C1/{id}"), text, at, author, Some(&link)).unwrap()
}

fn keep(story: &mut Story, by: Identity, message: Quoted, what: Keep) -> String {
    let ask = Ask { incident: Some(1), intent: Intent::Keep { message, what } };
    let turn = decide(&story.state, Event::Asked { by: by.clone(), ask: ask.clone() }, &story.policy, story.now);
    let said = turn.map_or_else(|refusal| refusal.to_string(), |turn| text::render(&turn.reply.unwrap(), 120));
    let _ = story.tell(Event::Asked { by, ask });
    said.trim().to_owned()
}

fn told(story: &Story) -> String {
    text::render(&timeline::reply(story.incident(1).id, &story.journal, &story.policy, 100), 200)
}

/// INC-1, 20 minutes old.
fn burning() -> Story {
    let mut story = town();
    story.tell(delivery(vec![firing("Down", "search", 0, story.now)])).unwrap();
    story.wait(5 * MINUTE);
    story.say("ana", 1, "ack").unwrap();
    story.wait(15 * MINUTE);
    story
}

#[test]
fn a_message_stands_where_it_was_written_with_its_author_and_its_link() {
    let mut story = burning();
    let at = story.now.plus(-18 * MINUTE).0;
    keep(
        &mut story,
        slack("UBEN"),
        message("p2", "latency went up too", at + 1, Some("slack/T1/UGHOST")),
        Keep::Timeline,
    );
    keep(&mut story, slack("UBEN"), message("p1", "the deploy came first", at, Some("slack/T1/UKIM")), Keep::Timeline);
    insta::assert_snapshot!(told(&story), @r#"
    Timeline of INC-1

      2026-11-20 10:00 UTC `prometheus` declared it SEV2: Down on search
      10:00 UTC 1 alert joined: `Down` (by default: nothing open that it belongs to)
      10:02 UTC kim wrote: the deploy came first message (https://acme.slack.com/archives/C1/p1) (kept by ben)
      10:02 UTC somebody wrote: latency went up too message (https://acme.slack.com/archives/C1/p2) (kept by ben)
      10:05 UTC ana acknowledged
    "#);
    // What was written before anybody declared it comes first.
    keep(&mut story, slack("UANA"), message("p0", "is search slow?", at - 60 * MINUTE, None), Keep::Timeline);
    assert!(told(&story).lines().nth(2).unwrap().contains("somebody wrote: is search slow?"), "{}", told(&story));
}

#[test]
fn a_message_is_kept_once_whoever_marks_it_and_however() {
    let mut story = burning();
    let kept = message("p1", "drain node 3", story.now.0, Some("slack/T1/UKIM"));
    assert_eq!(keep(&mut story, slack("UBEN"), kept.clone(), Keep::Timeline), "Kept in the timeline of INC-1.");
    let before = story.journal.len();
    for (by, what) in [(slack("UBEN"), Keep::Timeline), (slack("UANA"), Keep::Timeline), (account(3), Keep::Task)] {
        assert_eq!(keep(&mut story, by, kept.clone(), what), "That message is in INC-1 already.");
    }
    assert_eq!(story.journal.len(), before);
}

#[test]
fn a_task_made_of_a_message_leads_back_to_it() {
    let mut story = burning();
    let kept = message("p1", "somebody should drain\nnode 3", story.now.0, Some("slack/T1/UKIM"));
    keep(&mut story, slack("UBEN"), kept.clone(), Keep::Task);
    let shown = text::render(&card(story.incident(1), &story.state.desk, &story.policy, story.now), 120);
    let task = "T-1 somebody should drain node 3, nobody yet message (https://acme.slack.com/archives/C1/p1)";
    assert!(shown.contains(task), "{shown}");
    // A task is for while it goes on: what can't be one is not kept either.
    story.say("ana", 1, "resolve").unwrap();
    let late = message("p9", "and node 4", story.now.0, None);
    assert!(keep(&mut story, slack("UBEN"), late.clone(), Keep::Task).contains("tasks are for while it goes on"));
    assert_eq!(keep(&mut story, slack("UBEN"), late, Keep::Timeline), "Kept in the timeline of INC-1.");
}

#[test]
fn what_was_kept_is_told_to_who_comes_late_and_in_the_postmortem_without_names() {
    let mut story = burning();
    let at = story.now.plus(-18 * MINUTE).0;
    story.say("ana", 1, "note I restarted it").unwrap();
    keep(&mut story, slack("UBEN"), message("p1", "the deploy came first", at, Some("slack/T1/UKIM")), Keep::Timeline);
    let late = catch_up(story.incident(1), &story.journal, &story.policy, &account(3), story.now);
    assert!(text::render(&late, 200).contains("kim wrote: the deploy came first"));
    story.say("ana", 1, "resolve").unwrap();
    let draft = postmortem::draft(story.incident(1), &story.journal, &story.policy);
    let noted = draft.sections.iter().find(|chapter| chapter.heading == "What was noted").unwrap();
    let noted: Vec<String> = noted
        .sentences
        .iter()
        .map(|s| text::render(&smokejumper::flow::phrase::titled(s.spans.clone()), 200).trim().to_owned())
        .collect();
    assert_eq!(
        noted,
        [
            "10:02 UTC: the deploy came first message (https://acme.slack.com/archives/C1/p1)",
            "10:20 UTC: I restarted it"
        ]
    );
}
