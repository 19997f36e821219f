//! A timeout that starts again after credentials were obtained.

use std::future::Future;
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use crate::connect::Connector;

/// Longer timeouts are shortened to this, so that instants do not overflow: 30 years.
const MAX_TIMEOUT: Duration = Duration::from_secs(60 * 60 * 24 * 365 * 30);

/// A timeout expired.
#[derive(Debug)]
pub(crate) struct TimedOut;

/// Runs `future` for at most `limit`, counted from the end of the last wait for credentials.
///
/// # Errors
/// Fails when the timeout expires.
pub(crate) async fn patient_timeout<F: Future>(
    connector: &dyn Connector,
    limit: Duration,
    future: F,
) -> Result<F::Output, TimedOut> {
    tokio::pin!(future);
    let mut since = Instant::now();
    loop {
        tokio::select! {
            biased;
            output = &mut future => return Ok(output),
            () = sleep_until(since + limit.min(MAX_TIMEOUT)) => {}
        }
        since = connector.waited_for_credentials().filter(|waited| *waited > since).ok_or(TimedOut)?;
    }
}
