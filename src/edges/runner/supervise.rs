//! The supervisor: a small single-threaded process between the bot and a run (`smokejumper supervise`, never typed by people).
//!
//! It takes one order on standard input, starts one program, and ends with every process of that run ended: when the
//! program exits, its time is over, the bot cancels, or the bot is gone (the pipe closes). It knows neither incidents nor
//! approvals; it holds to the digests it was given. Reports go to standard error, the program's output to standard output.

use super::confine;
use super::descendants::{self, end_all, living, reap, timespec};
use super::executable::Checked;
use super::order::{End, How, MAX_ORDER, Order, Report};
use super::spawn;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::process::{Pid, PidfdFlags, WaitStatus, pidfd_open};
use std::io::{BufRead, BufReader, Read, Write};
use std::process::ExitCode;
use std::time::{Duration, Instant};

/// Between two counts of the run's processes.
const COUNT_EVERY: Duration = Duration::from_millis(200);

/// Whole life of the supervisor process; call it before any thread exists.
#[must_use]
pub fn main() -> ExitCode {
    spawn::close_inherited();
    // Already a session leader: then it is as it should be.
    let _ = rustix::process::setsid();
    let report = match supervise() {
        Ok(end) => Report::Ended(end),
        Err(why) => Report::Refused { why },
    };
    say(&report);
    ExitCode::SUCCESS
}

fn say(report: &Report) {
    if let Ok(line) = serde_json::to_string(report) {
        // The bot may be gone; then there is nobody to tell.
        let _ = writeln!(std::io::stderr(), "{line}");
    }
}

fn supervise() -> Result<End, String> {
    rustix::process::set_child_subreaper(Some(rustix::process::getpid()))
        .map_err(|e| format!("this system cannot keep track of the processes of a run: {e}"))?;
    let order = read_order()?;
    let start = Instant::now();
    let (program, argv, _arguments) = check_files(&order)?;
    confine::limit(order.timeout_ms, descendants::tasks_of_user());
    let confined = confine::close(&order.protect);
    let main = spawn::program(&program, &argv, &order.env, &order.cwd)
        .map_err(|e| format!("{} cannot be started: {e}", order.argv.first().map_or("", String::as_str)))?;
    say(&Report::Started { pid: main.as_raw_pid(), confined });
    let deadline = start + Duration::from_millis(order.timeout_ms);
    let (how, status) = watch(main, deadline);
    let ended = end_all(Some(main));
    let (code, signal) = exit_of(status.or(ended.main));
    Ok(End { how, code, signal, leftovers: ended.found, survivors: ended.survivors })
}

/// Bounded, and only to the end of the line: the pipe stays open as the sign that the bot lives.
fn read_order() -> Result<Order, String> {
    let mut line = Vec::new();
    let input = BufReader::new(std::io::stdin().lock().take(MAX_ORDER)).read_until(b'\n', &mut line);
    input.map_err(|e| format!("no order: {e}"))?;
    if line.last() != Some(&b'\n') {
        return Err("the order is not complete".to_owned());
    }
    // The parser's message may quote the order, which holds secrets.
    serde_json::from_slice(&line).map_err(|_| "the order cannot be read".to_owned())
}

/// Opens and checks the program and every argument that is an approved file; gives the arguments as the program gets them.
fn check_files(order: &Order) -> Result<(Checked, Vec<String>, Vec<Checked>), String> {
    let approved = |path: &str| order.files.iter().find(|file| file.path == path).map(|file| file.sha256.as_str());
    let path = order.argv.first().ok_or("the order names no program")?;
    let digest = approved(path).ok_or_else(|| format!("{path} is not among the approved files"))?;
    let program = Checked::program(path, digest).map_err(|e| e.to_string())?;
    let mut argv = vec![path.clone()];
    let mut opened = Vec::new();
    for argument in order.argv.iter().skip(1) {
        match approved(argument) {
            None => argv.push(argument.clone()),
            Some(digest) => {
                let checked = Checked::argument(argument, digest).map_err(|e| e.to_string())?;
                argv.push(checked.path());
                opened.push(checked);
            }
        }
    }
    Ok((program, argv, opened))
}

/// Until the program exits, its time is over, there are too many processes, or the bot says so or is gone.
fn watch(main: Pid, deadline: Instant) -> (How, Option<WaitStatus>) {
    let exit = pidfd_open(main, PidfdFlags::empty());
    let input = std::io::stdin();
    loop {
        if let Some(status) = reap(Some(main)) {
            return (How::Exited, Some(status));
        }
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return (How::TimedOut, None);
        }
        if living().len() as u64 > confine::MAX_PROCESSES {
            return (How::TooMany, None);
        }
        let wait = timespec(left.min(COUNT_EVERY));
        let mut wakers = vec![PollFd::new(&input, PollFlags::IN)];
        // Linux before 5.3 has no descriptors of processes: the end is noticed at the next count.
        wakers.extend(exit.as_ref().ok().map(|exit| PollFd::new(exit, PollFlags::IN)));
        let woken = poll(&mut wakers, Some(&wait)).is_ok();
        let said = woken && wakers.first().is_some_and(|bot| !bot.revents().is_empty());
        if said {
            return (How::Cancelled, None);
        }
    }
}

fn exit_of(status: Option<WaitStatus>) -> (Option<i32>, Option<i32>) {
    status.map_or((None, None), |status| (status.exit_status(), status.terminating_signal()))
}
