//! Whose turn it is: priorities within a lane and across lanes, shares of platforms, messages that become one, rows that are hurried.

use super::facts::*;
use super::{Bench, MINUTE};
use smokejumper::flow::effect::{Effect, Timer};
use smokejumper::flow::identity::Platform;
use smokejumper::flow::incident::IncidentId;
use smokejumper::flow::missed::{Missed, Why};
use smokejumper::flow::moment::SECOND;
use smokejumper::flow::standing::decision_buttons;
use smokejumper::ports::{Commit, Outgoing, Progress, Shares, StoreError};

fn on_slack(incident: u32, text: &str) -> Effect {
    Effect::Say { incident: IncidentId(incident), platform: Platform::Slack, message: Box::new(message(text)) }
}

fn card(incident: u32) -> Effect {
    Effect::Card { incident: IncidentId(incident), platform: Platform::Slack }
}

/// Somebody is asked to approve.
fn asking(incident: u32) -> Effect {
    let buttons = decision_buttons(IncidentId(incident), 1, "0123456789ab");
    let message = Box::new(smokejumper_intents::reply::Reply { buttons, ..message("may I?") });
    Effect::Say { incident: IncidentId(incident), platform: Platform::Slack, message }
}

async fn queue(bench: &Bench, effects: Vec<(&str, Effect)>) {
    let effects = effects.into_iter().map(|(op, effect)| (op.to_owned(), effect)).collect();
    bench.storage().commit(vec![Commit { effects, ..Commit::default() }]).await.unwrap();
}

async fn claim(bench: &Bench) -> Vec<Outgoing> {
    bench.storage().claim(NOW, 10).await.unwrap()
}

async fn settle(bench: &Bench, rows: &[Outgoing]) {
    for row in rows {
        bench.storage().settle(row.id, sent("m"), None).await.unwrap();
    }
}

pub async fn approvals_go_before_cards_and_cards_before_chatter(bench: Bench) {
    let open = Effect::OpenRoom { incident: IncidentId(1), platform: Platform::Slack };
    let mine = vec![
        ("open", open),
        ("chat", on_slack(1, "x")),
        ("card", card(1)),
        ("ask", asking(1)),
        ("more", on_slack(1, "y")),
    ];
    queue(&bench, mine).await;
    let announce = Effect::Announce { incident: IncidentId(3), platform: Platform::Slack };
    let tell = Effect::Tell { incident: IncidentId(4), to: ana(), message: Box::new(message("z")) };
    queue(&bench, vec![("chat2", on_slack(2, "x")), ("all", announce), ("card5", card(5)), ("you", tell)]).await;
    // One of each lane at a time.
    let mut order = Vec::new();
    loop {
        let rows = claim(&bench).await;
        if rows.is_empty() {
            break;
        }
        order.push(ops(&rows).join(" "));
        assert_eq!(claim(&bench).await, [], "what is under way holds its lane, whatever waits");
        settle(&bench, &rows).await;
    }
    assert_eq!(order, ["you open card5 chat2 all", "ask", "card", "chat", "more"]);
    // What is under way is not overtaken.
    queue(&bench, vec![("slow", on_slack(1, "x"))]).await;
    let slow = claim(&bench).await;
    queue(&bench, vec![("ask2", asking(1))]).await;
    assert_eq!(claim(&bench).await, []);
    settle(&bench, &slow).await;
    assert_eq!(ops(&claim(&bench).await), ["ask2"]);
}

pub async fn a_card_that_is_not_due_lets_chatter_pass(bench: Bench) {
    queue(&bench, vec![("card", card(1)), ("chat", on_slack(1, "x")), ("chat2", on_slack(1, "y"))]).await;
    let later = NOW.plus(MINUTE);
    let rows = claim(&bench).await;
    assert_eq!(ops(&rows), ["card"]);
    let again = || Progress::Again { at: later, why: "slow down".to_owned() };
    bench.storage().settle(rows[0].id, again(), None).await.unwrap();
    assert_eq!(bench.storage().next_due().await.unwrap(), Some(NOW));
    let rows = claim(&bench).await;
    assert_eq!(ops(&rows), ["chat"]);
    // Chatter keeps its own order.
    bench.storage().settle(rows[0].id, again(), None).await.unwrap();
    assert_eq!(claim(&bench).await, []);
    assert_eq!(bench.storage().next_due().await.unwrap(), Some(later));
    // And an approval that is not due holds everything.
    queue(&bench, vec![("ask", asking(2)), ("chat3", on_slack(2, "x"))]).await;
    let rows = claim(&bench).await;
    assert_eq!(ops(&rows), ["ask"]);
    bench.storage().settle(rows[0].id, again(), None).await.unwrap();
    assert_eq!(claim(&bench).await, []);
    assert_eq!(ops(&bench.storage().claim(later, 10).await.unwrap()), ["ask", "card"]);
}

pub async fn chatter_that_was_overtaken_for_long_is_overtaken_no_more(bench: Bench) {
    queue(&bench, vec![("chat", on_slack(1, "x"))]).await;
    bench.set(NOW.plus(9 * SECOND));
    queue(&bench, vec![("card", card(1))]).await;
    let rows = bench.storage().claim(NOW.plus(MINUTE), 10).await.unwrap();
    assert_eq!(ops(&rows), ["card"]);
    settle(&bench, &rows).await;
    bench.set(NOW.plus(10 * SECOND));
    queue(&bench, vec![("card2", card(1))]).await;
    let rows = bench.storage().claim(NOW.plus(MINUTE), 10).await.unwrap();
    assert_eq!(ops(&rows), ["chat"]);
    settle(&bench, &rows).await;
    assert_eq!(ops(&bench.storage().claim(NOW.plus(MINUTE), 10).await.unwrap()), ["card2"]);
}

pub async fn a_platform_gets_its_share_and_no_more(bench: Bench) {
    let mut effects: Vec<_> = (1..=6).map(|n| (format!("s{n}"), on_slack(n, "x"))).collect();
    effects.extend((1..=3).map(|n| (format!("c{n}"), say(n, "x"))));
    let wake = |request| Effect::Wake { incident: IncidentId(1), at: NOW, timer: Timer::Expiry { request } };
    effects.extend((1..=3).map(|n| (format!("t{n}"), wake(n))));
    effects.push(("f1".to_owned(), Effect::Furnish { incident: IncidentId(1), platform: Platform::Slack }));
    bench.storage().commit(vec![Commit { effects, ..Commit::default() }]).await.unwrap();
    let claim = async |limit, share| {
        let shares = Shares::from([(Platform::Slack, share)]);
        bench.storage().claim_within(NOW, limit, &shares).await.unwrap()
    };
    let first = claim(4, 0).await;
    assert_eq!(ops(&first), ["t1", "t2", "c1", "c2"], "what others may have is theirs");
    let second = claim(4, 2).await;
    assert_eq!(ops(&second), ["t3", "f1", "s1", "c3"], "furniture counts, and so does each lane");
    assert_eq!(claim(10, 0).await, []);
    let shares = Shares::from([(Platform::Slack, 0)]);
    assert_eq!(bench.storage().next_due_within(&shares).await.unwrap(), None);
    assert_eq!(bench.storage().next_due().await.unwrap(), Some(NOW));
    assert_eq!(ops(&claim(10, 9).await), ["s2", "s3", "s4", "s5", "s6"]);
}

fn missed(rows: &[&Outgoing]) -> Effect {
    let missed = Missed::of(rows.iter().map(|row| (row.queued_at, &row.effect)), Why::Away);
    Effect::SayMissed { incident: IncidentId(1), platform: Platform::Slack, missed: Box::new(missed) }
}

pub async fn messages_become_one_or_stay_many(mut bench: Bench) {
    let mine =
        vec![("a", on_slack(1, "one")), ("card", card(1)), ("b", on_slack(1, "two")), ("c", on_slack(1, "three"))];
    queue(&bench, mine).await;
    queue(&bench, vec![("other", on_slack(2, "x")), ("console", say(1, "y"))]).await;
    let rows = claim(&bench).await;
    settle(&bench, &rows).await;
    assert_eq!(ops(&rows), ["card", "other", "console"]);
    let a = claim(&bench).await.remove(0);
    queue(&bench, vec![("card2", card(1)), ("elsewhere", on_slack(3, "z"))]).await;
    let behind = bench.storage().behind(a.id, 10).await.unwrap();
    assert_eq!(ops(&behind), ["b", "c", "card2"]);
    assert_eq!(ops(&bench.storage().behind(a.id, 1).await.unwrap()), ["b"]);
    let elsewhere = claim(&bench).await.remove(0);
    let (b, c, card2) = (&behind[0], &behind[1], &behind[2]);
    let one = missed(&[&a, b, c]);
    // Not with a row of another kind or lane, one that is under way, or twice the same; nor into one that is not being sent.
    for (id, rows) in [
        (a.id, vec![b.id, card2.id]),
        (a.id, vec![b.id, elsewhere.id]),
        (a.id, vec![b.id, a.id]),
        (a.id, vec![b.id, 99]),
        (a.id, vec![b.id, rows[1].id]),
        (b.id, vec![c.id]),
        (99, vec![]),
    ] {
        let refused = bench.storage().fold(id, one.clone(), &rows).await;
        assert!(matches!(refused, Err(StoreError::Conflict(_))), "{id} {rows:?}: {refused:?}");
        assert_eq!(bench.storage().behind(a.id, 10).await.unwrap(), behind, "{id} {rows:?}");
    }
    bench.storage().fold(a.id, one.clone(), &[b.id, c.id]).await.unwrap();
    assert_eq!(ops(&bench.storage().behind(a.id, 10).await.unwrap()), ["card2"]);
    // Killed before it was sent: nothing is lost, and nothing is there twice.
    bench.kill().await;
    let left: Vec<_> = bench.storage().interrupted().await.unwrap().into_iter().filter(|row| row.op == "a").collect();
    assert_eq!(left[0].effect, one);
    assert_eq!(claim(&bench).await, []);
    bench.storage().settle(a.id, Progress::Again { at: NOW, why: "not there".to_owned() }, None).await.unwrap();
    let rows = claim(&bench).await;
    settle(&bench, &rows).await;
    assert_eq!(ops(&rows), ["card2"]);
    let rows = claim(&bench).await;
    assert_eq!((ops(&rows), &rows[0].effect), (vec!["a"], &one));
    let told = Progress::Sent { remote: None, said: Some(message("all of it")) };
    bench.storage().settle(a.id, told, None).await.unwrap();
    assert_eq!(claim(&bench).await, []);
}

pub async fn what_waits_is_hurried_and_what_is_settled_is_not(bench: Bench) {
    let effects = (1..=4).map(|n| (format!("s{n}"), on_slack(n, "x"))).collect();
    bench.storage().commit(vec![Commit { effects, ..Commit::default() }, queue_run("r", 1)]).await.unwrap();
    let rows = claim(&bench).await;
    let (later, why) = (NOW.plus(MINUTE), "away".to_owned());
    let id = |op: &str| rows.iter().find(|row| row.op == op).unwrap().id;
    bench.storage().settle(id("s1"), Progress::Again { at: later, why: why.clone() }, None).await.unwrap();
    bench.storage().settle(id("s2"), Progress::Look { at: later, why: why.clone() }, None).await.unwrap();
    bench.storage().settle(id("s3"), Progress::Unknown { why }, None).await.unwrap();
    settle(&bench, &[rows.iter().find(|row| row.op == "s4").unwrap().clone()]).await;
    assert_eq!(bench.storage().doubtful(NOW, 10).await.unwrap(), []);
    let all: Vec<i64> = rows.iter().map(|row| row.id).chain([99]).collect();
    bench.storage().hurry(&all).await.unwrap();
    bench.storage().hurry(&[]).await.unwrap();
    assert_eq!(ops(&claim(&bench).await), ["r", "s1"]);
    assert_eq!(ops(&bench.storage().doubtful(NOW, 10).await.unwrap()), ["s2"], "nobody but people can look for s3");
}
