//! Whether a server runs with this data directory, and what it says of itself.

use super::{Check, Finding, Ground};
use crate::edges::socket;
use crate::egress::{Client, Limits, Outside, Terms};
use async_trait::async_trait;
use serde::Deserialize;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

pub struct Server;

/// It answers from memory.
const WITHIN: Duration = Duration::from_secs(3);

#[derive(Deserialize)]
struct Readiness {
    ready: bool,
    reasons: Vec<Reason>,
    /// What does not make it unready: a chat platform that cannot reach us, a configuration that was refused.
    #[serde(default)]
    notes: Vec<Reason>,
}

#[derive(Deserialize)]
struct Reason {
    what: String,
    /// Empty: said to this machine only, and it listens at another address.
    #[serde(default)]
    why: String,
}

#[async_trait]
impl Check for Server {
    fn name(&self) -> &'static str {
        "server"
    }

    async fn look(&self, ground: &Ground) -> Vec<Finding> {
        let config = &ground.checked.config;
        if std::os::unix::net::UnixStream::connect(socket::path(&config.data_dir)).is_err() {
            return vec![Finding::look("none runs with this data directory", "start `smokejumper serve`")];
        }
        let own = SocketAddr::new(
            if config.listen.ip().is_unspecified() { IpAddr::V4(Ipv4Addr::LOCALHOST) } else { config.listen.ip() },
            config.listen.port(),
        );
        if own.port() == 0 {
            return vec![Finding::ok("runs, on a port of its own choice")];
        }
        let terms = Terms { limits: Limits { whole: WITHIN, ..Limits::default() }, ..Terms::default() };
        let url = format!("http://{own}/readyz");
        let asked = match Client::new(Outside::Vendor { allow_plaintext: true }, &terms) {
            Ok(client) => client.get(&url).await.map_err(|failed| failed.to_string()),
            Err(refused) => Err(refused.to_string()),
        };
        match asked.and_then(|answer| answer.json::<Readiness>()) {
            Ok(Readiness { ready: true, notes, .. }) => {
                let told = notes.into_iter().map(|Reason { what, why }| {
                    Finding::look(format!("{what}: {why}"), "see docs/operations.md; of slack, docs/slack.md")
                });
                std::iter::once(Finding::ok(format!("runs, ready, on {own}"))).chain(told).collect()
            }
            Ok(Readiness { reasons, .. }) => {
                let told = |Reason { what, why }: Reason| {
                    let why = if why.is_empty() { String::new() } else { format!(": {why}") };
                    Finding::broken(format!("runs, not ready ({what}){why}"), "see docs/operations.md")
                };
                reasons.into_iter().map(told).collect()
            }
            Err(why) => vec![Finding::broken(format!("runs, but {url} does not answer: {why}"), "look into its log")],
        }
    }
}
