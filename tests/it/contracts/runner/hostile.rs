//! F26, F27: processes that hang, hide, flood, multiply; a bot and a supervisor that are killed.

use super::bench::{Bench, alive, mark, output};
use crate::world::wait::{ends, until};
use smokejumper::edges::runner::output::{HEAD, TAIL};
use smokejumper::flow::fact::Ended;
use smokejumper::ports::Runner;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

#[tokio::test]
async fn what_hangs_and_ignores_the_request_to_end_is_ended_in_time() {
    let (bench, mark) = (Bench::new(), mark());
    let plan = bench.shell(&format!("trap '' TERM HUP INT\necho started\nwhile :; do sleep {mark}; done"), "300ms");
    let start = Instant::now();
    let outcome = ends("a run with a timeout", bench.run(&plan)).await;
    assert_eq!(outcome.ended, Ended::TimedOut { step: 1 });
    assert_eq!(output(&outcome).head, "started\n");
    assert!(start.elapsed() < Duration::from_secs(10), "{:?}", start.elapsed());
    assert_eq!(alive(&mark), [] as [u32; 0]);
}

#[tokio::test]
async fn daemons_do_not_outlive_the_run_however_they_hide() {
    let (bench, mark) = (Bench::new(), mark());
    let body = format!(
        "setsid sleep {mark} &\n(setsid sh -c 'trap \"\" TERM; (sleep {mark} &) ; sleep {mark}' >/dev/null 2>&1 &)\n\
         nohup sleep {mark} >/dev/null 2>&1 &\n(sleep {mark} & kill -STOP $!) &\nwait $! 2>/dev/null\necho left"
    );
    let outcome = ends("a run that leaves daemons", bench.run(&bench.shell(&body, "20s"))).await;
    assert_eq!((&outcome.ended, output(&outcome).head.as_str()), (&Ended::Succeeded, "left\n"));
    assert_eq!(alive(&mark), [] as [u32; 0]);
}

#[tokio::test]
async fn a_hundred_megabytes_without_a_line_end_are_counted_and_cut() {
    let bench = Bench::new();
    let plan = bench.shell("printf BEGIN; head -c 100000000 /dev/zero | tr '\\0' x; printf END", "25s");
    let outcome = ends("a flood", bench.run(&plan)).await;
    let out = output(&outcome);
    assert_eq!((&outcome.ended, out.total_bytes), (&Ended::Succeeded, 100_000_008));
    assert!(out.head.starts_with("BEGINx") && out.tail.ends_with("xEND"));
    assert!(out.head.len() <= HEAD && out.tail.len() <= TAIL);
}

#[tokio::test]
async fn odd_output_and_closed_pipes_are_ordinary() {
    let bench = Bench::new();
    for (body, ended, head) in [
        ("printf 'a\\377\\376b\\033[31mred\\033[0m\\000\\033]0;title\\007.'", None, "a\u{fffd}\u{fffd}bred."),
        ("cat; echo end of input", None, "end of input\n"),
        ("exec >&- 2>&-; exit 3", Some("exit code 3"), ""),
        ("echo out; echo err >&2; exit 1", Some("exit code 1"), "out\nerr\n"),
        ("echo bye; kill -9 $$", Some("it was ended by signal 9"), "bye\n"),
    ] {
        let outcome = ends(body, bench.run(&bench.shell(body, "20s"))).await;
        let expected = ended.map_or(Ended::Succeeded, |why| Ended::Failed { step: 1, why: why.to_owned() });
        assert_eq!((&outcome.ended, output(&outcome).head.as_str()), (&expected, head), "{body}");
    }
}

#[tokio::test]
async fn whoever_multiplies_is_ended() {
    let (bench, mark) = (Bench::new(), mark());
    let body = format!("i=0; while [ $i -lt 400 ]; do sleep {mark} & i=$((i+1)); done; wait");
    let outcome = ends("many processes", bench.run(&bench.shell(&body, "25s"))).await;
    // Root is above the limit of processes and is counted; for anybody else the kernel refuses the fork.
    let Ended::Failed { why, .. } = &outcome.ended else { panic!("{outcome:?}") };
    assert!(why.contains("more than 256 processes") || why.starts_with("exit code"), "{why}");
    assert_eq!(alive(&mark), [] as [u32; 0]);
}

#[tokio::test]
async fn a_run_that_nobody_waits_for_any_more_ends() {
    let (bench, mark) = (Bench::new(), mark());
    let plan = bench.shell(&format!("setsid sleep {mark} & sleep {mark}"), "20s");
    let (hands, approved) = (bench.hands.clone(), bench.approved(&plan).await);
    let run = tokio::spawn(async move { hands.run(approved).await });
    until("two processes", || (alive(&mark).len() == 2).then_some(())).await;
    run.abort();
    until("none of them", || alive(&mark).is_empty().then_some(())).await;
}

/// The order is written as the bot writes it; whoever holds the pipe stands for the bot.
#[tokio::test]
async fn killing_the_bot_leaves_no_process() {
    let (bench, mark) = (Bench::new(), mark());
    let sleeper = Bench::shell(&bench, &format!("trap '' TERM; (setsid sleep {mark} &); sleep {mark}"), "20s");
    let program = &sleeper.files[0];
    let order = serde_json::json!({
        "argv": [program.path], "env": [], "cwd": "/", "timeout_ms": 20_000,
        "files": [{ "path": program.path, "sha256": program.sha256 }], "protect": [],
    });
    let orders = bench.dir.path().join("order");
    std::fs::write(&orders, format!("{order}\n")).unwrap();
    let holder =
        format!("(cat {}; exec sleep {mark}) | {} supervise", orders.display(), env!("CARGO_BIN_EXE_smokejumper"));
    let mut bot =
        Command::new("/bin/sh").args(["-c", &holder]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    // Two of the run, and the one that holds the pipe.
    let all = until("three sleepers", || Some(alive(&mark)).filter(|all| sleepers(all).len() == 3)).await;
    let holder = sleepers(&all).into_iter().find(|pid| !below(*pid, "supervise")).expect("the holder");
    kill("-KILL", holder);
    until("none of them", || alive(&mark).is_empty().then_some(())).await;
    bot.wait().unwrap();
}

#[tokio::test]
async fn killing_the_supervisor_is_never_called_a_success() {
    let (bench, mark) = (Bench::new(), mark());
    let plan = bench.shell(&format!("exec sleep {mark}"), "20s");
    let (hands, approved) = (bench.hands.clone(), bench.approved(&plan).await);
    let run = tokio::spawn(async move { hands.run(approved).await });
    let program = until("the program", || alive(&mark).first().copied()).await;
    kill("-KILL", parent(program).unwrap());
    let outcome = ends("a run without its supervisor", run).await.unwrap();
    assert!(matches!(&outcome.ended, Ended::Unknown { why } if why.contains("supervisor")), "{outcome:?}");
    until("the program is gone too", || alive(&mark).is_empty().then_some(())).await;
}

fn kill(signal: &str, pid: u32) {
    assert!(Command::new("kill").args([signal, &pid.to_string()]).status().unwrap().success());
}

fn parent(pid: u32) -> Option<u32> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    status.lines().find_map(|line| line.strip_prefix("PPid:"))?.trim().parse().ok()
}

/// Those that are a `sleep`, not a shell that names one.
fn sleepers(pids: &[u32]) -> Vec<u32> {
    let is_sleep = |pid: &u32| std::fs::read_to_string(format!("/proc/{pid}/comm")).is_ok_and(|name| name == "sleep\n");
    pids.iter().copied().filter(is_sleep).collect()
}

/// Whether a process with this argument is above it.
fn below(pid: u32, argument: &str) -> bool {
    std::iter::successors(parent(pid), |pid| parent(*pid)).any(|above| {
        let line = std::fs::read(format!("/proc/{above}/cmdline")).unwrap_or_default();
        line.split(|byte| *byte == 0).any(|part| part == argument.as_bytes())
    })
}
