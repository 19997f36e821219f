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
