//! The body of a response: empty, one JSON reply, or an SSE stream.

use std::convert::Infallible;
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Frame, SizeHint};

use super::byte_budget::Reservation;
use super::event_body::EventBody;
use super::unwritten::{Chunks, Unwritten};

/// The body of a response.
#[derive(Default)]
pub struct Body(Kind);

#[derive(Default)]
enum Kind {
    #[default]
    Empty,
    /// The body of a small reply. Its reservation, if any, is held until the connection has finished the body.
    Whole(Bytes, Option<Reservation>),
    /// The body was taken.
    Taken(#[expect(dead_code, reason = "held for its drop")] Option<Reservation>),
    Chunks(Box<ChunkedBody>),
    Events(Box<EventBody>),
}

/// The body of a large reply.
struct ChunkedBody {
    chunks: Chunks,
    unwritten: Unwritten,
    /// The body ends only after the connection has written it.
    ends_when_written: bool,
}

impl Body {
    /// Creates a body of these bytes, whose memory may be counted in `reservation`.
    pub(crate) fn whole(bytes: Bytes, reservation: Option<Reservation>) -> Self {
        Self(if bytes.is_empty() { Kind::Empty } else { Kind::Whole(bytes, reservation) })
    }

    /// Creates the body of a large reply, whose memory is counted in `reservation`.
    pub(crate) fn chunks(bytes: Bytes, reservation: Reservation, ends_when_written: bool) -> Self {
        let (chunks, unwritten) = (Chunks::new(bytes, vec![reservation]), Unwritten::default());
        Self(Kind::Chunks(Box::new(ChunkedBody { chunks, unwritten, ends_when_written })))
    }

    /// Creates a body that streams events.
    pub(crate) fn events(events: EventBody) -> Self {
        Self(Kind::Events(Box::new(events)))
    }

    /// Returns the bytes that the connection has taken and not written yet, if they are tracked.
    pub(crate) fn unwritten(&self) -> Option<&Unwritten> {
        match &self.0 {
            Kind::Empty | Kind::Whole(..) | Kind::Taken(_) => None,
            Kind::Chunks(body) => Some(&body.unwritten),
            Kind::Events(events) => Some(events.unwritten()),
        }
    }
}

impl ChunkedBody {
    fn poll_bytes(&mut self, cx: &mut Context<'_>) -> Poll<Option<Bytes>> {
        match self.chunks.next(&self.unwritten) {
            None if self.ends_when_written => self.unwritten.poll_written(cx).map(|()| None),
            chunk => Poll::Ready(chunk),
        }
    }
}

impl http_body::Body for Body {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let bytes = match &mut self.0 {
            Kind::Empty | Kind::Taken(_) => return Poll::Ready(None),
            Kind::Whole(bytes, reservation) => {
                let (bytes, reservation) = (std::mem::take(bytes), reservation.take());
                self.0 = Kind::Taken(reservation);
                return Poll::Ready(Some(Ok(Frame::data(bytes))));
            }
            Kind::Chunks(body) => body.poll_bytes(cx),
            Kind::Events(events) => events.poll_bytes(cx),
        };
        if let Poll::Ready(None) = &bytes {
            self.0 = Kind::Empty; // dropping an `EventBody` detaches its driver
        }
        bytes.map(|bytes| bytes.map(|bytes| Ok(Frame::data(bytes))))
    }

    fn is_end_stream(&self) -> bool {
        match &self.0 {
            Kind::Empty | Kind::Taken(_) => true,
            Kind::Chunks(body) => !body.ends_when_written && body.chunks.len() == 0,
            Kind::Whole(..) | Kind::Events(_) => false,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.0 {
            Kind::Empty | Kind::Taken(_) => SizeHint::with_exact(0),
            Kind::Whole(bytes, _) => SizeHint::with_exact(bytes.len() as u64),
            Kind::Chunks(body) => SizeHint::with_exact(body.chunks.len() as u64),
            Kind::Events(_) => SizeHint::default(),
        }
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Kind::Empty | Kind::Taken(_) => f.write_str("Body(empty)"),
            Kind::Whole(bytes, _) => write!(f, "Body({} bytes)", bytes.len()),
            Kind::Chunks(body) => write!(f, "Body({} bytes)", body.chunks.len()),
            Kind::Events(_) => f.write_str("Body(events)"),
        }
    }
}
