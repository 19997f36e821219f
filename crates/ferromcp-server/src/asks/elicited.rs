//! What a person may do with a form.

use std::fmt;

/// What a person did with a form.
///
/// ```
/// use ferromcp_server::{Ctx, Elicited, ToolError};
///
/// async fn order(ctx: Ctx) -> Result<String, ToolError> {
///     Ok(match ctx.try_elicit::<u8>("How many?").await? {
///         Elicited::Accepted(count) => format!("{count} ordered"),
///         Elicited::Declined => "Nothing ordered".into(),
///         Elicited::Cancelled => "Ask me again".into(),
///     })
/// }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Elicited<T> {
    /// They filled it in and sent it.
    Accepted(T),
    /// They said no.
    Declined,
    /// They closed it without a choice.
    Cancelled,
}

impl<T> Elicited<T> {
    /// The answer, if they gave one.
    pub fn accepted(self) -> Option<T> {
        match self {
            Self::Accepted(answer) => Some(answer),
            Self::Declined | Self::Cancelled => None,
        }
    }

    /// The same, with the answer made into something else.
    pub fn map<U>(self, make: impl FnOnce(T) -> U) -> Elicited<U> {
        match self {
            Self::Accepted(answer) => Elicited::Accepted(make(answer)),
            Self::Declined => Elicited::Declined,
            Self::Cancelled => Elicited::Cancelled,
        }
    }
}

impl<T> fmt::Display for Elicited<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Accepted(_) => "accepted",
            Self::Declined => "declined",
            Self::Cancelled => "cancelled",
        })
    }
}
