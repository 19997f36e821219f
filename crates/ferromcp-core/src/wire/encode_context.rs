//! The context of the encoder for server messages.

use crate::json::RawJson;
use crate::revision::Revision;

/// The peer's revision and the server info, used to encode server messages.
#[derive(Debug, Clone, Copy)]
pub struct EncodeContext<'a> {
    /// The peer's revision.
    pub revision: Revision,
    /// The server's [`Implementation`](crate::model::Implementation), included in results for modern peers.
    pub server_info: Option<&'a RawJson>,
}

impl<'a> EncodeContext<'a> {
    /// Creates a context for a peer of `revision`, without server info.
    pub fn new(revision: Revision) -> Self {
        Self { revision, server_info: None }
    }

    /// Sets the server info.
    pub fn server_info(mut self, info: &'a RawJson) -> Self {
        self.server_info = Some(info);
        self
    }
}
