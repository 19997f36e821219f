//! Rejections: reasons why a function is not called.

use ferromcp_core::Error;

/// The reason why a function is not called: invalid arguments, or a failed extractor.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Rejection {
    /// The arguments are invalid. One message for each error; tools return them to the model.
    Arguments(Vec<String>),
    /// An extractor failed. Returned as a protocol error.
    Failed(Error),
}

impl Rejection {
    /// Creates a rejection for one argument error.
    pub fn argument(error: impl Into<String>) -> Self {
        Self::Arguments(vec![error.into()])
    }

    /// Joins the errors into one message.
    pub(crate) fn message(errors: &[String], of: &str) -> String {
        match errors {
            [one] => format!("Invalid arguments for {of}: {one}"),
            many => format!("Invalid arguments for {of}:\n- {}", many.join("\n- ")),
        }
    }
}

impl From<Error> for Rejection {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}
