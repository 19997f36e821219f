//! Waiting for an answer: not for ever, but longer where there are signs of life, or where the server waits for us.

use std::sync::Arc;

use ferromcp_core::RawJson;
use tokio::time::{Instant, sleep_until};

use super::connection::Connection;
use super::options::Options;
use super::shared::Engine;
use crate::board::Pulse;
use crate::channel::{Failure, Outgoing};
use crate::error::ClientError;

impl Engine {
    /// Sends a request and waits. Progress starts the clock anew; so does every question that is being answered here,
    /// since the server cannot go on meanwhile.
    pub(super) async fn answer(
        &self,
        connection: &Connection,
        outgoing: Outgoing,
        options: &Options,
    ) -> Result<Result<RawJson, Failure>, ClientError> {
        let limit = options.timeout.unwrap_or(self.settings.limits.request_timeout);
        let method = outgoing.request.method().to_owned();
        let pulse = Arc::new(Pulse::new(options.progress.clone()));
        let _pinned = self.board.pulse(&outgoing.id, Arc::clone(&pulse));
        let mut asking = self.board.asking.subscribe();
        let mut answer = connection.channel.request(outgoing);
        let clock = sleep_until(far(limit));
        tokio::pin!(clock);
        loop {
            tokio::select! {
                biased;
                answer = &mut answer => return Ok(answer),
                () = pulse.beat.notified() => clock.as_mut().reset(far(limit)),
                _ = asking.changed() => clock.as_mut().reset(far(limit)),
                () = &mut clock => {
                    if *asking.borrow() == 0 {
                        return Err(ClientError::timeout(&method, limit));
                    }
                    clock.as_mut().reset(far(limit));
                }
            }
        }
    }
}

/// In `limit` from now, or so late that it does not matter.
fn far(limit: std::time::Duration) -> Instant {
    let now = Instant::now();
    now.checked_add(limit).unwrap_or_else(|| now + std::time::Duration::from_secs(86400 * 365 * 30))
}
