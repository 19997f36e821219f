//! Limits on templates and URIs, which bound the cost of a match.

/// Maximum number of variables in a template. It bounds the states of the matcher, and with them the cost of a match.
pub(super) const MAX_VARIABLES: usize = 32;

/// Limits on a template and on the URIs it matches.
///
/// A template can have up to 32 variables; this limit is fixed.
///
/// ```
/// use ferromcp_uri_template::{TemplateLimits, UriTemplate};
///
/// let limits = TemplateLimits::new().uri_bytes(8);
/// let template = UriTemplate::parse_within("x://{a}", limits)?;
/// assert!(template.matches("x://too/long")?.is_none());
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "limits do nothing until they are passed to a template"]
pub struct TemplateLimits {
    pub(super) template_bytes: usize,
    pub(super) uri_bytes: usize,
}

impl TemplateLimits {
    /// Creates the default limits.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the maximum length of a template, in bytes. Default: 2 KiB. Parsing of a longer template fails with
    /// [`Problem::TooLong`](crate::Problem::TooLong).
    pub fn template_bytes(mut self, bytes: usize) -> Self {
        self.template_bytes = bytes;
        self
    }

    /// Sets the maximum length of a matched URI, in bytes. Default: 8 KiB, a common limit of HTTP servers. A longer URI
    /// does not match.
    pub fn uri_bytes(mut self, bytes: usize) -> Self {
        self.uri_bytes = bytes;
        self
    }
}

impl Default for TemplateLimits {
    fn default() -> Self {
        Self { template_bytes: 2 << 10, uri_bytes: 8 << 10 }
    }
}
