//! Text from outside through everything that shows it (F29): nobody is called, nothing is linked or unfurled, and no block is
//! there that is not ours. The fake looks into every request; here is what it must find harmless.

use super::{Stage, Way};
use crate::process::ledger::settled;
use crate::world::slack::puppet::other_bot;
use serde_json::json;
use smokejumper::edges::clock::WallClock;
use smokejumper::ports::Clock as _;
use std::time::Duration;

/// What outside text tries.
const HOSTILE: &[&str] = &[
    "<!channel>",
    "<!here|look>",
    "<!subteam^S0ONCALL>",
    "<@UANA00001>",
    "*pwned*",
    "_slanted_",
    ":rotating_light:",
    "https://evil.example/track?who=you",
    "<https://evil.example/x|click here>",
    "<mailto:root@evil.example|write>",
    "&lt;!everyone&gt;",
    "</script><b>",
];

/// All of it, after words by which it is found again.
fn all(words: &str) -> String {
    format!("{words} {}", HOSTILE.join(" "))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hostile_text_is_shown_and_does_nothing() {
    let stage = Stage::set(Way::Socket, "announce = \"incidents\"\n").await;
    stage.slack.hostile(HOSTILE);
    stage.slack.group("S0ONCALL", "oncall", &["ana", "bo"]);
    let (ana, bo) = (stage.slack.user("ana"), stage.slack.user("bo"));

    let bad = |words: &str| all(words).chars().take(250).collect::<String>();
    let labels = json!({
        "alertname": bad("Alert"), "service": "checkout", "severity": "critical", "instance": bad("instance"),
    });
    let body = json!({
        "version": "4", "groupKey": bad("group"), "truncatedAlerts": 0, "status": "firing", "receiver": "smokejumper",
        "groupLabels": labels, "commonLabels": labels, "commonAnnotations": {}, "externalURL": "http://127.0.0.1:9093",
        "alerts": [{
            "status": "firing", "labels": labels, "startsAt": WallClock.now().rfc3339(), "endsAt": "0001-01-01T00:00:00Z",
            "annotations": { "summary": all("summary"), "description": all("description") },
            "generatorURL": "http://127.0.0.1:9090/graph", "fingerprint": "bad0bad0bad0bad0",
        }],
    });
    stage.posts(&body).await;
    let room = stage.room("inc-1-").await;
    stage.clicks("bo", &room, "Acknowledge").await;
    ana.joins(&room);
    stage.told("ana", "Catch-up on INC-1").await;

    for (words, shown) in [
        ("note", "Noted"),
        ("task", "T-1"),
        ("follow-up", "F-1"),
        ("status identified", "identified now"),
        ("rename", "renamed"),
        ("search", "renamed"),
        ("nonsense-that-nobody-understands", "renamed"),
    ] {
        ana.types(&format!("/incident {words} {}", all(shown)), &room).await;
    }
    for (words, shown) in
        [("why", "Why, for INC-1"), ("who", "Who to call"), ("timeline", "Timeline"), ("catch-up", "Catch-up")]
    {
        ana.types(&format!("/incident {words}"), &room).await;
        stage.told("ana", shown).await;
    }
    bo.opens_home();
    ana.opens_home();
    stage.home("bo", "INC-1").await;
    // What a program says is no word of a person's, whoever it calls.
    other_bot(&stage.slack, &room, "@smokejumper resolve");
    let kept = bo.says(&all("kept"), &room, None);
    ana.message_shortcut(&room, &kept, "Add to timeline").await;
    stage.told("ana", "Kept in the timeline").await;
    // Forms bring such text back in their fields.
    let from = bo.says(&all("from"), "general", None);
    ana.message_shortcut("general", &from, "Declare from this").await;
    let form = stage.form("ana").await;
    assert!(form.contains("*pwned*"), "{form}");
    assert_eq!(ana.submits().await, []);
    stage.room("inc-2-").await;
    ana.dismisses().await;
    ana.types("/incident update", &room).await;
    stage.form("ana").await;
    for field in ["How it stands", "What is being done (optional)", "What is needed (optional)"] {
        ana.fills(field.trim_end_matches(" (optional)"), &all(field));
    }
    assert_eq!(ana.submits().await, []);
    ana.dismisses().await;
    assert!(!ana.sees_pinned(&room).contains("*resolved*"), "a program resolved it");
    ana.types("/incident resolve", &room).await;
    stage.form("ana").await;
    ana.fills("What caused it", &all("cause")).fills("What fixed it", &all("fix"));
    assert_eq!(ana.submits().await, []);
    stage.pinned(&room, "*resolved*").await;
    ana.types("/incident postmortem", &room).await;
    stage.told("ana", "Postmortem INC-1").await;
    settled(&stage.bot, Duration::from_mins(2)).await;
    // It was shown, so there was something to find.
    for text in [
        ana.sees_pinned(&room),
        ana.reads(&room),
        ana.reads("incidents"),
        ana.was_told().join("\n"),
        bo.sees_home().unwrap(),
    ] {
        assert!(text.contains("<!channel>") && text.contains("*pwned*"), "{text}");
    }
    stage.bot.assert_calm();
}
