//! I15, I18, F25: only what was approved runs, and it runs once.

use super::bench::{Bench, leave, output, settings};
use crate::world::wait::ends;
use smokejumper::edges::runner::{Hands, MayAct, Settings};
use smokejumper::flow::fact::Ended;
use smokejumper::flow::plan::Step;
use smokejumper::ports::Runner;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

#[tokio::test]
async fn a_file_that_changed_after_approval_does_not_run() {
    let bench = Bench::new();
    let ran = bench.free("ran");
    let plan = bench.shell(&format!("touch {}", ran.display()), "5s");
    let (first, second) = (bench.approved(&plan).await, bench.approved(&plan).await);
    // Before the flow looks: it gives no leave.
    bench.script("run.sh", &format!("#!/bin/sh\ntouch {}; echo evil\n", ran.display()));
    assert!(bench.poised(&plan, bench.hands.freshen(&plan).await).is_none());
    // After the flow looked: the supervisor refuses.
    let outcome = bench.hands.run(first).await;
    assert!(
        matches!(&outcome.ended, Ended::NotStarted { why } if why.contains("is not what was approved")),
        "{outcome:?}"
    );
    std::fs::remove_file(bench.books().join("run.sh")).unwrap();
    assert!(bench.hands.freshen(&plan).await.is_empty());
    let outcome = bench.hands.run(second).await;
    assert!(matches!(&outcome.ended, Ended::NotStarted { why } if why.contains("cannot be read")), "{outcome:?}");
    assert!(!ran.exists());
}

#[tokio::test]
async fn a_swapped_link_and_a_swapped_argument_are_noticed() {
    let bench = Bench::new();
    let link = bench.books().join("tool");
    symlink("/bin/true", &link).unwrap();
    let plan = bench.plan("[[steps]]\nexec = [\"./tool\"]\n", &[]);
    let approved = bench.approved(&plan).await;
    std::fs::remove_file(&link).unwrap();
    symlink("/bin/false", &link).unwrap();
    assert!(matches!(bench.hands.run(approved).await.ended, Ended::NotStarted { .. }));

    bench.script("by.sh", "echo good\n");
    let plan = bench.plan("[[steps]]\nexec = [\"/bin/sh\", \"./by.sh\"]\n", &[]);
    let approved = bench.approved(&plan).await;
    bench.script("by.sh", "echo evil\n");
    assert!(matches!(bench.hands.run(approved).await.ended, Ended::NotStarted { .. }));
}

/// The interpreter reads a script while it runs; what is written into the file meanwhile must not be executed.
#[tokio::test]
async fn a_script_that_changes_while_it_runs_stays_what_it_was() {
    let bench = Bench::new();
    let path = bench.books().join("run.sh");
    let body = format!(
        "printf 'echo evil\\n' >> {0}\nprintf '#!/bin/sh\\necho evil; exit\\n' > {0}\necho good",
        path.display()
    );
    let outcome = bench.run(&bench.shell(&body, "5s")).await;
    assert_eq!((&outcome.ended, output(&outcome).head.as_str()), (&Ended::Succeeded, "good\n"));
}

#[tokio::test]
async fn a_request_runs_once_even_when_the_database_forgot_it() {
    let bench = Bench::new();
    let count = bench.free("count");
    let plan = bench.shell(&format!("echo once >> {}", count.display()), "5s");
    let files = bench.hands.freshen(&plan).await;
    let again = || leave(&bench.books(), &plan, 1, files.clone()).unwrap();
    assert_eq!(bench.hands.run(again()).await.ended, Ended::Succeeded);
    // A process that knows nothing but the folder of tokens, as after a restored backup.
    let restored = Arc::new(Hands::new(settings(&bench.data())).unwrap());
    let many: Vec<_> = (0..8).map(|_| (restored.clone(), again())).collect();
    let many = futures::future::join_all(many.into_iter().map(|(hands, leave)| async move { hands.run(leave).await }));
    for outcome in ends("repeated runs", many).await {
        assert!(matches!(&outcome.ended, Ended::Unknown { why } if why.contains("started before")), "{outcome:?}");
    }
    assert_eq!(std::fs::read_to_string(&count).unwrap(), "once\n");
}

#[tokio::test]
async fn what_cannot_be_recorded_is_not_started() {
    let bench = Bench::new();
    let ran = bench.free("ran");
    std::fs::write(bench.data().join("runs"), "in the way").unwrap();
    let outcome = bench.run(&bench.shell(&format!("touch {}", ran.display()), "5s")).await;
    assert!(matches!(&outcome.ended, Ended::NotStarted { why } if why.contains("cannot be recorded")), "{outcome:?}");
    assert!(!ran.exists());
}

#[tokio::test]
async fn the_first_step_that_fails_is_the_last() {
    let bench = Bench::new();
    let book = "[[steps]]\nexec = [\"/bin/echo\", \"one\"]\n[[steps]]\nexec = [\"/bin/false\"]\n[[steps]]\nexec = [\"/bin/echo\", \"three\"]\n";
    let outcome = bench.run(&bench.plan(book, &[])).await;
    assert_eq!(outcome.ended, Ended::Failed { step: 2, why: "exit code 1".to_owned() });
    assert_eq!(outcome.steps.iter().map(|step| step.code).collect::<Vec<_>>(), [Some(0), Some(1)]);
}

#[tokio::test]
async fn a_program_that_cannot_start_says_so() {
    let bench = Bench::new();
    // The C library would hand these to a shell.
    for body in
        ["echo not a program", "#!\necho no interpreter", "#!sh\necho", "#!/no/such/interpreter\n", "\x7fELF", ""]
    {
        bench.script("data", body);
        let outcome = bench.run(&bench.plan("[[steps]]\nexec = [\"./data\"]\n", &[])).await;
        assert!(
            matches!(&outcome.ended, Ended::NotStarted { why } if why.contains("neither a program")),
            "{outcome:?}"
        );
    }
    let script = bench.script("data", "#!/bin/sh\n");
    std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o644)).unwrap();
    let mut plan = bench.plan("[[steps]]\nexec = [\"./data\"]\n", &[]);
    let outcome = bench.run(&plan).await;
    assert!(matches!(&outcome.ended, Ended::NotStarted { why } if why.contains("not executable")), "{outcome:?}");
    // A program that no digest speaks of, as no catalogue would make it.
    let Step::Exec { argv, .. } = &mut plan.steps[0] else { panic!("a program") };
    argv[0] = "/bin/true".to_owned();
    let outcome = bench.run(&plan).await;
    assert!(
        matches!(&outcome.ended, Ended::NotStarted { why } if why.contains("not among the approved files")),
        "{outcome:?}"
    );
}

/// Another process may have taken over: what has not begun does not begin, at whichever step that is noticed.
#[tokio::test]
async fn nothing_begins_when_the_lease_may_be_lost() {
    let bench = Bench::new();
    let book = "[[steps]]\nexec = [\"/bin/echo\", \"one\"]\n[[steps]]\nexec = [\"/bin/echo\", \"two\"]\n";
    let plan = bench.plan(book, &[]);
    let files = bench.hands.freshen(&plan).await;
    // Sure so many times, and then not any more.
    let hands = |sure: u32| {
        let asked = AtomicU32::new(0);
        let may_act: MayAct = Arc::new(move || asked.fetch_add(1, Ordering::SeqCst) < sure);
        Hands::new(Settings { may_act, ..settings(&bench.data()) }).unwrap()
    };
    for (request, sure) in [(1, 0), (2, 1), (3, 2)] {
        let outcome = hands(sure).run(leave(&bench.books(), &plan, request, files.clone()).unwrap()).await;
        assert_eq!(outcome.steps.len(), sure as usize, "{outcome:?}");
        match (sure, outcome.ended) {
            (0, Ended::NotStarted { why }) | (1, Ended::Failed { step: 2, why }) => {
                assert!(why.contains("lost the database"), "{why}");
            }
            (2, Ended::Succeeded) => {}
            other => panic!("{other:?}"),
        }
    }
}
