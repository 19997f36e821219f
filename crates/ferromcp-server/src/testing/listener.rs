//! What a test's client hears in the middle of a call, and how it answers live.

use std::future::{Future, ready};
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ferromcp_core::model::InputRequest;
use ferromcp_core::{Revision, ServerNotification, ServerRequest};

use super::answers::Answers;
use crate::pending_requests::RequestError;
use crate::outlet::{ResponseFuture, Full, Sink};
use crate::peer::Peer;

/// The client's end of its calls.
pub(super) struct Listener {
    pub(super) answers: Arc<Answers>,
    heard: Mutex<Vec<ServerNotification>>,
    /// How long an answer takes, in milliseconds.
    hesitates: AtomicU64,
}

impl Listener {
    pub(super) fn new(answers: Arc<Answers>) -> Self {
        Self { answers, heard: Mutex::default(), hesitates: AtomicU64::new(0) }
    }

    /// Takes its time before it answers live.
    pub(super) fn hesitate(&self, time: Duration) {
        self.hesitates.store(u64::try_from(time.as_millis()).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    /// What was heard, in order.
    pub(super) fn heard(&self) -> Vec<ServerNotification> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Sink for Listener {
    fn try_send(&self, _: u64, notification: ServerNotification, _: Revision) -> Result<(), Full> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner).push(notification);
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
            tokio::task::yield_now().await; // an answer is never there at once
            let time = Duration::from_millis(self.hesitates.load(Ordering::Relaxed));
            if !time.is_zero() {
                tokio::time::sleep(time).await;
            }
            Ok(self.answers.answer(&question))
        })
    }

    fn can_ask(&self) -> bool {
        true
    }
}
