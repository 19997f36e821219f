//! Servers and a client that run as processes of their own (`src/bin`), and tests that talk to the servers over real
//! pipes (`tests/it`).
//!
//! They stand in a package of their own since cargo builds a package's programs before its tests, and only those.

pub mod client;
pub mod fixture;
