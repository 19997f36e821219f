//! Records the messages of connections, for `mcp dev`.
//!
//! | module | content |
//! |---|---|
//! | `hub` | the state that pages show, and the events that change it |
//! | `message`, `history` | records of messages; recent ones, with a limit of their number and size |
//! | `recorder` | creates the records of one connection |
//! | `target`, `channel` | a connection that records its messages |
//! | `headers` | the HTTP headers of a request |
//! | `call` | the call of the page that a request belongs to |

mod call;
mod channel;
mod headers;
mod history;
pub(crate) mod hub;
mod message;
mod recorder;
mod target;

pub(crate) use call::{CALL, CallContext};
pub(crate) use headers::RecordedCredentials;
pub(crate) use recorder::Recorder;
pub(crate) use target::connect_recorded;
