//! Targets of [`Server::serve`](crate::Server::serve).
//!
//! The marker parameter `M` of [`ServeTarget`] is inferred. It keeps the implementations from overlapping.

use std::fmt;
use std::future::Future;
use std::sync::Arc;

use ferromcp_transport::Transport;

use super::ServeError;
use crate::inner::Inner;

/// A target that [`Server::serve`](crate::Server::serve) accepts: any [`Transport`], such as `stdio()`, or the value of
/// `http(..)` with the feature `http`.
///
/// The type parameter `M` is inferred.
#[diagnostic::on_unimplemented(
    message = "a server cannot serve on `{Self}`",
    label = "neither a transport nor `http(..)`",
    note = "serve on `stdio()`, on `http(\"127.0.0.1:8000\")` with the feature `http`, or on a type that implements `Transport`"
)]
pub trait ServeTarget<M> {
    /// Serves until the peer disconnects or the process is asked to shut down.
    ///
    /// # Errors
    /// Returns the errors of [`Server::serve`](crate::Server::serve).
    fn serve(self, server: SharedServer) -> impl Future<Output = Result<(), ServeError>> + Send;
}

/// A built server, as [`ServeTarget::serve`] receives it.
pub struct SharedServer(pub(crate) Arc<Inner>);

impl fmt::Debug for SharedServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SharedServer({})", self.0.info.name)
    }
}

/// Marker for transports, which serve one peer.
#[derive(Debug)]
pub enum ViaTransport {}

impl<T: Transport> ServeTarget<ViaTransport> for T {
    async fn serve(self, server: SharedServer) -> Result<(), ServeError> {
        super::serve(&server.0, self).await
    }
}
