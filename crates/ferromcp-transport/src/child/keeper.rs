//! The task that keeps a child process: waits for its end, and sees to it when asked.
//!
//! It owns the process. When it is dropped before its time, as the runtime ends, the group is killed.

use std::time::Duration;

use tokio::{
    process::{Child, ChildStdin},
    runtime::Handle,
    sync::watch,
    time::{Instant, sleep, timeout_at},
};

use super::{
    exit::Exit,
    group::Group,
    handle::{ChildHandle, State},
    stderr::Tail,
    stdin::Stdin,
};

/// How often is looked whether others of the group are still there; nothing tells of their end.
const LOOK: Duration = Duration::from_millis(20);

/// How long the rest of stderr is waited for once the process has ended.
const LAST_WORDS: Duration = Duration::from_millis(100);

/// How long a killed process may take to be gone before it is given up; the kernel may hold it.
const LAST_WAIT: Duration = Duration::from_secs(1);

/// What the pipe holds of the process. Its drop asks for the end.
#[derive(Debug)]
pub(super) struct Lease {
    pub(super) stdin: Stdin,
    ask: watch::Sender<bool>,
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.ask.send_replace(true);
    }
}

/// A process that runs, and what is left of its group after it.
#[derive(Debug)]
pub(super) struct Process {
    child: Child,
    group: Group,
    tail: Option<Tail>,
    /// How long it has after its stdin was closed, and after `SIGTERM`.
    graces: [Duration; 2],
    /// Its end was told.
    told: bool,
    over: bool,
}

impl Process {
    pub(super) fn new(child: Child, tail: Option<Tail>, graces: [Duration; 2]) -> Self {
        let group = Group::of(&child);
        Self { child, group, tail, graces, told: false, over: false }
    }

    /// Begins to keep it.
    pub(super) fn keep(self, runtime: &Handle, stdin: ChildStdin) -> (Lease, ChildHandle) {
        let (ask, asked) = watch::channel(false);
        let (tell, state) = watch::channel(State::default());
        let handle = ChildHandle::new(self.child.id(), ask.clone(), state);
        let stdin = Stdin::new(stdin);
        runtime.spawn(keep(self, asked, stdin.clone(), tell));
        (Lease { stdin, ask }, handle)
    }

    /// Waits for the process itself, once, and tells of its end.
    async fn wait(&mut self, tell: &watch::Sender<State>) {
        if self.told {
            return;
        }
        let status = self.child.wait().await.ok(); // can be asked again, if this future is dropped below
        let stderr = match &mut self.tail {
            Some(tail) => tail.text(LAST_WORDS).await,
            None => String::new(),
        };
        tell.send_modify(|state| state.exit = Some(Exit::new(status, stderr)));
        self.told = true;
    }

    /// Whether it and its group are gone within `time`.
    async fn is_gone_within(&mut self, time: Duration, tell: &watch::Sender<State>) -> bool {
        let end = Instant::now() + time;
        if timeout_at(end, self.wait(tell)).await.is_err() {
            return false;
        }
        while self.group.is_there() {
            if Instant::now() >= end {
                return false;
            }
            sleep(LOOK).await;
        }
        true
    }

    /// Waits for its end; then, step by step, makes sure of it.
    async fn end(&mut self, tell: &watch::Sender<State>) {
        let [grace, term_grace] = self.graces;
        if self.is_gone_within(grace, tell).await {
            return;
        }
        if cfg!(unix) {
            self.group.terminate();
            if self.is_gone_within(term_grace, tell).await {
                return;
            }
        }
        self.group.kill(&mut self.child);
        self.is_gone_within(LAST_WAIT, tell).await;
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if !self.over {
            self.group.kill(&mut self.child);
        }
    }
}

async fn keep(mut process: Process, mut asked: watch::Receiver<bool>, stdin: Stdin, tell: watch::Sender<State>) {
    tokio::select! {
        () = process.wait(&tell) => {}
        // An error means that neither pipe nor handle is left; dropping the pipe asks as well.
        _ = asked.wait_for(|asked| *asked) => {}
    }
    stdin.close();
    process.end(&tell).await;
    process.over = true;
    tell.send_modify(|state| state.over = true);
}
