//! The HTTP+SSE of 2024-11-05 as a pipe: one stream brings every message, one POST takes each away.
//!
//! Spec: <https://modelcontextprotocol.io/specification/2024-11-05/basic/transports#http-with-sse>.

use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use ferromcp_transport::{Frame, FrameRx, FrameTx, Outbound, Transport};
use http::HeaderMap;
use reqwest::Url;
use tokio::sync::Notify;
use tokio::task::{JoinError, JoinSet};
use tokio::time::{Instant, timeout, timeout_at};

use crate::http::endpoint::{HttpRequest, Endpoint};
use crate::http::events::{Events, Next, message};
use crate::http::failure::{Failure, StatusError};
use crate::http::request_headers::RequestHeaders;
use crate::http::stream::opened;

/// How long a message waits for the one before it to be taken, so that they arrive in order. A server that takes longer
/// may be waiting for just this message, such as the answer to a question.
const TURN: Duration = Duration::from_secs(1);

/// A connection of HTTP+SSE whose stream is open.
pub struct HttpSse {
    rx: HttpSseRx,
    tx: HttpSseTx,
}

impl HttpSse {
    /// Opens the stream at `endpoint`, and waits until the server has said where messages go.
    ///
    /// # Errors
    /// When there is no such stream, or messages were to go to another origin.
    pub async fn connect(endpoint: &Endpoint) -> Result<Self, Failure> {
        let limits = endpoint.limits();
        let within = limits.endpoint_timeout;
        timeout(within, Self::open(endpoint)).await.unwrap_or_else(|_| {
            let why = format!("its stream did not say within {within:?} where messages go (`endpoint_timeout`)");
            Err(Failure::malformed(why))
        })
    }

    async fn open(endpoint: &Endpoint) -> Result<Self, Failure> {
        let answer = endpoint.ask(&HttpRequest::stream(endpoint.url().clone(), HeaderMap::new())).await?;
        let from = answer.url.clone();
        let body = opened(answer, &RequestHeaders::initialize())?;
        let mut events = Events::new(body, endpoint.limits());
        let to = loop {
            match events.next().await? {
                Next::Event(event) if event.event == "endpoint" => break event.data,
                Next::Event(event) if event.data.is_empty() => {}
                Next::Event(_) => return Err(Failure::malformed("its first event is not `endpoint`")),
                Next::End(_) => return Err(Failure::malformed("its stream ended before the event `endpoint`")),
            }
        };
        let to = resolve(&from, &to, endpoint.limits().id_bytes)?;
        let gone = Arc::<Notify>::default();
        let rx = HttpSseRx { events, gone: Arc::clone(&gone) };
        let (endpoint, posts) = (endpoint.clone(), JoinSet::new());
        let tx = HttpSseTx { endpoint, to, posts, last: 0, turn: None, finished: false, gone };
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

/// Where messages go. The origin must be that of the stream: credentials go along.
fn resolve(from: &Url, said: &[u8], limit: usize) -> Result<Url, Failure> {
    if said.len() > limit {
        return Err(Failure::TooLarge { what: "the URL for messages", name: "id_bytes", limit });
    }
    let said = std::str::from_utf8(said).ok().map(str::trim);
    let to = said.and_then(|said| from.join(said).ok());
    let mut to = to.ok_or_else(|| Failure::malformed("its event `endpoint` holds no URL"))?;
    if to.origin() != from.origin() {
        return Err(Failure::malformed("messages were to go to another origin than that of the stream"));
    }
    // A user named in the URL of the stream is the user of its messages, and no other.
    let same_user = to.set_username(from.username()).and_then(|()| to.set_password(from.password()));
    same_user.map_err(|()| Failure::malformed("its event `endpoint` holds no URL for messages"))?;
    Ok(to)
}

/// The reading half of an [`HttpSse`].
pub struct HttpSseRx {
    events: Events,
    /// The writing half has gone. The server cannot know, and would keep its stream open for ever.
    gone: Arc<Notify>,
}

impl FrameRx for HttpSseRx {
    async fn recv(&mut self) -> io::Result<Option<Frame>> {
        loop {
            let next = tokio::select! {
                next = self.events.next() => next,
                () = self.gone.notified() => return Ok(None),
            };
            match next {
                Ok(Next::Event(event)) => {
                    if let Some(message) = message(event) {
                        return Ok(Some(Frame::Whole(message)));
                    }
                }
                Ok(Next::End(None)) => return Ok(None),
                Ok(Next::End(Some(error))) => return Err(io::Error::other(Failure::of(error, "the stream was cut"))),
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

/// The writing half of an [`HttpSse`].
///
/// Messages go one after the other, as long as the server takes each within a second. A message that the server does
/// not take is the end of the pipe.
pub struct HttpSseTx {
    endpoint: Endpoint,
    to: Url,
    /// Messages on their way, each by its number. Dropping the set ends them.
    posts: JoinSet<(u64, Result<(), Failure>)>,
    last: u64,
    /// How long the next message waits for the last one.
    turn: Option<Instant>,
    /// Nothing more is sent, and all that was sent is taken or given up.
    finished: bool,
    gone: Arc<Notify>,
}

impl HttpSseTx {
    fn send(&mut self, frame: Bytes) {
        self.last += 1;
        self.turn = Some(Instant::now() + TURN);
        let (number, endpoint) = (self.last, self.endpoint.clone());
        let ask = HttpRequest::post(self.to.clone(), HeaderMap::new(), frame);
        self.posts.spawn(async move { (number, taken(&endpoint, &ask).await) });
    }

    /// Waits until another message may be sent.
    async fn free(&mut self) -> io::Result<()> {
        while let Some(until) = self.turn {
            match timeout_at(until, self.posts.join_next()).await {
                Ok(Some(done)) => self.note(done)?,
                Ok(None) | Err(_) => self.turn = None,
            }
        }
        while let Some(done) = self.posts.try_join_next() {
            self.note(done)?;
        }
        while self.posts.len() >= self.endpoint.limits().posts_in_flight.max(1) {
            if let Some(done) = self.posts.join_next().await {
                self.note(done)?;
            }
        }
        Ok(())
    }

    fn note(&mut self, done: Result<(u64, Result<(), Failure>), JoinError>) -> io::Result<()> {
        let (number, taken) = done.map_err(io::Error::other)?;
        if number == self.last {
            self.turn = None;
        }
        taken.map_err(io::Error::other)
    }
}

impl FrameTx for HttpSseTx {
    async fn write(&mut self, out: &mut Outbound) -> io::Result<()> {
        loop {
            self.free().await?;
            let Some(frame) = out.pop() else { return Ok(()) };
            if !frame.is_empty() {
                self.send(frame);
            }
        }
    }

    async fn finish(&mut self) -> io::Result<()> {
        let until = Instant::now() + TURN;
        while let Ok(Some(done)) = timeout_at(until, self.posts.join_next()).await {
            self.note(done)?;
        }
        self.posts.abort_all();
        self.finished = true;
        Ok(())
    }
}

impl Drop for HttpSseTx {
    fn drop(&mut self) {
        // After a message that was not taken there may still be answers to those before it.
        if self.finished {
            self.gone.notify_one();
        }
    }
}

impl fmt::Debug for HttpSseTx {
    /// Without the URL for messages: whoever knows it can speak in this conversation.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpSseTx").field("on_their_way", &self.posts.len()).finish_non_exhaustive()
    }
}

/// Sends a message. What the response says beside its status is nothing: answers come on the stream.
async fn taken(endpoint: &Endpoint, ask: &HttpRequest) -> Result<(), Failure> {
    let status = endpoint.ask(ask).await?.status;
    if status.is_success() { Ok(()) } else { Err(Failure::Status(StatusError::new(status.as_u16(), Bytes::new()))) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    // S-118
    #[test]
    fn a_user_in_the_url_goes_along_and_another_one_does_not() {
        let from = Url::parse("https://me:key@example.com/sse").expect("a URL");
        for said in ["say", "/say", "https://example.com/say", "https://you:other@example.com:443/say"] {
            assert_eq!(resolve(&from, said.as_bytes(), 100).expect(said).as_str(), "https://me:key@example.com/say");
        }
    }

    proptest! {
        #[test]
        fn whatever_is_said_stays_within_the_origin(said in "(https?:)?[/\\\\@a-z.:?#%0-9]{0,20}|\\PC{0,20}") {
            let from = Url::parse("https://example.com/sse").expect("a URL");
            if let Ok(to) = resolve(&from, said.as_bytes(), 100) {
                prop_assert_eq!(to.origin(), from.origin());
                prop_assert!(to.username().is_empty() && to.password().is_none());
            }
        }
    }
}
