//! Journeys on Slack: the real binary, the strict Slack of the tests, a service that really breaks, and people who type and press.
//! Every request of every story is judged; a violation fails it.

mod by_hand;
mod hostile;
mod main_job;
mod newcomer;
mod outage;
mod twice;

use crate::process::bot::{Bot, client};
use crate::process::person::Person as AtConsole;
use crate::process::{err, out, smokejumper};
use crate::world::slack::FakeSlack;
use crate::world::wait::{seen, until};
use serde_json::Value;
use smokejumper::cli::demo::payload::alertmanager;
use smokejumper::cli::demo::service::Victim;
use smokejumper::edges::clock::WallClock;
use smokejumper::flow::moment::At;
use smokejumper::ports::Clock as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;

/// Some steps stand for a whole run, or for waiting as long as Slack asked for.
const PATIENCE: Duration = Duration::from_secs(90);

/// How Slack reaches the bot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Socket,
    Http,
}

/// Everything on stage. Slack goes last, and looks at what it saw.
struct Stage {
    bot: Bot,
    victim: Victim,
    slack: FakeSlack,
    folder: TempDir,
}

/// Ana administers, Bo approves, Cleo responds; Dan is somebody of whom the configuration knows nothing.
const PEOPLE: &str = r#"
[[person]]
id = "ana"
name = "Ana Ruiz"
right = "admin"
teams = ["payments"]
slack = "T00000001/UANA00001"

[[person]]
id = "bo"
name = "Bo Lind"
right = "approver"
teams = ["payments"]
on_call = true
slack = "T00000001/UBO000001"

[[person]]
id = "cleo"
name = "Cleo Park"
right = "responder"
slack = "T00000001/UCLEO0001"

[[service]]
name = "checkout"
owners = ["payments"]
depends_on = ["orders-db"]

[[service]]
name = "orders-db"
owners = ["payments"]
"#;

const RUNBOOK: &str = include_str!("../../../../src/cli/demo/rollback-release.toml");

/// Slack has the app as the binary's own manifest describes it: no scope, event, command or shortcut more.
async fn install(slack: &FakeSlack, bot: &Bot, way: Way) {
    let folder = bot.path("");
    let printed = tokio::task::spawn_blocking(move || {
        let base: &[&str] = &["manifest", "slack", "--config", "smokejumper.toml"];
        let http: &[&str] = &["--mode", "http", "--url", "https://incidents.example.com"];
        smokejumper(&folder, &if way == Way::Http { [base, http].concat() } else { base.to_vec() })
    });
    let printed = printed.await.unwrap();
    let manifest = serde_json::from_str(&out(&printed)).unwrap_or_else(|e| panic!("{e}: {}", err(&printed)));
    slack.install(&manifest);
}

impl Stage {
    /// The demo's team and service, with Slack connected; `more` is added to `[slack]`.
    async fn set(way: Way, more: &str) -> Self {
        let slack = FakeSlack::start(Arc::new(WallClock)).await;
        Self::set_with(slack, way, more).await
    }

    async fn set_with(slack: FakeSlack, way: Way, more: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let victim = Victim::start(&folder.path().join("service")).await.unwrap();
        let ln = ["/bin/ln", "/usr/bin/ln"].into_iter().find(|p| Path::new(p).exists()).unwrap();
        let runbook = RUNBOOK
            .replace("@LN@", ln)
            .replace("@SERVICE@", &folder.path().join("service").display().to_string())
            .replace("@ORIGIN@", &format!("http://{}", victim.address));
        let runbooks = folder.path().join("runbooks");
        std::fs::create_dir_all(&runbooks).unwrap();
        std::fs::write(runbooks.join("rollback-release.toml"), runbook).unwrap();
        let connected = match way {
            Way::Socket => slack.config(),
            Way::Http => slack.config_http(),
        };
        let config = format!("[runbooks]\nfolder = \"{}\"\n{PEOPLE}\n{connected}{more}", runbooks.display());
        let mut bot = Bot::new(&config);
        install(&slack, &bot, way).await;
        bot.start();
        bot.ready().await;
        let stage = Self { bot, victim, slack, folder };
        match way {
            Way::Http => stage.slack.posts_to(&stage.bot.address().base()),
            Way::Socket => stage.connected().await,
        }
        stage
    }

    async fn connected(&self) {
        until("a socket", || (self.slack.sockets() > 0).then_some(())).await;
    }

    /// Deploys a release that leaks, and buys until customers see errors.
    async fn breaks(&self, release: &str) -> At {
        self.victim.release(release).unwrap();
        let client = client();
        for _ in 0..100 {
            if self.victim.buy(&client).await.unwrap() == 500 {
                return WallClock.now();
            }
        }
        panic!("the service did not break")
    }

    async fn alert(&self, release: &str, since: At, until: Option<At>) {
        self.posts(&alertmanager(release, since, until)).await;
    }

    async fn posts(&self, body: &Value) {
        let answer = client().post(self.bot.address().alerts()).json(body).send().await.unwrap();
        assert!(answer.status().is_success(), "{}", answer.status());
    }

    /// The channel whose name begins so, when it is there and has a pinned card.
    async fn room(&self, begins: &str) -> String {
        let what = format!("{begins}… with a pinned card");
        let found = seen(&what, PATIENCE, || async {
            let all = self.slack.incident_channels();
            all.into_iter().find(|c| c.name.starts_with(begins) && !c.pins.is_empty()).map(|c| c.name)
        });
        found.await
    }

    /// Waits until somebody sees this.
    async fn sees(&self, who: &str, what: &str) {
        let person = self.slack.user(who);
        let looked = seen("it", PATIENCE * 2, || async { person.sees().contains(what).then_some(()) });
        let late = tokio::time::timeout(PATIENCE, looked).await.is_err();
        assert!(!late, "{who} does not see {what:?} in\n{}\n{}", person.sees(), self.bot.errors());
    }

    /// Presses a button in a channel as soon as it is there.
    async fn clicks(&self, who: &str, channel: &str, label: &str) {
        let person = self.slack.user(who);
        let looked = seen("a button", PATIENCE * 2, || async { person.can_click_in(channel, label).then_some(()) });
        let late = tokio::time::timeout(PATIENCE, looked).await.is_err();
        assert!(!late, "{who} cannot click {label:?} in\n{}\n{}", person.sees(), self.bot.errors());
        person.clicks_in(channel, label).await;
    }

    /// Waits until somebody alone was told this.
    async fn told(&self, who: &str, what: &str) -> String {
        let person = self.slack.user(who);
        let find = || person.was_told().into_iter().rev().find(|told| told.contains(what));
        let looked = seen("it", PATIENCE * 2, || async { find() });
        tokio::time::timeout(PATIENCE, looked).await.unwrap_or_else(|_| {
            panic!("{who} was not told {what:?}, but\n{}\n{}", person.was_told().join("\n"), self.bot.errors())
        })
    }

    /// Waits until a page of the console says this.
    async fn console_says(&self, person: &AtConsole, path: &str, what: &str) {
        let looked = seen("it", PATIENCE * 2, || async { person.page(path).await.contains(what).then_some(()) });
        let late = tokio::time::timeout(PATIENCE, looked).await.is_err();
        assert!(!late, "the console does not say {what:?} in\n{}\n{}", person.page(path).await, self.bot.errors());
    }

    /// Waits until a form is open, and gives it.
    async fn form(&self, who: &str) -> String {
        let person = self.slack.user(who);
        until(&format!("a form for {who}"), || person.sees_form()).await
    }

    /// Without what differs from one run to the next: times, ports, folders, percentages, ids.
    fn steady(&self, text: &str) -> String {
        let folder = self.folder.path().display().to_string();
        let rules = [
            (r"127\.0\.0\.1:\d+", "127.0.0.1:PORT"),
            (r"\b\d{4}-\d{2}-\d{2}([T ])\d{2}:\d{2}(:\d{2}(\.\d+)?)?Z?", "TIME"),
            (r"\b\d{4}-\d{2}-\d{2}\b", "DATE"),
            (r"\b\d{2}:\d{2}(:\d{2})?\b", "TIME"),
            (r"\b\d+\s+(ms|s|min)\b", "T"),
            (r"\b\d+\s?%", "P%"),
            (r"\b[CD]\d{8}\b", "CHANNEL"),
            (r"\bp\d{16}\b", "MESSAGE"),
            (r"\b[0-9a-f]{8,64}\b", "DIGEST"),
        ];
        rules.iter().fold(text.replace(&folder, "FOLDER"), |text, (pattern, with)| {
            regex::Regex::new(pattern).unwrap().replace_all(&text, *with).into_owned()
        })
    }
}

/// Looks at one place.
impl Stage {
    async fn looks(&self, what: &str, look: impl Fn() -> String) {
        let looked = seen("it", PATIENCE * 2, || async { look().contains(what).then_some(()) });
        let late = tokio::time::timeout(PATIENCE, looked).await.is_err();
        assert!(!late, "{what:?} is not in\n{}\n{}", look(), self.bot.errors());
    }

    /// Waits until everybody reads this in a channel, the card apart.
    async fn reads(&self, channel: &str, what: &str) {
        let ana = self.slack.user("ana");
        self.looks(what, || ana.reads(channel)).await;
    }

    /// Waits until the pinned card says this.
    async fn pinned(&self, channel: &str, what: &str) {
        let ana = self.slack.user("ana");
        self.looks(what, || ana.sees_pinned(channel)).await;
    }

    async fn home(&self, who: &str, what: &str) {
        let person = self.slack.user(who);
        self.looks(what, || person.sees_home().unwrap_or_default()).await;
    }
}
