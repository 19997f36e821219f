//! Limits on templates and URIs, which bound the cost of a match.

/// Limits on a template and on the URIs it matches.
///
/// ```
/// use ferromcp_uri_template::{Limits, UriTemplate};
///
/// let limits = Limits::new().variables(1);
/// assert!(UriTemplate::parse_within("x://{a}/{b}", limits).is_err());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Limits {
    template_bytes: usize,
    variables: usize,
    uri_bytes: usize,
}

impl Limits {
    /// The default maximum length of a template, in bytes.
    pub const TEMPLATE_BYTES: usize = 2 * 1024;
    /// The default maximum number of variables in a template.
    pub const VARIABLES: usize = 32;
    /// The default maximum length of a matched URI, in bytes; a common limit of HTTP servers.
    pub const URI_BYTES: usize = 8 * 1024;

    /// Returns the default limits.
    pub const fn new() -> Self {
        Self { template_bytes: Self::TEMPLATE_BYTES, variables: Self::VARIABLES, uri_bytes: Self::URI_BYTES }
    }

    /// Sets the maximum length of a template, in bytes.
    #[must_use]
    pub const fn template_bytes(mut self, bytes: usize) -> Self {
        self.template_bytes = bytes;
        self
    }

    /// Sets the maximum number of variables in a template.
    #[must_use]
    pub const fn variables(mut self, count: usize) -> Self {
        self.variables = count;
        self
    }

    /// Sets the maximum length of a matched URI, in bytes. Longer URIs do not match.
    #[must_use]
    pub const fn uri_bytes(mut self, bytes: usize) -> Self {
        self.uri_bytes = bytes;
        self
    }

    pub(super) const fn max_template_bytes(self) -> usize {
        self.template_bytes
    }

    pub(super) const fn max_variables(self) -> usize {
        self.variables
    }

    pub(super) const fn max_uri_bytes(self) -> usize {
        self.uri_bytes
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self::new()
    }
}
