//! Somebody who never read a document runs a whole incident with the slash command alone, and is told at each step what there is.

use super::{Stage, Way};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_incident_from_slack_alone() {
    let stage = Stage::set(Way::Socket, "").await;
    let cleo = stage.slack.user("cleo");

    // Nothing but the command: a form.
    cleo.types("/incident", "general").await;
    insta::assert_snapshot!("form_to_declare", stage.steady(&stage.form("cleo").await));
    cleo.dismisses().await;

    // A word nobody knows, and free text: never silence.
    cleo.types("/incident declar", "general").await;
    stage.told("cleo", "declare").await;
    cleo.types("/incident help", "general").await;
    let help = stage.told("cleo", "search").await;
    assert!(help.contains("declare") && help.contains("on-call"), "{help}");

    cleo.types("/incident declare checkout returns 500s since 10:02", "general").await;
    let room = stage.room("inc-1-checkout-returns-500s").await;
    stage.told("cleo", "INC-1").await;
    // Whoever declares is asked in.
    stage.sees("cleo", &room).await;

    // In its channel the command manages this one.
    for (words, shown) in [
        ("/incident ack", "Cleo Park acknowledged"),
        ("/incident lead", "Cleo Park is incident commander"),
        ("/incident sev 2", "SEV2"),
        ("/incident status identified a bad config was rolled out", "identified"),
        ("/incident note the gateway logs show timeouts", "Noted in the timeline of INC-1"),
        ("/incident task Ask the database team owner:@bo", "Ask the database team"),
    ] {
        cleo.types(words, &room).await;
        stage.sees("cleo", shown).await;
    }

    // Questions in plain words, in two languages, by the command and by a mention.
    cleo.types("/incident who should I call?", &room).await;
    stage.told("cleo", "ho to call").await;
    let asked = cleo.says("@smokejumper ¿ha pasado antes?", &room, None);
    stage.sees("cleo", "INC-1").await;
    let _ = asked;

    cleo.types("/incident resolve", &room).await;
    stage.form("cleo").await;
    cleo.fills("What caused it", "a bad config").fills("What fixed it", "rolled it back");
    assert_eq!(cleo.submits().await, []);
    stage.sees("cleo", "SEV2 · resolved").await;
    cleo.types("/incident postmortem", &room).await;
    let postmortem = stage.told("cleo", "Postmortem INC-1").await;
    assert!(
        postmortem.contains("a bad config") && postmortem.contains("the gateway logs show timeouts"),
        "{postmortem}"
    );
    cleo.types("/incident feedback yes", &room).await;

    // Somebody the configuration does not know may declare, and is told what he may not.
    let dan = stage.slack.user("dan");
    dan.types("/incident declare the printer is on fire", "general").await;
    let other = stage.room("inc-2-").await;
    stage.sees("dan", &other).await;
    dan.types("/incident run rollback-release", &other).await;
    stage.told("dan", "No: ").await;
    assert_eq!(cleo.notices(), Vec::<String>::new());
    stage.bot.assert_calm();
}
