//! I25, F35: secrets reach the process that needs them, by its environment, and nobody else.

use super::bench::{Bench, CANARY, output};
use landlock::{Access, AccessFs, CompatLevel, Compatible, Ruleset, RulesetAttr};
use smokejumper::flow::fact::Ended;

#[tokio::test]
async fn a_secret_reaches_the_process_and_no_output_or_argument() {
    let bench = Bench::new();
    let seen = bench.free("seen");
    bench.script(
        "run.sh",
        "#!/bin/sh\nprintf %s \"$TOKEN\" > \"$SEEN\"\necho \"token is $TOKEN.\"\necho \"$TOKEN\" | od -c | head -1\n\
         # Every ancestor's arguments, the supervisor's and the bot's included.\n\
         pid=$$; while [ \"$pid\" -gt 1 ]; do tr '\\0' ' ' < /proc/$pid/cmdline; echo\n\
         pid=$(sed -n 's/^PPid:[[:space:]]*//p' /proc/$pid/status); done\n",
    );
    let book = "[[steps]]\nexec = [\"./run.sh\"]\nenv = { TOKEN = { secret = \"token\" }, SEEN = \"@SEEN@\" }\n";
    let plan = bench.plan(&book.replace("@SEEN@", seen.to_str().unwrap()), &[]);
    assert!(!serde_json::to_string(&plan).unwrap().contains(CANARY) && !plan.shown().concat().contains(CANARY));
    let outcome = bench.run(&plan).await;
    assert_eq!(outcome.ended, Ended::Succeeded);
    assert_eq!(std::fs::read_to_string(&seen).unwrap(), CANARY);
    let out = output(&outcome);
    assert!(out.head.contains("token is [redacted].") && out.head.contains(" supervise "), "{}", out.head);
    assert!(!format!("{outcome:?}").contains(CANARY));
}

#[tokio::test]
async fn a_secret_that_is_not_configured_starts_nothing() {
    let bench = Bench::new();
    let plan = bench.plan("[[steps]]\nexec = [\"/bin/true\"]\nenv = { A = { secret = \"other\" } }\n", &[]);
    let outcome = bench.run(&plan).await;
    assert_eq!(outcome.ended, Ended::NotStarted { why: "the secret `other` is not configured".to_owned() });
}

#[tokio::test]
async fn well_known_credentials_are_taken_out_of_output() {
    let bench = Bench::new();
    let key = ["AKIA", "IOSFODNN7EXAMPLE"].concat();
    let plan = bench.shell(&format!("echo key={key}; echo 'Authorization: Bearer abcdef0123456789'; exit 1"), "5s");
    let outcome = bench.run(&plan).await;
    assert_eq!(output(&outcome).head, "key=[redacted]\nAuthorization: Bearer [redacted]\n");
}

#[tokio::test]
async fn the_bots_own_data_is_out_of_reach_where_the_kernel_can_hold_it() {
    let rights = AccessFs::from_all(landlock::ABI::V1);
    let ruleset = Ruleset::default().set_compatibility(CompatLevel::HardRequirement).handle_access(rights);
    let held = ruleset.and_then(Ruleset::create).is_ok();
    let bench = Bench::new();
    std::fs::write(bench.data().join("journal"), "facts").unwrap();
    let body = format!(
        "echo ok > {free} && cat {free}\ncat {data}/journal\necho forged >> {data}/journal\nls {data}",
        free = bench.free("x").display(),
        data = bench.data().display()
    );
    let outcome = bench.run(&bench.shell(&body, "5s")).await;
    let out = &output(&outcome).head;
    assert!(out.starts_with("ok\n"), "what lies beside is free: {out}");
    if held {
        assert_eq!(out.lines().filter(|line| line.contains("Permission denied")).count(), 3, "{out}");
        assert_eq!(std::fs::read_to_string(bench.data().join("journal")).unwrap(), "facts");
    } else {
        println!("this kernel has no Landlock: reach is not limited here");
    }
}
