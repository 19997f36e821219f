//! Server-sent events without I/O: the framing of streamed HTTP responses.
//!
//! [`Event`] serializes an event, and [`Decoder`] parses bytes into [`DecodedEvent`]s. Both are
//! independent of HTTP, so that they can be tested byte by byte, and of MCP: event ids, priming and
//! reconnection are handled elsewhere. Spec:
//! <https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream>.
//!
//! ```
//! use bytes::BytesMut;
//! use ferromcp_transport::sse::{Decoder, Event};
//!
//! let mut wire = BytesMut::new();
//! Event::priming("s1-0").encode(&mut wire)?;
//! Event::new(b"{}").id("s1-1").encode(&mut wire)?;
//! assert_eq!(wire, "id: s1-0\ndata: \n\nid: s1-1\ndata: {}\n\n");
//!
//! let (mut decoder, mut chunk) = (Decoder::default(), wire.freeze());
//! let primed = decoder.decode(&mut chunk)?.expect("the priming event");
//! assert!(primed.data.is_empty());
//! let event = decoder.decode(&mut chunk)?.expect("the frame");
//! assert_eq!((&event.data[..], event.id.as_deref()), (&b"{}"[..], Some("s1-1")));
//! assert_eq!(decoder.decode(&mut chunk)?, None); // ready for the next chunk
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod decode;
mod encode;

pub use decode::{DEFAULT_MAX_EVENT, DEFAULT_MAX_LINE, DecodedEvent, Decoder, LimitExceeded};
pub use encode::{Event, InvalidField, comment, retry};

#[cfg(test)]
mod tests;
