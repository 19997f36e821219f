//! What one connection hears: notifications go to the board, questions get a task each, within bounds.

use std::collections::HashMap;
use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;

use ferromcp_core::{ClientResult, Error, RequestId, ServerNotification, ServerRequest};
use tokio::task::AbortHandle;

use crate::board::Board;
use crate::channel::{Answer, Inbound};

/// The ear of one connection. Questions still being answered end with it.
pub(crate) struct Ear {
    board: Arc<Board>,
    /// A modern server may ask nothing in a request of its own.
    modern: AtomicBool,
    questions: Arc<Questions>,
    limit: usize,
}

#[derive(Default)]
struct Questions(Mutex<HashMap<RequestId, AbortHandle>>);

impl Ear {
    pub(crate) fn new(board: Arc<Board>, limit: usize) -> Self {
        Self { board, modern: AtomicBool::new(false), questions: Arc::default(), limit }
    }

    /// The server turned out to be modern.
    pub(crate) fn is_modern(&self) {
        self.modern.store(true, Ordering::Relaxed);
    }
}

impl Inbound for Ear {
    fn notification(&self, notification: ServerNotification) {
        if let ServerNotification::Cancelled(params) = &notification {
            if let Some(task) = params.request_id.as_ref().and_then(|id| self.questions.lock().remove(id)) {
                tracing::debug!(reason = params.reason, "the server took a question back");
                return task.abort();
            }
        }
        self.board.notification(notification);
    }

    fn answered(&self, id: &RequestId) {
        self.board.done(id);
    }

    fn question(&self, id: RequestId, question: ServerRequest, answer: Answer) {
        if self.modern.load(Ordering::Relaxed) {
            return tracing::warn!(method = question.method(), "a modern server sent a request; ignored");
        }
        let under_way = self.questions.lock().len();
        if under_way >= self.limit.saturating_mul(2) {
            // Not even a refusal: those would pile up as well.
            return tracing::warn!(limit = self.limit, "far too many questions at once; ignored");
        }
        let (board, questions, key) = (Arc::clone(&self.board), Arc::clone(&self.questions), id.clone());
        let limit = self.limit;
        // Held until the task is listed, so that it cannot be done before.
        let mut listed = self.questions.lock();
        let task = tokio::spawn(async move {
            let outcome = if under_way >= limit {
                Err(Error::internal(format!("Too many questions at once: at most {limit}")))
            } else {
                // A ping is no reason to wait longer for anything.
                let _asking = (!matches!(question, ServerRequest::Ping(_))).then(|| Asking::new(&board));
                caught(board.handlers.answer(question)).await
            };
            answer.send(outcome).await; // counts until it is written: a server may not read
            questions.lock().remove(&key);
        });
        if let Some(twin) = listed.insert(id, task.abort_handle()) {
            twin.abort();
        }
    }
}

/// The answer of a handler, even if it panics: the server waits for one.
async fn caught(answer: impl Future<Output = Result<ClientResult, Error>>) -> Result<ClientResult, Error> {
    let mut answer = pin!(answer);
    poll_fn(|cx| {
        let polled = catch_unwind(AssertUnwindSafe(|| answer.as_mut().poll(cx)));
        polled.unwrap_or_else(|_| Poll::Ready(Err(Error::internal("Internal error"))))
    })
    .await
}

impl Questions {
    fn lock(&self) -> MutexGuard<'_, HashMap<RequestId, AbortHandle>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Ear {
    fn drop(&mut self) {
        for (_, task) in self.questions.lock().drain() {
            task.abort();
        }
    }
}

/// Says for as long as it lives that somebody here is being asked.
pub(crate) struct Asking<'a>(&'a Board);

impl<'a> Asking<'a> {
    pub(crate) fn new(board: &'a Board) -> Self {
        board.asking.send_modify(|count| *count += 1);
        Self(board)
    }
}

impl Drop for Asking<'_> {
    fn drop(&mut self) {
        self.0.asking.send_modify(|count| *count -= 1);
    }
}
