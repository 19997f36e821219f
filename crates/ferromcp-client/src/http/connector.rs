//! An endpoint as something to connect to; a URL is one with the client's options.

use std::sync::Arc;

use super::channel::HttpChannel;
use super::endpoint::Endpoint;
use super::legacy::HttpSse;
use super::channel_error::channel_error;
use crate::channel::{BoxFuture, Channel, ChannelError, Inbound, TransportKind};
use crate::connect::Connector;
use crate::error::{ClientError, ErrorKind};
use crate::limits::ClientLimits;
use crate::pipe::pipe;
use crate::target::{OnUrl, Target, ConnectOptions};

impl Connector for Endpoint {
    fn open<'a>(
        &'a self,
        inbound: Arc<dyn Inbound>,
        limits: &'a ClientLimits,
    ) -> BoxFuture<'a, Result<Arc<dyn Channel>, ChannelError>> {
        // Connections are made by the requests themselves.
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

    fn name(&self) -> String {
        self.redacted_url()
    }
}

impl Target<OnUrl> for &str {
    fn into_connector(self) -> Result<Box<dyn Connector>, ClientError> {
        self.connector_with(&ConnectOptions::default())
    }

    fn connector_with(self, options: &ConnectOptions) -> Result<Box<dyn Connector>, ClientError> {
        match Endpoint::new(self, options.http.clone()) {
            Ok(endpoint) => Ok(Box::new(endpoint)),
            Err(error) => {
                let message =
                    format!("`{}` cannot be connected to: {error}. A program is given as a `Command`", shown(self));
                Err(ClientError::new(ErrorKind::InvalidRequest, message).because(error))
            }
        }
    }
}

impl Target<OnUrl> for String {
    fn into_connector(self) -> Result<Box<dyn Connector>, ClientError> {
        self.as_str().into_connector()
    }

    fn connector_with(self, options: &ConnectOptions) -> Result<Box<dyn Connector>, ClientError> {
        self.as_str().connector_with(options)
    }
}

/// The beginning of what may be no URL at all, without what would be secret if it were one.
fn shown(url: &str) -> String {
    let bare = url.split(['?', '#']).next().unwrap_or_default();
    let (scheme, rest) = bare.split_once("://").map_or(("", bare), |(scheme, rest)| (scheme, rest));
    let host = rest.split('/').next().unwrap_or_default();
    let rest = match host.rfind('@') {
        Some(at) => &rest[at + 1..],
        None => rest,
    };
    let colon = if scheme.is_empty() { "" } else { "://" };
    format!("{scheme}{colon}{rest}").chars().take(200).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_target_that_is_no_url_is_named_without_its_secrets() {
        for (url, named) in [
            ("htp://example.com/mcp", "`htp://example.com/mcp`"),
            ("npx some-server", "`npx some-server`"),
            ("ftp://me:s3cret@example.com/x?key=s3cret", "`ftp://example.com/x`"),
            ("", "``"),
        ] {
            let error = url.into_connector().err().expect("no URL");
            assert_eq!(error.kind(), ErrorKind::InvalidRequest);
            assert!(error.to_string().contains(named), "{error}");
            assert!(!format!("{error:?}").contains("s3cret"), "{error}");
        }
    }

    proptest! {
        #[test]
        fn whatever_is_given_is_shown_without_a_panic(url in "\\PC{0,40}|[a-z:/@?#ä]{0,12}") {
            prop_assert!(shown(&url).len() <= url.len());
        }
    }
}
