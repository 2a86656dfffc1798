//! The only place that starts a process: the supervisor (this very binary), and under it the program of a run.

use super::executable::Checked;
use rustix::process::{Pid, Signal, set_parent_process_death_signal};
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, RawFd};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};

/// First argument of the hidden subcommand.
pub const SUPERVISE: &str = "supervise";

/// Starts the supervisor with nothing of ours but three pipes: orders in, the program's output, reports.
pub fn supervisor(binary: &Path) -> io::Result<tokio::process::Child> {
    tokio::process::Command::new(binary)
        .arg(SUPERVISE)
        .env_clear()
        .current_dir("/")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
}

/// Starts the program from its open file, below the supervisor. `argv` is what it sees, `argv[0]` included.
///
/// A script sees its interpreter's view of it (`/proc/self/fd/N`) as its own name.
pub fn program(checked: &Checked, argv: &[String], env: &[(String, String)], cwd: &str) -> io::Result<Pid> {
    let output = rustix::io::fcntl_dupfd_cloexec(io::stdout(), 0)?;
    let mut command = Command::new(checked.path());
    if !checked.is_script() {
        command.arg0(argv.first().map_or("", String::as_str));
    }
    command
        .args(argv.iter().skip(1))
        .env_clear()
        .envs(env.iter().map(|(name, value)| (name, value)))
        .current_dir(cwd)
        .stdin(Stdio::null())
        .stdout(Stdio::inherit())
        .stderr(output);
    end_with_parent(&mut command);
    let child = command.spawn()?;
    i32::try_from(child.id()).ok().and_then(Pid::from_raw).ok_or_else(|| io::Error::other("no process id"))
}

/// Should the supervisor itself be killed, the kernel kills at least its child.
#[expect(unsafe_code, reason = "a hook between fork and exec is unsafe by signature")]
fn end_with_parent(command: &mut Command) {
    // SAFETY: the hook makes one system call, allocates nothing and takes no lock.
    unsafe {
        command.pre_exec(|| Ok(set_parent_process_death_signal(Some(Signal::KILL))?));
    }
}

/// Closes every descriptor but the first three: a descriptor somebody forgot to mark must not reach a run.
#[expect(unsafe_code, reason = "closing a descriptor by its number is unsafe by signature")]
pub fn close_inherited() {
    let listed = std::fs::read_dir("/proc/self/fd").into_iter().flatten();
    let numbers: Vec<RawFd> = listed.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok()).collect();
    let last_of_ours = io::stderr().as_raw_fd();
    for fd in numbers.into_iter().filter(|&fd| fd > last_of_ours) {
        // SAFETY: called first thing in a single-threaded process, where nobody owns a descriptor yet. The one of the
        // folder just listed is closed by now, so each is asked for before it is closed.
        unsafe {
            if rustix::io::fcntl_getfd(BorrowedFd::borrow_raw(fd)).is_ok() {
                rustix::io::close(fd);
            }
        }
    }
}
