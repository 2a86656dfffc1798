//! A wire between a store and its Postgres that breaks when a test wants it to: around the next COMMIT, before it arrives,
//! after it arrived, or with its answer; or it falls silent.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream, UnixStream};
use tokio::task::JoinHandle;

/// Where it breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Break {
    /// The server never hears of it.
    Before,
    /// The server has it, and nobody waits for what comes of it.
    Within,
    /// The server has done it, and its answer is lost.
    After,
    /// Nothing comes through any more, and nothing says so.
    Silence,
}

/// The wire. Gone when dropped.
pub struct Strand {
    pub port: u16,
    next: Arc<Mutex<Option<Break>>>,
    task: JoinHandle<()>,
}

impl Strand {
    pub async fn to(socket: PathBuf) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let next = Arc::new(Mutex::new(None));
        let task = tokio::spawn({
            let next = Arc::clone(&next);
            async move {
                while let Ok((client, _)) = listener.accept().await {
                    let Ok(server) = UnixStream::connect(&socket).await else { continue };
                    tokio::spawn(carry(client, server, Arc::clone(&next)));
                }
            }
        });
        Self { port, next, task }
    }

    /// The next COMMIT meets this.
    pub fn breaks(&self, how: Break) {
        *self.next.lock().unwrap() = Some(how);
    }

    /// Whether the break that was asked for has happened.
    pub fn broke(&self) -> bool {
        self.next.lock().unwrap().is_none()
    }
}

impl Drop for Strand {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Carries bytes to and fro until somebody hangs up, or it breaks: both ends are closed then, unless it is to be silence.
async fn carry(mut client: TcpStream, mut server: UnixStream, next: Arc<Mutex<Option<Break>>>) {
    let (mut asked, mut answered) = (vec![0; 65_536], vec![0; 65_536]);
    loop {
        tokio::select! {
            read = client.read(&mut asked) => {
                let Ok(n @ 1..) = read else { return };
                let commits = asked[..n].windows(7).any(|bytes| bytes == b"COMMIT\0");
                let how = if commits { next.lock().unwrap().take() } else { None };
                match how {
                    Some(Break::Before) => return,
                    Some(Break::Silence) => return std::future::pending().await,
                    _ => {}
                }
                if server.write_all(&asked[..n]).await.is_err() || how == Some(Break::Within) {
                    return;
                }
                if how == Some(Break::After) {
                    let _ = server.read(&mut answered).await;
                    return;
                }
            }
            read = server.read(&mut answered) => {
                let Ok(n @ 1..) = read else { return };
                if client.write_all(&answered[..n]).await.is_err() {
                    return;
                }
            }
        }
    }
}
