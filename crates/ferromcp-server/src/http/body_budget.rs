//! A bound on the request bodies in memory: those that are being received, and those of calls that run.
//!
//! A small body that has arrived needs no permit. A large body needs one for its size before it is received, so that
//! bodies that are never completed cannot use more than the limit. Waiting is fair, and one connection cannot use all of
//! it.

use std::sync::{Arc, OnceLock};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::limits::{AUTHORIZATION_BODIES, BODY_SHARE, HttpServerLimits};

/// The largest body that needs no permit for its size.
pub(crate) const SMALL_BODY_BYTES: usize = 16 << 10;

/// The unit of the permits, so that the largest limit fits a semaphore.
const UNIT: usize = 1 << 10;

/// The permits for the request bodies of an endpoint.
pub(crate) struct BodyBudget {
    /// One permit for each small body that is being received.
    small: Arc<Semaphore>,
    large: Arc<Semaphore>,
    large_units: u32,
    /// One permit for each body for a path of the authorization. Their clients are not authenticated.
    authorization: Arc<Semaphore>,
}

/// The permits for the large bodies of one connection, created for the first one.
#[derive(Default)]
pub(crate) struct ConnectionBodies(OnceLock<Arc<Semaphore>>);

/// The permits of one body, if it needs any. Released when dropped.
#[derive(Debug, Default)]
pub(crate) struct BodyLease(Option<Box<[Option<OwnedSemaphorePermit>; 2]>>);

impl BodyLease {
    fn new(permits: [Option<OwnedSemaphorePermit>; 2]) -> Self {
        Self(Some(Box::new(permits)))
    }

    /// Takes the permits.
    pub(crate) fn take(&mut self) -> Self {
        Self(self.0.take())
    }
}

impl BodyBudget {
    pub(crate) fn new(limits: &HttpServerLimits) -> Self {
        let large_units = units(limits.total_body_bytes).min(u32::MAX >> 4);
        let permits = |count: usize| Arc::new(Semaphore::new(count.clamp(1, Semaphore::MAX_PERMITS)));
        Self {
            small: permits(limits.in_flight),
            large: permits(large_units as usize),
            large_units,
            authorization: permits(AUTHORIZATION_BODIES),
        }
    }

    /// Waits for the permit of a small body.
    pub(crate) async fn acquire_small(&self) -> BodyLease {
        BodyLease::new([acquire(&self.small, 1).await, None])
    }

    /// Acquires the permit of a body for a path of the authorization. Returns `None` if all are in use: requests must not
    /// wait behind those of clients that never complete their bodies.
    pub(crate) fn try_acquire_for_authorization(&self) -> Option<BodyLease> {
        let permit = Arc::clone(&self.authorization).try_acquire_owned().ok()?;
        Some(BodyLease::new([Some(permit), None]))
    }

    /// Waits for the permits of a large body. `connection` limits those of its connection, if known.
    pub(crate) async fn acquire_large(&self, bytes: usize, connection: Option<&ConnectionBodies>) -> BodyLease {
        let units = units(bytes);
        let share = self.large_units.div_ceil(BODY_SHARE);
        let own = match connection {
            Some(ConnectionBodies(own)) => {
                let own = own.get_or_init(|| Arc::new(Semaphore::new(share as usize)));
                acquire(own, units.min(share)).await
            }
            None => None,
        };
        BodyLease::new([own, acquire(&self.large, units.min(self.large_units)).await])
    }
}

async fn acquire(permits: &Arc<Semaphore>, count: u32) -> Option<OwnedSemaphorePermit> {
    Arc::clone(permits).acquire_many_owned(count).await.ok() // a semaphore is never closed
}

fn units(bytes: usize) -> u32 {
    u32::try_from(bytes.div_ceil(UNIT)).unwrap_or(u32::MAX).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_limits_fit_a_semaphore() {
        let limits = HttpServerLimits::new().total_body_bytes(usize::MAX).in_flight(usize::MAX);
        let budget = BodyBudget::new(&limits);
        assert_eq!(budget.large.available_permits(), (u32::MAX >> 4) as usize);
        assert_eq!(BodyBudget::new(&limits.total_body_bytes(0)).large.available_permits(), 1);
    }
}
