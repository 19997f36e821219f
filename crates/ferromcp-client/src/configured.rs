//! [`Target`] implementation for a configured server.

use ferromcp_transport::child::Child;

use crate::child::ChildConnector;
use crate::config::{ConfigError, HttpConfig, ServerConfig, TransportConfig};
use crate::connect::Connector;
use crate::error::{ClientError, ErrorKind};
use crate::target::{ConnectOptions, Target, ViaConfig};

/// A command is restarted as needed. It inherits only [`default_env`](ferromcp_transport::child::default_env), unless the
/// entry has `"inheritEnv": true`. A URL is connected like any other URL, with the headers of the file.
impl Target<ViaConfig> for ServerConfig {
    fn into_connector(self) -> Result<Box<dyn Connector>, ClientError> {
        self.connector_with(&ConnectOptions::default())
    }

    fn connector_with(self, options: &ConnectOptions) -> Result<Box<dyn Connector>, ClientError> {
        match self.transport() {
            TransportConfig::Stdio(stdio) => {
                // The command has its environment already.
                let child = Child::new(stdio.command()).inherit_env().name(stdio.written_program());
                Ok(Box::new(ChildConnector::new(child)))
            }
            TransportConfig::Http(http) => http_connector(http, options),
        }
    }
}

fn http_connector(http: &HttpConfig, options: &ConnectOptions) -> Result<Box<dyn Connector>, ClientError> {
    let mut options = options.clone();
    options.http = options.http.shown_as(http.shown_url());
    for (name, value) in http.headers() {
        options.http = options.http.header(name, value.reveal());
    }
    http.url().connector_with(&options)
}

/// Lets a host use one error type for reading a configuration and connecting.
impl From<ConfigError> for ClientError {
    fn from(error: ConfigError) -> Self {
        Self::new(ErrorKind::InvalidRequest, error.to_string()).because(error)
    }
}
