//! Validation of structured tool output against the output schema of the tool.
//!
//! Spec: <https://modelcontextprotocol.io/specification/2026-07-28/server/tools#output-schema>. Output is validated only
//! for tools that were listed by this client. A cached schema is ignored once the server has reported a change of its
//! tools, because the output may follow a newer schema.

use std::fmt;

use ferromcp_core::model::CallToolResult;
use ferromcp_core::{ClientRequest, Revision, ServerResult};
use ferromcp_json_schema::LazyValidator;

pub use ferromcp_json_schema::{SchemaError, SchemaErrorKind, ValidationError, ValidationErrorKind};

use crate::engine::Engine;
use crate::error::{ClientError, ErrorKind};

/// Reason why the structured output of a tool failed validation. The tool ran nevertheless.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum OutputError {
    /// The tool has an output schema, and its result has no structured content.
    Missing,
    /// The output schema does not compile.
    Schema(SchemaError),
    /// The structured content does not match the output schema.
    Mismatch(ValidationError),
}

impl fmt::Display for OutputError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => f.write_str("the tool has an output schema, and the result has no structured content"),
            Self::Schema(error) => error.fmt(f),
            Self::Mismatch(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for OutputError {}

/// Validates the result of a tool call, if the output schema of the tool is known.
pub(crate) fn validate_output(
    engine: &Engine,
    request: &ClientRequest,
    result: &ServerResult,
    revision: Revision,
) -> Result<(), ClientError> {
    let (ClientRequest::CallTool(call), ServerResult::CallTool(result)) = (request, result) else { return Ok(()) };
    if result.is_error() || revision < Revision::V2025_06_18 {
        return Ok(());
    }
    let Some(known) = engine.tool_cache.get(&call.name) else { return Ok(()) };
    let Some(schema) = known.output.as_ref().filter(|_| known.list_version == engine.router.list_version()) else { return Ok(()) };
    validate(schema, result).map_err(|error| {
        let message = format!(
            "the tool `{}` ran, but its result failed output validation: {error}; fix the tool, or disable validation \
             with `ClientBuilder::validate_output(false)`",
            call.name
        );
        ClientError::new(ErrorKind::Output, message).because(error)
    })
}

fn validate(schema: &LazyValidator, result: &CallToolResult) -> Result<(), OutputError> {
    let Some(structured) = &result.structured_content else { return Err(OutputError::Missing) };
    let validator = schema.get().map_err(|error| OutputError::Schema(error.clone()))?;
    validator.validate(structured.as_str()).map_err(OutputError::Mismatch)
}
