//! Every ask that fits a button comes back from it, and nothing else does.

use super::*;
use crate::intent::When;
use crate::word::Milestone;
use proptest::prelude::*;

/// Text with everything that is special to the payload, and some that must never be in it.
fn text() -> impl Strategy<Value = String> {
    proptest::string::string_regex("[a-z%|= é漢😀\n\u{202e}\u{0}-]{0,24}").unwrap()
}

fn name() -> impl Strategy<Value = String> {
    prop_oneof![proptest::string::string_regex("[a-zA-Z0-9_.-]{0,12}").unwrap(), text()]
}

fn who() -> impl Strategy<Value = Who> {
    prop_oneof![Just(Who::Me), name().prop_map(Who::Named)]
}

fn due() -> impl Strategy<Value = Due> {
    prop_oneof![
        (0..800_u16).prop_map(Due::InDays),
        (1990..2210_i16, 0..14_u8, 0..33_u8).prop_map(|(year, month, day)| Due::On { year, month, day }),
    ]
}

fn when() -> impl Strategy<Value = When> {
    prop_oneof![
        (0..26_u8, 0..62_u8).prop_map(|(hour, minute)| When::Clock { hour, minute }),
        (1990..2210_i16, 0..14_u8, 0..33_u8, 0..26_u8, 0..62_u8)
            .prop_map(|(year, month, day, hour, minute)| When::On { year, month, day, hour, minute }),
        any::<u32>().prop_map(|minutes| When::Ago { minutes }),
        (0..3_000_u32).prop_map(|minutes| When::Ago { minutes }),
    ]
}

/// What a team does besides.
fn response() -> impl Strategy<Value = Intent> {
    use proptest::option::of;
    let item = prop_oneof![(0..3_u32).prop_map(Item::Task), any::<u32>().prop_map(Item::FollowUp)];
    prop_oneof![
        text().prop_map(|title| Intent::Rename { title }),
        (text(), of(text()), of(text())).prop_map(|(conditions, actions, needs)| Intent::Update {
            conditions,
            actions,
            needs
        }),
        (text(), of(who())).prop_map(|(title, owner)| Intent::Task { title, owner }),
        (0..3_u32).prop_map(|task| Intent::TaskDone { task }),
        (of(item), who()).prop_map(|(item, who)| Intent::Assign { item, who }),
        (0..3_u32).prop_map(|into| Intent::Merge { into }),
        (proptest::sample::select(Milestone::ALL.to_vec()), when())
            .prop_map(|(milestone, when)| Intent::Correct { milestone, when }),
        Just(Intent::MakePrivate),
        (text(), 0..50_000_u32, of(text()), proptest::bool::ANY).prop_map(|(matchers, minutes, comment, anyway)| {
            Intent::Silence { matchers, minutes, comment, anyway }
        }),
        (0..3_u32).prop_map(|silence| Intent::EndSilence { silence }),
    ]
}

fn intent() -> impl Strategy<Value = Intent> {
    use proptest::option::of;
    let severity = || proptest::sample::select(Severity::ALL.to_vec());
    let plan = proptest::string::string_regex("[0-9a-f]{12}").unwrap();
    let acts = prop_oneof![
        (text(), of(severity()), of(name())).prop_map(|(title, severity, service)| Intent::Declare {
            title,
            severity,
            service
        }),
        Just(Intent::Acknowledge),
        (proptest::sample::select(Role::ALL.to_vec()), who()).prop_map(|(role, who)| Intent::TakeRole { role, who }),
        severity().prop_map(|severity| Intent::SetSeverity { severity }),
        (proptest::sample::select(State::ALL.to_vec()), of(text()))
            .prop_map(|(state, note)| Intent::SetState { state, note }),
        text().prop_map(|text| Intent::Note { text }),
        (name(), proptest::collection::vec((name(), text()), 0..3), any::<bool>())
            .prop_map(|(runbook, params, dry)| Intent::Run { runbook, params, dry }),
        (of(any::<u32>()), of(prop_oneof![plan, text()])).prop_map(|(request, plan)| Intent::Approve { request, plan }),
        (of(any::<u32>()), of(text())).prop_map(|(request, reason)| Intent::Deny { request, reason }),
        (who(), of(text())).prop_map(|(who, message)| Intent::Page { who, message }),
        of(any::<u16>()).prop_map(|minutes| Intent::Snooze { minutes }),
        (of(text()), of(text())).prop_map(|(cause, fix)| Intent::Resolve { cause, fix }),
        (any::<bool>(), of(text())).prop_map(|(right, cause)| Intent::Feedback { right, cause }),
        (text(), of(who()), of(due()), of(prop_oneof![Just("https://x.example/%7C".to_owned()), text()]))
            .prop_map(|(title, owner, due, link)| Intent::FollowUp { title, owner, due, link }),
        (0..3_u32).prop_map(|follow_up| Intent::FollowUpDone { follow_up }),
        response(),
    ];
    let asks = prop_oneof![
        any::<bool>().prop_map(|closed| Intent::List { closed }),
        text().prop_map(|query| Intent::Search { query }),
        text().prop_map(|of| Intent::OnCall { of: Some(of) }),
        text().prop_map(|alert| Intent::Explain { alert: Some(alert) }),
        proptest::sample::select(vec![
            Intent::Why,
            Intent::Similar,
            Intent::WhoToCall,
            Intent::OnCall { of: None },
            Intent::Explain { alert: None },
            Intent::Mine,
            Intent::Runbooks,
            Intent::Postmortem,
            Intent::Timeline,
            Intent::CatchUp,
            Intent::Silences
        ]),
        of(name()).prop_map(|verb| Intent::Help { verb }),
    ];
    prop_oneof![3 => acts, 1 => asks]
}

fn ask() -> impl Strategy<Value = Ask> {
    (proptest::option::of(0..=u32::MAX), intent()).prop_map(|(incident, intent)| Ask { incident, intent })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_500))]

    #[test]
    fn what_fits_comes_back(ask in ask()) {
        let long = written(&ask).len();
        match encode(&ask) {
            Some(payload) => {
                prop_assert!(payload.chars().count() <= PAYLOAD_MAX);
                prop_assert!(!payload.chars().any(inert::is_unseen));
                prop_assert_eq!(decode(&payload), Ok(ask.clone()));
            }
            None => prop_assert!(long > PAYLOAD_MAX || !bounds::within(&ask)),
        }
        if let Some(payload) = encode_within(&ask, DECODE_MAX) {
            prop_assert_eq!(decode(&payload), Ok(ask));
        }
    }

    #[test]
    fn anything_else_is_refused(payload in "(sj1\\|)?[0-9]{0,2}\\|(ack|run|note|role|follow-up|approve|x)?[|=%0-9a-zF-]{0,20}") {
        if let Ok(ask) = decode(&payload) {
            prop_assert_eq!(encode(&ask), Some(payload));
        }
    }
}

fn about(incident: u32, intent: Intent) -> Ask {
    Ask { incident: Some(incident), intent }
}

#[test]
fn an_approval_carries_request_and_plan() {
    let ask = about(u32::MAX, Intent::Approve { request: Some(u32::MAX), plan: Some("0123456789ab".to_owned()) });
    assert_eq!(encode(&ask).unwrap(), "sj1|4294967295|approve|4294967295|=0123456789ab");
}

#[test]
fn the_form_is_stable() {
    // Buttons of earlier messages stay in channels for months: a change here needs a new version.
    let params = vec![("service".to_owned(), "checkout|100%".to_owned())];
    for (intent, payload) in [
        (Intent::Acknowledge, "sj1|3|ack"),
        (Intent::TakeRole { role: Role::Commander, who: Who::Me }, "sj1|3|role|ic|"),
        (
            Intent::Run { runbook: "restart".to_owned(), params, dry: true },
            "sj1|3|run|restart|1|service=checkout%7C100%25",
        ),
        (Intent::Deny { request: Some(2), reason: None }, "sj1|3|deny|2|"),
        (Intent::Page { who: Who::Named("bo".to_owned()), message: None }, "sj1|3|page|=bo|"),
        (Intent::Snooze { minutes: Some(90) }, "sj1|3|snooze|90"),
        (Intent::Snooze { minutes: None }, "sj1|3|snooze|"),
        (Intent::Feedback { right: false, cause: None }, "sj1|3|feedback|0|"),
        (Intent::Note { text: "a\nb".to_owned() }, "sj1|3|note|a%0Ab"),
        (Intent::TaskDone { task: 2 }, "sj1|3|task-done|2"),
        (Intent::Assign { item: Some(Item::FollowUp(2)), who: Who::Me }, "sj1|3|assign|F2|"),
        (Intent::Merge { into: 12 }, "sj1|3|merge|12"),
        (Intent::MakePrivate, "sj1|3|private"),
        (
            Intent::Correct { milestone: Milestone::ImpactStarted, when: When::Clock { hour: 9, minute: 58 } },
            "sj1|3|correct|impact|09:58",
        ),
        (Intent::EndSilence { silence: 4 }, "sj1|3|end-silence|4"),
    ] {
        let ask = about(3, intent);
        assert_eq!(encode(&ask).as_deref(), Some(payload));
        assert_eq!(decode(payload), Ok(ask));
    }
}

#[test]
fn what_does_not_fit_is_no_button() {
    let note = |length| about(1, Intent::Note { text: "x".repeat(length) });
    assert_eq!(encode(&note(PAYLOAD_MAX - "sj1|1|note|".len())).map(|p| p.len()), Some(PAYLOAD_MAX));
    assert_eq!(encode(&note(PAYLOAD_MAX)), None);
    assert!(encode_within(&note(PAYLOAD_MAX), DECODE_MAX).is_some());
    assert_eq!(encode_within(&note(DECODE_MAX), usize::MAX), None);
}

#[test]
fn forged_payloads_are_refused() {
    for (payload, why) in [
        ("", Unreadable::OtherVersion),
        ("sj0|3|ack", Unreadable::OtherVersion),
        ("sj12|3|ack", Unreadable::OtherVersion),
        ("sj1|", Unreadable::Malformed),
        ("sj1|3|explode", Unreadable::Malformed),
        ("sj1|3|ack|", Unreadable::Malformed),
        ("sj1|03|ack", Unreadable::Malformed),
        ("sj1|+3|ack", Unreadable::Malformed),
        ("sj1|0|ack", Unreadable::Malformed),
        ("sj1|-1|ack", Unreadable::Malformed),
        ("sj1|4294967296|ack", Unreadable::Malformed),
        ("sj1|3|note|%6", Unreadable::Malformed),
        ("sj1|3|note|%FF", Unreadable::Malformed),
        ("sj1|3|note|%61", Unreadable::Malformed),
        ("sj1|3|note|%é", Unreadable::Malformed),
        ("sj1|3|note|%00", Unreadable::Malformed),
        ("sj1|3|note|", Unreadable::Malformed),
        ("sj1|3|run|../x|0", Unreadable::Malformed),
        ("sj1|3|run|x|0|a=1|a=2", Unreadable::Malformed),
        ("sj1|3|run|x|0|--a=1", Unreadable::Malformed),
        ("sj1|3|run|x|0|a=%E2%80%AE", Unreadable::Malformed),
        ("sj1|3|approve|2|=0123", Unreadable::Malformed),
        ("sj1|3|approve|2|=0123456789AB", Unreadable::Malformed),
        ("sj1|3|follow-up|x|0|=ana||", Unreadable::Malformed),
        ("sj1|3|follow-up|x|0||2w|", Unreadable::Malformed),
        ("sj1|3|follow-up|x|0|||=javascript:x", Unreadable::Malformed),
        ("sj1|3|assign|X1|", Unreadable::Malformed),
        ("sj1|3|assign|T0|", Unreadable::Malformed),
        ("sj1|3|assign|é|", Unreadable::Malformed),
        ("sj1|3|merge|0", Unreadable::Malformed),
        ("sj1|3|merge|", Unreadable::Malformed),
        ("sj1|3|correct|detected|9:58", Unreadable::Malformed),
        ("sj1|3|correct|detected|1h ago", Unreadable::Malformed),
        ("sj1|3|correct|started|09:58", Unreadable::Malformed),
        ("sj1||silence|0||a=b", Unreadable::Malformed),
        ("sj1||silence|60||a=b%0A", Unreadable::Malformed),
    ] {
        assert_eq!(decode(payload), Err(why), "{payload}");
    }
    assert_eq!(decode(&format!("sj1|3|note|{}", "x".repeat(DECODE_MAX))), Err(Unreadable::TooLong));
}

#[test]
fn every_verb_s_example_is_a_button_if_it_is_short() {
    for verb in crate::verb::VERBS {
        let ask = crate::verbs::test::asked(verb.example);
        let payload = encode_within(&ask, DECODE_MAX).unwrap();
        assert_eq!(decode(&payload), Ok(ask), "{}", verb.name);
    }
}
