//! What a caller holds of a child process beside its pipe.

use tokio::sync::watch;

use super::exit::Exit;

/// How far the process is.
#[derive(Debug, Default)]
pub(super) struct State {
    /// The process has ended.
    pub(super) exit: Option<Exit>,
    /// So have those it left behind.
    pub(super) over: bool,
}

/// A child process, to be watched and ended; clones are the same process.
///
/// Dropping it does nothing: the process lives as long as its pipe.
#[derive(Debug, Clone)]
pub struct ChildHandle {
    id: Option<u32>,
    ask: watch::Sender<bool>,
    state: watch::Receiver<State>,
}

impl ChildHandle {
    pub(super) fn new(id: Option<u32>, ask: watch::Sender<bool>, state: watch::Receiver<State>) -> Self {
        Self { id, ask, state }
    }

    /// The process id, which on Unix is the number of its group too; `None` once it has ended.
    pub fn id(&self) -> Option<u32> {
        let ended = self.state.borrow().exit.is_some() || self.state.has_changed().is_err();
        self.id.filter(|_| !ended)
    }

    /// Waits until the process itself has ended, for whatever reason.
    pub async fn exited(&self) -> Exit {
        self.when(|state| state.exit.is_some()).await
    }

    /// Closes the process's stdin, and waits until it and its group have ended, with `SIGTERM` and `SIGKILL`
    /// where the graces run out. Goes on in the background if its future is dropped.
    pub async fn shutdown(&self) -> Exit {
        self.ask.send_replace(true);
        self.when(|state| state.over).await
    }

    /// Waits until nothing is left of the process and its group.
    pub(super) async fn over(&self) {
        self.when(|state| state.over).await;
    }

    async fn when(&self, reached: impl FnMut(&State) -> bool) -> Exit {
        let mut state = self.state.clone();
        let _ = state.wait_for(reached).await; // an error: the keeper is gone with its runtime
        let exit = state.borrow().exit.clone();
        exit.unwrap_or_else(|| Exit::new(None, String::new()))
    }
}
