//! Errors of templates: position, problem and fix.

use std::{error, fmt};

/// The error of an invalid template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TemplateError {
    position: usize,
    problem: Problem,
}

impl TemplateError {
    pub(super) fn new(position: usize, problem: Problem) -> Self {
        Self { position, problem }
    }

    /// Returns the position, in bytes from the start of the template.
    pub fn position(&self) -> usize {
        self.position
    }

    /// Returns the problem at the position.
    pub fn problem(&self) -> &Problem {
        &self.problem
    }
}

impl fmt::Display for TemplateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "bad URI template at byte {}: {}", self.position, self.problem)
    }
}

impl error::Error for TemplateError {}

/// A problem in a template. The message includes the fix.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Problem {
    /// A `{` without a matching `}`.
    Unclosed,
    /// A `}` without a matching `{`.
    Unopened,
    /// An empty expression `{}`, or an empty name between commas.
    Empty,
    /// A variable name with an invalid character or a misplaced dot.
    BadName {
        /// The invalid name.
        name: String,
    },
    /// One of `= , ! @ |`, which the RFC reserves for extensions.
    ReservedOperator(char),
    /// `:` without a number from 1 to 9999.
    BadPrefix,
    /// A literal character that is not allowed in URIs.
    BadLiteral(char),
    /// A `%` without two hexadecimal digits.
    BadPercent,
    /// A duplicate variable, which could have two values.
    Duplicate(String),
    /// Two adjacent expressions with an ambiguous boundary.
    Adjacent,
    /// A list that is not the last variable of its expression, so that its end is ambiguous.
    ListNotLast(String),
    /// A query, or path parameters, followed by text that cannot follow them.
    AfterNamed,
    /// A template longer than the limit, in bytes.
    TooLong {
        /// The limit.
        limit: usize,
    },
    /// More variables than the limit allows.
    TooManyVariables {
        /// The limit.
        limit: usize,
    },
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unclosed => "this `{` is never closed; expected a `}` after the variables, as in `{id}`",
            Self::Unopened => "this `}` closes nothing; put a `{` before the variable, or write `%7D` for a brace",
            Self::Empty => "expected a variable's name; write one, as in `{id}`, or drop the braces or the comma",
            Self::BadName { name } => {
                return write!(
                    f,
                    "`{name}` is not a valid variable name; expected letters, digits, `_` and single \
                     dots in between, as in `{{user_id}}`"
                );
            }
            Self::ReservedOperator(symbol) => {
                return write!(
                    f,
                    "the operator `{symbol}` has no meaning yet; expected one of `+ # . / ; ? &` \
                     or none, as in `{{id}}`"
                );
            }
            Self::BadPrefix => "expected a number from 1 to 9999 after `:`, as in `{id:3}`, and nothing after it",
            Self::BadLiteral(symbol) => {
                return write!(
                    f,
                    "no URI has {symbol:?} as it is; expected it percent-encoded, as in `%20` for \
                     a space"
                );
            }
            Self::BadPercent => "expected two hexadecimal digits after `%`; write `%25` for a real percent sign",
            Self::Duplicate(name) => {
                return write!(f, "`{name}` is already a variable of this template; expected another name here");
            }
            Self::Adjacent => {
                "adjacent expressions are ambiguous; expected literal text \
                 in between, as in `{a}/{b}`"
            }
            Self::ListNotLast(name) => {
                return write!(
                    f,
                    "the end of the list `{name}` is ambiguous; put it last in its expression, or \
                     drop the `*`"
                );
            }
            Self::AfterNamed => {
                "this cannot follow parameters; after `{?…}` and `{&…}` expected the end, `{&…}` or \
                 a fragment, after `{;…}` also a path or a query"
            }
            Self::TooLong { limit } => {
                return write!(
                    f,
                    "the template is longer than {limit} bytes; shorten it or raise \
                     `TemplateLimits::template_bytes`"
                );
            }
            Self::TooManyVariables { limit } => {
                return write!(f, "there are more than {limit} variables; remove some");
            }
        })
    }
}
