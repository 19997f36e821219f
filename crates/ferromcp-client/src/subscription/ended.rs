//! Outcome of a subscription on one connection.

use crate::error::ClientError;

/// Reason why a subscription ended on one connection.
pub(super) enum Ended {
    /// The server ended the subscription.
    Closed,
    /// The connection was lost.
    Lost(ClientError),
    /// The subscription failed permanently.
    Failed(ClientError),
}
