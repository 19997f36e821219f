//! Server and client binaries (`src/bin`), and tests that run them as child processes (`tests/it`).
//!
//! This is a separate package because Cargo builds the binaries of a package, and only those, before its tests.

pub mod client;
pub mod endpoint;
pub mod fixture;
pub mod host_types;
pub mod protected;
