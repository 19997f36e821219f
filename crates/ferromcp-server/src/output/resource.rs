//! Return types of resources.

use std::path::Path;

use ferromcp_core::Error;
use ferromcp_core::model::{ReadResourceResult, ResourceContents};
use serde::Serialize;

use super::media::{self, File};
use super::tool::Json;
use crate::client_requests::RoundOutcome;
use crate::mime;
use crate::tool_error::ToolError;

/// A type that a resource can return.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a resource's contents",
    note = "return text, bytes, `Json<T>`, a `File`, `ResourceContents`, an `Option` or a `Result` of these"
)]
pub trait ResourceOutput: Send + 'static {
    /// Converts the value to the contents at `uri`. `mime_type` is the type that was set on the resource.
    ///
    /// # Errors
    /// Returns the error of the resource.
    fn into_contents(self, uri: &str, mime_type: Option<&str>) -> Result<ReadResourceResult, ToolError>;

    /// Converts the value to the contents or the next round. Overridden only by [`RoundOutcome`] and its wrappers.
    #[doc(hidden)]
    fn into_outcome(self, uri: &str, mime_type: Option<&str>) -> Result<RoundOutcome<ReadResourceResult>, ToolError>
    where
        Self: Sized,
    {
        self.into_contents(uri, mime_type).map(RoundOutcome::Complete)
    }
}

fn one(contents: ResourceContents, mime_type: Option<&str>) -> ReadResourceResult {
    let contents = match mime_type {
        Some(mime_type) => contents.mime_type(mime_type),
        None => contents,
    };
    ReadResourceResult::new(vec![contents])
}

impl ResourceOutput for String {
    fn into_contents(self, uri: &str, mime_type: Option<&str>) -> Result<ReadResourceResult, ToolError> {
        Ok(one(ResourceContents::text(uri, self), mime_type.or(Some("text/plain"))))
    }
}

impl ResourceOutput for &'static str {
    fn into_contents(self, uri: &str, mime_type: Option<&str>) -> Result<ReadResourceResult, ToolError> {
        self.to_owned().into_contents(uri, mime_type)
    }
}

impl ResourceOutput for Vec<u8> {
    fn into_contents(self, uri: &str, mime_type: Option<&str>) -> Result<ReadResourceResult, ToolError> {
        let found = mime_type.map_or_else(|| mime::guess(Some(Path::new(uri)), &self).into_owned(), str::to_owned);
        Ok(ReadResourceResult::new(vec![media::contents(uri.to_owned(), self, found)]))
    }
}

impl<T: Serialize + Send + 'static> ResourceOutput for Json<T> {
    fn into_contents(self, uri: &str, mime_type: Option<&str>) -> Result<ReadResourceResult, ToolError> {
        let text = serde_json::to_string(&self.0)?;
        Ok(one(ResourceContents::text(uri, text), mime_type.or(Some("application/json"))))
    }
}

impl ResourceOutput for File {
    fn into_contents(self, _: &str, mime_type: Option<&str>) -> Result<ReadResourceResult, ToolError> {
        Ok(one(self.into_contents(), mime_type))
    }
}

impl ResourceOutput for ResourceContents {
    fn into_contents(self, _: &str, _: Option<&str>) -> Result<ReadResourceResult, ToolError> {
        Ok(ReadResourceResult::new(vec![self]))
    }
}

impl ResourceOutput for Vec<ResourceContents> {
    fn into_contents(self, _: &str, _: Option<&str>) -> Result<ReadResourceResult, ToolError> {
        Ok(ReadResourceResult::new(self))
    }
}

impl ResourceOutput for ReadResourceResult {
    fn into_contents(self, _: &str, _: Option<&str>) -> Result<ReadResourceResult, ToolError> {
        Ok(self)
    }
}

/// `None` means "resource not found".
impl<T: ResourceOutput> ResourceOutput for Option<T> {
    fn into_contents(self, uri: &str, mime_type: Option<&str>) -> Result<ReadResourceResult, ToolError> {
        self.ok_or_else(|| Error::resource_not_found(uri))?.into_contents(uri, mime_type)
    }

    fn into_outcome(self, uri: &str, mime_type: Option<&str>) -> Result<RoundOutcome<ReadResourceResult>, ToolError> {
        self.ok_or_else(|| Error::resource_not_found(uri))?.into_outcome(uri, mime_type)
    }
}

impl<T: ResourceOutput, E: Into<ToolError> + Send + 'static> ResourceOutput for Result<T, E> {
    fn into_contents(self, uri: &str, mime_type: Option<&str>) -> Result<ReadResourceResult, ToolError> {
        self.map_err(Into::into)?.into_contents(uri, mime_type)
    }

    fn into_outcome(self, uri: &str, mime_type: Option<&str>) -> Result<RoundOutcome<ReadResourceResult>, ToolError> {
        self.map_err(Into::into)?.into_outcome(uri, mime_type)
    }
}

/// The contents, or the next round of the call.
impl<T: ResourceOutput> ResourceOutput for RoundOutcome<T> {
    fn into_contents(self, uri: &str, mime_type: Option<&str>) -> Result<ReadResourceResult, ToolError> {
        self.try_complete()?.into_contents(uri, mime_type)
    }

    fn into_outcome(self, uri: &str, mime_type: Option<&str>) -> Result<RoundOutcome<ReadResourceResult>, ToolError> {
        match self {
            Self::Complete(output) => output.into_outcome(uri, mime_type),
            Self::InputRequired(next) => Ok(next.into()),
        }
    }
}
