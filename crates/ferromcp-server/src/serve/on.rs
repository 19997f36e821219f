//! What a server can serve on: one pipe, or a listener for HTTP.

use std::fmt;
use std::future::Future;
use std::sync::Arc;

use ferromcp_transport::Transport;

use super::ServeError;
use crate::inner::Inner;

/// What [`Server::serve`](crate::Server::serve) takes: any [`Transport`], such as `stdio()`, and with the feature `http` what
/// `http(..)` makes.
///
/// `M` only tells the two apart; it is never named.
#[diagnostic::on_unimplemented(
    message = "a server cannot serve on `{Self}`",
    label = "neither a transport nor `http(..)`",
    note = "serve on `stdio()`, on `http(\"127.0.0.1:8000\")` with the feature `http`, or on a type that implements `Transport`"
)]
pub trait ServeOn<M> {
    /// Serves until the peer hangs up or the process is told to stop.
    ///
    /// # Errors
    /// Those of [`Server::serve`](crate::Server::serve).
    fn serve(self, server: Served) -> impl Future<Output = Result<(), ServeError>> + Send;
}

/// A server that is about to serve.
pub struct Served(pub(crate) Arc<Inner>);

impl fmt::Debug for Served {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Served({})", self.0.info.name)
    }
}

/// Marks a transport: one peer.
#[derive(Debug, Clone, Copy)]
pub enum OnPipe {}

/// Marks HTTP: many peers.
#[derive(Debug, Clone, Copy)]
pub enum OnHttp {}

impl<T: Transport> ServeOn<OnPipe> for T {
    async fn serve(self, server: Served) -> Result<(), ServeError> {
        super::serve(&server.0, self).await
    }
}
