//! One process, seen from the bot: starts a supervisor, hands it the order, collects output and reports, always comes back.
//!
//! Dropping the future closes the pipe, and the supervisor ends the run.

use super::descendants::{GRACE, PATIENCE};
use super::order::{End, How, MAX_REPORTS, Order, Report};
use super::output::Capture;
use super::redact::Redactor;
use super::spawn;
use crate::flow::fact::Output;
use std::path::Path;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::Child;
use tokio::time::{Instant, timeout};

/// Beyond the program's own time and the ending of its processes: for a busy machine, and for hashing a large program.
const MARGIN: Duration = Duration::from_secs(10);
/// After the supervisor is gone, how long output is still awaited from whoever holds the pipe.
const LINGER: Duration = Duration::from_millis(500);
/// Read of the output at a time, in bytes.
const CHUNK: usize = 64 * 1024;

/// How a process ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Certainly nothing was started.
    NotStarted(String),
    Code(i32),
    Failed(String),
    TimedOut,
    /// It may have had any effect, and may still run.
    Lost(String),
}

#[derive(Clone, Debug)]
pub struct Executed {
    pub exit: Exit,
    pub output: Output,
    pub duration_ms: i64,
}

/// Runs it to its end. Comes back within the order's time plus [`GRACE`], [`PATIENCE`] and [`MARGIN`].
pub async fn run(binary: &Path, order: Order, redactor: &Redactor) -> Executed {
    let start = Instant::now();
    let mut capture = Capture::default();
    let exit = supervised(binary, order, &mut capture).await;
    let duration_ms = i64::try_from(start.elapsed().as_millis()).unwrap_or(i64::MAX);
    let exit = match exit {
        Exit::NotStarted(why) => Exit::NotStarted(redactor.redact(&why)),
        exit => exit,
    };
    Executed { exit, output: capture.finish(redactor), duration_ms }
}

async fn supervised(binary: &Path, order: Order, capture: &mut Capture) -> Exit {
    let limit = Duration::from_millis(order.timeout_ms) + GRACE + PATIENCE + MARGIN;
    let mut child = match spawn::supervisor(binary) {
        Ok(child) => child,
        Err(e) => return Exit::NotStarted(format!("the supervisor cannot be started: {e}")),
    };
    let mut said = Vec::new();
    let spoke = timeout(limit, converse(&mut child, order, capture, &mut said)).await;
    // The pipe is closed by now, so a supervisor that still lives ends the run and itself.
    let gone = timeout(LINGER, child.wait()).await;
    let reports: Vec<Report> =
        said.split(|&byte| byte == b'\n').filter_map(|line| serde_json::from_slice(line).ok()).collect();
    tracing::info!(?reports, supervisor_gone = gone.is_ok(), "run ended");
    match (spoke, reports.last()) {
        (_, Some(Report::Ended(end))) => exit_of(end),
        (_, Some(Report::Refused { why })) => Exit::NotStarted(why.clone()),
        (Ok(Err(why)), None) => Exit::NotStarted(why),
        (Err(_), _) => Exit::Lost("it did not come back in time; it may still run".to_owned()),
        (Ok(_), _) => Exit::Lost("its supervisor was killed; it may still run".to_owned()),
    }
}

/// Hands over the order, then listens until the supervisor is gone. An error means that the order never arrived whole.
async fn converse(child: &mut Child, order: Order, capture: &mut Capture, said: &mut Vec<u8>) -> Result<(), String> {
    let (Some(mut input), Some(mut output), Some(reports)) =
        (child.stdin.take(), child.stdout.take(), child.stderr.take())
    else {
        return Err("the supervisor has no pipes".to_owned());
    };
    let mut line = serde_json::to_vec(&order).map_err(|e| e.to_string())?;
    drop(order);
    line.push(b'\n');
    if line.len() as u64 > super::order::MAX_ORDER {
        return Err("its arguments and environment are too large".to_owned());
    }
    input.write_all(&line).await.map_err(|e| format!("the supervisor did not take the order: {e}"))?;
    line.fill(0);
    let mut drain = std::pin::pin!(async {
        let mut chunk = vec![0; CHUNK];
        while let Ok(read @ 1..) = output.read(&mut chunk).await {
            capture.push(chunk.get(..read).unwrap_or_default());
        }
    });
    let mut listen = std::pin::pin!(async {
        // Whatever was read counts, also when the rest cannot be.
        let _ = reports.take(MAX_REPORTS).read_to_end(said).await;
    });
    let drained = tokio::select! {
        () = &mut drain => true,
        () = &mut listen => false,
    };
    if drained {
        listen.await;
    } else {
        // A process that could not be ended may hold the pipe open.
        let _ = timeout(LINGER, drain).await;
    }
    drop(input);
    Ok(())
}

fn exit_of(end: &End) -> Exit {
    match (end.how, end.survivors, end.code, end.signal) {
        (_, 1.., ..) => Exit::Lost(format!("{} of its processes could not be ended", end.survivors)),
        (How::TimedOut, ..) => Exit::TimedOut,
        (How::TooMany, ..) => {
            Exit::Failed(format!("it made more than {} processes and was ended", super::confine::MAX_PROCESSES))
        }
        (How::Cancelled, ..) => Exit::Failed("it was cancelled".to_owned()),
        (How::Exited, _, Some(code), _) => Exit::Code(code),
        (How::Exited, _, None, Some(signal)) => Exit::Failed(format!("it was ended by signal {signal}")),
        (How::Exited, _, None, None) => Exit::Lost("nobody saw how it ended".to_owned()),
    }
}
