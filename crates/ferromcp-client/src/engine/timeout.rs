//! Waits for responses with a timeout, which progress and pending requests of the server extend.

use std::sync::Arc;

use ferromcp_core::RawJson;
use tokio::time::{Instant, sleep_until};

use super::connection::Connection;
use super::{Engine, Options};
use crate::channel::{ChannelError, Outgoing};
use crate::error::ClientError;
use crate::notification_router::CallProgress;

impl Engine {
    /// Sends a request and waits for its response. Progress resets the timeout. So does a server request that a handler of
    /// the client is still processing, because the server waits for it.
    pub(super) async fn wait_for_response(
        &self,
        connection: &Connection,
        outgoing: Outgoing,
        options: &Options,
    ) -> Result<Result<RawJson, ChannelError>, ClientError> {
        let limit = options.timeout.unwrap_or(self.settings.limits.request_timeout);
        let method = outgoing.request.method().to_owned();
        let progress = Arc::new(CallProgress::new(options.progress.clone()));
        let _registration = self.router.register_call(&outgoing.id, Arc::clone(&progress));
        let mut active_handlers = self.router.active_handlers.subscribe();
        let mut response = connection.channel.request(outgoing);
        let timer = sleep_until(deadline(limit));
        tokio::pin!(timer);
        loop {
            tokio::select! {
                biased;
                response = &mut response => return Ok(response),
                () = progress.activity.notified() => timer.as_mut().reset(deadline(limit)),
                _ = active_handlers.changed() => timer.as_mut().reset(deadline(limit)),
                () = &mut timer => {
                    if *active_handlers.borrow() == 0 {
                        return Err(ClientError::timeout(&method, limit));
                    }
                    timer.as_mut().reset(deadline(limit));
                }
            }
        }
    }
}

/// Returns the instant `limit` from now, capped at 30 years.
fn deadline(limit: std::time::Duration) -> Instant {
    let now = Instant::now();
    now.checked_add(limit).unwrap_or_else(|| now + std::time::Duration::from_secs(86400 * 365 * 30))
}
