//! Lock files: the definitions of servers that a user has approved, with their digests.
//!
//! | module | content |
//! |---|---|
//! | `server_lock` | the locked definitions of one server |
//! | `file` | reads and writes lock files |
//! | `guard` | rejects definitions that differ from the lock |

mod file;
mod guard;
mod server_lock;

pub(crate) use file::{DEFAULT_FILE, LockFile};
pub(crate) use guard::{Guard, Locked};
pub(crate) use server_lock::{ServerLock, server_key};
