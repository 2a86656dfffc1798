//! A small app of the tests' own: calls the Web API, listens at a socket, acknowledges.

use crate::world::slack::{APP_TOKEN, FakeSlack, TOKEN};
use crate::world::wait::{ends, until};
use futures::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use slack_morphism::events::{SlackCommandEvent, SlackInteractionEvent, SlackPushEvent};
use std::sync::{Arc, Mutex};
use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;

/// A call with a JSON body; status and answer.
pub async fn post(slack: &FakeSlack, method: &str, body: Value) -> (u16, Value) {
    let token = if method == "apps.connections.open" { APP_TOKEN } else { TOKEN };
    let request = slack.client().post(format!("{}/{method}", slack.api())).bearer_auth(token);
    let request = request.header("user-agent", "a test").header("content-type", "application/json; charset=utf-8");
    let answer = request.body(body.to_string()).send().await.unwrap();
    let status = answer.status().as_u16();
    (status, answer.json().await.unwrap_or_default())
}

/// A call with a query.
pub async fn get(slack: &FakeSlack, method: &str, query: &str) -> Value {
    let request = slack.client().get(format!("{}/{method}?{query}", slack.api())).bearer_auth(TOKEN);
    request.header("user-agent", "a test").send().await.unwrap().json().await.unwrap()
}

/// The answer, which must be `ok`.
pub async fn done(slack: &FakeSlack, method: &str, body: Value) -> Value {
    let (status, answer) = post(slack, method, body).await;
    assert!(status == 200 && answer["ok"] == true, "{method}: {status} {answer}");
    answer
}

/// The code of the error.
pub async fn refused(slack: &FakeSlack, method: &str, body: Value) -> String {
    let (_, answer) = post(slack, method, body).await;
    assert_eq!(answer["ok"], false, "{method}: {answer}");
    answer["error"].as_str().unwrap().to_owned()
}

/// A message as the bot should post it.
pub fn message(channel: &str, text: &str) -> Value {
    json!({
        "channel": channel, "text": text, "mrkdwn": false, "unfurl_links": false, "unfurl_media": false, "parse": "none",
    })
}

pub type Socket = WebSocketStream<TcpStream>;

/// A socket that has heard hello.
pub async fn socket(slack: &FakeSlack) -> Socket {
    let url = done(slack, "apps.connections.open", json!({})).await["url"].as_str().unwrap().to_owned();
    let mut socket = dial(&url).await.unwrap();
    let hello = frame(&mut socket).await.unwrap();
    assert!(hello.contains("\"type\":\"hello\""), "{hello}");
    socket
}

pub async fn dial(url: &str) -> Result<Socket, String> {
    let host = url.split("://").nth(1).and_then(|r| r.split('/').next()).unwrap();
    let stream = TcpStream::connect(host).await.map_err(|e| e.to_string())?;
    let (socket, _) = tokio_tungstenite::client_async(url, stream).await.map_err(|e| e.to_string())?;
    Ok(socket)
}

/// The next text; `None` when the socket is over.
pub async fn frame(socket: &mut Socket) -> Option<String> {
    loop {
        match ends("a frame", socket.next()).await {
            Some(Ok(Message::Text(text))) => return Some(text.to_string()),
            Some(Ok(_)) => {}
            Some(Err(_)) | None => return None,
        }
    }
}

/// The library's own models must be able to read what the fake says.
pub fn readable(envelope: &Value) {
    let payload = envelope["payload"].clone();
    let wrong = match envelope["type"].as_str() {
        Some("events_api") => serde_json::from_value::<SlackPushEvent>(payload).err(),
        Some("slash_commands") => serde_json::from_value::<SlackCommandEvent>(payload).err(),
        Some("interactive") => serde_json::from_value::<SlackInteractionEvent>(payload).err(),
        _ => None,
    };
    assert!(wrong.is_none(), "{wrong:?}: {envelope}");
}

/// What an app heard, and how it answers.
#[derive(Clone, Default)]
pub struct App {
    pub heard: Arc<Mutex<Vec<Value>>>,
    /// What the next acknowledgements say.
    pub answers: Arc<Mutex<Vec<Value>>>,
}

impl App {
    /// Listens at a socket, acknowledges everything; ends with the socket.
    pub async fn listens(slack: &FakeSlack) -> Self {
        let app = Self::default();
        app.listens_too(slack).await;
        app
    }

    /// At one more socket.
    pub async fn listens_too(&self, slack: &FakeSlack) {
        let mut socket = socket(slack).await;
        let app = self.clone();
        tokio::spawn(async move {
            loop {
                match socket.next().await {
                    Some(Ok(Message::Text(text))) => {
                        let value: Value = serde_json::from_str(&text).unwrap();
                        readable(&value);
                        let id = value["envelope_id"].clone();
                        app.heard.lock().unwrap().push(value);
                        let mut ack = json!({ "envelope_id": id });
                        if let Some(answer) = app.answers.lock().unwrap().pop() {
                            ack["payload"] = answer;
                        }
                        if id.is_string() && socket.send(Message::text(ack.to_string())).await.is_err() {
                            return;
                        }
                    }
                    Some(Ok(_)) => {}
                    Some(Err(_)) | None => return,
                }
            }
        });
    }

    /// The next thing of this type that it heard.
    pub async fn hears(&self, kind: &str) -> Value {
        until(&format!("{kind} is heard"), || {
            let mut heard = self.heard.lock().unwrap();
            let is = |v: &Value| {
                [&v["type"], &v["payload"]["type"], &v["payload"]["event"]["type"]].iter().any(|t| **t == kind)
            };
            let at = heard.iter().position(is)?;
            Some(heard.remove(at))
        })
        .await
    }
}
