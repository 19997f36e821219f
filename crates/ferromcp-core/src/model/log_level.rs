//! The severity of log messages.
//!
//! Spec: <https://modelcontextprotocol.io/specification/2026-07-28/server/utilities/logging#log-levels>.

use serde::{Deserialize, Serialize};

/// A log level, as defined in RFC 5424. Variants are ordered from least to most severe.
///
/// Spec: <https://modelcontextprotocol.io/specification/2026-07-28/server/utilities/logging#log-levels>.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum LogLevel {
    /// Detailed debugging information.
    Debug,
    /// General informational messages.
    Info,
    /// Normal but significant events.
    Notice,
    /// Warning conditions.
    Warning,
    /// Error conditions.
    Error,
    /// Critical conditions.
    Critical,
    /// Action must be taken immediately.
    Alert,
    /// The system is unusable.
    Emergency,
}
