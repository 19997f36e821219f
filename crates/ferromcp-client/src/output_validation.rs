//! Validation of structured tool output against the output schema of the tool.
//!
//! Spec: <https://modelcontextprotocol.io/specification/2026-07-28/server/tools#output-schema>. Output is validated
//! only for tools that were listed by this client. A cached schema is ignored once the server has reported a change of
//! its tools, because the output may follow a newer schema.

use ferromcp_core::model::CallToolResult;
use ferromcp_core::text::excerpt;
use ferromcp_core::wire::replace_lone_surrogates;
use ferromcp_core::{ClientRequest, Revision, ServerResult};
use ferromcp_json_schema::LazyValidator;

use crate::engine::Engine;
use crate::era::features::has_structured_output;
use crate::error::{ClientError, ErrorKind};
use crate::output::OutputError;

/// Validates the result of a tool call, if the output schema of the tool is known.
pub(crate) fn validate_output(
    engine: &Engine,
    request: &ClientRequest,
    result: &ServerResult,
    revision: Revision,
) -> Result<(), ClientError> {
    let (ClientRequest::CallTool(call), ServerResult::CallTool(result)) = (request, result) else { return Ok(()) };
    if result.is_error() || !has_structured_output(revision) {
        return Ok(());
    }
    let Some(known) = engine.tool_cache.get(&call.name) else { return Ok(()) };
    let Some(schema) = known.output.as_ref().filter(|_| known.list_version == engine.router.list_version()) else {
        return Ok(());
    };
    validate(schema, result).map_err(|error| {
        let message = format!(
            "the tool `{}` ran, but its result failed output validation: {error}; fix the tool, or disable validation \
             with `ClientBuilder::validate_output(false)`",
            excerpt(&call.name)
        );
        ClientError::new(ErrorKind::Output, message).because(error)
    })
}

fn validate(schema: &LazyValidator, result: &CallToolResult) -> Result<(), OutputError> {
    let Some(structured) = &result.structured_content else { return Err(OutputError::Missing) };
    let validator = schema.get().map_err(|error| OutputError::Schema(error.clone()))?;
    validator.validate(&replace_lone_surrogates(structured.as_str())).map_err(OutputError::Mismatch)
}
