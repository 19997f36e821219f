//! Parameters that are elicited before the function is called: `#[ask(..)]`.

use super::question::Question;
use crate::ctx::Ctx;
use crate::question_error::QuestionError;

/// The return type of a function in `#[ask(..)]`: a known value, or a question to the client.
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
#[must_use = "an `Ask` does nothing unless a parameter declares it with `#[ask(..)]`"]
pub enum Ask<T> {
    /// A known value; no question is sent.
    Known(T),
    /// A question to the client.
    Question(Box<Question<T>>),
}

impl<T> Ask<T> {
    /// Returns a known value, which needs no question.
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
    /// Returns the known value, or sends the question. Called by generated code.
    ///
    /// # Errors
    /// Returns the error of [`Ctx::ask`].
    pub async fn resolve(self, ctx: &Ctx) -> Result<T, QuestionError> {
        match self {
            Self::Known(value) => Ok(value),
            Self::Question(question) => ctx.ask(*question).await,
        }
    }
}
