//! The open conversations of HTTP+SSE, by ids that nobody can guess.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ferromcp_core::Identity;
use ferromcp_transport::memory::MemoryTx;

/// The conversations of an endpoint.
#[derive(Default)]
pub(crate) struct Conversations(Mutex<HashMap<Arc<str>, Conversation>>);

/// One conversation.
#[derive(Clone)]
pub(crate) struct Conversation {
    /// Who opened it; nobody else may speak in it.
    pub(crate) identity: Option<Identity>,
    /// The way in.
    pub(crate) messages: Arc<tokio::sync::Mutex<MemoryTx>>,
}

impl Conversations {
    pub(crate) fn add(&self, id: &Arc<str>, conversation: Conversation) {
        self.lock().insert(Arc::clone(id), conversation);
    }

    /// The conversation of this id, if it is `identity`'s.
    pub(crate) fn find(&self, id: &str, identity: Option<&Identity>) -> Option<Conversation> {
        self.lock().get(id).filter(|conversation| conversation.identity.as_ref() == identity).cloned()
    }

    pub(crate) fn forget(&self, id: &str) {
        self.lock().remove(id);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Arc<str>, Conversation>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
