//! One connection, in a task of its own: HTTP/1.1 or HTTP/2, whichever the peer speaks.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

use ::http::Request;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use tokio::io::{AsyncRead, AsyncWrite};

use super::answer::Busy;
use super::io::Watched;
use super::routes::{Fallback, Routes};
use crate::http::guard::ClientAddr;
use crate::http::limits::HttpLimits;
use crate::latch::Latch;

/// The least that HTTP/1.1's buffer may be.
const LEAST_BUFFER: usize = 8192;

/// What all connections share.
pub(super) struct Shared<F> {
    pub(super) routes: Routes<F>,
    pub(super) limits: HttpLimits,
    /// No connection takes another request.
    pub(super) closing: Latch,
    http1: Builder<TokioExecutor>,
    http2: Builder<TokioExecutor>,
}

impl<F: Fallback> Shared<F> {
    pub(super) fn new(routes: Routes<F>, limits: HttpLimits) -> Self {
        let http = protocol(&limits);
        let (http1, http2) = (http.clone().http1_only(), http.http2_only());
        Self { routes, limits, closing: Latch::default(), http1, http2 }
    }

    /// Serves a connection to its end.
    pub(super) async fn serve(
        self: Arc<Self>,
        io: impl AsyncRead + AsyncWrite + Unpin + 'static,
        peer: Option<SocketAddr>,
    ) {
        let busy = Arc::new(AtomicUsize::new(0));
        let mut io = Watched::new(io, Arc::clone(&busy), self.limits.header_time, self.limits.stall_time);
        // hyper would tell them apart too, but then reads the first request in two pieces, into twice the room.
        let http = tokio::select! {
            biased;
            speaks_http2 = io.speaks_http2() => match speaks_http2 {
                Ok(true) => &self.http2,
                Ok(false) => &self.http1,
                Err(error) => return tracing::debug!(%error, ?peer, "a connection never began"),
            },
            () = self.closing.wait() => return,
        };
        let service = service_fn(|request: Request<Incoming>| {
            let (shared, busy) = (Arc::clone(&self), Busy::new(&busy));
            let client = peer.map(ClientAddr);
            async move { Ok::<_, Infallible>(shared.routes.answer(request, client, busy).await) }
        });
        let mut serving = pin!(http.serve_connection(TokioIo::new(io), service));
        let outcome = tokio::select! {
            biased;
            outcome = serving.as_mut() => outcome,
            () = self.closing.wait() => {
                serving.as_mut().graceful_shutdown();
                serving.await
            }
        };
        if let Err(error) = outcome {
            tracing::debug!(%error, ?peer, "a connection broke");
        }
    }
}

/// Both protocols, within the bounds.
fn protocol(limits: &HttpLimits) -> Builder<TokioExecutor> {
    let mut http = Builder::new(TokioExecutor::new());
    // A client that hangs up has cancelled, so its end is heard while requests are being answered (see `Watched`).
    http.http1()
        .half_close(false)
        .timer(TokioTimer::new())
        .header_read_timeout(limits.header_time)
        .max_buf_size(limits.header_bytes.max(LEAST_BUFFER));
    http.http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(limits.http2_streams)
        .max_header_list_size(u32::try_from(limits.header_bytes).unwrap_or(u32::MAX))
        .keep_alive_interval(limits.header_time)
        .keep_alive_timeout(limits.stall_time);
    http
}
