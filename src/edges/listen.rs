//! Serving HTTP: a bound on connections, a time for headers, and a graceful end. Knows no route.

use axum::Router;
use axum::extract::ConnectInfo;
use futures::FutureExt as _;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tower::Layer as _;

/// Connections at once: far below the usual limit of 1,024 file descriptors, so that a flood leaves room for the database.
const MAX_CONNECTIONS: usize = 768;
/// A sender that takes longer for its headers is hung up on (slowloris).
const HEADERS_WITHIN: Duration = Duration::from_secs(10);
/// Requests under way at the end get this long.
const DRAIN: Duration = Duration::from_secs(10);
/// The last ones to come get this long to begin their request.
const FIRST_WORDS: Duration = Duration::from_millis(250);
/// After `accept` failed, as it does when file descriptors have run out.
const PAUSE: Duration = Duration::from_millis(100);

/// Serves until told to stop, then finishes what is under way.
pub async fn serve(listener: TcpListener, app: Router, mut stop: watch::Receiver<bool>) {
    let connections = GracefulShutdown::new();
    let places = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    loop {
        // Stop is heard while the house is full, too.
        let admitted = tokio::select! {
            admitted = admit(&listener, &places) => admitted,
            () = told(&mut stop) => break,
        };
        match admitted {
            Ok((stream, peer, place)) => connect(stream, peer, place, app.clone(), &connections),
            Err(problem) => {
                tracing::warn!(%problem, "a connection was not accepted");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
    // Who knocked before the door closed is let in, and gets the time to say what they came for: a connection on which nothing
    // was read yet would be closed at once.
    while let Some(Ok((stream, peer, place))) = admit(&listener, &places).now_or_never() {
        connect(stream, peer, place, app.clone(), &connections);
    }
    drop(listener);
    tokio::time::sleep(FIRST_WORDS).await;
    if tokio::time::timeout(DRAIN, connections.shutdown()).await.is_err() {
        tracing::info!("connections that were still open were closed");
    }
}

/// The next connection, as soon as there is a place for it.
async fn admit(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
) -> io::Result<(TcpStream, SocketAddr, OwnedSemaphorePermit)> {
    let place = Arc::clone(places).acquire_owned().await.map_err(io::Error::other)?;
    let (stream, peer) = listener.accept().await?;
    Ok((stream, peer, place))
}

/// Returns once `stop` is true.
async fn told(stop: &mut watch::Receiver<bool>) {
    let _ = stop.wait_for(|stop| *stop).await;
}

/// Requests say who calls, as `ConnectInfo<SocketAddr>`.
fn connect(
    stream: TcpStream,
    peer: SocketAddr,
    place: OwnedSemaphorePermit,
    app: Router,
    connections: &GracefulShutdown,
) {
    let mut builder = Builder::new(hyper_util::rt::TokioExecutor::new()).http1_only();
    builder.http1().timer(TokioTimer::new()).header_read_timeout(HEADERS_WITHIN);
    let service = TowerToHyperService::new(axum::Extension(ConnectInfo(peer)).layer(app));
    let connection = builder.serve_connection(TokioIo::new(stream), service).into_owned();
    let watched = connections.watch(connection);
    tokio::spawn(async move {
        // A client that hangs up or talks nonsense is no event of ours.
        let _ = watched.await;
        drop(place);
    });
}
