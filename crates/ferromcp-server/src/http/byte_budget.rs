//! A bound on the bytes of responses in memory: of a server, and of each connection within it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A number of bytes that may be in use at a time.
#[derive(Debug)]
pub(crate) struct ByteBudget {
    used: AtomicUsize,
    limit: usize,
    /// The budget of the server, for the budget of a connection.
    parent: Option<Arc<ByteBudget>>,
    /// Whether small responses count too, because the connection may have many of them.
    counts_small: bool,
}

/// Bytes in use. Released when dropped.
#[derive(Debug)]
pub(crate) struct Reservation {
    budget: Arc<ByteBudget>,
    bytes: usize,
}

impl ByteBudget {
    /// Creates the budget of a server.
    pub(crate) fn new(limit: usize) -> Arc<Self> {
        Arc::new(Self { used: AtomicUsize::new(0), limit: limit.max(1), parent: None, counts_small: false })
    }

    /// Creates the budget of a connection. Its bytes also count in the budget of the server.
    pub(crate) fn for_connection(server: &Arc<Self>, limit: usize, counts_small: bool) -> Arc<Self> {
        let parent = Some(Arc::clone(server));
        Arc::new(Self { used: AtomicUsize::new(0), limit: limit.max(1), parent, counts_small })
    }

    /// Returns whether the limit of this budget is reached.
    pub(crate) fn is_exhausted(&self) -> bool {
        self.used.load(Ordering::Relaxed) >= self.limit
    }

    /// Returns whether the limit of this budget or of its parent is reached.
    pub(crate) fn is_any_exhausted(&self) -> bool {
        self.is_exhausted() || self.parent.as_ref().is_some_and(|parent| parent.is_exhausted())
    }

    /// Reserves bytes. Returns `None` if a limit is reached already. The last reservation below the limit may exceed it,
    /// so that no size is impossible.
    pub(crate) fn try_reserve(self: &Arc<Self>, bytes: usize) -> Option<Reservation> {
        self.try_add(bytes).then(|| Reservation { budget: Arc::clone(self), bytes })
    }

    /// Reserves the bytes of a small response, if these count.
    pub(crate) fn reserve_small(self: &Arc<Self>, bytes: usize) -> Option<Reservation> {
        self.counts_small.then(|| self.reserve(bytes))
    }

    /// Reserves bytes that are in memory already, regardless of the limits.
    pub(crate) fn reserve(self: &Arc<Self>, bytes: usize) -> Reservation {
        self.add(bytes);
        Reservation { budget: Arc::clone(self), bytes }
    }

    fn try_add(&self, bytes: usize) -> bool {
        if self.used.fetch_add(bytes, Ordering::AcqRel) >= self.limit {
            self.used.fetch_sub(bytes, Ordering::AcqRel);
            return false;
        }
        if self.parent.as_ref().is_some_and(|parent| !parent.try_add(bytes)) {
            self.used.fetch_sub(bytes, Ordering::AcqRel);
            return false;
        }
        true
    }

    fn add(&self, bytes: usize) {
        self.used.fetch_add(bytes, Ordering::AcqRel);
        if let Some(parent) = &self.parent {
            parent.add(bytes);
        }
    }

    fn release(&self, bytes: usize) {
        self.used.fetch_sub(bytes, Ordering::AcqRel);
        if let Some(parent) = &self.parent {
            parent.release(bytes);
        }
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        self.budget.release(self.bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reserves_until_the_limit_of_the_connection_or_the_server_is_reached() {
        let server = ByteBudget::new(30);
        let [one, two] = [(); 2].map(|()| ByteBudget::for_connection(&server, 20, true));
        let first = one.try_reserve(15).expect("below both limits");
        let second = one.try_reserve(10).expect("the last one may exceed the limit");
        assert!(one.is_exhausted() && one.try_reserve(1).is_none(), "the connection has no bytes left");
        let other = two.try_reserve(25).expect("the server has 5 bytes left");
        assert!(server.is_exhausted() && two.is_any_exhausted());
        drop(first);
        assert!(server.is_exhausted() && one.try_reserve(1).is_none(), "the server has no bytes left");
        drop((second, other));
        assert_eq!([&server, &one, &two].map(|budget| budget.used.load(Ordering::Relaxed)), [0; 3]);
        assert!(server.reserve_small(1).is_none());
        drop(one.reserve_small(1).expect("small responses count"));
        let forced = one.reserve(100);
        assert!(server.try_reserve(1).is_none());
        drop(forced);
        assert!(server.try_reserve(1).is_some());
    }
}
