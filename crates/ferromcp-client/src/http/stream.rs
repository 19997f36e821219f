//! SSE streams of messages: responses to a POST, or the GET stream of a session.
//!
//! In the legacy era, a stream that is disconnected is resumed after the last event ID. The POST is not repeated. At
//! 2026-07-28, streams are not resumable: a disconnect fails the request.
//!
//! Spec: <https://modelcontextprotocol.io/specification/2025-11-25/basic/transports#resumability-and-redelivery>.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use ferromcp_core::text::excerpt;
use http::{HeaderName, HeaderValue, StatusCode};
use reqwest::Body;
use tokio::time::{Instant, Sleep, sleep, timeout};

use super::body;
use super::endpoint::{Endpoint, HttpRequest, HttpResponse};
use super::events::{Events, Next, StreamMessage, message};
use super::failure::Failure;
use super::limits::HttpLimits;
use super::request_headers::RequestHeaders;
use crate::backoff::{Backoff, BackoffOptions};

/// First delay before a stream is resumed, if the server did not set `retry`.
const INITIAL_DELAY: Duration = Duration::from_secs(1);

/// Minimum delay, for servers that set `retry` to zero.
const MIN_DELAY: Duration = Duration::from_millis(50);

/// A connection that lasted this long is not a failed attempt, even without events: proxies close idle connections.
const STABLE_AFTER: Duration = Duration::from_secs(10);

const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// An SSE stream of JSON-RPC messages. Dropping it closes the connection, which at 2026-07-28 cancels the request.
pub(super) struct EventStream {
    endpoint: Endpoint,
    request_headers: RequestHeaders,
    origin: StreamOrigin,
    events: Events,
    state: State,
    backoff: Backoff,
    /// Start of the current connection.
    connected_at: Instant,
    /// The last event ID at the end of the previous connection.
    previous_event_id: Option<Arc<str>>,
}

/// The request that opened a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum StreamOrigin {
    /// A POST. The stream ends with its response.
    Post,
    /// A GET. The stream has no end.
    Get,
}

enum State {
    Open,
    /// Waiting for the next attempt to resume.
    BackingOff(Pin<Box<Sleep>>),
    /// The GET that resumes the stream is in flight.
    Reopening(Pin<Box<dyn Future<Output = Result<HttpResponse, Failure>> + Send>>),
    Closed,
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
            backoff: resumption_backoff(&limits),
            connected_at: Instant::now(),
            previous_event_id: None,
        }
    }

    /// Returns the next message as received, or `None` at the end of the stream. For a POST, stop reading after the
    /// response, because a legacy stream would be resumed. An end before the response means that the request is lost.
    ///
    /// There is no timeout. This method is cancel-safe.
    ///
    /// # Errors
    /// Returns [`Failure::TooLarge`] for each event over the limit, after which the stream continues. Any other error
    /// ends the stream.
    pub(super) async fn next(&mut self) -> Result<Option<StreamMessage>, Failure> {
        loop {
            match &mut self.state {
                State::Closed => return Ok(None),
                State::Open => match self.events.next().await? {
                    Next::Event(event) => {
                        if let Some(message) = message(event) {
                            self.backoff.reset();
                            return Ok(Some(message));
                        }
                    }
                    Next::End(error) => self.ended(error)?,
                },
                State::BackingOff(sleep) => {
                    sleep.as_mut().await;
                    self.state = State::Reopening(self.reopen());
                }
                State::Reopening(response) => {
                    let response = response.as_mut().await;
                    self.resumed(response)?;
                }
            }
        }
    }

    /// Discards the stream. Its connection is reused if the stream ends at once.
    pub(super) async fn release(mut self) {
        if matches!(self.state, State::Open) {
            let _ = timeout(body::DISCARD_TIMEOUT, self.events.skip()).await;
        }
    }

    /// Handles the end of the connection: resumes the stream or ends it.
    fn ended(&mut self, error: Option<reqwest::Error>) -> Result<(), Failure> {
        self.events.close();
        let id = self.events.decoder().last_event_id();
        if id != self.previous_event_id.as_deref() {
            self.backoff.reset();
        }
        self.backoff.disconnected(self.connected_at.elapsed());
        self.previous_event_id = id.map(Arc::from);
        if self.can_resume() {
            return self.schedule_resume(error.map(|error| Failure::of(error, "the stream was disconnected")));
        }
        self.state = State::Closed;
        match error {
            None => Ok(()),
            Some(error) => Err(Failure::of(error, "the stream was disconnected and cannot be resumed")),
        }
    }

    fn can_resume(&self) -> bool {
        self.request_headers.is_legacy() && (self.origin == StreamOrigin::Get || self.last_event_id().is_some())
    }

    /// Returns the event ID to resume after, unless it is too long or invalid in a header.
    fn last_event_id(&self) -> Option<HeaderValue> {
        let id = self.events.decoder().last_event_id()?;
        if id.len() > self.endpoint.limits().id_bytes {
            return None;
        }
        HeaderValue::from_bytes(id.as_bytes()).ok()
    }

    /// Schedules the next attempt, or fails if the attempts are exhausted.
    fn schedule_resume(&mut self, why: Option<Failure>) -> Result<(), Failure> {
        if let Some(delay) = self.backoff.next_delay(self.events.decoder().retry()) {
            self.state = State::BackingOff(Box::pin(sleep(delay)));
            return Ok(());
        }
        Err(self.close(Failure::Lost {
            why: "the stream was disconnected, and resuming it failed".into(),
            source: why.map(Into::into),
        }))
    }

    fn close(&mut self, failure: Failure) -> Failure {
        self.state = State::Closed;
        failure
    }

    fn reopen(&self) -> Pin<Box<dyn Future<Output = Result<HttpResponse, Failure>> + Send>> {
        let mut headers = self.request_headers.common();
        if let Some(id) = self.last_event_id() {
            headers.insert(LAST_EVENT_ID, id);
        }
        let (endpoint, request) = (self.endpoint.clone(), HttpRequest::stream(self.endpoint.url().clone(), headers));
        Box::pin(async move { endpoint.send(&request).await })
    }

    /// Handles the outcome of the GET that resumes the stream.
    fn resumed(&mut self, response: Result<HttpResponse, Failure>) -> Result<(), Failure> {
        let response = match response {
            Ok(response) => response,
            Err(failure @ (Failure::Unreachable { .. } | Failure::Lost { .. })) => {
                return self.schedule_resume(Some(failure));
            }
            Err(failure) => return Err(self.not_resumable(failure)),
        };
        match opened(response, &self.request_headers) {
            Ok(body) => {
                self.events.reconnect(body);
                self.connected_at = Instant::now();
                self.state = State::Open;
                Ok(())
            }
            Err(Failure::Status(status)) if is_transient(status) => self.schedule_resume(Some(Failure::Status(status))),
            Err(failure) => Err(self.not_resumable(failure)),
        }
    }

    /// Ends a stream that the server does not resume. For a POST, the request is lost; whether the session is lost too, the
    /// next POST shows, because a 404 may only mean that the server has no GET.
    fn not_resumable(&mut self, failure: Failure) -> Failure {
        let failure = match self.origin {
            StreamOrigin::Get => failure,
            StreamOrigin::Post => Failure::Lost {
                why: "the stream was disconnected, and the server does not resume it".into(),
                source: Some(failure.into()),
            },
        };
        self.close(failure)
    }
}

impl fmt::Debug for EventStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EventStream").field("origin", &self.origin).finish_non_exhaustive()
    }
}

/// Creates the backoff between attempts to resume a stream.
fn resumption_backoff(limits: &HttpLimits) -> Backoff {
    Backoff::new(BackoffOptions {
        initial_delay: INITIAL_DELAY,
        min_delay: MIN_DELAY,
        max_delay: limits.max_backoff,
        max_attempts: limits.resumptions,
        stable_after: STABLE_AFTER,
    })
}

/// Returns the event stream of a GET response.
pub(super) fn opened(response: HttpResponse, request_headers: &RequestHeaders) -> Result<Body, Failure> {
    let status = response.status;
    if status == StatusCode::NOT_FOUND && request_headers.session().is_some() {
        return Err(Failure::SessionEnded);
    }
    if status != StatusCode::OK {
        return Err(Failure::Status(status.as_u16()));
    }
    body::ensure_unencoded(&response.headers)?;
    if !response.is("text/event-stream") {
        return Err(Failure::malformed(format!(
            "expected content type `text/event-stream`, got `{}`",
            excerpt(response.media_type())
        )));
    }
    Ok(response.body)
}

/// Returns whether a status of a GET may be transient. Some servers send 409 until they notice that the old connection
/// closed. 501 means that the server has no GET.
pub(super) fn is_transient(status: u16) -> bool {
    matches!(status, 408 | 409 | 425 | 429 | 500 | 502..)
}
