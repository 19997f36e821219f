//! Placeholder for the HTTP options in builds without the feature `http`.

use ferromcp_core::RawMap;

use crate::error::{ClientError, ErrorKind};

/// Placeholder for the HTTP options.
#[derive(Debug, Clone, Default)]
pub(crate) struct HttpOptions;

impl HttpOptions {
    /// Ignores the header.
    pub(crate) fn header(self, _name: impl AsRef<str>, _value: impl AsRef<str>) -> Self {
        self
    }

    /// Returns no extensions.
    #[allow(clippy::unused_self, reason = "same signature as with HTTP")]
    pub(crate) fn extensions(&self) -> RawMap {
        RawMap::new()
    }

    /// Ignores the name.
    pub(crate) fn shown_as(self, _url: String) -> Self {
        self
    }

    #[allow(clippy::unused_self, reason = "same signature as with HTTP")]
    pub(super) fn unsupported(&self) -> ClientError {
        let message = "cannot connect to a URL: the client was built without HTTP; enable the feature `http`";
        ClientError::new(ErrorKind::Unsupported, message)
    }
}
