//! Tests of the self-contained modules of the client.

mod cache;
mod config;
