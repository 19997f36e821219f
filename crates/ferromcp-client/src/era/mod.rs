//! The two ways to speak: each request for itself, or within a session that a handshake opened.

pub(crate) mod legacy;
pub(crate) mod modern;

use ferromcp_core::model::{Implementation, ServerCapabilities};

/// What a server says of itself.
#[derive(Debug, Clone, Default)]
pub(crate) struct About {
    pub(crate) server: Option<Implementation>,
    pub(crate) capabilities: ServerCapabilities,
    pub(crate) instructions: Option<String>,
}
