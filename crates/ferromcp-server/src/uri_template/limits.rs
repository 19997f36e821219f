//! How long templates and URIs may be, so that a match has a known price.

/// Bounds on a template and on the URIs matched with it.
///
/// ```
/// use ferromcp_server::uri_template::{Limits, UriTemplate};
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
    /// Longest template, in bytes, unless told otherwise.
    pub const TEMPLATE_BYTES: usize = 2 * 1024;
    /// Most variables in one template, unless told otherwise.
    pub const VARIABLES: usize = 32;
    /// Longest URI that is matched, in bytes, unless told otherwise; what HTTP servers commonly take.
    pub const URI_BYTES: usize = 8 * 1024;

    /// The default bounds.
    pub const fn new() -> Self {
        Self { template_bytes: Self::TEMPLATE_BYTES, variables: Self::VARIABLES, uri_bytes: Self::URI_BYTES }
    }

    /// Sets the longest template, in bytes.
    #[must_use]
    pub const fn template_bytes(mut self, bytes: usize) -> Self {
        self.template_bytes = bytes;
        self
    }

    /// Sets how many variables one template may have.
    #[must_use]
    pub const fn variables(mut self, count: usize) -> Self {
        self.variables = count;
        self
    }

    /// Sets the longest URI that is matched, in bytes; longer ones match nothing.
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
