//! The command line's door: HTTP over a Unix socket of mode 0600 in the data directory. Who speaks is what the kernel says of
//! the other end (`SO_PEERCRED`), never what it says itself.
//!
//! Knows the people's words and the door, and whom to ask for a login link; knows neither what an ask means nor what it does.

use crate::flow::identity::{Identity, Platform};
use crate::flow::refusal;
use crate::ports::Door;
use axum::extract::connect_info::Connected;
use axum::extract::rejection::JsonRejection;
use axum::extract::{ConnectInfo, DefaultBodyLimit, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::serve::IncomingStream;
use axum::{Json, Router};
use futures::future::BoxFuture;
use serde::{Deserialize, Serialize};
use smokejumper_intents::confirm::confirmation;
use smokejumper_intents::intent::Ask;
use smokejumper_intents::reply::Reply;
use smokejumper_intents::utterance::{Place, Utterance};
use smokejumper_intents::{Reading, read};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{FileTypeExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::UnixListener;
use tokio::sync::{Semaphore, SemaphorePermit, oneshot};

/// The socket's name in the data directory.
pub const FILE: &str = "smokejumper.sock";
/// Bytes of its path: what the kernel takes (`sun_path` of 108, less the NUL).
pub const MAX_PATH: usize = 107;
/// Bytes of a request: an utterance is at most 4,000 characters.
const MAX_BODY: usize = 64 * 1024;
/// Characters of a key.
const MAX_KEY: usize = 128;
/// Requests answered at once: nobody types in more terminals.
const MAX_REQUESTS: usize = 64;
/// A reply has a budget of two seconds; a request that waits for storage may take this long.
const DEADLINE: Duration = Duration::from_secs(10);
/// Requests under way at the end get this long.
const DRAIN: Duration = Duration::from_secs(10);
/// Where words are said: [`Request`] to [`Answer`].
pub const ASK: &str = "/v1/ask";
/// Where login links are given: [`LoginRequest`] to [`LoginLink`].
pub const LOGIN: &str = "/v1/login";
/// Where something is erased: [`EraseRequest`] to [`Erased`]. For who may read the data directory, as its files are.
pub const ERASE: &str = "/v1/erase";
/// The workspace of identities on this machine.
const WORKSPACE: &str = "local";

/// What is posted to [`ASK`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// What somebody says, as after `/incident`.
    pub text: String,
    /// The number of the incident it is said in; `None`: in the lobby.
    #[serde(default)]
    pub incident: Option<u32>,
    /// Makes a repeated request one act; the same words again are another key.
    pub key: String,
    /// What would need to be confirmed is meant.
    #[serde(default)]
    pub confirmed: bool,
}

/// The answer, with status 200.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    pub outcome: Outcome,
    pub reply: Reply,
}

/// How it went, for whoever does not read the reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Done, or answered.
    Done,
    /// Nothing happened: it must be said again with `confirmed`.
    Confirm,
    /// Nothing happened: not understood.
    Misread,
    /// Nothing happened: understood, and refused.
    Refused,
}

/// What is posted to [`LOGIN`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LoginRequest {
    /// The id of a person of the configuration; `None`: the first administrator.
    pub person: Option<String>,
}

/// A link that signs one person in, once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoginLink {
    pub person: String,
    /// How that person is called.
    pub name: String,
    pub url: String,
    /// How long it can be used.
    pub minutes: u32,
}

/// Makes a login link for a person, or says in words for whoever asked why there is none.
pub type Logins = Arc<dyn Fn(Option<&str>) -> Result<LoginLink, String> + Send + Sync>;

/// What is posted to [`ERASE`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EraseRequest {
    /// What an ended incident said.
    Purge { incident: u32 },
    /// Who a person was, by their id in the configuration. Of one who left it, nobody else knows the accounts
    /// (`platform/workspace/id`) and the name that messages call them by.
    Forget {
        person: String,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        accounts: Vec<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        name: Option<String>,
    },
}

/// What was erased.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Erased {
    pub entries: u64,
    pub incidents: Vec<u32>,
    /// What stands in a forgotten person's place.
    pub tombstone: Option<String>,
}

/// Erases for the identity of the other end, or says in words for whoever asked why not.
pub type Erasing = Arc<dyn Fn(Identity, EraseRequest) -> BoxFuture<'static, Result<Erased, String>> + Send + Sync>;

/// The answer with any other status.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    pub error: String,
}

#[derive(Debug, thiserror::Error)]
pub enum SocketError {
    #[error("the path of the socket {0} is longer than {MAX_PATH} bytes; choose a shorter data directory")]
    TooLong(PathBuf),
    #[error("another smokejumper is running with this data directory: it answers at {0}")]
    InUse(PathBuf),
    #[error("{0} is there and is not a socket; move it away")]
    NotASocket(PathBuf),
    #[error("the socket {path} cannot be made: {cause}")]
    Io { path: PathBuf, cause: std::io::Error },
}

/// The other end of a connection.
#[derive(Clone, Copy, Debug)]
struct Peer {
    uid: Option<u32>,
}

impl Connected<IncomingStream<'_, UnixListener>> for Peer {
    fn connect_info(stream: IncomingStream<'_, UnixListener>) -> Self {
        Self { uid: stream.io().peer_cred().ok().map(|cred| cred.uid()) }
    }
}

/// A bound socket; its file goes when this is dropped.
pub struct Socket {
    listener: Option<UnixListener>,
    path: PathBuf,
    logins: Option<Logins>,
    erasing: Option<Erasing>,
}

impl std::fmt::Debug for Socket {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Socket").field("path", &self.path).finish_non_exhaustive()
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_file(&self.path) {
            tracing::debug!(path = %self.path.display(), %error, "the socket's file was gone already");
        }
    }
}

#[must_use]
pub fn path(data_dir: &Path) -> PathBuf {
    data_dir.join(FILE)
}

/// Takes the socket of this data directory. One that a dead process left behind is replaced. Needs a tokio runtime.
///
/// # Errors
/// [`SocketError`], in words for whoever starts the server.
pub fn bind(data_dir: &Path) -> Result<Socket, SocketError> {
    let path = path(data_dir);
    if path.as_os_str().as_bytes().len() > MAX_PATH {
        return Err(SocketError::TooLong(path));
    }
    let failed = |cause| SocketError::Io { path: path.clone(), cause };
    match std::fs::symlink_metadata(&path) {
        Ok(there) if !there.file_type().is_socket() => return Err(SocketError::NotASocket(path)),
        Ok(_) => match std::os::unix::net::UnixStream::connect(&path) {
            Err(e) if e.kind() == std::io::ErrorKind::ConnectionRefused => {
                std::fs::remove_file(&path).map_err(failed)?;
            }
            _ => return Err(SocketError::InUse(path)),
        },
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => {}
        Err(e) => return Err(failed(e)),
    }
    let listener = UnixListener::bind(&path).map_err(failed)?;
    let socket = Socket { listener: Some(listener), path: path.clone(), logins: None, erasing: None };
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).map_err(failed)?;
    Ok(socket)
}

struct Desk {
    door: Arc<dyn Door>,
    /// Whom the mode of the file lets in; asked again, for between making the file and setting its mode anybody could connect.
    owner: u32,
    room: Semaphore,
    logins: Option<Logins>,
    erasing: Option<Erasing>,
}

impl Socket {
    /// Erases, too.
    #[must_use]
    pub fn with_erasing(mut self, erasing: Erasing) -> Self {
        self.erasing = Some(erasing);
        self
    }

    /// Gives login links, too.
    #[must_use]
    pub fn with_logins(mut self, logins: Logins) -> Self {
        self.logins = Some(logins);
        self
    }

    /// Serves until `stop` ends, then finishes what is being answered, for a while.
    ///
    /// # Errors
    /// The listener broke.
    pub async fn serve(
        mut self,
        door: Arc<dyn Door>,
        stop: impl Future<Output = ()> + Send + 'static,
    ) -> std::io::Result<()> {
        let Some(listener) = self.listener.take() else { return Ok(()) };
        let owner = rustix::process::geteuid().as_raw();
        let (room, logins, erasing) = (Semaphore::new(MAX_REQUESTS), self.logins.take(), self.erasing.take());
        let desk = Arc::new(Desk { door, owner, room, logins, erasing });
        let routes = Router::new()
            .route(ASK, post(ask))
            .route(LOGIN, post(login))
            .route(ERASE, post(erase))
            .layer(DefaultBodyLimit::max(MAX_BODY))
            .with_state(desk);
        let service = routes.into_make_service_with_connect_info::<Peer>();
        let (told, stopping) = oneshot::channel::<()>();
        let stop = async move {
            stop.await;
            let _ = told.send(());
        };
        let overdue = async {
            if stopping.await.is_err() {
                // It ended without being told to.
                std::future::pending::<()>().await;
            }
            tokio::time::sleep(DRAIN).await;
        };
        tokio::select! {
            ended = axum::serve(listener, service).with_graceful_shutdown(stop) => ended,
            () = overdue => {
                tracing::info!("connections of terminals that were still open were closed");
                Ok(())
            }
        }
    }
}

async fn ask(
    State(desk): State<Arc<Desk>>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    request: Result<Json<Request>, JsonRejection>,
) -> Response {
    let (uid, _place, request) = match desk.admit(peer, request) {
        Ok(admitted) => admitted,
        Err(refused) => return *refused,
    };
    if request.key.is_empty() || request.key.chars().count() > MAX_KEY {
        return failure(StatusCode::BAD_REQUEST, "the key must have 1 to 128 characters");
    }
    if request.incident == Some(0) {
        return failure(StatusCode::BAD_REQUEST, "incidents are counted from 1");
    }
    let identity = Identity { platform: Platform::Cli, workspace: WORKSPACE.to_owned(), id: uid.to_string() };
    let place = request.incident.map_or(Place::Lobby, Place::Incident);
    let ask = match read(&Utterance { text: request.text, place }) {
        Reading::Clear(ask) => ask,
        Reading::Confirm { ask, .. } if request.confirmed => ask,
        Reading::Confirm { ask, because } => return answer(Outcome::Confirm, confirmation(&ask, &because)),
        Reading::Misread(misread) => return answer(Outcome::Misread, misread.to_reply()),
    };
    desk.ask(identity, ask, request.key).await
}

async fn erase(
    State(desk): State<Arc<Desk>>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    request: Result<Json<EraseRequest>, JsonRejection>,
) -> Response {
    let (uid, _place, request) = match desk.admit(peer, request) {
        Ok(admitted) => admitted,
        Err(refused) => return *refused,
    };
    let Some(erasing) = &desk.erasing else { return failure(StatusCode::NOT_FOUND, "nothing can be erased here") };
    let by = Identity { platform: Platform::Cli, workspace: WORKSPACE.to_owned(), id: uid.to_string() };
    match erasing(by, request).await {
        Ok(erased) => Json(erased).into_response(),
        Err(why) => failure(StatusCode::UNPROCESSABLE_ENTITY, &why),
    }
}

async fn login(
    State(desk): State<Arc<Desk>>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    request: Result<Json<LoginRequest>, JsonRejection>,
) -> Response {
    let (uid, _place, request) = match desk.admit(peer, request) {
        Ok(admitted) => admitted,
        Err(refused) => return *refused,
    };
    let Some(logins) = &desk.logins else {
        return failure(StatusCode::NOT_FOUND, "there is no console to sign in to");
    };
    match logins(request.person.as_deref()) {
        Ok(link) => {
            tracing::info!(uid, person = link.person, "a login link was given");
            Json(link).into_response()
        }
        Err(why) => failure(StatusCode::UNPROCESSABLE_ENTITY, &why),
    }
}

impl Desk {
    /// Who speaks, a place to be answered, and what was said; or the answer to whoever may not, or said nothing readable.
    fn admit<T>(
        &self,
        peer: Peer,
        request: Result<Json<T>, JsonRejection>,
    ) -> Result<(u32, SemaphorePermit<'_>, T), Box<Response>> {
        let refused = |status, why: &str| Box::new(failure(status, why));
        let Some(uid) = peer.uid.filter(|uid| *uid == self.owner || *uid == 0) else {
            return Err(refused(StatusCode::FORBIDDEN, "this socket is for the user who runs smokejumper"));
        };
        let Ok(place) = self.room.try_acquire() else {
            return Err(refused(StatusCode::SERVICE_UNAVAILABLE, "too many are asking at once; try again in a moment"));
        };
        match request {
            Ok(Json(request)) => Ok((uid, place, request)),
            Err(error) => Err(refused(error.status(), &error.body_text())),
        }
    }

    async fn ask(&self, by: Identity, ask: Ask, key: String) -> Response {
        // Keys of one account cannot stand for the acts of another.
        let key = format!("{}:{key}", by.id);
        match tokio::time::timeout(DEADLINE, self.door.ask(by, ask, key)).await {
            Ok(Ok(reply)) if refusal::is_refusal(&reply) => answer(Outcome::Refused, reply),
            Ok(Ok(reply)) => answer(Outcome::Done, reply),
            Ok(Err(error)) => {
                tracing::error!(%error, "an ask from the command line was not stored");
                failure(StatusCode::SERVICE_UNAVAILABLE, "this could not be stored; try again in a moment")
            }
            Err(_) => failure(
                StatusCode::SERVICE_UNAVAILABLE,
                "this takes too long; look whether it happened, then try again",
            ),
        }
    }
}

fn answer(outcome: Outcome, reply: Reply) -> Response {
    Json(Answer { outcome, reply }).into_response()
}

fn failure(status: StatusCode, error: &str) -> Response {
    (status, Json(Failure { error: error.to_owned() })).into_response()
}
