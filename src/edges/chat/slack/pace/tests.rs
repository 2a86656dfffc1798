use super::*;
use crate::edges::chat::slack::method::{CREATE, POST_MESSAGE};
use proptest::prelude::*;
use std::collections::BTreeSet;

/// Lets callers come, and come back when they are told to; when each began.
fn begun(
    pace: &Pace,
    start: Instant,
    callers: &[(u64, usize, Lane)],
    method: &'static Method,
) -> Vec<(Instant, usize, Lane)> {
    let mut due: BTreeSet<(Instant, usize)> =
        callers.iter().enumerate().map(|(n, (ms, _, _))| (start + Duration::from_millis(*ms), n)).collect();
    let mut begun = Vec::new();
    while let Some((now, n)) = due.pop_first() {
        let (_, channel, lane) = callers[n];
        let (name, key) = (format!("C{channel}"), format!("op-{n}"));
        match pace.turn(now, Turn { method, channel: Some(&name), lane, key: &key }) {
            Ok(()) => begun.push((now, channel, lane)),
            Err(wait) => {
                assert!(!wait.is_zero());
                due.insert((now + wait, n));
            }
        }
    }
    begun
}

fn most_within(begun: &[Instant], span: Duration) -> usize {
    begun.iter().map(|from| begun.iter().filter(|at| **at >= *from && **at < *from + span).count()).max().unwrap_or(0)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn no_minute_and_no_channel_gets_more(
        callers in prop::collection::vec((0..120_000_u64, 0..3_usize, any::<bool>()), 1..150),
        posts in any::<bool>(),
    ) {
        let lane = |urgent| if urgent { Lane::Urgent } else { Lane::Chatter };
        let callers: Vec<_> = callers.into_iter().map(|(ms, channel, urgent)| (ms, channel, lane(urgent))).collect();
        let method = if posts { &POST_MESSAGE } else { &CREATE };
        let begun = begun(&Pace::default(), Instant::now(), &callers, method);
        prop_assert_eq!(begun.len(), callers.len());
        let all: Vec<Instant> = begun.iter().map(|(at, _, _)| *at).collect();
        prop_assert!(most_within(&all, MINUTE) <= method.tier.per_minute());
        for channel in 0..3 {
            let own: Vec<Instant> = begun.iter().filter(|(_, c, _)| *c == channel).map(|(at, _, _)| *at).collect();
            prop_assert!(most_within(&own, POSTS_IN) <= POSTS);
        }
    }
}

#[test]
fn what_is_urgent_never_stands_behind_chatter() {
    let start = Instant::now();
    let mut callers: Vec<_> = (0..200).map(|_| (0, 1, Lane::Chatter)).collect();
    callers.extend((0..20).map(|n| (1_000 + n * 30_000, 1, Lane::Urgent)));
    let begun = begun(&Pace::default(), start, &callers, &POST_MESSAGE);
    let urgent: Vec<Duration> =
        begun.iter().filter(|(_, _, lane)| *lane == Lane::Urgent).map(|(at, _, _)| *at - start).collect();
    for (n, at) in urgent.iter().enumerate() {
        let came = Duration::from_millis(1_000 + u64::try_from(n).unwrap() * 30_000);
        assert!(*at < came + Duration::from_secs(2), "{n}: {at:?}");
    }
}

#[test]
fn a_crowd_queues_in_order_and_without_gaps() {
    let start = Instant::now();
    let callers: Vec<_> = (0..100).map(|n| (0, n, Lane::Chatter)).collect();
    let begun = begun(&Pace::default(), start, &callers, &CREATE);
    // 16 of 20 a minute are chatter's: the 100th goes in the seventh minute.
    assert_eq!((begun.last().unwrap().0 - start).as_secs() / 60, 6);
}

#[test]
fn nothing_is_asked_before_the_wait_is_over() {
    let (pace, start) = (Pace::default(), Instant::now());
    let turn = Turn { method: &CREATE, channel: None, lane: Lane::Urgent, key: "a" };
    let seconds = Duration::from_secs;
    pace.limited(start, &CREATE, seconds(30));
    pace.limited(start, &CREATE, seconds(3));
    assert_eq!(pace.turn(start, turn), Err(seconds(30)));
    assert_eq!(pace.turn(start + seconds(29), turn), Err(seconds(1)));
    // Asked to wait again meanwhile: a moment given away before that is none any more.
    pace.limited(start + seconds(29), &CREATE, seconds(10));
    assert_eq!(pace.turn(start + seconds(30), turn), Err(seconds(9)));
    assert_eq!(pace.turn(start + seconds(39), turn), Ok(()));
    let other = Turn { method: &POST_MESSAGE, ..turn };
    assert_eq!(pace.turn(start, other), Ok(()), "other methods go on");
}
