//! Conversion of results to the type of the call.

use ferromcp_core::model::{
    CallToolResult, CompleteResult, CompletionValues, EmptyResult, GetPromptResult, ReadResourceResult,
};
use ferromcp_core::{RawJson, ServerResult};
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
    raw.decode().map_err(mismatch::<T>)
}

/// Deserializes the structured content of a tool result, falling back to its text.
pub(crate) fn tool_value<T: DeserializeOwned>(result: ServerResult) -> Result<T, ClientError> {
    let result = CallToolResult::read(result)?;
    if result.is_error() {
        return Err(ClientError::new(ErrorKind::Tool, result.text_content()));
    }
    result.parse().map_err(mismatch::<T>)
}

/// Extracts the text of a resource.
pub(crate) fn resource_text(result: ServerResult) -> Result<String, ClientError> {
    let result = ReadResourceResult::read(result)?;
    let text = result.text().map(str::to_owned);
    text.ok_or_else(|| {
        let message = if result.contents.is_empty() {
            "cannot read the resource as text: it has no contents"
        } else {
            "cannot read the resource as text: its contents are binary; use `Client::read`"
        };
        ClientError::new(ErrorKind::InvalidResponse, message)
    })
}

/// Creates the error of a result that does not deserialize as the type that the caller requested.
fn mismatch<T>(error: impl std::fmt::Display) -> ClientError {
    let name = short(std::any::type_name::<T>());
    ClientError::new(ErrorKind::InvalidResponse, format!("cannot deserialize the result as `{name}`: {error}"))
}

/// Returns the name of a type without the paths of modules.
fn short(name: &str) -> String {
    let is_path = |symbol: char| symbol.is_alphanumeric() || matches!(symbol, '_' | ':');
    let parts = name.split_inclusive(|symbol| !is_path(symbol));
    parts.map(|part| part.rsplit_once("::").map_or(part, |(_, last)| last)).collect()
}

#[cfg(test)]
mod tests {
    use ferromcp_core::model::{CallToolResult, ReadResourceResult, ResourceContents};
    use ferromcp_core::{RawJson, ServerResult};
    use serde_json::json;

    use super::{resource_text, tool_value};
    use crate::error::ErrorKind;

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
        let error = tool_value::<Vec<Option<String>>>(of(CallToolResult::text("x"))).unwrap_err();
        assert!(error.to_string().contains("as `Vec<Option<String>>`: "), "{error}");
    }

    #[test]
    fn resource_text_is_first_text_or_names_the_reason() {
        let of = |contents| resource_text(ServerResult::ReadResource(ReadResourceResult::new(contents)));
        let (text, blob) = (|text: &str| ResourceContents::text("x:a", text), || ResourceContents::blob("x:b", "AAA="));
        assert_eq!(of(vec![text("a"), text("b")]).unwrap(), "a");
        assert_eq!(of(vec![blob(), text("b")]).unwrap(), "b");
        assert_eq!(of(vec![text("")]).unwrap(), "", "an empty text is a text");
        for (contents, expected) in [
            (vec![], "cannot read the resource as text: it has no contents"),
            (vec![blob()], "cannot read the resource as text: its contents are binary; use `Client::read`"),
            (vec![blob(), blob()], "cannot read the resource as text: its contents are binary; use `Client::read`"),
        ] {
            let error = of(contents).unwrap_err();
            assert_eq!((error.kind(), error.to_string().as_str()), (ErrorKind::InvalidResponse, expected));
        }
    }
}
