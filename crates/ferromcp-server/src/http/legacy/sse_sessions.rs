//! The open HTTP+SSE sessions of an endpoint, by unguessable ids.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ferromcp_core::Identity;

use super::sse_messages::MessageTx;

/// The HTTP+SSE sessions of an endpoint.
#[derive(Default)]
pub(super) struct SseSessions(Mutex<HashMap<Arc<str>, SseSession>>);

/// One HTTP+SSE session.
#[derive(Clone)]
pub(super) struct SseSession {
    /// The identity that opened it. Requests of any other identity do not find it.
    pub(super) identity: Option<Identity>,
    /// Sends messages of the client to the server.
    pub(super) messages: MessageTx,
}

impl SseSessions {
    pub(super) fn add(&self, id: &Arc<str>, session: SseSession) {
        self.lock().insert(Arc::clone(id), session);
    }

    /// Returns the session with this id if `identity` opened it.
    pub(super) fn find(&self, id: &str, identity: Option<&Identity>) -> Option<SseSession> {
        self.lock().get(id).filter(|session| session.identity.as_ref() == identity).cloned()
    }

    pub(super) fn remove(&self, id: &str) {
        self.lock().remove(id);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Arc<str>, SseSession>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
