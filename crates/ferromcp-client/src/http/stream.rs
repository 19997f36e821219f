//! A stream of messages: the answer to a POST, or what a session says by itself.
//!
//! In the legacy era a stream may be cut at any time, on purpose even, and goes on at the event it got to. A POST is
//! never repeated for that. At 2026-07-28 a broken stream is a lost request.
//!
//! Spec: <https://modelcontextprotocol.io/specification/2025-11-25/basic/transports#resumability-and-redelivery>.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderName, HeaderValue, StatusCode};
use reqwest::Body;
use tokio::time::{Instant, Sleep, sleep, timeout};

use super::endpoint::{Answer, HttpRequest, Endpoint};
use super::events::{Events, Next, message};
use super::failure::{Failure, StatusError};
use super::request_headers::RequestHeaders;
use super::legacy::backoff::Backoff;

/// How long the end of a stream is waited for once its last message has come: it comes with it or right after, and only
/// a connection that is at its end can be used again.
const MOMENT: Duration = Duration::from_millis(5);

const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// A stream of JSON-RPC messages. Dropping it closes its connection; at 2026-07-28 that cancels the request.
pub struct EventStream {
    endpoint: Endpoint,
    request_headers: RequestHeaders,
    origin: StreamOrigin,
    events: Events,
    state: State,
    backoff: Backoff,
    /// When the present connection came about.
    since: Instant,
    /// The id that was last seen when a connection ended.
    seen: Option<Arc<str>>,
}

/// How a stream began.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum StreamOrigin {
    /// As the answer to a POST; it ends with the response.
    Post,
    /// By a GET of its own; it has no end.
    Get,
}

enum State {
    Open,
    /// Until it is time to come back.
    BackingOff(Pin<Box<Sleep>>),
    /// The GET is on its way.
    Reopening(Pin<Box<dyn Future<Output = Result<Answer, Failure>> + Send>>),
    Over,
}

impl EventStream {
    pub(super) fn new(endpoint: Endpoint, request_headers: RequestHeaders, origin: StreamOrigin, body: Body) -> Self {
        let limits = *endpoint.limits();
        Self {
            endpoint,
            request_headers,
            origin,
            events: Events::new(body, &limits),
            state: State::Open,
            backoff: Backoff::new(&limits),
            since: Instant::now(),
            seen: None,
        }
    }

    /// The next message, as the bytes that came. `None` at the end, which in the answer to a POST comes too early if
    /// the response has not come. Once it has, stop reading: a legacy stream would be resumed.
    ///
    /// Waits as long as the server is silent. Cancel-safe.
    ///
    /// # Errors
    /// [`Failure::TooLarge`] once for each event over the limit, after which the stream goes on; any other error is
    /// its end.
    pub async fn next(&mut self) -> Result<Option<Bytes>, Failure> {
        loop {
            match &mut self.state {
                State::Over => return Ok(None),
                State::Open => match self.events.next().await? {
                    Next::Event(event) => {
                        if let Some(message) = message(event) {
                            self.backoff.progress();
                            return Ok(Some(message));
                        }
                    }
                    Next::End(error) => self.ended(error)?,
                },
                State::BackingOff(sleep) => {
                    sleep.as_mut().await;
                    self.state = State::Reopening(self.reopen());
                }
                State::Reopening(answer) => {
                    let answer = answer.as_mut().await;
                    self.resumed(answer)?;
                }
            }
        }
    }

    /// Lets the stream go, of which nothing more is wanted; its connection is used again if it comes to its end at once.
    pub(super) async fn release(mut self) {
        if matches!(self.state, State::Open) {
            let _ = timeout(MOMENT, self.events.skip()).await;
        }
    }

    /// The connection is at its end.
    fn ended(&mut self, error: Option<reqwest::Error>) -> Result<(), Failure> {
        self.events.close();
        let id = self.events.decoder().last_event_id();
        if id != self.seen.as_deref() {
            self.backoff.progress();
        }
        self.backoff.ended(self.since.elapsed());
        self.seen = id.map(Arc::from);
        if self.can_resume() {
            return self.pause(error.map(|error| Failure::of(error, "the stream was cut")));
        }
        self.state = State::Over;
        match error {
            None => Ok(()),
            Some(error) => Err(Failure::of(error, "the stream was cut and cannot be resumed")),
        }
    }

    fn can_resume(&self) -> bool {
        self.request_headers.is_legacy() && (self.origin == StreamOrigin::Get || self.last_event_id().is_some())
    }

    /// The id to name when coming back, unless it is one that no header can hold.
    fn last_event_id(&self) -> Option<HeaderValue> {
        let id = self.events.decoder().last_event_id()?;
        if id.len() > self.endpoint.limits().id_bytes {
            return None;
        }
        HeaderValue::from_bytes(id.as_bytes()).ok()
    }

    /// Waits for the next attempt, or gives up.
    fn pause(&mut self, why: Option<Failure>) -> Result<(), Failure> {
        if let Some(pause) = self.backoff.pause(self.events.decoder().retry()) {
            self.state = State::BackingOff(Box::pin(sleep(pause)));
            return Ok(());
        }
        Err(self.over(Failure::Lost {
            why: "the stream was cut, and coming back to it brought nothing".into(),
            source: why.map(Into::into),
        }))
    }

    fn over(&mut self, failure: Failure) -> Failure {
        self.state = State::Over;
        failure
    }

    fn reopen(&self) -> Pin<Box<dyn Future<Output = Result<Answer, Failure>> + Send>> {
        let mut headers = self.request_headers.common();
        if let Some(id) = self.last_event_id() {
            headers.insert(LAST_EVENT_ID, id);
        }
        let (endpoint, ask) = (self.endpoint.clone(), HttpRequest::stream(self.endpoint.url().clone(), headers));
        Box::pin(async move { endpoint.ask(&ask).await })
    }

    /// The GET was answered, or not.
    fn resumed(&mut self, answer: Result<Answer, Failure>) -> Result<(), Failure> {
        let answer = match answer {
            Ok(answer) => answer,
            Err(failure @ (Failure::Unreachable { .. } | Failure::Lost { .. })) => return self.pause(Some(failure)),
            Err(failure) => return Err(self.refused(failure)),
        };
        match opened(answer, &self.request_headers) {
            Ok(body) => {
                self.events.reconnect(body);
                self.since = Instant::now();
                self.state = State::Open;
                Ok(())
            }
            Err(Failure::Status(refusal)) if is_transient(refusal.status()) => self.pause(Some(Failure::Status(refusal))),
            Err(Failure::SessionEnded { .. }) => {
                let in_flight = self.origin == StreamOrigin::Post;
                Err(self.over(Failure::SessionEnded { in_flight }))
            }
            Err(failure) => Err(self.refused(failure)),
        }
    }

    /// The server does not let the stream be resumed. For a request, that says that it is lost.
    fn refused(&mut self, failure: Failure) -> Failure {
        let failure = match self.origin {
            StreamOrigin::Get => failure,
            StreamOrigin::Post => Failure::Lost {
                why: "the stream was cut, and the server does not resume it".into(),
                source: Some(failure.into()),
            },
        };
        self.over(failure)
    }
}

impl fmt::Debug for EventStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EventStream").field("origin", &self.origin).finish_non_exhaustive()
    }
}

/// The stream that a GET asked for.
pub(super) fn opened(answer: Answer, request_headers: &RequestHeaders) -> Result<Body, Failure> {
    let status = answer.status;
    if status == StatusCode::NOT_FOUND && request_headers.session().is_some() {
        return Err(Failure::SessionEnded { in_flight: false });
    }
    if status != StatusCode::OK {
        return Err(Failure::Status(StatusError::new(status.as_u16(), Bytes::new())));
    }
    if !answer.is("text/event-stream") {
        return Err(Failure::malformed(format!("a stream of events was asked for, not `{}`", answer.media_type())));
    }
    Ok(answer.body)
}

/// Whether it may be otherwise in a while. 409 is what some servers say while they believe the old connection alive.
fn is_transient(status: u16) -> bool {
    matches!(status, 408 | 409 | 425 | 429 | 500..)
}
