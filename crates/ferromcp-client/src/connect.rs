//! Ways to a server that can be gone more than once: a connector opens a fresh channel each time.

use std::fmt;
use std::future::Future;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use ferromcp_transport::Transport;

use crate::channel::{BoxFuture, Channel, Failure, Inbound, Way};
use crate::limits::ClientLimits;
use crate::pipe::{Keeper, pipe};

/// Opens channels to one server.
pub trait Connector: Send + Sync + 'static {
    /// Opens a channel that delivers what the server says of its own accord to `inbound`.
    fn open<'a>(
        &'a self,
        inbound: Arc<dyn Inbound>,
        limits: &'a ClientLimits,
    ) -> BoxFuture<'a, Result<Arc<dyn Channel>, Failure>>;

    /// Opens a channel of the HTTP+SSE transport, where the server may have no other. `None`: there is no such way.
    fn open_http_sse<'a>(
        &'a self,
        inbound: Arc<dyn Inbound>,
        limits: &'a ClientLimits,
    ) -> Option<BoxFuture<'a, Result<Arc<dyn Channel>, Failure>>> {
        let _ = (inbound, limits);
        None
    }

    /// Whether it can be opened again after it ended.
    fn can_reopen(&self) -> bool;

    /// What kind of channel it opens.
    fn way(&self) -> Way {
        Way::Pipe
    }

    /// A text that stands for the authorization requests are sent with, such as a digest of the access token. Private
    /// results are kept apart by it. Empty where there is none.
    fn authorization(&self) -> String {
        String::new()
    }

    /// A word for logs and errors.
    fn name(&self) -> String;
}

/// A transport that exists already, so that it can be used once.
pub(crate) struct Once<T> {
    transport: Mutex<Option<T>>,
    name: &'static str,
}

impl<T: Transport> Once<T> {
    pub(crate) fn new(transport: T) -> Self {
        let name = transport.name();
        Self { transport: Mutex::new(Some(transport)), name }
    }
}

impl<T: Transport> Connector for Once<T> {
    fn open<'a>(
        &'a self,
        inbound: Arc<dyn Inbound>,
        limits: &'a ClientLimits,
    ) -> BoxFuture<'a, Result<Arc<dyn Channel>, Failure>> {
        let transport = self.transport.lock().unwrap_or_else(PoisonError::into_inner).take();
        Box::pin(async move {
            let gone =
                || io::Error::new(io::ErrorKind::NotConnected, "this transport was used up and cannot be opened again");
            let transport = transport.ok_or_else(gone).map_err(Failure::unsent)?;
            pipe(transport, None, inbound, limits).map_err(Failure::unsent)
        })
    }

    fn can_reopen(&self) -> bool {
        false
    }

    fn name(&self) -> String {
        self.name.to_owned()
    }
}

/// What a [`redial`] function opens: a transport, and perhaps what lives at its far end.
pub struct Opened<T> {
    transport: T,
    keeper: Option<Arc<dyn Keeper>>,
}

impl<T> Opened<T> {
    /// A transport with what is to be ended together with it.
    pub fn kept(transport: T, keeper: Arc<dyn Keeper>) -> Self {
        Self { transport, keeper: Some(keeper) }
    }
}

impl<T: Transport> From<T> for Opened<T> {
    fn from(transport: T) -> Self {
        Self { transport, keeper: None }
    }
}

impl<T> fmt::Debug for Opened<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Opened(..)")
    }
}

/// A connector that calls `open` for each connection, so that a server which ended is reached again.
///
/// ```no_run
/// # async fn example() -> Result<(), ferromcp_client::ClientError> {
/// use ferromcp_client::{Client, redial};
/// use ferromcp_transport::streams;
/// let remote = redial("remote", || async {
///     let (reader, writer) = tokio::net::TcpStream::connect("localhost:7000").await?.into_split();
///     Ok(streams(reader, writer).into())
/// });
/// let client = Client::new("demo", "1.0.0").connect(remote).await?;
/// # Ok(())
/// # }
/// ```
pub fn redial<F, Fut, T>(name: impl Into<String>, open: F) -> Redial<F>
where
    F: Fn() -> Fut + Send + Sync + 'static,
    Fut: Future<Output = io::Result<Opened<T>>> + Send + 'static,
    T: Transport,
{
    Redial { name: name.into(), open }
}

/// Opens a pipe as often as needed; made by [`redial`].
pub struct Redial<F> {
    name: String,
    open: F,
}

impl<F> fmt::Debug for Redial<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Redial({})", self.name)
    }
}

impl<F, Fut, T> Connector for Redial<F>
where
    F: Fn() -> Fut + Send + Sync + 'static,
    Fut: Future<Output = io::Result<Opened<T>>> + Send + 'static,
    T: Transport,
{
    fn open<'a>(
        &'a self,
        inbound: Arc<dyn Inbound>,
        limits: &'a ClientLimits,
    ) -> BoxFuture<'a, Result<Arc<dyn Channel>, Failure>> {
        let opening = (self.open)();
        Box::pin(async move {
            let Opened { transport, keeper } = opening.await.map_err(Failure::unsent)?;
            pipe(transport, keeper, inbound, limits).map_err(Failure::unsent)
        })
    }

    fn can_reopen(&self) -> bool {
        true
    }

    fn name(&self) -> String {
        self.name.clone()
    }
}
