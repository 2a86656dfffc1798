//! Readings in the lobby and in an incident; and that there is always one.

use super::*;
use crate::inert;
use crate::text;
use crate::verb::VERBS;
use crate::verbs::test::{asked, misread, said, shown};
use crate::word::Severity;
use proptest::prelude::*;

fn clear(text: &str, place: Place) -> Ask {
    match said(text, place) {
        Reading::Clear(ask) => ask,
        other => panic!("{text}: {other:?}"),
    }
}

fn confirmed(text: &str) -> (Intent, String) {
    match said(text, Place::Lobby) {
        Reading::Confirm { ask: Ask { incident: None, intent }, because } => (intent, because),
        other => panic!("{text}: {other:?}"),
    }
}

fn declared(title: &str) -> Intent {
    Intent::Declare { title: title.to_owned(), severity: None, service: None }
}

#[test]
fn nothing_said() {
    for text in ["", "  \n", "\u{feff}\u{200b}"] {
        assert_eq!(clear(text, Place::Lobby), Ask { incident: None, intent: Intent::List { closed: false } });
        assert_eq!(clear(text, Place::Incident(3)), Ask { incident: Some(3), intent: Intent::Card });
    }
    assert_eq!(clear("INC-12", Place::Lobby), Ask { incident: Some(12), intent: Intent::Card });
}

#[test]
fn a_number_before_or_after_the_verb_wins() {
    for text in ["ack INC-12", "INC-12 ack", "inc-12: Ack!", "acknowledge Inc-12"] {
        for place in [Place::Lobby, Place::Incident(3)] {
            assert_eq!(clear(text, place), Ask { incident: Some(12), intent: Intent::Acknowledge }, "{text}");
        }
    }
    assert_eq!(asked("ack").incident, Some(3));
    assert_eq!(clear("runbooks", Place::Lobby).incident, None);
    assert_eq!(clear("runbooks inc-4", Place::Lobby).incident, Some(4));
}

#[test]
fn an_unnamed_incident() {
    insta::assert_snapshot!(shown("sev 2", Place::Lobby), @r#"
    I did not understand that

      Which incident? Name it after the command, or say this in the incident's channel.

    Did you mean
      `sev INC-12 2`
      `list`
    "#);
    insta::assert_snapshot!(shown("ack #12", Place::Lobby), @r#"
    I did not understand that

      Write the incident as INC-12; `#12` could be anything.

    Did you mean
      `ack INC-12`
    "#);
    assert!(shown("ack INC-0", Place::Lobby).contains("There is no incident `INC-0`"));
    assert!(misread("INC-99999999999 ack").contains("There is no incident"));
    assert!(misread("INC-4 ack INC-5").contains("Nothing more can follow `ack`, but there is `INC-5`"));
    assert!(misread("INC-4 list").contains("`list` is not about one incident"));
}

#[test]
fn free_text_in_the_lobby_is_confirmed() {
    assert_eq!(confirmed("checkout is down").0, declared("checkout is down"));
    let (intent, _) = confirmed("checkout is down sev:1 service:checkout ```trace```");
    let severity = Some(Severity::Sev1);
    assert_eq!(
        intent,
        Intent::Declare { title: "checkout is down".to_owned(), severity, service: Some("checkout".to_owned()) }
    );
    let (intent, because) = confirmed(&"wide ".repeat(60));
    assert!(
        matches!(intent, Intent::Declare { title, .. } if title.chars().count() <= bounds::TITLE_MAX && title.ends_with('…'))
    );
    assert!(because.contains("shortened"));
}

#[test]
fn free_text_that_begins_nearly_like_a_verb() {
    assert_eq!(confirmed("delcare checkout is down").0, declared("checkout is down"));
    let (intent, because) = confirmed("lost packets in eu-west");
    assert_eq!(intent, declared("lost packets in eu-west"));
    assert!(because.contains("If you meant the command list"), "{because}");
}

#[test]
fn text_that_begins_with_a_verb_may_be_an_outage() {
    let said = shown("status page is down", Place::Lobby);
    assert!(said.contains("`declare status page is down`"), "{said}");
    let said = shown("help checkout is down", Place::Lobby);
    assert!(said.contains("`declare help checkout is down`"), "{said}");
}

#[test]
fn a_single_unknown_word() {
    insta::assert_snapshot!(shown("reslove", Place::Lobby), @r#"
    I did not understand that

      There is no command `reslove`.
      Example: `declare checkout returns 500s`

    Did you mean
      `resolve INC-12 [cause: <text>] [fix: <text>]`
    "#);
    insta::assert_snapshot!(shown("banana", Place::Lobby), @r#"
    I did not understand that

      There is no command `banana`.
      Example: `declare checkout returns 500s`

    Did you mean
      `list [closed]`
      `declare <what is wrong> [sev:1-4] [service:<name>]`
      `help [command]`
    "#);
    insta::assert_snapshot!(misread("akc"), @r#"
    I did not understand that

      There is no command `akc`.

    Did you mean
      `ack`
    "#);
}

#[test]
fn unknown_text_in_an_incident_gets_the_nearest_verbs() {
    insta::assert_snapshot!(misread("the timeline of last week looks odd somehow, doesn't it"), @r#"
    I did not understand that

      That is no command, and I am not sure what it asks.

    Did you mean
      `timeline`
      `why`
      `who`
      `help [command]`
      `note the timeline of last week looks odd somehow, doesn't it`
    "#);
    assert!(shown("akc INC-12", Place::Lobby).contains("`ack`"));
    assert!(shown("INC-12 it broke again", Place::Lobby).contains("`note it broke again`"));
}

#[test]
fn questions_in_plain_words() {
    assert_eq!(asked("why is checkout down?").intent, Intent::Why);
    assert_eq!(asked("Who can help with the database?").intent, Intent::WhoToCall);
}

#[test]
fn code_fences_are_silent() {
    assert!(misread("```resolve```").contains("code block"));
    assert!(shown("```\ndeclare x\n```", Place::Lobby).contains("code block"));
    assert!(matches!(said("it said ```ack``` twice", Place::Incident(3)), Reading::Misread(_)));
}

#[test]
fn positions_are_characters() {
    let Reading::Misread(wrong) = said("señal\u{301}", Place::Incident(3)) else { panic!() };
    assert_eq!(wrong.at, Some(0..6));
    let Reading::Misread(wrong) = said("sev ñ", Place::Incident(3)) else { panic!() };
    assert_eq!(wrong.at, Some(4..5));
}

#[test]
fn too_long_is_said() {
    assert!(misread(&"é".repeat(bounds::UTTERANCE_MAX + 1)).contains("longer than 4000 characters"));
    assert_eq!(asked(&format!("note {}", "é".repeat(bounds::UTTERANCE_MAX - 5))).incident, Some(3));
}

/// Every reading is harmless: within bounds, or a misreading that says something and can be shown.
fn check(input: &str, place: Place) {
    match said(input, place) {
        Reading::Clear(ask) => assert!(bounds::within(&ask), "{input:?} {ask:?}"),
        Reading::Confirm { ask, because } => {
            assert!(bounds::within(&ask), "{input:?} {ask:?}");
            assert!(place == Place::Lobby || ask.intent.is_act(), "{input:?} {ask:?}");
            assert!(!because.chars().any(inert::is_unseen));
        }
        Reading::Misread(wrong) => {
            let page = text::render(&wrong.to_reply(), 80);
            assert!(page.lines().count() >= 3, "{page}");
            assert!(!page.chars().any(|c| c != '\n' && inert::is_unseen(c)), "{page:?}");
            if let Some(at) = wrong.at {
                assert!(at.start < at.end && at.end <= input.chars().count(), "{input:?} {at:?}");
            }
        }
    }
}

#[test]
fn a_corpus_of_bad_input() {
    let corpus = [
        "\0",
        "\u{1b}[2J",
        "\u{202e}kca",
        "a\u{200b}ck",
        "```",
        "``````",
        "```ack",
        "\"",
        "“",
        "''",
        "=",
        ":",
        "==",
        "a=",
        "=b",
        "--",
        "—",
        "INC-",
        "inc-1-2",
        "INC-١٢",
        "INC-12INC-13",
        "@",
        "<@>",
        "<@|>",
        "<!channel>",
        "@everyone",
        "run x a=\"",
        "run x =b",
        "run x a=\"\\",
        "follow-up done",
        "follow-up done F-",
        "follow-up F-99999999999 done",
        "follow-up x due:",
        "follow-up x owner: due:",
        "declare sev:",
        "declare service:",
        "declare \"\"",
        "declare ''",
        "declare \u{202e}",
        "search \u{200b}",
        "note \u{7f}",
        "resolve cause:",
        "resolve fix=\"a",
        "approve 4294967296",
        "deny 00",
        "sev sev",
        "status \u{202e}",
        "help ```ack```",
        "? ? ?",
        "!!!",
        "INC-1 INC-2 INC-3",
        "\u{feff}INC-1 ",
        "SEV２",
        "ＡＣＫ",
        "ack\u{a0}INC-1",
        "feedback right cause:",
        "feedback right cause",
        "role \u{0}",
        "lead \u{202e}ana",
        "list\u{2028}closed",
        "resolve cause: \u{202e}",
        "follow-up x link:https://\u{202e}",
        "declare x service:\u{202e}",
        "İİİ",
        "ß",
        "\u{1f468}\u{200d}\u{1f469}",
        "status resolved \u{202e}",
        "deny \u{200b}",
        "feedback no \u{200b}",
    ];
    for input in corpus {
        for place in [Place::Lobby, Place::Incident(3)] {
            check(input, place);
            check(&input.repeat(50), place);
        }
    }
}

fn utterance() -> impl Strategy<Value = String> {
    let mut pieces: Vec<&str> =
        VERBS.iter().flat_map(|verb| std::iter::once(verb.name).chain(verb.aliases.iter().copied())).collect();
    pieces.extend([
        "INC-12",
        "inc-0",
        "#4",
        "@ana",
        "<@U1|x>",
        "a=b",
        "a=\"b c\"",
        "a=\"",
        "sev:1",
        "sev:",
        "service:x",
        "cause:",
        "fix:",
        "owner:@me",
        "due:3d",
        "due:",
        "link:https://x",
        "done",
        "F-1",
        "right",
        "no",
        "identified",
        "comms",
        "closed",
        "--dry",
        "2",
        "```",
        "\"",
        "\u{202e}",
        "\u{200b}",
        "\u{1b}[31m",
        "\n",
        "é",
        "word",
        "",
    ]);
    let piece = prop_oneof![4 => proptest::sample::select(pieces).prop_map(str::to_owned), 1 => any::<String>()];
    let glue = proptest::sample::select(vec![" ", " ", " ", "", "\n", "\u{a0}"]);
    proptest::collection::vec((piece, glue), 0..10)
        .prop_map(|pieces| pieces.into_iter().map(|(piece, glue)| piece + glue).collect())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_500))]

    #[test]
    fn every_text_has_a_reading(input in utterance(), inside in any::<bool>()) {
        check(&input, if inside { Place::Incident(3) } else { Place::Lobby });
    }

    #[test]
    fn any_string_at_all(input in any::<String>()) {
        check(&input, Place::Lobby);
        check(&input, Place::Incident(3));
    }
}
