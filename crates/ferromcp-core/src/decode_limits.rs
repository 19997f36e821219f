//! Limits for decoding a frame.

use crate::json::DEFAULT_MAX_DEPTH;

/// Limits for decoding a frame. The transport limits the length of a frame.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct DecodeLimits {
    /// Maximum nesting depth of arrays and objects. Default: 64. Values above 127
    /// have no effect on values that are deserialized into types, because of the limit in `serde_json`.
    pub max_depth: usize,
    /// Maximum number of messages in a batch (2025-03-26). Default: 64.
    pub max_batch: usize,
}

impl Default for DecodeLimits {
    fn default() -> Self {
        Self { max_depth: DEFAULT_MAX_DEPTH, max_batch: 64 }
    }
}
