//! Cancels a login when the application logs out.

use tokio::sync::watch;

use crate::error::AuthError;

/// The number of logouts that wait for the session. They cancel a login, which can take minutes.
#[derive(Debug, Default)]
pub(super) struct PendingLogouts(watch::Sender<usize>);

/// A logout that waits for the session.
pub(super) struct PendingLogout<'a>(&'a PendingLogouts);

impl PendingLogouts {
    /// Records a logout until the value is dropped.
    pub(super) fn record(&self) -> PendingLogout<'_> {
        self.0.send_modify(|pending| *pending += 1);
        PendingLogout(self)
    }

    /// Runs a future, unless a logout is pending or becomes pending.
    ///
    /// # Errors
    /// Fails if the future was cancelled.
    pub(super) async fn cancel<T>(&self, future: impl Future<Output = T>) -> Result<T, AuthError> {
        let mut pending = self.0.subscribe();
        tokio::select! {
            biased;
            _ = pending.wait_for(|pending| *pending > 0) => {
                Err(AuthError::authorization("the login was cancelled by `OAuth::logout`; log in again"))
            }
            output = future => Ok(output),
        }
    }
}

impl Drop for PendingLogout<'_> {
    fn drop(&mut self) {
        self.0.0.send_modify(|pending| *pending -= 1);
    }
}

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};

    use super::*;

    #[tokio::test]
    async fn future_is_cancelled_while_a_logout_is_pending() {
        let logouts = PendingLogouts::default();
        assert_eq!(logouts.cancel(ready(1)).await.unwrap(), 1);
        let (cancelled, ()) = tokio::join!(logouts.cancel(pending::<()>()), async {
            tokio::task::yield_now().await;
            let _first = logouts.record();
            tokio::task::yield_now().await;
        });
        assert!(cancelled.unwrap_err().to_string().contains("`OAuth::logout`"));
        let pending_logout = logouts.record();
        logouts.cancel(ready(1)).await.unwrap_err();
        drop(pending_logout);
        assert_eq!(logouts.cancel(ready(1)).await.unwrap(), 1);
    }
}
