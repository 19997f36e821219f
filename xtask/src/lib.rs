//! The project's own chores behind `cargo xtask`: the whole test command, the house rules as tests, the set-up of
//! other people's MCP programs, the official conformance suite, and the table of requirements the tests prove.
//!
//! It lives here and not in shell scripts so that it runs wherever Rust runs, and so that its rules have tests.

#![allow(clippy::print_stdout, reason = "xtask talks to a person; no protocol runs on its stdout")]

pub mod conformance;
pub mod deny;
pub mod house;
pub mod interop;
pub mod ledger;
pub mod msrv;
pub mod outcome;
pub mod run_tests;
pub mod shell;
pub mod suite;
