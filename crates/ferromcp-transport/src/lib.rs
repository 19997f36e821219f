//! Transports for Ferromcp. A transport sends and receives frames; it is independent of MCP.
//!
//! A *frame* is one JSON-RPC message (or one batch of 2025-03-26) as UTF-8 bytes without a line
//! ending. Transports do not validate frames as UTF-8 or JSON. The central trait is [`Transport`].
//!
//! | module | contents |
//! |---|---|
//! | [`transport`] | the [`Transport`] trait, and its receiving and sending halves |
//! | [`line`](mod@line) | newline framing without I/O |
//! | [`streams`](mod@streams) | a transport over any `AsyncRead` and `AsyncWrite`, with newline framing |
//! | [`stdio`](mod@stdio) | standard input and output, isolated from stray prints |
//! | [`child`] | a child process, over its stdin and stdout, with graceful shutdown |
//! | [`unix`](mod@unix) | a Unix domain socket |
//! | [`memory`](mod@memory) | an in-memory channel between two ends in one process |
//! | [`in_process`] | the trait for servers that run in the same process as their client |
//! | [`sse`] | server-sent events without I/O |
//!
//! A custom transport implements [`Transport`]. Over a byte stream, build it from [`LineRx`] and
//! [`LineTx`]; otherwise, [`Outbound::pop`] returns one message at a time.

pub mod child;
pub mod in_process;
pub mod line;
pub mod memory;
pub mod sse;
pub mod stdio;
pub mod streams;
pub mod transport;
#[cfg(unix)]
pub mod unix;

pub use child::{Child, ChildHandle, ChildPipe};
pub use in_process::InProcess;
pub use line::LineBuffer;
pub use memory::{Memory, memory};
pub use stdio::{Stdio, stdio};
pub use streams::{LineRx, LineTx, Streams, streams};
pub use transport::{Frame, FrameRx, FrameTx, Outbound, Transport};
#[cfg(unix)]
pub use unix::{Unix, unix};
