//! The way out for WebSockets: judged like every request, at the vendor's host or below it, bounded in time and size.

use async_trait::async_trait;
use futures::SinkExt as _;
use smokejumper::egress::{Client, Failed, Heard, Limits, Names, Terms};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio_tungstenite::tungstenite::Message;

/// Says one message of so many bytes to whoever connects, and counts them.
async fn speaker(bytes: usize) -> (SocketAddr, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let connections = Arc::<AtomicUsize>::default();
    let count = Arc::clone(&connections);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            count.fetch_add(1, Ordering::SeqCst);
            let Ok(mut socket) = tokio_tungstenite::accept_async(stream).await else { continue };
            let _ = socket.send(Message::text("x".repeat(bytes))).await;
        }
    });
    (address, connections)
}

/// Every name leads to these.
struct To(Vec<IpAddr>);

#[async_trait]
impl Names for To {
    async fn lookup(&self, _: &str) -> io::Result<Vec<IpAddr>> {
        Ok(self.0.clone())
    }
}

fn terms(to: &[&str]) -> Terms {
    let limits = Limits { connect: Duration::from_secs(2), body: 1_000, ..Limits::default() };
    Terms { limits, names: Arc::new(To(to.iter().map(|ip| ip.parse().unwrap()).collect())), ..Terms::default() }
}

fn vendor(base: &str, allow_plaintext: bool) -> Client {
    Client::for_vendor_on(base, allow_plaintext, &terms(&["127.0.0.1"])).unwrap()
}

#[tokio::test]
async fn it_leads_to_the_vendor_and_below_and_nowhere_else() {
    let (address, connections) = speaker(10).await;
    let port = address.port();
    let here = vendor(&format!("http://{address}/api"), false);
    let mut socket = here.socket(&format!("ws://{address}/link?ticket=1"), &terms(&[])).await.unwrap();
    assert_eq!(socket.next().await, Heard::Text("x".repeat(10)));
    assert!(matches!(socket.next().await, Heard::Ended(_)));
    let named = vendor(&format!("http://slack.test:{port}/api"), true);
    for good in ["slack.test", "wss-primary.slack.test"] {
        named.socket(&format!("ws://{good}:{port}/"), &terms(&["127.0.0.1"])).await.unwrap();
    }
    assert_eq!(connections.load(Ordering::SeqCst), 3);
    for bad in [
        format!("ws://127.0.0.2:{port}/"),
        format!("ws://evil.test:{port}/"),
        format!("ws://evilslack.test:{port}/"),
        format!("ws://slack.test.evil:{port}/"),
        format!("ws://slack.test@evil.test:{port}/"),
        format!("ws://x@slack.test:{port}/"),
        format!("http://slack.test:{port}/"),
        format!("slack.test:{port}"),
        String::new(),
    ] {
        let outcome = named.socket(&bad, &terms(&["127.0.0.1"])).await;
        assert!(matches!(outcome, Err(Failed::Refused(_))), "{bad}: {outcome:?}");
    }
    // The name is the vendor's, and leads somewhere nobody has business.
    for inner in ["169.254.169.254", "::ffff:169.254.169.254", "0.0.0.0", "224.0.0.1", "fe80::1"] {
        let outcome = named.socket(&format!("ws://slack.test:{port}/"), &terms(&[inner])).await;
        assert!(matches!(outcome, Err(Failed::Refused(_))), "{inner}: {outcome:?}");
    }
    // In the open only on this machine, and never where the vendor itself is secret.
    let plain = vendor("https://slack.test/api", false).socket("ws://slack.test/", &terms(&["127.0.0.1"])).await;
    assert!(matches!(plain, Err(Failed::Refused(_))), "{plain:?}");
    let worse = vendor("https://slack.test/api", true).socket("ws://slack.test/", &terms(&["127.0.0.1"])).await;
    assert!(matches!(worse, Err(Failed::Refused(_))), "{worse:?}");
    assert_eq!(connections.load(Ordering::SeqCst), 3);
}

#[tokio::test]
async fn it_is_bounded_in_size_and_time() {
    let (address, _) = speaker(1_001).await;
    let base = format!("http://{address}/");
    let mut socket = vendor(&base, false).socket(&format!("ws://{address}/"), &terms(&[])).await.unwrap();
    let heard = socket.next().await;
    assert!(
        matches!(&heard, Heard::Ended(why) if why.contains("limit") || why.contains("large") || why.contains("long")),
        "{heard:?}"
    );
    // Connections are taken, and nothing is ever said.
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = silent.local_addr().unwrap();
    let hasty =
        Terms { limits: Limits { connect: Duration::from_millis(300), ..Limits::default() }, ..Terms::default() };
    let outcome = vendor(&format!("http://{address}/"), false).socket(&format!("ws://{address}/"), &hasty).await;
    assert!(matches!(outcome, Err(Failed::TimedOut)), "{outcome:?}");
    // A server that speaks no TLS is none.
    let (address, _) = speaker(1).await;
    let secret = vendor(&format!("https://{address}/"), false);
    let failed = secret.socket(&format!("wss://{address}/?ticket=canary"), &hasty).await.unwrap_err();
    assert!(!matches!(failed, Failed::Lost(_)) && !failed.to_string().contains("canary"), "{failed}");
}
