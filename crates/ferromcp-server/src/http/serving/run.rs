//! Takes connections until the process is told to stop, then lets them end in good order.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::{JoinError, JoinSet};
use tokio::time::{sleep, timeout};

use super::builder::Http;
use super::connection::Shared;
use super::listener::Listener;
use super::routes::{Fallback, Routes};
use crate::http::service::HttpService;
use crate::serve::{OnHttp, ServeError, ServeOn, Served, check, signal};

/// How long to wait when no connection can be taken, as when the process has too many files open.
const BACK_OFF: Duration = Duration::from_millis(100);

impl<L: Listener, F: Fallback> ServeOn<OnHttp> for Http<L, F> {
    /// Serves until the process is told to stop.
    async fn serve(self, server: Served) -> Result<(), ServeError> {
        check(&server.0)?;
        let mistakes = self.mistakes();
        if !mistakes.is_empty() {
            return Err(ServeError::mistakes(mistakes));
        }
        serve(self, server).await
    }
}

/// Listens, and serves until told to stop. Dropping the future ends all connections too.
async fn serve<L: Listener, F: Fallback>(http: Http<L, F>, server: Served) -> Result<(), ServeError> {
    let Http { mut listener, path, mut options, fallback, on_bound } = http;
    let (_signals, mut stop) = signal::listen();
    listener.listen().await.map_err(|error| ServeError::transport("http", error))?;
    let address = listener.local_addr();
    if let Some(address) = address {
        if !address.ip().is_loopback() && !options.guard.names_hosts() {
            tracing::warn!(%address, "every `Host` is answered to; name those that are meant with HttpOptions::allow_host");
            options = options.any_host();
        }
    }
    let limits = options.limits;
    let endpoint = HttpService::with(server.0, options)?;
    endpoint.open().await?;
    if let Some(address) = address {
        tracing::info!("serving at http://{address}{path}");
        if let Some(tell) = on_bound {
            tell(address);
        }
    }
    let shared = Arc::new(Shared::new(Routes { endpoint, path, fallback }, limits));
    let mut connections = JoinSet::new();
    tokio::select! {
        biased;
        () = stop.wait() => {}
        () = accept(&mut listener, &shared, &mut connections) => {}
    }
    drop(listener); // who comes now is refused at once, not left waiting
    finish(&shared, connections).await;
    Ok(())
}

/// Takes connections, as many at once as may be. Never done.
async fn accept<L: Listener, F: Fallback>(listener: &mut L, shared: &Arc<Shared<F>>, connections: &mut JoinSet<()>) {
    let most = shared.limits.connections.max(1);
    loop {
        let accepted = tokio::select! {
            biased;
            Some(done) = connections.join_next() => {
                note(done);
                continue;
            }
            accepted = listener.accept(), if connections.len() < most => accepted,
        };
        match accepted {
            Ok((io, peer)) => {
                connections.spawn(Arc::clone(shared).serve(io, peer));
            }
            Err(error) if is_of_one_connection(&error) => tracing::debug!(%error, "a connection was not taken"),
            Err(error) => {
                tracing::warn!(%error, "no connection can be taken now");
                sleep(BACK_OFF).await;
            }
        }
    }
}

/// Lets requests under way be answered for the grace time, and drops what is left.
async fn finish<F: Fallback>(shared: &Shared<F>, mut connections: JoinSet<()>) {
    shared.closing.set();
    let grace = shared.limits.shutdown_grace;
    let endpoint = shared.routes.endpoint.shutdown();
    let ended = async {
        while let Some(done) = connections.join_next().await {
            note(done);
        }
    };
    let mut endpoint = std::pin::pin!(endpoint);
    let mut is_shut = false;
    let rest = timeout(grace, async {
        let mut ended = std::pin::pin!(ended);
        tokio::select! {
            () = ended.as_mut() => {}
            () = endpoint.as_mut() => {
                is_shut = true;
                ended.await;
            }
        }
    });
    if rest.await.is_err() {
        tracing::debug!("requests under way are dropped");
    }
    connections.shutdown().await;
    // Behind the last request, since it closes the lifespans.
    if !is_shut {
        endpoint.await;
    }
}

fn note(done: Result<(), JoinError>) {
    if let Err(error) = done {
        tracing::error!(%error, "a connection's task failed");
    }
}

/// Errors that say something of one peer, and nothing of the next.
fn is_of_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted)
}
