//! Rooms on a chat platform: how they should be, what people do to them by hand, and how an incident goes on privately.

use super::story::Story;
use crate::world::town::{delivery, firing};
use smokejumper::flow::announcing::announcement;
use smokejumper::flow::card::card;
use smokejumper::flow::effect::{Effect, Timer};
use smokejumper::flow::event::Event;
use smokejumper::flow::fact::{Fact, Room, RoomChange};
use smokejumper::flow::identity::{Identity, PersonId, Platform};
use smokejumper::flow::incident::IncidentId;
use smokejumper::flow::matcher;
use smokejumper::flow::moment::{DAY, MINUTE};
use smokejumper::flow::policy::{Channel, Open, Route};
use smokejumper::flow::rooms::furnishing;
use smokejumper_intents::text;

const INC: IncidentId = IncidentId(1);

pub fn slack(id: &str) -> Identity {
    Identity { platform: Platform::Slack, workspace: "T1".to_owned(), id: id.to_owned() }
}

/// The town with Slack, where everybody but the ghost has an account; INC-1 for search.
pub fn town() -> Story {
    let mut story = Story::new();
    story.policy.platforms.push(Platform::Slack);
    for person in &mut story.policy.people {
        let id = format!("U{}", person.id.0.to_uppercase());
        person.identities.push(slack(&id));
    }
    story
}

fn burning() -> Story {
    let mut story = town();
    story.tell(delivery(vec![firing("Down", "search", 0, story.now)])).unwrap();
    opened(&mut story, Platform::Console, "7", false);
    opened(&mut story, Platform::Slack, "C1", false);
    story.effects.clear();
    story
}

fn opened(story: &mut Story, platform: Platform, id: &str, private: bool) {
    let link = Some(format!("https://chat.example.org/{id}"));
    let room = Room { id: id.to_owned(), name: "inc-1-down-on-search".to_owned(), link, private };
    story.tell(Event::RoomOpened { incident: INC, platform, room }).unwrap();
}

fn changed(story: &mut Story, change: RoomChange) {
    let room = story.incident(1).rooms[&Platform::Slack].id.clone();
    story.tell(Event::RoomChanged { incident: INC, platform: Platform::Slack, room, change }).unwrap();
}

/// What was wanted on Slack since somebody last looked: kinds of effects, and what was said.
fn on_slack(story: &mut Story) -> Vec<String> {
    let shown = |effect: Effect| match effect {
        Effect::OpenRoom { platform: Platform::Slack, .. } => Some("open".to_owned()),
        Effect::Card { platform: Platform::Slack, .. } => Some("card".to_owned()),
        Effect::Furnish { platform: Platform::Slack, .. } => Some("furnish".to_owned()),
        Effect::Announce { platform: Platform::Slack, .. } => Some("announce".to_owned()),
        Effect::CloseRoom { platform: Platform::Slack, room, last, .. } => {
            Some(format!("close {}: {}", room.id, text::render(&last, 400).trim()))
        }
        Effect::Say { platform: Platform::Slack, message, .. } => {
            Some(format!("say: {}", text::render(&message, 400).lines().next().unwrap_or_default()))
        }
        Effect::Tell { to, message, .. } => {
            Some(format!("tell {}: {}", to.id, text::render(&message, 400).lines().next().unwrap_or_default()))
        }
        _ => None,
    };
    story.effects.drain(..).filter_map(shown).collect()
}

fn on_console(story: &Story) -> Vec<String> {
    let said = |effect: &Effect| match effect {
        Effect::Say { platform: Platform::Console, message, .. } => {
            Some(text::render(message, 400).lines().next().unwrap_or_default().to_owned())
        }
        _ => None,
    };
    story.effects.iter().filter_map(said).collect()
}

fn shown(story: &Story) -> String {
    text::render(&card(story.incident(1), &story.state.desk, &story.policy, story.now), 120)
}

fn announced(story: &Story) -> String {
    text::render(&announcement(story.incident(1), &story.policy, Platform::Slack), 120)
}

#[test]
fn a_room_says_how_it_stands_who_leads_and_where_to_look() {
    let mut story = burning();
    story.policy.rooms.console = Some("https://incidents.example.org".to_owned());
    story.say("ana", 1, "lead @ben").unwrap();
    story.say("ana", 1, "task Drain node 3 owner:@kim").unwrap();
    story.say("ana", 1, "rename Search answers nothing").unwrap();
    insta::assert_debug_snapshot!(furnishing(story.incident(1), &story.policy, Platform::Slack), @r#"
    Furnishing {
        name: Some(
            "inc-1-search-answers-nothing",
        ),
        topic: "SEV2 · triage · led by ben · Search answers nothing",
        purpose: "INC-1 on search, declared 2026-11-20 10:00 UTC. For what can be done here: /incident help",
        links: [
            (
                "Incident page",
                "https://incidents.example.org/incidents/1",
            ),
        ],
        people: [
            Identity {
                platform: Slack,
                workspace: "T1",
                id: "UBEN",
            },
            Identity {
                platform: Slack,
                workspace: "T1",
                id: "UKIM",
            },
        ],
        archived: false,
    }
    "#);
}

#[test]
fn a_room_is_furnished_when_it_should_be_otherwise_and_only_then() {
    let mut story = burning();
    // Alerts come and go: nothing about the room changes.
    for pod in 1..20 {
        story.tell(delivery(vec![firing("Down", "search", pod, story.now)])).unwrap();
    }
    story.say("ana", 1, "note I see timeouts").unwrap();
    assert!(!on_slack(&mut story).contains(&"furnish".to_owned()));
    for words in ["lead @ben", "sev 1", "status identified bad config", "rename Search is out", "assign @eva"] {
        story.say("ana", 1, words).unwrap();
        let wanted = on_slack(&mut story);
        assert_eq!(wanted.iter().filter(|w| *w == "furnish").count(), 1, "{words}: {wanted:?}");
        // Said again it changes nothing.
        let _ = story.say("ana", 1, words);
        assert!(!on_slack(&mut story).contains(&"furnish".to_owned()), "{words}");
    }
}

#[test]
fn a_name_given_by_hand_stays() {
    let mut story = burning();
    let name = |story: &Story| furnishing(story.incident(1), &story.policy, Platform::Slack).name;
    assert_eq!(name(&story), None, "it is called as it was opened");
    story.say("ana", 1, "rename Search is out").unwrap();
    assert_eq!(name(&story).unwrap(), "inc-1-search-is-out");
    // What the platform tells of our own renaming is nobody's hand.
    changed(&mut story, RoomChange::Renamed("inc-1-search-is-out-2".to_owned()));
    assert_eq!(name(&story).unwrap(), "inc-1-search-is-out");
    on_slack(&mut story);
    changed(&mut story, RoomChange::Renamed("the-big-one".to_owned()));
    assert_eq!(name(&story), None);
    assert_eq!(on_slack(&mut story), Vec::<String>::new(), "nothing is left to do");
    story.say("ana", 1, "rename Everything is out").unwrap();
    assert_eq!(name(&story), None);
    assert_eq!(story.incident(1).rooms[&Platform::Slack].name, "the-big-one");
}

#[test]
fn a_room_is_archived_when_it_has_been_over_for_a_week_and_opened_again_with_the_incident() {
    let mut story = burning();
    story.say("ana", 1, "resolve cause: full disk fix: made room").unwrap();
    let timer = |story: &Story| {
        story.effects.iter().rev().find_map(|e| match e {
            Effect::Wake { at, timer: Timer::Archive, .. } => Some(*at),
            _ => None,
        })
    };
    assert_eq!(timer(&story), None, "what is owed can still be talked about");
    story.say("ana", 1, "close").unwrap();
    let due = timer(&story).unwrap();
    assert_eq!(due, story.now.plus(7 * DAY));
    // Early, and then in time; twice is once.
    let archive = || Event::Due { incident: INC, timer: Timer::Archive };
    on_slack(&mut story);
    story.tell(archive()).unwrap();
    assert_eq!(timer(&story), Some(due));
    assert_eq!(on_slack(&mut story), Vec::<String>::new());
    story.now = due;
    story.tell(archive()).unwrap();
    story.tell(archive()).unwrap();
    assert_eq!(on_slack(&mut story), ["furnish"]);
    assert!(furnishing(story.incident(1), &story.policy, Platform::Slack).archived);
    // The platform tells of it: we know.
    let before = story.journal.len();
    changed(&mut story, RoomChange::Archived);
    story.say("ana", 1, "rename It was search").unwrap();
    assert_eq!(story.journal.len(), before + 2, "renamed, and learned");
    assert_eq!(on_slack(&mut story), Vec::<String>::new(), "nothing can be said or changed there");
    story.say("ana", 1, "reopen").unwrap();
    assert_eq!(on_slack(&mut story), ["furnish"], "what is said waits until it is open");
    assert!(!furnishing(story.incident(1), &story.policy, Platform::Slack).archived);
    changed(&mut story, RoomChange::Unarchived);
    changed(&mut story, RoomChange::Unarchived);
    assert_eq!(on_slack(&mut story), ["say: It goes on here. SEV2 · investigating · led by nobody yet", "card"]);
    // Never means never.
    story.policy.rooms.archive_after = None;
    story.say("ana", 1, "cancel").unwrap();
    assert_eq!(timer(&story), None);
}

#[test]
fn what_is_opened_by_hand_after_it_was_over_stays_open() {
    let mut story = burning();
    story.say("ana", 1, "decline a load test").unwrap();
    story.now = story.now.plus(8 * DAY);
    story.tell(Event::Due { incident: INC, timer: Timer::Archive }).unwrap();
    on_slack(&mut story);
    changed(&mut story, RoomChange::Unarchived);
    assert_eq!(on_slack(&mut story), ["card", "furnish"]);
    story.tell(Event::Due { incident: INC, timer: Timer::Archive }).unwrap();
    assert!(!furnishing(story.incident(1), &story.policy, Platform::Slack).archived);
    assert_eq!(on_slack(&mut story), Vec::<String>::new());
}

#[test]
fn an_archived_room_is_left_alone_and_the_others_are_told_once() {
    let mut story = burning();
    changed(&mut story, RoomChange::Archived);
    changed(&mut story, RoomChange::Archived);
    assert_eq!(on_console(&story), ["Slack: the channel was archived by hand; unarchive it and I go on there."]);
    assert!(shown(&story).contains("Slack: the channel was archived by hand; unarchive it and I go on there."));
    story.say("ana", 1, "lead").unwrap();
    story.say("ana", 1, "update half of all searches fail").unwrap();
    assert_eq!(on_slack(&mut story), Vec::<String>::new());
    changed(&mut story, RoomChange::Unarchived);
    assert_eq!(
        on_slack(&mut story),
        [
            "say: It goes on here. SEV2 · triage · led by ana · last update: half of all searches fail",
            "card",
            "furnish"
        ]
    );
    assert!(!shown(&story).contains("by hand"));
}

#[test]
fn a_deleted_room_is_replaced_and_who_deletes_it_again_has_their_way() {
    let mut story = burning();
    let gone = || RoomChange::Gone { why: "channel_not_found".to_owned() };
    changed(&mut story, gone());
    assert_eq!(on_console(&story), ["Slack: the channel is gone: channel_not_found; I open another."]);
    assert_eq!(on_slack(&mut story), ["open"]);
    story.say("ana", 1, "note x").unwrap();
    opened(&mut story, Platform::Slack, "C2", false);
    assert_eq!(on_slack(&mut story), ["say: It goes on here. SEV2 · triage · led by nobody yet", "card", "furnish"]);
    // What comes late of the first changes nothing.
    let before = story.journal.len();
    let late = Event::RoomChanged { incident: INC, platform: Platform::Slack, room: "C1".to_owned(), change: gone() };
    story.tell(late).unwrap();
    assert_eq!(story.journal.len(), before);
    changed(&mut story, gone());
    opened(&mut story, Platform::Slack, "C3", false);
    on_slack(&mut story);
    changed(&mut story, gone());
    assert_eq!(on_slack(&mut story), Vec::<String>::new());
    assert!(shown(&story).contains("Slack: the channel is gone: channel_not_found; it goes on without that."));
}

#[test]
fn a_route_without_a_channel_stays_on_the_console() {
    let mut story = town();
    story.policy.routes.push(Route {
        name: "batch".to_owned(),
        matchers: matcher::parse("service=\"search\"").unwrap(),
        when: Vec::new(),
        unless: Vec::new(),
        service: None,
        severity: None,
        open: Open::Always,
        channel: Channel::None,
        invite: Vec::new(),
    });
    story.tell(delivery(vec![firing("Down", "search", 0, story.now)])).unwrap();
    story.say("ana", 1, "lead").unwrap();
    // Whatever the rules say later.
    story.policy.routes.clear();
    story.tell(Event::RulesRead { digest: "d".to_owned(), what: Vec::new() }).unwrap();
    assert_eq!(on_slack(&mut story), Vec::<String>::new());
    assert!(
        story.journal.iter().any(|e| matches!(&e.fact, Fact::RoomsWaived { because } if because.contains("batch")))
    );
}

#[test]
fn a_platform_that_is_new_gets_rooms_for_what_is_open() {
    let mut story = Story::new();
    story.tell(delivery(vec![firing("Down", "search", 0, story.now)])).unwrap();
    opened(&mut story, Platform::Console, "7", false);
    story.policy.platforms.push(Platform::Slack);
    story.tell(Event::RulesRead { digest: "d".to_owned(), what: Vec::new() }).unwrap();
    assert_eq!(on_slack(&mut story), ["open"]);
}

#[test]
fn an_incident_goes_on_privately_in_a_room_of_its_own() {
    let mut story = burning();
    story.say("ana", 1, "lead @ben").unwrap();
    on_slack(&mut story);
    story.say("ana", 1, "private").unwrap();
    let wanted = on_slack(&mut story);
    assert_eq!(
        wanted,
        [
            "close C1: This goes on privately, elsewhere. Who is in it was asked to come there.",
            "open",
            "say: INC-1 is private now. Who is not in it can't find it."
        ]
    );
    assert!(!story.incident(1).rooms.contains_key(&Platform::Slack), "what is said waits for the new one");
    // A platform that opened one for all to see, after all: it is left, too, and no third time.
    opened(&mut story, Platform::Slack, "C2", false);
    assert_eq!(
        on_slack(&mut story)[..2],
        [
            "close C2: This goes on privately, elsewhere. Who is in it was asked to come there.".to_owned(),
            "open".to_owned()
        ]
    );
    opened(&mut story, Platform::Slack, "G3", true);
    assert_eq!(on_slack(&mut story), ["card", "furnish"]);
    assert_eq!(story.incident(1).rooms[&Platform::Slack].id, "G3");
    let people = furnishing(story.incident(1), &story.policy, Platform::Slack).people;
    assert_eq!(people.iter().map(|p| p.id.as_str()).collect::<Vec<_>>(), ["UBEN", "UANA"]);
}

#[test]
fn a_private_incident_never_settles_in_a_room_that_others_can_read() {
    let mut story = burning();
    story.say("ana", 1, "private").unwrap();
    for id in ["C2", "C3", "C4"] {
        opened(&mut story, Platform::Slack, id, false);
    }
    on_slack(&mut story);
    assert!(!story.incident(1).rooms.contains_key(&Platform::Slack));
    story.say("ana", 1, "note a secret").unwrap();
    story.say("ana", 1, "lead").unwrap();
    assert_eq!(on_slack(&mut story), Vec::<String>::new());
    assert!(shown(&story).contains("Slack: the channel was open to others; it goes on without that."));
}

#[test]
fn everybody_is_told_of_what_is_severe_and_how_it_ended() {
    let mut story = town();
    story.policy.rooms.announce.push(Platform::Slack);
    story.say("kim", 0, "declare search is slow sev:3").unwrap();
    assert!(!on_slack(&mut story).contains(&"announce".to_owned()), "not severe enough");
    story.say("ana", 1, "sev 2").unwrap();
    assert!(on_slack(&mut story).contains(&"announce".to_owned()));
    opened(&mut story, Platform::Slack, "C1", false);
    assert!(on_slack(&mut story).contains(&"announce".to_owned()), "it leads to the room now");
    story.say("ana", 1, "lead").unwrap();
    insta::assert_snapshot!(announced(&story), @r#"
    INC-1 · SEV2 · triage · search is slow

      Declared: 2026-11-20 10:00 UTC on `search`
      Incident commander: ana
      Go to its channel (https://chat.example.org/C1)
    "#);
    for words in ["status identified bad config", "sev 3", "update one in three searches fails"] {
        on_slack(&mut story);
        story.say("ana", 1, words).unwrap();
        assert!(on_slack(&mut story).contains(&"announce".to_owned()), "{words}");
    }
    story.say("ana", 1, "note nobody else need know").unwrap();
    assert!(!on_slack(&mut story).contains(&"announce".to_owned()));
    story.wait(40 * MINUTE);
    story.say("ana", 1, "resolve cause: full disk fix: made room").unwrap();
    assert!(on_slack(&mut story).contains(&"announce".to_owned()));
    insta::assert_snapshot!(announced(&story), @r#"
    INC-1 · SEV3 · resolved · search is slow

      Cause: full disk
      What fixed it: made room
      It took: 40 min
      Incident commander: ana
      Its channel (https://chat.example.org/C1)
    "#);
    story.say("ana", 1, "reopen").unwrap();
    assert!(on_slack(&mut story).contains(&"announce".to_owned()));
    story.say("ana", 1, "private").unwrap();
    assert!(on_slack(&mut story).contains(&"announce".to_owned()));
    insta::assert_snapshot!(announced(&story), @r#"What was announced here is not for everybody any more, and was withdrawn."#);
    // And from then on nothing at all.
    for words in ["sev 1", "status investigating", "resolve"] {
        story.say("ana", 1, words).unwrap();
        assert!(!on_slack(&mut story).contains(&"announce".to_owned()), "{words}");
    }
}

#[test]
fn what_was_private_before_it_was_severe_is_never_announced() {
    let mut story = town();
    story.policy.rooms.announce.push(Platform::Slack);
    story.say("kim", 0, "declare search is slow sev:3").unwrap();
    story.say("ana", 1, "private").unwrap();
    story.say("ana", 1, "sev 1").unwrap();
    assert!(!on_slack(&mut story).contains(&"announce".to_owned()));
}

#[test]
fn who_is_paged_is_told_alone_too_and_nobody_else() {
    let mut story = burning();
    story.say("ana", 1, "page @ben can you look at the index?").unwrap();
    let letters: Vec<_> = story
        .effects
        .iter()
        .filter_map(|e| match e {
            Effect::Tell { to, message, .. } => Some((to.id.clone(), text::render(message, 120))),
            _ => None,
        })
        .collect();
    assert_eq!(letters.len(), 1);
    assert_eq!(letters[0].0, "UBEN");
    insta::assert_snapshot!(letters[0].1, @r#"
    You are asked to come: INC-1 Down on search

      SEV2 · triage · `search`
      Why you: ana asks: can you look at the index?

      Go there (https://chat.example.org/C1)

    [Acknowledge] `ack INC-1`
    "#);
    // Furniture follows: he was paged, so he is asked in.
    let people = furnishing(story.incident(1), &story.policy, Platform::Slack).people;
    assert_eq!(people, [slack("UBEN")]);
}

#[test]
fn escalation_tells_whoever_is_on_call_until_somebody_is_there() {
    let mut story = town();
    let kim = story.policy.people.iter_mut().find(|p| p.id == PersonId("kim".to_owned())).unwrap();
    kim.on_call = true;
    story.tell(delivery(vec![firing("Down", "search", 0, story.now)])).unwrap();
    let told = |story: &mut Story| on_slack(story).into_iter().filter(|w| w.starts_with("tell")).collect::<Vec<_>>();
    assert_eq!(told(&mut story), ["tell UKIM: You are asked to come: INC-1 Down on search"]);
    story.say("ana", 1, "ack").unwrap();
    for _ in 0..3 {
        story.wait(20 * MINUTE);
        story.tell(Event::Tick).unwrap();
    }
    assert_eq!(told(&mut story), Vec::<String>::new());
}

#[test]
fn who_is_late_hears_of_it_alone_when_the_room_is_archived() {
    let mut story = burning();
    let nag = |story: &mut Story| {
        story.tell(Event::Due { incident: INC, timer: Timer::Nag }).unwrap();
        on_slack(story).into_iter().filter(|w| w.starts_with("tell") || w.starts_with("say")).collect::<Vec<_>>()
    };
    story.say("ana", 1, "follow-up Alert on disk space owner:@kim due:2026-11-22").unwrap();
    story.say("ana", 1, "follow-up Write it down owner:@ben").unwrap();
    story.say("ana", 1, "resolve").unwrap();
    story.say("ana", 1, "close").unwrap();
    on_slack(&mut story);
    // A Monday.
    story.now = story.now.plus(3 * DAY);
    assert_eq!(nag(&mut story), ["say: Overdue follow-ups of INC-1:"]);
    story.now = story.now.plus(7 * DAY);
    story.tell(Event::Due { incident: INC, timer: Timer::Archive }).unwrap();
    on_slack(&mut story);
    assert_eq!(nag(&mut story), ["tell UKIM: Overdue follow-ups of INC-1:"]);
}

#[test]
fn what_others_give_somebody_to_do_they_are_told() {
    let mut story = burning();
    let told = |story: &mut Story| on_slack(story).into_iter().filter(|w| w.starts_with("tell")).collect::<Vec<_>>();
    story.say("ana", 1, "task Drain node 3 owner:@kim").unwrap();
    assert_eq!(told(&mut story), ["tell UKIM: ana gave you task T-1: Drain node 3"]);
    story.say("ben", 1, "task Tell support owner:@ben").unwrap();
    assert_eq!(told(&mut story), Vec::<String>::new(), "they know");
    story.say("ben", 1, "assign @eva T-2").unwrap();
    assert_eq!(told(&mut story), ["tell UEVA: ben gave you task T-2: Tell support"]);
    story.say("ana", 1, "follow-up Alert on disk space").unwrap();
    story.say("ana", 1, "assign @kim F-1").unwrap();
    assert_eq!(told(&mut story), ["tell UKIM: ana gave you follow-up F-1: Alert on disk space"]);
}
