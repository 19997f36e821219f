//! The HTTP headers of a request and its response, recorded with the hooks of credentials.

use std::sync::{Arc, Mutex, PoisonError};

use ferromcp_client::http::{Challenge, ChallengeAction, Credentials, CredentialsFuture, Request};
use ferromcp_core::RawMap;
use http::HeaderMap;

use super::message::HttpExchange;

/// Maximum length of a recorded value, in characters.
const MAX_VALUE: usize = 2000;

/// Headers whose values are credentials.
const SECRET: [&str; 5] = ["authorization", "cookie", "set-cookie", "proxy-authorization", "dpop"];

/// Headers that the protocol defines.
const PROTOCOL: [&str; 4] = ["mcp-protocol-version", "mcp-method", "mcp-name", "mcp-session-id"];

tokio::task_local! {
    /// The HTTP exchange of the request that the current task sends.
    pub(super) static EXCHANGE: Exchange;
}

/// The HTTP exchange of a request, which is recorded while it is sent. Cloning is cheap.
#[derive(Clone, Default)]
pub(super) struct Exchange(Arc<Mutex<HttpExchange>>);

impl Exchange {
    /// Returns the headers so far.
    pub(super) fn take(&self, status: Option<u16>) -> HttpExchange {
        let headers = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        HttpExchange { status, ..headers }
    }
}

/// Credentials that record the headers of requests.
pub(crate) struct RecordedCredentials<C>(pub(crate) Option<C>);

impl<C: Credentials> Credentials for RecordedCredentials<C> {
    fn authorize<'a>(&'a self, request: Request<'a>, headers: &'a mut HeaderMap) -> CredentialsFuture<'a, ()> {
        Box::pin(async move {
            if let Some(inner) = &self.0 {
                inner.authorize(request, headers).await?;
            }
            record(|exchange| exchange.request_headers = shown(headers));
            Ok(())
        })
    }

    fn challenged<'a>(&'a self, challenge: &'a Challenge) -> CredentialsFuture<'a, ChallengeAction> {
        record(|exchange| exchange.response_headers = shown(challenge.headers()));
        match &self.0 {
            Some(inner) => inner.challenged(challenge),
            None => Box::pin(std::future::ready(Ok(ChallengeAction::GiveUp))),
        }
    }

    fn cache_partition(&self) -> String {
        self.0.as_ref().map(Credentials::cache_partition).unwrap_or_default()
    }

    fn extensions(&self) -> RawMap {
        self.0.as_ref().map(Credentials::extensions).unwrap_or_default()
    }

    fn response_received(&self, headers: &HeaderMap) {
        record(|exchange| exchange.response_headers = shown(headers));
        if let Some(inner) = &self.0 {
            inner.response_received(headers);
        }
    }
}

/// Changes the record of the current request, if there is one.
fn record(change: impl FnOnce(&mut HttpExchange)) {
    let _ = EXCHANGE.try_with(|exchange| change(&mut exchange.0.lock().unwrap_or_else(PoisonError::into_inner)));
}

/// Returns headers without credentials.
fn shown(headers: &HeaderMap) -> Vec<(String, String)> {
    let shown = |(name, value): (&http::HeaderName, &http::HeaderValue)| {
        // The headers of the protocol repeat the message, which is recorded too.
        let is_protocol = PROTOCOL.contains(&name.as_str()) || name.as_str().starts_with("mcp-param-");
        let is_secret = (value.is_sensitive() && !is_protocol) || SECRET.contains(&name.as_str());
        let text = if is_secret { "[hidden]".into() } else { String::from_utf8_lossy(value.as_bytes()) };
        (name.as_str().to_owned(), text.chars().take(MAX_VALUE).collect())
    };
    headers.iter().map(shown).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_hidden_when_headers_are_recorded() {
        let mut headers = HeaderMap::new();
        for (name, value) in
            [("authorization", "Bearer s3cret"), ("set-cookie", "s3cret"), ("mcp-method", "tools/call")]
        {
            headers.insert(http::HeaderName::from_static(name), http::HeaderValue::from_static(value));
        }
        let mut own = http::HeaderValue::from_static("s3cret");
        own.set_sensitive(true);
        headers.insert("x-api-key", own.clone());
        headers.insert("mcp-api-key", own);
        let recorded = shown(&headers);
        assert_eq!(recorded.len(), 5);
        assert!(!format!("{recorded:?}").contains("s3cret"), "{recorded:?}");
        assert!(recorded.contains(&("mcp-method".to_owned(), "tools/call".to_owned())));
    }
}
