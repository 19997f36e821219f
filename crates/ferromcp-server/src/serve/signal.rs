//! Signal handling: SIGTERM and SIGINT, or Ctrl-C.
//!
//! Installing a tokio signal handler disables the default action of the signal for the lifetime of the process. The first
//! signal therefore starts a graceful shutdown. The next signal, and any signal after serving has ended, terminates the
//! process explicitly, because a blocking function cannot be cancelled.

use std::process;
use std::sync::Once;
use std::thread;

use tokio::sync::watch;
use tokio::task::AbortHandle;

/// Added to a signal's number to form the exit code, as shells do.
const EXIT_BY_SIGNAL: i32 = 128;

/// Keeps the signal listener alive while a peer is served.
pub(crate) struct SignalGuard(Option<AbortHandle>);

/// Resolves when the process is asked to shut down.
pub(crate) struct Shutdown(Option<watch::Receiver<bool>>);

/// Returns a [`Shutdown`] that never resolves.
pub(crate) fn never() -> (SignalGuard, Shutdown) {
    (SignalGuard(None), Shutdown(None))
}

/// Starts to listen for signals. If no handler can be installed, signals keep their default action.
pub(crate) fn listen() -> (SignalGuard, Shutdown) {
    let Ok(mut listener) = Listener::new() else { return never() };
    let (sender, receiver) = watch::channel(false);
    // A separate task receives signals even while a handler blocks the serving task.
    let task = tokio::spawn(async move {
        listener.next().await;
        end_process_at_next();
        let _ = sender.send(true);
        // Keeps the channel open until the task is aborted at the end of serving.
        std::future::pending::<()>().await;
    });
    (SignalGuard(Some(task.abort_handle())), Shutdown(Some(receiver)))
}

impl Drop for SignalGuard {
    /// Stops listening at the end of serving.
    fn drop(&mut self) {
        if let Some(task) = &self.0 {
            end_process_at_next();
            task.abort();
        }
    }
}

impl Shutdown {
    /// Waits for a signal.
    pub(crate) async fn wait(&mut self) {
        if let Some(receiver) = &mut self.0 {
            if receiver.wait_for(|requested| *requested).await.is_ok() {
                return;
            }
        }
        std::future::pending::<()>().await;
    }
}

/// Makes the next signal terminate the process. Uses a thread, because the runtime may be shutting down and waiting for
/// blocking tasks.
fn end_process_at_next() {
    static STARTED: Once = Once::new();
    STARTED.call_once(|| {
        let thread = thread::Builder::new().name("ferromcp-signals".into()).spawn(|| {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            let Ok(runtime) = runtime.inspect_err(|error| tracing::warn!(%error, "cannot listen for further signals"))
            else {
                return;
            };
            let number = runtime.block_on(async { Some(Listener::new().ok()?.next().await) });
            if let Some(number) = number {
                process::exit(EXIT_BY_SIGNAL + number);
            }
        });
        if let Err(error) = thread {
            tracing::warn!(%error, "cannot listen for further signals");
        }
    });
}

/// Receives SIGTERM and SIGINT.
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

    /// Returns the number of the next signal.
    async fn next(&mut self) -> i32 {
        use tokio::signal::unix::SignalKind;
        tokio::select! {
            Some(()) = self.terminate.recv() => SignalKind::terminate().as_raw_value(),
            Some(()) = self.interrupt.recv() => SignalKind::interrupt().as_raw_value(),
            else => std::future::pending().await,
        }
    }
}

/// Receives Ctrl-C.
#[cfg(not(unix))]
struct Listener;

#[cfg(not(unix))]
impl Listener {
    #[allow(clippy::unnecessary_wraps, reason = "fails on Unix only")]
    fn new() -> std::io::Result<Self> {
        Ok(Self)
    }

    /// Waits for Ctrl-C and returns the number of SIGINT.
    async fn next(&mut self) -> i32 {
        const INTERRUPT: i32 = 2;
        match tokio::signal::ctrl_c().await {
            Ok(()) => INTERRUPT,
            Err(_) => std::future::pending().await,
        }
    }
}
