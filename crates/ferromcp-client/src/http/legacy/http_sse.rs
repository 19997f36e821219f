//! HTTP+SSE transport of 2024-11-05: one SSE stream for received messages, and one POST for each sent message.
//!
//! Spec: <https://modelcontextprotocol.io/specification/2024-11-05/basic/transports#http-with-sse>.

use std::fmt;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use ferromcp_core::text::excerpt;
use ferromcp_transport::{Frame, FrameRx, FrameTx, Outbound, Transport};
use http::HeaderMap;
use reqwest::Url;
use tokio::runtime::Handle;
use tokio::sync::Notify;
use tokio::task::{JoinError, JoinSet};
use tokio::time::{Instant, sleep, timeout, timeout_at};

use crate::channel::Rejection;
use crate::http::channel_error::channel_error;
use crate::http::endpoint::{Endpoint, HttpRequest};
use crate::http::events::{Events, Next, message};
use crate::http::failure::Failure;
use crate::http::request_headers::RequestHeaders;
use crate::http::stream::opened;

/// Time that a POST waits for the previous one to be accepted, to preserve the order. A server that takes longer may be
/// waiting for the next message, such as the response to one of its requests.
const ORDER_TIMEOUT: Duration = Duration::from_secs(1);

/// Time to wait for responses to earlier messages after a message was rejected.
const REJECTED_GRACE: Duration = Duration::from_secs(1);

/// Signal of the write half that the read half ends.
#[derive(Default)]
struct Closing {
    notify: Notify,
    /// The error of a rejected message.
    error: Mutex<Option<io::Error>>,
}

impl Closing {
    fn set_error(&self, error: io::Error) {
        self.error.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
    }

    fn has_error(&self) -> bool {
        self.error.lock().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    fn take_error(&self) -> Option<io::Error> {
        self.error.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// An open HTTP+SSE connection.
pub(in crate::http) struct HttpSse {
    rx: HttpSseRx,
    tx: HttpSseTx,
}

impl HttpSse {
    /// Opens the stream at `endpoint`, and waits for the `endpoint` event with the URL for messages.
    ///
    /// # Errors
    /// Fails if the stream cannot be opened, the event does not arrive in time, or its URL has another origin.
    pub(in crate::http) async fn connect(endpoint: &Endpoint) -> Result<Self, Failure> {
        let within = endpoint.limits().endpoint_timeout;
        timeout(within, Self::open(endpoint)).await.unwrap_or_else(|_| {
            Err(Failure::malformed(format!("timed out after {within:?} waiting for the `endpoint` event")))
        })
    }

    async fn open(endpoint: &Endpoint) -> Result<Self, Failure> {
        let response = endpoint.send(&HttpRequest::stream(endpoint.url().clone(), HeaderMap::new())).await?;
        let from = response.url.clone();
        let body = opened(response, &RequestHeaders::initialize())?;
        let mut events = Events::new(body, endpoint.limits());
        let to = loop {
            match events.next().await? {
                Next::Event(event) if event.event == "endpoint" => break event.data,
                // Some servers send pings or a greeting first.
                Next::Event(event) => {
                    tracing::debug!(event = %excerpt(&event.event), "skipped an event before the `endpoint` event");
                }
                Next::End(_) => return Err(Failure::malformed("the stream ended before the `endpoint` event")),
            }
        };
        let to = resolve(&from, &to, endpoint.limits().id_bytes)?;
        let closed = Arc::<Closing>::default();
        let rx = HttpSseRx { events, closed: Arc::clone(&closed), reported: None };
        let (endpoint, posts) = (endpoint.clone(), JoinSet::new());
        let tx = HttpSseTx { endpoint, to, posts, last: 0, deadline: None, finished: false, closed };
        Ok(Self { rx, tx })
    }
}

impl Transport for HttpSse {
    type Rx = HttpSseRx;
    type Tx = HttpSseTx;

    fn split(self) -> io::Result<(Self::Rx, Self::Tx)> {
        Ok((self.rx, self.tx))
    }

    fn name(&self) -> &'static str {
        "http+sse"
    }
}

impl fmt::Debug for HttpSse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpSse").field("tx", &self.tx).finish_non_exhaustive()
    }
}

/// Resolves the URL for messages. It must have the origin of the stream, because credentials are sent to it.
fn resolve(from: &Url, data: &[u8], limit: usize) -> Result<Url, Failure> {
    if data.len() > limit {
        return Err(Failure::malformed(format!("the URL for messages exceeds {limit} bytes")));
    }
    let text = std::str::from_utf8(data).ok().map(str::trim);
    let to = text.and_then(|text| from.join(text).ok());
    let mut to = to.ok_or_else(|| Failure::malformed("the `endpoint` event has no valid URL"))?;
    if to.origin() != from.origin() {
        return Err(Failure::malformed(format!(
            "the `endpoint` event has a URL of the origin `{}`, but the stream has the origin `{}`, and credentials must \
             not be sent to another one; connect to that origin, or set the public URL in the server",
            shown_origin(&to),
            shown_origin(from)
        )));
    }
    // The user of the stream URL also applies to messages.
    let same_user = to.set_username(from.username()).and_then(|()| to.set_password(from.password()));
    same_user.map_err(|()| Failure::malformed("the `endpoint` event has no valid URL for messages"))?;
    Ok(to)
}

/// Returns the origin of a URL, for display. The path may contain a secret of the session.
fn shown_origin(url: &Url) -> String {
    match url.origin() {
        origin if origin.is_tuple() => origin.ascii_serialization(),
        _ => format!("{}:", url.scheme()),
    }
}

/// Read half of an [`HttpSse`].
pub(in crate::http) struct HttpSseRx {
    events: Events,
    /// Notified when the write half is closed. The server cannot detect that, and would keep its stream open.
    closed: Arc<Closing>,
    /// The text of the last event named `error` that is not a message.
    reported: Option<String>,
}

impl HttpSseRx {
    /// Handles the end of the stream. The cause is a message that the server rejected before, or an error that it reported.
    fn end(&mut self) -> io::Result<Option<Frame>> {
        let reported = self.reported.take().map(|text| {
            let text = format!("the server closed the connection after the error `{text}`");
            io::Error::new(io::ErrorKind::UnexpectedEof, text)
        });
        self.closed.take_error().or(reported).map_or(Ok(None), Err)
    }
}

impl FrameRx for HttpSseRx {
    async fn recv(&mut self) -> io::Result<Option<Frame>> {
        loop {
            let next = tokio::select! {
                next = self.events.next() => next,
                () = self.closed.notify.notified() => return self.closed.take_error().map_or(Ok(None), Err),
            };
            match next {
                Ok(Next::Event(event)) => {
                    let Some(message) = message(event) else { continue };
                    let Some(text) = message.error_text() else { return Ok(Some(Frame::Complete(message.data))) };
                    tracing::warn!(text = %excerpt(&text), "the server reported an error that is not a JSON-RPC message");
                    self.reported = Some(text);
                }
                Ok(Next::End(None)) => return self.end(),
                Ok(Next::End(Some(error))) => {
                    return Err(io::Error::other(Failure::of(error, "the stream was disconnected")));
                }
                Err(Failure::TooLarge { limit, .. }) => return Ok(Some(Frame::TooLong { limit })),
                Err(failure) => return Err(io::Error::other(failure)),
            }
        }
    }
}

impl fmt::Debug for HttpSseRx {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpSseRx").finish_non_exhaustive()
    }
}

/// Write half of an [`HttpSse`].
///
/// Messages are posted in order, as long as the server accepts each within a second. A rejected message closes the
/// connection.
pub(in crate::http) struct HttpSseTx {
    endpoint: Endpoint,
    to: Url,
    /// POSTs in flight, with sequence numbers. Dropping the set aborts them.
    posts: JoinSet<(u64, Result<(), Failure>)>,
    last: u64,
    /// Deadline for which the next message waits for the previous one.
    deadline: Option<Instant>,
    /// Whether all messages were accepted or abandoned, and no more are sent.
    finished: bool,
    closed: Arc<Closing>,
}

impl HttpSseTx {
    fn send(&mut self, frame: Bytes) {
        self.last += 1;
        self.deadline = Some(Instant::now() + ORDER_TIMEOUT);
        let (number, endpoint) = (self.last, self.endpoint.clone());
        let request = HttpRequest::post(self.to.clone(), HeaderMap::new(), frame);
        self.posts.spawn(async move { (number, post(&endpoint, &request).await) });
    }

    /// Waits until another message can be sent.
    async fn wait_for_capacity(&mut self) -> io::Result<()> {
        while let Some(until) = self.deadline {
            match timeout_at(until, self.posts.join_next()).await {
                Ok(Some(done)) => self.record(done)?,
                Ok(None) | Err(_) => self.deadline = None,
            }
        }
        while let Some(done) = self.posts.try_join_next() {
            self.record(done)?;
        }
        while self.posts.len() >= self.endpoint.limits().posts_in_flight.max(1) {
            if let Some(done) = self.posts.join_next().await {
                self.record(done)?;
            }
        }
        Ok(())
    }

    fn record(&mut self, done: Result<(u64, Result<(), Failure>), JoinError>) -> io::Result<()> {
        let (number, result) = done.map_err(io::Error::other)?;
        if number == self.last {
            self.deadline = None;
        }
        result.map_err(|failure| {
            let text = failure.to_string();
            let error = channel_error(failure, &self.endpoint);
            self.closed.set_error(Rejection::io_error(error.clone(), text.clone()));
            Rejection::io_error(error, text)
        })
    }
}

impl FrameTx for HttpSseTx {
    async fn write(&mut self, out: &mut Outbound) -> io::Result<()> {
        loop {
            self.wait_for_capacity().await?;
            let Some(frame) = out.pop() else { return Ok(()) };
            if !frame.is_empty() {
                self.send(frame);
            }
        }
    }

    async fn finish(&mut self) -> io::Result<()> {
        let until = Instant::now() + ORDER_TIMEOUT;
        while let Ok(Some(done)) = timeout_at(until, self.posts.join_next()).await {
            self.record(done)?;
        }
        self.posts.abort_all();
        self.finished = true;
        Ok(())
    }
}

impl Drop for HttpSseTx {
    fn drop(&mut self) {
        if self.finished {
            self.closed.notify.notify_one();
        } else if let (true, Ok(runtime)) = (self.closed.has_error(), Handle::try_current()) {
            // After a rejected message, responses to earlier messages may still arrive. The response to the rejected one
            // does not, so the stream must not stay open.
            let closed = Arc::clone(&self.closed);
            runtime.spawn(async move {
                sleep(REJECTED_GRACE).await;
                closed.notify.notify_one();
            });
        }
    }
}

impl fmt::Debug for HttpSseTx {
    /// Omits the URL for messages, which is a secret of the session.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpSseTx").field("posts_in_flight", &self.posts.len()).finish_non_exhaustive()
    }
}

/// Posts a message. Only the status of the response matters; JSON-RPC responses arrive on the stream.
async fn post(endpoint: &Endpoint, request: &HttpRequest) -> Result<(), Failure> {
    let status = endpoint.send(request).await?.status;
    if status.is_success() { Ok(()) } else { Err(Failure::Status(status.as_u16())) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    // S-118
    #[test]
    fn message_url_keeps_user_of_stream_url_when_resolved() {
        let from = Url::parse("https://me:key@example.com/sse").expect("a URL");
        for data in ["say", "/say", "https://example.com/say", "https://you:other@example.com:443/say"] {
            assert_eq!(resolve(&from, data.as_bytes(), 100).expect(data).as_str(), "https://me:key@example.com/say");
        }
    }

    proptest! {
        #[test]
        fn message_url_has_origin_of_stream_when_resolved(data in "(https?:)?[/\\\\@a-z.:?#%0-9]{0,20}|\\PC{0,20}") {
            let from = Url::parse("https://example.com/sse").expect("a URL");
            if let Ok(to) = resolve(&from, data.as_bytes(), 100) {
                prop_assert_eq!(to.origin(), from.origin());
                prop_assert!(to.username().is_empty() && to.password().is_none());
            }
        }
    }
}
