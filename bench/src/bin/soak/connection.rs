//! Connections of well-behaved clients, over HTTP/1.1 and HTTP/2.

use std::fmt;
use std::time::Duration;

use anyhow::Context;
use bytes::Bytes;
use http::Uri;
use http_body::Body;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::message::{PATH, Request};
use crate::target::Target;

pub(crate) type Response = http::Response<Incoming>;

/// How long a response may take.
pub(crate) const RESPONSE_TIMEOUT: Duration = Duration::from_secs(30);

/// The server refuses a valid request, because a limit is reached.
#[derive(Debug)]
pub(crate) struct Refused(pub(crate) String);

/// An HTTP/1.1 connection. Disconnects when dropped.
pub(crate) struct Http1 {
    sender: http1::SendRequest<Full<Bytes>>,
    driver: JoinHandle<()>,
}

/// An HTTP/2 connection, which answers pings. Disconnects when dropped.
pub(crate) struct Http2<B> {
    sender: http2::SendRequest<B>,
    driver: JoinHandle<()>,
}

impl Http1 {
    pub(crate) async fn connect(target: &Target) -> anyhow::Result<Self> {
        let io = TokioIo::new(target.connect().await?);
        let (sender, connection) = http1::handshake(io).await?;
        Ok(Self { sender, driver: tokio::spawn(async { drop(connection.await) }) })
    }

    /// Sends a request and receives the head of the response.
    pub(crate) async fn send(&mut self, request: Request) -> anyhow::Result<Response> {
        let response = async {
            self.sender.ready().await?;
            self.sender.send_request(request.map(Full::new)).await
        };
        Ok(timeout(RESPONSE_TIMEOUT, response).await.context("no response")??)
    }
}

impl<B> Http2<B>
where
    B: Body<Data = Bytes> + Send + Unpin + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    /// Connects with a flow-control window for each response.
    pub(crate) async fn connect(target: &Target, window: u32) -> anyhow::Result<Self> {
        let io = TokioIo::new(target.connect().await?);
        let mut builder = http2::Builder::new(TokioExecutor::new());
        builder.initial_stream_window_size(window).initial_connection_window_size(1 << 20);
        let (sender, connection) = builder.handshake(io).await?;
        Ok(Self { sender, driver: tokio::spawn(async { drop(connection.await) }) })
    }

    /// Sends a request.
    pub(crate) fn send(
        &mut self,
        request: &Request,
        body: B,
    ) -> impl Future<Output = hyper::Result<Response>> + use<B> {
        let mut sent = http::Request::new(body);
        *sent.method_mut() = request.method().clone();
        *sent.headers_mut() = request.headers().clone();
        let host = sent.headers_mut().remove(http::header::HOST);
        let host = host.as_ref().and_then(|host| host.to_str().ok()).unwrap_or_default();
        *sent.uri_mut() = format!("http://{host}{PATH}").parse::<Uri>().expect("a valid URI");
        self.sender.send_request(sent)
    }
}

impl Drop for Http1 {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

impl<B> Drop for Http2<B> {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "refused: {}", self.0)
    }
}

impl std::error::Error for Refused {}
