//! What one can connect to. The type says how; the marker parameter, which nobody writes, keeps the kinds apart.

use std::fmt;
use std::path::PathBuf;

use ferromcp_transport::Transport;

use crate::HttpOptions;
use crate::child::Spawn;
use crate::connect::{Connector, Once};
use crate::error::ClientError;

/// Something to connect to: a command, a URL, a server of a configuration file or of this process, a transport, a
/// [`Connector`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` is nothing to connect to",
    note = "a `Command`, a URL, a server of a `Config`, a `Server` of this process, any `Transport`, or a connector such as `redial(..)` is"
)]
pub trait Target<M> {
    /// The way there.
    ///
    /// # Errors
    /// When it cannot be one: a URL that is none, for example.
    fn into_connector(self) -> Result<Box<dyn Connector>, ClientError>;

    /// The same where the client has something to say of the way.
    ///
    /// # Errors
    /// As above, and when what the client says cannot be done.
    fn connector_by(self, ways: &Ways) -> Result<Box<dyn Connector>, ClientError>
    where
        Self: Sized,
    {
        let _ = ways;
        self.into_connector()
    }
}

/// What a client's builder says of the ways to servers.
#[derive(Debug, Clone, Default)]
pub struct Ways {
    pub(crate) http: HttpOptions,
}

/// Marks transports.
#[derive(Debug)]
pub enum OnTransport {}

/// Marks connectors.
#[derive(Debug)]
pub enum OnConnector {}

/// Marks commands.
#[derive(Debug)]
pub enum OnCommand {}

/// Marks servers of a configuration file.
#[derive(Debug)]
pub enum OnConfig {}

/// Marks servers in this process.
#[derive(Debug)]
pub enum OnLocal {}

/// Marks URLs.
#[derive(Debug)]
pub enum OnUrl {}

impl<T: Transport> Target<OnTransport> for T {
    fn into_connector(self) -> Result<Box<dyn Connector>, ClientError> {
        Ok(Box::new(Once::new(self)))
    }
}

impl<C: Connector> Target<OnConnector> for C {
    fn into_connector(self) -> Result<Box<dyn Connector>, ClientError> {
        Ok(Box::new(self))
    }
}

impl Target<OnCommand> for tokio::process::Command {
    fn into_connector(self) -> Result<Box<dyn Connector>, ClientError> {
        Ok(Box::new(Spawn::new(self)))
    }
}

impl Target<OnCommand> for std::process::Command {
    fn into_connector(self) -> Result<Box<dyn Connector>, ClientError> {
        Ok(Box::new(Spawn::new(self.into())))
    }
}

/// The Unix socket at `path`, connected to anew when the connection is lost.
#[cfg(unix)]
pub fn unix_socket(path: impl Into<PathBuf>) -> UnixSocket {
    UnixSocket(path.into())
}

/// A Unix socket; made by [`unix_socket`].
#[cfg(unix)]
#[derive(Clone)]
pub struct UnixSocket(PathBuf);

#[cfg(unix)]
impl fmt::Debug for UnixSocket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "UnixSocket({})", self.0.display())
    }
}

#[cfg(unix)]
impl Connector for UnixSocket {
    fn open<'a>(
        &'a self,
        inbound: std::sync::Arc<dyn crate::channel::Inbound>,
        limits: &'a crate::limits::ClientLimits,
    ) -> crate::channel::BoxFuture<'a, Result<std::sync::Arc<dyn crate::channel::Channel>, crate::channel::Failure>>
    {
        use crate::channel::Failure;
        Box::pin(async move {
            let stream = tokio::net::UnixStream::connect(&self.0).await.map_err(Failure::unsent)?;
            crate::pipe::pipe(ferromcp_transport::unix(stream), None, inbound, limits).map_err(Failure::unsent)
        })
    }

    fn can_reopen(&self) -> bool {
        true
    }

    fn name(&self) -> String {
        self.0.display().to_string()
    }
}
