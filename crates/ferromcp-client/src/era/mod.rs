//! The two protocol eras: self-contained requests, or a session opened by a handshake.

pub(crate) mod features;
pub(crate) mod legacy;
pub(crate) mod modern;

use ferromcp_core::model::{Implementation, ServerCapabilities};

/// Description of a server, from `server/discover` or `initialize`.
#[derive(Debug, Clone, Default)]
pub(crate) struct ServerInfo {
    pub(crate) server: Option<Implementation>,
    pub(crate) capabilities: ServerCapabilities,
    pub(crate) instructions: Option<String>,
}
