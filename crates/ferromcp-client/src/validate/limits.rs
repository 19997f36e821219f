//! How much a schema, and a check by it, may cost.

/// How much a schema, and a check by it, may cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct SchemaLimits {
    /// Bytes of the schema; 1 MiB unless set.
    pub bytes: usize,
    /// Nesting of arrays and objects in the schema; 64 unless set.
    pub depth: usize,
    /// Subschemas; 10 000 unless set.
    pub subschemas: usize,
    /// Regular expressions; 128 unless set.
    pub patterns: usize,
    /// Memory of the regular expressions together, in bytes and about; 64 MiB unless set.
    pub pattern_bytes: usize,
    /// Steps of one check, each about one subschema's look at one value; ten million unless set. That is
    /// well below a second.
    pub steps: u64,
    /// Subschemas within each other at one time in a check; 400 unless set, which a thread's stack of 2 MiB
    /// holds.
    pub nesting: usize,
    /// Reasons told in a [`Mismatch`](super::Mismatch); 5 unless set.
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
