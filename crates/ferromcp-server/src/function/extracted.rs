//! [`Extracted`]: a parameter that is available, or awaits its extraction.

use std::fmt;

use crate::box_future::BoxFuture;
use crate::tool_error::ToolError;

/// A parameter, or the future that extracts it. Only async extractors have a future, so that all other parameters cost nothing.
pub enum Extracted<T> {
    /// The value.
    Ready(T),
    /// The extraction of the value.
    Pending(BoxFuture<Result<T, ToolError>>),
}

impl<T> Extracted<T> {
    /// Waits for the value.
    pub(super) async fn value(self) -> Result<T, ToolError> {
        match self {
            Self::Ready(value) => Ok(value),
            Self::Pending(extraction) => extraction.await,
        }
    }
}

impl<T> fmt::Debug for Extracted<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ready(_) => "Ready",
            Self::Pending(_) => "Pending",
        })
    }
}
