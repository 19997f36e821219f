//! Limits of compilation and validation.

/// Maximum nesting of arrays and objects in the text of a schema. It bounds the stack that parsing needs.
pub(crate) const MAX_DEPTH: usize = 64;

/// Maximum number of subschemas, because a compiled subschema needs much more memory than its text.
pub(crate) const MAX_SUBSCHEMAS: usize = 10_000;

/// Maximum number of regular expressions in a schema. It bounds the time of compilation.
pub(crate) const MAX_PATTERNS: usize = 128;

/// Approximate maximum memory of all compiled regular expressions of a schema, in bytes.
pub(crate) const MAX_PATTERN_BYTES: usize = 64 << 20;

/// Maximum nesting of subschema evaluations, which fits a thread stack of 2 MiB.
pub(crate) const MAX_NESTING: usize = 400;

/// Maximum number of reasons in a [`ValidationError`](crate::ValidationError), because its text is for people and
/// models.
pub(crate) const MAX_REASONS: usize = 5;

/// Limits of compilation and validation.
///
/// # Fixed limits
///
/// | limit of | value |
/// |---|---|
/// | nesting of arrays and objects in the text of a schema | 64 |
/// | subschemas | 10,000 |
/// | regular expressions | 128 |
/// | memory of all compiled regular expressions | about 64 MiB |
/// | nesting of subschema evaluations | 400 |
/// | reasons in a [`ValidationError`](crate::ValidationError) | 5 |
///
/// ```
/// use ferromcp_json_schema::{SchemaLimits, Validator};
/// let limits = SchemaLimits::new().bytes(64 << 10).steps(1_000_000);
/// let validator = Validator::compile_with_limits(r#"{"type": "string"}"#, limits)?;
/// # Ok::<_, ferromcp_json_schema::SchemaError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use = "limits do nothing until they are passed to a validator"]
pub struct SchemaLimits {
    pub(crate) bytes: usize,
    pub(crate) steps: u64,
}

impl SchemaLimits {
    /// Creates the default limits.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the maximum length of the text of a schema, in bytes. Default: 1 MiB. Compilation of a longer schema fails
    /// with [`SchemaErrorKind::TooLarge`](crate::SchemaErrorKind::TooLarge).
    pub fn bytes(mut self, bytes: usize) -> Self {
        self.bytes = bytes;
        self
    }

    /// Sets the maximum number of steps of one validation. A step is about one evaluation of a subschema. Default:
    /// 10,000,000, which takes well below a second. A longer validation fails with
    /// [`ValidationErrorKind::LimitExceeded`](crate::ValidationErrorKind::LimitExceeded).
    pub fn steps(mut self, steps: u64) -> Self {
        self.steps = steps;
        self
    }
}

impl Default for SchemaLimits {
    fn default() -> Self {
        Self { bytes: 1 << 20, steps: 10_000_000 }
    }
}
