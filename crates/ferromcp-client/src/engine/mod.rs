//! The engine: keeps a connection, sends requests over it, waits for as long as they may take.

pub(crate) mod connection;
mod history;
mod live;
mod options;
mod send;
mod shared;
mod wait;

pub(crate) use options::Options;
pub(crate) use shared::Engine;
