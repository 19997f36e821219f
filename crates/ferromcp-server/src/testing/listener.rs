//! The test client's side of a running call: collects notifications and answers requests.

use std::future::{Future, ready};
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ferromcp_core::model::InputRequest;
use ferromcp_core::{Revision, ServerNotification, ServerRequest};

use super::answers::Answers;
use crate::peer::Peer;
use crate::pending_requests::RequestError;
use crate::request_sink::{NotificationSink, QueueFull, ResponseFuture};

/// Receives the notifications and requests of a client's calls.
pub(super) struct Listener {
    pub(super) answers: Arc<Answers>,
    notifications: Mutex<Vec<ServerNotification>>,
    /// Delay before each response, in milliseconds.
    delay_ms: AtomicU64,
}

impl Listener {
    pub(super) fn new(answers: Arc<Answers>) -> Self {
        Self { answers, notifications: Mutex::default(), delay_ms: AtomicU64::new(0) }
    }

    /// Sets the delay before each response in live mode.
    pub(super) fn set_response_delay(&self, time: Duration) {
        self.delay_ms.store(u64::try_from(time.as_millis()).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    /// Returns the received notifications, in order.
    pub(super) fn notifications(&self) -> Vec<ServerNotification> {
        self.notifications.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl NotificationSink for Listener {
    fn try_send(&self, _: u64, notification: ServerNotification, _: Revision) -> Result<(), QueueFull> {
        self.notifications.lock().unwrap_or_else(PoisonError::into_inner).push(notification);
        Ok(())
    }

    fn ready(&self) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(ready(()))
    }

    fn ask<'s>(&'s self, _: u64, question: ServerRequest, _: &'s Peer) -> ResponseFuture<'s> {
        Box::pin(async move {
            let question = match question {
                ServerRequest::Elicit(params) => InputRequest::Elicit(*params),
                ServerRequest::CreateMessage(params) => InputRequest::CreateMessage(params),
                ServerRequest::ListRoots(_) => InputRequest::ListRoots,
                _ => return Err(RequestError::Unsupported),
            };
            tokio::task::yield_now().await; // a real response is never available immediately
            let time = Duration::from_millis(self.delay_ms.load(Ordering::Relaxed));
            if !time.is_zero() {
                tokio::time::sleep(time).await;
            }
            self.answers.answer(&question).map_err(|message| {
                self.answers.fail(message);
                RequestError::Unsupported
            })
        })
    }

    fn can_ask(&self) -> bool {
        true
    }
}
