//! `incident …` against the real socket: who speaks is the peer's uid, and the exit code says how it went.

use super::{err, out, smokejumper};
use crate::world::door::MemoryDoor;
use serde_json::Value;
use smokejumper::edges::socket::{self, SocketError};
use smokejumper::flow::identity::Platform;
use smokejumper::flow::refusal::Refusal;
use smokejumper::ports::StoreError;
use smokejumper_intents::intent::Intent;
use smokejumper_intents::reply::{Line, Reply};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Output;
use std::sync::Arc;
use tokio::sync::oneshot;

/// A door behind a socket, until it is dropped.
struct Server {
    door: Arc<MemoryDoor>,
    folder: tempfile::TempDir,
    stop: Option<oneshot::Sender<()>>,
    serving: Option<tokio::task::JoinHandle<std::io::Result<()>>>,
}

impl Server {
    fn start() -> Self {
        let (door, folder) = (Arc::new(MemoryDoor::default()), tempfile::tempdir().unwrap());
        let socket = socket::bind(folder.path()).unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        let serving = tokio::spawn(socket.serve(door.clone(), async {
            let _ = stopped.await;
        }));
        Self { door, folder, stop: Some(stop), serving: Some(serving) }
    }

    /// The binary runs in a thread of its own, the server goes on meanwhile.
    async fn say(&self, args: &[&str]) -> Output {
        let (folder, args) = (self.folder.path().to_owned(), args.iter().map(|a| (*a).to_owned()).collect::<Vec<_>>());
        tokio::task::spawn_blocking(move || {
            let mut all = vec!["incident", "--data-dir", folder.to_str().unwrap()];
            all.extend(args.iter().map(String::as_str));
            smokejumper(&folder, &all)
        })
        .await
        .unwrap()
    }

    async fn end(mut self) -> tempfile::TempDir {
        self.stop.take().unwrap().send(()).unwrap();
        self.serving.take().unwrap().await.unwrap().unwrap();
        self.folder
    }
}

fn titled(text: &str) -> Reply {
    Reply { title: Line::ours(text), ..Reply::default() }
}

#[tokio::test]
async fn words_reach_the_door_as_the_user_they_come_from() {
    let server = Server::start();
    *server.door.reply.lock().unwrap() = titled("INC-12 is acknowledged");
    let output = server.say(&["-i", "12", "ack"]).await;
    assert_eq!(
        (output.status.code(), out(&output).as_str()),
        (Some(0), "INC-12 is acknowledged\n"),
        "{}",
        err(&output)
    );
    server.say(&["list"]).await;
    let asked = server.door.asked.lock().unwrap().clone();
    let [(by, ask, key), (_, list, other_key)] = asked.as_slice() else { panic!("{asked:?}") };
    assert_eq!((by.platform, by.workspace.as_str()), (Platform::Cli, "local"));
    assert_eq!(by.id, rustix::process::geteuid().as_raw().to_string());
    assert_eq!((ask.incident, &ask.intent), (Some(12), &Intent::Acknowledge));
    assert!(matches!(list.intent, Intent::List { .. }));
    assert_ne!(key, other_key, "the same words again are another act");
}

#[tokio::test]
async fn the_exit_code_says_how_it_went() {
    let server = Server::start();
    let misread = server.say(&["akc"]).await;
    assert_eq!(misread.status.code(), Some(2));
    assert!(out(&misread).contains("I did not understand that") && out(&misread).contains("ack"), "{}", out(&misread));
    let confirm = server.say(&["checkout", "is", "down"]).await;
    assert_eq!(confirm.status.code(), Some(3));
    assert!(out(&confirm).contains("Open an incident?") && err(&confirm).contains("--yes"), "{}", err(&confirm));
    assert!(server.door.asked.lock().unwrap().is_empty(), "nothing was done so far");
    assert_eq!(server.say(&["--yes", "checkout", "is", "down"]).await.status.code(), Some(0));
    assert!(
        matches!(&server.door.asked.lock().unwrap()[0].1.intent, Intent::Declare { title, .. } if title == "checkout is down")
    );
    *server.door.reply.lock().unwrap() = Refusal::new("you asked for it yourself").or_try("ask @bo").to_reply();
    let refused = server.say(&["-i", "1", "approve"]).await;
    assert_eq!(refused.status.code(), Some(1));
    assert!(out(&refused).starts_with("No: you asked for it yourself"), "{}", out(&refused));
    *server.door.broken.lock().unwrap() = Some(StoreError::Unavailable("disk is full".to_owned()));
    let stuck = server.say(&["-i", "1", "ack"]).await;
    assert_eq!(stuck.status.code(), Some(5));
    assert!(err(&stuck).contains("could not be stored") && !err(&stuck).contains("disk"), "{}", err(&stuck));
}

#[tokio::test]
async fn scripts_get_json() {
    let server = Server::start();
    *server.door.reply.lock().unwrap() = titled("done");
    let json: Value = serde_json::from_str(&out(&server.say(&["--json", "list"]).await)).unwrap();
    assert_eq!((&json["outcome"], json["reply"]["title"].is_object()), (&Value::from("done"), true));
    let json: Value = serde_json::from_str(&out(&server.say(&["--json", "akc"]).await)).unwrap();
    assert_eq!(json["outcome"], "misread");
}

#[tokio::test]
async fn nobody_speaks_in_the_house() {
    let server = Server::start();
    let output = server.say(&["-i", "0", "note", "x"]).await;
    assert!(!output.status.success() && err(&output).contains("counted from 1"), "{}", err(&output));
    assert!(server.door.asked.lock().unwrap().is_empty());
}

#[tokio::test]
async fn without_a_server_it_says_what_to_do() {
    let folder = Server::start().end().await;
    assert!(!socket::path(folder.path()).exists(), "the file goes with the server");
    let output = smokejumper(folder.path(), &["incident", "--data-dir", folder.path().to_str().unwrap(), "list"]);
    assert_eq!(output.status.code(), Some(4));
    assert!(err(&output).contains("smokejumper serve"), "{}", err(&output));
}

#[tokio::test]
async fn the_socket_is_private_and_taken_once() {
    let server = Server::start();
    let path = socket::path(server.folder.path());
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(matches!(socket::bind(server.folder.path()), Err(SocketError::InUse(_))));
    let folder = server.end().await;
    // What a killed process leaves behind: a file nobody listens on.
    drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
    assert!(path.exists());
    drop(socket::bind(folder.path()).unwrap());
    std::fs::write(&path, "a file of somebody's").unwrap();
    assert!(matches!(socket::bind(folder.path()), Err(SocketError::NotASocket(_))));
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "a file of somebody's");
}

#[tokio::test]
async fn a_path_that_is_too_long_is_told_so() {
    let long = Path::new("/tmp").join("x".repeat(200));
    let error = socket::bind(&long).unwrap_err();
    assert!(matches!(error, SocketError::TooLong(_)) && error.to_string().contains("shorter data directory"));
}
