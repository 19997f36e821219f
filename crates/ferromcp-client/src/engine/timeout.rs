//! The deadline of a call, over all its rounds, retries and reconnects.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ferromcp_core::RawJson;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

use super::connection::Connection;
use super::{Engine, Options};
use crate::channel::{ChannelError, Outgoing};
use crate::error::ClientError;
use crate::limits::ClientLimits;
use crate::notification_router::CallProgress;

/// The timeout and the time limit of one call. Both cover the whole call.
pub(crate) struct CallDeadline {
    timeout: Duration,
    time_limit: Duration,
    expires_at: Instant,
    /// Expiry of the timeout, as of the last activity.
    idle_until: Mutex<Instant>,
    /// Notified by progress, which restarts the timeout.
    activity: Arc<Notify>,
}

impl CallDeadline {
    /// Starts the deadline of a call.
    pub(crate) fn start(options: &Options, limits: &ClientLimits) -> Self {
        let time_limit = options.cap.unwrap_or(limits.request_time_limit);
        let timeout = options.timeout.unwrap_or(limits.request_timeout);
        Self {
            timeout,
            time_limit,
            expires_at: after(time_limit),
            idle_until: Mutex::new(after(timeout)),
            activity: Arc::default(),
        }
    }

    /// Returns whether the call still runs after a delay without activity.
    pub(super) fn allows(&self, delay: Duration) -> bool {
        after(delay) < self.until()
    }

    /// Returns when the call expires without further activity.
    pub(super) fn until(&self) -> Instant {
        self.expires_at.min(*self.idle_until.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Restarts the timeout. Returns its expiry.
    fn restart(&self) -> Instant {
        let until = after(self.timeout);
        *self.idle_until.lock().unwrap_or_else(PoisonError::into_inner) = until;
        until
    }

    /// Runs `call` until it completes or the deadline expires.
    ///
    /// Progress restarts the timeout. So does a handler of the client that is running, because the server waits for it, and
    /// so do credentials that are obtained, because a person may have to log in.
    ///
    /// # Errors
    /// Fails with the error of `call`, or with [`ErrorKind::Timeout`](crate::ErrorKind::Timeout).
    pub(crate) async fn run<T>(
        &self,
        engine: &Engine,
        method: &str,
        call: impl Future<Output = Result<T, ClientError>>,
    ) -> Result<T, ClientError> {
        let mut active_handlers = engine.router.active_handlers.subscribe();
        let (idle, expired) = (sleep_until(self.restart()), sleep_until(self.expires_at));
        tokio::pin!(call, idle, expired);
        loop {
            tokio::select! {
                biased;
                result = &mut call => return result,
                () = &mut expired => return Err(ClientError::time_limit(method, self.time_limit)),
                () = self.activity.notified() => idle.as_mut().reset(self.restart()),
                _ = active_handlers.changed() => idle.as_mut().reset(self.restart()),
                () = &mut idle => {
                    let waited = engine.waited_for_credentials().and_then(|at| at.checked_add(self.timeout));
                    match waited.filter(|until| *until > Instant::now()) {
                        Some(until) => {
                            idle.as_mut().reset(until);
                            continue;
                        }
                        None if *active_handlers.borrow() == 0 => {
                            return Err(ClientError::timeout(method, self.timeout));
                        }
                        None => {}
                    }
                    idle.as_mut().reset(self.restart());
                }
            }
        }
    }
}

impl Engine {
    /// Sends a request and waits for its response. The deadline of the call is restarted by progress.
    pub(super) async fn wait_for_response(
        &self,
        connection: &Connection,
        outgoing: Outgoing,
        options: &Options,
        deadline: &CallDeadline,
    ) -> Result<RawJson, ChannelError> {
        let progress = Arc::new(CallProgress::new(options.progress.clone(), Arc::clone(&deadline.activity)));
        let _registration = self.router.register_call(&outgoing.id, progress);
        connection.channel.request(outgoing).await
    }
}

/// Returns the instant after `time`, at most 30 years from now.
pub(crate) fn after(time: Duration) -> Instant {
    const FAR: Duration = Duration::from_secs(60 * 60 * 24 * 365 * 30);
    Instant::now() + time.min(FAR)
}
