//! Numbers that are read now and then, never by a scrape: how much waits, how long, and what went wrong.
//!
//! Whoever reads them puts one [`Reading`] here; a scrape shows the last one.

use prometheus_client::collector::Collector;
use prometheus_client::encoding::DescriptorEncoder;
use prometheus_client::metrics::MetricType;
use std::fmt::Error;
use std::sync::{Arc, PoisonError, RwLock};

/// One look at the whole. Ages are of that moment, in seconds.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Reading {
    pub ready: bool,
    pub restored: bool,
    /// Nothing can be written just now.
    pub failing: bool,
    pub inbox_waiting: u64,
    pub inbox_oldest: f64,
    pub outbox: Vec<Lane>,
    /// Unreadable deliveries of which a sample is kept, by source.
    pub dead_letters: Vec<(String, u64)>,
    pub journal_entries: u64,
    /// Writes that wait for the one writer.
    pub writer_queue: u64,
    /// Open incidents by severity, without private ones.
    pub open: Vec<(String, u64)>,
    pub links: Vec<Link>,
}

/// How a chat platform reaches us.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Link {
    pub platform: String,
    pub connected: bool,
    /// Since nothing can reach us; 0: it can.
    pub deaf: f64,
    /// Connections after the first.
    pub reconnects: u64,
    /// How far its clock is from ours, either way, where it is too far to be believed.
    pub skew: f64,
}

/// Effects of one destination in one state.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Lane {
    pub destination: String,
    pub state: String,
    pub rows: u64,
    /// Since it could have gone, for what is pending; else 0.
    pub oldest: f64,
}

/// The last reading, shared by who reads and who shows.
#[derive(Clone, Debug, Default)]
pub struct Gauges(Arc<RwLock<Reading>>);

impl Gauges {
    pub fn set(&self, reading: Reading) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = reading;
    }

    #[must_use]
    pub fn get(&self) -> Reading {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Collector for Gauges {
    fn encode(&self, mut to: DescriptorEncoder<'_>) -> Result<(), Error> {
        let now = self.get();
        let to = &mut to;
        one(to, "ready", "1 while /readyz says yes", f64::from(u8::from(now.ready)))?;
        one(to, "restored", "1 in restored mode: nothing is delivered or run", f64::from(u8::from(now.restored)))?;
        one(to, "storage_failing", "1 while nothing can be written", f64::from(u8::from(now.failing)))?;
        one(to, "inbox_waiting", "Deliveries whose turn has not come", now.inbox_waiting as f64)?;
        one(to, "inbox_oldest_seconds", "Age of the oldest delivery that waits", now.inbox_oldest)?;
        one(to, "journal_entries", "Facts in the journal", now.journal_entries as f64)?;
        one(to, "writer_queue", "Writes that wait for the one writer", now.writer_queue as f64)?;
        let lanes = |value: fn(&Lane) -> f64| {
            let labels = |l: &Lane| [("destination", l.destination.clone()), ("state", l.state.clone())];
            now.outbox.iter().map(|l| (labels(l), value(l))).collect::<Vec<_>>()
        };
        many(to, "outbox_rows", "Effects that are not settled, or were given up", &lanes(|l| l.rows as f64))?;
        let oldest = lanes(|l| l.oldest).into_iter().filter(|(labels, _)| labels[1].1 == "pending");
        let oldest: Vec<_> = oldest.map(|([destination, _], age)| ([destination], age)).collect();
        many(to, "outbox_oldest_seconds", "Age of the oldest effect that waits and is due", &oldest)?;
        let letters: Vec<_> =
            now.dead_letters.iter().map(|(source, n)| ([("source", source.clone())], *n as f64)).collect();
        many(to, "dead_letters", "Unreadable deliveries of which a sample is kept", &letters)?;
        let open: Vec<_> = now.open.iter().map(|(severity, n)| ([("severity", severity.clone())], *n as f64)).collect();
        many(to, "incidents_open", "Open incidents, without private ones", &open)?;
        let links = |value: fn(&Link) -> f64| {
            now.links.iter().map(|l| ([("platform", l.platform.clone())], value(l))).collect::<Vec<_>>()
        };
        let connected = links(|l| f64::from(u8::from(l.connected)));
        many(to, "chat_connected", "1 while a chat platform can reach us", &connected)?;
        many(to, "chat_deaf_seconds", "Since a chat platform cannot reach us; 0 while it can", &links(|l| l.deaf))?;
        many(to, "chat_reconnects", "Connections to a chat platform after the first", &links(|l| l.reconnects as f64))?;
        let help = "How far a chat platform's clock is from this one, where that is too far to be believed; else 0";
        many(to, "chat_clock_skew_seconds", help, &links(|l| l.skew))
    }
}

fn one(to: &mut DescriptorEncoder<'_>, name: &str, help: &str, value: f64) -> Result<(), Error> {
    to.encode_descriptor(name, help, None, MetricType::Gauge)?.encode_gauge(&value)
}

fn many<const N: usize>(
    to: &mut DescriptorEncoder<'_>,
    name: &str,
    help: &str,
    values: &[([(&'static str, String); N], f64)],
) -> Result<(), Error> {
    if values.is_empty() {
        return Ok(());
    }
    let mut family = to.encode_descriptor(name, help, None, MetricType::Gauge)?;
    for (labels, value) in values {
        family.encode_family(labels)?.encode_gauge(value)?;
    }
    Ok(())
}
