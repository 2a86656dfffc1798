//! `smokejumper serve` as its users run it: the real binary, a configuration in a file, a data directory, a free port.
//! It can be killed and started again; its clients find the new port by themselves.

use crate::world::postgres::Database;
use crate::world::wait::{DEADLINE, seen, until};
use rustix::process::{Pid, Signal, kill_process};
use smokejumper::config::secret::Secret;
use smokejumper::edges::store::location::Location;
use std::fs::File;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// A server, perhaps running. Killed when dropped.
pub struct Bot {
    home: TempDir,
    /// Elsewhere than in its data directory.
    database: Option<Database>,
    child: Option<Child>,
    starts: u32,
    began: Instant,
    address: Address,
}

/// Where the server was last seen.
#[derive(Clone, Default)]
pub struct Address(Arc<Mutex<Option<SocketAddr>>>);

impl Address {
    /// `http://127.0.0.1:40123`; before the first start something nobody listens on.
    pub fn base(&self) -> String {
        let at = *self.0.lock().unwrap();
        format!("http://{}", at.unwrap_or_else(|| SocketAddr::from(([127, 0, 0, 1], 9))))
    }

    pub fn alerts(&self) -> String {
        format!("{}/alerts/alertmanager", self.base())
    }
}

/// For talking to it. A sender of alerts waits about that long.
pub fn client() -> reqwest::Client {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none());
    client.timeout(Duration::from_secs(10)).build().unwrap()
}

impl Bot {
    /// With `config` below its `[server]` table; not running yet.
    pub fn new(config: &str) -> Self {
        Self::on(None, config)
    }

    /// On this Postgres.
    pub fn on(database: Option<Database>, config: &str) -> Self {
        let home = tempfile::tempdir().unwrap();
        let bot = Self { home, database, child: None, starts: 0, began: Instant::now(), address: Address::default() };
        std::fs::write(bot.path("smokejumper.toml"), format!("[server]\nlisten = \"127.0.0.1:0\"\n\n{config}"))
            .unwrap();
        bot
    }

    /// A new one that is ready.
    pub async fn serving(config: &str) -> Self {
        let mut bot = Self::new(config);
        bot.start();
        bot.ready().await;
        bot
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    pub fn data(&self) -> PathBuf {
        self.path("data")
    }

    /// What a process on its data is told by variables.
    pub fn environment(&self) -> Option<(&'static str, String)> {
        self.database.as_ref().map(|database| ("SMOKEJUMPER_DATABASE_URL", database.url.clone()))
    }

    /// Its data directory and its database.
    pub fn location(&self) -> Location {
        Location::new(&self.data(), self.database.as_ref().map(|database| Secret::new(database.url.clone())))
    }

    pub fn database(&self) -> Option<&Database> {
        self.database.as_ref()
    }

    pub fn address(&self) -> &Address {
        &self.address
    }

    pub fn pid(&self) -> u32 {
        self.child.as_ref().map(Child::id).expect("it runs")
    }

    /// Starts the process and does not wait for it.
    pub fn start(&mut self) {
        self.start_with(&[]);
    }

    /// The same with more to say on its command line.
    pub fn start_with(&mut self, more: &[&str]) {
        self.start_as(more, &[]);
    }

    /// And with variables of its environment.
    pub fn start_as(&mut self, more: &[&str], environment: &[(&str, &str)]) {
        assert!(self.child.is_none(), "it runs already");
        self.starts += 1;
        let file = |kind: &str| File::create(self.path(&format!("{kind}.{}", self.starts))).unwrap();
        let child = Command::new(env!("CARGO_BIN_EXE_smokejumper"))
            .args(["serve", "--config", "smokejumper.toml", "--data-dir", "data"])
            .args(more)
            .current_dir(self.home.path())
            .env_clear()
            .envs(environment.iter().copied())
            .envs(self.environment())
            .stdin(Stdio::null())
            .stdout(file("out"))
            .stderr(file("err"))
            .spawn()
            .unwrap();
        self.began = Instant::now();
        self.child = Some(child);
    }

    /// Waits until it says that it stands by for another one; where it listens.
    pub async fn standing_by(&mut self) -> SocketAddr {
        let at = until("the server stands by", || {
            let status = self.child.as_mut().expect("it was started").try_wait().unwrap();
            assert!(status.is_none(), "it ended with {status:?}: {}", self.errors());
            let said = self.said();
            let line = said.lines().find_map(|line| line.strip_prefix("standby   http://").map(str::to_owned))?;
            line.split_once(' ').map(|(at, _)| at.parse::<SocketAddr>().unwrap())
        })
        .await;
        *self.address.0.lock().unwrap() = Some(at);
        at
    }

    /// Waits until it can take alerts in; how long that took from its start.
    pub async fn ready(&mut self) -> Duration {
        let at = self.up().await;
        let client = client();
        let url = format!("http://{at}/readyz");
        seen("the server is ready", DEADLINE, || async {
            client.get(&url).send().await.ok().filter(|answer| answer.status() == 200)
        })
        .await;
        self.began.elapsed()
    }

    /// Waits until it listens, ready or not.
    pub async fn up(&mut self) -> SocketAddr {
        let at = until("the server says where it listens", || {
            let status = self.child.as_mut().expect("it was started").try_wait().unwrap();
            assert!(status.is_none(), "it ended with {status:?}: {}", self.errors());
            let said = self.said();
            let line = said.lines().find_map(|line| line.strip_prefix("console   http://").map(str::to_owned))?;
            let whole = said.contains("\nsign in   ") && said.ends_with('\n');
            whole.then(|| line.parse::<SocketAddr>().unwrap())
        })
        .await;
        *self.address.0.lock().unwrap() = Some(at);
        at
    }

    /// `kill -9`: no word to it, nothing tidied up.
    pub fn kill(&mut self) {
        let mut child = self.child.take().expect("it runs");
        child.kill().unwrap();
        child.wait().unwrap();
    }

    /// SIGTERM; it ends by itself, in time.
    pub async fn end(&mut self) -> ExitStatus {
        self.ask_to_end();
        self.ended().await
    }

    pub fn ask_to_end(&self) {
        let pid = Pid::from_raw(i32::try_from(self.pid()).unwrap()).unwrap();
        kill_process(pid, Signal::TERM).unwrap();
    }

    pub async fn ended(&mut self) -> ExitStatus {
        let mut child = self.child.take().expect("it runs");
        until("the server ends", || child.try_wait().unwrap()).await
    }

    /// Standard output since the last start.
    pub fn said(&self) -> String {
        std::fs::read_to_string(self.path(&format!("out.{}", self.starts))).unwrap_or_default()
    }

    /// Standard error of all starts.
    pub fn errors(&self) -> String {
        let one = |n| std::fs::read_to_string(self.path(&format!("err.{n}"))).unwrap_or_default();
        (1..=self.starts).map(one).collect()
    }

    /// The login link of the last start.
    pub fn login_url(&self) -> String {
        let said = self.said();
        let link = said.lines().find_map(|line| line.strip_prefix("sign in   "));
        link.unwrap_or_else(|| panic!("no login link in {said:?}")).to_owned()
    }

    /// It never panicked, whatever happened to it.
    pub fn assert_calm(&self) {
        let errors = self.errors();
        assert!(!errors.contains("panicked"), "{errors}");
    }
}

impl Drop for Bot {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
        if std::thread::panicking() {
            eprintln!("---- what the server said, of {} starts\n{}", self.starts, self.errors());
        }
    }
}
