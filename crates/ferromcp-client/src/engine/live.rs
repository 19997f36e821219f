//! Keeping a connection: made when needed, made anew when it ended, not more often than limits say.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, sleep};

use super::connection::Connection;
use super::history::History;
use super::shared::Engine;
use crate::error::{ClientError, ErrorKind};
use crate::probe::{Agreed, Negotiation};

/// The longest wait between two starts, and how long a connection has to live to count as sound.
const LONGEST: Duration = Duration::from_secs(30);

impl Engine {
    /// Connects for the first time: one attempt, since a server that does not start is for a person to look at.
    pub(crate) async fn open(&self) -> Result<Arc<Connection>, ClientError> {
        let mut history = self.history.lock().await;
        history.verdict = self.settings.verdict;
        history.opened = true;
        self.connect(&mut history).await
    }

    /// The connection that is there, or a new one.
    pub(crate) async fn live(&self) -> Result<Arc<Connection>, ClientError> {
        if let Some(connection) = self.current() {
            return Ok(connection);
        }
        // Whoever comes first makes it for all.
        let mut history = self.history.lock().await;
        if let Some(connection) = self.current() {
            return Ok(connection);
        }
        if history.opened && !self.connector.can_reopen() {
            return Err(ClientError::closed(&format!("the {} connection ended", self.connector.name())));
        }
        self.reopen(&mut history).await
    }

    /// The connection that is there.
    pub(crate) fn current(&self) -> Option<Arc<Connection>> {
        if self.is_closed() {
            return None;
        }
        self.latest().filter(|connection| connection.is_live())
    }

    /// The last connection there was, whether it is still there or not.
    pub(crate) fn latest(&self) -> Option<Arc<Connection>> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Relaxed)
    }

    async fn reopen(&self, history: &mut History) -> Result<Arc<Connection>, ClientError> {
        let lived = self.latest().map_or(Duration::ZERO, |connection| connection.born.elapsed());
        let rested = history.last.map_or(LONGEST, |last| last.elapsed());
        if lived >= LONGEST || rested >= LONGEST {
            history.row = 0;
        }
        let limits = &self.settings.limits;
        loop {
            if self.is_closed() {
                return Err(ClientError::closed("the client was closed"));
            }
            if history.row >= limits.restart_attempts {
                let message = format!(
                    "the server `{}` was started {} times in a row and did not stay; look at its logs",
                    self.connector.name(),
                    history.row
                );
                return Err(ClientError::new(ErrorKind::Connect, message));
            }
            if history.row > 0 {
                let doubled = limits.restart_backoff.saturating_mul(1 << (history.row - 1).min(16));
                sleep(doubled.min(LONGEST)).await;
            }
            history.row += 1;
            history.last = Some(Instant::now());
            match self.connect(history).await {
                Err(error) if may_pass(&error) && history.row < limits.restart_attempts => {
                    tracing::warn!(%error, attempt = history.row, "connecting again failed");
                }
                settled => return settled,
            }
        }
    }

    async fn connect(&self, history: &mut History) -> Result<Arc<Connection>, ClientError> {
        let negotiation =
            Negotiation { connector: &*self.connector, settings: &self.settings, board: &self.board, ids: &self.ids };
        let Agreed { channel, verdict, about } = negotiation.run(history.verdict).await?;
        history.verdict = Some(verdict);
        let revision = verdict.revision;
        tracing::debug!(server = self.connector.name(), %revision, "connected");
        let connection = Arc::new(Connection {
            channel,
            verdict,
            about,
            dress: revision.is_modern().then(|| negotiation.dress(revision)),
            born: Instant::now(),
            retired: watch::Sender::new(false),
            watched: Mutex::default(),
        });
        let before = self.current.lock().unwrap_or_else(PoisonError::into_inner).replace(Arc::clone(&connection));
        if before.is_some() {
            self.board.missed();
        }
        if self.is_closed() {
            connection.channel.close().await; // while it was being made
            return Err(ClientError::closed("the client was closed"));
        }
        Ok(connection)
    }

    /// Ends tidily. What is under way fails.
    pub(crate) async fn close(&self) {
        self.closed.store(true, Ordering::Relaxed);
        self.permits.close();
        if let Some(connection) = self.latest() {
            connection.channel.close().await;
        }
    }
}

/// Whether a failure to connect may be gone the next time.
fn may_pass(error: &ClientError) -> bool {
    matches!(error.kind(), ErrorKind::Connect | ErrorKind::Lost | ErrorKind::Outage | ErrorKind::Timeout)
}
