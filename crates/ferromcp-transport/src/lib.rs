//! The pipes of Ferromcp: ways to move frames, knowing nothing of MCP.
//!
//! A *frame* is one JSON-RPC message (or one 2025-03-26 batch) as UTF-8 bytes without its line end.
//! Whether it is valid UTF-8, or JSON, is for the reader of the frame to say. Start at [`Transport`].
//!
//! | module | what |
//! |---|---|
//! | [`transport`] | the trait: a pipe that splits into a reading and a writing half |
//! | [`line`](mod@line) | newline framing without I/O |
//! | [`streams`](mod@streams) | any `AsyncRead` and `AsyncWrite` as a pipe, by that framing |
//! | [`stdio`](mod@stdio) | standard input and output, kept private to the protocol |
//! | [`child`] | a child process, over its stdin and stdout, and its end |
//! | [`unix`](mod@unix) | a Unix domain socket |
//! | [`memory`](mod@memory) | two ends within one process |
//! | [`local`] | what serves the far end of such a pipe |
//! | [`sse`] | server-sent events without I/O |
//!
//! A transport of your own implements [`Transport`]; over a byte stream it is best built from
//! [`LineRx`] and [`LineTx`], elsewhere [`Outbound::pop`] hands out one message at a time.

pub mod child;
pub mod line;
pub mod local;
pub mod memory;
pub mod sse;
pub mod stdio;
pub mod streams;
pub mod transport;
#[cfg(unix)]
pub mod unix;

pub use child::{Child, ChildHandle, ChildPipe};
pub use line::LineBuffer;
pub use local::Local;
pub use memory::{Memory, memory};
pub use stdio::{Stdio, stdio};
pub use streams::{LineRx, LineTx, Streams, streams};
pub use transport::{Frame, FrameRx, FrameTx, Outbound, Transport};
#[cfg(unix)]
pub use unix::{Unix, unix};
