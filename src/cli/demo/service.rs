//! The demo's victim: a small real HTTP service with a connection pool, and releases that leak it empty.
//!
//! `releases/2.42/service.conf` says how a release behaves; the symlink `current` says which one runs. Knows nothing of
//! incidents: it is really broken, and really repaired, by moving that link.

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use std::io;
use std::net::SocketAddr;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::net::TcpListener;

/// Connections the pool holds.
const POOL: u32 = 5;
/// Releases, and whether they give connections back.
pub const RELEASES: [(&str, bool); 3] = [("2.41", true), ("2.42", false), ("2.43", false)];
/// The one that works.
pub const GOOD: &str = "2.41";

/// The running service.
#[derive(Debug)]
pub struct Victim {
    pub address: SocketAddr,
    folder: PathBuf,
}

#[derive(Debug)]
struct Pool {
    folder: PathBuf,
    inner: Mutex<(String, u32)>,
}

impl Victim {
    /// Lays out the releases in `folder` and serves on a free port of the loopback interface.
    ///
    /// # Errors
    /// The folder cannot be written, or no port is free.
    pub async fn start(folder: &Path) -> io::Result<Self> {
        for (release, gives_back) in RELEASES {
            let release = folder.join("releases").join(release);
            std::fs::create_dir_all(&release)?;
            std::fs::write(release.join("service.conf"), format!("returns_connections = {gives_back}\n"))?;
        }
        let victim = Self { address: SocketAddr::from(([127, 0, 0, 1], 0)), folder: folder.to_owned() };
        victim.release(GOOD)?;
        let pool = Pool { folder: folder.to_owned(), inner: Mutex::new((String::new(), POOL)) };
        let app = Router::new().route("/checkout", get(checkout)).with_state(Arc::new(pool));
        let listener = TcpListener::bind(victim.address).await?;
        let address = listener.local_addr()?;
        tokio::spawn(async move { axum::serve(listener, app).await });
        Ok(Self { address, ..victim })
    }

    /// Moves `current` to another release, as a deployment would.
    ///
    /// # Errors
    /// The folder cannot be written.
    pub fn release(&self, version: &str) -> io::Result<()> {
        let next = self.folder.join("next");
        let _ = std::fs::remove_file(&next);
        symlink(Path::new("releases").join(version), &next)?;
        std::fs::rename(next, self.folder.join("current"))
    }

    /// What a customer sees.
    ///
    /// # Errors
    /// The service does not answer at all.
    pub async fn buy(&self, client: &reqwest::Client) -> Result<u16, reqwest::Error> {
        let answer = client.get(format!("http://{}/checkout", self.address)).send().await?;
        Ok(answer.status().as_u16())
    }
}

/// Takes a connection, and gives it back if the release knows how.
async fn checkout(State(pool): State<Arc<Pool>>) -> (StatusCode, String) {
    let current = pool.folder.join("current");
    let release = std::fs::read_link(&current)
        .ok()
        .and_then(|to| to.file_name().map(|name| name.to_string_lossy().into_owned()))
        .unwrap_or_default();
    let gives_back =
        std::fs::read_to_string(current.join("service.conf")).is_ok_and(|c| c.contains("returns_connections = true"));
    let mut inner = pool.inner.lock().unwrap_or_else(PoisonError::into_inner);
    if inner.0 != release {
        // A deployment starts the process anew, with a full pool.
        *inner = (release.clone(), POOL);
    }
    if inner.1 == 0 {
        let text = format!("connection pool exhausted: 0 of {POOL} connections free (release {release})\n");
        return (StatusCode::INTERNAL_SERVER_ERROR, text);
    }
    if !gives_back {
        inner.1 -= 1;
    }
    (StatusCode::OK, format!("ok (release {release})\n"))
}
