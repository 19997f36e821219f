//! Targets of [`ClientBuilder::connect`](crate::ClientBuilder::connect).
//!
//! The marker parameter `M` of [`Target`] is inferred. It keeps the implementations from overlapping.

use std::fmt;
use std::path::PathBuf;

use ferromcp_transport::Transport;

use crate::HttpOptions;
use crate::child::ChildConnector;
use crate::connect::{Connector, SingleUse};
use crate::error::ClientError;

/// Target of a connection: a command, a URL, a server of a configuration file, an in-process server, a transport, or a
/// [`Connector`].
#[diagnostic::on_unimplemented(
    message = "cannot connect to a value of type `{Self}`",
    note = "supported targets: a `Command`, a URL, a server of a `Config`, an in-process `Server`, any `Transport`, or a connector such as `reconnect_with(..)`"
)]
pub trait Target<M> {
    /// Converts the target to a connector.
    ///
    /// # Errors
    /// Fails if the target is invalid, for example a malformed URL.
    fn into_connector(self) -> Result<Box<dyn Connector>, ClientError>;

    /// Converts the target to a connector with the options of the client.
    ///
    /// # Errors
    /// Fails if the target or the options are invalid.
    fn connector_with(self, options: &ConnectOptions) -> Result<Box<dyn Connector>, ClientError>
    where
        Self: Sized,
    {
        let _ = options;
        self.into_connector()
    }
}

/// Connection options set with the client builder.
#[derive(Debug, Clone, Default)]
pub struct ConnectOptions {
    pub(crate) http: HttpOptions,
}

/// Marker for transports.
#[derive(Debug)]
pub enum ViaTransport {}

/// Marker for connectors.
#[derive(Debug)]
pub enum ViaConnector {}

/// Marker for commands.
#[derive(Debug)]
pub enum ViaCommand {}

/// Marker for servers of a configuration file.
#[derive(Debug)]
pub enum ViaConfig {}

/// Marker for in-process servers.
#[derive(Debug)]
pub enum ViaInProcess {}

/// Marker for URLs.
#[derive(Debug)]
pub enum ViaUrl {}

impl<T: Transport> Target<ViaTransport> for T {
    fn into_connector(self) -> Result<Box<dyn Connector>, ClientError> {
        Ok(Box::new(SingleUse::new(self)))
    }
}

impl<C: Connector> Target<ViaConnector> for C {
    fn into_connector(self) -> Result<Box<dyn Connector>, ClientError> {
        Ok(Box::new(self))
    }
}

impl Target<ViaCommand> for tokio::process::Command {
    fn into_connector(self) -> Result<Box<dyn Connector>, ClientError> {
        Ok(Box::new(ChildConnector::new(self)))
    }
}

impl Target<ViaCommand> for std::process::Command {
    fn into_connector(self) -> Result<Box<dyn Connector>, ClientError> {
        Ok(Box::new(ChildConnector::new(self)))
    }
}

/// Creates a connector to the Unix socket at `path`, which reconnects when the connection is lost.
#[cfg(unix)]
pub fn unix_socket(path: impl Into<PathBuf>) -> UnixSocket {
    UnixSocket(path.into())
}

/// A [`Connector`] to a Unix socket. Created by [`unix_socket`].
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
    ) -> crate::channel::BoxFuture<'a, Result<std::sync::Arc<dyn crate::channel::Channel>, crate::channel::ChannelError>>
    {
        use crate::channel::ChannelError;
        Box::pin(async move {
            let stream = tokio::net::UnixStream::connect(&self.0).await.map_err(ChannelError::unsent)?;
            crate::pipe::pipe(ferromcp_transport::unix(stream), None, inbound, limits).map_err(ChannelError::unsent)
        })
    }

    fn can_reopen(&self) -> bool {
        true
    }

    fn name(&self) -> String {
        self.0.display().to_string()
    }
}
