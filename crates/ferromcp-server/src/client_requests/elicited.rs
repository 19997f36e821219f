//! The outcomes of elicitation.

use std::fmt;

/// The outcome of a form elicitation.
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
    /// The user submitted the form.
    Accepted(T),
    /// The user declined.
    Declined,
    /// The user dismissed the form without a choice.
    Cancelled,
}

impl<T> Elicited<T> {
    /// Returns the submitted value, if any.
    pub fn accepted(self) -> Option<T> {
        match self {
            Self::Accepted(answer) => Some(answer),
            Self::Declined | Self::Cancelled => None,
        }
    }

    /// Maps the submitted value with `make`.
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

/// The user's consent to open a URL. It does not mean that the user has completed the interaction.
///
/// [`ChangeNotifier::elicitation_complete`](crate::ChangeNotifier::elicitation_complete) notifies the client when the interaction is
/// complete (2025-11-25 only).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct UrlConsent {
    /// The elicitation id: the id of the question, or a generated one.
    pub id: Option<String>,
}
