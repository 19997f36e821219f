//! The signals that tell a process to stop: SIGTERM and SIGINT, or Ctrl-C.

/// What tells serving to stop.
pub(crate) struct Stop {
    #[cfg(unix)]
    signals: Option<(tokio::signal::unix::Signal, tokio::signal::unix::Signal)>,
    #[cfg(not(unix))]
    signals: bool,
}

impl Stop {
    /// Nothing does.
    pub(crate) fn never() -> Self {
        #[cfg(unix)]
        let signals = None;
        #[cfg(not(unix))]
        let signals = false;
        Self { signals }
    }

    /// The process's signals do. Where they cannot be listened to, they end the process as ever.
    #[cfg(unix)]
    pub(crate) fn on_signals() -> Self {
        use tokio::signal::unix::{SignalKind, signal};
        let both = signal(SignalKind::terminate()).and_then(|term| Ok((term, signal(SignalKind::interrupt())?)));
        Self { signals: both.ok() }
    }

    /// Ctrl-C does.
    #[cfg(not(unix))]
    pub(crate) fn on_signals() -> Self {
        Self { signals: true }
    }

    /// Waits for a signal.
    pub(crate) async fn wait(&mut self) {
        #[cfg(unix)]
        if let Some((term, interrupt)) = &mut self.signals {
            tokio::select! {
                Some(()) = term.recv() => return,
                Some(()) = interrupt.recv() => return,
                else => {}
            }
        }
        #[cfg(not(unix))]
        if self.signals && tokio::signal::ctrl_c().await.is_ok() {
            return;
        }
        std::future::pending::<()>().await;
    }
}
