//! A TCP server whose bytes are written by the test. The unit tests of `src/http` include this file as well.

use std::future::Future;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

/// Timeout for expected events.
pub(crate) const TEST_TIMEOUT: Duration = Duration::from_secs(10);

/// Time to wait for events that must not happen.
pub(crate) const QUIET_TIME: Duration = Duration::from_millis(150);

/// Headers of a chunked event stream.
pub(crate) const STREAM: &str =
    "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n";

/// The final chunk.
pub(crate) const END: &str = "0\r\n\r\n";

/// Encodes a chunk.
pub(crate) fn chunk(bytes: impl AsRef<[u8]>) -> Vec<u8> {
    let bytes = bytes.as_ref();
    let mut chunk = format!("{:x}\r\n", bytes.len()).into_bytes();
    chunk.extend_from_slice(bytes);
    chunk.extend_from_slice(b"\r\n");
    chunk
}

/// The server.
pub(crate) struct Wire(TcpListener);

impl Wire {
    pub(crate) async fn new() -> Self {
        Self(TcpListener::bind("127.0.0.1:0").await.expect("a port"))
    }

    /// Listens on the address of a server that was dropped.
    #[allow(dead_code, reason = "not used by the unit tests")]
    pub(crate) async fn at(address: SocketAddr) -> Self {
        Self(TcpListener::bind(address).await.expect("the port is free"))
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.0.local_addr().expect("bound")
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address())
    }

    /// Accepts a connection and reads its request.
    pub(crate) async fn asked(&self) -> (ReceivedRequest, Peer) {
        let accepted = timeout(TEST_TIMEOUT, self.0.accept()).await.expect("a connection in time");
        let mut peer = Peer(accepted.expect("a connection").0);
        (peer.asked().await, peer)
    }

    /// Accepts a connection and closes it without reading its request, which resets it.
    #[allow(dead_code, reason = "not used by the unit tests")]
    pub(crate) async fn reset_connection(&self) {
        let accepted = timeout(TEST_TIMEOUT, self.0.accept()).await.expect("a connection in time");
        accepted.expect("a connection").0.readable().await.expect("a request");
    }

    /// Returns whether no connection arrives for a while.
    pub(crate) async fn has_no_connection(&self) -> bool {
        timeout(QUIET_TIME, self.0.accept()).await.is_err()
    }
}

/// A request.
#[derive(Debug)]
pub(crate) struct ReceivedRequest {
    pub(crate) method: String,
    pub(crate) target: String,
    headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl ReceivedRequest {
    /// Returns a header that occurs at most once.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut values = self.headers.iter().filter(|(other, _)| other.eq_ignore_ascii_case(name));
        let value = values.next().map(|(_, value)| value.as_str());
        assert!(values.next().is_none(), "{name} twice: {self:?}");
        value
    }
}

/// A connection.
pub(crate) struct Peer(TcpStream);

impl Peer {
    /// Reads the next request on this connection.
    pub(crate) async fn asked(&mut self) -> ReceivedRequest {
        let mut bytes = Vec::new();
        while !bytes.ends_with(b"\r\n\r\n") {
            bytes.push(timeout(TEST_TIMEOUT, self.0.read_u8()).await.expect("a request in time").expect("a request"));
        }
        let head = String::from_utf8(bytes).expect("a head is ASCII");
        let mut lines = head.trim_end().split("\r\n");
        let mut first = lines.next().unwrap_or_default().split(' ').map(str::to_owned);
        let (method, target) = (first.next().expect("a method"), first.next().expect("a target"));
        let headers = lines.map(|line| line.split_once(':').unwrap_or_else(|| panic!("no header: {line}")));
        let headers = headers.map(|(name, value)| (name.to_owned(), value.trim().to_owned())).collect();
        let mut asked = ReceivedRequest { method, target, headers, body: String::new() };
        let length = asked.header("content-length").map_or(0, |length| length.parse().expect("a length"));
        let mut body = vec![0; length];
        self.0.read_exact(&mut body).await.expect("a body");
        asked.body = String::from_utf8(body).expect("a body is text");
        asked
    }

    pub(crate) async fn say(&mut self, bytes: impl AsRef<[u8]>) {
        self.0.write_all(bytes.as_ref()).await.expect("the client reads");
        self.0.flush().await.expect("the client reads");
    }

    /// Writes bytes, and ignores errors if the client closes the connection.
    pub(crate) async fn try_write(&mut self, bytes: impl AsRef<[u8]>) {
        let _ = self.0.write_all(bytes.as_ref()).await;
    }

    /// Waits until the client closes the connection.
    pub(crate) async fn expects_disconnect(mut self) {
        let read = timeout(TEST_TIMEOUT, self.0.read_u8()).await.expect("the client disconnects in time");
        assert!(read.is_err(), "the client sent more data");
    }
}

/// Runs both sides concurrently.
pub(crate) async fn run_both<C, S>(client: impl Future<Output = C>, server: impl Future<Output = S>) -> (C, S) {
    timeout(TEST_TIMEOUT, async { tokio::join!(client, server) }).await.expect("both finish in time")
}
