//! Templates that only expand, for links and third-party templates. Supports all of RFC 6570.

use std::fmt;

use super::{
    error::TemplateError,
    expand::{self, Value},
    limits::TemplateLimits,
    parse::{self, Part},
    variable::Variable,
};

/// A template that only expands. Accepts all templates of the RFC, including those that cannot be matched.
///
/// ```
/// use ferromcp_uri_template::LinkTemplate;
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
    /// Parses a template with the default [`TemplateLimits`].
    pub fn parse(text: &str) -> Result<Self, TemplateError> {
        Self::parse_within(text, TemplateLimits::new())
    }

    /// Parses a template with the given limits.
    pub fn parse_within(text: &str, limits: TemplateLimits) -> Result<Self, TemplateError> {
        let syntax = parse::parse(text, limits)?;
        Ok(Self { text: text.to_owned(), parts: syntax.parts, variables: syntax.variables })
    }

    /// Returns the text of the template.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Returns the variables, in the order of the template. Names can repeat.
    pub fn variables(&self) -> impl ExactSizeIterator<Item = &Variable> {
        self.variables.iter()
    }

    /// Expands the template into a URI. Variables without a value are omitted.
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
