//! What a tool answered, held against the output schema it was listed with.
//!
//! Spec: <https://modelcontextprotocol.io/specification/2026-07-28/server/tools#output-schema>. A tool that was never
//! listed here has no schema here, and a schema is not held against anything once the server has told that its tools
//! changed: the result may follow another one by now.

use ferromcp_core::model::CallToolResult;
use ferromcp_core::{ClientRequest, Revision, ServerResult};

use crate::engine::Engine;
use crate::error::{ClientError, ErrorKind};
use crate::validate::{LazySchema, OutputError};

/// Checks the result of a call, as far as there is something to check it by.
pub(crate) fn check(
    engine: &Engine,
    request: &ClientRequest,
    result: &ServerResult,
    revision: Revision,
) -> Result<(), ClientError> {
    let (ClientRequest::CallTool(call), ServerResult::CallTool(result)) = (request, result) else { return Ok(()) };
    if result.is_error() || revision < Revision::V2025_06_18 {
        return Ok(());
    }
    let Some(known) = engine.toolbox.get(&call.name) else { return Ok(()) };
    let Some(schema) = known.output.as_ref().filter(|_| known.edition == engine.board.edition()) else { return Ok(()) };
    holds(schema, result).map_err(|flaw| {
        let message = format!(
            "the tool `{}` ran, but what it answered cannot be trusted: {flaw}. Tell its author, or turn the check off \
             with `ClientBuilder::check_output(false)`",
            call.name
        );
        ClientError::new(ErrorKind::Output, message).because(flaw)
    })
}

fn holds(schema: &LazySchema, result: &CallToolResult) -> Result<(), OutputError> {
    let Some(structured) = &result.structured_content else { return Err(OutputError::Missing) };
    let schema = schema.get().map_err(|error| OutputError::Schema(error.clone()))?;
    schema.check(structured).map_err(OutputError::Mismatch)
}
