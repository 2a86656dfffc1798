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
      `mine` - your incidents and tasks, and what waits for your approval
      `silence <matchers> <duration> [why], or: list, or: end S-1` - keep matching
        alerts from opening or joining incidents for a while

    Respond
      `ack` - say that you are on it
      `lead [@person]` - take the lead, or give it to somebody
      `role <commander|comms|ops|scribe> [@person]` - take a role, or give it to
        somebody
      `sev <1-4>` - set the severity; 1 is the worst
      `status <state> [why]` - say where it stands: investigating, identified,
        mitigated, monitoring, and so on
      `update <how it stands> [actions: <text>] [needs: <text>]` - tell everybody
        how it stands, what is being done, and what is needed
      `note <text>` - put something on the timeline
      `task <what to do> [owner:@person], or: done T-1` - write down what is to be
        done now, or mark it as done
      `assign <@person> [T-1 | F-1]` - bring somebody in, or give them a task or
        follow-up
      `page <@person|team> [message]` - reach a person, or whoever of a team is on
        call, by phone
      `snooze <30m|60m|90m|stop>` - be left alone with reminders of updates for a
        while, or from now on
      `rename <title>` - give it a better title
      `merge <INC-n>` - make this incident a part of another one
      `private` - hide it from everybody who is not in it; there is no way back

    Understand
      `card` - where it stands, all in one place
      `catch-up` - what matters since you were last here; only you see it
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
      `correct <impact|detected|declared|acknowledged|identified|mitigated|resolved>
        <time>` - correct when something happened; times are UTC
      `postmortem` - the postmortem draft
      `close [why]` - say that nothing is left to do
      `reopen [why]` - say that it is not over after all
      `decline [why]` - say that it never was an incident; there is no way back
      `cancel [why]` - say that it was opened by mistake; there is no way back

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
      `mine` - your incidents and tasks, and what waits for your approval
      `silence <matchers> <duration> [why], or: list, or: end S-1` - keep matching
        alerts from opening or joining incidents for a while

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
      ack, lead, role, sev, status, update, note, task, assign, page, snooze,
        rename, merge, private, card, catch-up, why, similar, who, timeline, run,
        deny, resolve, feedback, follow-up, correct, postmortem, close, reopen,
        decline, cancel
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
      `mine` - your incidents and tasks, and what waits for your approval

    Understand
      `card` - where it stands, all in one place
      `catch-up` - what matters since you were last here; only you see it
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
