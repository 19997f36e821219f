//! Parts of HTTP that only revisions with a handshake use.
//!
//! | file | contents |
//! |---|---|
//! | `session_id` | [`SessionId`] |
//! | `session` | `Endpoint::get_stream` and `Endpoint::delete_session` |
//! | `session_stream` | the task that reads the GET stream of a session |
//! | `http_sse` | [`HttpSse`]: the HTTP+SSE transport of 2024-11-05 |

mod http_sse;
mod session;
mod session_id;
pub(super) mod session_stream;

pub(super) use http_sse::HttpSse;
#[cfg(test)]
pub(super) use http_sse::{HttpSseRx, HttpSseTx};
pub(super) use session_id::{SessionId, has_version_header};
