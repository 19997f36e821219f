//! What went wrong over HTTP, in the words of the engine.

use std::error::Error;
use std::io;
use std::sync::Arc;

use super::endpoint::Endpoint;
use super::failure::Failure;
use crate::channel;

/// How much of what a server wants is shown to people, in characters.
const SHOWN: usize = 1000;

/// The same failure for the engine. Bodies of refusals are left out, since some servers repeat in them what they were
/// sent.
pub(super) fn sorted(failure: Failure, endpoint: &Endpoint) -> channel::Failure {
    use channel::Failure as Sorted;
    match failure {
        Failure::Unreachable { source } => {
            let (url, why) = (endpoint.shown(), root(&*source));
            let why = format!("`{url}` cannot be reached ({why}); check the URL and that the server runs");
            Sorted::unsent(io::Error::other(why))
        }
        Failure::Redirected { .. } => Sorted::unsent(io::Error::other(failure)),
        Failure::Lost { why, source: Some(source) } => {
            Sorted::lost(io::Error::other(format!("{why}: {}", root(&*source))))
        }
        Failure::Lost { why, source: None } => Sorted::lost(io::Error::other(why)),
        Failure::Status(refusal) => Sorted::Status { status: refusal.status(), body: String::new() },
        Failure::Unauthorized(challenge) => {
            let wanted: Vec<_> = challenge.www_authenticate().filter_map(|value| value.to_str().ok()).collect();
            let wanted = (!wanted.is_empty()).then(|| wanted.join(", ").chars().take(SHOWN).collect());
            Sorted::Unauthorized { status: challenge.status(), challenge: wanted }
        }
        Failure::Credentials { source } => Sorted::Credentials(Arc::from(source)),
        Failure::SessionEnded { under_way } => Sorted::SessionGone { under_way },
        Failure::TooLarge { name: "body_bytes" | "event_bytes", limit, .. } => Sorted::TooLarge(limit),
        failure @ Failure::TooLarge { .. } => Sorted::Malformed(failure.to_string()),
        Failure::Malformed { why } => Sorted::Malformed(why),
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
