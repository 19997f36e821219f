//! A minimal HTTP/1.1 client: writes requests as bytes, and reads responses incrementally.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// The timeout for each expected event.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(10);

/// A request.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) method: &'static str,
    pub(crate) path: String,
    pub(crate) headers: Vec<(String, Vec<u8>)>,
    pub(crate) body: Vec<u8>,
}

impl Request {
    pub(crate) fn new(method: &'static str, path: &str) -> Self {
        Self { method, path: path.into(), headers: Vec::new(), body: Vec::new() }
    }

    /// Adds a header, even if it exists.
    pub(crate) fn add(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        self.headers.push((name.into(), value.as_ref().to_vec()));
        self
    }

    /// Removes a header.
    pub(crate) fn without(mut self, name: &str) -> Self {
        self.headers.retain(|(other, _)| !other.eq_ignore_ascii_case(name));
        self
    }

    /// Replaces a header.
    pub(crate) fn set(self, name: &str, value: impl AsRef<[u8]>) -> Self {
        self.without(name).add(name, value)
    }

    pub(crate) fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    /// Serializes the request.
    pub(crate) fn bytes(&self, address: SocketAddr) -> Vec<u8> {
        let mut bytes = format!("{} {} HTTP/1.1\r\nHost: {address}\r\n", self.method, self.path).into_bytes();
        for (name, value) in &self.headers {
            bytes.extend_from_slice(name.as_bytes());
            bytes.extend_from_slice(b": ");
            bytes.extend_from_slice(value);
            bytes.extend_from_slice(b"\r\n");
        }
        let mut end = String::new();
        if self.method == "POST" {
            write!(end, "Content-Length: {}\r\n", self.body.len()).unwrap();
        }
        end.push_str("\r\n");
        bytes.extend_from_slice(end.as_bytes());
        bytes.extend_from_slice(&self.body);
        bytes
    }

    /// Sends the request on a new connection, and reads the head of the response. Dropping the response disconnects.
    pub(crate) async fn send(&self, address: SocketAddr) -> Response {
        let mut stream = TcpStream::connect(address).await.expect("cannot connect");
        stream.write_all(&self.bytes(address)).await.expect("cannot write");
        Response::read(stream, BytesMut::new()).await
    }
}

/// How the end of a body is determined.
#[derive(Debug, PartialEq, Eq)]
enum Framing {
    /// The number of bytes that follow.
    Length(usize),
    Chunked,
}

/// A response with a parsed head.
#[derive(Debug)]
pub(crate) struct Response {
    pub(crate) status: u16,
    headers: Vec<(String, String)>,
    framing: Framing,
    ended: bool,
    stream: TcpStream,
    buffer: BytesMut,
}

impl Response {
    /// Reads the head.
    pub(crate) async fn read(mut stream: TcpStream, mut buffer: BytesMut) -> Self {
        let end = loop {
            if let Some(end) = buffer.windows(4).position(|four| four == b"\r\n\r\n") {
                break end;
            }
            assert!(fill(&mut stream, &mut buffer).await > 0, "the server disconnected: {buffer:?}");
        };
        let head = String::from_utf8(buffer.split_to(end + 4).to_vec()).expect("the head is not UTF-8");
        let mut lines = head.trim_end().split("\r\n");
        let status = lines.next().unwrap().strip_prefix("HTTP/1.1 ").expect("HTTP/1.1")[..3].parse().unwrap();
        let headers: Vec<(String, String)> = lines
            .map(|line| line.split_once(':').unwrap_or_else(|| panic!("invalid header: {line}")))
            .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
            .collect();
        let mut response = Self { status, headers, framing: Framing::Length(0), ended: false, stream, buffer };
        response.framing = match response.header("content-length") {
            Some(length) => Framing::Length(length.parse().unwrap()),
            None if response.header("transfer-encoding") == Some("chunked") => Framing::Chunked,
            None => Framing::Length(0),
        };
        response
    }

    /// Returns a header, which must not be repeated.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut values = self.headers.iter().filter(|(other, _)| other == name);
        let value = values.next().map(|(_, value)| value.as_str());
        assert!(values.next().is_none(), "repeated header {name}");
        value
    }

    pub(crate) fn is_stream(&self) -> bool {
        self.header("content-type") == Some("text/event-stream")
    }

    /// Reads the next bytes of the body. Returns `None` at the end.
    pub(crate) async fn chunk(&mut self) -> Option<Bytes> {
        if self.ended {
            return None;
        }
        let length = match self.framing {
            Framing::Length(length) => length,
            Framing::Chunked => {
                let line = loop {
                    if let Some(end) = self.buffer.windows(2).position(|two| two == b"\r\n") {
                        break self.buffer.split_to(end + 2);
                    }
                    self.more().await;
                };
                usize::from_str_radix(std::str::from_utf8(&line).unwrap().trim(), 16).expect("invalid chunk length")
            }
        };
        let trailing = if self.framing == Framing::Chunked { 2 } else { 0 };
        while self.buffer.len() < length + trailing {
            self.more().await;
        }
        let chunk = self.buffer.split_to(length).freeze();
        let _ = self.buffer.split_to(trailing);
        self.ended = length == 0 || trailing == 0;
        if length == 0 { None } else { Some(chunk) }
    }

    async fn more(&mut self) {
        let read = fill(&mut self.stream, &mut self.buffer).await;
        assert!(read > 0, "the body is incomplete");
    }

    /// Reads the rest of the body.
    pub(crate) async fn body(&mut self) -> Bytes {
        let mut all = BytesMut::new();
        while let Some(chunk) = self.chunk().await {
            all.extend_from_slice(&chunk);
        }
        all.freeze()
    }

    /// Reads a JSON body, and asserts the content type.
    pub(crate) async fn json(&mut self) -> Value {
        assert_eq!(self.header("content-type"), Some("application/json"), "status {}", self.status);
        let body = self.body().await;
        serde_json::from_slice(&body).unwrap_or_else(|error| panic!("not JSON: {error}: {body:?}"))
    }

    /// Asserts a status and an empty body.
    pub(crate) async fn empty(mut self, status: u16) {
        let body = self.body().await;
        assert_eq!((self.status, &body[..]), (status, &b""[..]));
    }

    /// Returns the connection for another request, after the body was read.
    pub(crate) fn into_connection(self) -> (TcpStream, BytesMut) {
        (self.stream, self.buffer)
    }
}

async fn fill(stream: &mut TcpStream, buffer: &mut BytesMut) -> usize {
    timeout(TIMEOUT, stream.read_buf(buffer)).await.expect("read timed out").expect("cannot read")
}
