//! OAuth for MCP, both sides, as tower layers over `http` types.
//!
//! Nothing is public here yet. The rooms of this crate, as the plan in `docs/architecture.md` lays them:
//!
//! - `client/*`: discovery, registration, PKCE, tokens
//! - `resource_server/*`: metadata, bearer checks, challenges
//! - `authorization_server/*`: a small server for those who have none
