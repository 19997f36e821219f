//! Answers that are there before the function is called: what `#[ask(..)]` on a parameter gives.

use super::error::AskError;
use super::question::Question;
use crate::ctx::Ctx;

/// What a function under `#[ask(..)]` returns: the value if it is known already, or the question whose answer it is.
///
/// ```
/// use ferromcp_server::{Ask, Question};
///
/// fn sure(path: &str) -> Ask<bool> {
///     if path.starts_with("/tmp/") {
///         Ask::known(true)
///     } else {
///         Question::form(format!("Delete {path}?")).into()
///     }
/// }
/// ```
#[derive(Debug)]
#[must_use = "nothing is asked unless a parameter declares it"]
pub enum Ask<T> {
    /// The value is known.
    Known(T),
    /// The client is to be asked.
    Question(Box<Question<T>>),
}

impl<T> Ask<T> {
    /// The value is known.
    pub fn known(value: T) -> Self {
        Self::Known(value)
    }
}

impl<T> From<Question<T>> for Ask<T> {
    fn from(question: Question<T>) -> Self {
        Self::Question(Box::new(question))
    }
}

impl<T: Send + 'static> Ask<T> {
    /// The value, asked for if need be. The macros write this.
    ///
    /// # Errors
    /// Those of [`Ctx::ask`].
    pub async fn answered(self, ctx: &Ctx) -> Result<T, AskError> {
        match self {
            Self::Known(value) => Ok(value),
            Self::Question(question) => ctx.ask(*question).await,
        }
    }
}
