//! A server of a configuration file as something to connect to.

use crate::child::Spawn;
use crate::config::{ConfigError, Endpoint, Http, Server};
use crate::connect::Connector;
use crate::error::{ClientError, ErrorKind};
use crate::target::{OnConfig, Target, Ways};

/// A command is started as often as needed; a URL is what URLs are, with the headers of the file in addition.
impl Target<OnConfig> for Server {
    fn into_connector(self) -> Result<Box<dyn Connector>, ClientError> {
        self.connector_by(&Ways::default())
    }

    fn connector_by(self, ways: &Ways) -> Result<Box<dyn Connector>, ClientError> {
        match self.endpoint() {
            Endpoint::Stdio(stdio) => Ok(Box::new(Spawn::new(stdio.command().into()))),
            Endpoint::Http(http) => over_http(http, ways),
        }
    }
}

fn over_http(http: &Http, ways: &Ways) -> Result<Box<dyn Connector>, ClientError> {
    let mut ways = ways.clone();
    for (name, value) in http.headers() {
        ways.http = ways.http.header(name, value.reveal());
    }
    http.url().connector_by(&ways)
}

/// So that a host reads, picks and connects with one kind of error.
impl From<ConfigError> for ClientError {
    fn from(error: ConfigError) -> Self {
        Self::new(ErrorKind::Invalid, error.to_string()).because(error)
    }
}
