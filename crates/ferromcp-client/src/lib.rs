//! MCP clients: any server, any era, one line to connect.
//!
//! Nothing is public here yet. The rooms of this crate, as the plan in `docs/architecture.md` lays them:
//!
//! - `connect`, `client`, `channel` (a pipe or a POST), `answer`, `round`, `probe`
//! - `era/{modern,legacy}`: the two ways to speak
//! - `cache`, `subscription`, `group`
//! - `http/*`

pub mod cache;
pub mod config;
pub mod validate;
