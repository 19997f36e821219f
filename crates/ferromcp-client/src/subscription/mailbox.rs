//! The bounded queue of pending changes of one subscription, without duplicates.

use std::collections::{HashSet, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use ferromcp_core::model::SubscriptionFilter;
use tokio::sync::watch;

use super::change::{Change, ChangeFilter};
use crate::error::ClientError;
use crate::limits::MAX_QUEUED_CHANGES;

/// Queue of changes for one subscription.
pub(crate) struct Mailbox {
    state: Mutex<State>,
    acknowledged: watch::Sender<Option<SubscriptionFilter>>,
    ended: watch::Sender<bool>,
    filter: ChangeFilter,
}

#[derive(Default)]
struct State {
    queue: VecDeque<Change>,
    queued: HashSet<Change>,
    end: Option<Result<(), ClientError>>,
    waker: Option<Waker>,
}

impl Mailbox {
    pub(crate) fn new(filter: ChangeFilter) -> Self {
        Self {
            state: Mutex::default(),
            acknowledged: watch::Sender::new(None),
            ended: watch::Sender::new(false),
            filter,
        }
    }

    pub(crate) fn filter(&self) -> &ChangeFilter {
        &self.filter
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Queues a change, unless the filter excludes it or it is queued already. Never blocks.
    pub(crate) fn push(&self, change: Change) {
        if !self.filter.matches(&change) {
            return;
        }
        let mut state = self.state();
        if state.end.is_some() || !state.queued.insert(change.clone()) {
            return;
        }
        if state.queue.len() >= MAX_QUEUED_CHANGES {
            state.queue.clear();
            state.queued.clear();
            state.queued.insert(Change::Gap);
            state.queue.push_back(Change::Gap);
        } else {
            state.queue.push_back(change);
        }
        wake(state);
    }

    /// Records the filter that the server acknowledged.
    pub(crate) fn acknowledge(&self, filter: SubscriptionFilter) {
        self.acknowledged.send_replace(Some(filter));
    }

    /// Waits for the acknowledged filter; `None` if the subscription ended first.
    pub(crate) async fn wait_acknowledged(&self) -> Option<SubscriptionFilter> {
        let (mut acknowledged, mut ended) = (self.acknowledged.subscribe(), self.ended.subscribe());
        tokio::select! {
            biased;
            filter = acknowledged.wait_for(Option::is_some) => filter.ok().and_then(|filter| filter.clone()),
            _ = ended.wait_for(|ended| *ended) => None,
        }
    }

    /// Marks the subscription as ended by the server.
    pub(crate) fn mark_closed(&self) {
        self.ended.send_replace(true);
    }

    /// Waits until the server ends the subscription.
    pub(crate) async fn wait_closed(&self) {
        let _ = self.ended.subscribe().wait_for(|ended| *ended).await; // the sender lives as long as `self`
    }

    /// Ends the queue. The subscriber receives the remaining changes, then the error if any.
    pub(crate) fn end(&self, outcome: Result<(), ClientError>) {
        let mut state = self.state();
        state.end.get_or_insert(outcome);
        wake(state);
        self.mark_closed();
    }

    /// Takes the error that ended the subscription, if any.
    pub(crate) fn take_error(&self) -> Option<ClientError> {
        self.state().end.replace(Ok(())).and_then(Result::err)
    }

    pub(crate) fn poll_next(&self, cx: &mut Context<'_>) -> Poll<Option<Result<Change, ClientError>>> {
        let mut state = self.state();
        if let Some(change) = state.queue.pop_front() {
            state.queued.remove(&change);
            return Poll::Ready(Some(Ok(change)));
        }
        match state.end.take() {
            None => {
                state.waker = Some(cx.waker().clone());
                Poll::Pending
            }
            Some(outcome) => {
                state.end = Some(Ok(())); // an error is returned once
                Poll::Ready(outcome.err().map(Err))
            }
        }
    }
}

/// Releases the lock, then wakes the subscriber.
fn wake(mut state: MutexGuard<'_, State>) {
    let waker = state.waker.take();
    drop(state);
    if let Some(waker) = waker {
        waker.wake();
    }
}
