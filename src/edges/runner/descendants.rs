//! Every process that comes from this one, however it hid: new sessions and double forks included.
//!
//! The supervisor is a subreaper, so an orphan becomes its child; `/proc` then shows the whole tree.

use rustix::event::{PollFd, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, Signal, WaitOptions, WaitStatus, pidfd_open, pidfd_send_signal, wait};
use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

/// Between asking to end (TERM) and ending (KILL).
pub const GRACE: Duration = Duration::from_millis(500);
/// How long processes are ended again and again before the rest is reported as survivors.
pub const PATIENCE: Duration = Duration::from_secs(6);
/// Between two looks at `/proc` while processes end.
const LOOK_EVERY: Duration = Duration::from_millis(10);
/// Rounds of stopping new processes before killing: a fork bomb is standing still long before.
const STOP_ROUNDS: usize = 64;

/// A process as `/proc` shows it; the start time tells it from a later one with the same number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Process {
    pub pid: i32,
    started: u64,
    zombie: bool,
}

/// Threads of the user who owns this process, for the limit on them.
pub fn tasks_of_user() -> u64 {
    let own = rustix::process::getuid().as_raw().to_string();
    numbers("/proc")
        .filter_map(|pid| {
            let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
            let field = |name: &str| status.lines().find_map(|line| line.strip_prefix(name));
            let mine = field("Uid:")?.split_whitespace().next()? == own;
            if mine { field("Threads:")?.trim().parse::<u64>().ok() } else { None }
        })
        .sum()
}

/// Everything below this process.
pub fn living() -> Vec<Process> {
    let mut children: BTreeMap<i32, Vec<Process>> = BTreeMap::new();
    for pid in numbers("/proc") {
        if let Some((parent, process)) = look(pid) {
            children.entry(parent).or_default().push(process);
        }
    }
    let mut found = Vec::new();
    let mut next = vec![rustix::process::getpid().as_raw_pid()];
    while let Some(parent) = next.pop() {
        for process in children.remove(&parent).unwrap_or_default() {
            next.push(process.pid);
            found.push(process);
        }
    }
    found
}

/// Takes leave of ended children; gives the status of `main` when it is among them.
pub fn reap(main: Option<Pid>) -> Option<WaitStatus> {
    let mut status = None;
    while let Ok(Some((pid, how))) = wait(WaitOptions::NOHANG) {
        if Some(pid) == main {
            status = Some(how);
        }
    }
    status
}

/// What remained to be ended, and what could not be.
#[derive(Clone, Copy, Debug, Default)]
pub struct Ended {
    pub found: usize,
    pub survivors: usize,
    pub main: Option<WaitStatus>,
}

/// Ends every descendant: asks, waits [`GRACE`], then stops and kills until there is none.
pub fn end_all(main: Option<Pid>) -> Ended {
    let mut status = reap(main);
    let first = living();
    let mut ended = Ended { found: first.iter().filter(|p| !p.zombie).count(), survivors: 0, main: None };
    for process in &first {
        send(*process, Signal::TERM);
        // A stopped process does not hear the request.
        send(*process, Signal::CONT);
    }
    let start = Instant::now();
    loop {
        status = reap(main).or(status);
        let left = living();
        if left.is_empty() {
            break;
        }
        if start.elapsed() >= GRACE + PATIENCE {
            ended.survivors = left.len();
            break;
        }
        if start.elapsed() >= GRACE {
            stop_then_kill();
        }
        pause(LOOK_EVERY);
    }
    ended.main = status;
    ended
}

/// Stopped processes cannot fork, so after a few rounds nothing new appears, and all can be killed.
fn stop_then_kill() {
    let mut stopped = BTreeSet::new();
    for _ in 0..STOP_ROUNDS {
        let new: Vec<Process> = living().into_iter().filter(|p| !p.zombie && !stopped.contains(p)).collect();
        if new.is_empty() {
            break;
        }
        for process in new {
            send(process, Signal::STOP);
            stopped.insert(process);
        }
    }
    for process in living() {
        send(process, Signal::KILL);
    }
}

/// Through a descriptor of the process, after which it is looked at again: never a later one with the same number.
fn send(process: Process, signal: Signal) {
    let Some(pid) = Pid::from_raw(process.pid) else { return };
    let Ok(fd) = pidfd_open(pid, PidfdFlags::empty()) else { return };
    if look(process.pid).is_some_and(|(_, now)| now.started == process.started) {
        let _ = pidfd_send_signal(fd, signal);
    }
}

/// Waits without a thread or a clock of its own.
pub fn pause(time: Duration) {
    let _ = poll(&mut [] as &mut [PollFd<'_>], Some(&timespec(time)));
}

pub fn timespec(time: Duration) -> Timespec {
    Timespec { tv_sec: i64::try_from(time.as_secs()).unwrap_or(i64::MAX), tv_nsec: time.subsec_nanos().into() }
}

/// Parent and process, from `/proc/PID/stat`: `12 (any (name)) S 1 …`; field 4 is the parent, 22 the start time.
fn look(pid: i32) -> Option<(i32, Process)> {
    let stat = std::fs::read(format!("/proc/{pid}/stat")).ok()?;
    let after_name = stat.iter().rposition(|&byte| byte == b')')? + 2;
    let rest = std::str::from_utf8(stat.get(after_name..)?).ok()?;
    let mut fields = rest.split(' ');
    let zombie = matches!(fields.next()?, "Z" | "X");
    let parent = fields.next()?.parse().ok()?;
    let started = fields.nth(17)?.parse().ok()?;
    Some((parent, Process { pid, started, zombie }))
}

fn numbers(folder: &str) -> impl Iterator<Item = i32> {
    let entries = std::fs::read_dir(folder).into_iter().flatten();
    entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_sees_its_own_line_of_proc() {
        let own = rustix::process::getpid().as_raw_pid();
        let (parent, process) = look(own).unwrap();
        assert_eq!(parent, rustix::process::getppid().unwrap().as_raw_pid());
        assert!(!process.zombie && process.started > 0);
        assert!(tasks_of_user() >= 1);
        assert!(look(i32::MAX).is_none());
    }
}
