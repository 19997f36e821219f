//! Multi-round-trip requests (MRTR), the 2026-07-28 mechanism for client requests.
//!
//! A 2026-07-28 server cannot send requests. It answers the call with an `input_required` result that contains the
//! questions and a sealed request state; the client calls again with the responses and that state. The handler then
//! runs again from the top, and a *journal* replays the responses and the effects of the earlier runs (`crate::rounds`).
//!
//! | module | contents |
//! |---|---|
//! | `drive` | polls a handler until it returns or needs input |
//! | `once` | effects that run once per call |
//! | `resume` | opens the request state of a resumed call and records its responses |
//! | `round`, `manual` | handlers that manage their rounds manually |
//!
//! Spec: <https://modelcontextprotocol.io/specification/2026-07-28/basic/patterns/mrtr>.

pub(crate) mod drive;
pub(crate) mod manual;
pub(crate) mod once;
pub(crate) mod resume;
pub(crate) mod round;
