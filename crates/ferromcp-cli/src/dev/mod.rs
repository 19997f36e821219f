//! Hot reload for `mcp dev`: builds and starts a server, and replaces it when its sources change.
//!
//! Clients stay connected to a bridge while the server behind it is replaced. A build that fails leaves the previous server
//! running.
//!
//! | module | content |
//! |---|---|
//! | `supervisor` | builds, starts and replaces the server |
//! | `http_process` | starts a server over HTTP |
//! | `watch` | waits for changes of files |
//! | `sources` | the files of a target |

mod http_process;
mod sources;
mod supervisor;
mod watch;

pub(crate) use sources::Sources;
pub(crate) use supervisor::{Launch, Supervisor};
pub(crate) use watch::Watcher;
