//! The accept loop: connections are counted, slow ones are cut, and a stop lets running requests
//! end.

use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::Body;
use axum::http::Request;
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Sleep, sleep};
use tower::ServiceExt as _;

use crate::limits::Peer;
use crate::tenants::{Front, Tenants};
use crate::v1::Stopping;
use crate::web::Web;

/// How many connections are open at once; more wait in the listener's queue.
const MAX_CONNECTIONS: usize = 4_096;
/// How long a client may take to send the head of a request.
const HEADER_TIMEOUT: Duration = Duration::from_secs(10);
/// How long agreeing on TLS may take.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);
/// The size of a request's head, in bytes; larger ones are answered with 431.
const MAX_HEADER_BYTES: u32 = 64 << 10;
/// How many headers a request has at most; more are answered with 431.
const MAX_HEADERS: usize = 100;
/// How many requests one HTTP/2 connection runs at once.
const MAX_STREAMS: u32 = 128;
/// How long a client may take nothing of an answer before it is cut off.
const WRITE_STALL: Duration = Duration::from_secs(30);
/// How long running requests may take to end when the process stops.
const DRAIN: Duration = Duration::from_secs(10);
/// The pause after the system refused to accept a connection, such as for want of descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Serves until `shutdown` completes, then lets running requests end. Bounds that hold for the
/// whole process are in `tenants`, so several listeners share one.
///
/// # Errors
/// None at present: a listener that fails to accept is asked again after a pause.
pub async fn serve(
    listener: TcpListener,
    tenants: Arc<Tenants>,
    web: Arc<Web>,
    shutdown: impl Future<Output = ()>,
) -> io::Result<()> {
    let graceful = GracefulShutdown::new();
    let places = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    let stopping = Stopping::default();
    let mut shutdown = pin!(shutdown);
    loop {
        let accepted = tokio::select! {
            () = &mut shutdown => break,
            accepted = accept(&listener, &places) => accepted,
        };
        match accepted {
            Ok((stream, peer, place)) => {
                let marks = (peer, stopping.clone());
                let (web, tenants, watcher) =
                    (Arc::clone(&web), Arc::clone(&tenants), graceful.watcher());
                tokio::spawn(async move {
                    receive(stream, &web, marks, tenants, watcher).await;
                    drop(place);
                });
            }
            Err(error) => {
                tracing::warn!(%error, "cannot accept a connection");
                sleep(ACCEPT_PAUSE).await;
            }
        }
    }
    drop(listener);
    // Live feeds never end by themselves.
    stopping.0.cancel();
    if tokio::time::timeout(DRAIN, graceful.shutdown()).await.is_err() {
        tracing::warn!("some connections did not end in time and are cut off");
    }
    Ok(())
}

async fn accept(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
) -> io::Result<(TcpStream, Peer, OwnedSemaphorePermit)> {
    let place = Arc::clone(places).acquire_owned().await.map_err(io::Error::other)?;
    let (stream, address) = listener.accept().await?;
    stream.set_nodelay(true)?;
    Ok((stream, Peer(address), place))
}

/// Agrees on TLS where it is spoken, then answers.
async fn receive(
    stream: TcpStream,
    web: &Web,
    marks: (Peer, Stopping),
    tenants: Arc<Tenants>,
    watcher: Watcher,
) {
    let Some(acceptor) = web.acceptor() else {
        converse(StallGuard { stream, stalled: None }, marks, tenants, watcher).await;
        return;
    };
    let peer = marks.0.0;
    let agreed = tokio::time::timeout(HANDSHAKE_TIMEOUT, async {
        let mut first = [0_u8];
        stream.peek(&mut first).await?;
        if first[0].is_ascii_uppercase() {
            return refuse_plain(stream).await.map(|()| None);
        }
        acceptor.accept(StallGuard { stream, stalled: None }).await.map(Some)
    });
    match agreed.await {
        Ok(Ok(Some(stream))) => converse(stream, marks, tenants, watcher).await,
        Ok(Ok(None)) => tracing::debug!(%peer, "plain HTTP where TLS is spoken"),
        Ok(Err(error)) => tracing::debug!(%error, %peer, "no agreement on TLS"),
        Err(_) => tracing::debug!(%peer, "TLS was not agreed on in time"),
    }
}

/// Tells a client that speaks plain HTTP what it did; the first byte of TLS is no letter.
async fn refuse_plain(mut stream: TcpStream) -> io::Result<()> {
    use tokio::io::AsyncWriteExt as _;
    stream
        .write_all(
            b"HTTP/1.0 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n\
              Client sent an HTTP request to an HTTPS server.\n",
        )
        .await?;
    stream.shutdown().await
}

/// Answers the requests of one connection.
async fn converse(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    (peer, stopping): (Peer, Stopping),
    tenants: Arc<Tenants>,
    watcher: Watcher,
) {
    let service = Front::new(tenants).map_request(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(peer);
        request.extensions_mut().insert(stopping.clone());
        request.map(Body::new)
    });
    let mut builder = Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIMEOUT)
        .max_buf_size(MAX_HEADER_BYTES as usize)
        .max_headers(MAX_HEADERS);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_header_list_size(MAX_HEADER_BYTES)
        .max_concurrent_streams(MAX_STREAMS)
        .keep_alive_interval(WRITE_STALL);
    let io = TokioIo::new(stream);
    let connection = builder.serve_connection(io, TowerToHyperService::new(service)).into_owned();
    if let Err(error) = watcher.watch(connection).await {
        tracing::debug!(%error, peer = %peer.0, "a connection ended early");
    }
}

/// A stream whose writes fail when the other side takes nothing for [`WRITE_STALL`]: a client that
/// asks for a large list and never reads it must not hold it in memory.
struct StallGuard {
    stream: TcpStream,
    stalled: Option<Pin<Box<Sleep>>>,
}

impl StallGuard {
    fn guard<T>(
        &mut self,
        context: &mut Context<'_>,
        progress: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if progress.is_ready() {
            self.stalled = None;
            return progress;
        }
        let stalled = self.stalled.get_or_insert_with(|| Box::pin(sleep(WRITE_STALL)));
        ready!(stalled.as_mut().poll(context));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl AsyncRead for StallGuard {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for StallGuard {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let progress = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.guard(context, progress)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let progress = Pin::new(&mut self.stream).poll_write_vectored(context, parts);
        self.guard(context, progress)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let progress = Pin::new(&mut self.stream).poll_flush(context);
        self.guard(context, progress)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let progress = Pin::new(&mut self.stream).poll_shutdown(context);
        self.guard(context, progress)
    }
}
