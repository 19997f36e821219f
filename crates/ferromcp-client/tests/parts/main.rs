//! The self-contained parts of the client, each from outside.

mod cache;
mod config;
mod validate;
