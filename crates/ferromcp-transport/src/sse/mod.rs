//! Server-sent events without any I/O: the framing of every answer of HTTP that is a stream.
//!
//! [`Event`] is what gets written, [`Decoder`] cuts bytes back into what was [`Received`]. Both stand
//! apart from HTTP so that a test can step them byte by byte. What MCP means by an event (which
//! ids, when to prime, when to reconnect) is not known here. Spec:
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

pub use decode::{DEFAULT_MAX_EVENT, DEFAULT_MAX_LINE, Decoder, Received, TooLong};
pub use encode::{Event, Refused, comment, retry};

#[cfg(test)]
mod tests;
