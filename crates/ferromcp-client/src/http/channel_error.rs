//! What went wrong over HTTP, in the words of the engine.

use std::error::Error;
use std::io;
use std::sync::Arc;

use super::endpoint::Endpoint;
use super::failure::Failure;
use crate::channel::ChannelError;

/// How much of what a server wants is shown to people, in characters.
const SHOWN: usize = 1000;

/// The same failure for the engine. Bodies of refusals are left out, since some servers repeat in them what they were
/// sent.
pub(super) fn channel_error(failure: Failure, endpoint: &Endpoint) -> ChannelError {
    match failure {
        Failure::Unreachable { source } => {
            let (url, why) = (endpoint.redacted_url(), root(&*source));
            let why = format!("`{url}` cannot be reached ({why}); check the URL and that the server runs");
            ChannelError::unsent(io::Error::other(why))
        }
        Failure::Redirected { .. } => ChannelError::unsent(io::Error::other(failure)),
        Failure::Lost { why, source: Some(source) } => {
            ChannelError::lost(io::Error::other(format!("{why}: {}", root(&*source))))
        }
        Failure::Lost { why, source: None } => ChannelError::lost(io::Error::other(why)),
        Failure::Status(refusal) => ChannelError::Status { status: refusal.status(), body: String::new() },
        Failure::Unauthorized(challenge) => {
            let wanted: Vec<_> = challenge.www_authenticate().filter_map(|value| value.to_str().ok()).collect();
            let wanted = (!wanted.is_empty()).then(|| wanted.join(", ").chars().take(SHOWN).collect());
            ChannelError::Unauthorized { status: challenge.status(), challenge: wanted }
        }
        Failure::Credentials { source } => ChannelError::Credentials(Arc::from(source)),
        Failure::SessionEnded { in_flight } => ChannelError::SessionGone { in_flight },
        Failure::TooLarge { name: "body_bytes" | "event_bytes", limit, .. } => ChannelError::TooLarge(limit),
        failure @ Failure::TooLarge { .. } => ChannelError::Malformed(failure.to_string()),
        Failure::Malformed { why } => ChannelError::Malformed(why),
    }
}

/// What stands at the bottom of an error: what the libraries say on top of it is theirs.
fn root<'a>(error: &'a (dyn Error + 'static)) -> &'a (dyn Error + 'static) {
    let mut error = error;
    while let Some(source) = error.source() {
        error = source;
    }
    error
}
