//! Development tasks behind `cargo xtask`: the test command, the project lints, the installation of third-party MCP
//! clients and servers, the official conformance suite, and the table of specification requirements covered by tests.
//!
//! The tasks are written in Rust instead of shell scripts, so that they run on every platform and have tests.

#![allow(clippy::print_stdout, reason = "xtask is a command-line tool; its stdout carries no protocol")]

pub mod api;
pub mod cli_times;
pub mod conformance;
pub mod deny;
pub mod fuzz;
pub mod hosts;
pub mod interop;
mod isolation;
pub mod ledger;
pub mod lint;
pub mod man;
pub mod msrv;
pub mod new;
pub mod outcome;
pub mod published_servers;
pub mod run_tests;
pub mod shell;
pub mod soak;
pub mod steps;
pub mod tests_renamed;
pub mod word_counts;
