//! The checks of `mcp doctor`.
//!
//! | module | content |
//! |---|---|
//! | `finding` | the result of a check, with its fix |
//! | `server` | starts or reaches a server, and checks its responses |
//! | `explain` | the cause and the fix of an error |
//! | `definitions` | definitions of tools |
//! | `host_file`, `host_entry` | the files of hosts, and their entries |
//! | `started` | starts an entry as its host does |
//! | `stored` | saved names and logins |

mod definitions;
mod explain;
pub(crate) mod finding;
pub(crate) mod host_entry;
pub(crate) mod host_file;
pub(crate) mod server;
pub(crate) mod started;
pub(crate) mod stored;
