//! In place of the options of HTTP.

use crate::error::{ClientError, ErrorKind};

/// No options.
#[derive(Debug, Clone, Default)]
pub(crate) struct HttpOptions;

impl HttpOptions {
    /// Nothing to say it of.
    pub(crate) fn header(self, _name: impl AsRef<str>, _value: impl AsRef<str>) -> Self {
        self
    }

    #[allow(clippy::unused_self, reason = "it speaks for the HTTP that is not there")]
    pub(super) fn refusal(&self) -> ClientError {
        let message = "a URL needs HTTP, which this client was built without; enable the feature `http`";
        ClientError::new(ErrorKind::Unsupported, message)
    }
}
