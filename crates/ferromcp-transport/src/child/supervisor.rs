//! The task that supervises a child process: waits for its exit, and shuts it down on request.
//!
//! The task owns the process. If the task is dropped early because the runtime shuts down, the process
//! group is killed.

use std::time::Duration;

use tokio::{
    process::{Child, ChildStdin},
    runtime::Handle,
    sync::watch,
    time::{sleep, timeout},
};

use super::{
    exit::Exit,
    group::Group,
    handle::{ChildHandle, State},
    stderr::Tail,
    stdin::Stdin,
};

/// The interval for polling the process group, which has no exit notification.
const POLL_INTERVAL: Duration = Duration::from_millis(20);

/// The timeout for reading the rest of stderr after the process has exited.
const STDERR_TIMEOUT: Duration = Duration::from_millis(100);

/// The timeout for the exit of a killed process, which the kernel can delay.
const KILL_TIMEOUT: Duration = Duration::from_secs(1);

/// The transport's share of the process. Dropping it requests shutdown.
#[derive(Debug)]
pub(super) struct ProcessLease {
    pub(super) stdin: Stdin,
    shutdown_tx: watch::Sender<bool>,
}

impl Drop for ProcessLease {
    fn drop(&mut self) {
        self.shutdown_tx.send_replace(true);
    }
}

/// A running process and its process group.
#[derive(Debug)]
pub(super) struct Process {
    child: Child,
    group: Group,
    tail: Option<Tail>,
    /// The grace periods after closing stdin and after `SIGTERM`.
    graces: [Duration; 2],
    /// Whether the exit of the process has been published.
    exit_reported: bool,
    group_exited: bool,
}

impl Process {
    pub(super) fn new(child: Child, tail: Option<Tail>, graces: [Duration; 2]) -> Self {
        let group = Group::of(&child);
        Self { child, group, tail, graces, exit_reported: false, group_exited: false }
    }

    /// Spawns the supervisor task.
    pub(super) fn spawn_supervisor(self, runtime: &Handle, stdin: ChildStdin) -> (ProcessLease, ChildHandle) {
        let (shutdown_tx, shutdown_rx) = watch::channel(false);
        let (state_tx, state) = watch::channel(State::default());
        let handle = ChildHandle::new(self.child.id(), shutdown_tx.clone(), state);
        let stdin = Stdin::new(stdin);
        runtime.spawn(supervise(self, shutdown_rx, stdin.clone(), state_tx));
        (ProcessLease { stdin, shutdown_tx }, handle)
    }

    /// Waits for the process to exit, and publishes its exit once.
    async fn wait(&mut self, state_tx: &watch::Sender<State>) {
        if self.exit_reported {
            return;
        }
        let status = self.child.wait().await.ok(); // cancel safe: can be called again after a timeout
        let stderr = match &mut self.tail {
            Some(tail) => tail.text(STDERR_TIMEOUT).await,
            None => String::new(),
        };
        state_tx.send_modify(|state| state.exit = Some(Exit::new(status, stderr)));
        self.exit_reported = true;
    }

    /// Returns `true` if the process and its group exit within `time`.
    async fn exits_within(&mut self, time: Duration, state_tx: &watch::Sender<State>) -> bool {
        let exited = async {
            self.wait(state_tx).await;
            while self.group.is_alive() {
                sleep(POLL_INTERVAL).await;
            }
        };
        timeout(time, exited).await.is_ok() // a time that overflows `Instant` means no timeout
    }

    /// Waits for the grace periods, and escalates to `SIGTERM` and `SIGKILL`.
    async fn end(&mut self, state_tx: &watch::Sender<State>) {
        let [grace, term_grace] = self.graces;
        if self.exits_within(grace, state_tx).await {
            return;
        }
        if cfg!(unix) {
            self.group.terminate();
            if self.exits_within(term_grace, state_tx).await {
                return;
            }
        }
        self.group.kill(&mut self.child);
        self.exits_within(KILL_TIMEOUT, state_tx).await;
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if !self.group_exited {
            self.group.kill(&mut self.child);
        }
    }
}

async fn supervise(
    mut process: Process,
    mut shutdown_rx: watch::Receiver<bool>,
    stdin: Stdin,
    state_tx: watch::Sender<State>,
) {
    tokio::select! {
        () = process.wait(&state_tx) => {}
        // Fails if the transport and all handles are dropped, which requests shutdown as well.
        _ = shutdown_rx.wait_for(|requested| *requested) => {}
    }
    stdin.close();
    process.end(&state_tx).await;
    process.group_exited = true;
    state_tx.send_modify(|state| state.group_exited = true);
}
