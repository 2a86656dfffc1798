//! WebSockets: the same way out. The address is judged as any other, and so is each address behind its name at the moment of
//! connecting; no proxy, no redirect; connecting, writing and what is read are bounded.

use super::names::Judged;
use super::rule::literal;
use super::{Client, Failed, Outside, Refused, Terms, shown};
use futures::{SinkExt as _, StreamExt as _};
use reqwest::Url;
use rustls::ClientConfig;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls_platform_verifier::Verifier;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::error::Error;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::{WebSocketStream, client_async_with_config};

/// Bytes that may wait to be written: a few acknowledgements. More says that nobody reads at the other end.
const MAX_UNWRITTEN: usize = 1024 * 1024;
/// Bytes read at once.
const READ_BUFFER: usize = 16 * 1024;
/// One message is written in this time, or the connection is taken for dead.
const WRITE_WITHIN: Duration = Duration::from_secs(5);

/// Below TLS and the protocol.
trait Line: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Line for T {}

/// One connection.
pub struct Socket {
    stream: WebSocketStream<Box<dyn Line>>,
}

impl std::fmt::Debug for Socket {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Socket").finish_non_exhaustive()
    }
}

/// What came in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Heard {
    /// At most [`super::Limits::body`] bytes.
    Text(String),
    /// Something else that shows that somebody is there: a ping (answered by itself), a pong, bytes.
    Sign,
    /// It ended; why, in words that may be shown.
    Ended(String),
}

impl Socket {
    /// Connects to `wss://…`, or `ws://…` where plain http would be good. `limits.connect` is for all of it, the handshake
    /// included; `limits.body` for each message that comes in.
    ///
    /// # Errors
    /// See [`Failed`]; nothing was sent but the request to speak this protocol.
    pub async fn connect(outside: &Outside, url: &str, terms: &Terms) -> Result<Self, Failed> {
        let connecting = Self::connect_unhurried(outside, url, terms);
        timeout(terms.limits.connect, connecting).await.unwrap_or(Err(Failed::TimedOut))
    }

    async fn connect_unhurried(outside: &Outside, url: &str, terms: &Terms) -> Result<Self, Failed> {
        let judged = judge(outside, url)?;
        let host = judged.host_str().unwrap_or_default().to_owned();
        let port = judged.port_or_known_default().unwrap_or(443);
        let stream = dial(outside, &host, port, terms).await?;
        let line: Box<dyn Line> = if judged.scheme() == "https" {
            let bare = host.trim_start_matches('[').trim_end_matches(']').to_owned();
            let name = ServerName::try_from(bare).map_err(|e| Refused::new(&host, &e.to_string()))?;
            let connector = TlsConnector::from(Arc::new(trust(terms)?));
            let secured = connector.connect(name, stream).await;
            Box::new(secured.map_err(|e| Failed::NotSent(shown(&e.to_string())))?)
        } else {
            Box::new(stream)
        };
        let bounds = WebSocketConfig::default()
            .read_buffer_size(READ_BUFFER)
            .write_buffer_size(0)
            .max_write_buffer_size(MAX_UNWRITTEN)
            .max_message_size(Some(terms.limits.body))
            .max_frame_size(Some(terms.limits.body));
        let (stream, _) =
            client_async_with_config(url, line, Some(bounds)).await.map_err(|e| Failed::NotSent(why(&e)))?;
        Ok(Self { stream })
    }

    /// The next thing to happen. May be dropped and asked again; nothing is lost.
    pub async fn next(&mut self) -> Heard {
        match self.stream.next().await {
            Some(Ok(Message::Text(text))) => Heard::Text(text.as_str().to_owned()),
            Some(Ok(Message::Close(frame))) => Heard::Ended(match frame {
                Some(frame) => shown(&format!("closed with {}: {}", frame.code, frame.reason)),
                None => "closed".to_owned(),
            }),
            Some(Ok(_)) => Heard::Sign,
            Some(Err(error)) => Heard::Ended(why(&error)),
            None => Heard::Ended("closed".to_owned()),
        }
    }

    /// # Errors
    /// It was not written in time, or the connection is gone: in words that may be shown.
    pub async fn say(&mut self, text: String) -> Result<(), String> {
        self.send(Message::text(text)).await
    }

    /// Asks for a sign of life.
    ///
    /// # Errors
    /// As with [`Socket::say`].
    pub async fn ping(&mut self) -> Result<(), String> {
        self.send(Message::Ping(Vec::new().into())).await
    }

    /// Says good-bye, and does not wait for an answer.
    pub async fn close(mut self) {
        let _ = timeout(WRITE_WITHIN, self.stream.close(None)).await;
    }

    async fn send(&mut self, message: Message) -> Result<(), String> {
        match timeout(WRITE_WITHIN, self.stream.send(message)).await {
            Ok(sent) => sent.map_err(|e| why(&e)),
            Err(_) => Err(format!("nothing could be written for {WRITE_WITHIN:?}")),
        }
    }
}

impl Client {
    /// Connects where this client may go: at its base's host, or below its name.
    ///
    /// # Errors
    /// See [`Failed`].
    pub async fn socket(&self, url: &str, terms: &Terms) -> Result<Socket, Failed> {
        if let Some(base) = &self.base {
            let target = judge(&self.outside, url)?;
            let (own, other) = (base.host_str().unwrap_or_default(), target.host_str().unwrap_or_default());
            let below = literal(own).is_none() && other.ends_with(&format!(".{own}"));
            if own != other && !below {
                return Err(Refused::new(url, "it leads away from the vendor").into());
            }
            if base.scheme() == "https" && target.scheme() != "https" {
                return Err(Refused::new(url, "it is less safe than the address it was given at").into());
            }
        }
        Socket::connect(&self.outside, url, terms).await
    }
}

/// Judged by the rules for http, which are about the same hosts and the same openness.
fn judge(outside: &Outside, url: &str) -> Result<Url, Refused> {
    let (scheme, rest) = url.split_once("://").unwrap_or_default();
    match scheme {
        "wss" => outside.judge(&format!("https://{rest}")),
        "ws" => outside.judge(&format!("http://{rest}")),
        _ => Err(Refused::new(url, "only wss:// and ws:// are good")),
    }
}

/// The first of its addresses that answers.
async fn dial(outside: &Outside, host: &str, port: u16, terms: &Terms) -> Result<TcpStream, Failed> {
    let addresses: Vec<IpAddr> = if let Some(ip) = literal(host) {
        vec![ip]
    } else {
        let judged = Judged { names: Arc::clone(&terms.names), outside: Arc::new(outside.clone()) };
        judged.addresses(host).await.map_err(|error| match error.downcast::<Refused>() {
            Ok(refused) => Failed::Refused(*refused),
            Err(other) => Failed::NotSent(shown(&other.to_string())),
        })?
    };
    let mut last = format!("{host} has no address");
    for ip in addresses {
        match TcpStream::connect(SocketAddr::new(ip, port)).await {
            Ok(stream) => {
                let _ = stream.set_nodelay(true);
                return Ok(stream);
            }
            Err(error) => last = error.to_string(),
        }
    }
    Err(Failed::NotSent(shown(&last)))
}

/// Whom a server's certificate must come from: those the machine trusts, and the operator's own.
fn trust(terms: &Terms) -> Result<ClientConfig, Refused> {
    let wrong = |e: &dyn std::fmt::Display| Refused::new("certificate authority", &e.to_string());
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let own: Vec<CertificateDer<'static>> = match &terms.ca_pem {
        Some(pem) => CertificateDer::pem_slice_iter(pem).collect::<Result<_, _>>().map_err(|e| wrong(&e))?,
        None => Vec::new(),
    };
    let verifier = Verifier::new_with_extra_roots(own, Arc::clone(&provider)).map_err(|e| wrong(&e))?;
    let versions = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let builder = versions.map_err(|e| wrong(&e))?.dangerous();
    Ok(builder.with_custom_certificate_verifier(Arc::new(verifier)).with_no_client_auth())
}

/// In words, without the address, whose query may hold a ticket.
fn why(error: &Error) -> String {
    shown(&match error {
        Error::Http(response) => format!("the server answered {} instead of a WebSocket", response.status()),
        other => other.to_string(),
    })
}
