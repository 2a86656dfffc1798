//! What goes wrong, and when: single requests, sockets, or all of Slack.

use std::collections::VecDeque;
use std::time::Duration;

/// What befalls a request to the Web API.
#[derive(Clone, Debug, PartialEq)]
pub enum Fault {
    /// 429 with Retry-After (s); no effect.
    TooMany(i64),
    /// 500, 502, 503, …; no effect.
    Status(u16),
    /// The answer comes so much later.
    Slow(Duration),
    /// 200 with something that is no JSON; no effect.
    Garbage,
    /// 200 with a page of a proxy; no effect.
    Html,
    /// `ok: false` with this code; no effect.
    Refused(&'static str),
    /// The connection ends without an answer; no effect.
    Lost,
    /// It takes effect, and the connection ends without an answer.
    EffectThenLost,
    /// It takes effect, and the answer breaks off in the middle.
    EffectThenCut,
    /// It takes effect, and a proxy answers so.
    EffectThenStatus(u16),
    /// It takes effect, and the answer is no JSON.
    EffectThenGarbage,
    /// It takes effect, and the answer comes at a byte a second.
    Trickle,
}

/// What befalls all of Slack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outage {
    /// Nobody listens.
    Refused,
    /// Connections are taken, and nothing is ever answered.
    Blackhole,
    Status(u16),
    Html,
    /// 200, `ok: false`, `service_unavailable`
    NotOk,
    /// 429 with Retry-After (s).
    TooMany(i64),
    /// A byte a second.
    Trickle,
}

/// What befalls deliveries to the app.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mishap {
    /// Sent twice.
    Twice,
    /// Sent only when [`super::FakeSlack::release`] is called.
    Late,
    /// Sent, and the connection is cut before the acknowledgement could be heard (Socket Mode).
    CutAfter,
}

#[derive(Default)]
pub struct Faults {
    /// Method (`None`: any), how often still, and what.
    pub planned: Vec<(Option<String>, usize, Fault)>,
    pub outage: Option<Outage>,
    pub mishaps: VecDeque<Mishap>,
}

impl Faults {
    /// What befalls the next call of `method`.
    pub fn next(&mut self, method: &str) -> Option<Fault> {
        let at = self.planned.iter().position(|(m, left, _)| *left > 0 && m.as_deref().is_none_or(|m| m == method))?;
        self.planned[at].1 -= 1;
        let fault = self.planned[at].2.clone();
        self.planned.retain(|(_, left, _)| *left > 0);
        Some(fault)
    }
}
