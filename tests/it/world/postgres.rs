//! A Postgres of the tests' own: a cluster made from the installed programs when the first test wants one, as a user without
//! rights, reached through a socket in a temporary directory. One for the whole test process, a database for each test.
//!
//! A shell watches over it and holds a pipe to this process: however the tests end (also by `kill -9`), the pipe closes,
//! and the shell stops the server and removes its files.

use sqlx::{AnyConnection, Connection as _};
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

/// The owner of all databases. The password is one that can be looked for in logs.
pub const USER: &str = "smokejumper";
pub const PASSWORD: &str = "canary-7d1f-of-postgres";
/// `nobody` on Debian: `initdb` refuses to work for root.
const NOBODY: u32 = 65_534;
/// Debian's, one folder a version.
const INSTALLED: &str = "/usr/lib/postgresql";

const IN_MEMORY: &str = "/dev/shm";
/// A hundred databases of 8 MB, twice.
const ENOUGH: u64 = 2_000_000_000;

const WATCH: &str = r#"
bin=$1 dir=$2; shift 2
fail() { echo "failed: $(tail -n 3 "$dir/log" | tr '\n' ' ')"; rm -rf "$dir"; exit 1; }
if [ ! -e "$dir/data" ]; then
  "$bin/initdb" -D "$dir/data" -U smokejumper -A password --pwfile="$dir/password" -E UTF8 --locale=C -N >"$dir/log" 2>&1 || fail
fi
"$bin/postgres" -D "$dir/data" -k "$dir" -c listen_addresses= "$@" >>"$dir/log" 2>&1 &
pid=$!
until "$bin/pg_isready" -q -h "$dir"; do kill -0 "$pid" 2>/dev/null || fail; sleep 0.05; done
echo "ready"
read -r how
kill -QUIT "$pid" 2>/dev/null
wait "$pid"
[ "$how" = keep ] || rm -rf "$dir"
"#;

/// A server. Stopped and removed when this process ends, or when dropped.
#[derive(Debug)]
pub struct Cluster {
    dir: PathBuf,
    /// Closed when this process is gone.
    watched: Option<ChildStdin>,
    shell: Child,
}

/// A database of a test's own.
#[derive(Clone, Debug)]
pub struct Database {
    pub name: String,
    pub url: String,
    /// Of the server, for making more of them.
    admin: String,
}

/// The newest installed programs.
pub fn programs() -> Option<PathBuf> {
    let mut versions: Vec<(u32, PathBuf)> = std::fs::read_dir(INSTALLED)
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| Some((entry.file_name().to_str()?.parse().ok()?, entry.path().join("bin"))))
        .collect();
    versions.sort();
    let path = std::env::var_os("PATH").unwrap_or_default();
    let usual = versions.into_iter().rev().map(|(_, bin)| bin);
    let there = |bin: &PathBuf| ["initdb", "postgres", "pg_isready"].iter().all(|program| bin.join(program).is_file());
    usual.chain(std::env::split_paths(&path)).find(there)
}

/// The server all tests share; `None` where Postgres is not installed, which is said, and in CI is an error.
pub fn shared() -> Option<&'static Cluster> {
    static SHARED: OnceLock<Option<Cluster>> = OnceLock::new();
    let cluster = SHARED.get_or_init(|| {
        // Nothing is lost by it but after a power failure, and it is several times as fast.
        Some(Cluster::start(&programs()?, &["-c", "fsync=off", "-c", "full_page_writes=off"]))
    });
    if cluster.is_none() {
        assert!(std::env::var_os("CI").is_none(), "Postgres is not installed (Debian package postgresql)");
        println!("skipped: Postgres is not installed (Debian package postgresql)");
    }
    cluster.as_ref()
}

/// A new database on the shared server.
pub async fn database() -> Option<Database> {
    Some(shared()?.database().await)
}

/// A folder that the server's user may use, and nobody else.
pub fn folder() -> PathBuf {
    folder_in(roomy())
}

/// Likewise, there.
pub fn folder_in(parent: &str) -> PathBuf {
    let dir = tempfile::Builder::new().prefix("smokejumper-pg-").tempdir_in(parent).unwrap().keep();
    std::fs::write(dir.join("password"), PASSWORD).unwrap();
    if rustix::process::geteuid().is_root() {
        for path in [&dir, &dir.join("password")] {
            std::os::unix::fs::chown(path, Some(NOBODY), Some(NOBODY)).unwrap();
        }
    }
    dir
}

/// In memory where there is enough of it: a hundred databases are many small files to make and to remove.
fn roomy() -> &'static str {
    let free = rustix::fs::statvfs(IN_MEMORY).map_or(0, |space| space.f_bavail * space.f_frsize);
    if free > ENOUGH { IN_MEMORY } else { "/tmp" }
}

/// As the server's user.
pub fn unprivileged(program: &Path) -> Command {
    let mut command;
    if rustix::process::geteuid().is_root() {
        command = Command::new("setpriv");
        command.args([&format!("--reuid={NOBODY}"), &format!("--regid={NOBODY}"), "--clear-groups"]).arg(program);
    } else {
        command = Command::new(program);
    }
    command.env_clear().env("PATH", "/usr/bin:/bin").env("LC_ALL", "C").current_dir("/");
    command
}

impl Cluster {
    /// A new one, with these options of `postgres`.
    pub fn start(programs: &Path, options: &[&str]) -> Self {
        Self::start_in(folder(), programs, options)
    }

    /// In a [`folder`] that may hold its data already.
    pub fn start_in(dir: PathBuf, programs: &Path, options: &[&str]) -> Self {
        let mut child = unprivileged(Path::new("/bin/sh"))
            .args(["-c", WATCH, "sh"])
            .args([programs, &dir])
            .args(["-c", "max_connections=200", "-c", "shared_buffers=32MB", "-c", "autovacuum=off"])
            .args(options)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
            .unwrap();
        let mut said = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut said).unwrap();
        assert_eq!(said.trim(), "ready", "Postgres does not start");
        Self { dir, watched: child.stdin.take(), shell: child }
    }

    pub fn socket(&self) -> PathBuf {
        self.dir.join(".s.PGSQL.5432")
    }

    /// Stops it as a crash would, and leaves its folder for [`Cluster::start_in`].
    pub fn stop(mut self) -> PathBuf {
        self.watched.take().unwrap().write_all(b"keep\n").unwrap();
        self.shell.wait().unwrap();
        self.dir.clone()
    }

    pub fn url(&self, database: &str) -> String {
        let host: String = self.dir.display().to_string().replace('/', "%2F");
        format!("postgres://{USER}:{PASSWORD}@{host}/{database}")
    }

    pub async fn database(&self) -> Database {
        make(&self.url("postgres"), "template0", |name| self.url(name)).await
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        drop(self.watched.take());
        let _ = self.shell.wait();
    }
}

impl Database {
    /// Another one with the same content. Nobody may be connected to this one.
    pub async fn copy(&self) -> Self {
        let (before, _) = self.url.rsplit_once('/').unwrap();
        make(&self.admin, &self.name, |name| format!("{before}/{name}")).await
    }
}

pub async fn connect(url: &str) -> AnyConnection {
    sqlx::any::install_default_drivers();
    AnyConnection::connect(url).await.unwrap()
}

async fn make(admin: &str, template: &str, url: impl Fn(&str) -> String) -> Database {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let name = format!("test_{}", NUMBER.fetch_add(1, Ordering::Relaxed));
    let mut connection = connect(admin).await;
    // Connections that were dropped a moment ago are still being closed.
    let sql = format!(
        "SELECT CAST(COUNT(pg_terminate_backend(pid)) AS BIGINT) FROM pg_stat_activity WHERE datname = '{template}'; \
         CREATE DATABASE {name} TEMPLATE {template}"
    );
    for statement in sql.split(';') {
        sqlx::raw_sql(sqlx::AssertSqlSafe(statement.to_owned())).execute(&mut connection).await.unwrap();
    }
    connection.close().await.unwrap();
    Database { url: url(&name), name, admin: admin.to_owned() }
}
