//! Dispatches the messages of one connection: notifications to the router, requests to handler tasks, within a limit.

use std::collections::HashMap;
use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;

use ferromcp_core::text::excerpt;
use ferromcp_core::{ClientResult, Error, RequestId, ServerNotification, ServerRequest};
use tokio::task::AbortHandle;

use crate::channel::{Inbound, Responder};
use crate::limits::MAX_SERVER_REQUESTS;
use crate::notification_router::NotificationRouter;

/// Dispatches inbound messages of one connection. Dropping it aborts the handlers that still run.
pub(crate) struct InboundDispatcher {
    router: Arc<NotificationRouter>,
    /// Whether the server is modern. A modern server must not send requests.
    modern: AtomicBool,
    tasks: Arc<HandlerTasks>,
}

#[derive(Default)]
struct HandlerTasks(Mutex<HashMap<RequestId, AbortHandle>>);

impl InboundDispatcher {
    pub(crate) fn new(router: Arc<NotificationRouter>) -> Self {
        Self { router, modern: AtomicBool::new(false), tasks: Arc::default() }
    }

    /// Marks the server as modern.
    pub(crate) fn set_modern(&self) {
        self.modern.store(true, Ordering::Relaxed);
    }
}

impl Inbound for InboundDispatcher {
    fn notification(&self, notification: ServerNotification) {
        if let ServerNotification::Cancelled(params) = &notification {
            if let Some(task) = params.request_id.as_ref().and_then(|id| self.tasks.lock().remove(id)) {
                let reason = params.reason.as_deref().map(|reason| excerpt(reason).to_string());
                tracing::debug!(reason, "the server cancelled its request");
                return task.abort();
            }
        }
        self.router.notification(notification);
    }

    fn response_received(&self, id: &RequestId) {
        self.router.unregister_call(id);
    }

    fn request(&self, id: RequestId, request: ServerRequest, responder: Responder) {
        if self.modern.load(Ordering::Relaxed) {
            return tracing::warn!(
                method = %excerpt(request.method()),
                "ignored a request: modern servers must not send requests"
            );
        }
        let active = self.tasks.lock().len();
        if active >= 2 * MAX_SERVER_REQUESTS {
            // Not even an error response, because those would accumulate as well.
            return tracing::warn!(
                limit = MAX_SERVER_REQUESTS,
                "ignored a server request: too many concurrent requests"
            );
        }
        let (router, tasks, key) = (Arc::clone(&self.router), Arc::clone(&self.tasks), id.clone());
        // Locked until the task is registered, so that it cannot finish before.
        let mut listed = self.tasks.lock();
        let task = tokio::spawn(async move {
            let outcome = if active >= MAX_SERVER_REQUESTS {
                Err(Error::internal(format!("Too many concurrent requests: the limit is {MAX_SERVER_REQUESTS}")))
            } else {
                // A ping must not extend the timeouts of calls.
                let _answering = (!matches!(request, ServerRequest::Ping(_))).then(|| AnswerGuard::new(&router));
                catch_panic(router.handlers.answer(request)).await
            };
            responder.send(outcome).await; // counts until it is written, because the server may not read
            tasks.lock().remove(&key);
        });
        if let Some(previous) = listed.insert(id, task.abort_handle()) {
            previous.abort();
        }
    }
}

/// Runs a handler and turns a panic into an internal error, because the server waits for a response.
async fn catch_panic(handler: impl Future<Output = Result<ClientResult, Error>>) -> Result<ClientResult, Error> {
    let mut handler = pin!(handler);
    poll_fn(|cx| {
        let polled = catch_unwind(AssertUnwindSafe(|| handler.as_mut().poll(cx)));
        polled.unwrap_or_else(|_| Poll::Ready(Err(Error::internal("Internal error"))))
    })
    .await
}

impl HandlerTasks {
    fn lock(&self) -> MutexGuard<'_, HashMap<RequestId, AbortHandle>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for InboundDispatcher {
    fn drop(&mut self) {
        for (_, task) in self.tasks.lock().drain() {
            task.abort();
        }
    }
}

/// Suspends call timeouts while a handler runs. Decrements the counter on drop.
pub(crate) struct AnswerGuard<'a>(&'a NotificationRouter);

impl<'a> AnswerGuard<'a> {
    pub(crate) fn new(router: &'a NotificationRouter) -> Self {
        router.active_handlers.send_modify(|count| *count += 1);
        Self(router)
    }
}

impl Drop for AnswerGuard<'_> {
    fn drop(&mut self) {
        self.0.active_handlers.send_modify(|count| *count -= 1);
    }
}
