//! Parts of HTTP that only revisions with a handshake use.
//!
//! | file | contents |
//! |---|---|
//! | `session_id` | [`SessionId`] |
//! | `session` | `Endpoint::get_stream` and `Endpoint::delete_session` |
//! | `session_stream` | the task that reads the GET stream of a session |
//! | `backoff` | delays between attempts to resume a stream |
//! | `http_sse` | [`HttpSse`]: the HTTP+SSE transport of 2024-11-05 |

pub(super) mod backoff;
mod http_sse;
mod session;
mod session_id;
pub(super) mod session_stream;

pub use http_sse::{HttpSse, HttpSseRx, HttpSseTx};
pub use session_id::SessionId;
