//! What one subscription has still to be told: each change once, and never more than a limit.

use std::collections::{HashSet, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use ferromcp_core::model::SubscriptionFilter;
use tokio::sync::watch;

use super::change::{Change, Interest};
use crate::error::ClientError;

/// Changes on their way to a subscription.
pub(crate) struct Mailbox {
    state: Mutex<State>,
    acknowledged: watch::Sender<Option<SubscriptionFilter>>,
    ended: watch::Sender<bool>,
    interest: Interest,
    room: usize,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<Change>,
    known: HashSet<Change>,
    end: Option<Result<(), ClientError>>,
    waker: Option<Waker>,
}

impl Mailbox {
    pub(crate) fn new(interest: Interest, room: usize) -> Self {
        Self {
            state: Mutex::default(),
            acknowledged: watch::Sender::new(None),
            ended: watch::Sender::new(false),
            interest,
            room: room.max(1),
        }
    }

    pub(crate) fn interest(&self) -> &Interest {
        &self.interest
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells of a change, if it is of interest and not waiting already. Never waits.
    pub(crate) fn tell(&self, change: Change) {
        if !self.interest.wants(&change) {
            return;
        }
        let mut state = self.state();
        if state.end.is_some() || !state.known.insert(change.clone()) {
            return;
        }
        if state.waiting.len() >= self.room {
            state.waiting.clear();
            state.known.clear();
            state.known.insert(Change::Gap);
            state.waiting.push_back(Change::Gap);
        } else {
            state.waiting.push_back(change);
        }
        wake(state);
    }

    /// The server said what it will tell.
    pub(crate) fn acknowledge(&self, honoured: SubscriptionFilter) {
        self.acknowledged.send_replace(Some(honoured));
    }

    /// Waits for what the server will tell; `None` if the subscription ended first.
    pub(crate) async fn acknowledged(&self) -> Option<SubscriptionFilter> {
        let (mut acknowledged, mut ended) = (self.acknowledged.subscribe(), self.ended.subscribe());
        tokio::select! {
            biased;
            honoured = acknowledged.wait_for(Option::is_some) => honoured.ok().and_then(|honoured| honoured.clone()),
            _ = ended.wait_for(|ended| *ended) => None,
        }
    }

    /// The server told that it ends the subscription.
    pub(crate) fn hang_up(&self) {
        self.ended.send_replace(true);
    }

    /// Waits until the server has told that it ends the subscription.
    pub(crate) async fn hung_up(&self) {
        let _ = self.ended.subscribe().wait_for(|ended| *ended).await; // the sender lives as long as `self`
    }

    /// Nothing more comes.
    pub(crate) fn end(&self, how: Result<(), ClientError>) {
        let mut state = self.state();
        state.end.get_or_insert(how);
        wake(state);
        self.hang_up();
    }

    /// Takes how it ended, if it ended with an error.
    pub(crate) fn take_error(&self) -> Option<ClientError> {
        self.state().end.replace(Ok(())).and_then(Result::err)
    }

    pub(crate) fn poll_next(&self, cx: &mut Context<'_>) -> Poll<Option<Result<Change, ClientError>>> {
        let mut state = self.state();
        if let Some(change) = state.waiting.pop_front() {
            state.known.remove(&change);
            return Poll::Ready(Some(Ok(change)));
        }
        match state.end.take() {
            None => {
                state.waker = Some(cx.waker().clone());
                Poll::Pending
            }
            Some(how) => {
                state.end = Some(Ok(())); // an error is told once
                Poll::Ready(how.err().map(Err))
            }
        }
    }
}

/// Wakes who waits, after letting go of the state.
fn wake(mut state: MutexGuard<'_, State>) {
    let waker = state.waker.take();
    drop(state);
    if let Some(waker) = waker {
        waker.wake();
    }
}
