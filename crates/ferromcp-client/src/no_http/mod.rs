//! What stands in for HTTP where the client is built without it: a URL is refused by a sentence that says so.

mod options;

pub(crate) use options::HttpOptions;

use crate::connect::Connector;
use crate::error::ClientError;
use crate::target::{OnUrl, Target, Ways};

impl Target<OnUrl> for &str {
    fn into_connector(self) -> Result<Box<dyn Connector>, ClientError> {
        self.connector_by(&Ways::default())
    }

    fn connector_by(self, ways: &Ways) -> Result<Box<dyn Connector>, ClientError> {
        Err(ways.http.refusal())
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
