//! The server under load, as one client address sees it.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::Context;
use tokio::net::{TcpSocket, TcpStream};

/// The address of the clients that attack. Others use the default address of the machine.
const ATTACKER: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 2));

/// The server under load, and the address to connect from.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    pub(crate) address: SocketAddr,
    from: Option<IpAddr>,
    started_sessions: Arc<AtomicUsize>,
}

impl Target {
    pub(crate) fn new(address: SocketAddr) -> Self {
        Self { address, from: None, started_sessions: Arc::default() }
    }

    /// Returns the same server for clients that attack it.
    pub(crate) fn attacked(&self) -> Self {
        Self { from: Some(ATTACKER), ..self.clone() }
    }

    /// Opens a connection.
    pub(crate) async fn connect(&self) -> anyhow::Result<TcpStream> {
        self.connect_with(None).await
    }

    /// Opens a connection whose receive buffer is as small as possible.
    pub(crate) async fn connect_without_buffer(&self) -> anyhow::Result<TcpStream> {
        self.connect_with(Some(4096)).await
    }

    async fn connect_with(&self, receive_buffer: Option<u32>) -> anyhow::Result<TcpStream> {
        let socket = TcpSocket::new_v4()?;
        if let Some(from) = self.from {
            socket.bind((from, 0).into()).context("cannot bind an address of the loopback interface")?;
        }
        if let Some(size) = receive_buffer {
            socket.set_recv_buffer_size(size)?;
        }
        let stream = socket.connect(self.address).await.context("cannot connect")?;
        stream.set_nodelay(true)?;
        Ok(stream)
    }

    /// Counts a session that the server has started.
    pub(crate) fn count_session(&self) {
        self.started_sessions.fetch_add(1, Ordering::SeqCst);
    }

    /// Returns the number of sessions that the server has started.
    pub(crate) fn started_sessions(&self) -> usize {
        self.started_sessions.load(Ordering::SeqCst)
    }
}
