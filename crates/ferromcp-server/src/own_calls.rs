//! The calls of [`Ctx`] to the own server: reading a resource, calling a tool.
//!
//! Such a call passes through the middleware, and shares the journal of the calling handler: on 2026-07-28, the questions of both
//! are asked in the rounds of the client's call.

use ferromcp_core::model::{CallToolParams, CallToolResult, ReadResourceParams, ReadResourceResult};
use ferromcp_core::text::excerpt;
use ferromcp_core::{ClientRequest, Error, ErrorCode, RawJson, ServerResult};
use serde::Serialize;

use crate::call::Reply;
use crate::call_error::CallError;
use crate::ctx::Ctx;

impl Ctx {
    /// Reads a resource of this server, in the same way as the client would.
    ///
    /// # Errors
    /// Returns the error that the client would receive. A tool that returns it with `?` reports it to the model. Handlers that
    /// call each other are limited to 16 levels.
    pub async fn read_resource(&self, uri: &str) -> Result<ReadResourceResult, CallError> {
        let request = ClientRequest::ReadResource(ReadResourceParams::new(uri));
        let error = match self.call_own_server(request).await {
            Reply::Done(ServerResult::ReadResource(result)) => return Ok(result),
            // Without resources, the method does not exist for clients.
            Reply::Failed(error) if error.code == ErrorCode::METHOD_NOT_FOUND => Error::resource_not_found(uri),
            other => error_of(other),
        };
        Err(CallError::new(format!("cannot read resource `{}`", excerpt(uri)), error))
    }

    /// Calls a tool of this server, in the same way as the client would. `arguments` must serialize to an object; `()` passes
    /// no arguments.
    ///
    /// The tool can send requests to the client. On 2026-07-28, it runs again in each round, as the calling handler does. Progress
    /// notifications of the tool are dropped, because progress belongs to the call of the client.
    ///
    /// ```
    /// use ferromcp_server::{Ctx, ToolError};
    /// use serde_json::json;
    ///
    /// async fn total(prices: Vec<i64>, ctx: Ctx) -> Result<i64, ToolError> {
    ///     let mut total = 0;
    ///     for price in prices {
    ///         let sum = ctx.call_tool("add", json!({ "a": total, "b": price })).await?;
    ///         total = sum.parse()?;
    ///     }
    ///     Ok(total)
    /// }
    /// ```
    ///
    /// # Errors
    /// Fails if the arguments do not serialize to an object, if there is no such tool, or if the tool fails: the message is then the
    /// text of the tool error. A tool that returns the error with `?` reports it to the model. Handlers that call each other are
    /// limited to 16 levels.
    pub async fn call_tool(&self, name: &str, arguments: impl Serialize) -> Result<CallToolResult, CallError> {
        let failed = |error| CallError::new(format!("cannot call tool `{}`", excerpt(name)), error);
        let mut params = CallToolParams::new(name);
        params.arguments = match RawJson::new(&arguments) {
            Ok(arguments) if arguments.is_object() => Some(arguments),
            Ok(arguments) if arguments.is_null() => None,
            Ok(_) => return Err(failed(Error::invalid_params("the arguments must serialize to a JSON object"))),
            Err(error) => {
                return Err(failed(Error::invalid_params(format!("cannot serialize the arguments: {error}"))));
            }
        };
        let error = match self.call_own_server(ClientRequest::CallTool(params)).await {
            Reply::Done(ServerResult::CallTool(result)) if result.is_error() => {
                let text = result.text_content();
                Error::internal(if text.is_empty() { "the tool failed without a message".to_owned() } else { text })
            }
            Reply::Done(ServerResult::CallTool(result)) => return Ok(result),
            // Without tools, the method does not exist for clients.
            Reply::Failed(error) if error.code == ErrorCode::METHOD_NOT_FOUND => {
                Error::invalid_params(format!("Unknown tool: {}", excerpt(name)))
            }
            other => error_of(other),
        };
        Err(failed(error))
    }
}

/// Returns the error of a reply without a result of the right kind.
fn error_of(reply: Reply) -> Error {
    match reply {
        Reply::Failed(error) => error,
        Reply::NeedsInput(_) => Error::internal(
            "the called handler requires client input, which is not available in a nested call; use `ctx.elicit(..)` in it",
        ),
        Reply::Done(_) => Error::internal("the reply has a result of another kind"),
    }
}
