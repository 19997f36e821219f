//! The public entry point: a compiled schema that validates JSON texts.

use std::sync::{Arc, OnceLock};

use serde_json::Value;

use crate::compile::compile;
use crate::error::{SchemaError, ValidationError};
use crate::evaluator::Evaluator;
use crate::explain::explain;
use crate::limits::{MAX_DEPTH, SchemaLimits};
use crate::rule::CompiledSchema;

/// A compiled schema. Cheap to clone; clones share the compiled rules.
///
/// ```
/// use ferromcp_json_schema::Validator;
/// let validator = Validator::compile(
///     r#"{"type": "object", "properties": {"sum": {"type": "integer"}}, "required": ["sum"]}"#,
/// )?;
/// assert!(validator.validate(r#"{"sum": 3}"#).is_ok());
/// let error = validator.validate(r#"{"sum": "3"}"#).unwrap_err();
/// assert_eq!(error.reasons(), ["at /sum: expected an integer, got a string"]);
/// # Ok::<_, ferromcp_json_schema::SchemaError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Validator {
    schema: Arc<CompiledSchema>,
    /// The maximum number of steps of one validation.
    steps: u64,
}

impl Validator {
    /// Compiles a schema with the default limits.
    ///
    /// # Errors
    /// See [`SchemaErrorKind`](crate::SchemaErrorKind).
    pub fn compile(schema: &str) -> Result<Self, SchemaError> {
        Self::compile_with_limits(schema, SchemaLimits::default())
    }

    /// Compiles a schema with these limits, which also apply to each validation.
    ///
    /// # Errors
    /// See [`SchemaErrorKind`](crate::SchemaErrorKind).
    pub fn compile_with_limits(schema: &str, limits: SchemaLimits) -> Result<Self, SchemaError> {
        if schema.len() > limits.bytes {
            return Err(SchemaError::too_large("bytes (`SchemaLimits::bytes`)", limits.bytes));
        }
        if !depth_within(schema.as_bytes(), MAX_DEPTH) {
            return Err(SchemaError::too_large("levels", MAX_DEPTH));
        }
        let value: Value = serde_json::from_str(schema).map_err(|error| SchemaError::not_json(&error))?;
        Ok(Self { schema: Arc::new(compile(&value)?), steps: limits.steps })
    }

    /// Validates a JSON text.
    ///
    /// # Errors
    /// When the text is not JSON, does not match the schema, or when validation exceeds a limit.
    pub fn validate(&self, json: &str) -> Result<(), ValidationError> {
        let value: Value = serde_json::from_str(json).map_err(|error| ValidationError::not_json(&error))?;
        match Evaluator::new(&self.schema, self.steps).evaluate(self.schema.root(), &value, None) {
            Ok(true) => Ok(()),
            Ok(false) => Err(explain(&self.schema, self.steps, &value)),
            Err(exceeded) => Err(ValidationError::limit_exceeded(exceeded, self.steps)),
        }
    }
}

/// A schema that is compiled on first use.
///
/// The outcome is cached, including a compile error.
#[derive(Debug)]
pub struct LazyValidator {
    schema: Box<str>,
    limits: SchemaLimits,
    compiled: OnceLock<Result<Validator, SchemaError>>,
}

impl LazyValidator {
    /// Stores the text of a schema, to be compiled with the default limits.
    pub fn new(schema: impl Into<Box<str>>) -> Self {
        Self::with_limits(schema, SchemaLimits::default())
    }

    /// Stores the text of a schema, to be compiled with these limits.
    pub fn with_limits(schema: impl Into<Box<str>>, limits: SchemaLimits) -> Self {
        Self { schema: schema.into(), limits, compiled: OnceLock::new() }
    }

    /// Returns the text of the schema.
    pub fn source(&self) -> &str {
        &self.schema
    }

    /// Returns the compiled schema, compiling it on the first call.
    ///
    /// # Errors
    /// When the schema does not compile; each call returns the same error.
    pub fn get(&self) -> Result<&Validator, &SchemaError> {
        self.compiled.get_or_init(|| Validator::compile_with_limits(&self.schema, self.limits)).as_ref()
    }
}

/// Returns whether arrays and objects in `text` nest at most `limit` levels deep.
///
/// Counts brackets outside of strings; does not check that the text is JSON.
fn depth_within(text: &[u8], limit: usize) -> bool {
    let (mut depth, mut in_string, mut escaped) = (0_usize, false, false);
    for &byte in text {
        match byte {
            _ if in_string && escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            _ if in_string => {}
            b'[' | b'{' => {
                depth += 1;
                if depth > limit {
                    return false;
                }
            }
            b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    true
}
