//! Transports for Ferromcp. A transport sends and receives frames; it is independent of MCP.
//!
//! A *frame* is one JSON-RPC message (or one batch of 2025-03-26) as UTF-8 bytes without a line
//! ending. Transports do not validate frames as UTF-8 or JSON. The central trait is [`Transport`].
//!
//! | transport | frames are exchanged over |
//! |---|---|
//! | [`stdio()`] | standard input and output, isolated from stray prints |
//! | [`child`] | a child process, over its stdin and stdout, with graceful shutdown |
//! | [`streams()`] | any `AsyncRead` and `AsyncWrite`, with newline framing |
//! | `unix` | a Unix domain socket |
//! | [`memory()`] | an in-memory channel between two ends in one process |
//!
//! [`InProcess`] is the trait for servers that run in the same process as their client. [`LineBuffer`] is the newline
//! framing and [`sse`] are server-sent events, both without I/O.
//!
//! A custom transport implements [`Transport`]. Over a byte stream, build it from [`LineRx`] and
//! [`LineTx`]; otherwise, [`Outbound::pop`] returns one message at a time.

pub mod child;
mod in_process;
mod line;
mod memory;
pub mod sse;
mod stdio;
mod streams;
mod text;
mod transport;
#[cfg(unix)]
mod unix;

pub use in_process::InProcess;
pub use line::{DEFAULT_MAX_LINE, LineBuffer};
pub use memory::{DEFAULT_MEMORY_CAPACITY, Memory, MemoryRx, MemoryTx, memory, memory_with_capacity};
pub use stdio::{Stdio, StdioRx, StdioTx, stdio};
pub use streams::{LineRx, LineTx, Streams, streams};
#[doc(hidden)]
pub use text::escape;
pub use transport::{Frame, FrameRx, FrameTx, Outbound, Transport};
#[cfg(unix)]
pub use unix::{Unix, unix};

/// Runs the example of the README as a test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
