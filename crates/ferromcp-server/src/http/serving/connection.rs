//! Serves one connection in a task: HTTP/1.1 or HTTP/2, as detected from its first bytes.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;

use ::http::Request;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use tokio::io::{AsyncRead, AsyncWrite};

use super::response_body::RequestGuard;
use super::routes::{Fallback, Routes};
use super::stall::{StallLimit, StreamExecutor};
use super::timeout_io::TimeoutIo;
use crate::http::byte_budget::ByteBudget;
use crate::http::connection::{Connection, ConnectionState};
use crate::http::guard::ClientAddr;
use crate::http::limits::{
    CONNECTION_SHARE, HTTP2_WINDOW_BYTES, HttpServerLimits, MAX_HEADER_BYTES, MAX_HTTP2_STREAMS, MAX_TIMER,
};
use crate::latch::Latch;

/// State shared by all connections.
pub(super) struct Shared<F> {
    pub(super) routes: Routes<F>,
    pub(super) limits: HttpServerLimits,
    /// Set when shutdown begins: connections accept no more requests.
    pub(super) closing: Latch,
    stall: StallLimit,
    http1: Builder<StreamExecutor>,
    http2: Builder<StreamExecutor>,
}

impl<F: Fallback> Shared<F> {
    pub(super) fn new(routes: Routes<F>, limits: HttpServerLimits) -> Self {
        let endpoint = Arc::clone(routes.endpoint.endpoint());
        let stall = StallLimit::new(limits.stall_timeout, move || endpoint.is_under_pressure());
        let http = builder(&limits, StreamExecutor(stall.clone()));
        let (http1, http2) = (http.clone().http1_only(), http.http2_only());
        Self { routes, limits, closing: Latch::default(), stall, http1, http2 }
    }

    /// Serves a connection until it closes.
    pub(super) async fn serve(
        self: Arc<Self>,
        io: impl AsyncRead + AsyncWrite + Unpin + 'static,
        peer: Option<SocketAddr>,
    ) {
        let state = Arc::<ConnectionState>::default();
        let mut io = TimeoutIo::new(io, Arc::clone(&state), self.limits.header_timeout, self.stall.clone());
        // hyper detects the version too, but then reads the first request in two pieces and allocates twice the buffer.
        let (http, is_http2) = tokio::select! {
            biased;
            is_http2 = io.detect_http2() => match is_http2 {
                Ok(true) => (&self.http2, true),
                Ok(false) => (&self.http1, false),
                Err(error) => return tracing::debug!(%error, ?peer, "a connection failed before its first request"),
            },
            () = self.closing.wait() => return,
        };
        let responses = &self.routes.endpoint.endpoint().sending.responses;
        let share = self.limits.total_response_bytes / CONNECTION_SHARE;
        let responses = ByteBudget::for_connection(responses, share, is_http2);
        let connection = Connection::new(responses, state, is_http2);
        let service = service_fn(|request: Request<Incoming>| {
            let (shared, guard) = (Arc::clone(&self), RequestGuard::new(&connection));
            let client = peer.map(ClientAddr);
            async move { Ok::<_, Infallible>(shared.routes.handle(request, client, guard).await) }
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
            tracing::debug!(%error, ?peer, "a connection failed");
        }
    }
}

/// Configures both protocols with the limits.
fn builder(limits: &HttpServerLimits, executor: StreamExecutor) -> Builder<StreamExecutor> {
    let mut http = Builder::new(executor);
    // A disconnect cancels requests, so EOF must be detected while requests are in flight (see `TimeoutIo`).
    http.http1()
        .half_close(false)
        .timer(TokioTimer::new())
        .header_read_timeout(limits.header_timeout.min(MAX_TIMER))
        .max_buf_size(MAX_HEADER_BYTES as usize);
    http.http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(MAX_HTTP2_STREAMS)
        .max_header_list_size(MAX_HEADER_BYTES)
        .initial_stream_window_size(HTTP2_WINDOW_BYTES)
        .initial_connection_window_size(HTTP2_WINDOW_BYTES)
        .keep_alive_interval(limits.header_timeout.min(MAX_TIMER))
        .keep_alive_timeout(limits.stall_timeout.min(MAX_TIMER));
    http
}
