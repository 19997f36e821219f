//! How a subscription fared on one connection.

use crate::error::ClientError;

/// How one connection's part of a subscription ended.
pub(super) enum Ended {
    /// The server ended it.
    Closed,
    /// The connection was lost.
    Lost(ClientError),
    /// It cannot be.
    Failed(ClientError),
}
