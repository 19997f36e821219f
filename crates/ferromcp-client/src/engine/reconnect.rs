//! Opens the connection on demand, and reconnects with backoff when it is lost.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, sleep};

use super::Engine;
use super::connection::{Connection, ReconnectState};
use crate::error::{ClientError, ErrorKind};
use crate::probe::{NegotiatedChannel, Negotiation};

impl Engine {
    /// Opens the first connection. There are no retries, because a server that does not start needs attention by the user.
    ///
    /// # Errors
    /// Fails if the server cannot be reached or negotiation fails.
    pub(crate) async fn open(&self) -> Result<Arc<Connection>, ClientError> {
        let mut reconnect_state = self.reconnect_state.lock().await;
        reconnect_state.negotiated = self.settings.negotiated;
        reconnect_state.opened = true;
        self.connect(&mut reconnect_state).await
    }

    /// Returns the current connection, or reconnects.
    pub(crate) async fn connection(&self) -> Result<Arc<Connection>, ClientError> {
        if let Some(connection) = self.current() {
            return Ok(connection);
        }
        // The first caller reconnects for all.
        let mut reconnect_state = self.reconnect_state.lock().await;
        if let Some(connection) = self.current() {
            return Ok(connection);
        }
        if reconnect_state.opened && !self.connector.can_reopen() {
            return Err(ClientError::closed(&format!("the {} connection ended", self.connector.name())));
        }
        self.reopen(&mut reconnect_state).await
    }

    /// Returns the current connection if it is usable.
    pub(crate) fn current(&self) -> Option<Arc<Connection>> {
        if self.is_closed() {
            return None;
        }
        self.latest().filter(|connection| connection.is_live())
    }

    /// Returns the most recent connection, usable or not.
    pub(crate) fn latest(&self) -> Option<Arc<Connection>> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Relaxed)
    }

    async fn reopen(&self, reconnect_state: &mut ReconnectState) -> Result<Arc<Connection>, ClientError> {
        // Restarts are consecutive only if the connection was short-lived and the last attempt is recent.
        let lifetime = self.latest().map_or(Duration::ZERO, |connection| connection.opened_at.elapsed());
        let since_last_attempt = reconnect_state.last_attempt.map_or(Duration::MAX, |attempt| attempt.elapsed());
        reconnect_state.backoff.disconnected(lifetime.max(since_last_attempt));
        loop {
            if self.is_closed() {
                return Err(ClientError::closed("the client was closed"));
            }
            let Some(delay) = reconnect_state.backoff.delay(Some(Duration::ZERO)) else {
                let message = format!(
                    "cannot keep a connection to `{}`: {} consecutive restarts failed; check the logs of the server",
                    self.connector.name(),
                    reconnect_state.backoff.attempts()
                );
                return Err(ClientError::new(ErrorKind::Connect, message));
            };
            if !delay.is_zero() {
                sleep(delay).await;
            }
            // Recorded after the delay, because a caller that is cancelled during the delay made no attempt.
            reconnect_state.backoff.record_attempt();
            reconnect_state.last_attempt = Some(Instant::now());
            match self.connect(reconnect_state).await {
                Err(error) if is_transient(&error) && !reconnect_state.backoff.is_exhausted() => {
                    tracing::warn!(%error, attempt = reconnect_state.backoff.attempts(), "reconnect attempt failed");
                }
                result => return result,
            }
        }
    }

    async fn connect(&self, reconnect_state: &mut ReconnectState) -> Result<Arc<Connection>, ClientError> {
        let negotiation =
            Negotiation { connector: &*self.connector, settings: &self.settings, router: &self.router, ids: &self.ids };
        let NegotiatedChannel { channel, negotiated, server_info } =
            negotiation.run(reconnect_state.negotiated).await?;
        reconnect_state.negotiated = Some(negotiated);
        let revision = negotiated.revision;
        tracing::debug!(server = self.connector.name(), %revision, "connected");
        let connection = Arc::new(Connection {
            channel,
            negotiated,
            server_info,
            request_meta: revision.is_modern().then(|| negotiation.request_meta_template(revision)),
            opened_at: Instant::now(),
            retired: watch::Sender::new(false),
            watched: Mutex::default(),
        });
        let previous = self.current.lock().unwrap_or_else(PoisonError::into_inner).replace(Arc::clone(&connection));
        if previous.is_some() {
            self.router.invalidate_after_reconnect();
        }
        if self.is_closed() {
            connection.channel.close().await; // closed while connecting
            return Err(ClientError::closed("the client was closed"));
        }
        Ok(connection)
    }

    /// Closes the connection. In-flight requests fail.
    pub(crate) async fn close(&self) {
        self.closed.store(true, Ordering::Relaxed);
        self.permits.close();
        if let Some(connection) = self.latest() {
            connection.channel.close().await;
        }
    }
}

/// Returns whether a connect error may be transient.
fn is_transient(error: &ClientError) -> bool {
    matches!(error.kind(), ErrorKind::Connect | ErrorKind::ConnectionLost | ErrorKind::Unavailable | ErrorKind::Timeout)
}
