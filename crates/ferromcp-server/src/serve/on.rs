//! What a server can serve on: one pipe, or a listener for HTTP.

use std::future::Future;

use ferromcp_transport::Transport;

use super::ServeError;
use crate::server::Server;

/// What [`Server::serve`] takes: any [`Transport`], such as `stdio()`, and with the feature `http` what
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
    /// Those of [`Server::serve`].
    fn serve(self, server: Server) -> impl Future<Output = Result<(), ServeError>> + Send;
}

/// Marks a transport: one peer.
#[derive(Debug, Clone, Copy)]
pub enum OnPipe {}

/// Marks HTTP: many peers.
#[derive(Debug, Clone, Copy)]
pub enum OnHttp {}

impl<T: Transport> ServeOn<OnPipe> for T {
    async fn serve(self, server: Server) -> Result<(), ServeError> {
        super::serve(&server.inner, self).await
    }
}
