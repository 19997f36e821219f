//! OAuth for MCP clients and servers, as tower layers over `http` types.
//!
//! This crate has no public API yet. Planned modules (see `docs/architecture.md`):
//!
//! - `client`: discovery, registration, PKCE, tokens
//! - `resource_server`: metadata, validation of bearer tokens, challenges
//! - `authorization_server`: a minimal authorization server
