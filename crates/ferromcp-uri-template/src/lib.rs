//! URI templates (RFC 6570): matching and expansion.
//!
//! [`UriTemplate::matches`] extracts the variables from a URI. [`UriTemplate::expand`] builds a URI from variables.
//! Matching rejects values that could escape a directory, such as `%2e%2e%2f`.
//!
//! ```
//! use ferromcp_uri_template::UriTemplate;
//!
//! let template = UriTemplate::parse("notes://{owner}/{id}{?lang}")?;
//! let found = template.matches("notes://ada/caf%C3%A9?lang=fr")?.expect("it matches");
//! assert_eq!(found.one("owner"), Some("ada"));
//! assert_eq!(found.one("id"), Some("café"));
//! assert_eq!(found.one("lang"), Some("fr"));
//!
//! assert!(template.matches("notes://ada")?.is_none());
//! assert!(template.matches("notes://ada/..%2F..%2Fetc")
//!     .is_err_and(|error| error.variable() == "id"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Matching
//!
//! | expression | matches | optional |
//! |---|---|---|
//! | `{x}` | one or more characters except `/ ? #` | no |
//! | `{x,y}` | one value per variable, separated by `,` | no |
//! | `{x*}` | a list separated by `,` | no |
//! | `{+x}` | one or more characters of any kind | no |
//! | `{#x}` | `#` and any characters | yes |
//! | `{.x}`, `{.x*}` | `.` and a value without `/ ? #`; a list separated by `.` | yes |
//! | `{/x}`, `{/x*}` | `/` and one segment; a list of segments | yes |
//! | `{;x,y}` | `;x=1;y=2`, in any order | yes, each |
//! | `{?x,y}`, `{&x,y}` | `?x=1&y=2`, in any order | yes, each |
//! | `{x:3}` | as `{x}`, at most three characters | as above |
//!
//! - A list variable (`*`) is captured as [`Capture::Many`], other variables as [`Capture::One`]. `{?x*}` collects
//!   repeated `x=` parameters.
//! - Values are percent-decoded once. `+` is not decoded. Invalid percent-encoding or UTF-8 does not match.
//! - Unencoded spaces and non-ASCII characters in the URI match as they are. Unencoded control characters do not match.
//! - An unknown parameter does not match, nor does a duplicate parameter without `*`. Templates that differ only in their
//!   parameters can therefore coexist.
//! - A variable does not match a `?`, `#`, `;` or `&` that starts a later part of the template.
//! - If several matches are possible, optional expressions are present if they can be, and variables on the left are
//!   greedy: `{name}{.ext}` matches `a.tar.gz` as `a.tar` and `gz`, `{a}-{b}` matches `1-2-3` as `1-2` and `3`.
//! - Matching is case-sensitive, including the scheme. To ignore the case of the scheme, lowercase it in the template and in
//!   the URI.
//!
//! Matching does not backtrack. Time and memory are proportional to the length of the URI times the number of expressions.
//!
//! # Rejected templates and values
//!
//! [`UriTemplate::parse`] rejects templates that cannot be matched unambiguously, such as `{a}{b}` or a duplicate variable.
//! [`LinkTemplate`] accepts all templates of the RFC, and only expands them.
//!
//! [`UriTemplate::matches`] rejects values that could escape the directory of a file server; see [`Danger`]. It does not
//! resolve symbolic links or drive letters, so a file server must still validate the resolved path.
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
    limits::TemplateLimits,
    link::LinkTemplate,
    safety::{Danger, UnsafeValue},
    variable::{Operator, Variable},
};
use self::{compile::Plan, parse::Part};

/// A URI template that matches and expands URIs. Cheap to clone.
///
/// Templates are equal if their text and their [`allow_unsafe_paths`](Self::allow_unsafe_paths) setting are equal.
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
    limits: TemplateLimits,
}

impl UriTemplate {
    /// Parses a template with the default [`TemplateLimits`].
    ///
    /// # Errors
    ///
    /// Returns a [`TemplateError`] with the position, the problem and the fix.
    ///
    /// ```
    /// use ferromcp_uri_template::UriTemplate;
    ///
    /// let error = UriTemplate::parse("notes://{a}{b}").unwrap_err();
    /// assert_eq!(error.position(), 11);
    /// ```
    pub fn parse(text: &str) -> Result<Self, TemplateError> {
        Self::parse_within(text, TemplateLimits::new())
    }

    /// Parses a template with the given limits, which also apply to the URIs it matches.
    pub fn parse_within(text: &str, limits: TemplateLimits) -> Result<Self, TemplateError> {
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

    /// Disables the rejection of unsafe values ([`Danger`]), for servers that validate values themselves.
    ///
    /// ```
    /// use ferromcp_uri_template::UriTemplate;
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

    /// Returns the text of the template.
    pub fn as_str(&self) -> &str {
        &self.inner.text
    }

    /// Returns the variables, in the order of the template.
    pub fn variables(&self) -> impl ExactSizeIterator<Item = &Variable> {
        self.inner.variables.iter()
    }

    /// Returns true if the template has no variables, and matches exactly one URI.
    pub fn is_literal(&self) -> bool {
        self.inner.variables.is_empty()
    }

    /// Matches a URI, and returns the captured variables. Returns `None` if the URI does not match, or is longer than
    /// [`TemplateLimits::uri_bytes`]. The [crate documentation](self) describes the choice between several possible matches.
    ///
    /// # Errors
    ///
    /// Returns [`UnsafeValue`] if the URI matches but a value is unsafe ([`Danger`]). A router should respond with a client
    /// error, and not try other templates.
    pub fn matches(&self, uri: &str) -> Result<Option<Captures>, UnsafeValue> {
        let inner = &*self.inner;
        if uri.len() > inner.limits.uri_bytes {
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

    /// Expands the template into a URI. Variables without a value are omitted (RFC 6570).
    ///
    /// ```
    /// use ferromcp_uri_template::UriTemplate;
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

    /// Compares the precedence of two templates in a router. `Less` is the more specific template.
    ///
    /// The order is: templates without variables; more bytes of literal text; fewer variables that can span several
    /// segments (`{+x}`, `{#x}`, `{/x*}` …); fewer variables; alphabetical order, so that the order is total.
    ///
    /// ```
    /// use ferromcp_uri_template::UriTemplate;
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

/// Runs the example of the README as a test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
