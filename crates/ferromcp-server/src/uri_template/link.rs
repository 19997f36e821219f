//! Templates that are only written from: the whole of RFC 6570, for links and for other people's templates.

use std::fmt;

use super::{
    error::TemplateError,
    expand::{self, Value},
    limits::Limits,
    parse::{self, Part},
    variable::Variable,
};

/// A template that is only expanded, so that everything the RFC allows is welcome, even what no reader could take
/// apart again.
///
/// ```
/// use ferromcp_server::uri_template::LinkTemplate;
///
/// let template = LinkTemplate::parse("/users/{id:1}/{id}")?;
/// assert_eq!(template.expand(|_| Some("ada".into())), "/users/a/ada");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct LinkTemplate {
    text: String,
    parts: Vec<Part>,
    variables: Vec<Variable>,
}

impl LinkTemplate {
    /// Reads a template within the default [`Limits`].
    pub fn parse(text: &str) -> Result<Self, TemplateError> {
        Self::parse_within(text, Limits::new())
    }

    /// Reads a template within the given limits.
    pub fn parse_within(text: &str, limits: Limits) -> Result<Self, TemplateError> {
        let syntax = parse::parse(text, limits)?;
        Ok(Self { text: text.to_owned(), parts: syntax.parts, variables: syntax.variables })
    }

    /// The template as it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The variables, in the order of the template; a name may come more than once.
    pub fn variables(&self) -> impl ExactSizeIterator<Item = &Variable> {
        self.variables.iter()
    }

    /// Writes the URI for these values; a variable without one is left out.
    pub fn expand<'v>(&self, lookup: impl Fn(&str) -> Option<Value<'v>>) -> String {
        expand::expand(&self.parts, &self.variables, lookup)
    }
}

impl fmt::Display for LinkTemplate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for LinkTemplate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("LinkTemplate").field(&self.text).finish()
    }
}
