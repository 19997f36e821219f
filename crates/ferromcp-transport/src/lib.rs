//! The pipes of Ferromcp: ways to move frames, knowing nothing of MCP.
//!
//! A *frame* is one JSON-RPC message (or one 2025-03-26 batch) as UTF-8 bytes without its line end.
//! Start at [`Transport`].
//!
//! | module | what |
//! |---|---|
//! | [`transport`] | the trait: a pipe that splits into a reading and a writing half |

pub mod transport;

pub use transport::{Frame, FrameRx, FrameTx, Outbound, Transport};
