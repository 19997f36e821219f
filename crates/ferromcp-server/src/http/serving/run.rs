//! Accepts connections until a shutdown signal, then shuts down gracefully.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::{JoinError, JoinSet};
use tokio::time::{sleep, timeout};

use super::builder::Http;
use super::connection::Shared;
use super::hint;
use super::listener::Listener;
use super::routes::{Fallback, Routes};
use crate::http::service::HttpService;
use crate::serve::{ServeError, ServeTarget, SharedServer, check, signal};

/// The delay after `accept` has failed, for example because the process has too many open files.
const ACCEPT_BACKOFF: Duration = Duration::from_millis(100);

/// How long connections may take to write the errors of requests that are cut, and to close.
const LAST_WRITES: Duration = Duration::from_millis(750);

/// Marker for HTTP, which serves many peers.
#[derive(Debug)]
pub enum ViaHttp {}

impl<L: Listener, F: Fallback> ServeTarget<ViaHttp> for Http<L, F> {
    /// Serves until the process receives a shutdown signal.
    async fn serve(self, server: SharedServer) -> Result<(), ServeError> {
        check(&server.0)?;
        let errors = self.errors();
        if !errors.is_empty() {
            return Err(ServeError::configuration(errors));
        }
        serve(self, server).await
    }
}

/// Binds the listener and serves until a shutdown signal. Dropping the future closes all connections.
async fn serve<L: Listener, F: Fallback>(http: Http<L, F>, server: SharedServer) -> Result<(), ServeError> {
    let Http { mut listener, path, mut options, fallback, on_bound } = http;
    let (_signals, mut stop) = signal::listen();
    listener.listen().await.map_err(|error| ServeError::transport("http", error))?;
    let address = listener.local_addr();
    if let Some(address) = address {
        if !address.ip().is_loopback() && !options.guard.has_hosts() {
            tracing::warn!(%address, "every `Host` is allowed; restrict them with HttpServerOptions::allow_host");
            options = options.any_host();
        }
    }
    if options.authorization.is_none() && server.0.registry.has_scopes() {
        tracing::warn!(
            "items require scopes, but the endpoint has no authorization: all callers are rejected; set `Http::authorization`"
        );
    }
    let limits = options.limits;
    let endpoint = HttpService::with(server.0, options)?;
    endpoint.open().await?;
    if let Some(address) = address {
        tracing::info!("serving at http://{address}{path}");
        hint::print(&endpoint.endpoint().inner, address, &path);
        if let Some(callback) = on_bound {
            callback(address);
        }
    }
    let shared = Arc::new(Shared::new(Routes { endpoint, path, fallback }, limits));
    let mut connections = JoinSet::new();
    tokio::select! {
        biased;
        () = stop.wait() => {}
        () = accept(&mut listener, &shared, &mut connections) => {}
    }
    drop(listener); // new connections are refused instead of waiting in the backlog
    shut_down(&shared, connections).await;
    Ok(())
}

/// Accepts connections up to the limit. Never returns.
async fn accept<L: Listener, F: Fallback>(listener: &mut L, shared: &Arc<Shared<F>>, connections: &mut JoinSet<()>) {
    let max = shared.limits.connections.max(1);
    loop {
        let accepted = tokio::select! {
            biased;
            Some(done) = connections.join_next() => {
                log_panic(done);
                continue;
            }
            accepted = listener.accept(), if connections.len() < max => accepted,
        };
        match accepted {
            Ok((io, peer)) => {
                connections.spawn(Arc::clone(shared).serve(io, peer));
            }
            Err(error) if is_connection_error(&error) => tracing::debug!(%error, "cannot accept a connection"),
            Err(error) => {
                tracing::warn!(%error, "cannot accept connections; retrying");
                sleep(ACCEPT_BACKOFF).await;
            }
        }
    }
}

/// Waits for the requests in flight up to the shutdown timeout, and ends the rest. Then closes the lifespans.
async fn shut_down<F: Fallback>(shared: &Shared<F>, mut connections: JoinSet<()>) {
    shared.closing.set();
    let endpoint = shared.routes.endpoint.endpoint();
    endpoint.begin_shutdown();
    let ended = async {
        while let Some(done) = connections.join_next().await {
            log_panic(done);
        }
    };
    let last = shared.limits.shutdown_grace.saturating_add(LAST_WRITES);
    let ((), ended) = tokio::join!(endpoint.finish_requests(), timeout(last, ended));
    if ended.is_err() {
        tracing::debug!("shutdown timed out; closing the connections");
    }
    connections.shutdown().await;
    endpoint.close().await; // after the last request, because it closes the lifespans
}

fn log_panic(done: Result<(), JoinError>) {
    if let Err(error) = done {
        tracing::error!(%error, "the task of a connection panicked");
    }
}

/// Returns whether an error of `accept` concerns one connection only, so that no backoff is needed.
fn is_connection_error(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted)
}
