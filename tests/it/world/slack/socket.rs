//! Socket Mode: hello, envelopes and their acknowledgements, disconnects, and sockets that go deaf.

use super::FakeSlack;
use super::truth::APP;
use axum::http::StatusCode;
use futures::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use smokejumper::flow::moment::At;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::sync::{mpsc, oneshot};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::server::{ErrorResponse, Request, Response};

/// Sockets of one app.
const MOST: usize = 10;
/// Orders to one socket that may wait.
const ORDERS: usize = 1_024;
/// How long an app has, in which case it is told again.
pub const ACK: Duration = Duration::from_secs(3);

/// What a socket is told to do.
#[derive(Debug)]
pub enum Order {
    Send(Value),
    /// Text as it is, JSON or not.
    Raw(String),
    /// Close it in order.
    Close,
    /// The connection is gone at once.
    Cut,
    /// From now on nothing is read, and nothing answered.
    Deaf,
}

struct Line {
    orders: mpsc::Sender<Order>,
    /// Slack knows that it will be closed soon, and sends no more to it.
    ending: bool,
}

/// What waits for its acknowledgement.
struct Pending {
    line: u64,
    at: At,
    takes_payload: bool,
    told: Option<oneshot::Sender<Option<Value>>>,
}

#[derive(Default)]
struct State {
    lines: BTreeMap<u64, Line>,
    next: u64,
    turn: u64,
    pending: BTreeMap<String, Pending>,
    done: BTreeSet<String>,
}

/// All sockets.
#[derive(Default)]
pub struct Switchboard {
    state: Mutex<State>,
}

impl Switchboard {
    fn with<T>(&self, work: impl FnOnce(&mut State) -> T) -> T {
        work(&mut self.state.lock().unwrap())
    }

    pub fn lines(&self) -> Vec<u64> {
        self.with(|state| state.lines.keys().copied().collect())
    }

    pub fn order(&self, line: u64, order: Order) {
        self.with(|state| {
            if let Some(line) = state.lines.get_mut(&line) {
                line.ending |= matches!(&order, Order::Send(v) if v["type"] == "disconnect");
                let _ = line.orders.try_send(order);
            }
        });
    }

    /// Sends an envelope over any socket; the acknowledgement comes out of the receiver. `None`: nobody listens.
    pub fn send(&self, kind: &str, payload: &Value, retry: Option<u32>, now: At) -> Option<Sent> {
        self.with(|state| {
            let open: Vec<u64> = state.lines.iter().filter(|(_, l)| !l.ending).map(|(id, _)| *id).collect();
            let open = if open.is_empty() { state.lines.keys().copied().collect() } else { open };
            state.turn += 1;
            let line = *open.get(usize::try_from(state.turn).unwrap_or(0) % open.len().max(1))?;
            let id = format!("{:08x}-0000-4000-8000-{:012x}", state.turn, line);
            let takes_payload = kind != "events_api";
            let mut envelope = json!({
                "envelope_id": id, "type": kind, "payload": payload, "accepts_response_payload": takes_payload,
            });
            if kind == "events_api" {
                let attempt = retry.unwrap_or(0);
                envelope["retry_attempt"] = json!(attempt);
                envelope["retry_reason"] = json!(if attempt > 0 { "timeout" } else { "" });
            }
            let (told, ear) = oneshot::channel();
            state.pending.insert(id.clone(), Pending { line, at: now, takes_payload, told: Some(told) });
            let _ = state.lines[&line].orders.try_send(Order::Send(envelope));
            Some(Sent { id, line, ear })
        })
    }

    /// Nobody waits for it any more.
    pub fn forget(&self, id: &str) {
        self.with(|state| state.pending.remove(id));
    }
}

pub struct Sent {
    pub id: String,
    pub line: u64,
    pub ear: oneshot::Receiver<Option<Value>>,
}

/// A connection that wants to be a socket.
pub async fn serve(fake: FakeSlack, stream: TcpStream) {
    let mut good = false;
    #[allow(clippy::result_large_err, reason = "the type is tungstenite's")]
    let check = |request: &Request, response: Response| {
        let query = request.uri().query().unwrap_or_default();
        let ticket =
            super::call::pairs(query).into_iter().find(|(k, _)| k == "ticket").map(|(_, v)| v).unwrap_or_default();
        good = fake.with(|truth| {
            let fresh = truth.connections.tickets.remove(&ticket);
            if !fresh {
                truth.violation("the address of a socket was used twice, or made up");
            }
            fresh
        });
        if good { Ok(response) } else { Err(refusal()) }
    };
    let Ok(mut socket) = tokio_tungstenite::accept_hdr_async(stream, check).await else { return };
    let (orders, mut inbox) = mpsc::channel(ORDERS);
    let (own, live) = fake.board().with(|state| {
        state.next += 1;
        state.lines.insert(state.next, Line { orders, ending: false });
        (state.next, state.lines.len())
    });
    let now = fake.now();
    fake.with(|truth| {
        let connections = &mut truth.connections;
        connections.opened += 1;
        connections.live = live;
        connections.most = connections.most.max(live);
        if let Some(since) = connections.alone_since.take() {
            connections.gaps.push(now.since(since));
        }
        if live > MOST {
            truth.violation(format!("{live} sockets"));
        }
    });
    let greeting = if live > MOST {
        disconnect("too_many_websockets")
    } else {
        json!({
            "type": "hello", "num_connections": live, "connection_info": { "app_id": APP },
            "debug_info": { "host": "applink-1", "build_number": 1, "approximate_connection_time": 18_060 },
        })
    };
    let mut alive = socket.send(Message::text(greeting.to_string())).await.is_ok();
    let mut deaf = false;
    while alive {
        tokio::select! {
            order = inbox.recv() => match order {
                // Into the void.
                Some(Order::Send(_) | Order::Raw(_)) if deaf => {}
                Some(Order::Send(value)) => alive = socket.send(Message::text(value.to_string())).await.is_ok(),
                Some(Order::Raw(text)) => alive = socket.send(Message::text(text)).await.is_ok(),
                Some(Order::Close) => {
                    let _ = socket.close(None).await;
                    alive = false;
                }
                Some(Order::Deaf) => deaf = true,
                Some(Order::Cut) | None => alive = false,
            },
            frame = socket.next(), if !deaf => match frame {
                Some(Ok(Message::Text(text))) => acknowledged(&fake, own, text.as_str()),
                // Answered by the library when it is next written to; so it is written to.
                Some(Ok(Message::Ping(_))) => {
                    fake.with(|truth| truth.connections.pings += 1);
                    alive = socket.flush().await.is_ok();
                }
                Some(Ok(Message::Pong(_))) => {}
                Some(Ok(Message::Close(_)) | Err(_)) | None => alive = false,
                Some(Ok(other)) => fake.with(|truth| truth.violation(format!("a frame that is no text: {other:?}"))),
            },
        }
    }
    gone(&fake, own);
}

fn gone(fake: &FakeSlack, gone: u64) {
    let live = fake.board().with(|state| {
        state.lines.remove(&gone);
        // What it owes is told again elsewhere.
        for pending in state.pending.values_mut().filter(|p| p.line == gone) {
            pending.told = None;
        }
        state.pending.retain(|_, p| p.line != gone);
        state.lines.len()
    });
    let now = fake.now();
    fake.with(|truth| {
        truth.connections.live = live;
        if live == 0 {
            truth.connections.alone_since = Some(now);
        }
    });
}

pub fn disconnect(reason: &str) -> Value {
    json!({ "type": "disconnect", "reason": reason, "debug_info": { "host": "applink-1" } })
}

fn refusal() -> ErrorResponse {
    let mut refusal = ErrorResponse::new(Some("this address was used".to_owned()));
    *refusal.status_mut() = StatusCode::FORBIDDEN;
    refusal
}

/// What an app sends: nothing but acknowledgements.
fn acknowledged(fake: &FakeSlack, line: u64, text: &str) {
    let wrong = |what: String| fake.with(|truth| truth.violation(what));
    let Ok(value) = serde_json::from_str::<Value>(text) else {
        return wrong(format!("a frame that is no JSON: {text}"));
    };
    let Some(id) = value["envelope_id"].as_str() else {
        return wrong(format!("a frame without envelope_id: {text}"));
    };
    if value.as_object().is_some_and(|o| o.keys().any(|k| k != "envelope_id" && k != "payload")) {
        wrong(format!("an acknowledgement with more than envelope_id and payload: {text}"));
    }
    let found = fake.board().with(|state| {
        let found = state.pending.remove(id);
        let again = !state.done.insert(id.to_owned());
        found.ok_or(again)
    });
    let pending = match found {
        Ok(pending) => pending,
        Err(true) => return wrong(format!("{id} was acknowledged twice")),
        // Too late: that was a violation already, or the socket was ours to break.
        Err(false) => return,
    };
    if pending.line != line {
        wrong(format!("{id} was acknowledged over another socket"));
    }
    let payload = value.get("payload").filter(|p| !p.is_null() && p.as_object().is_none_or(|o| !o.is_empty())).cloned();
    if payload.is_some() && !pending.takes_payload {
        wrong(format!("{id} takes no payload"));
    }
    let took = fake.now().since(pending.at);
    fake.with(|truth| truth.connections.acks.push(took));
    if let Some(told) = pending.told {
        let _ = told.send(payload);
    }
}
