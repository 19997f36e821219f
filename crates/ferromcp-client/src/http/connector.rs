//! Connects to a URL with the options of the client.

use std::sync::Arc;

use tokio::time::Instant;

use super::channel::HttpChannel;
use super::channel_error::channel_error;
use super::endpoint::Endpoint;
use super::legacy::HttpSse;
use crate::channel::{BoxFuture, Channel, ChannelError, Inbound, TransportKind};
use crate::connect::Connector;
use crate::error::{ClientError, ErrorKind};
use crate::limits::ClientLimits;
use crate::pipe::pipe;
use crate::redacted_url::redacted_url;
use crate::target::{ConnectOptions, Target, ViaUrl};

impl Connector for Endpoint {
    fn open<'a>(
        &'a self,
        inbound: Arc<dyn Inbound>,
        limits: &'a ClientLimits,
    ) -> BoxFuture<'a, Result<Arc<dyn Channel>, ChannelError>> {
        // Requests open connections on demand.
        let channel: Arc<dyn Channel> = Arc::new(HttpChannel::new(self.clone(), inbound, limits));
        Box::pin(std::future::ready(Ok(channel)))
    }

    fn open_http_sse<'a>(
        &'a self,
        inbound: Arc<dyn Inbound>,
        limits: &'a ClientLimits,
    ) -> Option<BoxFuture<'a, Result<Arc<dyn Channel>, ChannelError>>> {
        Some(Box::pin(async move {
            let transport = HttpSse::connect(self).await.map_err(|failure| channel_error(failure, self))?;
            pipe(transport, None, inbound, limits).map_err(ChannelError::unsent)
        }))
    }

    fn can_reopen(&self) -> bool {
        true
    }

    fn transport_kind(&self) -> TransportKind {
        TransportKind::Post
    }

    fn authorization(&self) -> String {
        Self::authorization(self)
    }

    fn waited_for_credentials(&self) -> Option<Instant> {
        Self::waited_for_credentials(self)
    }

    fn name(&self) -> String {
        self.redacted_url()
    }
}

impl Target<ViaUrl> for &str {
    fn into_connector(self) -> Result<Box<dyn Connector>, ClientError> {
        self.connector_with(&ConnectOptions::default())
    }

    fn connector_with(self, options: &ConnectOptions) -> Result<Box<dyn Connector>, ClientError> {
        match Endpoint::new(self, options.http.clone()) {
            Ok(endpoint) => Ok(Box::new(endpoint)),
            Err(error) => {
                let shown = options.http.shown_url.clone().unwrap_or_else(|| redacted(self));
                let message = format!("cannot connect to `{shown}`: {error}");
                Err(ClientError::new(ErrorKind::InvalidRequest, message))
            }
        }
    }
}

impl Target<ViaUrl> for String {
    fn into_connector(self) -> Result<Box<dyn Connector>, ClientError> {
        self.as_str().into_connector()
    }

    fn connector_with(self, options: &ConnectOptions) -> Result<Box<dyn Connector>, ClientError> {
        self.as_str().connector_with(options)
    }
}

/// Returns the beginning of a possibly invalid URL without user, password and query.
fn redacted(url: &str) -> String {
    redacted_url(url).chars().take(200).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn error_shows_target_without_secrets_when_url_is_invalid() {
        for (url, named) in [
            ("htp://example.com/mcp", "`htp://example.com/mcp`"),
            ("npx some-server", "`npx some-server`"),
            ("ftp://me:s3cret@example.com/x?key=s3cret", "`ftp://example.com/x`"),
            ("http://me:s3cret/s3cret@example.com/x", "`http://example.com/x`"),
            ("", "``"),
        ] {
            let error = url.into_connector().err().expect("no URL");
            assert_eq!(error.kind(), ErrorKind::InvalidRequest);
            assert!(error.to_string().contains(named), "{error}");
            assert!(!format!("{error:?}").contains("s3cret"), "{error}");
        }
    }
}
