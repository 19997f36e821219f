//! What stands in for HTTP where the client is built without it: a URL is refused by a sentence that says so.

use crate::connect::Connector;
use crate::error::{ClientError, ErrorKind};
use crate::target::{OnUrl, Target, ConnectOptions};

/// No options.
#[derive(Debug, Clone, Default)]
pub(crate) struct HttpOptions;

impl HttpOptions {
    /// Nothing to say it of.
    pub(crate) fn header(self, _name: impl AsRef<str>, _value: impl AsRef<str>) -> Self {
        self
    }

    #[allow(clippy::unused_self, reason = "it speaks for the HTTP that is not there")]
    fn refusal(&self) -> ClientError {
        let message = "a URL needs HTTP, which this client was built without; enable the feature `http`";
        ClientError::new(ErrorKind::Unsupported, message)
    }
}

impl Target<OnUrl> for &str {
    fn into_connector(self) -> Result<Box<dyn Connector>, ClientError> {
        self.connector_with(&ConnectOptions::default())
    }

    fn connector_with(self, options: &ConnectOptions) -> Result<Box<dyn Connector>, ClientError> {
        Err(options.http.refusal())
    }
}

impl Target<OnUrl> for String {
    fn into_connector(self) -> Result<Box<dyn Connector>, ClientError> {
        self.as_str().into_connector()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_refused_with_the_name_of_the_feature() {
        let error = "https://example.com/mcp?key=s3cret".into_connector().err().expect("no HTTP");
        assert!(error.to_string().contains("feature `http`") && !error.to_string().contains("s3cret"), "{error}");
    }
}
