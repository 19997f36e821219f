//! Replacement of HTTP in builds without the feature `http`: connecting to a URL fails with an error.

mod options;

pub(crate) use options::HttpOptions;

use crate::connect::Connector;
use crate::error::ClientError;
use crate::target::{ConnectOptions, Target, ViaUrl};

impl Target<ViaUrl> for &str {
    fn into_connector(self) -> Result<Box<dyn Connector>, ClientError> {
        self.connector_with(&ConnectOptions::default())
    }

    fn connector_with(self, options: &ConnectOptions) -> Result<Box<dyn Connector>, ClientError> {
        Err(options.http.unsupported())
    }
}

impl Target<ViaUrl> for String {
    fn into_connector(self) -> Result<Box<dyn Connector>, ClientError> {
        self.as_str().into_connector()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn error_names_feature_when_connecting_to_url() {
        let error = "https://example.com/mcp?key=s3cret".into_connector().err().expect("no HTTP");
        assert!(error.to_string().contains("feature `http`") && !error.to_string().contains("s3cret"), "{error}");
    }
}
