//! Subscriptions: a stream of changes with the same interface on all revisions, which survives reconnects.
//!
//! On 2026-07-28, changes arrive on the response stream of `subscriptions/listen`. Legacy servers send list changes to
//! every client, and resource updates after `resources/subscribe`.
//! Spec: <https://modelcontextprotocol.io/specification/2026-07-28/basic/patterns/subscriptions>.

pub(crate) mod change;
mod listen;
pub(crate) mod mailbox;
mod watch;

use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll};

use ferromcp_core::model::SubscriptionFilter;
use futures_core::Stream;
use tokio::task::AbortHandle;
use tokio::time::{Instant, sleep, timeout};

use crate::backoff::Backoff;
use crate::engine::Engine;
use crate::era::features::has_listen;
use crate::error::{ClientError, ErrorKind};
use crate::limits::MAX_SUBSCRIPTIONS;
use change::{Change, ChangeFilter};
use listen::Ended;
use mailbox::Mailbox;

/// A stream of changes. Created by [`Client::subscribe`](crate::Client::subscribe); dropping it unsubscribes.
///
/// The stream resubscribes after a lost connection, and yields [`Change::Gap`]. It ends when the server ends the
/// subscription, or with an error when resubscribing fails.
#[must_use = "dropping a subscription ends it"]
pub struct Subscription {
    mailbox: Arc<Mailbox>,
    engine: Arc<Engine>,
    driver: Option<AbortHandle>,
    acknowledged: SubscriptionFilter,
}

/// Subscribes, and waits for the acknowledgement.
pub(crate) async fn subscribe(engine: Arc<Engine>, filter: ChangeFilter) -> Result<Subscription, ClientError> {
    let limits = engine.settings.limits;
    let mailbox = Arc::new(Mailbox::new(filter));
    let others = engine.subscribed.fetch_add(1, Ordering::Relaxed);
    let mut subscription = Subscription {
        mailbox: Arc::clone(&mailbox),
        engine: Arc::clone(&engine),
        driver: None,
        acknowledged: SubscriptionFilter::default(),
    };
    if others >= MAX_SUBSCRIPTIONS {
        let message = format!("cannot subscribe: {others} subscriptions are open, which is the limit; drop one first");
        return Err(ClientError::new(ErrorKind::Limit, message));
    }
    subscription.driver = Some(tokio::spawn(run(engine, Arc::clone(&mailbox))).abort_handle());
    match timeout(limits.request_timeout, mailbox.wait_acknowledged()).await {
        Ok(Some(acknowledged)) => subscription.acknowledged = acknowledged,
        Ok(None) => {
            let ended = || ClientError::closed("the server ended the subscription before acknowledging it");
            return Err(mailbox.take_error().unwrap_or_else(ended));
        }
        Err(_) => return Err(ClientError::timeout("subscriptions/listen", limits.request_timeout)),
    }
    Ok(subscription)
}

impl Subscription {
    /// Returns the filter that the server acknowledged, which may be narrower than the requested one.
    pub fn acknowledged_filter(&self) -> &SubscriptionFilter {
        &self.acknowledged
    }

    /// Returns the next change; `None` once the subscription has ended.
    ///
    /// # Cancellation safety
    /// Cancel safe. No change is lost.
    pub async fn next(&mut self) -> Option<Result<Change, ClientError>> {
        poll_fn(|cx| self.mailbox.poll_next(cx)).await
    }
}

impl Stream for Subscription {
    type Item = Result<Change, ClientError>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.mailbox.poll_next(cx)
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        self.engine.subscribed.fetch_sub(1, Ordering::Relaxed);
        if let Some(driver) = &self.driver {
            driver.abort();
        }
    }
}

impl fmt::Debug for Subscription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subscription").field("acknowledged", &self.acknowledged).finish_non_exhaustive()
    }
}

/// Maintains the subscription across reconnects.
async fn run(engine: Arc<Engine>, mailbox: Arc<Mailbox>) {
    let (mut backoff, mut first) = (Backoff::for_restarts(&engine.settings.limits), true);
    loop {
        let connection = match engine.connection().await {
            Ok(connection) => connection,
            Err(error) => return mailbox.end(Err(error)),
        };
        if !std::mem::replace(&mut first, false) {
            mailbox.push(Change::Gap);
        }
        let started = Instant::now();
        let ended = if has_listen(connection.revision()) {
            listen::run(&engine, &connection, &mailbox).await
        } else {
            watch::run(&engine, &connection, &mailbox).await
        };
        match ended {
            Ended::Closed => return mailbox.end(Ok(())),
            Ended::Failed(error) => return mailbox.end(Err(error)),
            Ended::Lost(error) => {
                backoff.disconnected(started.elapsed());
                match backoff.next_delay(None).filter(|_| !engine.is_closed()) {
                    Some(delay) => sleep(delay).await,
                    None => return mailbox.end(Err(error)),
                }
            }
        }
    }
}
