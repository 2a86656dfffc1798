//! Properties of what is said, whatever was learnt before.

use super::*;
use crate::learn::panel::KEPT;
use proptest::prelude::*;
use std::collections::BTreeMap;

fn seen(title: &str, service: &str) -> Input {
    Input::of(title, "", &BTreeMap::from([("env".into(), "prod".into())]), Some(service))
}

/// Learns from a history of (title, service, cause, responder), each asked about first.
fn taught(history: &[(u8, u8, u8, u8)]) -> Model {
    let mut model = Model::default();
    for (i, (title, service, cause, responder)) in (0_i64..).zip(history) {
        let input = seen(&format!("kind {title} of trouble"), &format!("s{service}"));
        let said = model.keep(&model.ask(&input, [&[], &[]], i * 1_000));
        let (cause, responder) = (format!("cause {cause}"), format!("person {responder}"));
        let id = CaseId(format!("INC-{i}"));
        let news = News { case: &id, at: i * 1_000, cause: Some((&cause, true)), responder: Some((&responder, true)) };
        model.learn(&input, &news, Some(&said));
    }
    model
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn probabilities_are_probabilities_and_what_is_kept_survives(
        history in proptest::collection::vec((0..4_u8, 0..3_u8, 0..5_u8, 0..12_u8), 0..40), title in 0..5_u8,
    ) {
        let model = taught(&history);
        let votes: Vec<Vote> = (0..3)
            .filter(|class| (*class as usize) < 12 && !model.of(Target::Responder).name(*class as usize).is_empty())
            .map(|class| Vote { class, hit: 0, score: 1.0 / f64::from(class + 1), similarity: 0.5, age: 1e9, known: 1e9 })
            .collect();
        let panels = model.ask(&seen(&format!("kind {title} of trouble"), "s1"), [&[], &votes], 100_000);
        for panel in &panels {
            let sum = panel.p.iter().sum::<f64>() + panel.p_novel;
            prop_assert!((sum - 1.0).abs() < 1e-9, "{}", sum);
            prop_assert!(panel.p.iter().all(|p| (0.0..=1.0).contains(p)));
            prop_assert!(panel.order.is_sorted_by(|a, b| panel.p[*a] >= panel.p[*b]));
            prop_assert!(panel.rows.iter().all(|row| row.len() == panel.columns.len()));
            prop_assert!(panel.rows.iter().flatten().all(|x| x.is_finite()));
        }
        let said = model.keep(&panels);
        prop_assert!(said.responder.rows.len() <= KEPT);
        prop_assert_eq!(said.responder.others.is_some(), panels[1].rows.len() > KEPT);
        let text = said.to_text();
        prop_assert_eq!(Said::from_text(&text), Some(said));
        prop_assert!(Said::from_text(&text[..text.len() - 2]).is_none());
    }

    #[test]
    fn the_same_outcomes_give_the_same_bytes_and_bytes_give_the_same_model(
        history in proptest::collection::vec((0..4_u8, 0..3_u8, 0..5_u8, 0..12_u8), 0..30),
    ) {
        let (model, twin) = (taught(&history), taught(&history));
        let bytes = model.to_bytes();
        prop_assert_eq!(&bytes, &twin.to_bytes());
        let again = Model::from_bytes(&bytes).unwrap();
        prop_assert_eq!(&again.to_bytes(), &bytes);
        prop_assert!(Model::from_bytes(&bytes[..bytes.len() - 1]).is_none());
        let input = seen("kind 1 of trouble", "s2");
        prop_assert_eq!(again.ask(&input, [&[], &[]], 9).map(|p| p.p), model.ask(&input, [&[], &[]], 9).map(|p| p.p));
    }
}

#[test]
fn a_memo_stays_small_and_names_nobody() {
    let model = taught(&(0..200_u8).map(|i| (i % 4, i % 3, i % 5, i % 12)).collect::<Vec<_>>());
    let memo = model.keep(&model.ask(&seen("kind 1 of trouble", "s1"), [&[], &[]], 9)).to_text();
    assert!(memo.len() < 6_000, "{}", memo.len());
    assert!(memo.bytes().all(|b| b.is_ascii_hexdigit()));
}

#[test]
fn the_probable_cause_calls_for_those_who_know_it() {
    // Titles say the cause; who comes is a matter of the cause alone, and no title comes twice.
    let mut model = Model::default();
    for i in 0..120_i64 {
        let cause = ["disk", "pool", "queue"][usize::try_from(i % 3).unwrap()];
        let input = Input::of(&format!("{cause} trouble {}", i * 7 % 11), "", &BTreeMap::new(), None);
        let said = model.keep(&model.ask(&input, [&[], &[]], i));
        let (id, responder) = (CaseId(i.to_string()), format!("the {cause} person"));
        let news = News { case: &id, at: i, cause: Some((cause, true)), responder: Some((&responder, true)) };
        model.learn(&input, &news, Some(&said));
    }
    let [_, responders] = model.ask(&Input::of("pool trouble", "", &BTreeMap::new(), None), [&[], &[]], 200);
    let first = responders.order[0];
    assert_eq!(model.of(Target::Responder).name(first), "the pool person");
    assert!(responders.p[first] > 0.8, "{}", responders.p[first]);
    assert!(responders.rows[first][panel::BY_CAUSE] > 0.5);
}
