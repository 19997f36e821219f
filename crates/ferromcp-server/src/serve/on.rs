//! [`ServeOn`]: the targets of [`Server::serve`](crate::Server::serve).

use std::fmt;
use std::future::Future;
use std::sync::Arc;

use ferromcp_transport::Transport;

use super::ServeError;
use crate::inner::Inner;

/// A target that [`Server::serve`](crate::Server::serve) accepts: any [`Transport`], such as `stdio()`, or the value of
/// `http(..)` with the feature `http`.
///
/// The type parameter `M` distinguishes the two implementations and is always inferred.
#[diagnostic::on_unimplemented(
    message = "a server cannot serve on `{Self}`",
    label = "neither a transport nor `http(..)`",
    note = "serve on `stdio()`, on `http(\"127.0.0.1:8000\")` with the feature `http`, or on a type that implements `Transport`"
)]
pub trait ServeOn<M> {
    /// Serves until the peer disconnects or the process is asked to shut down.
    ///
    /// # Errors
    /// Returns the errors of [`Server::serve`](crate::Server::serve).
    fn serve(self, server: Served) -> impl Future<Output = Result<(), ServeError>> + Send;
}

/// A server passed to [`ServeOn::serve`].
pub struct Served(pub(crate) Arc<Inner>);

impl fmt::Debug for Served {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Served({})", self.0.info.name)
    }
}

/// Type-level marker for transports, which serve one peer.
#[derive(Debug, Clone, Copy)]
pub enum OnTransport {}

/// Type-level marker for HTTP, which serves many peers.
#[derive(Debug, Clone, Copy)]
pub enum OnHttp {}

impl<T: Transport> ServeOn<OnTransport> for T {
    async fn serve(self, server: Served) -> Result<(), ServeError> {
        super::serve(&server.0, self).await
    }
}
