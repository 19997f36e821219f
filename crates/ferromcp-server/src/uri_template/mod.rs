//! URI templates (RFC 6570): how a resource template names many resources at once.
//!
//! A server reads them backwards: a URI comes in, the variables come out ([`UriTemplate::matches`]). Links are written
//! forwards ([`UriTemplate::expand`]). Both ways are here, with the checks that keep `%2e%2e%2f` inside its directory.
//!
//! ```
//! use ferromcp_server::uri_template::UriTemplate;
//!
//! let template = UriTemplate::parse("notes://{owner}/{id}{?lang}")?;
//! let found = template.matches("notes://ada/caf%C3%A9?lang=fr")?.expect("it matches");
//! assert_eq!(found.one("owner"), Some("ada"));
//! assert_eq!(found.one("id"), Some("café"));
//! assert_eq!(found.one("lang"), Some("fr"));
//!
//! assert!(template.matches("notes://ada")?.is_none());
//! assert!(template.matches("notes://ada/..%2F..%2Fetc")
//!     .is_err_and(|refusal| refusal.variable() == "id"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What an expression matches
//!
//! | written | matches | absent? |
//! |---|---|---|
//! | `{x}` | one or more characters, none of `/ ? #` | no |
//! | `{x,y}` | as many values as variables, with `,` between | no |
//! | `{x*}` | a list with `,` between | no |
//! | `{+x}` | one or more characters of any kind | no |
//! | `{#x}` | `#` and anything | yes |
//! | `{.x}`, `{.x*}` | `.` and a value without `/ ? #`; a list with `.` between | yes |
//! | `{/x}`, `{/x*}` | `/` and one segment; a list of segments | yes |
//! | `{;x,y}` | `;x=1;y=2`, in any order | yes, each |
//! | `{?x,y}`, `{&x,y}` | `?x=1&y=2`, in any order | yes, each |
//! | `{x:3}` | as `{x}`, at most three characters | as above |
//!
//! - A list variable (`*`) gives [`Capture::Many`], every other one [`Capture::One`]. `{?x*}` collects repeated `x=`.
//! - A value is percent-decoded once. A `+` stays a `+`. Encodings that are broken or not UTF-8 make no match.
//! - Raw spaces and letters outside ASCII in the URI are read as themselves; raw control characters make no match.
//! - A parameter the template does not name makes no match, and so does one given twice without `*`. So templates that
//!   differ only in their parameters can stand side by side.
//! - No variable runs over a `?`, `#`, `;` or `&` with which the template itself goes on later.
//! - Where several readings are left, an optional expression that can be there is there, and the variable to the left
//!   takes as much as it can: `{name}{.ext}` reads `a.tar.gz` as `a.tar` and `gz`, `{a}-{b}` reads `1-2-3` as `1-2` and `3`.
//! - Letters count as written, the scheme too: MCP compares URIs as strings.
//!
//! Time and memory are proportional to the length of the URI times the number of expressions; nothing backtracks.
//!
//! # What is refused
//!
//! [`UriTemplate::parse`] refuses templates that cannot be read backwards, such as `{a}{b}` or a variable named twice.
//! [`LinkTemplate`] takes every template of the RFC and only expands.
//!
//! [`UriTemplate::matches`] refuses values that could lead a careless file server out of its directory; see [`Danger`].
//! It cannot know about symbolic links or drive letters: a server of files still checks the path it has resolved.
//!
//! <https://www.rfc-editor.org/rfc/rfc6570>

mod capture;
mod compile;
mod encode;
mod error;
mod expand;
mod limits;
mod link;
mod matcher;
mod parse;
mod safety;
mod variable;

#[cfg(test)]
mod tests;

use std::{
    cmp::{Ordering, Reverse},
    fmt,
    hash::{Hash, Hasher},
    str::FromStr,
    sync::Arc,
};

pub use self::{
    capture::{Capture, Captures},
    error::{Problem, TemplateError},
    expand::Value,
    limits::Limits,
    link::LinkTemplate,
    safety::{Danger, UnsafeValue},
    variable::{Operator, Variable},
};
use self::{compile::Plan, parse::Part};

/// A URI template that can be read both ways. Cheap to clone.
///
/// Two are equal when their text and their [`allow_unsafe_paths`](Self::allow_unsafe_paths) switch are.
#[derive(Clone)]
pub struct UriTemplate {
    inner: Arc<Inner>,
    unsafe_paths: bool,
}

struct Inner {
    text: Box<str>,
    parts: Vec<Part>,
    variables: Arc<[Variable]>,
    plan: Plan,
    limits: Limits,
}

impl UriTemplate {
    /// Reads a template within the default [`Limits`].
    ///
    /// # Errors
    ///
    /// [`TemplateError`] names the place, what is wrong and what to write instead.
    ///
    /// ```
    /// use ferromcp_server::uri_template::UriTemplate;
    ///
    /// let error = UriTemplate::parse("notes://{a}{b}").unwrap_err();
    /// assert_eq!(error.position(), 11);
    /// ```
    pub fn parse(text: &str) -> Result<Self, TemplateError> {
        Self::parse_within(text, Limits::new())
    }

    /// Reads a template within the given limits, which also hold for the URIs it is matched with.
    pub fn parse_within(text: &str, limits: Limits) -> Result<Self, TemplateError> {
        let syntax = parse::parse(text, limits)?;
        let plan = compile::compile(&syntax)?;
        Ok(Self {
            inner: Arc::new(Inner {
                text: text.into(),
                parts: syntax.parts,
                variables: syntax.variables.into(),
                plan,
                limits,
            }),
            unsafe_paths: false,
        })
    }

    /// Hands out values without the checks of [`Danger`]: for servers that make their own.
    ///
    /// ```
    /// use ferromcp_server::uri_template::UriTemplate;
    ///
    /// let template = UriTemplate::parse("diff://{range}")?.allow_unsafe_paths();
    /// let found = template.matches("diff://..")?.expect("it matches");
    /// assert_eq!(found.one("range"), Some(".."));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn allow_unsafe_paths(mut self) -> Self {
        self.unsafe_paths = true;
        self
    }

    /// The template as it was written.
    pub fn as_str(&self) -> &str {
        &self.inner.text
    }

    /// The variables, in the order of the template.
    pub fn variables(&self) -> impl ExactSizeIterator<Item = &Variable> {
        self.inner.variables.iter()
    }

    /// Whether there is no variable at all: such a template names exactly one resource.
    pub fn is_literal(&self) -> bool {
        self.inner.variables.is_empty()
    }

    /// Reads the variables out of a URI; `None` when the URI is not one of this template's, or is longer than
    /// [`Limits::uri_bytes`]. The [module](self) says which reading is taken where there are several.
    ///
    /// # Errors
    ///
    /// [`UnsafeValue`] when the URI matches but a value is one of those in [`Danger`]. A router answers it as a bad
    /// request and tries no other template.
    pub fn matches(&self, uri: &str) -> Result<Option<Captures>, UnsafeValue> {
        let inner = &*self.inner;
        if uri.len() > inner.limits.max_uri_bytes() {
            return Ok(None);
        }
        let Some(bytes) = encode::normalise(uri) else {
            return Ok(None);
        };
        let variables = &inner.variables;
        let Some(spans) = matcher::find(&inner.plan, variables, &bytes) else {
            return Ok(None);
        };
        let Some(values) = capture::decode(variables, &spans, &bytes) else {
            return Ok(None);
        };
        if !self.unsafe_paths {
            safety::check(variables, &spans, &values, &bytes)?;
        }
        Ok(Some(Captures::new(Arc::clone(variables), values)))
    }

    /// Writes the URI for these values; a variable without one is left out, as the RFC says.
    ///
    /// ```
    /// use ferromcp_server::uri_template::UriTemplate;
    ///
    /// let template = UriTemplate::parse("notes://{id}{?tag*}")?;
    /// let uri = template.expand(|name| match name {
    ///     "id" => Some("a b".into()),
    ///     "tag" => Some(vec!["x", "y"].into()),
    ///     _ => None,
    /// });
    /// assert_eq!(uri, "notes://a%20b?tag=x&tag=y");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn expand<'v>(&self, lookup: impl Fn(&str) -> Option<Value<'v>>) -> String {
        expand::expand(&self.inner.parts, &self.inner.variables, lookup)
    }

    /// Which of two templates a router tries first: `Less` is the more specific one.
    ///
    /// In this order: templates without variables; more bytes of literal text; fewer variables that may span several
    /// segments (`{+x}`, `{#x}`, `{/x*}` …); fewer variables; last, the alphabet, so that the order is total.
    ///
    /// ```
    /// use ferromcp_server::uri_template::UriTemplate;
    ///
    /// let mut routes = ["notes://{+rest}", "notes://{id}", "notes://recent", "notes://{id}/history"]
    ///     .map(|text| UriTemplate::parse(text).unwrap());
    /// routes.sort_by(UriTemplate::specific_first);
    /// assert_eq!(routes.each_ref().map(UriTemplate::as_str),
    ///     ["notes://recent", "notes://{id}/history", "notes://{id}", "notes://{+rest}"]);
    /// ```
    pub fn specific_first(&self, other: &Self) -> Ordering {
        self.rank().cmp(&other.rank())
    }

    fn rank(&self) -> (bool, Reverse<usize>, usize, usize, &str) {
        let literal = self.inner.parts.iter().map(Part::literal_len).sum();
        let spanning = self.variables().filter(|variable| variable.may_span()).count();
        (!self.is_literal(), Reverse(literal), spanning, self.inner.variables.len(), self.as_str())
    }
}

impl FromStr for UriTemplate {
    type Err = TemplateError;

    fn from_str(text: &str) -> Result<Self, TemplateError> {
        Self::parse(text)
    }
}

impl fmt::Display for UriTemplate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for UriTemplate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("UriTemplate").field(&self.as_str()).finish()
    }
}

impl PartialEq for UriTemplate {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str() && self.unsafe_paths == other.unsafe_paths
    }
}

impl Eq for UriTemplate {}

impl Hash for UriTemplate {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_str().hash(state);
        self.unsafe_paths.hash(state);
    }
}
