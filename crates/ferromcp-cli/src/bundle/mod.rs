//! MCP bundles (`.mcpb`): a ZIP file with a manifest and the programs of a server.
//!
//! | module | content |
//! |---|---|
//! | `archive` | writes ZIP files |
//! | `files` | the files of a bundle |
//! | `manifest` | `manifest.json` |
//! | `platform` | platforms, and the program for each |
//! | `prompts` | texts of prompts |
//! | `registry` | `server.json` of the MCP Registry |
//! | `variable` | variables that the user sets |

pub(crate) mod archive;
pub(crate) mod files;
pub(crate) mod manifest;
pub(crate) mod platform;
pub(crate) mod prompts;
pub(crate) mod registry;
pub(crate) mod variable;
