//! Subscriptions: changes as a stream, the same in both eras, and across lost connections.
//!
//! Modern servers tell on the answer to `subscriptions/listen`; legacy ones tell everybody of changed lists, and of
//! resources whoever asked by `resources/subscribe`.
//! Spec: <https://modelcontextprotocol.io/specification/2026-07-28/basic/patterns/subscriptions>.

pub(crate) mod change;
mod ended;
mod listen;
pub(crate) mod mailbox;
mod watch;

use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll};
use std::time::Duration;

use ferromcp_core::model::SubscriptionFilter;
use futures_core::Stream;
use tokio::task::AbortHandle;
use tokio::time::{Instant, sleep, timeout};

use crate::engine::Engine;
use crate::error::{ClientError, ErrorKind};
use change::{Change, Interest};
use ended::Ended;
use mailbox::Mailbox;

/// How long a stream has to live to count as sound.
const SOUND: Duration = Duration::from_secs(30);

/// Changes, as they come; made by [`Client::subscribe`](crate::Client::subscribe). Dropping it ends it at the server.
///
/// It ends when the server ends it; with an error where it cannot go on.
#[must_use = "dropping a subscription ends it"]
pub struct Subscription {
    mailbox: Arc<Mailbox>,
    engine: Arc<Engine>,
    driver: Option<AbortHandle>,
    honoured: SubscriptionFilter,
}

/// Begins to listen, and waits until the server has said that it will tell.
pub(crate) async fn subscribe(engine: Arc<Engine>, interest: Interest) -> Result<Subscription, ClientError> {
    let limits = engine.settings.limits;
    let mailbox = Arc::new(Mailbox::new(interest, limits.queued_changes));
    let others = engine.subscribed.fetch_add(1, Ordering::Relaxed);
    let mut subscription = Subscription {
        mailbox: Arc::clone(&mailbox),
        engine: Arc::clone(&engine),
        driver: None,
        honoured: SubscriptionFilter::default(),
    };
    if others >= limits.subscriptions {
        let message = format!("there are {others} subscriptions already; raise `ClientLimits::subscriptions`");
        return Err(ClientError::new(ErrorKind::Limit, message));
    }
    subscription.driver = Some(tokio::spawn(drive(engine, Arc::clone(&mailbox))).abort_handle());
    match timeout(limits.request_timeout, mailbox.acknowledged()).await {
        Ok(Some(honoured)) => subscription.honoured = honoured,
        Ok(None) => {
            let ended = || ClientError::closed("the server ended the subscription at once");
            return Err(mailbox.take_error().unwrap_or_else(ended));
        }
        Err(_) => return Err(ClientError::timeout("subscriptions/listen", limits.request_timeout)),
    }
    Ok(subscription)
}

impl Subscription {
    /// What the server said it will tell; perhaps less than was asked for.
    pub fn honoured(&self) -> &SubscriptionFilter {
        &self.honoured
    }

    /// The next change; `None` once the server has ended the subscription.
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
        f.debug_struct("Subscription").field("honoured", &self.honoured).finish_non_exhaustive()
    }
}

/// Listens for as long as it is polled, over however many connections.
async fn drive(engine: Arc<Engine>, mailbox: Arc<Mailbox>) {
    let limits = engine.settings.limits;
    let (mut row, mut first) = (0_u32, true);
    loop {
        let connection = match engine.live().await {
            Ok(connection) => connection,
            Err(error) => return mailbox.end(Err(error)),
        };
        if !std::mem::replace(&mut first, false) {
            mailbox.tell(Change::Gap);
        }
        let begun = Instant::now();
        let ended = if connection.revision().is_modern() {
            listen::run(&engine, &connection, &mailbox).await
        } else {
            watch::run(&engine, &connection, &mailbox).await
        };
        match ended {
            Ended::Closed => return mailbox.end(Ok(())),
            Ended::Failed(error) => return mailbox.end(Err(error)),
            Ended::Lost(error) => {
                row = if begun.elapsed() >= SOUND { 1 } else { row + 1 };
                if row > limits.restart_attempts || engine.is_closed() {
                    return mailbox.end(Err(error));
                }
            }
        }
        sleep(limits.restart_backoff.saturating_mul(1 << (row - 1).min(16)).min(SOUND)).await;
    }
}
