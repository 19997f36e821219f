//! Connectors, which open a new channel to a server for each connection.

use std::fmt;
use std::future::Future;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use ferromcp_transport::Transport;
use tokio::time::Instant;

use crate::channel::{BoxFuture, Channel, ChannelError, Inbound, TransportKind};
use crate::limits::ClientLimits;
use crate::pipe::{PeerProcess, pipe};

/// Opens channels to one server.
pub trait Connector: Send + Sync + 'static {
    /// Opens a channel that delivers notifications and requests of the server to `inbound`.
    ///
    /// # Errors
    /// Fails if the connection cannot be established.
    fn open<'a>(
        &'a self,
        inbound: Arc<dyn Inbound>,
        limits: &'a ClientLimits,
    ) -> BoxFuture<'a, Result<Arc<dyn Channel>, ChannelError>>;

    /// Opens a channel over the deprecated HTTP+SSE transport. Returns `None` if the connector does not support it.
    fn open_http_sse<'a>(
        &'a self,
        inbound: Arc<dyn Inbound>,
        limits: &'a ClientLimits,
    ) -> Option<BoxFuture<'a, Result<Arc<dyn Channel>, ChannelError>>> {
        let _ = (inbound, limits);
        None
    }

    /// Returns whether another channel can be opened after one has closed.
    fn can_reopen(&self) -> bool;

    /// Returns the kind of transport.
    fn transport_kind(&self) -> TransportKind {
        TransportKind::Pipe
    }

    /// Returns a text that identifies the authorization of requests, such as a digest of the access token. Private
    /// results are cached separately for each value. Empty without authorization.
    fn authorization(&self) -> String {
        String::new()
    }

    /// Returns when a request last waited for credentials, which may take a person minutes; now if one is waiting. Timeouts
    /// start again then. `None` without credentials.
    fn waited_for_credentials(&self) -> Option<Instant> {
        None
    }

    /// Returns the name used in logs and errors.
    fn name(&self) -> String;
}

/// A connector for an existing transport, which can be opened once.
pub(crate) struct SingleUse<T> {
    transport: Mutex<Option<T>>,
    name: &'static str,
}

impl<T: Transport> SingleUse<T> {
    pub(crate) fn new(transport: T) -> Self {
        let name = transport.name();
        Self { transport: Mutex::new(Some(transport)), name }
    }
}

impl<T: Transport> Connector for SingleUse<T> {
    fn open<'a>(
        &'a self,
        inbound: Arc<dyn Inbound>,
        limits: &'a ClientLimits,
    ) -> BoxFuture<'a, Result<Arc<dyn Channel>, ChannelError>> {
        let transport = self.transport.lock().unwrap_or_else(PoisonError::into_inner).take();
        Box::pin(async move {
            let gone = || {
                io::Error::new(io::ErrorKind::NotConnected, "cannot reopen the transport: it can be opened only once")
            };
            let transport = transport.ok_or_else(gone).map_err(ChannelError::unsent)?;
            pipe(transport, None, inbound, limits).map_err(ChannelError::unsent)
        })
    }

    fn can_reopen(&self) -> bool {
        false
    }

    fn name(&self) -> String {
        self.name.to_owned()
    }
}

/// Result of a [`reconnect_with`] function: a transport and, optionally, the process at its other end.
pub struct Opened<T> {
    transport: T,
    peer: Option<Arc<dyn PeerProcess>>,
}

impl<T> Opened<T> {
    /// Creates a result whose `peer` is shut down when the connection closes.
    pub fn with_guard(transport: T, peer: Arc<dyn PeerProcess>) -> Self {
        Self { transport, peer: Some(peer) }
    }
}

impl<T: Transport> From<T> for Opened<T> {
    fn from(transport: T) -> Self {
        Self { transport, peer: None }
    }
}

impl<T> fmt::Debug for Opened<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Opened(..)")
    }
}

/// Creates a connector that calls `open` for each connection, so that a lost connection is re-established.
///
/// ```no_run
/// # async fn example() -> Result<(), ferromcp_client::ClientError> {
/// use ferromcp_client::{Client, reconnect_with};
/// use ferromcp_transport::streams;
/// let remote = reconnect_with("remote", || async {
///     let (reader, writer) = tokio::net::TcpStream::connect("localhost:7000").await?.into_split();
///     Ok(streams(reader, writer).into())
/// });
/// let client = Client::builder("demo", "1.0.0").connect(remote).await?;
/// # Ok(())
/// # }
/// ```
pub fn reconnect_with<F, Fut, T>(name: impl Into<String>, open: F) -> Reconnecting<F>
where
    F: Fn() -> Fut + Send + Sync + 'static,
    Fut: Future<Output = io::Result<Opened<T>>> + Send + 'static,
    T: Transport,
{
    Reconnecting { name: name.into(), open }
}

/// A [`Connector`] that opens a transport for each connection. Created by [`reconnect_with`].
pub struct Reconnecting<F> {
    name: String,
    open: F,
}

impl<F> fmt::Debug for Reconnecting<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Reconnecting({})", self.name)
    }
}

impl<F, Fut, T> Connector for Reconnecting<F>
where
    F: Fn() -> Fut + Send + Sync + 'static,
    Fut: Future<Output = io::Result<Opened<T>>> + Send + 'static,
    T: Transport,
{
    fn open<'a>(
        &'a self,
        inbound: Arc<dyn Inbound>,
        limits: &'a ClientLimits,
    ) -> BoxFuture<'a, Result<Arc<dyn Channel>, ChannelError>> {
        let opening = (self.open)();
        Box::pin(async move {
            let Opened { transport, peer } = opening.await.map_err(ChannelError::unsent)?;
            pipe(transport, peer, inbound, limits).map_err(ChannelError::unsent)
        })
    }

    fn can_reopen(&self) -> bool {
        true
    }

    fn name(&self) -> String {
        self.name.clone()
    }
}
