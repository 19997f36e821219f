//! Conversion of results to the type of the call.

use ferromcp_core::model::{
    CallToolResult, CompleteResult, CompletionValues, ContentBlock, EmptyResult, GetPromptResult, ReadResourceResult,
};
use ferromcp_core::{RawJson, RawMap, ServerResult};
use serde::de::DeserializeOwned;

use crate::error::{ClientError, ErrorKind};

/// Result types of [`Client::resume`](crate::Client::resume).
pub trait MethodResult: Sized + sealed::Sealed {
    #[doc(hidden)]
    fn read(result: ServerResult) -> Result<Self, ClientError>;
}

mod sealed {
    pub trait Sealed {}
}

macro_rules! results {
    ($($result:ty => $variant:ident,)*) => {$(
        impl sealed::Sealed for $result {}
        impl MethodResult for $result {
            fn read(result: ServerResult) -> Result<Self, ClientError> {
                match result {
                    ServerResult::$variant(result) => Ok(result),
                    ServerResult::CreateTask(_) => Err(ClientError::malformed("unexpected task")),
                    _ => Err(ClientError::malformed("result of another method")),
                }
            }
        }
    )*};
}

results! {
    CallToolResult => CallTool,
    GetPromptResult => GetPrompt,
    ReadResourceResult => ReadResource,
    CompleteResult => Complete,
    EmptyResult => Empty,
}

/// Extracts the completion.
pub(crate) fn completion(result: ServerResult) -> Result<CompletionValues, ClientError> {
    let mut completion = CompleteResult::read(result)?.completion;
    completion.values.truncate(CompletionValues::MAX_VALUES);
    Ok(completion)
}

/// Deserializes the result of a custom method.
pub(crate) fn other<T: DeserializeOwned>(result: ServerResult) -> Result<T, ClientError> {
    let raw = match result {
        ServerResult::Custom(raw) => raw,
        known => RawJson::new(&known).map_err(ClientError::malformed)?,
    };
    raw.decode().map_err(ClientError::malformed)
}

/// Deserializes the structured content of a tool result, falling back to its text.
pub(crate) fn tool_value<T: DeserializeOwned>(result: ServerResult) -> Result<T, ClientError> {
    let result = CallToolResult::read(result)?;
    let text = || {
        let texts: Vec<&str> = result.content.iter().filter_map(as_text).collect();
        texts.join("\n")
    };
    if result.is_error() {
        return Err(ClientError::new(ErrorKind::Tool, text()));
    }
    let Some(structured) = &result.structured_content else { return from_text(&text()) };
    let error = match structured.decode() {
        Ok(value) => return Ok(value),
        Err(error) => error,
    };
    // Legacy servers wrap non-object output in an object, usually under this name.
    let wrapped = structured.decode::<RawMap>().ok().filter(|map| map.len() == 1);
    let inner = wrapped.as_ref().and_then(|map| map.get("result"));
    inner.and_then(|inner| inner.decode().ok()).ok_or_else(|| ClientError::malformed(error))
}

fn as_text(block: &ContentBlock) -> Option<&str> {
    match block {
        ContentBlock::Text(block) => Some(&block.text),
        _ => None,
    }
}

/// Deserializes a text as JSON, falling back to a string.
fn from_text<T: DeserializeOwned>(text: &str) -> Result<T, ClientError> {
    match serde_json::from_str(text) {
        Ok(value) => Ok(value),
        Err(error) => {
            let string = serde::de::value::StrDeserializer::<serde_json::Error>::new(text);
            T::deserialize(string).map_err(|_| ClientError::malformed(error))
        }
    }
}

#[cfg(test)]
mod tests {
    use ferromcp_core::model::CallToolResult;
    use ferromcp_core::{RawJson, ServerResult};
    use serde_json::json;

    use super::tool_value;

    #[test]
    fn tool_value_deserializes_text_and_structured_content() {
        let of = |result: CallToolResult| ServerResult::CallTool(result);
        assert_eq!(tool_value::<i64>(of(CallToolResult::text("3"))).unwrap(), 3);
        assert_eq!(tool_value::<String>(of(CallToolResult::text("so"))).unwrap(), "so");
        let wrapped = CallToolResult::structured(RawJson::from(json!({ "result": [1, 2] })));
        assert_eq!(tool_value::<Vec<i64>>(of(wrapped)).unwrap(), [1, 2]);
        let plain = CallToolResult::structured(RawJson::from(json!([1, 2])));
        assert_eq!(tool_value::<Vec<i64>>(of(plain)).unwrap(), [1, 2]);
        let error = tool_value::<i64>(of(CallToolResult::error("no cheese"))).unwrap_err();
        assert!(error.is_tool() && error.to_string() == "no cheese");
        assert!(tool_value::<i64>(of(CallToolResult::text("x"))).is_err());
    }
}
