//! A request that a server handles, and its questions.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use ferromcp_core::{Error, RawMap, ServerResult};
use ferromcp_server::Peer;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::in_flight::{Event, Question, Registration};

/// A request that a server handles. Dropping it cancels the request.
pub(super) struct RunningCall {
    pub(super) task: RequestTask,
    pub(super) events: mpsc::Receiver<Event>,
    registration: Registration,
    /// The questions that the client of 2026-07-28 has not answered yet, by key.
    pub(super) unanswered: Vec<(String, Question)>,
    /// The number of questions so far.
    asked: usize,
}

/// The task that waits for the response of the server.
pub(super) struct RequestTask(JoinHandle<Result<ServerResult, Error>>);

impl Future for RequestTask {
    type Output = Result<ServerResult, Error>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.0).poll(cx).map(|joined| joined.unwrap_or_else(|_| Err(Error::internal("Internal error"))))
    }
}

impl Drop for RequestTask {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl RunningCall {
    pub(super) fn new(
        task: JoinHandle<Result<ServerResult, Error>>,
        events: mpsc::Receiver<Event>,
        registration: Registration,
    ) -> Self {
        let task = RequestTask(task);
        Self { task, events, registration, unanswered: Vec::new(), asked: 0 }
    }

    /// Adds a question for the client of 2026-07-28, or rejects it if the client does not support it.
    pub(super) fn add(&mut self, mut question: Question, peer: &Peer) {
        if let Err(missing) = peer.adapt_input(&mut question.request) {
            let _ = question.answer.send(Err(Error::missing_client_capability(&missing)));
            return;
        }
        self.asked += 1;
        self.unanswered.push((format!("question{}", self.asked), question));
    }

    /// Sends the answers of the client to the server.
    pub(super) fn answer(&mut self, responses: &RawMap) {
        for (key, answer) in responses.iter() {
            if let Some(position) = self.unanswered.iter().position(|(unanswered, _)| unanswered == key) {
                let (_, question) = self.unanswered.remove(position);
                let _ = question.answer.send(Ok(answer.clone()));
            }
        }
    }

    /// Sets whether the call is suspended until the client retries it.
    pub(super) fn set_suspended(&self, suspended: bool) {
        self.registration.call.set_suspended(suspended);
    }

    /// Removes the questions that the server no longer waits for.
    pub(super) fn discard_closed(&mut self) {
        self.unanswered.retain(|(_, question)| !question.answer.is_closed());
    }
}
