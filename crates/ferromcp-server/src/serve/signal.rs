//! The signals that tell a process to stop: SIGTERM and SIGINT, or Ctrl-C.
//!
//! Whoever listens to a signal takes its own effect from it for as long as the process lives. So the first one ends
//! serving in good order, and from then on, as after serving, the next one ends the process as it would have without
//! us: a function that blocks cannot be stopped, and must not make the process deaf.

use std::process;
use std::sync::Once;
use std::thread;

use tokio::sync::watch;
use tokio::task::AbortHandle;

/// What is added to a signal's number to make the exit code, as shells do it.
const EXIT_BY_SIGNAL: i32 = 128;

/// Listens for signals while one peer is served.
pub(crate) struct Signals(Option<AbortHandle>);

/// What tells serving to stop.
pub(crate) struct Stop(Option<watch::Receiver<bool>>);

/// A way of telling nothing.
pub(crate) fn unheard() -> (Signals, Stop) {
    (Signals(None), Stop(None))
}

/// Listens to the process's signals. Where they cannot be listened to, they end the process as ever.
pub(crate) fn listen() -> (Signals, Stop) {
    let Ok(mut listener) = Listener::new() else { return unheard() };
    let (tell, told) = watch::channel(false);
    // A task of its own, so that it hears even while a handler keeps the serving one busy.
    let task = tokio::spawn(async move {
        listener.next().await;
        end_process_at_next();
        let _ = tell.send(true);
        // Until serving has ended, when the task is aborted: the channel stays open.
        std::future::pending::<()>().await;
    });
    (Signals(Some(task.abort_handle())), Stop(Some(told)))
}

impl Drop for Signals {
    /// Serving is over.
    fn drop(&mut self) {
        if let Some(task) = &self.0 {
            end_process_at_next();
            task.abort();
        }
    }
}

impl Stop {
    /// Waits for a signal.
    pub(crate) async fn wait(&mut self) {
        if let Some(told) = &mut self.0 {
            if told.wait_for(|told| *told).await.is_ok() {
                return;
            }
        }
        std::future::pending::<()>().await;
    }
}

/// Lets the next signal end the process, whatever else it is about. On a thread, for at that time the runtime may be
/// waiting for its blocking calls and run no task.
fn end_process_at_next() {
    static BEGUN: Once = Once::new();
    BEGUN.call_once(|| {
        let thread = thread::Builder::new().name("ferromcp-signals".into()).spawn(|| {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            let Ok(runtime) = runtime.inspect_err(|error| tracing::warn!(%error, "no signal is heard any more")) else {
                return;
            };
            let number = runtime.block_on(async { Some(Listener::new().ok()?.next().await) });
            if let Some(number) = number {
                process::exit(EXIT_BY_SIGNAL + number);
            }
        });
        if let Err(error) = thread {
            tracing::warn!(%error, "no signal is heard any more");
        }
    });
}

/// The signals themselves.
#[cfg(unix)]
struct Listener {
    terminate: tokio::signal::unix::Signal,
    interrupt: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Listener {
    fn new() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    /// The number of the next one.
    async fn next(&mut self) -> i32 {
        use tokio::signal::unix::SignalKind;
        tokio::select! {
            Some(()) = self.terminate.recv() => SignalKind::terminate().as_raw_value(),
            Some(()) = self.interrupt.recv() => SignalKind::interrupt().as_raw_value(),
            else => std::future::pending().await,
        }
    }
}

/// Ctrl-C alone.
#[cfg(not(unix))]
struct Listener;

#[cfg(not(unix))]
impl Listener {
    #[allow(clippy::unnecessary_wraps, reason = "where there are real signals this can fail")]
    fn new() -> std::io::Result<Self> {
        Ok(Self)
    }

    /// The number that Ctrl-C has elsewhere.
    async fn next(&mut self) -> i32 {
        const INTERRUPT: i32 = 2;
        match tokio::signal::ctrl_c().await {
            Ok(()) => INTERRUPT,
            Err(_) => std::future::pending().await,
        }
    }
}
