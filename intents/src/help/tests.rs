//! Help as a person sees it.

use super::*;
use crate::text::render;

#[test]
fn an_approver_in_an_incident() {
    insta::assert_snapshot!(render(&help(Right::Approver, Place::Incident(3), None), 80), @r#"
    What you can do in INC-3

    Start and find
      `declare <what is wrong> [sev:1-4] [service:<name>]` - open an incident
      `list [closed]` - the open incidents, or the closed ones
      `search <words>` - find past incidents by words

    Respond
      `ack` - say that you are on it
      `lead [@person]` - take the lead, or give it to somebody
      `role <commander|comms|ops|scribe> [@person]` - take a role, or give it to
        somebody
      `sev <1-4>` - set the severity; 1 is the worst
      `status <state> [why]` - say where it stands: investigating, identified,
        mitigated, monitoring, and so on
      `note <text>` - put something on the timeline
      `page <@person|team> [message]` - reach a person, or whoever of a team is on
        call, by phone
      `snooze <30m|60m|90m|stop>` - be left alone with reminders of updates for a
        while, or from now on

    Understand
      `card` - where it stands, all in one place
      `why` - the probable cause, with its evidence
      `similar` - past incidents like this one, and what fixed them
      `who` - who can help best, and why
      `on-call [service, @person or schedule]` - who is on call now, until when, and
        who is next
      `explain [alert's name or fingerprint]` - why alerts were routed, grouped or
        silenced as they were
      `timeline` - what happened, in order

    Repair
      `runbooks` - the runbooks, and how often each one worked
      `run <runbook> [name=value ...] [--dry]` - ask for a runbook to be run; --dry
        only shows what it would do
      `approve [number of the request] [plan:<hash>]` - let a requested run go ahead
      `deny [number of the request] [reason]` - refuse a requested run

    Finish and learn
      `resolve [cause: <text>] [fix: <text>]` - say that it is over, and what it was
      `feedback <right|wrong> [what it was]` - say whether the suggested cause was
        right
      `follow-up <what to do> [owner:@person] [due:<day>] [link:<url>], or: done
        F-1` - write down what prevents the next one, or mark it as done
      `postmortem` - the postmortem draft

    Help
      `help [command]` - what you can do here, or all about one command
    "#);
}

#[test]
fn a_responder_in_the_lobby() {
    insta::assert_snapshot!(render(&help(Right::Responder, Place::Lobby, None), 80), @r#"
    What you can do here

    Start and find
      `declare <what is wrong> [sev:1-4] [service:<name>]` - open an incident
      `list [closed]` - the open incidents, or the closed ones
      `search <words>` - find past incidents by words

    Understand
      `on-call [service, @person or schedule]` - who is on call now, until when, and
        who is next
      `explain [alert's name or fingerprint]` - why alerts were routed, grouped or
        silenced as they were

    Repair
      `runbooks` - the runbooks, and how often each one worked

    Help
      `help [command]` - what you can do here, or all about one command

    About one incident
      ack, lead, role, sev, status, note, page, snooze, card, why, similar, who,
        timeline, run, deny, resolve, feedback, follow-up, postmortem
      In its channel, or with its number: `ack INC-12`
    "#);
}

#[test]
fn a_viewer_sees_no_act() {
    insta::assert_snapshot!(render(&help(Right::Viewer, Place::Incident(3), None), 80), @r#"
    What you can do in INC-3

    Start and find
      `list [closed]` - the open incidents, or the closed ones
      `search <words>` - find past incidents by words

    Understand
      `card` - where it stands, all in one place
      `why` - the probable cause, with its evidence
      `similar` - past incidents like this one, and what fixed them
      `who` - who can help best, and why
      `on-call [service, @person or schedule]` - who is on call now, until when, and
        who is next
      `explain [alert's name or fingerprint]` - why alerts were routed, grouped or
        silenced as they were
      `timeline` - what happened, in order

    Repair
      `runbooks` - the runbooks, and how often each one worked

    Finish and learn
      `postmortem` - the postmortem draft

    Help
      `help [command]` - what you can do here, or all about one command
    "#);
}

#[test]
fn one_verb() {
    insta::assert_snapshot!(render(&help(Right::Responder, Place::Lobby, Some("Approve")), 80), @r#"
    `approve [number of the request] [plan:<hash>]` - let a requested run go ahead

      Example: `approve 2`
      Also: `approved`
      Here you name the incident: `approve INC-12 [number of the request]
        [plan:<hash>]`
      It needs the right of an approver; you are a responder.
    "#);
    insta::assert_snapshot!(render(&help(Right::Admin, Place::Incident(3), Some("followup")), 80), @r#"
    `follow-up <what to do> [owner:@person] [due:<day>] [link:<url>], or: done F-1`
    - write down what prevents the next one, or mark it as done

      Example: `follow-up Add a pool-size alert owner:@ana due:2026-12-01`
      Also: `followup`
    "#);
}

#[test]
fn an_unknown_verb_gets_the_nearest() {
    insta::assert_snapshot!(render(&help(Right::Viewer, Place::Lobby, Some("timelin\u{202e}")), 80), @r#"
    I did not understand that

      There is no command `timelin`.
      Example: `help ack`

    Did you mean
      `help timeline`
    "#);
}

#[test]
fn help_shows_exactly_what_the_right_allows() {
    for right in [Right::Viewer, Right::Responder, Right::Approver, Right::Admin] {
        let shown = render(&help(right, Place::Incident(3), None), 200);
        for verb in VERBS {
            assert_eq!(
                shown.contains(&format!("`{}`", verb.synopsis_of_use())),
                verb.needs <= right,
                "{} {right:?}",
                verb.name
            );
        }
    }
}
