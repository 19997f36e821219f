//! Opens the connection on demand, and reconnects with backoff when it is lost.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ferromcp_core::text::reason;
use tokio::sync::watch;
use tokio::time::{Instant, sleep};

use super::Engine;
use super::connection::{Connection, ReconnectState};
use super::timeout::{CallDeadline, after};
use crate::connection_state::ConnectionState;
use crate::error::{ClientError, ErrorKind};
use crate::probe::{NegotiatedChannel, Negotiation};

impl Engine {
    /// Opens the first connection. There are no retries, because a server that does not start needs attention by the user.
    ///
    /// # Errors
    /// Fails if the server cannot be reached or negotiation fails.
    pub(crate) async fn open(&self) -> Result<Arc<Connection>, ClientError> {
        let mut reconnect_state = self.reconnect_state.lock().await;
        self.first_attempt(&mut reconnect_state).await
    }

    /// Returns the current connection, or reconnects.
    pub(crate) async fn connection(&self) -> Result<Arc<Connection>, ClientError> {
        self.connection_before(None).await
    }

    /// Returns the current connection, or reconnects. Fails with the cause if the next attempt would be after `deadline`.
    pub(super) async fn connection_before(
        &self,
        deadline: Option<&CallDeadline>,
    ) -> Result<Arc<Connection>, ClientError> {
        if let Some(connection) = self.current() {
            return Ok(connection);
        }
        // The first caller reconnects for all.
        let mut reconnect_state = Arc::clone(&self.reconnect_state).lock_owned().await;
        if let Some(connection) = self.current() {
            return Ok(connection);
        }
        self.ensure_reopenable(&reconnect_state)?;
        let (engine, give_up_at) = (self.this.upgrade(), deadline.map(CallDeadline::until));
        detached(async move { Some(engine?.reopen(&mut reconnect_state, give_up_at).await) }).await
    }

    /// Closes the current connection, if there is one, and connects once.
    ///
    /// # Errors
    /// Fails if the client was closed, the connector cannot reopen, the server cannot be reached, or negotiation fails.
    pub(crate) async fn reconnect(&self) -> Result<(), ClientError> {
        let mut reconnect_state = Arc::clone(&self.reconnect_state).lock_owned().await;
        self.ensure_reopenable(&reconnect_state)?;
        let engine = self.this.upgrade();
        let reconnecting = detached(async move {
            let engine = engine?;
            if let Some(previous) = engine.current() {
                previous.retire();
                previous.channel.close().await;
            }
            reconnect_state.backoff.reset();
            Some(engine.first_attempt(&mut reconnect_state).await)
        });
        reconnecting.await.map(drop)
    }

    fn ensure_reopenable(&self, reconnect_state: &ReconnectState) -> Result<(), ClientError> {
        if self.is_closed() {
            return Err(ClientError::closed("the client was closed"));
        }
        if reconnect_state.opened && !self.connector.can_reopen() {
            return Err(ClientError::closed(&format!("the {} connection ended", self.connector.name())));
        }
        Ok(())
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

    async fn reopen(
        &self,
        reconnect_state: &mut ReconnectState,
        give_up_at: Option<Instant>,
    ) -> Result<Arc<Connection>, ClientError> {
        if self.latest().is_none() {
            return self.connect_first(reconnect_state).await;
        }
        // Restarts are consecutive only if the connection was short-lived and the last attempt is recent.
        let lifetime = self.latest().map_or(Duration::ZERO, |connection| connection.opened_at.elapsed());
        let since_last_attempt = reconnect_state.last_attempt.map_or(Duration::MAX, |attempt| attempt.elapsed());
        reconnect_state.backoff.disconnected(lifetime.max(since_last_attempt));
        let mut last_error = None;
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
            if let Some(error) = last_error.take_if(|_| give_up_at.is_some_and(|until| after(delay) >= until)) {
                return Err(error);
            }
            if !delay.is_zero() {
                sleep(delay).await;
            }
            match self.attempt(reconnect_state).await {
                Err(error) if is_transient(&error) && !reconnect_state.backoff.is_exhausted() => {
                    let (shown, attempt) = (error.to_string(), reconnect_state.backoff.attempts());
                    tracing::warn!(error = %reason(&shown), attempt, "reconnect attempt failed");
                    last_error = Some(error);
                }
                result => return result,
            }
        }
    }

    /// Connects to a server that never answered: one attempt per call, with backoff between calls, so that a call does not
    /// wait for a series of attempts, and a loop of calls does not start processes in a loop.
    async fn connect_first(&self, reconnect_state: &mut ReconnectState) -> Result<Arc<Connection>, ClientError> {
        let waited = reconnect_state.last_attempt.map_or(Duration::MAX, |attempt| attempt.elapsed());
        match self.state.last_error() {
            Some(error) if waited < reconnect_state.backoff.cooldown() => Err(error.copy()),
            _ => self.first_attempt(reconnect_state).await,
        }
    }

    /// Makes one attempt to connect that does not count as a restart: if it succeeds, the first restart has no delay.
    async fn first_attempt(&self, reconnect_state: &mut ReconnectState) -> Result<Arc<Connection>, ClientError> {
        let connection = self.attempt(reconnect_state).await?;
        reconnect_state.backoff.reset();
        reconnect_state.last_attempt = None;
        Ok(connection)
    }

    /// Makes one attempt to connect, and records it.
    async fn attempt(&self, reconnect_state: &mut ReconnectState) -> Result<Arc<Connection>, ClientError> {
        reconnect_state.backoff.record_attempt();
        reconnect_state.last_attempt = Some(Instant::now());
        reconnect_state.opened = true;
        self.state.set(ConnectionState::Connecting);
        let connected = self.connect(reconnect_state).await;
        connected.inspect(|connection| self.watch_connection(connection)).inspect_err(|error| self.state.failed(error))
    }

    /// Publishes that the connection is usable, and later that it no longer is.
    fn watch_connection(&self, connection: &Connection) {
        self.state.set(ConnectionState::Connected);
        // Does not keep the connection alive: the task ends with it, because `retired` is dropped.
        let (engine, closed) = (self.this.clone(), connection.channel.closed());
        let mut retired = connection.retired.subscribe();
        tokio::spawn(async move {
            tokio::select! {
                () = closed => {}
                _ = retired.wait_for(|retired| *retired) => {}
            }
            if let Some(engine) = engine.upgrade().filter(|engine| engine.current().is_none()) {
                engine.state.connection_lost();
            }
        });
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
        self.state.set(ConnectionState::Closed);
        self.permits.close();
        if let Some(connection) = self.latest() {
            connection.channel.close().await;
        }
    }
}

/// Connects in a task, which continues when the caller is cancelled: calls with a short timeout must not restart a slow
/// server again and again.
async fn detached(
    connecting: impl Future<Output = Option<Result<Arc<Connection>, ClientError>>> + Send + 'static,
) -> Result<Arc<Connection>, ClientError> {
    // `None` if the engine was dropped, an error if the runtime shuts down.
    let connected = tokio::spawn(connecting).await.ok().flatten();
    connected.unwrap_or_else(|| Err(ClientError::closed("the client was dropped")))
}

/// Returns whether a connect error may be transient.
fn is_transient(error: &ClientError) -> bool {
    matches!(error.kind(), ErrorKind::Connect | ErrorKind::ConnectionLost | ErrorKind::Unavailable | ErrorKind::Timeout)
}
