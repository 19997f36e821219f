//! The handle of a child process.

use tokio::sync::watch;

use super::exit::Exit;

/// The state of the process.
#[derive(Debug, Default)]
pub(super) struct State {
    /// The exit of the process, once it has exited.
    pub(super) exit: Option<Exit>,
    /// Whether all processes of its group have exited.
    pub(super) group_exited: bool,
}

/// A handle to wait for a child process and to shut it down. Clones refer to the same process.
///
/// Dropping the handle has no effect: the process runs as long as its transport exists.
#[derive(Debug, Clone)]
pub struct ChildHandle {
    id: Option<u32>,
    shutdown_tx: watch::Sender<bool>,
    state: watch::Receiver<State>,
}

impl ChildHandle {
    pub(super) fn new(id: Option<u32>, shutdown_tx: watch::Sender<bool>, state: watch::Receiver<State>) -> Self {
        Self { id, shutdown_tx, state }
    }

    /// Returns the process id, or `None` if the process has exited. On Unix it is also the process group id.
    pub fn id(&self) -> Option<u32> {
        let ended = self.state.borrow().exit.is_some() || self.state.has_changed().is_err();
        self.id.filter(|_| !ended)
    }

    /// Waits until the process has exited. Does not wait for other processes of its group.
    pub async fn exited(&self) -> Exit {
        self.wait_for(|state| state.exit.is_some()).await
    }

    /// Shuts down the process: closes its stdin, and waits until the process and its group have exited. Sends `SIGTERM` and
    /// then `SIGKILL` when the grace periods expire.
    ///
    /// The shutdown continues in the background if the future is dropped.
    pub async fn shutdown(&self) -> Exit {
        self.shutdown_tx.send_replace(true);
        self.wait_for(|state| state.group_exited).await
    }

    /// Waits until the process and its group have exited.
    pub(super) async fn group_exited(&self) {
        self.wait_for(|state| state.group_exited).await;
    }

    async fn wait_for(&self, condition: impl FnMut(&State) -> bool) -> Exit {
        let mut state = self.state.clone();
        let _ = state.wait_for(condition).await; // fails if the supervisor was dropped with its runtime
        let exit = state.borrow().exit.clone();
        exit.unwrap_or_else(|| Exit::new(None, String::new()))
    }
}
