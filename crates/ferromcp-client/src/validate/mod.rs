//! Structured results, held against the output schema of their tool.
//!
//! Spec: <https://modelcontextprotocol.io/specification/2026-07-28/basic#json-schema-usage>. Both schema and
//! result come from the server, so neither may cost more than its bounds: every look at a value is a step,
//! steps are counted, and patterns match in linear time. No reference is ever fetched.
//!
//! Dialects: JSON Schema 2020-12, also where none is named, and draft-07 where it is. Others are refused by
//! name. `format` and the `content…` keywords are annotations, as the dialects have it.
//!
//! | file | what |
//! |---|---|
//! | `compile` | from a schema to rules |
//! | `keywords` | the rules of one subschema |
//! | `arena`, `uri` | all subschemas, and which of them a reference means |
//! | `rule` | what a rule is |
//! | `check`, `marks` | whether a value follows the rules, and which parts of it were looked at |
//! | `explain` | why not |
//! | `value`, `pattern` | equality, numbers, regular expressions |

use std::sync::{Arc, OnceLock};

use ferromcp_core::{RawJson, json::depth_within};
use serde_json::Value;

mod arena;
mod check;
mod compile;
mod error;
mod explain;
mod keywords;
mod limits;
mod marks;
mod pattern;
mod rule;
mod uri;
mod value;

pub use error::{Mismatch, MismatchKind, OutputError, SchemaError, SchemaErrorKind};
pub use limits::SchemaLimits;

use check::Run;
use rule::Rules;

/// A tool's output schema, ready to check results; clones share it.
///
/// ```
/// use ferromcp_client::validate::OutputSchema;
/// use ferromcp_core::RawJson;
/// let schema = OutputSchema::compile(&RawJson::parse(
///     r#"{"type": "object", "properties": {"sum": {"type": "integer"}}, "required": ["sum"]}"#,
/// )?)?;
/// assert!(schema.check(&RawJson::parse(r#"{"sum": 3}"#)?).is_ok());
/// let mismatch = schema.check(&RawJson::parse(r#"{"sum": "3"}"#)?).unwrap_err();
/// assert_eq!(mismatch.reasons(), ["at /sum: a string, where an integer is expected"]);
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct OutputSchema {
    rules: Arc<Rules>,
    limits: SchemaLimits,
}

impl OutputSchema {
    /// Prepares a schema within the default limits.
    pub fn compile(schema: &RawJson) -> Result<Self, SchemaError> {
        Self::compile_within(schema, SchemaLimits::default())
    }

    /// Prepares a schema within `limits`.
    pub fn compile_within(schema: &RawJson, limits: SchemaLimits) -> Result<Self, SchemaError> {
        let text = schema.as_str();
        if text.len() > limits.bytes {
            return Err(SchemaError::too_large("bytes", limits.bytes));
        }
        if !depth_within(text.as_bytes(), limits.depth) {
            return Err(SchemaError::too_large("levels", limits.depth));
        }
        let value: Value = serde_json::from_str(text).map_err(|error| SchemaError::not_json(&error))?;
        Ok(Self { rules: Arc::new(compile::compile(&value, limits)?), limits })
    }

    /// Holds a result against it.
    pub fn check(&self, result: &RawJson) -> Result<(), Mismatch> {
        let value: Value = serde_json::from_str(result.as_str()).map_err(|error| Mismatch::not_json(&error))?;
        match Run::new(&self.rules, self.limits).valid(self.rules.root(), &value, None) {
            Ok(true) => Ok(()),
            Ok(false) => Err(explain::explain(&self.rules, self.limits, &value)),
            Err(stop) => Err(Mismatch::stopped(stop, self.limits)),
        }
    }
}

/// A tool's output schema that is prepared when it is first needed, once.
///
/// A tool whose schema cannot be used spoils no other: its error comes with each of its own results.
#[derive(Debug)]
pub struct LazySchema {
    schema: RawJson,
    limits: SchemaLimits,
    compiled: OnceLock<Result<OutputSchema, SchemaError>>,
}

impl LazySchema {
    /// The schema as the server gave it.
    pub fn new(schema: RawJson) -> Self {
        Self::within(schema, SchemaLimits::default())
    }

    /// The schema as the server gave it, to be held within `limits`.
    pub fn within(schema: RawJson, limits: SchemaLimits) -> Self {
        Self { schema, limits, compiled: OnceLock::new() }
    }

    /// The schema as the server gave it.
    pub fn source(&self) -> &RawJson {
        &self.schema
    }

    /// The schema, prepared.
    pub fn get(&self) -> Result<&OutputSchema, &SchemaError> {
        self.compiled.get_or_init(|| OutputSchema::compile_within(&self.schema, self.limits)).as_ref()
    }
}
