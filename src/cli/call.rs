//! Calls a running smokejumper through the socket in its data directory. Knows how it can fail, in words for whoever typed the
//! command; knows neither what is asked nor what is answered.

use super::exit::Exit;
use crate::edges::socket::{self, Failure};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::path::Path;
use std::time::Duration;

/// Longer than the server's own deadline, so that its explanation arrives.
const PATIENCE: Duration = Duration::from_secs(15);
/// Bytes of an answer read: replies are bounded well below.
const MAX_ANSWER: usize = 4 * 1024 * 1024;

/// Why there is no answer.
pub struct Trouble {
    pub what: String,
    pub exit: Exit,
}

fn trouble(exit: Exit, what: String) -> Trouble {
    Trouble { what, exit }
}

/// Asks, and reads the answer. `unsure` says what to do when nobody knows whether it was done.
///
/// # Errors
/// Nobody serves this data directory, there was no answer in time, or the answer is no.
pub async fn call<A: DeserializeOwned>(
    data_dir: &Path,
    route: &str,
    request: &impl Serialize,
    unsure: &str,
) -> Result<A, Trouble> {
    let path = socket::path(data_dir);
    if let Err(error) = std::os::unix::net::UnixStream::connect(&path) {
        return Err(trouble(Exit::NoServer, unreachable(data_dir, &path, &error)));
    }
    let internal = |e: reqwest::Error| trouble(Exit::Internal, format!("the request could not be made: {e}"));
    let client = reqwest::Client::builder()
        .unix_socket(path.as_path())
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .timeout(PATIENCE)
        .build()
        .map_err(internal)?;
    let unanswered = |e: reqwest::Error| {
        let cause = if e.is_timeout() { "in time".to_owned() } else { format!("({e})") };
        trouble(Exit::Storage, format!("smokejumper did not answer {cause}; {unsure}"))
    };
    let mut response =
        client.post(format!("http://localhost{route}")).json(request).send().await.map_err(unanswered)?;
    let status = response.status();
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(unanswered)? {
        if body.len() + chunk.len() > MAX_ANSWER {
            return Err(trouble(Exit::Internal, "the answer is too long to be one".to_owned()));
        }
        body.extend_from_slice(&chunk);
    }
    if status.is_success() {
        let version = "the answer is not understood: are server and command line of the same version?";
        return serde_json::from_slice(&body).map_err(|_| trouble(Exit::Internal, version.to_owned()));
    }
    let error = serde_json::from_slice::<Failure>(&body).map_or_else(|_| format!("it answered {status}"), |f| f.error);
    Err(trouble(if status.is_server_error() { Exit::Storage } else { Exit::Failed }, error))
}

fn unreachable(data_dir: &Path, path: &Path, error: &std::io::Error) -> String {
    let (data_dir, path) = (data_dir.display(), path.display());
    match error.kind() {
        std::io::ErrorKind::PermissionDenied => {
            format!("{path} is for the user who runs smokejumper; become that user, or use the console")
        }
        std::io::ErrorKind::NotFound | std::io::ErrorKind::ConnectionRefused => format!(
            "no smokejumper is running with the data directory {data_dir}; start it with `smokejumper serve`, or name its \
             directory with --data-dir"
        ),
        _ => format!("{path} cannot be reached: {error}"),
    }
}
