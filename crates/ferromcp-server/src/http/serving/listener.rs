//! Where connections come from.

use std::future::Future;
use std::io;
use std::net::SocketAddr;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};

/// Hands out connections.
///
/// For TLS, wrap a `TcpListener` and let the handshakes run in tasks of their own (a `JoinSet`, say), so
/// that [`accept`](Self::accept) gives each connection as it becomes ready and a slow one holds up no other.
pub trait Listener: Send + 'static {
    /// A connection.
    type Io: AsyncRead + AsyncWrite + Unpin + Send + 'static;

    /// Begins to listen, where that is still to be done.
    ///
    /// # Errors
    /// When it cannot; the words should name the address.
    fn listen(&mut self) -> impl Future<Output = io::Result<()>> + Send {
        async { Ok(()) }
    }

    /// The next connection, with the address of its peer if there is one. Dropping the future loses none.
    ///
    /// # Errors
    /// When there is none now. It is asked again soon, so an error does not end serving.
    fn accept(&mut self) -> impl Future<Output = io::Result<(Self::Io, Option<SocketAddr>)>> + Send;

    /// The address listened at, once it is known. If it is one of this machine alone, or not told, then only
    /// hosts of this machine are answered to, unless others were named.
    fn local_addr(&self) -> Option<SocketAddr> {
        None
    }
}

/// Listens at an address that is bound when serving begins.
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
            bound.map_err(|error| io::Error::new(error.kind(), format!("cannot listen at {}: {error}", self.addr)))?;
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
        // Answers are small and whole; none shall wait for the one before to be acknowledged.
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "TCP_NODELAY cannot be set");
        }
        Ok((stream, Some(peer)))
    }

    fn local_addr(&self) -> Option<SocketAddr> {
        TcpListener::local_addr(self).ok()
    }
}
