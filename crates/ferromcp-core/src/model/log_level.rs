//! How severe a log message is.
//!
//! Spec: <https://modelcontextprotocol.io/specification/2026-07-28/server/utilities/logging#log-levels>.

use serde::{Deserialize, Serialize};

/// A severity of RFC 5424, least severe first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogLevel {
    /// Details for finding faults.
    Debug,
    /// What happens normally.
    Info,
    /// Normal, but worth a look.
    Notice,
    /// Something may be wrong.
    Warning,
    /// Something failed.
    Error,
    /// Something important failed.
    Critical,
    /// Somebody must act now.
    Alert,
    /// Nothing works.
    Emergency,
}
