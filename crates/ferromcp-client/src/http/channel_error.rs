//! Conversion of HTTP failures to channel errors.

use std::error::Error;
use std::io;
use std::sync::Arc;

use super::endpoint::Endpoint;
use super::failure::Failure;
use crate::channel::ChannelError;

/// Maximum length of a challenge in an error, in characters.
const MAX_CHALLENGE: usize = 1000;

/// Converts a failure. Bodies of error responses are omitted, because some servers echo the request in them.
pub(super) fn channel_error(failure: Failure, endpoint: &Endpoint) -> ChannelError {
    match failure {
        Failure::Unreachable { source } => {
            let (url, why) = (endpoint.redacted_url(), root(&*source));
            let text = format!("cannot reach `{url}` ({why}); check the URL and that the server is running");
            ChannelError::unsent(io::Error::new(kind(&*source), text))
        }
        // Another attempt would be redirected again.
        Failure::Redirected { .. } | Failure::RedirectLoop { .. } => {
            ChannelError::unsent(io::Error::new(io::ErrorKind::Unsupported, failure))
        }
        Failure::Lost { why, source: Some(source) } => {
            ChannelError::lost(io::Error::other(format!("{why}: {}", root(&*source))))
        }
        Failure::Lost { why, source: None } => ChannelError::lost(io::Error::other(why)),
        Failure::Status(status) => ChannelError::Status { status, body: String::new() },
        Failure::Unauthorized(challenge) => {
            let challenges: Vec<_> = challenge.www_authenticate().filter_map(|value| value.to_str().ok()).collect();
            let challenge_text =
                (!challenges.is_empty()).then(|| challenges.join(", ").chars().take(MAX_CHALLENGE).collect());
            ChannelError::Unauthorized { status: challenge.status(), challenge: challenge_text }
        }
        Failure::Credentials { source } => ChannelError::Credentials(Arc::from(source)),
        Failure::SessionEnded => ChannelError::SessionGone { in_flight: false },
        Failure::TooLarge { limit, .. } => ChannelError::TooLarge(limit),
        Failure::Malformed { why } => ChannelError::Malformed(why),
    }
}

/// Returns the kind of the innermost I/O error. TLS failures have the kind `InvalidData`.
fn kind(error: &(dyn Error + 'static)) -> io::ErrorKind {
    let (mut kind, mut next) = (io::ErrorKind::NotConnected, Some(error));
    while let Some(error) = next {
        if let Some(error) = error.downcast_ref::<io::Error>() {
            kind = error.kind();
        }
        next = error.source();
    }
    kind
}

/// Returns the root cause of an error, without the wrappers of the HTTP libraries.
fn root<'a>(error: &'a (dyn Error + 'static)) -> &'a (dyn Error + 'static) {
    let mut error = error;
    while let Some(source) = error.source() {
        error = source;
    }
    error
}
