//! Plain words against a table that was written before the recogniser; reported as a confusion table.

use super::words::{WORDS_MAX, Words};
use crate::bounds;
use crate::intent::{Ask, Intent};
use crate::token;
use crate::utterance::{Place, Utterance};
use crate::verbs::test::shown;
use crate::{Reading, confirm, read, say, text};
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::fmt::Write as _;

const TABLE: &str = include_str!("utterances.tsv");

/// What must be reached, a little under what is.
const TUNED_FLOOR: f64 = 0.97;
const HELD_OUT_FLOOR: f64 = 0.96;

struct Row {
    place: Place,
    language: &'static str,
    expected: &'static str,
    text: &'static str,
    held_out: bool,
}

/// FNV-1a; the split must not depend on anything that changes.
fn hash(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

fn rows() -> Vec<Row> {
    let rows = TABLE.lines().filter(|line| !line.starts_with('#'));
    rows.map(|line| {
        let [place, language, expected, text] = line.split('\t').collect::<Vec<_>>().try_into().unwrap();
        let place = if place == "in" { Place::Incident(3) } else { Place::Lobby };
        Row { place, language, expected, text, held_out: hash(text) >> 32 & 1 == 1 }
    })
    .collect()
}

fn said(text: &str, place: Place) -> Reading {
    read(&Utterance { text: text.to_owned(), place })
}

/// What a text came to, in the words of the table.
fn came_to(text: &str, place: Place) -> String {
    let command = |ask: &Ask| {
        let here = matches!(place, Place::Incident(number) if ask.incident == Some(number));
        let said = say::say(ask).unwrap_or_else(|| format!("{:?}", ask.intent));
        if here { said.replacen(" INC-3", "", 1) } else { said }
    };
    match said(text, place) {
        Reading::Clear(ask) if ask.intent.is_act() => format!("done {}", command(&ask)),
        Reading::Clear(ask) => format!("ask {}", command(&ask)),
        Reading::Confirm { ask: Ask { intent: Intent::Declare { title, .. }, .. }, .. } if text.starts_with(&title) => {
            "none".to_owned()
        }
        Reading::Confirm { ask, .. } => format!("act {}", command(&ask)),
        Reading::Misread(wrong) => match (wrong.form, wrong.try_instead.first()) {
            (Some(verb), _) => format!("form {verb}"),
            (None, Some(command)) if format!("{:?}", wrong.problem).contains("Which incident? Name it, or") => {
                format!("which {}", command.split(' ').next().unwrap_or_default())
            }
            _ => "none".to_owned(),
        },
    }
}

/// The same in the form in which commands are written out.
fn wanted(row: &Row) -> String {
    let Some((how, command)) = row.expected.split_once(' ') else { return row.expected.to_owned() };
    if !matches!(how, "ask" | "act") {
        return row.expected.to_owned();
    }
    let (Reading::Clear(ask) | Reading::Confirm { ask, .. }) = said(command, row.place) else {
        panic!("the table expects `{command}`, which is no command")
    };
    let here = matches!(row.place, Place::Incident(number) if ask.incident == Some(number));
    let full = say::say(&ask).unwrap();
    format!("{how} {}", if here { full.replacen(" INC-3", "", 1) } else { full })
}

/// The row's verb, or what it is instead: the heading of a confusion table.
fn class(reading: &str) -> String {
    reading.split(' ').take(2).collect::<Vec<_>>().join(" ")
}

/// An act that would be done, or is offered, and was not meant so.
fn wrong_act(wanted: &str, got: &str) -> bool {
    wanted != got && (got.starts_with("act ") || got.starts_with("done "))
}

#[test]
fn confusion() {
    let rows = rows();
    assert!(rows.len() >= 150 && rows.iter().filter(|row| row.expected == "none").count() >= 30);
    let spanish = rows.iter().filter(|row| row.language == "es").count();
    assert!(spanish * 2 >= rows.len());
    let mut page = String::new();
    let mut reached = BTreeMap::new();
    let (mut confusions, mut wrong_acts) = (BTreeMap::<(String, String), usize>::new(), Vec::new());
    for row in &rows {
        let (wanted, got) = (wanted(row), came_to(row.text, row.place));
        let half = if row.held_out { "held out" } else { "tuning" };
        for language in [row.language, "all"] {
            let (right, of) = reached.entry((half, language)).or_insert((0_u32, 0_u32));
            *right += u32::from(wanted == got);
            *of += 1;
        }
        if wanted != got {
            *confusions.entry((class(&wanted), class(&got))).or_default() += 1;
            if wrong_act(&wanted, &got) {
                wrong_acts.push((row.held_out, row.text, got.clone()));
            }
            if !row.held_out {
                let _ = writeln!(page, "  {} wanted {wanted}, got {got}", row.text);
            }
        }
    }
    let _ = writeln!(page, "{:<24}{:<24}rows", "wanted", "got");
    for ((wanted, got), rows) in &confusions {
        let _ = writeln!(page, "{wanted:<24}{got:<24}{rows}");
    }
    for ((half, language), (right, of)) in &reached {
        let _ =
            writeln!(page, "{half:<9} {language:<4} {right:>3} of {of:>3}  {:.3}", f64::from(*right) / f64::from(*of));
    }
    println!("{page}\nwrong acts: {wrong_acts:?}");
    let share = |half| reached.get(&(half, "all")).map(|(right, of)| f64::from(*right) / f64::from(*of)).unwrap();
    assert!(wrong_acts.is_empty(), "{wrong_acts:?}");
    assert!(share("tuning") >= TUNED_FLOOR && share("held out") >= HELD_OUT_FLOOR, "{page}");
}

#[test]
fn an_act_is_offered_and_shows_what_it_would_do() {
    let Reading::Confirm { ask, because } = said("súbelo a sev1, por favor", Place::Incident(3)) else { panic!() };
    insta::assert_snapshot!(text::render(&confirm::confirmation(&ask, &because), 80), @r#"
    Do this in INC-3?

      I read a command in your words. Nothing is done until you say so.
      `sev INC-3 1`

    [Do it] `sev INC-3 1`
    "#);
    let Reading::Confirm { because, .. } = said("hazlo privado", Place::Incident(3)) else { panic!() };
    assert!(because.contains("cannot be undone"), "{because}");
}

#[test]
fn what_is_missing_is_asked_for() {
    insta::assert_snapshot!(shown("quiero publicar una actualización", Place::Incident(3)), @r#"
    I did not understand that

      That takes a few words more: fill in the form Update, or write the whole command.
      Example: `update one in three payments fails actions: rolling back v41 needs: somebody from payments`

    Did you mean
      `update <how it stands> [actions: <text>] [needs: <text>]`
    "#);
    insta::assert_snapshot!(shown("ponlo en sev 1", Place::Lobby), @r#"
    I did not understand that

      Which incident? Name it, or say this in the incident's channel.

    Did you mean
      `sev INC-12 1`
      `list`
      `declare ponlo en sev 1`
    "#);
}

#[test]
fn near_is_never_silence_and_never_what_was_turned_round() {
    let near = shown("any timeline weirdness today", Place::Incident(3));
    assert!(near.contains("`timeline`"), "{near}");
    assert!(!shown("no lo cierres todavía", Place::Incident(3)).contains("`close"), "a negated act is not proposed");
    assert!(shown("no lo cierres todavía", Place::Incident(3)).contains("Did you mean"));
}

#[test]
fn a_command_as_a_question_is_asked_back() {
    for text in ["resolve?", "ack?", "close INC-4?"] {
        assert!(matches!(said(text, Place::Incident(3)), Reading::Confirm { .. }), "{text}");
    }
    assert!(matches!(said("resolve", Place::Incident(3)), Reading::Clear(_)));
}

#[test]
fn words_are_bounded() {
    let text = "qué ".repeat(bounds::UTTERANCE_MAX / 5);
    let tokens = token::tokens(&text);
    let words = Words::of(&tokens);
    assert!(words.more && words.list.len() == WORDS_MAX);
}

/// Words of the table in any order: the most that rules can be made to agree on.
fn jumbled() -> impl Strategy<Value = String> {
    let words: Vec<&str> = rows().iter().flat_map(|row| row.text.split(' ')).collect();
    let word = prop_oneof![8 => proptest::sample::select(words).prop_map(str::to_owned), 1 => any::<String>()];
    proptest::collection::vec(word, 0..40).prop_map(|words| words.join(" "))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// Total; nothing is done at once but what a command's grammar says; what is read keeps to its bounds.
    #[test]
    fn every_jumble_has_a_reading(input in jumbled(), inside in any::<bool>()) {
        let place = if inside { Place::Incident(3) } else { Place::Lobby };
        let tokens = token::tokens(&input);
        match super::plain(&input, &tokens, place) {
            super::Meaning::Asked(ask) => prop_assert!(bounds::within(&ask) && !ask.intent.is_act()),
            super::Meaning::Act(ask) => prop_assert!(bounds::within(&ask) && ask.intent.is_act()),
            super::Meaning::Form(..) | super::Meaning::Which(..) => {}
            super::Meaning::Near(verbs) => prop_assert!(verbs.len() <= super::NEAR_MAX),
        }
        if let Reading::Misread(wrong) = said(&input, place) {
            prop_assert!(!wrong.try_instead.is_empty() || wrong.example.is_some(), "{input}");
        }
    }

    /// A negation in front of it turns every act of the table into none.
    #[test]
    fn no_act_survives_its_negation(at in any::<proptest::sample::Index>(), negation in proptest::sample::select(vec!["no", "don't", "nunca", "never", "todavía no"])) {
        let rows = rows();
        // `don't remind me in 30m` is one way to say it.
        let sayable = |row: &&Row| row.expected.starts_with("act ") && !row.expected.contains("snooze");
        let acts: Vec<&Row> = rows.iter().filter(sayable).collect();
        let row = acts[at.index(acts.len())];
        let text = format!("{negation} {}", row.text);
        let tokens = token::tokens(&text);
        let read = super::plain(&text, &tokens, row.place);
        prop_assert!(!matches!(read, super::Meaning::Act(_)), "{text}: {read:?}");
    }
}
