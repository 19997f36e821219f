//! [`ConnectionState`], the observable state of a client's connection.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::watch;

use crate::error::ClientError;

/// State of the connection of a [`Client`](crate::Client).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ConnectionState {
    /// The connection is being opened, or the revision is being negotiated.
    Connecting,
    /// The connection is usable.
    Connected,
    /// There is no connection. The next call connects, if the target supports it.
    Disconnected,
    /// The client was closed.
    Closed,
}

/// The current state and the last connect error, which are updated together.
pub(crate) struct StateCell {
    state: watch::Sender<ConnectionState>,
    error: Mutex<Option<Arc<ClientError>>>,
}

impl StateCell {
    pub(crate) fn new() -> Self {
        Self { state: watch::Sender::new(ConnectionState::Disconnected), error: Mutex::new(None) }
    }

    /// Returns a channel with the latest state.
    pub(crate) fn subscribe(&self) -> watch::Receiver<ConnectionState> {
        self.state.subscribe()
    }

    pub(crate) fn get(&self) -> ConnectionState {
        *self.state.borrow()
    }

    /// Changes the state, unless the client is closed.
    pub(crate) fn set(&self, next: ConnectionState) {
        if next == ConnectionState::Connected {
            *self.lock() = None;
        }
        self.state.send_if_modified(|state| {
            let changes = *state != next && *state != ConnectionState::Closed;
            if changes {
                *state = next;
            }
            changes
        });
    }

    /// Records that the connection ended, unless a reconnect is in progress.
    pub(crate) fn connection_lost(&self) {
        self.state.send_if_modified(|state| {
            let changes = *state == ConnectionState::Connected;
            if changes {
                *state = ConnectionState::Disconnected;
            }
            changes
        });
    }

    /// Records that connecting failed.
    pub(crate) fn failed(&self, error: &ClientError) {
        *self.lock() = Some(Arc::new(error.copy()));
        self.set(ConnectionState::Disconnected);
    }

    /// Returns the error of the last attempt to connect, if it failed.
    pub(crate) fn last_error(&self) -> Option<Arc<ClientError>> {
        self.lock().clone()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Arc<ClientError>>> {
        self.error.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
