//! Why a function was not called: its arguments do not fit, or an extractor failed.

use ferromcp_core::Error;

/// Why a function was not called.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Refusal {
    /// The arguments do not fit: one sentence each, for the model to read.
    Arguments(Vec<String>),
    /// Something else is missing: a protocol error.
    Failed(Error),
}

impl Refusal {
    /// One mistake in the arguments.
    pub fn argument(mistake: impl Into<String>) -> Self {
        Self::Arguments(vec![mistake.into()])
    }

    /// The mistakes in one text.
    pub(crate) fn sentence(mistakes: &[String], of: &str) -> String {
        match mistakes {
            [one] => format!("Invalid arguments for {of}: {one}"),
            many => format!("Invalid arguments for {of}:\n- {}", many.join("\n- ")),
        }
    }
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}
