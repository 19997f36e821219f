//! Limits of compilation and validation.

/// Limits of compilation and validation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct SchemaLimits {
    /// Maximum length of the schema text, in bytes. Default: 1 MiB.
    pub bytes: usize,
    /// Maximum nesting of arrays and objects in the schema text. Default: 64.
    pub depth: usize,
    /// Maximum number of subschemas. Default: 10,000.
    pub subschemas: usize,
    /// Maximum number of regular expressions. Default: 128.
    pub patterns: usize,
    /// Approximate maximum memory of all compiled regular expressions, in bytes. Default: 64 MiB.
    pub pattern_bytes: usize,
    /// Maximum number of steps of one validation. A step is about one evaluation of a subschema. Default: 10,000,000,
    /// which takes well below a second.
    pub steps: u64,
    /// Maximum nesting of subschema evaluations. Default: 400, which fits a thread stack of 2 MiB.
    pub nesting: usize,
    /// Maximum number of reasons in a [`ValidationError`](crate::ValidationError). Default: 5.
    pub reasons: usize,
}

impl Default for SchemaLimits {
    fn default() -> Self {
        Self {
            bytes: 1 << 20,
            depth: 64,
            subschemas: 10_000,
            patterns: 128,
            pattern_bytes: 64 << 20,
            steps: 10_000_000,
            nesting: 400,
            reasons: 5,
        }
    }
}
