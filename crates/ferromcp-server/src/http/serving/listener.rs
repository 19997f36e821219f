//! Accepts connections.

use std::future::Future;
use std::io;
use std::net::SocketAddr;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};

/// A source of connections.
///
/// For TLS, wrap a `TcpListener` and run the handshakes in separate tasks (for example in a `JoinSet`), so that
/// [`accept`](Self::accept) returns connections in the order in which their handshakes finish.
pub trait Listener: Send + 'static {
    /// The type of a connection.
    type Io: AsyncRead + AsyncWrite + Unpin + Send + 'static;

    /// Binds the listener. Does nothing by default.
    ///
    /// # Errors
    /// If binding fails. The message should name the address.
    fn listen(&mut self) -> impl Future<Output = io::Result<()>> + Send {
        async { Ok(()) }
    }

    /// Accepts the next connection, with the address of its peer if there is one.
    ///
    /// Must be cancel safe: dropping the future must not lose a connection.
    ///
    /// # Errors
    /// If accepting fails. The server retries after a short delay.
    fn accept(&mut self) -> impl Future<Output = io::Result<(Self::Io, Option<SocketAddr>)>> + Send;

    /// Returns the bound address, if known. If it is a loopback address or `None`, only local hosts are allowed, unless
    /// the options allow others.
    fn local_addr(&self) -> Option<SocketAddr> {
        None
    }
}

/// A TCP listener that is bound when the server starts.
#[derive(Debug)]
pub struct Tcp {
    addr: String,
    listener: Option<TcpListener>,
}

impl Tcp {
    pub(super) fn at(addr: impl Into<String>) -> Self {
        Self { addr: addr.into(), listener: None }
    }
}

impl Listener for Tcp {
    type Io = TcpStream;

    async fn listen(&mut self) -> io::Result<()> {
        let bound = TcpListener::bind(&self.addr).await;
        let bound =
            bound.map_err(|error| io::Error::new(error.kind(), format!("cannot bind {}: {error}", self.addr)))?;
        self.listener = Some(bound);
        Ok(())
    }

    async fn accept(&mut self) -> io::Result<(TcpStream, Option<SocketAddr>)> {
        match &mut self.listener {
            Some(listener) => Listener::accept(listener).await,
            None => Err(io::ErrorKind::NotConnected.into()),
        }
    }

    fn local_addr(&self) -> Option<SocketAddr> {
        self.listener.as_ref().and_then(Listener::local_addr)
    }
}

impl Listener for TcpListener {
    type Io = TcpStream;

    async fn accept(&mut self) -> io::Result<(TcpStream, Option<SocketAddr>)> {
        let (stream, peer) = TcpListener::accept(self).await?;
        // Responses are small and written at once; Nagle's algorithm would only delay them.
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "cannot set TCP_NODELAY");
        }
        Ok((stream, Some(peer)))
    }

    fn local_addr(&self) -> Option<SocketAddr> {
        TcpListener::local_addr(self).ok()
    }
}
